"""Gates of third parties without a fault."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from mlopsim.quality.batch_gate import BatchGate
from mlopsim.quality.gate import Gate, Level, Rows
from mlopsim.quality.release_gate import ReleaseGate, Verdict
from mlopsim.quality.row_gate import RowGate
from mlopsim.quality.train_gate import TrainGate, cross_fitted


@dataclass(kw_only=True)
class Plain(Gate):
    """A third party's gate of rows: distance from the mean, in standard deviations; alpha, action as ever."""

    def learn(self, reference: Rows, rng: np.random.Generator) -> Any:
        return reference.Z.mean(axis=0), reference.Z.std(axis=0) + 1e-12

    def score(self, learned: Any, rows: Rows) -> np.ndarray:
        mean, spread = learned
        self.check_encoded(len(mean), rows)
        found: np.ndarray = np.abs((rows.Z - mean) / spread).max(axis=1, initial=0.0)
        return found

    def check_encoded(self, expected: int, rows: Rows) -> None:
        if rows.Z.shape[1] != expected:
            self.check_width(-1, rows)


@dataclass(kw_only=True)
class PlainRows(RowGate):
    """A third party's gate of encoded rows: the distance from a random row; alpha, action as ever."""

    def fit(self, Z: np.ndarray, rng: np.random.Generator) -> Any:
        return Z[rng.integers(len(Z))].copy()

    def measure(self, model: Any, Z: np.ndarray) -> np.ndarray:
        found: np.ndarray = np.sqrt(((Z - model) ** 2).sum(axis=1))
        return found


@dataclass(kw_only=True)
class PlainCells(Gate):
    """A third party's gate of cells: how far they are from the median; alpha, action as ever."""

    level: ClassVar[Level] = Level.CELL

    def learn(self, reference: Rows, rng: np.random.Generator) -> Any:
        return [
            np.median(column[~np.isnan(column)]) for column in reference.X.T if not np.isnan(column).all()
        ]

    def score(self, learned: Any, rows: Rows) -> np.ndarray:
        self.check_width(len(learned), rows)
        found: np.ndarray = np.abs(rows.X - np.array(learned))
        return found


@dataclass(kw_only=True)
class PlainBatch(BatchGate):
    """A third party's gate of batches: a test of the mean, far from sharp; alpha, action as ever."""

    def learn(self, reference: Rows, rng: np.random.Generator) -> Any:
        self.check_reference(reference)
        return reference.Z.mean(axis=0), reference.Z.std(axis=0) + 1e-12, len(reference)

    def pvalues(self, learned: Any, rows: Rows) -> np.ndarray:
        mean, spread, n = learned
        if rows.Z.shape[1] != len(mean):
            self.check_width(-1, rows)
        if not len(rows):
            return np.full(len(mean), np.nan)
        z = (rows.Z.mean(axis=0) - mean) / (spread * np.sqrt(1.0 / n + 1.0 / len(rows)))
        # Chebyshev's bound, of any law
        found: np.ndarray = np.minimum(1.0, 1.0 / np.maximum(z**2, 1e-300))
        return found


@dataclass(kw_only=True)
class PlainTrain(TrainGate):
    """A third party's gate at training: how unlikely the label is; alpha, action as ever."""

    def measure(
        self, train: Rows, new: np.ndarray, trusted: Rows, learner: Any, rng: np.random.Generator
    ) -> np.ndarray:
        found: np.ndarray = -cross_fitted(learner, train, 4, rng)[new, train.y[new]]
        return found


@dataclass(kw_only=True)
class PlainRelease(ReleaseGate):
    """A third party's gate of versions: a bound on the difference of accuracies; alpha, action as ever."""

    def judge(self, new: np.ndarray, old: np.ndarray, rows: Rows, groups: np.ndarray) -> Verdict:
        gap = max(0.0, float(old.mean() - new.mean()))
        # Hoeffding's inequality for means of differences between -1 and 1
        p = float(np.exp(-len(new) * gap**2 / 2.0))
        return Verdict(blocked=p <= self.alpha, p=p)
