"""The contract of a detector, and all that follows from it."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np

from mlopsim.core.errors import ConfigError, DataError
from mlopsim.core.track import Attribute
from mlopsim.drift.batch import Batch, Looped
from mlopsim.drift.forms import Form
from mlopsim.drift.scenario import CHANNELS, LABELLED
from mlopsim.drift.signal import DIMENSIONS, READABLE, Known, Side, Signal, SignalKind, check_ticks

#: numbers below are finite, whatever their type
HUGE = 1e300


@dataclass(frozen=True, kw_only=True)
class Run:
    """A detector over one signal.

    Parameters
    ----------
    score : ndarray of float64, shape (n,)
        The statistic after each tick, before the reset of an alarm; NaN while the detector is learning.
    alarms : ndarray of int64, shape (a,)
        Ticks at which it alarmed, rising.
    """

    score: np.ndarray
    alarms: np.ndarray


class Detector:
    """Reads a signal tick by tick; alarms where its score exceeds its threshold, then starts afresh.

    A third party's detector sets the class attributes and writes :meth:`restart` and :meth:`tick`; ours with
    compiled loops derive from :class:`mlopsim.drift.compiled.Compiled`, those that compare windows of inputs
    from :class:`mlopsim.drift.windowed.Windowed`. Whatever the base, ``update``, ``update_many``, ``score``
    and ``alarms`` agree exactly, and so do any chunks of one signal.

    Class attributes: ``family`` (what tables call its kind: chart, distance, ...), ``reads`` (kind of signal;
    a detector of values reads errors, too), ``limit`` (the parameter that calibration sets, empty if there is
    none), ``limits`` (two positive limits between which tuning looks for one; None: by the run length only),
    ``space`` (values of its other parameters that tuning tries), ``separable`` (True: the score up to the
    first alarm does not depend on the limit, so that one run serves all limits), ``sequential`` (False: a
    score depends on its tick and the reference only), ``random`` (True: it draws random numbers), ``control``
    (True: it does not look at the signal, see :class:`mlopsim.drift.control.Control`), ``known_by`` (fields
    that ``informed`` fills in with what is known of a task), ``pictured`` (True: reports show the two samples
    behind its first right alarm; of detectors that compare windows with a reference), ``effort`` (what a tick
    takes, in microseconds or so: simulations choose their number of runs by it, never by a clock).

    The score is oriented: higher means more change. ``NaN > threshold`` is False, so no alarm is raised while
    the score is undefined. An empty signal has no alarms; so has one that is too short to learn from.
    """

    kind: ClassVar[str]
    name: ClassVar[str]
    version: ClassVar[str]
    full_name: ClassVar[str]
    family: ClassVar[str] = "other"
    reads: ClassVar[SignalKind] = SignalKind.VALUES
    limit: ClassVar[str] = "threshold_"
    limits: ClassVar[tuple[float, float] | None] = None
    space: ClassVar[Mapping[str, tuple[Any, ...]]] = {}
    separable: ClassVar[bool] = True
    sequential: ClassVar[bool] = True
    random: ClassVar[bool] = False
    control: ClassVar[bool] = False
    known_by: ClassVar[tuple[str, ...]] = ()
    pictured: ClassVar[bool] = False
    effort: ClassVar[float] = 1.0
    statistic: float = float("nan")

    # -- what a detector says of itself --------------------------------------------------------------

    @classmethod
    def readable(cls) -> tuple[SignalKind, ...]:
        """Return the kinds of signal that it can read."""
        return READABLE[cls.reads]

    def accepted(self) -> tuple[SignalKind, ...]:
        """Return the kinds of signal that this one can read, where a parameter narrows or moves them."""
        return self.readable()

    @property
    def sides(self) -> Side:
        """Which changes it looks for."""
        return Side.BOTH

    @property
    def known(self) -> Known:
        """What it knows beforehand; tables rank within this."""
        return Known.NOTHING

    def form(self) -> Form | None:
        """Return what it computes where its run length is known exactly; None: it is to be simulated."""
        return None

    def facts(self) -> dict[str, Attribute]:
        """Return its attributes: family, role, reads, needs, known and sides.

        Examples
        --------
        >>> from mlopsim.core.spec import make
        >>> found = make("detector", "ks").facts()
        >>> found["reads"], found["needs"], found["known"]
        ('inputs', 'none', 'nothing')
        >>> found = make("detector", {"cusum": {"told": "p0"}}).facts()
        >>> found["reads"], found["needs"], found["known"]
        ('errors or outputs', 'labels for errors', 'p0')
        """
        reads = [name for name, kind in CHANNELS.items() if kind in self.accepted()]
        needs = [name for name in reads if name in LABELLED]
        return {
            "family": self.family,
            "role": "method",
            "reads": " or ".join(reads),
            "needs": "none" if not needs else "labels" if needs == reads else "labels for errors",
            "known": self.known.text,
            "sides": self.sides.value,
        }

    @property
    def threshold(self) -> float:
        """What the score must exceed for an alarm."""
        return float(getattr(self, self.limit))

    def limited(self, threshold: float) -> Self:
        """Return this detector with the limit that gives this threshold of the score.

        Raises
        ------
        ConfigError
            If the limit is out of its range, or the detector has none.
        """
        if not self.limit:
            raise ConfigError(
                f"{self.full_name} has no limit to set",
                remedy=f"its parameters are set by hand; mlopsim arl {self.name} shows the run length",
            )
        return dataclasses.replace(self, **{self.limit: threshold})  # type: ignore[type-var]

    # -- what a detector must define -------------------------------------------------------------------

    def restart(self) -> None:
        """Forget everything: before the first tick and after each alarm. May draw from ``self.rng``."""
        raise NotImplementedError

    def tick(self, x: Any) -> float:
        """Read one tick (a float; of inputs: a window (r, d)) and return the score after it."""
        raise NotImplementedError

    # -- the streaming form ------------------------------------------------------------------------------

    def reset(self, rng: np.random.Generator | None = None) -> None:
        """Start before the first tick.

        Parameters
        ----------
        rng : Generator, optional
            For detectors that draw random numbers; by default a generator with seed 0.
        """
        self.rng = np.random.default_rng(0) if rng is None else rng
        self.statistic = float("nan")
        self.begin()

    def begin(self) -> None:
        """Set the state of the streaming form."""
        self.restart()

    def update(self, x: Any) -> bool:
        """Read one tick; return whether it is an alarm. ``statistic`` is the score after it.

        Raises
        ------
        DataError
            If the tick is not finite, has a wrong shape, or is no error (0 or 1) where errors are read.
        """
        if not hasattr(self, "rng"):
            self.reset()
        if type(self).advance is Detector.advance and self._plain(x):
            self.statistic = score = float(self.tick(float(x)))
            if score > self.threshold:
                self.restart()
                return True
            return False
        data = self._floats(x)[None]
        self._check(data)
        run = self.advance(data)
        self.statistic = float(run.score[0])
        return len(run.alarms) > 0

    def update_many(self, ticks: Any) -> np.ndarray:
        """Read the next ticks, as many as have come; the same as :meth:`update` of each, and faster.

        Parameters
        ----------
        ticks : Signal or array
            See :meth:`run`.

        Returns
        -------
        ndarray of int64, shape (a,)
            Which of these ticks were alarms, counted from 0. ``statistic`` is the score after the last.

        Raises
        ------
        DataError
            See :meth:`run`; none of the ticks is read then.

        Examples
        --------
        >>> from mlopsim.core.spec import make
        >>> detector = make("detector", "page_hinkley")
        >>> detector.update_many(np.zeros(100)), detector.update_many(np.ones(100))
        (array([], dtype=int64), array([66]))
        """
        if not hasattr(self, "rng"):
            self.reset()
        data = self.ticks_of(ticks)
        run = self.advance(data)
        if len(data):
            self.statistic = float(run.score[-1])
        return run.alarms

    def _plain(self, x: Any) -> bool:
        """Say at a glance whether a tick is a number that may be read; False: it takes a closer look."""
        kind = x.__class__
        if not (kind is float or kind is int) or self.reads is SignalKind.INPUTS:
            return False
        return x in (0, 1) if self.reads is SignalKind.ERRORS else -HUGE < x < HUGE

    def advance(self, data: np.ndarray) -> Run:
        """Read the next ticks of a checked signal, from the current state on."""
        score = np.empty(len(data))
        alarms = []
        limit = self.threshold
        for i, x in enumerate(data):
            score[i] = self.tick(float(x) if data.ndim == 1 else x)
            if score[i] > limit:
                alarms.append(i)
                self.restart()
        return Run(score=score, alarms=np.array(alarms, dtype=np.int64))

    # -- what a deployment needs -------------------------------------------------------------------------

    def batch(self, rngs: Sequence[np.random.Generator]) -> Batch:
        """Return this detector over several signals of rows side by side, each with its own generator."""
        return Looped(self, rngs)

    def begin_from(self, rows: np.ndarray, size: int) -> None:
        """Begin with reference rows of the inputs at hand instead of the first ticks.

        Parameters
        ----------
        rows : ndarray of float64, shape (m, d)
            What the windows to come are compared with.
        size : int
            Rows of a window: this base reads the reference as windows, whose alarms do not count.
        """
        self.begin()
        count = len(rows) // size
        self.advance_freely(rows[: count * size].reshape(count, size, rows.shape[1]))

    # -- whole signals -----------------------------------------------------------------------------------

    def run(self, signal: Any, rng: np.random.Generator | None = None) -> Run:
        """Read a whole signal from the start.

        Parameters
        ----------
        signal : Signal or array
            Ticks; an array is taken for the kind that the detector reads.
        rng : Generator, optional
            See :meth:`reset`.

        Returns
        -------
        Run

        Raises
        ------
        DataError
            If the signal is of another kind, has a wrong shape or values that are not finite.
        """
        data = self.ticks_of(signal)
        self.reset(rng)
        return self.advance(data)

    def score(self, signal: Any, rng: np.random.Generator | None = None) -> np.ndarray:
        """Return the statistic after each tick, float64 (n,); it starts afresh after each alarm."""
        return self.run(signal, rng).score

    def alarms(self, signal: Any, rng: np.random.Generator | None = None) -> np.ndarray:
        """Return the ticks at which there was an alarm, int64, rising."""
        return self.run(signal, rng).alarms

    def unlimited(self, signals: Any, rngs: Sequence[np.random.Generator] | None = None) -> np.ndarray:
        """Return what the scores would be if there were no limit: one row a signal.

        Parameters
        ----------
        signals : array, shape (m, n) or (m, T, r, d)
            m signals.
        rngs : sequence of Generator, optional
            One a signal.

        Returns
        -------
        ndarray of float64, shape (m, n)

        Raises
        ------
        ConfigError
            If the score of this detector depends on its limit (``separable`` is False).
        """
        if not self.separable:
            raise ConfigError(f"the score of {self.full_name} depends on its limit")
        rows = []
        for i, signal in enumerate(signals):
            data = self.ticks_of(signal)
            self.reset(None if rngs is None else rngs[i])
            rows.append(self.advance_freely(data))
        return np.array(rows).reshape(len(rows), -1)

    def certain(self, signal: Any, rng: np.random.Generator | None = None) -> tuple[bool, float, float]:
        """Return whether a signal has an alarm, and between which thresholds the answer is the same.

        Parameters
        ----------
        signal, rng
            See :meth:`run`.

        Returns
        -------
        alarm : bool
        low, high : float
            With any threshold in [low, high], which holds this one, ``alarm`` is the same. This base knows it
            of its own threshold only; a detector whose score depends on its limit, and that knows more, makes
            the search of a limit shorter.

        Examples
        --------
        >>> from mlopsim.core.spec import make
        >>> make("detector", "ddm").certain(np.zeros(50))
        (False, 3.0, 3.0)
        >>> make("detector", "hddm_a").certain(np.repeat([0.0, 1.0], 30))[0]
        True
        """
        return len(self.alarms(signal, rng)) > 0, self.threshold, self.threshold

    def advance_freely(self, data: np.ndarray) -> np.ndarray:
        """Return the scores of the next ticks as if nothing were ever an alarm."""
        return np.array([self.tick(float(x) if data.ndim == 1 else x) for x in data], dtype=np.float64)

    def ticks_of(self, signal: Any) -> np.ndarray:
        """Check a signal and return its ticks as contiguous float64."""
        if isinstance(signal, Signal):
            if signal.kind not in self.accepted():
                raise DataError(
                    f"{self.full_name} reads {self.reads.value}, the signal holds {signal.kind.value}",
                    remedy="pass 1 - signal as errors: 1 = the model was wrong"
                    if signal.kind is SignalKind.CORRECT
                    else f"use a detector that reads {signal.kind.value}",
                )
            signal = signal.data
        data = np.atleast_1d(self._floats(signal))
        self._check(data)
        return data

    def _floats(self, values: Any) -> np.ndarray:
        try:
            return np.asarray(values, dtype=np.float64, order="C")
        except (TypeError, ValueError, OverflowError) as error:
            raise DataError(f"{self.full_name} cannot read this signal: {error}") from error

    def _check(self, data: np.ndarray) -> None:
        if len(data) and (data.ndim not in {DIMENSIONS[kind] for kind in self.accepted()} or not data.size):
            raise DataError(
                f"{self.full_name} reads {self.reads.value}, not an array of shape {data.shape}",
                remedy="(n,) for rows, (windows, rows, features) for inputs",
            )
        check_ticks(data, self.reads)
