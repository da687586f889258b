"""Fits of the drift track: limits that give every detector the same false-alarm behaviour."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, overload

import numpy as np

from mlopsim.core.digest import canonical_json
from mlopsim.core.errors import ConfigError, nearest
from mlopsim.core.identity import identity_words
from mlopsim.core.seeds import Axis, Split, seed_sequence
from mlopsim.core.spec import check_range, make
from mlopsim.core.track import FitResult
from mlopsim.drift.alarm_rate import counted
from mlopsim.drift.calibration import (
    Attained,
    Boundary,
    attained,
    boundary,
    calibrate_all,
    first_alarms,
    records,
    target_share,
)
from mlopsim.drift.detector import Detector
from mlopsim.drift.law import law_of
from mlopsim.drift.run_length.limits import exact_boundary
from mlopsim.drift.scenario import Place, Source
from mlopsim.drift.signal_cache import LARGEST, default_signal_cache, signals_key
from mlopsim.tracks.drift.long_run import find_by_rate, realised
from mlopsim.tracks.drift.tuning import best, delay_in_training, with_setting, words_of

#: signals of one law that are kept for the next detector, in bytes
KEPT = 1 << 28
#: standard errors between what was asked and what fresh signals show, above which a target counts as missed
TOLERATED = 3.0
#: what limits make equal
FIRST_ALARM, RATE = MATCHES = ("first_alarm", "rate")
#: ticks at which the law of the run length is kept
POINTS = 51


@dataclass(frozen=True, kw_only=True)
class Calibration:
    """What a limit is asked to do, and how many drift-free signals it is found and checked with.

    Parameters
    ----------
    arl0 : float, default 10000
        In-control average run length of the memoryless detector that all are made to match, in rows.
    horizon : int, default 2500
        H, in rows: P(alarm within H) = 1 - exp(-H / arl0). The tasks' pre-change length.
    runs, checks : int, default 1000
        Drift-free signals that the limit is found with, and fresh ones that it is checked with.
    curve : list of float
        Further values of arl0 at which each method is run, for the curve of delay against false alarms.
    match : str, default first_alarm
        What is made equal: ``first_alarm``: P(alarm within H), the first alarm after the start; ``rate``:
        alarms in ``rate_rows`` rows, with the resets that follow them, of which ``rate_rows / arl0`` are
        asked. The other one is measured and printed beside it.
    rate_rows, rate_runs : int, default 10000 and 200
        Rows of the long drift-free signals on which rates are found and measured, and how many of them.

    Examples
    --------
    >>> Calibration.of({"arl0": 5000}).all_arl0
    [2000.0, 5000.0, 20000.0, 50000.0]
    """

    arl0: float = 10_000.0
    horizon: int = 2500
    runs: int = 1000
    checks: int = 1000
    curve: tuple[float, ...] = (2000.0, 5000.0, 20_000.0, 50_000.0)
    match: str = FIRST_ALARM
    rate_rows: int = 10_000
    rate_runs: int = 200

    @classmethod
    def of(cls, given: Mapping[str, Any]) -> Calibration:
        """Read the settings ``drift.calibration``.

        Raises
        ------
        ConfigError
            For an unknown name or a value out of range.
        """
        known = list(cls.__dataclass_fields__)
        for name in given:
            if name not in known:
                raise ConfigError(
                    f"drift.calibration has no '{name}'{nearest(name, known)}",
                    remedy=f"it has: {', '.join(known)}",
                )
        values: dict[str, Any] = dict(given)
        if values.get("match", FIRST_ALARM) not in MATCHES:
            raise ConfigError(
                f"drift.calibration.match is {values['match']!r}{nearest(str(values['match']), MATCHES)}",
                remedy=f"one of: {', '.join(MATCHES)}",
            )
        for name in ("horizon", "runs", "checks", "rate_rows", "rate_runs"):
            if name in values:
                where = f"drift.calibration.{name}"
                if not isinstance(values[name], int) or isinstance(values[name], bool):
                    raise ConfigError(f"{where} must be a whole number, got {values[name]!r}")
                check_range(where, values[name], 1, 10**7)
        for name in ("arl0", "curve"):
            if name in values:
                many = values[name] if name == "curve" else [values[name]]
                if not isinstance(many, Sequence) or isinstance(many, str):
                    raise ConfigError(f"drift.calibration.curve must be a list, got {many!r}")
                for value in many:
                    if not isinstance(value, int | float) or isinstance(value, bool):
                        raise ConfigError(f"drift.calibration.{name} must be a number, got {value!r}")
                    check_range(f"drift.calibration.{name}", value, 1.0, 1e12)
                values[name] = tuple(map(float, many)) if name == "curve" else float(values[name])
        return cls(**values)

    def settings(self) -> dict[str, Any]:
        """Return all settings, as JSON types."""
        return {name: getattr(self, name) for name in self.__dataclass_fields__} | {"curve": list(self.curve)}

    @property
    def all_arl0(self) -> list[float]:
        """Every arl0 at which methods are run, rising."""
        return sorted({self.arl0, *self.curve})


class Quiet(Sequence[np.ndarray]):
    """Drift-free signals, drawn when they are read; some are kept for the next detectors of the law.

    Parameters
    ----------
    draw : callable
        Number to ticks.
    count : int
        How many there are.
    key : str, optional
        Their content address: those that an earlier run drew are read from the cache
        (:mod:`mlopsim.drift.signal_cache`), and what is drawn whole is stored. None: drawn each time.
    """

    def __init__(self, draw: Callable[[int], np.ndarray], count: int, key: str | None = None) -> None:
        self._draw, self._count, self._key = draw, count, key
        self._kept: dict[int, np.ndarray] = {}
        self._bytes = 0
        self._looked = False

    def __len__(self) -> int:
        return self._count

    @overload
    def __getitem__(self, place: int) -> np.ndarray: ...
    @overload
    def __getitem__(self, place: slice) -> list[np.ndarray]: ...
    def __getitem__(self, place: int | slice) -> np.ndarray | list[np.ndarray]:
        if isinstance(place, slice):
            return [self[i] for i in range(*place.indices(self._count))]
        if not 0 <= place < self._count:
            raise IndexError(place)
        if not self._looked:
            self._look()
        found = self._kept.get(place)
        if found is None:
            found = self._draw(place)
            if self._bytes + found.nbytes <= KEPT:
                self._kept[place] = found
                self._bytes += found.nbytes
                if len(self._kept) == self._count:
                    self._store()
        return found

    def _look(self) -> None:
        """Take what an earlier run stored."""
        self._looked = True
        stored = None if self._key is None else default_signal_cache().load(self._key)
        if stored is not None:
            self._kept = dict(enumerate(stored))
            self._bytes = sum(signal.nbytes for signal in stored)

    def _store(self) -> None:
        """Store what was drawn, if it is worth its bytes."""
        if self._key is not None and self._bytes <= LARGEST:
            default_signal_cache().store(self._key, [self._kept[i] for i in range(self._count)])

    def __iter__(self) -> Iterator[np.ndarray]:
        return (self[i] for i in range(self._count))


@lru_cache(maxsize=3)
def _quiet(content: str, split: str, count: int) -> Quiet:
    """Return the drift-free signals of a law; the next detector of this process finds them again."""
    law = json.loads(content)
    source: Source = make("signal", law["signal"])

    def draw(index: int) -> np.ndarray:
        place = Place(
            stream=law["stream"], learner=law["learner"], split=split, index=index, root=law["root"]
        )
        channel = source.quiet(place, law["channel"], law["horizon"])
        return channel.signal.data[: channel.ticks_within(law["horizon"])]

    # what needs no stream and no model is drawn as fast as it is read
    return Quiet(draw, count, signals_key(law, split, count) if source.reads_stream else None)


@lru_cache(maxsize=2)
def _arrival(content: str) -> tuple[int, int]:
    """Return the rows of a tick of a law's signals, and how many rows late it arrives."""
    law = json.loads(content)
    source: Source = make("signal", law["signal"])
    place = Place(stream=law["stream"], learner=law["learner"], split="train", root=law["root"])
    channel = source.quiet(place, law["channel"], law["horizon"])
    return channel.rows, channel.lag


