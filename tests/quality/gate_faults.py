"""Gates of third parties with a fault each."""

from __future__ import annotations

import random
from typing import Any, ClassVar

import numpy as np
from plain_gates import Plain, PlainBatch, PlainCells, PlainRelease, PlainTrain

from mlopsim.quality.gate import Level, Rows, Stage
from mlopsim.quality.release_gate import Verdict

# -- gates of rows and cells -------------------------------------------------------------------


class Inverted(Plain):
    """A gate that says how usual a row is (alpha, action)."""

    def score(self, learned: Any, rows: Rows) -> np.ndarray:
        return -super().score(learned, rows)


class InvertedCells(PlainCells):
    """A gate that says how usual a cell is (alpha, action)."""

    def score(self, learned: Any, rows: Rows) -> np.ndarray:
        return -super().score(learned, rows)


class SharedState(Plain):
    """A gate that keeps what it learns in the class (alpha, action)."""

    state: ClassVar[list[Any]] = []

    def learn(self, reference: Rows, rng: np.random.Generator) -> Any:
        self.state[:] = [super().learn(reference, rng)]
        return self.state

    def score(self, learned: Any, rows: Rows) -> np.ndarray:
        return super().score(self.state[0], rows)


class OwnState(Plain):
    """A gate that keeps what it learns in itself (alpha, action)."""

    def learn(self, reference: Rows, rng: np.random.Generator) -> Any:
        self.state = super().learn(reference, rng)
        return self.state

    def score(self, learned: Any, rows: Rows) -> np.ndarray:
        return super().score(self.state, rows)


class PeeksAtLabels(Plain):
    """A gate that looks at labels and does not say so (alpha, action)."""

    def score(self, learned: Any, rows: Rows) -> np.ndarray:
        return super().score(learned, rows) + 0.01 * rows.y


class LearnsLabels(Plain):
    """A gate that learns from rows of one label and does not say so (alpha, action)."""

    def learn(self, reference: Rows, rng: np.random.Generator) -> Any:
        mean, spread = super().learn(reference, rng)
        return mean, spread * (1.0 + reference.y.mean())


class SaysSo(LearnsLabels):
    """The same gate that says so (alpha, action)."""

    uses_labels: ClassVar[bool] = True


class NoFamily(Plain):
    """A gate whose family has no name (alpha, action)."""

    family: ClassVar[str] = ""


class Chunks(Plain):
    """A gate that centres the scores of a call (alpha, action)."""

    def score(self, learned: Any, rows: Rows) -> np.ndarray:
        found = super().score(learned, rows)
        return found - (found.mean() if len(found) else 0.0)


class SaysByWindow(Chunks):
    """The same gate that says so (alpha, action)."""

    by_window: ClassVar[bool] = True


class LooksAhead(Plain):
    """A gate of rows in their order that looks at the rows to come (alpha, action)."""

    by_order: ClassVar[bool] = True

    def score(self, learned: Any, rows: Rows) -> np.ndarray:
        found = super().score(learned, rows)
        return np.maximum.accumulate(found[::-1])[::-1]


class Constant(Plain):
    """A gate that always says 1 (alpha, action)."""

    def score(self, learned: Any, rows: Rows) -> np.ndarray:
        super().score(learned, rows)
        return np.ones(len(rows))


class SaysControl(Constant):
    """The same gate that says it is a control (alpha, action)."""

    control: ClassVar[bool] = True


class NoScore(Plain):
    """A gate that never says anything (alpha, action)."""

    def score(self, learned: Any, rows: Rows) -> np.ndarray:
        return super().score(learned, rows) * np.nan


class Noise(Plain):
    """A gate whose scores are hashes of the rows (alpha, action)."""

    def score(self, learned: Any, rows: Rows) -> np.ndarray:
        super().score(learned, rows)
        return np.array([random.Random(row.tobytes()).random() for row in rows.Z])


class GlobalDice(Plain):
    """A gate that throws the dice of numpy (alpha, action)."""

    def score(self, learned: Any, rows: Rows) -> np.ndarray:
        return super().score(learned, rows) * (1.0 + 1e-12 * np.random.random())  # noqa: NPY002


class PythonDice(Plain):
    """A gate that throws the dice of Python (alpha, action)."""

    def learn(self, reference: Rows, rng: np.random.Generator) -> Any:
        mean, spread = super().learn(reference, rng)
        return mean, spread * (1.0 + random.random())


