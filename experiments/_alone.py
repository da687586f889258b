"""Work in a process of its own, so that its memory is that of the work, and what it took."""

from __future__ import annotations

import resource
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any, TypeVar

Found = TypeVar("Found")
#: gets settings and a folder, and says what it did
Work = Callable[[Mapping[str, Any], Path], str]


def peak() -> float:
    """Return the largest resident memory of this process in 1e9 bytes (Linux counts in kilobytes)."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e9


def alone(work: Callable[..., Found], *arguments: Any) -> Found:
    """Do it in a process of its own: the memory of one does not count for the next."""
    return each_alone(work, [arguments])[0]


def each_alone(work: Callable[..., Found], several: Sequence[Sequence[Any]], at_once: int = 1) -> list[Found]:
    """Do it for several arguments, each in a process of its own, so many at a time."""
    context = get_context("spawn")
    with ProcessPoolExecutor(at_once, mp_context=context, max_tasks_per_child=1) as pool:
        return list(pool.map(work, *zip(*several, strict=True)))


def measured(
    work: Work, settings: Mapping[str, Any], folder: Path, clock: Callable[[], float]
) -> tuple[float, float, str]:
    """Do it and return seconds by a clock, gigabytes and what it says."""
    began = clock()
    note = work(settings, folder)
    return clock() - began, peak(), note
