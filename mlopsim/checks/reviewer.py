"""Contract checks of reviewers."""

from __future__ import annotations

from typing import Any

import numpy as np

from mlopsim.checks.base import Check, generator, identical, own_randomness, require
from mlopsim.core.spec import make

SEEDS = np.array([5, 6, 2**63 + 7], dtype=np.uint64)


def _bad(seed: int = 0, windows: int = 30) -> np.ndarray:
    found: np.ndarray = generator(seed).random((len(SEEDS), windows)) < 0.4
    return found


def _review(cls: type[Any]) -> None:
    made, bad = make("reviewer", cls.name), _bad()
    copy = bad.copy()
    with own_randomness():
        found = made.review(bad, SEEDS)
    require(identical(copy, bad), "review() changes what it is given")
    for name, dtype in (("delay", np.int64), ("denied", np.bool_)):
        array = getattr(found, name)
        require(
            isinstance(array, np.ndarray) and array.dtype == dtype and array.shape == bad.shape,
            f"{name} is {getattr(array, 'dtype', type(array))}, expected {np.dtype(dtype)} {bad.shape}",
        )
    require(bool((found.delay >= 0).all()), "a review ends before it begins")
    again = make("reviewer", cls.name).review(bad, SEEDS)
    require(
        identical((found.delay, found.denied), (again.delay, again.denied)), "asked again, it says others"
    )


def _by_version(cls: type[Any]) -> None:
    """The verdict on a version depends on scenario, version and whether it is bad only."""
    made, bad = make("reviewer", cls.name), _bad()
    whole = made.review(bad, SEEDS)
    part = made.review(bad[1:, :12], SEEDS[1:])
    require(
        identical((whole.delay[1:, :12], whole.denied[1:, :12]), (part.delay, part.denied)),
        "a verdict depends on how many versions or scenarios there are",
        remedy="draw with mlopsim.governance.reviewer.uniforms",
    )
    other = bad.copy()
    other[:, 7] ^= True
    changed = made.review(other, SEEDS)
    rest = np.arange(bad.shape[1]) != 7
    require(identical(whole.denied[:, rest], changed.denied[:, rest]), "a verdict depends on other versions")


CHECKS = [
    Check(name="review", text="verdicts have their types, and are the same each time", run=_review),
    Check(name="by version", text="each verdict is drawn by scenario and version", run=_by_version),
]
