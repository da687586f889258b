"""The contract checks of learners and training policies find what is planted."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest

from mlopsim.learners.models import ConstantModel
from mlopsim.learners.presets.ridge import Ridge


class Mutating(Ridge):
    """A ridge classifier with an alpha that centres the rows that it is given in place."""

    def fit(self, X: np.ndarray, y: np.ndarray, n_classes: int, seed: Any) -> Any:
        X -= X.mean(axis=0)
        return super().fit(X, y, n_classes, seed)


class Dice(Ridge):
    """A ridge classifier with an alpha that trains on rows drawn by global chance."""

    def fit(self, X: np.ndarray, y: np.ndarray, n_classes: int, seed: Any) -> Any:
        rows = np.random.permutation(len(X))[: max(1, len(X) // 2)]  # noqa: NPY002
        return super().fit(X[rows], y[rows], n_classes, seed)


class Stateful(Ridge):
    """A ridge classifier with an alpha that grows from fit to fit."""

    def fit(self, X: np.ndarray, y: np.ndarray, n_classes: int, seed: Any) -> Any:
        self.alpha *= 100.0
        return super().fit(X, y, n_classes, seed)


class OtherFit(Ridge):
    """A ridge classifier with an alpha that is another one for single fits."""

    def fit(self, X: np.ndarray, y: np.ndarray, n_classes: int, seed: Any) -> Any:
        return Ridge(alpha=50.0).fit(X, y, n_classes, seed)


class ShortLabels:
    """A learner whose labels have another type than agreed."""

    def fit(self, X: np.ndarray, y: np.ndarray, n_classes: int, seed: Any) -> Any:
        model = ConstantModel(label=int(y[0]), n_classes=n_classes)

        class Short:
            def predict(self, rows: np.ndarray) -> np.ndarray:
                return model.predict(rows).astype(np.int8)

            def scores(self, rows: np.ndarray) -> np.ndarray:
                return model.scores(rows)

        return Short()


class FewScores:
    """A learner that only knows the classes that it saw."""

    def fit(self, X: np.ndarray, y: np.ndarray, n_classes: int, seed: Any) -> Any:
        return ConstantModel(label=0, n_classes=len(np.unique(y)))


class AlwaysOne:
    """A learner that always answers one."""

    def fit(self, X: np.ndarray, y: np.ndarray, n_classes: int, seed: Any) -> Any:
        return ConstantModel(label=1, n_classes=n_classes)


LEARNERS = [
    (Mutating, "inputs", "changes the rows"),
    (Dice, "deterministic", "global random numbers"),
    (Stateful, "deterministic", "same seed"),
    (OtherFit, "batch", "other scores"),
    (ShortLabels, "form", "int8"),
    (FewScores, "missing class", "shape (50, 2)"),
    (AlwaysOne, "missing class", "predicts class 1"),
    (AlwaysOne, "one class", "predicts another one"),
]


@pytest.mark.parametrize(
    ("cls", "check", "text"), LEARNERS, ids=[f"{cls.__name__}-{c}" for cls, c, _ in LEARNERS]
)
def test_faults_of_learners_are_found(plant: Any, cls: type[Any], check: str, text: str) -> None:
    problems = plant("learner", cls)
    assert text in problems.get(check, ""), problems


class LooksAhead:
    """Training windows that begin where the whole stream moves most."""

    def starts(self, X: np.ndarray, bounds: np.ndarray, warmup: int) -> np.ndarray:
        means = np.array([X[a:b].mean() for a, b in itertools.pairwise(bounds)])
        return np.minimum(np.arange(len(means)), np.abs(np.diff(means)).argmax()).astype(np.int64)


class FromTheFuture:
    """Training windows that begin one window too late."""

    def starts(self, X: np.ndarray, bounds: np.ndarray, warmup: int) -> np.ndarray:
        return np.arange(1, len(bounds))


@pytest.mark.parametrize(("cls", "check"), [(LooksAhead, "causal"), (FromTheFuture, "windows")])
def test_faults_of_training_are_found(plant: Any, cls: type[Any], check: str) -> None:
    assert check in plant("training", cls)
