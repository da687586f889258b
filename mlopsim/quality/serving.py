"""What serves when a deployment keeps retraining, and a gate may stop new versions."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, kw_only=True)
class Arrival:
    """A version that is ready to serve.

    Parameters
    ----------
    version, window : int
        The version, and the window from whose start on it would serve.
    serving : int
        What serves until then.
    blocked : bool
        Whether it was stopped.
    """

    version: int
    window: int
    serving: int
    blocked: bool


def serve(
    windows: int,
    warmup: int,
    *,
    every: int,
    label_delay: int,
    latency: int,
    cooldown: int = 0,
    stops: Callable[[int, int, int], bool] | None = None,
) -> tuple[np.ndarray, list[Arrival]]:
    """Retrain at equal distances, as ``selector/periodic`` does, and say which version serves each window.

    A retrain decided after window t trains version ``t - label_delay`` and is there at the start of window
    ``t + 1 + latency``; one runs at a time.

    Parameters
    ----------
    windows, warmup : int
        T windows, of which W are history; version W - 1 serves first.
    every : int
        Windows from one retrain to the next, as far as possible.
    label_delay, latency, cooldown : int
        As in ``deployment/standard``.
    stops : callable, optional
        Version, version that serves, window of arrival: whether the version is stopped there.

    Returns
    -------
    served : ndarray of int64, shape (T,)
        -1 before window W.
    arrivals : list of Arrival

    Examples
    --------
    >>> served, arrivals = serve(10, 3, every=2, label_delay=1, latency=1)
    >>> served.tolist(), [(a.version, a.window) for a in arrivals]
    ([-1, -1, -1, 2, 2, 2, 3, 3, 5, 5], [(3, 6), (5, 8)])
    """
    served = np.full(windows, -1, dtype=np.int64)
    arrivals: list[Arrival] = []
    serving = newest = warmup - 1
    free, due = warmup - 1, False
    job: tuple[int, int] | None = None
    for t in range(warmup - 1, windows - 1):
        step = t - (warmup - 1)
        due = due or (step > 0 and step % every == 0)
        if due and t >= free and t - label_delay > newest:
            due, newest = False, t - label_delay
            job, free = (newest, t + 1 + latency), t + max(1 + latency, cooldown)
        if job is not None and job[1] == t + 1:
            version, job = job[0], None
            blocked = stops is not None and stops(version, serving, t + 1)
            arrivals.append(Arrival(version=version, window=t + 1, serving=serving, blocked=blocked))
            serving = serving if blocked else version
        served[t + 1] = serving
    return served, arrivals
