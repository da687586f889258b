"""One thread everywhere: sums then have one order, so numbers do not depend on the machine's cores."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

#: read by the libraries when they are loaded, so a worker must have them before numpy is imported
ONE_THREAD: dict[str, str] = {
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "BLIS_NUM_THREADS": "1",
    "VECLIB_MAXIMUM_THREADS": "1",
    "NUMEXPR_NUM_THREADS": "1",
    "NUMBA_NUM_THREADS": "1",
    "POLARS_MAX_THREADS": "1",
}


def worker_environment(base: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return an environment for a new process in which every library has one thread.

    Parameters
    ----------
    base : mapping of str to str, optional
        Where the other variables come from; this process's environment by default.

    Examples
    --------
    >>> worker_environment({"HOME": "/h", "OMP_NUM_THREADS": "8"})["OMP_NUM_THREADS"]
    '1'
    """
    return {**(os.environ if base is None else base), **ONE_THREAD}


@contextmanager
def one_thread() -> Iterator[None]:
    """Limit BLAS, OpenMP, numba and torch to one thread in this process, and restore on leaving.

    The variables count for libraries that are loaded inside the block, threadpoolctl and the
    libraries' own setters for those that are loaded already.

    Examples
    --------
    >>> with one_thread():
    ...     os.environ["OMP_NUM_THREADS"]
    '1'
    """
    from threadpoolctl import threadpool_limits

    # numba refuses another NUMBA_NUM_THREADS once its threads run: use its setter then
    caps = {k: v for k, v in ONE_THREAD.items() if k != "NUMBA_NUM_THREADS" or "numba" not in sys.modules}
    before = {name: os.environ.get(name) for name in caps}
    os.environ.update(caps)
    torch, numba = sys.modules.get("torch"), sys.modules.get("numba")
    torch_before = torch.get_num_threads() if torch is not None else None
    numba_before = numba.get_num_threads() if numba is not None else None
    try:
        if torch is not None:
            torch.set_num_threads(1)
        if numba is not None:
            numba.set_num_threads(1)
        with threadpool_limits(limits=1):
            yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
        if torch is not None:
            torch.set_num_threads(torch_before)
        if numba is not None:
            numba.set_num_threads(numba_before)
