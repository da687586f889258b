"""A detector's kernel over many signals, for its scores."""

from __future__ import annotations

import numpy as np
from numba import njit, types

from mlopsim.drift.kernels.batched import KERNEL

_ROW = types.Array(types.float64, 1, "C")
_ROWS = types.Array(types.float64, 2, "C")


@njit(types.void(KERNEL, _ROWS, _ROW, _ROW, _ROWS), cache=True)
def scored(
    kernel: types.FunctionType, ticks: np.ndarray, fresh: np.ndarray, params: np.ndarray, score: np.ndarray
) -> None:
    """Write the scores of signals as if nothing were ever an alarm.

    ``ticks`` and ``score`` (m, T): a tick that is NaN is not read, and has no score; ``fresh`` (S,).
    """
    count, longest = ticks.shape
    x, found = np.empty(longest), np.empty(longest)
    over = np.empty(longest, np.bool_)
    for i in range(count):
        size = 0
        for j in range(longest):
            if not np.isnan(ticks[i, j]):
                x[size] = ticks[i, j]
                size += 1
        kernel(x[:size], fresh.copy(), fresh, params, np.inf, found[:size], over[:size])
        at = 0
        for j in range(longest):
            score[i, j] = np.nan
            if not np.isnan(ticks[i, j]):
                score[i, j] = found[at]
                at += 1
