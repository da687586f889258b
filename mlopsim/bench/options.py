"""The options of a run: checked in one place, for a run and for a dry run alike."""

from __future__ import annotations

import math
import os
from concurrent.futures import Executor
from pathlib import Path

from mlopsim.bench.executors import check_backend
from mlopsim.bench.shards import Shard
from mlopsim.core.errors import ConfigError


def check_run(
    *,
    workers: int | None = None,
    executor: str | Executor = "pool",
    timeout: float | None = None,
    fit_timeout: float | None = None,
    on_error: str = "continue",
    max_bundle: int = 32,
    shard: str | Shard | None = None,
    fits: str | Path | None = None,
    fits_only: bool = False,
) -> int:
    """Raise for options that a run refuses, without running anything; return the number of workers.

    Raises
    ------
    ConfigError
        For an unknown executor or ``on_error``, fewer than one worker, seconds that are no limit, a
        shard that there is not, fits that are to be made for one shard or taken from elsewhere and made, too.

    Examples
    --------
    >>> check_run(workers=2)
    2
    >>> check_run(timeout=float("inf"))
    Traceback (most recent call last):
    ...
    mlopsim.core.errors.ConfigError: timeout must be above 0 seconds and finite, got inf
      remedy: leave it out for no limit
    """
    if on_error not in ("continue", "stop"):
        raise ConfigError(
            f"on_error must be continue or stop, got {on_error!r}", remedy="write on_error=continue or =stop"
        )
    for what, seconds in (("timeout", timeout), ("fit_timeout", fit_timeout)):
        if seconds is not None and not 0 < seconds < math.inf:
            raise ConfigError(
                f"{what} must be above 0 seconds and finite, got {seconds}",
                remedy="leave it out for no limit",
            )
    if max_bundle < 1:
        raise ConfigError(f"max_bundle must be at least 1, got {max_bundle}", remedy="leave it out")
    if shard is not None:
        Shard.parse(shard)
    if fits_only and shard is not None:
        raise ConfigError(
            f"fits are made once, for all shards, and not for shard {shard}",
            remedy="leave shard= out; then run each shard with fits=DIR, the folder of the fits",
        )
    if fits_only and fits is not None:
        raise ConfigError(
            f"fits are taken from {fits}, and to be made, too",
            remedy="leave fits= out where fits are made; results=DIR says where they go",
        )
    slots = available_workers() if workers is None else workers
    check_backend(executor, slots, timeout=timeout is not None or fit_timeout is not None)
    return slots


def available_workers() -> int:
    """Return how many processors this process may use.

    Examples
    --------
    >>> available_workers() >= 1
    True
    """
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
