"""Detectors whose loop over the ticks is compiled."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, ClassVar

import numpy as np

from mlopsim.drift.batch import Batch, Looped, SideBySide
from mlopsim.drift.detector import Detector, Run
from mlopsim.drift.signal import BadTickError, SignalKind

#: kernel(x, state, fresh, params, limit, score, alarm): reads the ticks ``x`` (n,) from ``state`` (S,) on and
#: leaves the state after them there; writes ``score`` (n,) and ``alarm`` (n,), bool; an alarm (score > limit)
#: sets the state back to ``fresh`` (S,). All float64 but ``alarm``. ``params`` holds the limit only
#: where the score depends on it (``separable`` is False).
Kernel = Callable[[np.ndarray, np.ndarray, np.ndarray, np.ndarray, float, np.ndarray, np.ndarray], None]


#: what counts as a number without a closer look
_NUMBERS = (int, float, np.floating, np.integer, np.bool_)


def _unready(x: float, desk: np.ndarray | None) -> bool:
    """Stand where the compiled step will be."""
    raise BadTickError


def _number(x: Any) -> float:
    """Return a number as a float."""
    if isinstance(x, _NUMBERS):
        return float(x)
    raise BadTickError


class Compiled(Detector):
    """A detector with a kernel; the streaming form enters it with one tick.

    Limit and parameters are read when the detector starts (``reset``), not at each tick. A kernel that is no
    numba function runs tick by tick as slowly as Python does.

    Notes
    -----
    What streaming takes beside river's classes is measured by experiments/speed_of_detectors.py; where ticks
    come in arrays, :meth:`mlopsim.drift.detector.Detector.update_many` is the faster way by far.
    """

    effort: ClassVar[float] = 0.03
    # the compiled step and all that it works on, once there was a tick
    _step: Callable[[float, np.ndarray | None], bool] = staticmethod(_unready)
    _desk: np.ndarray | None = None
    # the score of the last tick: on the desk if there is one
    _told: np.ndarray | None = None
    _score: float = math.nan

    def kernel(self) -> Kernel:
        """Return the compiled loop (imported inside, numba is heavy)."""
        raise NotImplementedError

    def params(self) -> np.ndarray:
        """Return the numbers that the kernel needs, float64, the limit not among them."""
        return np.zeros(0)

    def fresh(self) -> np.ndarray:
        """Return the state before the first tick, float64 (S,)."""
        raise NotImplementedError

    def begin(self) -> None:
        """Set the state."""
        self._desk, self._told, self._step = None, None, _unready
        self._fresh = self.fresh()
        self._state = self._fresh.copy()
        self._params = self.params()
        self._limit = self.threshold

    def restart(self) -> None:
        """Forget everything."""
        self._state[:] = self._fresh

    @property
    def statistic(self) -> float:
        """The score after the last tick."""
        return self._score if self._told is None else float(self._told[0])

    @statistic.setter
    def statistic(self, score: float) -> None:
        self._score = score
        if self._told is not None:
            self._told[0] = score

    def update(self, x: Any) -> bool:
        """Read one tick; return whether it is an alarm. ``statistic`` is the score after it.

        Raises
        ------
        DataError
            If the tick is not finite, has a wrong shape, or is no error (0 or 1) where errors are read.
        """
        kind = x.__class__
        try:
            return self._step(x if kind is float or kind is int else _number(x), self._desk)
        except (BadTickError, OverflowError, TypeError):
            # no step yet, no tick, or a number that no float can hold: nothing was read
            return self._slowly(x)

    def _slowly(self, x: Any) -> bool:
        """Get the compiled step ready, or say what is wrong with a tick."""
        if not hasattr(self, "rng"):
            self.reset()
        kernel = self.kernel()
        if self._desk is not None or not hasattr(kernel, "py_func"):
            return super().update(x)
        from mlopsim.drift.kernels.step import HEAD, SCORE, entry, lay

        errors = self.reads is SignalKind.ERRORS
        desk = lay(kernel, self._limit, errors, self._params, self._state, self._fresh)
        place = HEAD + len(self._params)
        # whole arrays of ticks go on with the same state
        self._state = desk[place : place + len(self._state)]
        self._kernel, self._desk, self._told, self._step = kernel, desk, desk[SCORE : SCORE + 1], entry()
        return self.update(x)

    def __getstate__(self) -> dict[str, Any]:
        """Return what a copy needs: numbers of its own, and no address of compiled code."""
        found = dict(self.__dict__)
        if "_state" in found:
            found["_score"] = self.statistic
            found |= {name: found[name].copy() for name in ("_state", "_fresh", "_params")}
            for name in ("_desk", "_told", "_step", "_kernel"):
                found.pop(name, None)
        return found

    def tick(self, x: Any) -> float:
        """Read one tick, without a limit."""
        return float(self.advance_freely(np.array([x], dtype=np.float64))[0])

    def advance(self, data: np.ndarray) -> Run:
        """Read the next ticks in one compiled call."""
        score, alarm = self._loop(data, self._limit)
        return Run(score=score, alarms=np.flatnonzero(alarm).astype(np.int64))

    def advance_freely(self, data: np.ndarray) -> np.ndarray:
        """Return the scores of the next ticks as if nothing were ever an alarm."""
        return self._loop(data, np.inf)[0]

    def batch(self, rngs: Sequence[np.random.Generator]) -> Batch:
        """Return this detector over several signals, which advance in one compiled call.

        A kernel that is no numba function is run signal by signal.
        """
        kernel = self.kernel()
        if not hasattr(kernel, "py_func"):
            return Looped(self, rngs)

        def fresh(i: int) -> np.ndarray:
            self.rng = rngs[i]
            return self.fresh()

        return SideBySide(kernel, fresh, self.params(), self.threshold, len(rngs), self.random)

    def _loop(self, data: np.ndarray, limit: float) -> tuple[np.ndarray, np.ndarray]:
        score, alarm = np.empty(len(data)), np.zeros(len(data), dtype=np.bool_)
        self.kernel()(data, self._state, self._fresh, self._params, limit, score, alarm)
        return score, alarm
