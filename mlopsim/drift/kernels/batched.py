"""A detector's kernel over many signals at once, one state each."""

from __future__ import annotations

import numpy as np
from numba import njit, types

_ROW = types.Array(types.float64, 1, "C")
_ROWS = types.Array(types.float64, 2, "C")
_FLAGS = types.Array(types.boolean, 1, "C")
#: a kernel as :data:`mlopsim.drift.compiled.Kernel` describes it, handed over as a pointer: the loop below is
#: compiled once for all detectors, and kept on disk, which numba cannot do with a loop for each kernel
KERNEL = types.FunctionType(types.void(_ROW, _ROW, _ROW, _ROW, types.float64, _ROW, _FLAGS))


@njit(
    types.void(KERNEL, _ROWS, _FLAGS, _ROWS, _ROWS, _ROW, types.float64, types.Array(types.boolean, 2, "C")),
    cache=True,
)
def advance(
    kernel: types.FunctionType,
    ticks: np.ndarray,
    use: np.ndarray,
    state: np.ndarray,
    fresh: np.ndarray,
    params: np.ndarray,
    limit: float,
    alarm: np.ndarray,
) -> None:
    """Read the next ticks of every signal in use.

    ``ticks`` (n, R), NaN where there is none; ``state`` and ``fresh`` (n, S); ``alarm`` (n, R) is written.
    """
    count, longest = ticks.shape
    x, score = np.empty(longest), np.empty(longest)
    over = np.empty(longest, np.bool_)
    for i in range(count):
        alarm[i] = False
        if not use[i]:
            continue
        size = 0
        for j in range(longest):
            if not np.isnan(ticks[i, j]):
                x[size] = ticks[i, j]
                over[size] = False
                size += 1
        kernel(x[:size], state[i], fresh[i], params, limit, score[:size], over[:size])
        at = 0
        for j in range(longest):
            if not np.isnan(ticks[i, j]):
                alarm[i, j] = over[at]
                at += 1
