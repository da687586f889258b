"""The contracts of learners and models."""

from __future__ import annotations

import inspect
from typing import Any, Protocol, runtime_checkable

import numpy as np


class Model(Protocol):
    """A trained model: a pure function of rows."""

    def predict(self, X: np.ndarray) -> np.ndarray:
        """Return labels, int64 of shape (n,)."""
        ...

    def scores(self, X: np.ndarray) -> np.ndarray:
        """Return scores, float64 of shape (n, C): larger means likelier; probabilities where known."""
        ...


class BatchModel(Protocol):
    """Many versions at once."""

    def predict(self, X: np.ndarray) -> np.ndarray:
        """Return labels, uint8 of shape (V, n), of every version for every row."""
        ...

    def model(self, i: int) -> Model:
        """Return the i-th version alone."""
        ...


@runtime_checkable
class Learner(Protocol):
    """A component of kind ``learner``."""

    full_name: str

    def fit(self, X: np.ndarray, y: np.ndarray, n_classes: int, seed: np.random.SeedSequence) -> Model:
        """Train on finite float64 rows (encoded and scaled on the warm-up); y may lack some classes.

        A learner that can count rows by weights takes them as ``weight=`` (float64 (n,), above 0), here and
        in ``fit_versions``; see :func:`takes_weights`.
        """
        ...


@runtime_checkable
class BatchLearner(Learner, Protocol):
    """A learner that fits all versions at once."""

    def fit_versions(
        self,
        X: np.ndarray,
        y: np.ndarray,
        n_classes: int,
        bounds: np.ndarray,
        first: np.ndarray,
        last: np.ndarray,
    ) -> BatchModel:
        """Train version i on the windows ``first[i]..last[i]`` (both included)."""
        ...


def takes_weights(learner: Any) -> bool:
    """Say whether a learner can count training rows by weights.

    Examples
    --------
    >>> from mlopsim.core.spec import make
    >>> takes_weights(make("learner", "ridge"))
    True
    """
    methods = [learner.fit] + ([learner.fit_versions] if isinstance(learner, BatchLearner) else [])
    return all("weight" in inspect.signature(method).parameters for method in methods)
