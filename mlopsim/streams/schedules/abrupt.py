"""Changes from one row to the next."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mlopsim.core.registry import register
from mlopsim.streams.layout import Layout
from mlopsim.streams.schedules.base import Plan, Schedule


@register("schedule", "abrupt")
@dataclass(kw_only=True)
class Abrupt(Schedule):
    r"""From one row to the next another concept is active, each time a new one until all were seen.

    With changes at :math:`T_{i+1} = T_i + D_i`, durations D and visits v, row r follows :math:`v_i` for
    :math:`T_i \le r < T_{i+1}`.

    Parameters
    ----------
    duration : spec of a duration
        Law of how long a concept lasts.
    order : list of int or None
        Variants in the order in which they come, over and over; None: drawn at random.
    limit : int or None
        Largest number of changes.

    Notes
    -----
    Use it by default: the change has one row, so delays mean something.

    References
    ----------
    .. [1] J. Gama, I. Žliobaitė, A. Bifet, M. Pechenizkiy and A. Bouchachia, "A survey on concept drift
       adaptation", ACM Computing Surveys 46(4), 2014. doi:10.1145/2523813

    Examples
    --------
    >>> schedule = Abrupt(duration={"fixed": {"mean": 3}}, order=[0, 1])
    >>> plan = schedule.plan(Layout(windows=10, rows=5, warmup=2), 2, np.random.default_rng(1))
    >>> [(c.start, c.end, c.before, c.after) for c in plan.changes]
    [(25, 25, 0, 1), (40, 40, 1, 0)]
    """

    def plan(self, layout: Layout, count: int, rng: np.random.Generator) -> Plan:
        """Return which concept each row follows."""
        return self.steps(layout, count, 0.0, False, rng)
