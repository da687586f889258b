"""Contract checks of detectors: run by ``mlopsim check`` and the test-suite alike."""

from __future__ import annotations

import dataclasses
import itertools
import math
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

from mlopsim.checks.base import Check, identical, own_randomness, require
from mlopsim.checks.detector_probes import (
    FEATURES,
    ROWS,
    cases,
    draw,
    kinds,
    probe,
    ready,
    rng,
    strange,
    thresholds,
)
from mlopsim.core.errors import ConfigError, DataError
from mlopsim.core.spec import make
from mlopsim.drift.control import Control
from mlopsim.drift.detector import Detector, Run
from mlopsim.drift.signal import Known, Side, Signal, SignalKind
from mlopsim.drift.windowed import Windowed

#: signals that reactions are judged by, and ticks before and after the change
SEEDS, BEFORE, AFTER = 5, {SignalKind.INPUTS: 20}, {SignalKind.INPUTS: 12}
#: relative error of a threshold that went through a limit and back
CLOSE = 1e-9


def _form(cls: type[Any]) -> None:
    require(issubclass(cls, Detector), "is no Detector", remedy="derive from mlopsim.drift.detector.Detector")
    require(isinstance(cls.reads, SignalKind), f"reads is {cls.reads!r}", remedy="a SignalKind")
    require(
        isinstance(cls.family, str) and cls.family != "",
        f"family is {cls.family!r}",
        remedy="say in a word or two what kind of detector it is: chart, distance, ...",
    )
    require(
        not cls.pictured or issubclass(cls, Windowed),
        "pictured = True, but it compares no windows with a reference",
        remedy="remove it, or derive from mlopsim.drift.windowed.Windowed",
    )
    if cls.control:
        _control(cls)
    names = [field.name for field in dataclasses.fields(cls) if field.init]
    require(
        cls.limit in (*names, ""),
        f"limit names '{cls.limit}', which is no parameter",
        remedy="name the parameter that calibration sets, or '' if there is none",
    )
    for case in cases(cls, alarming=False):
        detector = case.detector
        require(isinstance(detector.sides, Side), f"sides is {detector.sides!r}", remedy="a Side")
        require(isinstance(detector.known, Known), f"known is {detector.known!r}", remedy="return a Known")
        _formed(detector.run(case.data, rng()), len(case.data))


def _control(cls: type[Any]) -> None:
    require(
        issubclass(cls, Control),
        "says control = True, but is no Control",
        remedy="derive it from mlopsim.drift.control.Control",
    )
    require(
        type(cls.always_listed) is bool, f"always_listed is {cls.always_listed!r}", remedy="True or False"
    )
    require(cls.bound in ("", "lower", "upper"), f"bound is {cls.bound!r}", remedy="lower, upper or ''")
    if cls.by_rate:
        found = make("detector", cls.name).at_rate(500.0, 10, rng())
        require(type(found) is cls, f"at_rate() returns a {type(found).__name__}")


def _formed(run: Run, ticks: int) -> None:
    for what, array, dtype in (("score", run.score, np.float64), ("alarms", run.alarms, np.int64)):
        require(
            isinstance(array, np.ndarray) and array.dtype == dtype and array.ndim == 1,
            f"{what} is no array (n,) of {np.dtype(dtype)}",
        )
    require(len(run.score) == ticks, f"{len(run.score)} scores for {ticks} ticks")


def _alarm(cls: type[Any]) -> None:
    for case in cases(cls):
        run = case.detector.run(case.data, rng())
        over = np.flatnonzero(run.score > case.detector.threshold)
        wrong = np.setxor1d(over, run.alarms)
        require(
            len(wrong) == 0 and identical(over, run.alarms),
            f"alarm and score disagree at tick {wrong[0]}" if len(wrong) else "alarms are not in order",
            remedy="an alarm is where score > threshold, strictly, and nowhere else",
        )


