"""No change of concept."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mlopsim.core.registry import register
from mlopsim.streams.layout import Layout
from mlopsim.streams.schedules.base import Plan, Schedule


@register("schedule", "none")
@dataclass(kw_only=True)
class NoChange(Schedule):
    """One concept from beginning to end: the drift-free version of a task.

    Parameters
    ----------
    duration : spec of a duration
        Without effect; here so that a schedule can be replaced by this one.
    order : list of int or None
        Its first entry is the variant; None: drawn at random.
    limit : int or None
        Without effect.

    Notes
    -----
    Use it for false alarms.

    Examples
    --------
    >>> plan = NoChange().plan(Layout(windows=10, rows=5, warmup=2), 3, np.random.default_rng(1))
    >>> len(set(plan.a.tolist())), plan.changes
    (1, ())
    """

    def plan(self, layout: Layout, count: int, rng: np.random.Generator) -> Plan:
        """Return which concept each row follows."""
        variant = self.visits(count, 1, rng)[0]
        a = np.full(layout.n, variant, dtype=np.int64)
        return Plan(a=a, b=a, weight=np.zeros(layout.n), blend=False, changes=())
