"""One thread everywhere: sums then have one order, so numbers do not depend on the machine's cores."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import Any

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


#: the BLAS and OpenMP libraries that are loaded, and the number of modules when they were looked for
_found: tuple[int, Any] | None = None
_block: _Block | None = None


class _Block(ExitStack):
    """The limits of an outermost block; what is loaded inside it is limited at the next nested use."""

    modules = -1

    def variables(self) -> None:
        """Set the variables, for libraries that are loaded inside."""
        # numba refuses another NUMBA_NUM_THREADS once its threads run: use its setter then
        caps = {k: v for k, v in ONE_THREAD.items() if k != "NUMBA_NUM_THREADS" or "numba" not in sys.modules}
        for name in caps:
            self.callback(_restore, name, os.environ.get(name))
        os.environ.update(caps)

    def limit(self) -> None:
        """Limit what is loaded by now."""
        global _found
        from threadpoolctl import ThreadpoolController

        modules = len(sys.modules)
        if self.modules == modules:
            return
        torch, numba = sys.modules.get("torch"), sys.modules.get("numba")
        if torch is not None:
            self.callback(torch.set_num_threads, torch.get_num_threads())
            torch.set_num_threads(1)
        # asking numba starts its threads: not where it has one only
        if numba is not None and numba.config.NUMBA_NUM_THREADS > 1:
            self.callback(numba.set_num_threads, numba.get_num_threads())
            numba.set_num_threads(1)
        # looking for libraries takes about a millisecond, far more than limiting them
        if _found is None or _found[0] != modules:
            _found = modules, ThreadpoolController()
        self.enter_context(_found[1].limit(limits=1))
        self.modules = modules


def _restore(name: str, value: str | None) -> None:
    if value is None:
        os.environ.pop(name, None)
    else:
        os.environ[name] = value


@contextmanager
def one_thread() -> Iterator[None]:
    """Limit BLAS, OpenMP, numba and torch to one thread in this process, and restore on leaving.

    The variables count for libraries that are loaded inside the block, threadpoolctl and the
    libraries' own setters for those that are loaded already. Nested uses cost nothing.

    Examples
    --------
    >>> with one_thread():
    ...     os.environ["OMP_NUM_THREADS"]
    '1'
    """
    global _block
    if _block is not None:
        _block.limit()
        yield
        return
    with _Block() as block:
        block.variables()
        block.limit()
        _block = block
        try:
            yield
        finally:
            _block = None