def _streamed(detector: Any, data: np.ndarray) -> Run:
    """Return what the streaming form gives from the current state on."""
    score, alarms = np.empty(len(data)), []
    for i, tick in enumerate(data):
        if detector.update(tick):
            alarms.append(i)
        score[i] = detector.statistic
    return Run(score=score, alarms=np.array(alarms, dtype=np.int64))


def _chunked(detector: Any, data: np.ndarray, cuts: list[int]) -> Run:
    ends = [0, *cuts, len(data)]
    runs = [detector.advance(data[start:end]) for start, end in itertools.pairwise(ends)]
    return Run(
        score=np.concatenate([run.score for run in runs]),
        alarms=np.concatenate([run.alarms + end for run, end in zip(runs, ends, strict=False)]),
    )


def _mixed(detector: Detector, data: np.ndarray, cuts: list[int]) -> tuple[np.ndarray, np.ndarray]:
    """Return the alarms where the first tick of each chunk comes alone, and the score after each chunk."""
    alarms, told = [], []
    for start, end in itertools.pairwise([0, *cuts, len(data)]):
        if start < end and detector.update(data[start]):
            alarms.append(start)
        alarms += (detector.update_many(data[start + 1 : end]) + start + 1).tolist()
        told.append(detector.statistic)
    return np.array(alarms, dtype=np.int64), np.array(told)


def _chunks(cls: type[Any]) -> None:
    remedy = "update, score and alarms must be the same computation; keep all state between calls"
    for case in cases(cls):
        detector, data = case.detector, case.data
        whole = detector.run(data, rng())
        detector.reset(rng())
        _same(whole, _streamed(detector, data), "tick by tick it gives", "in one call", remedy)
        require(
            identical(whole.score, detector.score(data, rng()))
            and identical(whole.alarms, detector.alarms(data, rng())),
            "score() or alarms() differ from run()",
            remedy=remedy,
        )
        for seed in range(3):
            source = np.random.default_rng(seed)
            cuts = sorted(source.integers(0, len(data) + 1, size=int(source.integers(1, 12))).tolist())
            detector.reset(rng())
            found = _chunked(detector, data, cuts)
            _same(whole, found, f"in chunks (cut at {cuts}) it gives", "in one call", remedy)
            detector.reset(rng())
            alarms, told = _mixed(detector, data, cuts)
            last = [end - 1 for end in (*cuts, len(data)) if end > 0]
            require(
                identical(whole.alarms, alarms)
                and identical(whole.score[last], told[len(told) - len(last) :]),
                f"single ticks between chunks (cut at {cuts}) give other results than one call",
                remedy=remedy,
            )


def _same(wanted: Run, found: Run, what: str, against: str, remedy: str) -> None:
    if identical(wanted, found):
        return
    differ = ~((wanted.score == found.score) | (np.isnan(wanted.score) & np.isnan(found.score)))
    place = f"; the first score that differs is that of tick {differ.argmax()}" if differ.any() else ""
    require(False, f"{what} other results than {against}{place}", remedy=remedy)


def _instances(cls: type[Any]) -> None:
    for case in cases(cls):
        other = probe(case.kind, seed=1)
        one, two = dataclasses.replace(case.detector), dataclasses.replace(case.detector)
        one.reset(rng())
        alone = _streamed(one, case.data)
        one.reset(rng())
        two.reset(rng(1))
        score = np.empty(len(other))
        for i, (x, y) in enumerate(zip(case.data, other, strict=True)):
            one.update(x)
            score[i] = one.statistic
            two.update(y)
        require(
            identical(alone.score, score),
            "its scores change when another instance reads another signal meanwhile",
            remedy="keep state in self, set in restart(); a class attribute is shared by all instances",
        )


