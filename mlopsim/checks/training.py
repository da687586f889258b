"""Contract checks of the choice of training windows."""

from __future__ import annotations

from typing import Any

import numpy as np

from mlopsim.checks.base import Check, identical, own_randomness, require
from mlopsim.core.spec import make


def _table(seed: int = 0) -> tuple[np.ndarray, np.ndarray, int]:
    """Return rows with a jump in the middle, bounds of uneven windows, and the warm-up."""
    rng = np.random.default_rng(seed)
    sizes = rng.integers(20, 60, 24)
    X = rng.normal(size=(int(sizes.sum()), 3))
    X[len(X) // 2 :] += 2.0
    return X, np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64), 4


def _starts(cls: type[Any]) -> None:
    X, bounds, warmup = _table()
    copies = X.copy(), bounds.copy()
    rule = make("training", cls.name)
    with own_randomness():
        starts = rule.starts(X, bounds, warmup)
    windows = len(bounds) - 1
    require(identical(copies, (X, bounds)), "starts() changes what it is given")
    require(
        isinstance(starts, np.ndarray) and starts.dtype == np.int64 and starts.shape == (windows,),
        f"starts() returns {getattr(starts, 'dtype', type(starts))}, expected int64 of shape ({windows},)",
    )
    bad = (starts < 0) | (starts > np.arange(windows))
    require(not bad.any(), f"version {bad.argmax()} would start in window {starts[bad.argmax()]}")
    require(identical(starts, rule.starts(X, bounds, warmup)), "asked again, it gives other windows")


def _starts_causal(cls: type[Any]) -> None:
    X, bounds, warmup = _table()
    rule = make("training", cls.name)
    starts = rule.starts(X, bounds, warmup)
    for cut in (warmup + 1, 11, 18):
        later = X.copy()
        later[bounds[cut] :] = later[bounds[cut] :][::-1] * 5.0 - 1.0
        require(
            identical(starts[:cut], rule.starts(later, bounds, warmup)[:cut]),
            f"the training windows of the versions before {cut} depend on later rows",
        )


CHECKS = [
    Check(name="windows", text="training windows exist and are the same each time", run=_starts),
    Check(name="causal", text="training windows do not depend on later rows", run=_starts_causal),
]