def make_fit(part: Mapping[str, Any]) -> FitResult:
    """Find the limits of one detector; see :func:`make_fits`."""
    return make_fits([part])[0]


def make_fits(parts: Sequence[Mapping[str, Any]]) -> list[FitResult]:
    """Find the limits of detectors on one drift-free law, and check them on fresh signals.

    Each signal is drawn once and read by all detectors.

    Parameters
    ----------
    parts : sequence of mappings
        ``method`` (a detector's part), ``law`` (signal, stream, learner, channel, horizon, root),
        ``long_law`` (the same with ``rate_rows`` as horizon), ``arl0`` (list), ``main`` (one of them),
        ``match``, ``runs``, ``checks``, ``rate_runs``, ``given`` (whether the limit is the user's). All have
        the same laws, matching and numbers of signals.

    Returns
    -------
    list of FitResult
        Arrays (A,), one entry an arl0: ``threshold``, ``lower``, ``weight`` (see
        :class:`mlopsim.drift.calibration.Boundary`), ``target``, ``share``, ``share_low``, ``share_high``,
        ``restricted_mean``, ``censored``, ``early``, ``met``, means in rows, ``hazard``, ``hazard_low``,
        ``hazard_high``, and of the arl0 ``main`` ``rate``, ``rate_low``, ``rate_high``, ``rate_spread``;
        ``info["reasons"]``: why a limit is undefined.
        ``survival`` (A, :data:`POINTS`): share of the fresh signals without an alarm after the ticks ``at``.
        Attribute ``exact``: whether the limits follow from the exact law of the run length and not from the
        ``runs`` signals.
    """
    first = parts[0]
    content = canonical_json(first["law"])
    names = ("law", "long_law", "runs", "checks", "rate_runs", "match")
    shared = canonical_json([first[name] for name in names])
    if any(canonical_json([part[name] for name in names]) != shared for part in parts):
        raise ConfigError("fits that are made together need one law, one number of signals and one matching")
    fresh = _quiet(content, "validation", first["checks"])
    ticks = len(fresh[0])
    long = canonical_json(first["long_law"])
    chosen = _tuned(parts, ticks)
    plans = [_Plan(part, ticks, one["setting"]) for part, one in zip(parts, chosen, strict=True)]
    _find(plans, first["runs"], first["rate_runs"])
    for i, signal in enumerate(fresh):
        for plan in plans:
            plan.check(i, signal)
    for i, signal in enumerate(_quiet(long, "validation", first["rate_runs"])):
        for plan in plans:
            plan.check_rate(i, signal)
    results = [plan.result(ticks) for plan in plans]
    for result, one in zip(results, chosen, strict=True):
        if one["tried"]:
            result.info |= {"setting": one["setting"], "tried": one["tried"]}
            words = ", ".join(f"{name}={value}" for name, value in one["setting"].items())
            result.attributes["setting"] = words
    return results


