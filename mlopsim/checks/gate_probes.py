"""Rows that the contract checks show to a gate, clean and with gross errors, and what it says about them."""

from __future__ import annotations

import dataclasses
import warnings
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from typing import Any

import numpy as np

from mlopsim.checks.base import ContractError, require
from mlopsim.core.errors import ConfigError, DataError
from mlopsim.core.spec import make
from mlopsim.quality.case import Case
from mlopsim.quality.gate import NOTHING, Gate, Rows
from mlopsim.quality.release_gate import ReleaseGate
from mlopsim.quality.train_gate import TrainGate
from mlopsim.streams.stream import Received, Stream

#: rows to learn from, and to be scored
REFERENCE, ROWS = 240, 150
#: windows of a whole stream, of how many rows, how many of them are its warm-up
WINDOWS, PER, WARMUP = 24, 50, 12
#: learners that gates at training are shown, the first one that they can work with
LEARNERS = ("ridge", "logistic", "lda", "tree")
NUMERIC = slice(0, 3)
#: held-out rows of versions that are compared
HELD_OUT = 400


def rng(seed: int = 0) -> np.random.Generator:
    """Return a generator for a gate, no two checks sharing one."""
    return np.random.default_rng([31, seed])


def ready(cls: type[Any], **params: Any) -> Any:
    """Build a gate."""
    return make("gate", cls.name, **params)


def is_scored(cls: type[Any]) -> bool:
    """Say whether a gate learns from a reference and scores rows, cells or batches against it."""
    return cls.known == NOTHING and not issubclass(cls, TrainGate | ReleaseGate)


