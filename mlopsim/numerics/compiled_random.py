"""Random numbers inside compiled loops."""

from __future__ import annotations

import numpy as np
from numba import njit

_STEP = np.uint64(0x9E3779B97F4A7C15)
_FIRST = np.uint64(0xBF58476D1CE4E5B9)
_SECOND = np.uint64(0x94D049BB133111EB)
_30, _27, _31, _11 = np.uint64(30), np.uint64(27), np.uint64(31), np.uint64(11)


@njit(cache=True)
def uniform(word: np.ndarray) -> float:
    """Return the next number in [0, 1) of SplitMix64 (Steele, Lea and Flood 2014); ``word``: uint64 (1,)."""
    word[0] += _STEP
    mixed = word[0]
    mixed = (mixed ^ (mixed >> _30)) * _FIRST
    mixed = (mixed ^ (mixed >> _27)) * _SECOND
    mixed ^= mixed >> _31
    return float(mixed >> _11) * 2.0**-53


@njit(cache=True)
def below(word: np.ndarray, count: int) -> int:
    """Return a whole number in [0, count), each as likely."""
    return int(uniform(word) * count)