def _tuned(parts: Sequence[Mapping[str, Any]], ticks: int) -> list[dict[str, Any]]:
    """Return for each part the setting that its training scenarios choose, and the delays of all tried."""
    chosen: list[dict[str, Any]] = [{"setting": {}, "tried": []} for _ in parts]
    trials = [
        (place, setting, _Plan({**part, "arl0": [part["main"]]}, ticks, setting))
        for place, part in enumerate(parts)
        if part.get("tuning")
        for setting in part["tuning"]["settings"]
    ]
    if not trials:
        return chosen
    runs = parts[trials[0][0]]["tuning"]["runs"]
    _find([plan for *_, plan in trials], runs, min(runs, parts[0]["rate_runs"]))
    for place, setting, plan in trials:
        part = parts[place]
        delay = delay_in_training(plan.detector, plan.limits[0], part["tuning"], words_of(part))
        chosen[place]["tried"].append({"setting": setting, "delay": None if math.isnan(delay) else delay})
    for one in chosen:
        if one["tried"]:
            delays = [math.nan if row["delay"] is None else row["delay"] for row in one["tried"]]
            one["setting"] = one["tried"][best(delays)]["setting"]
            for row in one["tried"]:
                # JSON has no infinity: there is no limit for this setting
                row["delay"] = (
                    row["delay"] if row["delay"] is None or math.isfinite(row["delay"]) else "no limit"
                )
    return chosen


