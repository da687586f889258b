"""One thread for everything that computes numbers."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

_seen: tuple[int, Any] | None = None
_depth = 0


@contextmanager
def one_thread() -> Iterator[None]:
    """Hold BLAS and OpenMP at one thread: their bits depend on the number of threads.

    Looking for the loaded libraries takes about a millisecond, so it is done again only when modules
    were imported since the last time. Nested uses cost nothing.
    """
    global _seen, _depth
    if _depth:
        yield
        return
    from threadpoolctl import ThreadpoolController

    if _seen is None or _seen[0] != len(sys.modules):
        controller = ThreadpoolController()
        _seen = (len(sys.modules), controller)
    with _seen[1].limit(limits=1):
        _depth += 1
        try:
            yield
        finally:
            _depth -= 1
