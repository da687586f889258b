"""From a threshold of the score back to the confidence that gives it."""

from __future__ import annotations

import struct
from collections.abc import Callable

from mlopsim.core.errors import ConfigError

#: smallest confidence that is looked for
SMALLEST = 1e-300
#: a double and its bits as a whole number
_FLOAT, _BITS = struct.Struct("d"), struct.Struct("q")


def confidence_of(
    threshold_of: Callable[[float], float], threshold: float, where: str, high: float = 1.0
) -> float:
    """Return the largest confidence whose threshold is at least the one wanted.

    So a score that equals the threshold wanted, which is no alarm, is none at the confidence either: scores
    of errors lie on a lattice, where calibration meets ties.

    Parameters
    ----------
    threshold_of : callable
        Threshold of a confidence, falling.
    threshold : float
        The one wanted.
    where : str
        Name of the parameter, for the error.
    high : float, default 1.0
        Largest confidence allowed.

    Returns
    -------
    float
        In [1e-300, high].

    Raises
    ------
    ConfigError
        If no confidence in that range gives the threshold.

    Examples
    --------
    >>> import math
    >>> round(confidence_of(lambda c: -math.log(c), 3.0, "delta"), 6)
    0.049787
    """
    low, top = threshold_of(high), threshold_of(SMALLEST)
    if not low <= threshold <= top:
        raise ConfigError(f"no {where} gives the threshold {threshold:g}; it must be in [{low:g}, {top:g}]")
    # positive doubles are ordered as their bits are
    below, above = _BITS.unpack(_FLOAT.pack(SMALLEST))[0], _BITS.unpack(_FLOAT.pack(high))[0]
    while below < above:
        middle = (below + above + 1) // 2
        if threshold_of(_FLOAT.unpack(_BITS.pack(middle))[0]) >= threshold:
            below = middle
        else:
            above = middle - 1
    return float(_FLOAT.unpack(_BITS.pack(below))[0])
