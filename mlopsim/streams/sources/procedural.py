"""Procedural streams: a family of scenarios, one per seed."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import numpy as np

from mlopsim.core.digest import canonical_json
from mlopsim.core.errors import ConfigError, nearest
from mlopsim.core.registry import register
from mlopsim.core.spec import make, part, split_spec
from mlopsim.core.track import Attribute
from mlopsim.streams.layout import Layout, branch
from mlopsim.streams.stream import Stream

CONCEPTS: list[Any] = [
    {"linear_gaussian": {"variants": 6, "d": 8}},
    {"linear_gaussian": {"variants": 6, "d": 8}},
    {"sea": {"thresholds": [5.0, 8.0, 11.0, 14.0]}},
    {"hyperplane": {"variants": 6, "d": 6, "low": -1.0}},
    {"rbf": {"variants": 6, "d": 6, "centroids": 6, "width": 0.6}},
    "sine",
]
SCHEDULES: list[Any] = ["abrupt", "gradual", "recurring", {"recurring": {"pool": 3}}]
DURATIONS: list[Any] = ["geometric", {"weibull": {"shape": 3.0}}, {"weibull": {"shape": 0.7}}]
VARY: dict[str, list[float]] = {
    "linear_gaussian.angle": [40.0, 140.0],
    "linear_gaussian.sigma": [0.1, 0.6],
    "linear_gaussian.move_inputs": [0.0, 2.5],
    "gradual.width": [2.0, 8.0],
    "recurring.width": [0.0, 4.0],
    "covariate.magnitude": [0.5, 1.5],
    "covariate.width": [0.0, 5.0],
}
KINDS = ("concept", "schedule", "duration", "shift")


@register("stream", "procedural")
@dataclass(kw_only=True)
class Procedural:
    """A family of synthetic streams of one size; every seed draws a member.

    Drawn independently and uniformly: concept, schedule and duration law from their lists (name one
    twice to make it likelier), mean duration, label noise, number of shifts and which, and every
    parameter named in ``vary``. The default is the benchmark's training family: abrupt, gradual and
    recurring changes of six concepts, in half of whose draws old concepts come back, and up to two
    covariate shifts, which change no label and so call for nothing.

    Parameters
    ----------
    windows, rows, warmup : int
        Number of windows T, rows a window, windows of history: the same for all members.
    concepts, schedules, durations : lists of specs
        What is drawn from. A schedule's own ``duration`` is replaced by what is drawn.
    shifts : list of specs of shifts
        What shifts are drawn from.
    shift_count : list of int
        Smallest and largest number of shifts.
    mean_duration : list of float
        Smallest and largest mean duration of a concept, in windows.
    noise : list of float
        Smallest and largest label noise.
    vary : dict of str to list of float
        ``component.parameter`` to its smallest and largest value, used where that component is drawn;
        whole numbers where the parameter is an int.
    bayes : bool, default False
        Whether to compute the Bayes accuracy of each row.

    Notes
    -----
    Use it for training scenarios: a policy that is trained on one stream learns that stream.

    Examples
    --------
    >>> family = Procedural()
    >>> stream = family.generate(np.random.SeedSequence(5))
    >>> stream.windows, len(stream.y), stream.warmup
    (120, 12000, 10)
    >>> sorted(family.draw(np.random.SeedSequence(5)))[:5]
    ['bayes', 'concept', 'noise', 'rows', 'schedule']
    """

    windows: int = 120
    rows: int = 100
    warmup: int = 10
    concepts: list[Any] = part("concept", CONCEPTS, many=True)
    schedules: list[Any] = part("schedule", SCHEDULES, many=True)
    durations: list[Any] = part("duration", DURATIONS, many=True)
    shifts: list[Any] = part("shift", ["covariate"], many=True)
    shift_count: list[int] = field(default_factory=lambda: [0, 2])
    mean_duration: list[float] = field(default_factory=lambda: [15.0, 40.0])
    noise: list[float] = field(default_factory=lambda: [0.0, 0.1])
    vary: dict[str, list[float]] = field(default_factory=lambda: {k: list(v) for k, v in VARY.items()})
    bayes: bool = False

    def __post_init__(self) -> None:
        Layout(windows=self.windows, rows=self.rows, warmup=self.warmup)
        for name in ("concepts", "schedules", "durations"):
            if not getattr(self, name):
                raise ConfigError(f"procedural.{name} is empty", remedy="name at least one")
        for name in ("shift_count", "mean_duration", "noise"):
            _check_span(f"procedural.{name}", getattr(self, name))
        if self.shift_count[0] < 0 or (self.shift_count[1] > 0 and not self.shifts):
            raise ConfigError(
                f"procedural.shift_count {self.shift_count} does not fit {len(self.shifts)} shift(s)",
                remedy="name a shift, or use shift_count=[0,0]",
            )
        for name, span in self.vary.items():
            _check_span(f"procedural.vary.{name}", span)
        self._check_members()

    def _check_members(self) -> None:
        """Build every part at both ends of its ranges, so that nothing fails when it is drawn."""
        used: set[str] = set()
        for kind in KINDS:
            for spec in getattr(self, f"{kind}s"):
                name, _ = split_spec(kind, spec)
                used |= {key for key in self.vary if key.partition(".")[0] == name}
                for end in (0, 1):
                    varied = {
                        key.partition(".")[2]: span[end]
                        for key, span in self.vary.items()
                        if key.partition(".")[0] == name
                    }
                    self._build(kind, spec, varied)
        unknown = [key for key in self.vary if key not in used and key not in VARY]
        if unknown:
            drawn = sorted(
                {split_spec(kind, spec)[0] for kind in KINDS for spec in getattr(self, f"{kind}s")}
            )
            raise ConfigError(
                f"procedural.vary names '{unknown[0]}'{nearest(unknown[0].partition('.')[0], drawn)}",
                remedy=f"component.parameter of one of {', '.join(drawn)}",
            )
        shifts = self.shifts if self.shift_count[1] > 0 else []
        _check_pairs(canonical_json([self.concepts, self.schedules, shifts]), self.windows, self.warmup)
        for end in (0, 1):
            make("stream", "synthetic", noise=float(self.noise[end]))
            for spec in self.durations:
                self._build("duration", spec, {"mean": self.mean_duration[end]})

    def _build(self, kind: str, spec: Any, varied: Mapping[str, float]) -> dict[str, Any]:
        """Return a spec with some parameters replaced, after building it once."""
        name, params = split_spec(kind, spec)
        types = {item.name: str(item.type) for item in dataclasses.fields(type(make(kind, spec)))}
        for key, value in varied.items():
            whole = types.get(key, "").split(" ")[0] == "int"
            params[key] = round(value) if whole else float(value)
        result = {name: params}
        make(kind, result)
        return result

    def _vary(self, kind: str, spec: Any, rng: np.random.Generator) -> dict[str, Any]:
        name, _ = split_spec(kind, spec)
        varied: dict[str, float] = {}
        for key in sorted(self.vary):
            component, _, parameter = key.partition(".")
            if component == name:
                low, high = self.vary[key]
                varied[parameter] = float(low + (high - low) * rng.random())
        return self._build(kind, spec, varied)

    def drift_free(self, rows: int) -> Procedural:
        """Return the family of the same laws without any change, with at least so many deployed rows.

        Examples
        --------
        >>> Procedural().drift_free(1000).windows
        20
        """
        return dataclasses.replace(
            self,
            windows=self.warmup + max(1, -(-rows // self.rows)),
            schedules=["none"],
            shift_count=[0, 0],
        )

    def facts(self) -> dict[str, Attribute]:
        """Return how its concepts change: the names of its schedules."""
        names = dict.fromkeys(make("schedule", schedule).name for schedule in self.schedules)
        return {"scenario": " or ".join(names)}

    def draw(self, seed: np.random.SeedSequence) -> dict[str, Any]:
        """Return the parameters of the synthetic stream that a seed draws.

        Parameters
        ----------
        seed : numpy.random.SeedSequence
            Of the scenario.

        Returns
        -------
        dict
            For ``make("stream", "synthetic", **parameters)``.
        """
        rng = np.random.default_rng(branch(seed, 0))

        def one(kind: str) -> Any:
            options = getattr(self, f"{kind}s")
            return options[int(rng.integers(len(options)))]

        concept = self._vary("concept", one("concept"), rng)
        duration = self._vary("duration", one("duration"), rng)
        next(iter(duration.values()))["mean"] = _uniform(self.mean_duration, rng)
        schedule = self._vary("schedule", one("schedule"), rng)
        next(iter(schedule.values()))["duration"] = duration
        count = int(rng.integers(self.shift_count[0], self.shift_count[1] + 1))
        shifts = [self._vary("shift", one("shift"), rng) for _ in range(count)]
        return {
            "windows": self.windows,
            "rows": self.rows,
            "warmup": self.warmup,
            "concept": concept,
            "schedule": schedule,
            "shifts": shifts,
            "noise": _uniform(self.noise, rng),
            "bayes": self.bayes,
        }

    def generate(self, seed: np.random.SeedSequence) -> Stream:
        """Draw a member of the family and its rows.

        Parameters
        ----------
        seed : numpy.random.SeedSequence
            Of the scenario; the same seed gives the same stream, to the bit.

        Returns
        -------
        Stream
            With all truth that :class:`~mlopsim.streams.sources.synthetic.Synthetic` gives.
        """
        source: Any = make("stream", "synthetic", **self.draw(seed))
        stream: Stream = source.generate(branch(seed, 1))
        return stream


@lru_cache(maxsize=256)
def _check_pairs(content: str, windows: int, warmup: int) -> None:
    """Try every concept with every schedule and shift, so that no drawn pair is impossible."""
    concepts, schedules, shifts = json.loads(content)
    layout = Layout(windows=windows, rows=1, warmup=warmup)
    for concept in (make("concept", spec) for spec in concepts):
        try:
            for schedule in schedules:
                make("schedule", schedule).plan(layout, concept.count, np.random.default_rng(0))
            for shift in shifts:
                make("shift", shift).check(concept)
        except ConfigError as error:
            raise ConfigError(
                f"procedural cannot draw {concept.full_name} with all schedules and shifts: {error}"
            ) from error


def _uniform(span: list[float], rng: np.random.Generator) -> float:
    return float(span[0] + (span[1] - span[0]) * rng.random())


def _check_span(where: str, span: Any) -> None:
    if not isinstance(span, list) or len(span) != 2 or not span[0] <= span[1]:
        raise ConfigError(f"{where} must be [smallest, largest], got {span!r}")
