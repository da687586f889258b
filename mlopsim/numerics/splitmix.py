"""Random numbers inside a kernel: SplitMix64, its word kept in the state as two whole numbers."""

from __future__ import annotations

import numpy as np
from numba import njit

_ADD = np.uint64(0x9E3779B97F4A7C15)
_MIX1 = np.uint64(0xBF58476D1CE4E5B9)
_MIX2 = np.uint64(0x94D049BB133111EB)
_LOW = np.uint64(0xFFFFFFFF)


@njit(cache=True)
def load(high: float, low: float) -> np.uint64:
    """Return the 64-bit word that two float64 hold, 32 bits each."""
    return (np.uint64(high) << np.uint64(32)) | np.uint64(low)


@njit(cache=True)
def halves(word: np.uint64) -> tuple[float, float]:
    """Return the two float64 that hold a 64-bit word."""
    return float(word >> np.uint64(32)), float(word & _LOW)


@njit(cache=True)
def following(word: np.uint64) -> np.uint64:
    """Return the word after this one."""
    return word + _ADD


@njit(cache=True)
def mixed(word: np.uint64) -> np.uint64:
    """Return the random bits of a word (Steele, Lea and Flood 2014)."""
    word = (word ^ (word >> np.uint64(30))) * _MIX1
    word = (word ^ (word >> np.uint64(27))) * _MIX2
    return word ^ (word >> np.uint64(31))


@njit(cache=True)
def below(word: np.uint64, count: int) -> tuple[np.uint64, int]:
    """Return the next word and a uniform whole number below ``count`` < 2^32 (Lemire 2019, no bias)."""
    bound = np.uint64(count)
    # numbers of the 2^32 that would make some results likelier
    uneven = (np.uint64(0x100000000) - bound) % bound
    while True:
        word = following(word)
        product = (mixed(word) >> np.uint64(32)) * bound
        if (product & _LOW) >= uneven:
            return word, int(product >> np.uint64(32))
