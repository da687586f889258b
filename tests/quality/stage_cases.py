"""A small stream with errors whose truth is known, and gates that say what a column holds."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from mlopsim.quality.case import Case
from mlopsim.quality.gate import Gate, Level, Rows
from mlopsim.streams.stream import Stream

WINDOWS, PER, WARMUP = 14, 10, 8
FIRST = WARMUP * PER
N = WINDOWS * PER


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def clean_stream(seed: int = 0, missing: float = 0.0) -> Stream:
    """Return 14 windows of 10 rows, 8 of them warm-up: two numbers, a category, a label that follows them."""
    source = rng(seed)
    X = np.column_stack([source.normal(size=(N, 2)) * [1.0, 10.0] + [0.0, 50.0], source.integers(0, 3, N)])
    y = (X[:, 0] + 0.1 * X[:, 1] + 0.5 * source.normal(size=N) > 5.0).astype(np.int64)
    X[source.random((N, 3)) < missing] = np.nan
    return Stream(
        X=X,
        y=y,
        bounds=np.arange(WINDOWS + 1, dtype=np.int64) * PER,
        warmup=WARMUP,
        classes=("no", "yes"),
        features=("a", "b", "c"),
        g=np.arange(N, dtype=np.int64) % 2,
        categories={2: ("u", "v", "w")},
    )


def case_of(
    clean: Stream,
    cells: dict[tuple[int, int], float] | None = None,
    labels: tuple[int, ...] = (),
    learner: Any = "ridge",
    starts: np.ndarray | None = None,
    **changes: Any,
) -> Case:
    """Return a case in which some cells hold other values and some labels are flipped."""
    X, y = clean.X.copy(), clean.y.copy()
    for (i, j), value in (cells or {}).items():
        X[i, j] = value
    y[list(labels)] = 1 - y[list(labels)]
    corrupted = ~((clean.X == X) | (np.isnan(clean.X) & np.isnan(X)))
    seen = dataclasses.replace(clean, X=X, y=y, corrupted=corrupted, biased=y != clean.y, **changes)
    first = np.zeros(clean.windows, dtype=np.int64) if starts is None else starts
    return Case(clean=clean, seen=seen, learner=learner, starts=first)


@dataclass(kw_only=True)
class Value(Gate):
    """The score of a row is its first feature."""

    kind, name, full_name, version = "gate", "value", "gate/value", "1"

    def learn(self, reference: Rows, rng: np.random.Generator) -> Any:
        return reference

    def score(self, learned: Any, rows: Rows) -> np.ndarray:
        return rows.X[:, 0].copy()


@dataclass(kw_only=True)
class Values(Value):
    """The score of a cell is its value; of a category there is none."""

    level: ClassVar[Level] = Level.CELL

    def score(self, learned: Any, rows: Rows) -> np.ndarray:
        found = rows.X.copy()
        found[:, 2] = np.nan
        return found


@dataclass(kw_only=True)
class Rank(Value):
    """The score of a row is how many rows of its window have a smaller first feature."""

    by_window: ClassVar[bool] = True

    def score(self, learned: Any, rows: Rows) -> np.ndarray:
        found: np.ndarray = (rows.X[:, 0] > rows.X[:, :1]).sum(axis=1).astype(np.float64) + 0.01 * rows.X[
            :, 0
        ]
        return found
