"""Contract checks of streams and of what synthetic streams are made of.

A stream whose data are not on this machine is only checked in form, by the general checks: nothing is
fetched for that. A stream that is the same for every seed says so by a class attribute ``fixed = True``.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from mlopsim.checks.base import Check, identical, own_randomness, require
from mlopsim.checks.bias import bias
from mlopsim.checks.injector import injector, mechanism, timing
from mlopsim.core.errors import DataError, MissingExtraError, MlopsimError
from mlopsim.core.spec import make
from mlopsim.streams.concepts.base import Law
from mlopsim.streams.layout import Layout
from mlopsim.streams.sources.base import TableStream
from mlopsim.streams.stream import DriftEvent, DriftKind, Stream

LAYOUT = Layout(windows=150, rows=12, warmup=15)


def _generator(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def _repeats(what: str, draw: Callable[[int], Any], *, varies: bool = True) -> Any:
    """Call twice with seed 0 and, if it varies, with others; return the first result."""
    with own_randomness():
        one, again = draw(0), draw(0)
    require(
        identical(one, again),
        f"{what} differs although the seed is the same",
        remedy="take all randomness from what is given, and keep no state from call to call",
    )
    if varies:
        require(
            not all(identical(one, draw(seed)) for seed in (1, 2, 3)),
            f"{what} is the same for every seed",
        )
    return one


# -- concepts ----------------------------------------------------------------------------------------


def _concept(cls: type[Any], seed: int = 0) -> Any:
    concept = make("concept", cls.name)
    concept.reset(_generator(seed))
    return concept


def _concept_rows(cls: type[Any]) -> None:
    concept = _concept(cls)
    require(isinstance(concept.count, int) and concept.count >= 1, f"count is {concept.count!r}")
    d, classes = len(concept.features), len(concept.classes)
    require(d >= 1 and classes >= 2, f"{d} features, {classes} classes")
    for law in (Law.of(0, 60), Law.of(np.arange(60) % concept.count)):
        before = law.a.copy(), law.b.copy(), law.w.copy()
        X, y = concept.sample(law, _generator())
        require(identical(before, (law.a, law.b, law.w)), "changes the law that it is given")
        require(
            X.dtype == np.float64 and X.shape == (60, d) and bool(np.isfinite(X).all()),
            f"inputs are {X.dtype} of shape {X.shape}, expected finite float64 of shape (60, {d})",
        )
        require(
            y.dtype == np.int64 and y.shape == (60,) and 0 <= y.min() <= y.max() < classes,
            f"labels are {y.dtype} {y.shape} in {y.min()}..{y.max()}, expected int64 in 0..{classes - 1}",
        )
        for feature, names in concept.categories.items():
            codes = X[:, feature]
            require(
                bool((codes == codes.round()).all()) and 0 <= codes.min() <= codes.max() < len(names),
                f"the categorical feature {feature} holds more than its codes",
            )
        _concept_posterior(concept, X, law)


def _concept_posterior(concept: Any, X: np.ndarray, law: Law) -> None:
    copy = X.copy()
    rule, posterior = concept.rule(X, law), concept.posterior(X, law)
    require(identical(copy, X), "rule() or posterior() changes the inputs")
    shape = (len(X), len(concept.classes))
    require(
        posterior.shape == shape and bool((posterior >= 0).all()),
        f"posterior() has the shape {posterior.shape}, expected {shape} without negative numbers",
    )
    require(bool(np.allclose(posterior.sum(axis=1), 1.0, atol=1e-9)), "probabilities do not add up to 1")
    own = posterior[np.arange(len(X)), rule]
    require(bool((own >= posterior.max(axis=1) - 1e-9).all()), "rule() is not the likeliest label")
    if not concept.noisy:
        require(
            bool((concept.labels(X, law, _generator(3)) == rule).all()),
            "labels are not those of rule(), although noisy is False",
        )


def _concept_repeats(cls: type[Any]) -> None:
    def draw(seed: int) -> Any:
        concept = make("concept", cls.name)
        concept.reset(_generator(seed))
        return concept.sample(Law.of(np.arange(40) % concept.count), _generator(seed + 100))

    _repeats("a sample", draw)
    concept = _concept(cls)
    first = concept.sample(Law.of(0, 30), _generator(7))
    concept.sample(Law.of(concept.count - 1, 30), _generator(8))
    require(
        identical(first, concept.sample(Law.of(0, 30), _generator(7))),
        "a sample depends on what was sampled before",
    )
    concept.reset(_generator(9))
    concept.reset(_generator(0))
    require(
        identical(first, concept.sample(Law.of(0, 30), _generator(7))), "reset() does not reset everything"
    )


def _concept_laws(cls: type[Any]) -> None:
    concept = _concept(cls)
    classes = len(concept.classes)
    for variant in range(concept.count):
        accuracy = concept.bayes_accuracy(variant)
        require(
            bool(np.isnan(accuracy)) or 1.0 / classes - 1e-9 <= accuracy <= 1.0 + 1e-9,
            f"the Bayes accuracy of variant {variant} is {accuracy}",
        )
    if concept.count > 1:
        distance = concept.distance(0, 1, _generator())
        require(0.0 <= distance <= 1.0, f"the distance of two variants is {distance}")
        between = Law(np.zeros(8, np.int64), np.ones(8, np.int64), np.linspace(0.1, 0.9, 8))
        if concept.interpolates:
            concept.check(between)
            X, _ = concept.sample(between, _generator())
            require(bool(np.isfinite(X).all()), "rows between two variants are not finite")
        else:
            _refused(lambda: concept.check(between), "accepts a law between two variants, but has none")
    _refused(lambda: concept.check(Law.of(concept.count, 3)), "accepts a variant that does not exist")


def _refused(action: Callable[[], Any], message: str) -> None:
    try:
        action()
    except MlopsimError:
        return
    require(False, message, remedy="raise ConfigError")


# -- schedules, durations, shifts --------------------------------------------------------------------


def _schedule(cls: type[Any]) -> None:
    def draw(seed: int) -> Any:
        plan = make("schedule", cls.name).plan(LAYOUT, 4, _generator(seed))
        return plan.a, plan.b, plan.weight, plan.blend, plan.changes

    # a schedule without changes may always start with the same variant
    a, b, weight, _, changes = _repeats("a plan", draw, varies=bool(draw(0)[4]))
    n, first = LAYOUT.n, LAYOUT.first
    for what, array, dtype in (("a", a, np.int64), ("b", b, np.int64), ("weight", weight, np.float64)):
        require(
            array.dtype == dtype and array.shape == (n,),
            f"{what} is {array.dtype} of shape {array.shape}, not ({n},)",
        )
    require(min(a.min(), b.min()) >= 0 and max(a.max(), b.max()) < 4, "names a variant that does not exist")
    require(bool(((weight >= 0) & (weight <= 1)).all()), "a weight lies outside of 0..1")
    active = np.where(weight > 0.0, b, a)
    require(bool((active[:first] == active[0]).all()), f"changes in the warm-up, which ends at row {first}")
    end = first
    for change in changes:
        require(
            end <= change.start <= change.end <= n and change.start < n,
            f"the change from row {change.start} to {change.end} overlaps, or lies outside of {first}..{n}",
        )
        require(change.before != change.after, f"the change at row {change.start} changes nothing")
        require(
            active[change.start - 1] == change.before and (change.end >= n or a[change.end] == change.after),
            f"the change at row {change.start} is not what the rows do",
        )
        end = change.end
    still = np.ones(n, dtype=bool)
    for change in changes:
        still[change.start : change.end + 1] = False
    moved = np.flatnonzero((active[1:] != active[:-1]) & still[1:])
    require(not len(moved), f"the concept changes at row {moved[:1] + 1} without a stated change")


def _duration(cls: type[Any]) -> None:
    def draw(seed: int) -> Any:
        return make("duration", cls.name, mean=12.0).draw(4000, _generator(seed))

    first = draw(0)
    values = _repeats("a draw", draw, varies=bool(np.ptp(first) > 0))
    require(
        values.dtype == np.float64 and values.shape == (4000,),
        f"draw() returns {values.dtype} of shape {values.shape}, expected float64 of shape (4000,)",
    )
    require(bool(np.isfinite(values).all() and (values >= 0).all()), "a duration is negative or not finite")
    error = 6.0 * values.std() / np.sqrt(len(values)) + 1e-9
    require(
        abs(float(values.mean()) - 12.0) <= error, f"durations of mean 12 are {values.mean():.2f} on average"
    )


def _shifted(cls: type[Any], seed: int, **params: Any) -> Stream:
    source = make(
        "stream", "synthetic", windows=40, rows=30, warmup=8, groups=[0.6, 0.4], shifts=[{cls.name: params}],
        schedule="none",
    )  # fmt: skip
    stream: Stream = source.generate(np.random.SeedSequence(seed))
    return stream


def _shift(cls: type[Any]) -> None:
    stream = _repeats("a shifted stream", lambda seed: _shifted(cls, seed))
    _valid(stream)
    require(len(stream.events) == 1, f"states {len(stream.events)} events for one shift that stays")
    stream = _shifted(cls, 0, at=12, until=24)
    _valid(stream)
    windows = [stream.window_of(event.start) for event in stream.events or ()]
    require(windows == [12, 24], f"a shift from window 12 to 24 states events in {windows}")
    require(not _shifted(cls, 0, at=0).events, "a shift that is always there states an event")
    _refused(lambda: _shifted(cls, 0, at=3), "begins in the warm-up")


# -- streams -----------------------------------------------------------------------------------------


def _csv(folder: Path) -> dict[str, Any]:
    rng = _generator()
    rows = [f"{x:.4f},{'ab'[i % 2]},{'yes' if x > 0.5 else 'no'}" for i, x in enumerate(rng.random(400))]
    path = folder / "rows.csv"
    path.write_text("\n".join(["x,kind,label", *rows]) + "\n", encoding="utf-8")
    return {"path": str(path), "rows": 10}


#: how to have an example of a stream whose defaults name no data; None: its data must be fetched
EXAMPLES: dict[str, Callable[[Path], dict[str, Any]] | None] = {"stream/file": _csv, "stream/openml": None}


def _stream(cls: type[Any]) -> None:
    full_name: str = cls.full_name
    prepare = EXAMPLES.get(full_name)
    if prepare is None and full_name in EXAMPLES:
        return
    with tempfile.TemporaryDirectory() as folder:
        params = prepare(Path(folder)) if prepare is not None else {}
        if issubclass(cls, TableStream):
            # all scenarios of a file are the same unless a part of it is drawn
            params["thin"] = 0.5
        source = make("stream", cls.name, **params)
        seed = np.random.SeedSequence(0)
        try:
            _valid(source.generate(seed))
        except (DataError, MissingExtraError) as error:
            require(
                error.remedy is not None, f"its data are not here, and no remedy is named: {error.message}"
            )
            return
        require(
            seed.n_children_spawned == 0,
            "spawns from the seed that it was given, so the next stream from it would differ",
            remedy="mlopsim.streams.layout.branch(seed, 0)",
        )
        _repeats(
            "the stream",
            lambda number: make("stream", cls.name, **params).generate(np.random.SeedSequence(number)),
            varies=not getattr(source, "fixed", False),
        )


def _change(cls: type[Any]) -> None:
    base: Stream = make("stream", "bundled", dataset="wine").generate(np.random.SeedSequence(0))
    moved = np.arange(len(base.y)) >= int(base.bounds[base.warmup + 1])
    copies = base.X.copy(), base.y.copy(), base.g.copy()

    def apply(seed: int) -> Any:
        found = make("change", cls.name).apply(base, moved, _generator(seed))
        return found.X, found.y, found.g

    # what is drawn may be the same for every seed: a permutation of two, a swap of all labels
    X, y, g = _repeats("what the change makes of rows", apply, varies=False)
    require(identical(copies, (base.X, base.y, base.g)), "changes the rows that it is given")
    still = identical((X[~moved], y[~moved], g[~moved]), tuple(rows[~moved] for rows in copies))
    require(still, "changes rows that do not follow the new law")
    require(
        not identical((X[moved], y[moved], g[moved]), tuple(rows[moved] for rows in copies)),
        "changes nothing",
    )
    stream = make("stream", "injected", base={"bundled": {"dataset": "wine"}}, change=cls.name, at=12)
    _valid(stream.generate(np.random.SeedSequence(0)))


def _valid(stream: Stream) -> None:
    """Raise unless a stream holds together; sizes and windows are checked when it is made."""
    require(isinstance(stream, Stream), f"generate() returns {type(stream).__name__}, expected Stream")
    n, d = stream.X.shape
    forms: list[tuple[str, np.ndarray, Any, tuple[int, ...]]] = [
        ("X", stream.X, np.float64, (n, d)),
        ("y", stream.y, np.int64, (n,)),
        ("g", stream.g, np.int64, (n,)),
    ]
    forms.append(("bounds", stream.bounds, np.int64, (stream.windows + 1,)))
    truth: list[tuple[str, np.ndarray | None, Any, tuple[int, ...]]] = [
        ("concept", stream.concept, np.int64, (n,)),
        ("bayes", stream.bayes, np.float64, (n,)),
        ("corrupted", stream.corrupted, np.bool_, (n, d)),
        ("biased", stream.biased, np.bool_, (n,)),
    ]
    forms.extend((name, known, dtype, form) for name, known, dtype, form in truth if known is not None)
    for name, array, wanted, shape in forms:
        require(
            array.dtype == wanted and array.shape == shape,
            f"{name} is {array.dtype} of shape {array.shape}, expected {np.dtype(wanted)} of {shape}",
        )
    for name, codes, known in (("y", stream.y, stream.classes), ("g", stream.g, stream.groups)):
        require(
            codes.min() >= 0 and codes.max() < len(known), f"{name} holds codes beyond its {len(known)} names"
        )
    require(len(np.unique(stream.y)) > 1, "all labels are the same")
    require(not np.isinf(stream.X).any(), "X holds infinite numbers", remedy="NaN where a value is missing")
    for feature, names in stream.categories.items():
        values = stream.X[:, feature]
        values = values[~np.isnan(values)]
        good = bool((values == values.round()).all()) and values.min(initial=0) >= 0
        require(
            good and values.max(initial=0) < len(names),
            f"the categorical feature {stream.features[feature]} holds more than its {len(names)} codes",
        )
    if stream.bayes is not None:
        known_rows = stream.bayes[~np.isnan(stream.bayes)]
        require(bool(((known_rows >= 0) & (known_rows <= 1 + 1e-9)).all()), "bayes lies outside of 0..1")
    for event in stream.events or ():
        _valid_event(event, int(stream.bounds[stream.warmup]), n)


def _valid_event(event: DriftEvent, first: int, n: int) -> None:
    require(isinstance(event.kind, DriftKind), f"an event has the kind {event.kind!r}")
    require(
        0 <= event.start <= event.end <= n and event.start < n,
        f"an event from row {event.start} to {event.end} lies outside of the {n} rows",
    )
    require(
        event.start >= first,
        f"an event begins at row {event.start}, in the warm-up that ends at row {first}",
        remedy="the first version is trained on the warm-up: nothing may change there",
    )


CHECKS = [
    Check(name=name, text=text, run=run, kinds=(kind,))
    for kind, name, text, run in (
        ("concept", "rows", "rows, labels and probabilities are valid", _concept_rows),
        ("concept", "laws", "variants have valid laws, and others are refused", _concept_laws),
        ("concept", "seed", "the seed decides everything", _concept_repeats),
        ("schedule", "plan", "changes come after the warm-up, are stated and follow the seed", _schedule),
        ("duration", "draw", "durations are valid, of the stated mean, and follow the seed", _duration),
        ("shift", "shift", "events come after the warm-up, where stated, and follow the seed", _shift),
        ("change", "change", "moved rows change, all others stay, the seed decides everything", _change),
        ("injector", "injector", "errors have the asked rate and a true mask, clean rows stay", injector),
        ("mechanism", "mechanism", "what decides is one number a row and follows the seed", mechanism),
        ("timing", "timing", "errors begin where they should and nowhere else", timing),
        ("bias", "bias", "strength 0 changes nothing, others change whom and what they name", bias),
        ("stream", "stream", "rows, truth and events are valid and follow the seed", _stream),
    )
]
