"""What ``mlopsim arl`` and ``mlopsim calibrate`` share: words, laws, simulated run lengths."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from mlopsim.core.errors import ConfigError, nearest
from mlopsim.core.seeds import Axis, Split, seed_sequence
from mlopsim.drift.detector import Detector
from mlopsim.drift.law import Bernoulli, Law, Normal
from mlopsim.drift.runlength import make_chart
from mlopsim.drift.signal import SignalKind, Told


@dataclass(frozen=True, kw_only=True)
class Words:
    """A detector, its law and the other ``key=value`` words of a command."""

    detector: Detector
    law: Law
    after: Law | None
    rest: dict[str, Any]


def read_words(name: str, words: Sequence[str], own: Mapping[str, Any]) -> Words:
    """Read ``key=value`` words: keys of the command (``own``, with defaults), of the law, of the detector.

    Raises
    ------
    ConfigError
        For a word without ``=``, a repeated key, or a value that does not fit.
    """
    from omegaconf import OmegaConf

    given: dict[str, Any] = {}
    for word in words:
        key, equals, value = word.partition("=")
        if not equals:
            raise ConfigError(f"'{word}' is no setting", remedy="write key=value, e.g. h=5")
        if key in given:
            raise ConfigError(f"'{key}' is given twice", remedy="keep one of them")
        given[key] = OmegaConf.from_dotlist([f"value={value}"])["value"]
    rest = {key: _number(key, given.pop(key, default)) for key, default in own.items()}
    kind = given.pop("law", None)
    p = given.pop("p", None)
    from mlopsim.core.registry import find

    cls = find("detector", name)
    if kind is None:
        kind = "bernoulli" if cls.reads is SignalKind.ERRORS or p is not None else "normal"
    if kind not in ("normal", "bernoulli"):
        raise ConfigError(f"unknown law '{kind}'{nearest(str(kind), ('normal', 'bernoulli'))}")
    if cls.reads is SignalKind.INPUTS:
        raise ConfigError(f"{cls.full_name} reads windows of inputs", remedy="calibrate it in a suite")
    if kind == "normal" and cls.reads is SignalKind.ERRORS:
        raise ConfigError(f"{cls.full_name} reads errors", remedy="law=bernoulli p=0.1")
    if kind == "normal" and p is not None:
        raise ConfigError("a normal law has no p", remedy="law=bernoulli")
    if kind == "bernoulli" and p is None:
        p = given.get("p0", 0.1)
    law: Law = Bernoulli(p=float(_number("p", p))) if kind == "bernoulli" else Normal()
    detector = make_chart(name, **given)
    after = Bernoulli(p=float(given["p1"])) if "p1" in given else None
    return Words(detector=detector, law=law, after=after, rest=rest)


def _number(key: str, value: Any) -> Any:
    if value is not None and (isinstance(value, bool) or not isinstance(value, int | float)):
        raise ConfigError(f"{key} must be a number, got {value!r}")
    return value


def informed(words: Words, shift: float = 0.0) -> Detector:
    """Return the detector, told the law if it is to be told anything."""
    chart: Any = words.detector
    if chart.is_told is Told.NOTHING or not hasattr(chart, "informed"):
        return words.detector
    if getattr(chart, "mean", None) is not None and chart.is_told is Told.P0:
        return words.detector
    if words.after is not None:
        ready: Detector = chart.informed(words.law, words.after)
        return ready
    if chart.is_told is Told.P0P1:
        return words.detector
    told: Detector = chart.informed(words.law)
    return told


def quiet_signals(law: Law, runs: int, ticks: int, split: Split = Split.TRAIN) -> list[np.ndarray]:
    """Draw signals of a law, each from a seed of its own."""
    return [
        law.sample(np.random.default_rng(seed_sequence(Axis.CALIBRATION, split, i)), ticks)
        for i in range(runs)
    ]


def finite(value: float) -> float | None:
    """Return a number as JSON has it: nothing for what is undefined or infinite."""
    return value if math.isfinite(value) else None