def _find(plans: Sequence[_Plan], runs: int, rate_runs: int) -> None:
    """Find the limits of detectors on one law, by what their part asks to be equal."""
    by_rate = [plan for plan in plans if plan.part["match"] == RATE and not plan.part["given"]]
    if by_rate:
        law = by_rate[0].part["long_law"]
        found = find_by_rate(by_rate, _quiet(canonical_json(law), "train", rate_runs), law["horizon"])
        for plan, limits in zip(by_rate, found, strict=True):
            plan.use(limits)
    by_share = [plan for plan in plans if plan not in by_rate]
    if by_share:
        _find_by_share(by_share, canonical_json(by_share[0].part["law"]), runs)


def _find_by_share(plans: Sequence[_Plan], content: str, runs: int) -> None:
    """Find the limits with which so many first alarms come within H; each signal is drawn once."""
    train = _quiet(content, "train", runs)
    for plan in plans:
        plan.await_tops(runs)
    if any(plan.tops is not None for plan in plans):
        for i, signal in enumerate(train):
            for plan in plans:
                if plan.tops is not None:
                    plan.tops[i] = highest(plan.detector, signal, plan.seed(Split.TRAIN, i))
    for plan in plans:
        plan.find(train)


class _Plan:
    """The calibration of one detector, fed with signals one by one."""

    def __init__(self, part: Mapping[str, Any], ticks: int, setting: Mapping[str, Any]) -> None:
        own = with_setting(make("detector", part["method"]), setting)
        self.detector = informed(own, part["told"])
        self.part = part
        self.targets = [target_share(arl0, part["law"]["horizon"]) for arl0 in part["arl0"]]
        self.limits: list[Boundary] = []
        self.tops: np.ndarray | None = None
        self.exact = self._exact(ticks)
        law = part["law"]
        self._words = identity_words(part["method"], law["signal"], law["stream"], law["learner"])
        self._first = np.full((len(self.targets), part["checks"]), np.inf)
        self._counts = np.full((len(self.targets), part["rate_runs"]), math.nan)
        # at the run length that tables are made for: a pass over long signals a limit would cost all too much
        self._main = part["arl0"].index(part["main"])

    def await_tops(self, runs: int) -> None:
        """Make room for the highest score on each signal, where these serve all limits."""
        if self.detector.separable and not self.part["given"] and self.exact is None:
            self.tops = np.empty(runs)

    def _exact(self, ticks: int) -> list[Boundary] | None:
        """Return the limits by exact run lengths, None where there is no exact method for all of them."""
        if self.part["given"] or self.part["told"] is None or self.part["match"] == RATE:
            return None
        law = law_of(self.part["told"][0])
        # the run length in ticks of the signal; independent ticks are rows
        scale = ticks / self.part["law"]["horizon"]
        found = [exact_boundary(self.detector, law, arl0 * scale, ticks) for arl0 in self.part["arl0"]]
        known = [limit for limit in found if limit is not None]
        return known if len(known) == len(found) else None

    def seed(self, split: Split, index: int) -> np.random.SeedSequence:
        """Return the seed of the detector's random numbers on a signal."""
        return seed_sequence(Axis.CALIBRATION, split, index, *self._words, root=self.part["law"]["root"])

    def find(self, train: Sequence[np.ndarray]) -> None:
        """Find the limits; ``tops`` are known where scores serve all limits."""
        if self.part["given"]:
            own = self.detector.threshold
            found = [Boundary(threshold=own, lower=own, weight=0.0)] * len(self.targets)
        elif self.exact is not None:
            found = self.exact
        elif self.tops is not None:
            found = [boundary(self.tops, target) for target in self.targets]
        else:
            seeds = [self.seed(Split.TRAIN, i) for i in range(len(train))]
            found = calibrate_all(self.detector, train, self.targets, seeds)
        self.use(found)

    def use(self, found: Sequence[Boundary]) -> None:
        """Take these limits, those that the detector's own parameter can have."""
        self.limits = [within_range(self.detector, limit) for limit in found]

    def check_rate(self, i: int, signal: np.ndarray) -> None:
        """Count the alarms on a fresh long signal, resets and all, at the arl0 that tables are made for."""
        limit = self.limits[self._main]
        if limit.reason:
            return
        seed = self.seed(Split.VALIDATION, i)
        limited = with_threshold(self.detector, float(limit.draw(_coin(seed))))
        self._counts[self._main, i] = counted(limited, signal, np.random.default_rng(seed))

    def check(self, i: int, signal: np.ndarray) -> None:
        """Note the first alarm of each limit on a fresh signal; one pass where scores serve all limits."""
        usable = [row for row, limit in enumerate(self.limits) if not limit.reason]
        if not usable:
            return
        seed = self.seed(Split.VALIDATION, i)
        thresholds = [self.limits[row].draw(_coin(seed)) for row in usable]
        if self.detector.separable:
            places, values = records(self.detector.unlimited([signal], [np.random.default_rng(seed)])[0])
            for row, threshold in zip(usable, thresholds, strict=True):
                at = int(np.searchsorted(values, threshold, side="right"))
                if at < len(values):
                    self._first[row, i] = places[at] + 1.0
            return
        for row, threshold in zip(usable, thresholds, strict=True):
            limited = with_threshold(self.detector, float(threshold))
            self._first[row, i] = first_alarms(limited, [signal], [np.random.default_rng(seed)])[0]

    def result(self, ticks: int) -> FitResult:
        """Return the fit."""
        # in rows, whatever a tick is: H ticks of windows are not H rows
        rows, lag = _arrival(canonical_json(self.part["law"]))
        found = [
            None if limit.reason else attained(first * rows + lag, self.part["law"]["horizon"])
            for limit, first in zip(self.limits, self._first, strict=True)
        ]
        at = np.linspace(0, ticks, POINTS).round()
        seen = realised(self._counts, self._first, self.part["long_law"]["horizon"], ticks)
        result = _result(self.targets, self.limits, found, seen, self.part, exact=self.exact is not None)
        survival = np.array([(first[:, None] > at).mean(axis=0) for first in self._first])
        survival[[limit.reason != "" for limit in self.limits]] = math.nan
        result.arrays |= {"at": at, "survival": survival}
        return result


