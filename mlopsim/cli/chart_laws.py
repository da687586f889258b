"""What ``mlopsim arl`` and ``mlopsim calibrate`` share: words, laws, simulated run lengths."""

from __future__ import annotations

import contextlib
import dataclasses
import math
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import click

from mlopsim.core.errors import ConfigError, nearest
from mlopsim.core.spec import check_range
from mlopsim.drift.detector import Detector
from mlopsim.drift.law import Bernoulli, Law, Normal
from mlopsim.drift.run_length.exact import make_chart
from mlopsim.drift.signal import Known, SignalKind

#: sizes of the windows that detectors of inputs read, with their defaults
WINDOW = {"rows": 50, "features": 3}


@dataclass(frozen=True, kw_only=True)
class Words:
    """A detector, its law and the other ``key=value`` words of a command."""

    detector: Detector
    law: Law
    after: Law | None
    rest: dict[str, Any]
    window: tuple[int, ...] = ()

    @property
    def unit(self) -> str:
        """Name of a tick."""
        return "windows" if self.window else "ticks"

    @property
    def text(self) -> str:
        """The law in words."""
        return f"{self.law}" + (
            f", windows of {self.window[0]} rows x {self.window[1]}" if self.window else ""
        )

    def number(self, key: str, default: float, windows: float) -> float:
        """Return a number of the command; by default one for rows, or one for windows."""
        value = self.rest[key]
        return (windows if self.window else default) if value is None else float(value)

    def whole(self, key: str, default: int, windows: int) -> int:
        """Return a whole number of the command, at least 1."""
        value = self.number(key, default, windows)
        check_range(key, value, 1, 10**12)
        if value != int(value):
            raise ConfigError(f"{key} must be a whole number, got {value:g}", remedy=f"write {key}=1000")
        return int(value)


def read_words(name: str, words: Sequence[str], own: Mapping[str, Any]) -> Words:
    """Read ``key=value`` words: keys of the command (``own``, with defaults), of the law, of the detector.

    Raises
    ------
    ConfigError
        For a word without ``=``, a repeated key, or a value that does not fit.
    """
    from omegaconf import OmegaConf
    from omegaconf.errors import OmegaConfBaseException
    from yaml import YAMLError

    given: dict[str, Any] = {}
    for word in words:
        key, equals, value = word.partition("=")
        if not equals or not key:
            raise ConfigError(f"'{word}' is no setting", remedy="write key=value, e.g. limit=5")
        if not value:
            raise ConfigError(f"'{word}' has no value", remedy=f"write {key}=VALUE, or leave it out")
        if key in given:
            raise ConfigError(f"'{key}' is given twice", remedy="keep one of them")
        try:
            read: Any = OmegaConf.to_container(OmegaConf.from_dotlist([f"value={value}"]), resolve=True)
            given[key] = read["value"]
        except (OmegaConfBaseException, YAMLError, ValueError) as error:
            raise ConfigError(
                f"cannot read the value of '{word}'", remedy="write a number, a word, or [a, b] in quotes"
            ) from error
    rest = {key: _number(key, given.pop(key, default)) for key, default in own.items()}
    sizes = {key: given.pop(key) for key in WINDOW if key in given}
    kind = given.pop("law", None)
    p = given.pop("p", None)
    from mlopsim.core.registry import find

    cls = find("detector", name)
    if kind is None:
        kind = "bernoulli" if cls.reads is SignalKind.ERRORS or p is not None else "normal"
    if kind not in ("normal", "bernoulli"):
        raise ConfigError(f"unknown law '{kind}'{nearest(str(kind), ('normal', 'bernoulli'))}")
    window: tuple[int, ...] = ()
    if cls.reads is SignalKind.INPUTS:
        if kind != "normal" or p is not None:
            raise ConfigError(
                f"{cls.full_name} reads windows of inputs, which are normal here",
                remedy="leave law and p out; a suite calibrates it on data of any law",
            )
        window = tuple(_size(key, sizes.pop(key, default)) for key, default in WINDOW.items())
    elif sizes and not {field.name for field in dataclasses.fields(cls)} & set(sizes):
        raise ConfigError(
            f"{cls.full_name} reads rows, no windows: '{next(iter(sizes))}' has no effect",
            remedy="leave it out",
        )
    given |= sizes
    if kind == "normal" and cls.reads is SignalKind.ERRORS:
        raise ConfigError(f"{cls.full_name} reads errors", remedy="law=bernoulli p=0.1")
    if kind == "normal" and p is not None:
        raise ConfigError("a normal law has no p", remedy="law=bernoulli")
    if kind == "bernoulli" and p is None:
        p = given.get("p0", 0.1)
    law: Law = Bernoulli(p=float(_number("p", p))) if kind == "bernoulli" else Normal()
    detector = make_chart(name, **given)
    after = Bernoulli(p=float(given["p1"])) if "p1" in given else None
    return Words(detector=detector, law=law, after=after, rest=rest, window=window)


def _size(key: str, value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise ConfigError(f"{key} must be a whole number, got {value!r}", remedy=f"write {key}=50")
    check_range(key, value, 2 if key == "rows" else 1, 10**5)
    return value


def _number(key: str, value: Any) -> Any:
    if value is not None and (
        isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value)
    ):
        raise ConfigError(f"{key} must be a number, got {value!r}", remedy=f"write {key}=0.5 or the like")
    return value


def informed(words: Words, shift: float = 0.0) -> Detector:
    """Return the detector, with the law filled in if it knows anything beforehand."""
    chart: Any = words.detector
    if chart.known is Known.NOTHING or not hasattr(chart, "informed"):
        return words.detector
    if getattr(chart, "mean", None) is not None and chart.known is Known.P0:
        return words.detector
    if words.after is not None:
        ready: Detector = chart.informed(words.law, words.after)
        return ready
    if chart.known is Known.P0P1:
        return words.detector
    found: Detector = chart.informed(words.law)
    return found


def finite(value: float) -> float | None:
    """Return a number as JSON has it: nothing for what is undefined or infinite."""
    return value if math.isfinite(value) else None


@contextlib.contextmanager
def progress(length: int, what: str) -> Iterator[Iterable[int]]:
    """Show a bar over ``range(length)`` on the terminal, and none where the errors go elsewhere."""
    with click.progressbar(range(length), label=what, file=sys.stderr, hidden=not sys.stderr.isatty()) as bar:
        yield bar
