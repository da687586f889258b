"""Signals that the contract checks show to a detector, and detectors ready to read them."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from mlopsim.checks.base import require
from mlopsim.core.errors import ConfigError
from mlopsim.core.spec import make
from mlopsim.drift.law import Bernoulli, Law, Normal
from mlopsim.drift.signal import SignalKind

#: rows and features of a window of inputs
ROWS, FEATURES = 20, 3
#: what the mechanical checks show: length, ticks at which the law changes and changes back
LENGTHS = {
    SignalKind.ERRORS: (700, 300, 500),
    SignalKind.CORRECT: (700, 300, 500),
    SignalKind.VALUES: (700, 300, 500),
    SignalKind.INPUTS: (34, 14, 24),
}


def rng(seed: int = 0) -> np.random.Generator:
    """Return a generator for a detector, no two checks sharing one."""
    return np.random.default_rng([11, seed])


def draw(kind: SignalKind, levels: np.ndarray, seed: int) -> np.ndarray:
    """Return a signal whose law follows ``levels`` (n,): 0 = before a change, 1 = after it.

    The error rate is .1, then .6 (accuracy: the reverse); values have mean 0, then 3, and the standard
    deviation 1; features have mean 0 and standard deviation 1, then 2 and 2.
    """
    source = np.random.default_rng([12, seed])
    n = len(levels)
    if kind is SignalKind.INPUTS:
        rows = source.normal(size=(n, ROWS, FEATURES))
        return np.asarray(rows * (1.0 + levels)[:, None, None] + 2.0 * levels[:, None, None])
    if kind is SignalKind.VALUES:
        return np.asarray(source.normal(size=n) + 3.0 * levels)
    errors = (source.random(n) < 0.1 + 0.5 * levels).astype(np.float64)
    return 1.0 - errors if kind is SignalKind.CORRECT else errors


def probe(kind: SignalKind, seed: int = 0) -> np.ndarray:
    """Return a signal with a change and a change back."""
    length, start, end = LENGTHS[kind]
    levels = np.zeros(length)
    levels[start:end] = 1.0
    return draw(kind, levels, seed)


def kinds(cls: type[Any]) -> list[SignalKind]:
    """Return the kinds of signal to show: of a control one of each shape."""
    if cls.control:
        return [SignalKind.VALUES, SignalKind.INPUTS]
    return list(cls.readable())


def ready(cls: type[Any], kind: SignalKind, **params: Any) -> Any:
    """Build a detector; what knows something beforehand knows the laws of the probes."""
    detector = make("detector", cls.name, **params)
    if hasattr(detector, "informed") and kind is not SignalKind.INPUTS:
        laws: tuple[Law, Law] = (Normal(), Normal(mean=3.0))
        if kind is not SignalKind.VALUES:
            laws = Bernoulli(p=0.1), Bernoulli(p=0.6)
        detector = detector.informed(*laws)
    return detector


def thresholds(detector: Any, data: np.ndarray) -> list[float]:
    """Return thresholds amid the scores of a signal that the detector can be limited to, low ones first.

    They lie between two scores, so that the rounding of a limit decides no alarm.
    """
    if not detector.limit:
        return []
    if detector.separable:
        score = detector.unlimited(data[None], [rng()])[0]
    else:
        score = detector.run(data, rng()).score
    found = np.unique(score[np.isfinite(score)])
    accepted, refusal = [], ""
    for share in (0.5, 0.75, 0.9, 0.97) if len(found) > 1 else ():
        place = int(share * (len(found) - 1))
        middle = float(0.5 * found[place] + 0.5 * found[place + 1])
        try:
            detector.limited(middle)
        except ConfigError as error:
            refusal = error.message
        else:
            accepted.append(middle)
    require(
        bool(accepted) or not refusal,
        f"limited() refuses every threshold amid the scores ({refusal})",
        remedy="limited(threshold) is the inverse of the property threshold",
    )
    return accepted


def strange(kind: SignalKind) -> Iterator[tuple[str, np.ndarray, bool]]:
    """Yield a name, a signal, and whether nothing changes in it."""
    window = () if kind is not SignalKind.INPUTS else (ROWS, FEATURES)
    length = 300 if kind is not SignalKind.INPUTS else 30
    yield "an empty signal", np.zeros((0, *window)), True
    yield "an empty list", np.zeros(0), True
    for ticks in (1, 2, 5):
        yield f"a signal of {ticks} tick(s)", probe(kind)[:ticks], False
    levels = [0.0, 1.0] if kind in (SignalKind.ERRORS, SignalKind.CORRECT) else [0.0, 0.1, -1e300, 1e-300]
    for level in levels:
        # rounding of a mean of huge values is huge, too: only the form of the answer is asked for
        yield f"a constant signal of {level:g}", np.full((length, *window), level), abs(level) <= 1.0
    if kind not in (SignalKind.ERRORS, SignalKind.CORRECT):
        signs = np.where(np.arange(length * math.prod(window)) % 3 == 0, 1.0, -1.0).reshape(length, *window)
        for size in (1e300, 1e-300):
            yield f"a signal that jumps between {size:g} and {-size:g}", size * signs, False
        jump = np.where(np.arange(length) < 2 * length // 3, 0.0, 1e300)
        step = np.broadcast_to(jump.reshape(-1, *(1 for _ in window)), (length, *window))
        yield "a constant signal that jumps to 1e300", step, False
    if kind is SignalKind.INPUTS:
        for shape in ((length, 1, FEATURES), (length, ROWS, 1), (length, 1, 1)):
            name = f"windows of {shape[1]} row(s) with {shape[2]} feature(s)"
            yield name, probe(kind)[:length, : shape[1], : shape[2]], False
            yield f"constant {name}", np.ones(shape), True


@dataclass(frozen=True, kw_only=True)
class Case:
    """A detector and a signal for it."""

    detector: Any
    kind: SignalKind
    data: np.ndarray


def cases(cls: type[Any], *, alarming: bool = True) -> Iterator[Case]:
    """Yield each kind of signal, with the default limit and with one that gives many alarms."""
    for kind in kinds(cls):
        data = probe(kind)
        detector = ready(cls, kind)
        yield Case(detector=detector, kind=kind, data=data)
        for threshold in thresholds(detector, data)[:1] if alarming else ():
            yield Case(detector=detector.limited(threshold), kind=kind, data=data)
