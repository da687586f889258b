"""Changes that move the concept itself."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mlopsim.core.registry import register
from mlopsim.core.spec import check_range
from mlopsim.streams.layout import Layout
from mlopsim.streams.schedules.base import Change, Plan, Schedule


@register("schedule", "incremental")
@dataclass(kw_only=True)
class Incremental(Schedule):
    r"""The parameters move in a straight line from one variant to the next.

    Needs a concept with laws between its variants (sea, hyperplane, rbf, linear_gaussian).

    In a movement of n rows that begins at row T from parameters :math:`\theta_a` to :math:`\theta_b`, row T +
    k - 1 follows

    .. math::

        \theta = \left(1 - \frac{k}{n + 1}\right) \theta_a + \frac{k}{n + 1} \theta_b, \qquad k = 1, \ldots, n

    Parameters
    ----------
    duration : spec of a duration
        Law of the time between the beginnings of two movements.
    order : list of int or None
        Variants in the order in which they are headed for, over and over; None: drawn at random.
    limit : int or None
        Largest number of movements.
    width : float or None
        Windows that a movement takes; None: until the next begins, so that nothing ever rests.

    Notes
    -----
    Use it where nothing jumps; there are laws between the variants only for some concepts.

    References
    ----------
    .. [1] J. Gama, I. Žliobaitė, A. Bifet, M. Pechenizkiy and A. Bouchachia, "A survey on concept drift
       adaptation", ACM Computing Surveys 46(4), 2014. doi:10.1145/2523813

    Examples
    --------
    >>> schedule = Incremental(duration={"fixed": {"mean": 2}}, order=[0, 1])
    >>> plan = schedule.plan(Layout(windows=7, rows=2, warmup=1), 2, np.random.default_rng(1))
    >>> [(c.start, c.end, c.before, c.after) for c in plan.changes], plan.blend
    ([(6, 10, 0, 1), (10, 14, 1, 0)], True)
    """

    width: float | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.width is not None:
            check_range("incremental.width", self.width, 0.0, 1e6)

    def plan(self, layout: Layout, count: int, rng: np.random.Generator) -> Plan:
        """Return which concept each row follows."""
        if self.width is not None:
            return self.steps(layout, count, self.width, True, rng)
        starts = self.starts(layout, 0, rng)
        visits = self.visits(count, len(starts) + 1, rng)
        a = np.full(layout.n, visits[0], dtype=np.int64)
        b = a.copy()
        weight = np.zeros(layout.n)
        changes: list[Change] = []
        for i, start in enumerate(starts):
            end = int(starts[i + 1]) if i + 1 < len(starts) else layout.n
            a[start:end], b[start:end], a[end:], b[end:] = (
                visits[i],
                visits[i + 1],
                visits[i + 1],
                visits[i + 1],
            )
            weight[start:end] = np.arange(1, end - int(start) + 1) / (end - int(start) + 1.0)
            if visits[i] != visits[i + 1]:
                changes.append(
                    Change(start=int(start), end=end, before=int(visits[i]), after=int(visits[i + 1]))
                )
        return Plan(a=a, b=b, weight=weight, blend=True, changes=tuple(changes))
