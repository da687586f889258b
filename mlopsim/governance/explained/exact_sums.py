"""Sums of floats that are exact, so that parts add up to the whole to the bit, in any order.

A float64 has 53 bits. Numbers that are whole multiples of one power of two, and whose sums stay below 2**52
of it, are added and subtracted without rounding. So every reward of a window is put on such a grid once, and
from there on windows add up to values, parts to totals and decisions to the difference of two returns.
"""

from __future__ import annotations

import math

import numpy as np

from mlopsim.core.errors import MlopsimError

#: bits that a sum may need
BITS = 52


def unit_for(largest: float) -> float:
    """Return the finest grid on which sums up to ``largest`` in size are exact.

    Parameters
    ----------
    largest : float
        No sum is larger in size.

    Returns
    -------
    float
        A power of two.

    Examples
    --------
    >>> unit_for(200.0) == 2.0 ** (8 - BITS)
    True
    >>> 0.1 + 0.2 == 0.3, bool(np.equal(*on_grid(np.array([0.1, 0.3]), unit_for(1.0)).cumsum()[[0, 1]]))
    (False, False)
    >>> a, b, c = on_grid(np.array([0.1, 0.2, 0.7]), unit_for(4.0))
    >>> bool((a + b) + c == a + (b + c) and (a + b + c) - b - c == a)
    True
    """
    return 2.0 ** (math.ceil(math.log2(max(largest, 1e-300))) - BITS)


def on_grid(values: np.ndarray, unit: float) -> np.ndarray:
    """Return values as the nearest whole multiples of ``unit``, float64 of the same shape.

    Raises
    ------
    MlopsimError
        If one is so large that sums would be rounded.
    """
    scaled = np.rint(values / unit)
    if scaled.size and float(np.abs(scaled).max()) >= 2.0**BITS:
        raise MlopsimError(f"{float(np.abs(values).max()):g} is too large to be added up exactly")
    return np.asarray(scaled * unit)
