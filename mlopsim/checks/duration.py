"""Contract checks of durations."""

from __future__ import annotations

from typing import Any

import numpy as np

from mlopsim.checks.base import Check, generator, repeats, require
from mlopsim.core.spec import make


def _duration(cls: type[Any]) -> None:
    def draw(seed: int) -> Any:
        return make("duration", cls.name, mean=12.0).draw(4000, generator(seed))

    first = draw(0)
    values = repeats("a draw", draw, varies=bool(np.ptp(first) > 0))
    require(
        values.dtype == np.float64 and values.shape == (4000,),
        f"draw() returns {values.dtype} of shape {values.shape}, expected float64 of shape (4000,)",
    )
    require(bool(np.isfinite(values).all() and (values >= 0).all()), "a duration is negative or not finite")
    error = 6.0 * values.std() / np.sqrt(len(values)) + 1e-9
    require(
        abs(float(values.mean()) - 12.0) <= error, f"durations of mean 12 are {values.mean():.2f} on average"
    )


CHECKS = [
    Check(name="draw", text="durations are valid, of the stated mean, and follow the seed", run=_duration),
]
