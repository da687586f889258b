"""One detector over many signals side by side."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from typing import Any, Protocol

import numpy as np


class Batch(Protocol):
    """n copies of a detector; copy i reads signal i, as if it were alone, to the bit.

    Examples
    --------
    >>> from mlopsim.core.spec import make
    >>> batch = make("detector", "ddm").batch([np.random.default_rng(0), np.random.default_rng(1)])
    >>> ticks = np.tile([0.0, 0.0, 0.0, 1.0], (2, 30))
    >>> ticks[0, 90:] = 1.0
    >>> ticks[1, 90:] = np.nan
    >>> np.argwhere(batch.advance(ticks, np.array([True, True]))).tolist()
    [[0, 101]]
    """

    def restart(self, which: np.ndarray) -> None:
        """Begin the signals ``which`` (n,), bool, anew, as ``Detector.begin`` does; generators go on."""
        ...

    def advance(self, ticks: np.ndarray, use: np.ndarray) -> np.ndarray:
        """Read the next ticks, float64 (n, R), of the signals ``use`` (n,); return alarms, bool (n, R).

        NaN stands where there is no tick.
        """
        ...


class Single(Protocol):
    """What a loop needs of a detector."""

    def reset(self, rng: np.random.Generator | None = None) -> None:
        """Start before the first tick."""
        ...

    def begin(self) -> None:
        """Begin anew; the generator goes on."""
        ...

    def advance(self, data: np.ndarray) -> Any:
        """Read the next ticks; return their run."""
        ...


class Looped:
    """A loop over the signals in Python: for detectors of others, and controls, which have no kernel.

    Parameters
    ----------
    detector : Detector
        Copied for each signal.
    rngs : sequence of Generator
        One a signal.
    """

    def __init__(self, detector: Single, rngs: Sequence[np.random.Generator]) -> None:
        self._copies = [copy.copy(detector) for _ in rngs]
        for one, rng in zip(self._copies, rngs, strict=True):
            one.reset(rng)

    def restart(self, which: np.ndarray) -> None:
        """Begin some signals anew."""
        for i in np.flatnonzero(which).tolist():
            self._copies[i].begin()

    def advance(self, ticks: np.ndarray, use: np.ndarray) -> np.ndarray:
        """Read the next ticks, signal by signal."""
        alarm = np.zeros(ticks.shape, dtype=np.bool_)
        there = ~np.isnan(ticks)
        for i in np.flatnonzero(use & there.any(axis=1)).tolist():
            places = np.flatnonzero(there[i])
            alarm[i, places[self._copies[i].advance(ticks[i, places]).alarms]] = True
        return alarm


class SideBySide:
    """All signals advance in one compiled call: a state (n, S) and the detector's own kernel.

    Parameters
    ----------
    kernel : callable
        See :data:`mlopsim.drift.compiled.Kernel`.
    fresh : callable
        Number of a signal to its state before the first tick, float64 (S,); asked again at each restart if
        ``random``.
    params : ndarray of float64
        Of the kernel.
    limit : float
        What a score must exceed.
    n : int
        Number of signals.
    random : bool
        Whether fresh states differ.
    """

    def __init__(
        self,
        kernel: Any,
        fresh: Callable[[int], np.ndarray],
        params: np.ndarray,
        limit: float,
        n: int,
        random: bool,
    ) -> None:
        self._kernel, self._draw, self._limit, self._random = kernel, fresh, float(limit), random
        self._params = np.ascontiguousarray(params, dtype=np.float64)
        first = [fresh(i) for i in range(n if random else min(n, 1))]
        self._fresh = np.array(first if random else first * n, dtype=np.float64).reshape(n, -1)
        self._state = self._fresh.copy()

    def restart(self, which: np.ndarray) -> None:
        """Begin some signals anew."""
        if self._random:
            for i in np.flatnonzero(which).tolist():
                self._fresh[i] = self._draw(i)
        self._state[which] = self._fresh[which]

    def advance(self, ticks: np.ndarray, use: np.ndarray) -> np.ndarray:
        """Read the next ticks of all signals in one compiled call."""
        from mlopsim.drift.kernels.batched import advance

        alarm = np.empty(ticks.shape, dtype=np.bool_)
        ticks = np.ascontiguousarray(ticks, dtype=np.float64)
        advance(self._kernel, ticks, use, self._state, self._fresh, self._params, self._limit, alarm)
        return alarm
