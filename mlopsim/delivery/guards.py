"""The arrays of the mechanisms as the kernels take them, and what is counted in packed answers.

Import this module only where numbers are needed: numba is slow to import.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit

#: ones among the bits of a byte
ONES = np.array([bin(byte).count("1") for byte in range(256)], dtype=np.int64)


class Guards(NamedTuple):
    """The arrays of :class:`mlopsim.delivery.mechanisms.Mechanisms`; None: a deployment without any.

    The functions of :mod:`mlopsim.delivery.dynamics` take them one by one (to take an array out of a tuple in
    a loop costs as much as the work) with ``g``, their integer parameters, in front. Where ``g`` is None, all
    that they do is left out when a function is compiled. ``cost`` (M, cells, C) and ``seen`` hold the C
    constraints, ``lag``, ``limit`` (C,) when they are known and what is allowed; ``bits`` (P, total),
    ``places`` (M, T), ``bounds`` (M, T + 1) the answers of all versions as P packed bits each, see
    :meth:`mlopsim.delivery.pool.WorldPool.answers`.
    """

    refused: np.ndarray
    delay: np.ndarray
    denied: np.ndarray
    fallback: np.ndarray
    alarm: np.ndarray
    guarded: np.ndarray
    cost: np.ndarray
    seen: np.ndarray
    lag: np.ndarray
    limit: np.ndarray
    bits: np.ndarray
    places: np.ndarray
    bounds: np.ndarray
    g: np.ndarray


@njit
def flips(
    m: int, one: int, other: int, window: int, bits: np.ndarray, places: np.ndarray, bounds: np.ndarray
) -> float:
    """Return the share of the rows of a window that two versions answer differently."""
    if one == other:
        return 0.0
    first, last = bounds[m, window], bounds[m, window + 1]
    a, b = places[m, one], places[m, other]
    begin, end = first >> 3, (last - 1) >> 3
    number = 0
    for byte in range(begin, end + 1):
        unlike = np.uint8(0)
        for plane in range(bits.shape[0]):
            unlike |= bits[plane, a + byte] ^ bits[plane, b + byte]
        # rows of the windows before and after share the outer bytes; the first row is the highest bit
        if byte == begin:
            unlike &= np.uint8(0xFF >> (first & 7))
        if byte == end:
            unlike &= np.uint8(0xFF & (0xFF << (7 - ((last - 1) & 7))))
        number += ONES[unlike]
    return float(number / (last - first))
