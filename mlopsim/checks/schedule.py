"""Contract checks of schedules."""

from __future__ import annotations

from typing import Any

import numpy as np

from mlopsim.checks.base import Check, generator, repeats, require
from mlopsim.core.spec import make
from mlopsim.streams.layout import Layout

LAYOUT = Layout(windows=150, rows=12, warmup=15)


def _schedule(cls: type[Any]) -> None:
    def draw(seed: int) -> Any:
        plan = make("schedule", cls.name).plan(LAYOUT, 4, generator(seed))
        return plan.a, plan.b, plan.weight, plan.blend, plan.changes

    # a schedule without changes may always start with the same variant
    a, b, weight, _, changes = repeats("a plan", draw, varies=bool(draw(0)[4]))
    n, first = LAYOUT.n, LAYOUT.first
    for what, array, dtype in (("a", a, np.int64), ("b", b, np.int64), ("weight", weight, np.float64)):
        require(
            array.dtype == dtype and array.shape == (n,),
            f"{what} is {array.dtype} of shape {array.shape}, not ({n},)",
        )
    require(min(a.min(), b.min()) >= 0 and max(a.max(), b.max()) < 4, "names a variant that does not exist")
    require(bool(((weight >= 0) & (weight <= 1)).all()), "a weight lies outside of 0..1")
    active = np.where(weight > 0.0, b, a)
    require(bool((active[:first] == active[0]).all()), f"changes in the warm-up, which ends at row {first}")
    end = first
    for change in changes:
        require(
            end <= change.start <= change.end <= n and change.start < n,
            f"the change from row {change.start} to {change.end} overlaps, or lies outside of {first}..{n}",
        )
        require(change.before != change.after, f"the change at row {change.start} changes nothing")
        require(
            active[change.start - 1] == change.before and (change.end >= n or a[change.end] == change.after),
            f"the change at row {change.start} is not what the rows do",
        )
        end = change.end
    still = np.ones(n, dtype=bool)
    for change in changes:
        still[change.start : change.end + 1] = False
    moved = np.flatnonzero((active[1:] != active[:-1]) & still[1:])
    require(not len(moved), f"the concept changes at row {moved[:1] + 1} without a stated change")


CHECKS = [
    Check(name="plan", text="changes come after the warm-up, are stated and follow the seed", run=_schedule),
]
