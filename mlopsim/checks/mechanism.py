"""Contract checks of mechanisms."""

from __future__ import annotations

from typing import Any

import numpy as np

from mlopsim.checks.base import Check, identical, own_randomness, require
from mlopsim.checks.clean_rows import clean_stream
from mlopsim.core.spec import make


def _mechanism(cls: type[Any]) -> None:
    """Check what a mechanism gives."""
    stream = clean_stream()
    made = make("mechanism", cls.name)
    with own_randomness():
        drives = [made.drive(stream, 0, np.random.default_rng(0)) for _ in range(2)]
    require(identical(*drives), "two runs with one seed differ", remedy="take all randomness from rng")
    drive = drives[0]
    require(
        drive.shape == stream.y.shape and drive.dtype == np.float64 and not np.isnan(drive).any(),
        f"drive is {drive.dtype} of shape {drive.shape}, expected float64 of shape {stream.y.shape} "
        "without NaN (use -inf for rows that come last)",
    )


CHECKS = [
    Check(name="mechanism", text="what decides is one number a row and follows the seed", run=_mechanism),
]
