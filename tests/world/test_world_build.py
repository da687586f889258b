"""The builder against one scikit-learn fit and one predict per version, counted by hand."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from _world_fixtures import LastTwo, SeededTree, make_stream

from mlopsim.core.errors import ConfigError, DataError, MlopsimError
from mlopsim.learners.encode import Encoder
from mlopsim.streams.stream import Stream
from mlopsim.world.build import build_from_stream
from mlopsim.world.world import World


def reference(stream: Stream, training: object, fit) -> tuple[np.ndarray, np.ndarray]:
    """Counts and correctness by loops over versions, windows and rows."""
    T, C, G, n = stream.windows, stream.n_classes, len(stream.groups), len(stream.y)
    encoded = Encoder.fit(stream).transform(stream.X)
    start = training.starts(encoded, stream.bounds, stream.warmup)
    counts = np.zeros((T, T, G, C, C), dtype=np.int64)
    right = np.zeros((T, n), dtype=bool)
    for v in range(stream.warmup - 1, T):
        rows = slice(stream.bounds[start[v]], stream.bounds[v + 1])
        answers = fit(encoded[rows], stream.y[rows], v).predict(encoded)
        right[v] = answers == stream.y
        for t in range(T):
            for r in range(stream.bounds[t], stream.bounds[t + 1]):
                counts[v, t, stream.g[r], stream.y[r], answers[r]] += 1
    return counts, right


def check(world: World, stream: Stream, counts: np.ndarray, right: np.ndarray) -> None:
    assert world.counts.dtype == np.uint16
    np.testing.assert_array_equal(world.counts, counts)
    np.testing.assert_array_equal(np.unpackbits(world.bits, axis=1)[:, : len(stream.y)], right)
    for v in range(world.v0, world.windows):
        for t in range(world.windows):
            rows = slice(stream.bounds[t], stream.bounds[t + 1])
            errors = world.errors(v, t)
            assert errors.dtype == np.int8
            np.testing.assert_array_equal(errors, ~right[v, rows])


@pytest.mark.parametrize("classes,groups", [(2, 1), (2, 2), (2, 6), (3, 2)])
def test_counts_equal_sklearn_ridge(classes: int, groups: int) -> None:
    from sklearn.linear_model import RidgeClassifier

    stream = make_stream(classes=classes, groups=groups, categorical=True, missing=True)
    world = build_from_stream(stream, "ridge", LastTwo())
    counts, right = reference(stream, LastTwo(), lambda X, y, v: RidgeClassifier(alpha=1.0).fit(X, y))
    check(world, stream, counts, right)
    np.testing.assert_array_equal(world.start, [0, 0, 1, 2, 3, 4, 5, 6, 7, 8])


def test_counts_equal_seeded_learner_and_refit_is_exact() -> None:
    stream = make_stream()

    def seed_of(v: int) -> np.random.SeedSequence:
        return np.random.SeedSequence(7, spawn_key=(v,))

    world = build_from_stream(stream, SeededTree(), LastTwo(), seed=7)
    counts, right = reference(stream, LastTwo(), lambda X, y, v: SeededTree().fit(X, y, 2, seed_of(v)))
    check(world, stream, counts, right)
    for v in (2, 6, 9):
        answers = world.model(v).predict(world.encoded())
        np.testing.assert_array_equal(answers == stream.y, right[v])


@pytest.mark.parametrize("learner", ["ridge", "naive_bayes", "lda"])
def test_refit_of_batch_learners_is_exact(learner: str) -> None:
    stream = make_stream(classes=3)
    world = build_from_stream(stream, learner)
    for v in range(world.v0, world.windows):
        answers = world.model(v).predict(world.encoded())
        right = np.unpackbits(world.bits[v])[: len(stream.y)].astype(bool)
        np.testing.assert_array_equal(answers == stream.y, right)


def test_scores_and_outputs() -> None:
    stream = make_stream(classes=3)
    world = build_from_stream(stream, "naive_bayes")
    scores = world.scores(5)
    assert scores.shape == (len(stream.y), 3)
    outputs = world.outputs(5)
    t = 7
    rows = slice(stream.bounds[t], stream.bounds[t + 1])
    ordered = np.sort(scores[rows], axis=1)
    np.testing.assert_allclose(outputs["mean"][t], scores[rows].mean(axis=0), rtol=1e-12)
    np.testing.assert_allclose(outputs["margin"][t], (ordered[:, 2] - ordered[:, 1]).mean(), rtol=1e-12)
    answers = world.model(5).predict(world.encoded()[rows])
    np.testing.assert_allclose(outputs["share"][t], np.bincount(answers, minlength=3) / len(answers))


def test_truth_is_carried() -> None:
    stream = make_stream()
    world = build_from_stream(stream, "ridge")
    np.testing.assert_array_equal(world.concept, [4] * 5 + [5] * 5)
    np.testing.assert_array_equal(world.y, stream.y)
    np.testing.assert_array_equal(world.g, stream.g)
    assert world.events == stream.events
    assert world.bayes[3] == pytest.approx(stream.bayes[stream.bounds[3] : stream.bounds[4]].mean(), rel=1e-6)
    unknown = build_from_stream(dataclasses.replace(stream, concept=None, bayes=None, events=None), "ridge")
    assert (unknown.concept == -1).all() and np.isnan(unknown.bayes).all() and unknown.events is None


def test_blocks_of_rows_do_not_change_the_world(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = make_stream(classes=3)
    whole = build_from_stream(stream, "ridge")
    monkeypatch.setattr("mlopsim.world.source.BLOCK", 100)
    assert build_from_stream(stream, "ridge").digest() == whole.digest()


def test_the_future_changes_no_earlier_entry() -> None:
    """Entry [v, t] reads the rows of windows start[v]..v and t only (and what the warm-up fitted)."""
    rng = np.random.default_rng(1)
    for learner in ("ridge", "naive_bayes", "lda", SeededTree()):
        stream = make_stream(categorical=True, missing=True, classes=3)
        world = build_from_stream(stream, learner, LastTwo())
        for cut in (3, 5, 8):
            row = int(stream.bounds[cut])
            X, y, g = stream.X.copy(), stream.y.copy(), stream.g.copy()
            X[row:, 0] = 50 * rng.normal(size=len(X) - row)
            X[row:, 1] = rng.integers(0, 5, len(X) - row)
            y[row:] = rng.integers(0, 3, len(X) - row)
            g[row:] = rng.integers(0, 2, len(X) - row)
            other = build_from_stream(dataclasses.replace(stream, X=X, y=y, g=g), learner, LastTwo())
            np.testing.assert_array_equal(world.counts[:cut, :cut], other.counts[:cut, :cut])
            np.testing.assert_array_equal(world.shift[:cut, :cut], other.shift[:cut, :cut])
            np.testing.assert_array_equal(world.bits[:cut, : row // 8], other.bits[:cut, : row // 8])
            assert (world.counts[:cut, cut:] != other.counts[:cut, cut:]).any()  # the change was real


def test_the_past_changes_no_version_trained_after_it() -> None:
    stream = make_stream()
    world = build_from_stream(stream, "ridge", LastTwo())
    X = stream.X.copy()
    low, high = int(stream.bounds[4]), int(stream.bounds[5])
    X[low:high] = -X[low:high]
    other = build_from_stream(dataclasses.replace(stream, X=X), "ridge", LastTwo())
    untouched = [v for v in range(2, 10) if v not in (4, 5)]
    windows = [t for t in range(10) if t != 4]
    np.testing.assert_array_equal(
        world.counts[np.ix_(untouched, windows)], other.counts[np.ix_(untouched, windows)]
    )
    np.testing.assert_array_equal(
        world.shift[np.ix_(untouched, windows)], other.shift[np.ix_(untouched, windows)]
    )


def test_wide_counts_for_big_windows() -> None:
    stream = make_stream(sizes=[70_000, 100, 100], warmup=1, groups=1)
    world = build_from_stream(stream, "ridge")
    assert world.counts.dtype == np.uint32
    assert world.counts[0, 0].sum() == 70_000


def test_arrays_are_read_only() -> None:
    world = build_from_stream(make_stream(), "ridge")
    with pytest.raises(ValueError, match="read-only"):
        world.counts[0, 0] = 1


def test_bad_input_is_named() -> None:
    stream = make_stream()
    world = build_from_stream(stream, "ridge")
    with pytest.raises(MlopsimError, match="no entry for version 1"):
        world.errors(1, 3)
    with pytest.raises(MlopsimError, match="no entry for version 10"):
        world.model(10)
    with pytest.raises(ConfigError, match="did you mean 'ridge'"):
        build_from_stream(stream, "rigde")
    with pytest.raises(DataError, match=r"label outside 0\.\.1"):
        build_from_stream(dataclasses.replace(stream, y=stream.y + 1), "ridge")

    class Future(LastTwo):
        def starts(self, X: np.ndarray, bounds: np.ndarray, warmup: int) -> np.ndarray:
            return np.arange(len(bounds) - 1) + 1

    with pytest.raises(MlopsimError, match=r"one training window in 0\.\.v"):
        build_from_stream(stream, "ridge", Future())

    class Wrong(SeededTree):
        def fit(self, X, y, n_classes, seed):
            model = super().fit(X, y, n_classes, seed)

            class Shifted:
                def predict(self, X):
                    return model.predict(X) + 1

            return Shifted()

    with pytest.raises(MlopsimError, match=r"label outside 0\.\.1"):
        build_from_stream(stream, Wrong(), LastTwo())
