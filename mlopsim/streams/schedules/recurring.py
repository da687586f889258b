"""Few concepts that come back."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mlopsim.core.errors import ConfigError
from mlopsim.core.registry import register
from mlopsim.core.spec import check_range
from mlopsim.streams.layout import Layout
from mlopsim.streams.schedules.base import Plan, Schedule


@register("schedule", "recurring")
@dataclass(kw_only=True)
class Recurring(Schedule):
    r"""A small pool of concepts, each of which comes back: old versions become right again.

    Of a pool of P variants the next is drawn among the others: :math:`P(v_{i+1} = u \mid v_i) = 1 / (P - 1)`,
    :math:`u \ne v_i`.

    Parameters
    ----------
    duration : spec of a duration
        Law of the time between the beginnings of two changes.
    order : list of int or None
        Variants in the order in which they come, over and over; then ``pool`` has no effect.
    limit : int or None
        Largest number of changes.
    pool : int, default 2
        How many variants, drawn at random, take turns: 2 alternate, among more the next is drawn.
    width : float, default 0.0
        Windows that a change takes (rows of both concepts arrive); 0 is abrupt.

    Notes
    -----
    Use it where old versions may become right again: what a registry and rollback are worth.

    References
    ----------
    .. [1] J. Gama, I. Žliobaitė, A. Bifet, M. Pechenizkiy and A. Bouchachia, "A survey on concept drift
       adaptation", ACM Computing Surveys 46(4), 2014. doi:10.1145/2523813

    Examples
    --------
    >>> schedule = Recurring(duration={"fixed": {"mean": 2}}, pool=2)
    >>> plan = schedule.plan(Layout(windows=9, rows=5, warmup=2), 5, np.random.default_rng(1))
    >>> first, second, third = plan.changes
    >>> first.before == second.after == third.before
    True
    """

    pool: int = 2
    width: float = 0.0

    def __post_init__(self) -> None:
        super().__post_init__()
        check_range("recurring.pool", self.pool, 2, 100_000)
        check_range("recurring.width", self.width, 0.0, 1e6)

    def visits(self, count: int, size: int, rng: np.random.Generator) -> np.ndarray:
        """Return the first ``size`` variants, neighbours differing."""
        if self.order is not None:
            return super().visits(count, size, rng)
        if self.pool > count:
            raise ConfigError(
                f"recurring.pool is {self.pool}, but the concept has {count} variant(s)",
                remedy="lower the pool or raise the concept's number of variants",
            )
        pool = rng.permutation(count)[: self.pool]
        at = [int(rng.integers(self.pool))]
        while len(at) < size:
            # any but the present one
            at.append((at[-1] + 1 + int(rng.integers(self.pool - 1))) % self.pool)
        return np.asarray(pool[at[:size]], dtype=np.int64)

    def plan(self, layout: Layout, count: int, rng: np.random.Generator) -> Plan:
        """Return which concept each row follows."""
        return self.steps(layout, count, self.width, False, rng)