def _drawn(n: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return three numbers that go together, two categories, some values missing; and labels."""
    source = np.random.default_rng([32, seed])
    common = source.normal(size=n)
    numbers = np.array([50.0, 10.0, 0.0]) + np.array([5.0, 2.0, 1.0]) * (
        common[:, None] + 0.5 * source.normal(size=(n, 3))
    )
    X = np.column_stack([numbers, source.integers(0, 4, n), source.integers(0, 2, n)])
    X[source.random(n) < 0.04, 1] = np.nan
    X[source.random(n) < 0.04, 3] = np.nan
    return X, (common + 0.3 * source.normal(size=n) > 0.0).astype(np.int64)


def case(seed: int = 0) -> Case:
    """Return a stream without errors."""
    n = WINDOWS * PER
    X, y = _drawn(n, seed)
    stream = Stream(
        X=X,
        y=y,
        bounds=np.arange(WINDOWS + 1, dtype=np.int64) * PER,
        warmup=WARMUP,
        classes=("no", "yes"),
        features=("a", "b", "c", "d", "e"),
        g=np.zeros(n, dtype=np.int64),
        categories={3: ("k", "l", "m", "n"), 4: ("r", "s")},
    )
    return Case(clean=stream, seen=stream, learner="ridge", starts=np.zeros(WINDOWS, dtype=np.int64))


@cache
def _encoding() -> Case:
    return case(1000)


def encoded(X: np.ndarray, y: np.ndarray) -> Rows:
    """Return rows as a gate gets them; the encoder is one for all."""
    return _encoding().rows(X, y)


def reference(seed: int = 0, n: int = REFERENCE) -> Rows:
    """Return clean rows to learn from."""
    return encoded(*_drawn(n, 2 * seed))


def rows(seed: int = 0, n: int = ROWS) -> Rows:
    """Return clean rows to be scored."""
    return encoded(*_drawn(n, 2 * seed + 1))


def _scaled(X: np.ndarray, y: np.ndarray) -> None:
    X[:, NUMERIC] *= 1000.0


def _blank(X: np.ndarray, y: np.ndarray) -> None:
    X[::2, 0] = np.nan
    X[1::2, 3] = np.nan


def _unseen(X: np.ndarray, y: np.ndarray) -> None:
    X[:, 3] = 9.0


def _swapped(X: np.ndarray, y: np.ndarray) -> None:
    X[:, [0, 1]] = X[:, [1, 0]]


def _copied(X: np.ndarray, y: np.ndarray) -> None:
    X[:], y[:] = X[0], y[0]


def _relabelled(X: np.ndarray, y: np.ndarray) -> None:
    y[:] = 1 - y


#: gross errors, each of which changes rows in place
ERRORS: Mapping[str, Callable[[np.ndarray, np.ndarray], None]] = {
    "values x 1000": _scaled,
    "missing values": _blank,
    "an unseen category": _unseen,
    "swapped columns": _swapped,
    "copies of one row": _copied,
    "flipped labels": _relabelled,
}
GROSS, COPIES, LABELS = "values x 1000", "copies of one row", "flipped labels"


def spoilt(clean: Rows, error: str, places: np.ndarray | slice = slice(None)) -> Rows:
    """Return the rows with a gross error, in all of them or at some places."""
    X, y = clean.X.copy(), clean.y.copy()
    some, labels = X[places], y[places]
    ERRORS[error](some, labels)
    X[places], y[places] = some, labels
    return encoded(X, y)


def batches(seed: int = 0, count: int = 8, n: int = 60) -> list[Rows]:
    """Return clean batches."""
    return [rows(1000 * (seed + 1) + i, n) for i in range(count)]


def spoilt_batches(clean: list[Rows]) -> Iterator[tuple[str, list[Rows]]]:
    """Yield gross errors and the batches that have them, other columns among them."""
    for error in ERRORS:
        yield error, [spoilt(batch, error) for batch in clean]
    known = clean[0].features
    other = Received(names=("z", *known[1:]), types=("number",) * 3 + ("category",) * 2)
    yield "a renamed column", [dataclasses.replace(batch, received=other) for batch in clean]


def learner_of(gate: TrainGate) -> str:
    """Return a learner that a gate at training can work with."""
    refusal = ""
    for name in LEARNERS:
        try:
            gate.check_learner(name)
        except ConfigError as error:
            refusal = error.message
        else:
            return name
    raise ContractError(f"works with none of the learners {', '.join(LEARNERS)} ({refusal})")


def correct(share: float, seed: int, n: int = HELD_OUT) -> np.ndarray:
    """Return where a version with this accuracy is right, bool (n,)."""
    return np.random.default_rng([33, seed]).random(n) < share


def groups(n: int) -> np.ndarray:
    """Return protected groups, int64 (n,)."""
    return np.arange(n, dtype=np.int64) % 3


def says(gate: Gate, known: Rows, asked: Rows, seed: int = 0) -> Any:
    """Return scores of rows, cells or a batch; harms, with ``known`` as trusted rows; or a verdict."""
    if isinstance(gate, TrainGate):
        return gate.harm(asked, np.arange(len(asked)), known, learner_of(gate), rng(seed))
    if isinstance(gate, ReleaseGate):
        n = len(asked)
        return gate.verdict(correct(0.7, 1, n), correct(0.75, 2, n), asked, groups(n))
    return gate.score(gate.learn(known, rng(seed)), asked)


def answered(call: Callable[[], Any], what: str) -> Any:
    """Return an answer, None where it is one of our errors; anything else breaks the contract."""
    try:
        with warnings.catch_warnings(), np.errstate(over="warn", divide="warn", invalid="warn"):
            warnings.simplefilter("error", RuntimeWarning)
            return call()
    except (DataError, ConfigError):
        return None
    except Exception as error:  # noqa: BLE001 - whatever a third party's code raises is reported
        require(
            False,
            f"{what}: {type(error).__name__}: {error}",
            remedy="a score, or a DataError that names the cause",
        )


def refused(call: Callable[[], Any], what: str, remedy: str | None = None) -> None:
    """Require that bad input is one of our errors."""
    try:
        call()
    except (DataError, ConfigError):
        return
    except Exception as error:  # noqa: BLE001 - whatever a third party's code raises is reported
        require(False, f"{what}: {type(error).__name__}, not DataError: {error}", remedy=remedy)
    require(False, f"{what}: is accepted", remedy=remedy)