def informed(detector: Detector, laws: Sequence[Mapping[str, Any]] | None) -> Detector:
    """Return the detector with its known parameters filled in.

    Parameters
    ----------
    detector : Detector
        Any.
    laws : sequence of two mappings, or None
        Parameters of the laws before and after the change; None: it knows nothing.
    """
    if laws is None:
        return detector
    before, after = (law_of(law) for law in laws)
    ready: Detector = detector.informed(before, after)  # type: ignore[attr-defined]
    return ready


def within_range(detector: Detector, limit: Boundary) -> Boundary:
    """Return the limit, with a reason if the detector's own parameter cannot take its values."""
    if limit.reason:
        return limit
    try:
        for threshold in (limit.threshold, limit.lower):
            with_threshold(detector, threshold)
    except ConfigError as error:
        nan = math.nan
        reason = f"its limit would be out of range: {error.message}"
        return Boundary(threshold=nan, lower=nan, weight=nan, reason=reason)
    return limit


def highest(detector: Detector, signal: np.ndarray, seed: np.random.SeedSequence) -> float:
    """Return the highest score on a signal without a limit, -inf if it is never defined."""
    scores = detector.unlimited([signal], [np.random.default_rng(seed)])[0]
    defined = scores[~np.isnan(scores)]
    return float(defined.max()) if len(defined) else -math.inf


