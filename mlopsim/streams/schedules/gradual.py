"""Changes during which rows of both concepts arrive."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mlopsim.core.registry import register
from mlopsim.core.spec import check_range
from mlopsim.streams.layout import Layout
from mlopsim.streams.schedules.base import Plan, Schedule


@register("schedule", "gradual")
@dataclass(kw_only=True)
class Gradual(Schedule):
    r"""For ``width`` windows each row comes from the new concept with a probability that rises linearly.

    In a change of n rows that begins at row T, row T + k - 1 comes from the new concept with probability
    :math:`k / (n + 1)`, :math:`k = 1, \ldots, n`.

    Parameters
    ----------
    duration : spec of a duration
        Law of the time between the beginnings of two changes.
    order : list of int or None
        Variants in the order in which they come, over and over; None: drawn at random.
    limit : int or None
        Largest number of changes.
    width : float, default 5.0
        Windows that a change takes; 0 is abrupt.

    Notes
    -----
    Use it where old and new rows come mixed for a while; the change is counted from its first mixed row.

    References
    ----------
    .. [1] J. Gama, I. Žliobaitė, A. Bifet, M. Pechenizkiy and A. Bouchachia, "A survey on concept drift
       adaptation", ACM Computing Surveys 46(4), 2014. doi:10.1145/2523813

    Examples
    --------
    >>> schedule = Gradual(duration={"fixed": {"mean": 3}}, order=[0, 1], width=1, limit=1)
    >>> plan = schedule.plan(Layout(windows=6, rows=4, warmup=1), 2, np.random.default_rng(1))
    >>> plan.changes[0].start, plan.changes[0].end, plan.weight[16:20].tolist()
    (16, 20, [0.2, 0.4, 0.6, 0.8])
    """

    width: float = 5.0

    def __post_init__(self) -> None:
        super().__post_init__()
        check_range("gradual.width", self.width, 0.0, 1e6)

    def plan(self, layout: Layout, count: int, rng: np.random.Generator) -> Plan:
        """Return which concept each row follows."""
        return self.steps(layout, count, self.width, False, rng)