def _reset(cls: type[Any]) -> None:
    remedy = "restart() must set all state; only self.rng goes on after an alarm"
    for case in cases(cls):
        other = probe(case.kind, seed=1)
        wanted = dataclasses.replace(case.detector).run(case.data, rng())
        used = case.detector
        used.run(other, rng(1))
        found = used.run(case.data, rng())
        _same(wanted, found, "after another signal and a reset it gives", "a new instance", remedy)
        for tick in other[: len(other) // 3]:
            used.update(tick)
        used.reset(rng())
        _same(wanted, _streamed(used, case.data), "reset midway it gives", "a new instance", remedy)


def _causal(cls: type[Any]) -> None:
    for case in cases(cls):
        wanted = case.detector.run(case.data, rng())
        for share in (0.3, 0.6, 0.9):
            cut = int(share * len(case.data))
            fork = np.concatenate([case.data[:cut], probe(case.kind, seed=1)[cut:][::-1]])
            found = case.detector.run(fork, rng())
            require(
                identical(wanted.score[:cut], found.score[:cut])
                and identical(wanted.alarms[wanted.alarms < cut], found.alarms[found.alarms < cut]),
                f"scores before tick {cut} change with the ticks from {cut} on: it looks ahead",
                remedy="the score after a tick may depend on that tick and those before it",
            )


def _randomness(cls: type[Any]) -> None:
    for case in cases(cls):
        with own_randomness():
            one, again = case.detector.run(case.data, rng()), case.detector.run(case.data, rng())
        _same(one, again, "with an equal generator it gives", "before", "draw from self.rng only")
        others = [case.detector.run(case.data, rng(seed)) for seed in (1, 2)]
        if not cls.random:
            for other in others:
                _same(one, other, "with another generator it gives", "before", "set random = True")
    if cls.random:
        require(
            not all(identical(one.score, other.score) for other in others),
            "says random = True, but gives the same scores with every generator",
            remedy="draw from self.rng, or remove random",
        )


def _refused(call: Callable[[Any], Any], given: Any, what: str) -> None:
    try:
        call(given)
    except DataError:
        return
    except Exception as error:  # noqa: BLE001 - whatever a third party's code raises is reported
        require(False, f"{what} raises {type(error).__name__}, not DataError: {error}")
    require(False, f"{what} is accepted", remedy="leave run, update and ticks_of as they are: they check it")


def _bad_values(cls: type[Any]) -> None:
    for case in cases(cls, alarming=False):
        detector, data = case.detector, case.data
        wanted = detector.run(data, rng())
        half = len(data) // 2
        for value in (np.nan, np.inf, -np.inf):
            bad = data.copy()
            bad.reshape(len(bad), -1)[half, -1] = value
            _refused(detector.run, bad, f"a signal with {value}")
            detector.reset(rng())
            first = _streamed(detector, data[:half])
            _refused(detector.update, bad[half], f"a tick of {value}")
            rest = _streamed(detector, data[half:])
            require(
                identical(wanted.score, np.concatenate([first.score, rest.score])),
                f"a tick of {value} is refused, but changes what comes after it",
            )
        _refused(detector.run, data[:, None, None, None], "a signal of four dimensions or more")
    if cls.control:
        return
    if cls.reads is SignalKind.INPUTS:
        _refused(detector.run, np.zeros(50), "a signal of numbers in place of windows")
        _refused(detector.run, np.zeros((50, 0, 3)), "a signal of windows without rows")
        return
    _refused(detector.run, np.zeros((50, ROWS, FEATURES)), "a signal of windows")
    correct = Signal(kind=SignalKind.CORRECT, data=1.0 - probe(SignalKind.ERRORS))
    _refused(detector.run, correct, "accuracy in place of errors")
    if cls.reads is SignalKind.ERRORS:
        _refused(detector.run, np.full(50, 0.5), "an error of 0.5")


def _degenerate(cls: type[Any]) -> None:
    for kind in kinds(cls):
        detector = ready(cls, kind)
        for name, data, constant in strange(kind):
            try:
                with warnings.catch_warnings(), np.errstate(over="warn", divide="warn", invalid="warn"):
                    warnings.simplefilter("error")
                    run = detector.run(data, rng())
            except Exception as error:  # noqa: BLE001 - whatever a third party's code raises is reported
                require(False, f"{name}: {type(error).__name__}: {error}", remedy="answer NaN, not an error")
            _formed(run, len(data))
            require(
                identical(run.alarms, np.flatnonzero(run.score > detector.threshold)),
                f"{name}: alarms are not where the score exceeds the threshold",
            )
            if constant and not cls.control and detector.known is Known.NOTHING:
                require(len(run.alarms) == 0, f"{name}: {len(run.alarms)} alarm(s), but nothing changes")


def _separable(cls: type[Any]) -> None:
    if not cls.separable:
        return
    for case in cases(cls, alarming=False):
        free = case.detector.unlimited(case.data[None], [rng()])[0]
        limits = [case.detector, *map(case.detector.limited, thresholds(case.detector, case.data))]
        for detector in limits:
            run = detector.run(case.data, rng())
            last = int(run.alarms[0]) + 1 if len(run.alarms) else len(free)
            require(
                identical(run.score[:last], free[:last]),
                f"with the threshold {detector.threshold:g} the scores up to the first alarm are not those "
                "without a limit",
                remedy="separable = False, or a score that does not depend on the limit",
            )


def _limit(cls: type[Any]) -> None:
    for case in cases(cls, alarming=False):
        detector, before = case.detector, case.detector.threshold
        answers: list[tuple[float, tuple[bool, float, float]]] = []
        if not cls.limit:
            try:
                detector.limited(0.5)
            except ConfigError:
                continue
            require(False, "has no limit, but limited() returns something", remedy="name the limit")
        for threshold in (before, *thresholds(detector, case.data)):
            limited = detector.limited(threshold)
            require(type(limited) is cls, f"limited() returns a {type(limited).__name__}")
            again = limited.limited(limited.threshold).threshold
            close = math.isclose(again, limited.threshold, rel_tol=CLOSE, abs_tol=CLOSE)
            require(
                close or again == limited.threshold,
                f"a threshold of {limited.threshold:g} becomes {again:g} when it is set",
                remedy="limited(threshold) is the inverse of the property threshold",
            )
            run = limited.run(case.data, rng())
            answers.append((limited.threshold, limited.certain(case.data, rng())))
            require(
                answers[-1][1][0] == (len(run.alarms) > 0),
                f"certain() and run() disagree whether limited({threshold:g}) has an alarm",
                remedy="certain() tells whether alarms() finds any",
            )
            if cls.separable and threshold != before:
                free = detector.unlimited(case.data[None], [rng()])[0]
                require(
                    identical(np.flatnonzero(free > threshold)[:1], run.alarms[:1]),
                    f"limited({threshold:g}) does not alarm where the score first exceeds {threshold:g}",
                    remedy="limited(threshold) is the inverse of the property threshold",
                )
        for (one, (alarm, low, high)), (other, (found, _, _)) in itertools.permutations(answers, 2):
            require(
                low <= one <= high and (alarm == found or not low <= other <= high),
                f"certain() says that from {low:g} to {high:g} all is as at {one:g}; at {other:g} it is not",
                remedy="answer for the threshold itself only: alarm, threshold, threshold",
            )
        require(detector.threshold == before, "limited() changes the detector itself")


def _reaction(detector: Any, before: float, after: float, kind: SignalKind) -> float:
    """Return the median over signals of the highest score after a change (not separable: of the alarms)."""
    start, end = BEFORE.get(kind, 500), AFTER.get(kind, 500)
    found = []
    for seed in range(SEEDS):
        data = draw(kind, np.repeat([before, after], [start, end]), seed)
        if detector.separable:
            score = detector.unlimited(data[None], [rng(seed)])[0, start:]
            found.append(float(np.max(score[~np.isnan(score)], initial=-np.inf)))
        else:
            found.append(float((detector.run(data, rng(seed)).alarms >= start).sum()))
    return float(np.median(found))


def _polarity(cls: type[Any]) -> None:
    if cls.control:
        return
    kind = cls.reads
    detector = ready(cls, kind)
    what = {SignalKind.ERRORS: "error rate", SignalKind.INPUTS: "spread of the inputs"}.get(kind, "mean")
    up, down = _reaction(detector, 0.0, 1.0, kind), _reaction(detector, 1.0, 0.0, kind)
    calm, high = _reaction(detector, 0.0, 0.0, kind), _reaction(detector, 1.0, 1.0, kind)
    remedy = "a higher score means more change; of errors, 1 = the model was wrong"
    numbers = f"(rise {up:.4g}, fall {down:.4g}, neither {calm:.4g} and {high:.4g})"
    side = detector.sides
    # what knows the law before the change takes a signal that begins otherwise for a change
    if side is not Side.BOTH and detector.known is Known.NOTHING:
        seen, ignored = (up, down) if side is Side.UP else (down, up)
        name = "rise" if side is Side.UP else "fall"
        require(
            seen > ignored,
            f"looks for a {name} of the {what}, but reacts to the opposite at least as much {numbers}",
            remedy=remedy,
        )
    if side is not Side.DOWN:
        require(up > calm, f"does not react to a rise of the {what} {numbers}", remedy=remedy)
    if (side is Side.BOTH and detector.known is Known.NOTHING) or side is Side.DOWN:
        require(down > high, f"does not react to a fall of the {what} {numbers}", remedy=remedy)


def _varies(cls: type[Any]) -> None:
    found = []
    for case in cases(cls, alarming=False):
        detector = case.detector
        if cls.separable:
            score = detector.unlimited(case.data[None], [rng()])[0]
        else:
            score = detector.run(case.data, rng()).score
        found.append(score[~np.isnan(score)])
    values = np.concatenate(found)
    require(len(values) > 0, "never gives a score: all are NaN")
    require(
        cls.control or bool((values != values[0]).any()),
        f"its score is {values[0]:g} whatever the signal",
        remedy="return the statistic, not a constant; a control says so by control = True",
    )


def _keeps_input(cls: type[Any]) -> None:
    for case in cases(cls):
        for what, call in (
            ("run", lambda case=case: case.detector.run(case.data, rng())),
            ("update", lambda case=case: _streamed(case.detector, case.data)),
            ("unlimited", lambda case=case: case.detector.unlimited(case.data[None], [rng()])),
        ):
            if what == "unlimited" and not cls.separable:
                continue
            before = case.data.copy()
            call()
            require(
                identical(before, case.data),
                f"{what}() changes the signal that it reads",
                remedy="copy a tick before writing into it",
            )


CHECKS = [
    Check(name="form", text="says what it reads; one float score a tick, alarms as ticks", run=_form),
    Check(name="alarm", text="alarms exactly where the score exceeds the threshold", run=_alarm),
    Check(name="chunks", text="ticks, chunks and the whole signal give the same", run=_chunks),
    Check(name="instances", text="instances share no state", run=_instances),
    Check(name="reset", text="after a reset it is like new", run=_reset),
    Check(name="causal", text="scores do not depend on what comes later", run=_causal),
    Check(name="randomness", text="draws from its own generator, if at all", run=_randomness),
    Check(name="bad values", text="refuses what is no such signal, and is none the worse", run=_bad_values),
    Check(name="degenerate", text="answers empty, short, constant and huge signals", run=_degenerate),
    Check(name="separable", text="separable is true to its word", run=_separable),
    Check(name="limit", text="a threshold can be set, and is what the score must exceed", run=_limit),
    Check(name="polarity", text="reacts to the changes that it looks for", run=_polarity),
    Check(name="constant score", text="the score follows the signal", run=_varies),
    Check(name="input", text="leaves the signal as it is", run=_keeps_input),
]