class UnseededDice(Plain):
    """A gate with a generator that nobody gave it (alpha, action)."""

    def learn(self, reference: Rows, rng: np.random.Generator) -> Any:
        mean, spread = super().learn(reference, rng)
        return mean, spread * (1.0 + np.random.default_rng().random())


class WritesIntoRows(Plain):
    """A gate that scales rows in place (alpha, action)."""

    def score(self, learned: Any, rows: Rows) -> np.ndarray:
        found = super().score(learned, rows)
        rows.X[:] = 0.0
        return found


class WritesIntoReference(Plain):
    """A gate that sorts its reference in place (alpha, action)."""

    def learn(self, reference: Rows, rng: np.random.Generator) -> Any:
        reference.Z.sort(axis=0)
        return super().learn(reference, rng)


class KeepsTheReference(Plain):
    """A gate that does not copy what it keeps (alpha, action)."""

    def learn(self, reference: Rows, rng: np.random.Generator) -> Any:
        return reference

    def score(self, learned: Any, rows: Rows) -> np.ndarray:
        return super().score(super().learn(learned, np.random.default_rng(0)), rows)


class ScoresMissing(Plain):
    """A gate that forgets that values may be missing (alpha, action)."""

    def score(self, learned: Any, rows: Rows) -> np.ndarray:
        return super().score(learned, rows) + 0.0 * rows.X[:, :2].sum(axis=1)


class DividesByZero(Plain):
    """A gate that divides by a spread that may be 0 (alpha, action)."""

    def learn(self, reference: Rows, rng: np.random.Generator) -> Any:
        return reference.Z.mean(axis=0), reference.Z.std(axis=0)


class Overflows(PlainCells):
    """A gate whose scores of huge values leave the range of numbers (alpha, action)."""

    def score(self, learned: Any, rows: Rows) -> np.ndarray:
        return super().score(learned, rows) ** 4


class Stumbles(Plain):
    """A gate that raises what it likes for categories that it does not know (alpha, action)."""

    def learn(self, reference: Rows, rng: np.random.Generator) -> Any:
        return *super().learn(reference, rng), reference.X[:, 3]

    def score(self, learned: Any, rows: Rows) -> np.ndarray:
        for code in rows.X[~np.isnan(rows.X[:, 3]), 3] if rows.X.shape[1] > 3 else ():
            if code not in learned[2]:
                raise KeyError(code)
        return super().score(learned[:2], rows)


class Broadcasts(Plain):
    """A gate that takes rows of any width (alpha, action)."""

    def score(self, learned: Any, rows: Rows) -> np.ndarray:
        mean, spread = learned
        width = min(len(mean), rows.Z.shape[1])
        found: np.ndarray = np.abs((rows.Z[:, :width] - mean[:width]) / spread[:width]).max(
            axis=1, initial=0.0
        )
        return found


class RaisesValueError(Plain):
    """A gate whose error of another width is numpy's (alpha, action)."""

    def check_encoded(self, expected: int, rows: Rows) -> None:
        pass


class LearnsFromAnything(Plain):
    """A gate that does not mind what it learns from (alpha, action)."""

    def check_warmup(self, warmup: Rows) -> None:
        pass


class AnyAlpha(Plain):
    """A gate that forgets the ranges of alpha and action."""

    def __post_init__(self) -> None:
        pass


class Single(Plain):
    """A gate with scores in single precision (alpha, action)."""

    def score(self, learned: Any, rows: Rows) -> np.ndarray:
        return super().score(learned, rows).astype(np.float32)


class NeedsRows(Plain):
    """A gate that cannot bear a window without rows (alpha, action)."""

    def score(self, learned: Any, rows: Rows) -> np.ndarray:
        return super().score(learned, rows) - 1e-12 * rows.Z[0, 0]


class Columns(Plain):
    """A gate of rows that gives scores of cells (alpha, action)."""

    def score(self, learned: Any, rows: Rows) -> np.ndarray:
        super().score(learned, rows)
        return np.abs(rows.Z[:, :5])


class BatchOfRows(Plain):
    """A gate of batches that is none (alpha, action)."""

    level: ClassVar[Level] = Level.BATCH

    def score(self, learned: Any, rows: Rows) -> np.ndarray:
        return np.array(super().score(learned, rows).max())


