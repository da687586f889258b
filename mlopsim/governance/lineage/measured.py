"""How good a version was when it could be approved, by group, with n."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from mlopsim.governance.lineage.version import Measured, Training
from mlopsim.governance.loop.release import held_out
from mlopsim.world.metrics import QUALITY_NAMES, quality_of

if TYPE_CHECKING:
    from mlopsim.world.world import World


def measured_of(
    world: World, version: int, deployment: Any, training: Training, *, initial: bool, waited: int
) -> tuple[Measured, ...]:
    """Return the quality of a version by group on held-out windows and on those that it was trained on.

    Where errors were put into the rows that are trained on it is that on the clean rows.

    Parameters
    ----------
    world : World
    version : int
    deployment : component of kind ``deployment``
    training : Training
        What it was trained on.
    initial : bool
        Whether it serves from the start: no window after its own was known then.
    waited : int
        Windows that a reviewer took: labels go on arriving.
    """
    low, high = held_out(version, deployment, labels=True)
    high = version if initial else min(high + waited, world.windows - 1)
    found: list[Measured] = []
    for on, first, last in (("held out", low, high), ("training", training.first, training.last)):
        # counts are uint16 or uint32
        counts = world.counts[version, first : last + 1].sum(axis=0, dtype=np.int64)
        there = last >= first
        for group, confusion in ((None, counts.sum(axis=0)), *zip(world.groups, counts, strict=True)):
            found.append(_one(on, (first, last) if there else (None, None), group, confusion))
    return tuple(found)


def _one(
    on: str, windows: tuple[int | None, int | None], group: str | None, confusion: np.ndarray
) -> Measured:
    n = int(confusion.sum())
    values = [float(value) for value in quality_of(confusion)] if n else [math.nan] * len(QUALITY_NAMES)
    names = [name for name, value in zip(QUALITY_NAMES, values, strict=True) if math.isnan(value)]
    if windows[0] is None:
        reason = "no labels of later windows were known"
    elif not n:
        reason = "no rows"
    else:
        reason = f"{', '.join(names)}: nothing to divide by" if names else ""
    numbers = {
        name: None if math.isnan(value) else value for name, value in zip(QUALITY_NAMES, values, strict=True)
    }
    return Measured(on=on, first=windows[0], last=windows[1], group=group, n=n, reason=reason, **numbers)
