"""What is seen of a window whose traffic was shared: a counter-based binomial sample, compiled."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_MIX_1 = np.uint64(0xBF58476D1CE4E5B9)
_MIX_2 = np.uint64(0x94D049BB133111EB)
_S30, _S27, _S31, _S11 = np.uint64(30), np.uint64(27), np.uint64(31), np.uint64(11)


@njit
def _mix(z: Any) -> Any:
    z = (z ^ (z >> _S30)) * _MIX_1
    z = (z ^ (z >> _S27)) * _MIX_2
    return z ^ (z >> _S31)


@njit
def canary_key(seed: Any, version: int, window: int) -> Any:
    """Return the start of the SplitMix64 sequence of one (scenario, version, window).

    The generator is that of Steele, Lea and Flood, "Fast splittable pseudorandom number generators"
    (OOPSLA 2014).
    """
    key = _mix(seed + _GOLDEN * np.uint64(version + 1))
    return _mix(key + _GOLDEN * np.uint64(window + 1))


@njit
def unit_seen(key: Any, unit: int, share: float) -> Any:
    """Return whether row number ``unit`` of a window is among those that a share of the traffic shows."""
    z = _mix(key + _GOLDEN * np.uint64(unit + 1))
    return np.float64(z >> _S11) * 1.1102230246251565e-16 < share


@njit
def thin(counts: np.ndarray, key: Any, share: float, out: np.ndarray) -> None:
    """Add the rows of ``counts`` (C, C) that are seen to ``out``; each is seen with probability ``share``.

    Rows are numbered label by label: for label y first the right answers, then the wrong ones in the order
    of the answer.
    """
    unit = 0
    for y in range(counts.shape[0]):
        for step in range(counts.shape[0]):
            # right answer first, then the others in ascending order
            yhat = y if step == 0 else (step - 1 if step <= y else step)
            for _ in range(counts[y, yhat]):
                if unit_seen(key, unit, share):
                    out[y, yhat] += 1
                unit += 1


@njit
def quality_of(counts: np.ndarray, out: np.ndarray) -> bool:
    """Write accuracy, precision, recall, F1 of confusion counts [y, yhat]; return whether there is any row.

    Binary: of class 1; else the mean over the classes where it is defined. NaN where it is undefined.
    """
    n_classes = counts.shape[0]
    total = 0
    right = 0
    for y in range(n_classes):
        right += counts[y, y]
        for yhat in range(n_classes):
            total += counts[y, yhat]
    if total == 0:
        return False
    out[0] = right / total
    for part in range(1, 4):
        mean, defined = 0.0, 0
        for c in range(1 if n_classes == 2 else 0, n_classes):
            said, true = 0, 0
            for other in range(n_classes):
                said += counts[other, c]
                true += counts[c, other]
            below = said if part == 1 else (true if part == 2 else said + true)
            if below > 0:
                mean += (2.0 if part == 3 else 1.0) * counts[c, c] / below
                defined += 1
        out[part] = mean / defined if defined > 0 else np.nan
    return True