class StandsAnywhere(Plain):
    """A gate that stands at training, too (alpha, action)."""

    stages: ClassVar[tuple[Stage, ...]] = (Stage.PREPROCESS, Stage.TRAIN)


class Ages(Plain):
    """A gate that grows strict with every call, which it keeps in what it learnt (alpha, action)."""

    def score(self, learned: Any, rows: Rows) -> np.ndarray:
        return super().score(learned, rows) * (1.0 + 0.01 * np.arange(len(rows)))


class Foreign:
    """No gate at all."""

    def score(self, X: np.ndarray) -> np.ndarray:
        return X


# -- gates of batches, at training, of versions ------------------------------------------------


class InvertedBatch(PlainBatch):
    """A gate of batches that says how usual a batch is (alpha, action)."""

    def score(self, learned: Any, rows: Rows) -> np.ndarray:
        return np.array(1.0 / (1.0 + super().score(learned, rows)))


class TooSharp(PlainBatch):
    """A gate of batches whose test does not keep its level (alpha, action)."""

    def pvalues(self, learned: Any, rows: Rows) -> np.ndarray:
        return super().pvalues(learned, rows) ** 3 / 20.0


class VectorBatch(PlainBatch):
    """A gate of batches that gives a score a feature (alpha, action)."""

    def score(self, learned: Any, rows: Rows) -> np.ndarray:
        return -np.log10(self.pvalues(learned, rows))


class InvertedTrain(PlainTrain):
    """A gate at training that says how likely the label is (alpha, action)."""

    def measure(self, train: Rows, new: Any, trusted: Rows, learner: Any, rng: Any) -> np.ndarray:
        return -super().measure(train, new, trusted, learner, rng)


class TrustsQuietly(PlainTrain):
    """A gate at training that looks at trusted rows and does not say so (alpha, action)."""

    def measure(self, train: Rows, new: Any, trusted: Rows, learner: Any, rng: Any) -> np.ndarray:
        return super().measure(train, new, trusted, learner, rng) * (2.0 + trusted.Z.mean())


class DependsOnAsked(PlainTrain):
    """A gate at training whose harm is relative to that of the rows asked for (alpha, action)."""

    def measure(self, train: Rows, new: Any, trusted: Rows, learner: Any, rng: Any) -> np.ndarray:
        found = super().measure(train, new, trusted, learner, rng)
        return found - found.mean()


class FlipsInPlace(PlainTrain):
    """A gate at training that tries other labels in place (alpha, action)."""

    def measure(self, train: Rows, new: Any, trusted: Rows, learner: Any, rng: Any) -> np.ndarray:
        found = super().measure(train, new, trusted, learner, rng)
        train.y[new] = 1 - train.y[new]
        return found


class InvertedRelease(PlainRelease):
    """A gate of versions that takes the new for the old (alpha, action)."""

    def judge(self, new: np.ndarray, old: np.ndarray, rows: Rows, groups: np.ndarray) -> Verdict:
        return super().judge(old, new, rows, groups)


class BlocksOften(PlainRelease):
    """A gate of versions that blocks whatever is less accurate by any amount (alpha, action)."""

    def judge(self, new: np.ndarray, old: np.ndarray, rows: Rows, groups: np.ndarray) -> Verdict:
        worse = bool(new.mean() < old.mean())
        return Verdict(blocked=worse, p=0.0 if worse else 1.0)


class NumpyVerdict(PlainRelease):
    """A gate of versions with a numpy scalar for a verdict (alpha, action)."""

    def judge(self, new: np.ndarray, old: np.ndarray, rows: Rows, groups: np.ndarray) -> Verdict:
        verdict = super().judge(new, old, rows, groups)
        return Verdict(blocked=np.bool_(verdict.blocked), p=verdict.p)  # type: ignore[arg-type]


class Remembers(PlainRelease):
    """A gate of versions whose level falls with each verdict (alpha, action)."""

    asked: ClassVar[list[int]] = []

    def judge(self, new: np.ndarray, old: np.ndarray, rows: Rows, groups: np.ndarray) -> Verdict:
        self.asked.append(len(new))
        verdict = super().judge(new, old, rows, groups)
        return Verdict(blocked=verdict.blocked, p=min(1.0, verdict.p * len(self.asked) / 1e6))
