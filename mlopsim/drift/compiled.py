"""Detectors whose loop over the ticks is compiled."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, ClassVar

import numpy as np

from mlopsim.drift.batch import Batch, Looped, SideBySide
from mlopsim.drift.detector import Detector, Run

#: kernel(x, state, fresh, params, limit, score, alarm): reads the ticks ``x`` (n,) from ``state`` (S,) on and
#: leaves the state after them there; writes ``score`` (n,) and ``alarm`` (n,), bool; an alarm (score > limit)
#: sets the state back to ``fresh`` (S,). All float64 but ``alarm``. ``params`` holds the limit only
#: where the score depends on it (``separable`` is False).
Kernel = Callable[[np.ndarray, np.ndarray, np.ndarray, np.ndarray, float, np.ndarray, np.ndarray], None]


class Compiled(Detector):
    """A detector with a kernel; the streaming form runs the kernel on one tick."""

    effort: ClassVar[float] = 0.03

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
        self._fresh = self.fresh()
        self._state = self._fresh.copy()
        self._params = self.params()

    def restart(self) -> None:
        """Forget everything."""
        self._state[:] = self._fresh

    def tick(self, x: Any) -> float:
        """Read one tick, without a limit."""
        return float(self.advance_freely(np.array([x], dtype=np.float64))[0])

    def advance(self, data: np.ndarray) -> Run:
        """Read the next ticks in one compiled call."""
        score, alarm = self._loop(data, self.threshold)
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
