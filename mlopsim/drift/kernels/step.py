"""One tick through a detector's kernel, for as little as a call from Python can take.

A call of a compiled function takes longer than most kernels take for a tick, and each argument adds to it.
So all that a kernel works on lies in one array, the **desk**, and the function is entered by its entry point,
past the dispatcher that would look at the types first.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numba import carray, njit, types
from numba.core import cgutils
from numba.extending import intrinsic

from mlopsim.drift.kernels.batched import KERNEL
from mlopsim.drift.kernels.memory import flags_at, floats_at
from mlopsim.drift.signal import BadTickError

#: places on the desk: where the kernel's code lies, limit, whether ticks are errors, number of parameters,
#: size of the state, the tick, its score, whether it is an alarm; then parameters, state, fresh state
CODE, LIMIT, ERRORS, PARAMS, SIZE, TICK, SCORE, ALARM, HEAD = 0, 1, 2, 3, 4, 5, 6, 7, 8


@intrinsic
def _kernel_at(typing: Any, address: Any) -> Any:
    """Return the kernel whose compiled code lies at an address."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        function = cgutils.create_struct_proxy(KERNEL)(context, builder)
        function.jit_addr = builder.inttoptr(arguments[0], context.get_value_type(types.voidptr))
        return function._getvalue()

    return KERNEL(types.intp), generate


@njit(types.boolean(types.float64, types.float64[::1]), cache=True)
def step(x: float, desk: np.ndarray) -> bool:
    """Read one tick; return whether it is an alarm. Raise BadTickError for what is no tick."""
    if desk[ERRORS] > 0.0:
        if x != 0.0 and x != 1.0:
            raise BadTickError
    elif not abs(x) < np.inf:
        raise BadTickError
    desk[TICK], desk[ALARM] = x, 0.0
    start, params, size = desk.ctypes.data, int(desk[PARAMS]), int(desk[SIZE])
    state = start + 8 * (HEAD + params)
    # views without references, which take longer than the rest
    _kernel_at(int(desk[CODE]))(
        carray(floats_at(start + 8 * TICK), 1),
        carray(floats_at(state), size),
        carray(floats_at(state + 8 * size), size),
        carray(floats_at(start + 8 * HEAD), params),
        desk[LIMIT],
        carray(floats_at(start + 8 * SCORE), 1),
        carray(flags_at(start + 8 * ALARM), 1),
    )
    return carray(flags_at(start + 8 * ALARM), 1)[0]  # type: ignore[no-any-return]


def entry() -> Callable[[float, np.ndarray | None], bool]:
    """Return :func:`step` as Python calls it fastest."""
    (found,) = step.overloads.values()
    return found.entry_point  # type: ignore[no-any-return]


def lay(
    kernel: Any, limit: float, errors: bool, params: np.ndarray, state: np.ndarray, fresh: np.ndarray
) -> np.ndarray:
    """Return a desk, float64 (8 + P + 2 S,); it serves in this process, as long as the kernel is kept.

    Parameters
    ----------
    kernel : numba function
        See :data:`mlopsim.drift.compiled.Kernel`.
    limit : float
        What a score must exceed.
    errors : bool
        Whether a tick must be 0 or 1, not only finite.
    params : ndarray of float64, shape (P,)
    state, fresh : ndarray of float64, shape (S,)
    """
    found = kernel.get_compile_result(KERNEL.signature)
    code = found.library.get_pointer_to_function(found.fndesc.llvm_func_name)
    # an address is a whole number below 2^53, so that a float holds it
    head = [code, limit, errors, len(params), len(state), 0.0, np.nan, 0.0]
    return np.concatenate([np.array(head, dtype=np.float64), params, state, fresh])
