"""Small streams and learners of the World tests."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from mlopsim.streams.stream import DriftEvent, DriftKind, Stream


def make_stream(
    *,
    sizes: Any = None,
    d: int = 3,
    classes: int = 2,
    groups: int = 2,
    warmup: int = 3,
    seed: int = 0,
    categorical: bool = False,
    missing: bool = False,
) -> Stream:
    rng = np.random.default_rng(seed)
    sizes = np.array([17, 23, 30, 8, 41, 25, 19, 30, 12, 27] if sizes is None else sizes)
    bounds = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
    n = int(bounds[-1])
    X = rng.normal(size=(n, d)) + np.linspace(0, 1.5, n)[:, None] * np.arange(d)
    score = X @ rng.normal(size=(d, classes)) + 0.3 * rng.normal(size=(n, classes))
    categories: dict[int, tuple[str, ...]] = {}
    if categorical:
        X[:, 1] = rng.integers(0, 3 + 2 * (np.arange(n) > n // 2))
        categories = {1: ("a", "b", "c", "d", "e")}
    if missing:
        X[rng.random(n) < 0.1, 0] = np.nan
    half = int(bounds[len(sizes) // 2])
    return Stream(
        X=X,
        y=score.argmax(axis=1).astype(np.int64),
        bounds=bounds,
        warmup=warmup,
        classes=tuple(f"c{i}" for i in range(classes)),
        features=tuple(f"x{i}" for i in range(d)),
        g=rng.integers(0, groups, n),
        groups=tuple(f"g{i}" for i in range(groups)),
        categories=categories,
        events=(DriftEvent(kind=DriftKind.COVARIATE, start=half, end=half, detail="tests"),),
        concept=(np.arange(n) >= half).astype(np.int64) + 4,
        bayes=np.linspace(0.8, 0.9, n),
    )


@dataclass
class SklearnModel:
    inner: Any

    def predict(self, X: np.ndarray) -> np.ndarray:
        return self.inner.predict(X).astype(np.int64)

    def scores(self, X: np.ndarray) -> np.ndarray:
        return self.inner.predict_proba(X)


@dataclass
class SeededTree:
    """A tree whose splits depend on the seed that it is given."""

    full_name = "learner/tests-tree"

    def fit(self, X: np.ndarray, y: np.ndarray, n_classes: int, seed: np.random.SeedSequence) -> SklearnModel:
        from sklearn.tree import DecisionTreeClassifier

        state = int(seed.generate_state(1)[0])
        tree = DecisionTreeClassifier(max_depth=3, splitter="random", random_state=state)
        return SklearnModel(tree.fit(X, y))


@dataclass
class LastTwo:
    def starts(self, X: np.ndarray, bounds: np.ndarray, warmup: int) -> np.ndarray:
        return np.maximum(np.arange(len(bounds) - 1) - 1, 0)