def _coin(seed: np.random.SeedSequence) -> np.random.Generator:
    """Return a generator for a boundary's choice, apart from the detector's own random numbers."""
    return np.random.default_rng(np.random.SeedSequence(seed.entropy, spawn_key=(*seed.spawn_key, 1)))


def with_threshold(detector: Detector, threshold: float) -> Detector:
    """Return the detector with a threshold, itself if it has that one or no limit to set."""
    return detector if threshold == detector.threshold else detector.limited(threshold)


def _result(
    targets: Sequence[float],
    limits: Sequence[Boundary],
    found: Sequence[Attained | None],
    seen: Mapping[str, Sequence[float]],
    part: Mapping[str, Any],
    exact: bool,
) -> FitResult:
    nan = math.nan
    rows: dict[str, list[float]] = {
        "arl0": list(part["arl0"]),
        "target": list(targets),
        "threshold": [limit.threshold for limit in limits],
        "lower": [limit.lower for limit in limits],
        "weight": [limit.weight for limit in limits],
        "share": [a.share.value if a else nan for a in found],
        "share_low": [a.share.low if a else nan for a in found],
        "share_high": [a.share.high if a else nan for a in found],
        "restricted_mean": [a.restricted_mean if a else nan for a in found],
        "censored": [a.censored if a else nan for a in found],
        "early": [a.early if a else nan for a in found],
        "met": [met(a, target, part, exact) if a else nan for a, target in zip(found, targets, strict=True)],
    }
    rows |= {
        name: [value if a else nan for value, a in zip(values, found, strict=True)]
        for name, values in seen.items()
    }
    if part["match"] == RATE and not part["given"]:
        rates = zip(rows["rate"], rows["rate_spread"], part["arl0"], strict=True)
        rows["met"] = [met_rate(rate, spread, arl0, part) for rate, spread, arl0 in rates]
    return FitResult(
        arrays={name: np.array(values, dtype=np.float64) for name, values in rows.items()},
        info={"reasons": [limit.reason for limit in limits]},
        attributes={"exact": exact},
    )


def met(found: Attained, target: float, part: Mapping[str, Any], exact: bool = False) -> float:
    """Say whether fresh signals show what was asked: 1 or 0.

    The limit was found from ``runs`` signals and is checked with ``checks`` others, so that the two shares
    differ by chance with the variance ``target (1 - target) (1 / runs + 1 / checks)``; more than three
    standard errors count as a miss. A limit that a user gave, or that was computed exactly, has no share of
    calibration.
    """
    calibrated = 0.0 if part["given"] or exact else 1.0 / part["runs"]
    error = math.sqrt(target * (1.0 - target) * (calibrated + 1.0 / part["checks"]))
    return float(abs(found.share.value - target) <= TOLERATED * error)


def met_rate(rate: float, spread: float, arl0: float, part: Mapping[str, Any]) -> float:
    """Say whether fresh long signals show the rate that was asked: 1 or 0, NaN where it was not measured.

    As in :func:`met`: three standard errors of the difference of two means over ``rate_runs`` signals each.
    The spread between signals is that of the fresh ones, and no less than that of Poisson's law.

    Examples
    --------
    >>> part = {"rate_runs": 100, "long_law": {"horizon": 10_000}}
    >>> met_rate(0.12, 0.1, 10_000, part), met_rate(0.2, 0.1, 10_000, part)
    (1.0, 0.0)
    """
    if math.isnan(rate):
        return math.nan
    asked = 1000.0 / arl0
    poisson = math.sqrt(asked * 1000.0 / part["long_law"]["horizon"])
    error = max(spread, poisson) * math.sqrt(2.0 / part["rate_runs"])
    return float(abs(rate - asked) <= TOLERATED * error)
