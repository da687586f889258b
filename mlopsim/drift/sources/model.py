"""What a deployed model shows: its errors, its outputs, the rows that it is given."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from functools import lru_cache
from typing import Any

import numpy as np

from mlopsim.core.digest import canonical_json
from mlopsim.core.errors import ConfigError, DataError, nearest
from mlopsim.core.registry import register
from mlopsim.core.seeds import Axis
from mlopsim.core.spec import canonical, check_range, make, part, part_of
from mlopsim.core.threads import one_thread
from mlopsim.core.track import Attribute
from mlopsim.drift.direction import directions
from mlopsim.drift.scenario import CHANNELS, Channel, Place, Scenario, check_channels
from mlopsim.drift.scenario import Source as Base
from mlopsim.drift.signal import Signal, output_of
from mlopsim.streams.stream import DriftKind, Stream
from mlopsim.world.build import build_world
from mlopsim.world.source import Source as Trained
from mlopsim.world.spec import WorldSpec


class Update(Enum):
    """Which model answers.

    ``frozen``: the one trained on the warm-up, for good. ``online``: retrained after every window of the
    stream, whatever any detector says.
    """

    FROZEN = "frozen"
    ONLINE = "online"


#: scenarios whose warm-ups drift-free signals of a real stream are drawn from
PREFIXES = 20


@register("signal", "model")
@dataclass(kw_only=True)
class Model(Base):
    """The task's learner on the task's stream, row by row, from the end of the warm-up on.

    ``errors``: 1 where the model was wrong. ``outputs``: its score of class 1, or of the likeliest class if
    there are more than two. ``inputs``: windows of encoded rows (:class:`mlopsim.learners.encode.Encoder`,
    fitted on the warm-up).

    Parameters
    ----------
    channels : list of str
        What the task offers, the preferred first; a task without labels has no ``errors``.
    update : Update, default frozen
        Which model answers.
    training : spec of a training policy
        What an online model is trained on.
    delay : int, default 0
        Rows until the label of a row is known: errors arrive so much later.
    window : int, default 100
        Rows in a window of inputs.
    harmless : list of str
        Kinds of DriftEvents (covariate, prior, subgroup, concept) that are declared to need no answer in this
        task: alarms on them are counted apart. What such a change does to the risk of the model is measured:
        ``harmless_risk`` of a scenario.
    block, folds : int
        Where the drift-free law of the stream is not known (real streams): longest blocks of the bootstrap of
        the warm-up, in rows, and contiguous folds that its errors are made with, each by a model that was not
        trained on them. A window of inputs is made of ten blocks at least, and rows that a stream shuffles
        are drawn one by one.

    Notes
    -----
    The warm-up of a real stream is short, and limits are no better than what it shows. Drift-free signals are
    resampled from the warm-ups of :data:`PREFIXES` scenarios of the split, so that they are checked on other
    rows than they were found on where scenarios differ (``shuffle``, ``thin``); a stream in its own order has
    one warm-up only, and the check then tells nothing new.

    Use it for what a detector meets in a deployment; the law of the errors is not known then, only simulated.

    Examples
    --------
    >>> stream = canonical("stream", {"synthetic": {"windows": 20, "concept": "sea", "schedule":
    ...     {"abrupt": {"order": [0, 3], "duration": {"fixed": {"mean": 5}}, "limit": 1}}}})
    >>> place = Place(stream=stream, learner=canonical("learner", "ridge"))
    >>> scenario = Model().scenario(place, "errors")
    >>> scenario.rows, scenario.harmful, scenario.risk_change > 0.05
    (1000, ((500, 500),), True)
    >>> Model().quiet(place, "inputs", 300).signal.data.shape
    (3, 100, 3)
    """

    reads_stream = True

    channels: list[str] = field(default_factory=lambda: ["errors", "inputs"])
    update: Update = Update.FROZEN
    training: Any = part("training", "last")
    delay: int = 0
    window: int = 100
    harmless: list[str] = field(default_factory=list)
    block: int = 100
    folds: int = 5

    def __post_init__(self) -> None:
        check_channels("signal/model.channels", self.channels)
        if self.update is Update.ONLINE and "outputs" in self.channels:
            raise ConfigError(
                "signal/model: outputs of an online model are outputs of many models",
                remedy="leave outputs out of its channels, or use update=frozen",
            )
        for name in ("window", "block"):
            check_range(f"signal/model.{name}", getattr(self, name), 1, 10**7)
        check_range("signal/model.delay", self.delay, 0, 10**9)
        check_range("signal/model.folds", self.folds, 2, 1000)
        make("training", self.training)
        known = [kind.value for kind in DriftKind]
        for name in self.harmless:
            if name not in known:
                raise ConfigError(
                    f"signal/model.harmless names '{name}'{nearest(name, known)}",
                    remedy=f"kinds of drift: {', '.join(known)}",
                )

    def offered(self) -> tuple[str, ...]:
        """Return the channels."""
        return tuple(self.channels)

    def facts(self) -> dict[str, Attribute]:
        """Return how late labels are, in rows, and which model answers."""
        return {"label_delay": self.delay, "update": self.update.value}

    def scenario(self, place: Place, channel: str) -> Scenario:
        """Draw the stream, train the model, look through the channel."""
        trained = self._trained(place)
        stream = trained.stream
        first, end = int(stream.bounds[stream.warmup]), int(stream.bounds[-1])
        ticks = self._ticks(trained, place, channel)
        # whatever is read, a change does to the model what it does
        errors = ticks if channel == "errors" else self._ticks(trained, place, "errors")
        frozen = errors if self.update is Update.FROZEN else _frozen_errors(trained)
        harmful, harmless = self._changes(stream, first, end)
        steps = _risk_steps(errors, (*harmful, *harmless))
        return Scenario(
            rows=end - first,
            channel=self._channel(ticks, channel),
            harmful=harmful,
            harmless=harmless,
            risk_change=_risk_change(errors, harmful + harmless),
            directions=directions(frozen, harmful, (*harmful, *harmless)),
            harmful_risk=steps[: len(harmful)],
            harmless_risk=steps[len(harmful) :],
        )

    def quiet(self, place: Place, channel: str, rows: int) -> Channel:
        """Draw rows of the drift-free law, or of a block bootstrap of the warm-up where it is not known."""
        part = _drift_free(place.stream, rows)
        if part is None:
            return self._bootstrap(place, channel, rows)
        quiet = Place(
            stream=part, learner=place.learner, split=place.split, index=place.index, root=place.root
        )
        trained = self._trained(quiet)
        ticks = self._ticks(trained, quiet, channel)
        return self._channel(ticks[: rows // self.window if channel == "inputs" else rows], channel)

    def null(
        self, stream: Mapping[str, Any], learner: Mapping[str, Any], channel: str, rows: int
    ) -> dict[str, Any]:
        """Return the drift-free stream, the learner and what of this component matters to the channel."""
        quiet = _drift_free(stream, rows)
        own: dict[str, Any] = {}
        if channel == "inputs":
            own["window"] = self.window
            learner = {}
        elif channel == "errors":
            own |= {"delay": self.delay, "update": self.update}
            if self.update is Update.ONLINE:
                own["training"] = self.training
        if quiet is None:
            own["block"] = self.block
            if channel != "inputs":
                own["folds"] = self.folds
        return {
            "signal": part_of(Model(**own)),
            "stream": _unchanged(stream) if quiet is None else dict(quiet),
            "learner": dict(learner),
        }

    # -- the ticks -------------------------------------------------------------------------------------

    def _spec(self, place: Place) -> WorldSpec:
        return WorldSpec(
            stream=dict(place.stream),
            # the law of the inputs names no learner: any does
            learner=dict(place.learner) or canonical("learner", "ridge"),
            training=canonical("training", self.training),
            split=place.split,
            index=place.index,
            root=place.root,
        )

    def _trained(self, place: Place) -> Trained:
        return Trained.of(self._spec(place))

    def _ticks(self, trained: Trained, place: Place, channel: str) -> np.ndarray:
        """Return errors (n,), outputs (n,) or inputs (T, window, d) of the monitored rows."""
        stream = trained.stream
        first, end = int(stream.bounds[stream.warmup]), int(stream.bounds[-1])
        if channel == "inputs":
            return self._windows(trained.encoded[first:end])
        if channel == "errors" and self.update is Update.ONLINE:
            world = build_world(self._spec(place))
            spans = range(stream.warmup, stream.windows)
            return np.concatenate([world.errors(t - 1, t) for t in spans]).astype(np.float64)
        if channel == "errors":
            return _frozen_errors(trained)
        with one_thread():
            return output_of(_warm_model(trained).scores(trained.encoded[first:end]))

    def _windows(self, rows: np.ndarray) -> np.ndarray:
        count = len(rows) // self.window
        if not count:
            raise DataError(
                f"{len(rows)} monitored rows make no window of {self.window}",
                remedy="use a longer stream or a smaller signal.window",
            )
        return rows[: count * self.window].reshape(count, self.window, rows.shape[1])

    def _channel(self, ticks: np.ndarray, channel: str) -> Channel:
        lag = self.delay if channel == "errors" else 0
        # the newest errors have not arrived at the end
        data = ticks[: len(ticks) - lag] if lag else ticks
        return Channel(
            signal=Signal(kind=CHANNELS[channel], data=data),
            rows=self.window if channel == "inputs" else 1,
            lag=lag,
        )

    def _changes(
        self, stream: Stream, first: int, end: int
    ) -> tuple[tuple[tuple[int, int], ...], tuple[tuple[int, int], ...]]:
        if stream.events is None:
            return (), ()
        found: dict[bool, list[tuple[int, int]]] = {True: [], False: []}
        for event in stream.events:
            if first <= event.start < end:
                span = event.start - first, min(event.end, end) - first
                found[event.kind.value in self.harmless].append(span)
        return tuple(found[False]), tuple(found[True])

    # -- the bootstrap of real streams -----------------------------------------------------------------

    def _bootstrap(self, place: Place, channel: str, rows: int) -> Channel:
        content = canonical_json([place.stream, place.learner])
        own = canonical_json(part_of(self))
        prefix = _prefix(own, content, place.split, place.index % PREFIXES, place.root)
        source = prefix[channel]
        block = 1 if _shuffled(content) else min(self.block, len(source))
        if channel == "inputs":
            # a window of few blocks would be one piece of the warm-up and vary far less than windows do
            block = max(1, min(block, self.window // 10))
        rng = np.random.default_rng(place.seed(Axis.CALIBRATION))
        starts = rng.integers(0, len(source) - block + 1, size=-(-rows // block))
        ticks = source[(starts[:, None] + np.arange(block)).ravel()[:rows]]
        return self._channel(self._windows(ticks) if channel == "inputs" else ticks, channel)


def _warm_model(trained: Trained) -> Any:
    """Return the model trained on the whole warm-up."""
    stream = trained.stream
    rows = slice(0, int(stream.bounds[stream.warmup]))
    with one_thread():
        return trained.learner.fit(
            trained.encoded[rows], stream.y[rows], stream.n_classes, trained.seed(trained.v0)
        )


def _frozen_errors(trained: Trained) -> np.ndarray:
    """Return where the model trained on the warm-up is wrong about the monitored rows, float64 (n,)."""
    stream = trained.stream
    first, end = int(stream.bounds[stream.warmup]), int(stream.bounds[-1])
    with one_thread():
        wrong: np.ndarray = _warm_model(trained).predict(trained.encoded[first:end]) != stream.y[first:end]
    return wrong.astype(np.float64)


def _risk_change(errors: np.ndarray, changes: tuple[tuple[int, int], ...]) -> float:
    start = min((a for a, _ in changes), default=0)
    if not 0 < start < len(errors):
        return math.nan
    return float(errors[start:].mean() - errors[:start].mean())


def _risk_steps(errors: np.ndarray, changes: tuple[tuple[int, int], ...]) -> tuple[float, ...]:
    """Return the mean error between each change and the next less that between the one before and it."""
    starts, stops = (np.sort(np.array([c[k] for c in changes], dtype=np.int64)) for k in (0, 1))
    found = []
    for start, end in changes:
        past = stops[stops < start]
        before = errors[past[-1] if len(past) else 0 : start]
        later = starts[starts > start]
        after = errors[end : later[0] if len(later) else len(errors)]
        known = len(before) and len(after)
        found.append(float(after.mean() - before.mean()) if known else math.nan)
    return tuple(found)


def _drift_free(stream: Mapping[str, Any], rows: int) -> dict[str, Any] | None:
    """Return the part of the drift-free stream with at least so many monitored rows, None if unknown."""
    content = canonical_json(stream)
    return _drift_free_of(content, rows)


def _unchanged(stream: Mapping[str, Any]) -> dict[str, Any]:
    """Return the part of a real stream without the change that was put into it: its warm-up is the same."""
    source = make("stream", stream)
    return dict(source.unchanged()) if hasattr(source, "unchanged") else dict(stream)


@lru_cache(maxsize=256)
def _drift_free_of(content: str, rows: int) -> dict[str, Any] | None:
    import json

    source = make("stream", json.loads(content))
    quiet = getattr(source, "drift_free", None)
    return None if quiet is None else part_of(quiet(rows))


@lru_cache(maxsize=16)
def _shuffled(content: str) -> bool:
    """Return whether the rows of a real stream come in a random order."""
    import json

    return bool(getattr(make("stream", json.loads(content)[0]), "shuffle", False))


@lru_cache(maxsize=2 * 20)
def _prefix(own: str, content: str, split: str, index: int, root: int) -> dict[str, np.ndarray]:
    """Return what the warm-up of a real stream shows: errors and outputs of models that did not see them."""
    import json

    component: Model = make("signal", json.loads(own))
    stream_part, learner = json.loads(content)
    place = Place(stream=stream_part, learner=learner, split=split, index=index, root=root)
    trained = component._trained(place)
    stream = trained.stream
    size = int(stream.bounds[stream.warmup])
    rows, y = trained.encoded[:size], stream.y[:size]
    errors, outputs = np.empty(size), np.empty(size)
    cuts = np.linspace(0, size, component.folds + 1).astype(np.int64)
    for number, (a, b) in enumerate(itertools.pairwise(cuts)):
        if a == b:
            raise DataError(
                f"a warm-up of {size} rows is too short for {component.folds} folds",
                remedy="use a longer warm-up or fewer signal.folds",
            )
        others = np.r_[0:a, b:size]
        seed = trained.seed(trained.v0)
        seed = np.random.SeedSequence(seed.entropy, spawn_key=(*seed.spawn_key, number))
        with one_thread():
            model = trained.learner.fit(rows[others], y[others], stream.n_classes, seed)
            errors[a:b] = model.predict(rows[a:b]) != y[a:b]
            outputs[a:b] = output_of(model.scores(rows[a:b]))
    return {"errors": errors, "outputs": outputs, "inputs": rows}
