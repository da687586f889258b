"""Tails of limit laws, by their series."""

from __future__ import annotations

import math

import numpy as np
from numba import njit

_NODES = 64
# Gauss-Chebyshev nodes, and what of the integrand does not depend on the argument
_AT = np.cos((2 * np.arange(_NODES) + 1) * np.pi / (2 * _NODES))
_WEIGHT = np.sqrt((1 - _AT * _AT) / np.cos(np.pi * _AT / 2)) * np.pi / _NODES


@njit(cache=True)
def cvm_tail(x: float) -> float:
    """Return the probability that the limit of the Cramer-von Mises statistic exceeds x.

    Smirnov (1936): ``1/pi sum (-1)^(k-1) integral sqrt(-u / sin u) 2/u exp(-x u^2 / 2) du`` over u from
    ``(2k-1) pi`` to ``2k pi``. The roots at both ends are the weight of Gauss-Chebyshev quadrature. Unlike
    ``1 - cdf`` it keeps its relative accuracy in the upper tail.
    """
    if x < 0.003:
        # 1 - 1e-18
        return 1.0
    total = 0.0
    sign = 1.0
    for k in range(1, 100):
        part = 0.0
        for i in range(_NODES):
            u = (2.0 * k - 0.5 + 0.5 * _AT[i]) * math.pi
            part += _WEIGHT[i] / math.sqrt(u) * math.exp(-0.5 * x * u * u)
        total += sign * part
        sign = -sign
        if part <= 1e-17 * abs(total):
            break
    return min(max(total, 0.0), 1.0)


@njit(cache=True)
def kuiper_tail(z: float) -> float:
    """Return ``2 sum (4 j^2 z^2 - 1) exp(-2 j^2 z^2)`` over j >= 1, the tail of Kuiper's limit law at z."""
    if z < 0.3:
        # 1 - 1e-20, and the series would need many terms
        return 1.0
    total = 0.0
    for j in range(1, 100):
        square = 2.0 * (j * z) ** 2
        term = 2.0 * (2.0 * square - 1.0) * math.exp(-square)
        total += term
        # the first terms may be negative
        if square > 0.5 and term <= 1e-17 * total:
            break
    return min(max(total, 0.0), 1.0)
