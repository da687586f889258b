"""What the throughput experiment measures of gates: scoring, against PyOD where PyOD has the same detector.

Learning is not timed. PyOD's side is ``decision_function`` of a detector that was fitted on the same encoded
reference rows, on the same rows in one call, with the parameters that both sides come with. Where both rank
rows by the same thing, the ranks of some rows must agree, else there is an error instead of a number; PyOD is
given these one at a time, as its ECOD ranks rows among those that it is given.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from _measurements import Contest, Work, measurement

from mlopsim.quality.gate import NOTHING

#: gate to the class of PyOD that looks for the same thing
PYOD = {
    "ecod": "ECOD",
    "hbos": "HBOS",
    "knn": "KNN",
    "lof": "LOF",
    "iforest": "IForest",
    "ocsvm": "OCSVM",
    "mahalanobis": "MCD",
}


def drawn(n: int, d: int, missing: float, seed: int) -> Any:
    """Return rows of correlated numbers, some cells missing, with a label that depends on them.

    A missing value is 0 in the encoded rows, as the median of the warm-up would be.
    """
    from mlopsim.quality.gate import Rows

    rng = np.random.default_rng(seed)
    common = np.random.default_rng(0).normal(size=(2, d))
    X = (rng.normal(size=(n, d)) + rng.normal(size=(n, 2)) @ common) / np.sqrt(1.0 + (common**2).sum(axis=0))
    y = (X[:, 0] + X[:, 1] + 0.3 * rng.normal(size=n) > 0.0).astype(np.int64)
    X[rng.random((n, d)) < missing] = np.nan
    features = tuple(f"x{j}" for j in range(d))
    return Rows(X=X, Z=np.nan_to_num(X), y=y, n_classes=2, features=features)


def gates_of(base: type[Any]) -> list[Any]:
    """Return the registered gates that derive from a class, with their defaults."""
    from mlopsim import make
    from mlopsim.core.registry import find, names

    return [make("gate", name) for name in names("gate") if issubclass(find("gate", name), base)]


def scoring_gates() -> list[Any]:
    """Return the gates that score rows or their cells."""
    from mlopsim.quality.batch_gate import BatchGate
    from mlopsim.quality.gate import Gate
    from mlopsim.quality.release_gate import ReleaseGate
    from mlopsim.quality.train_gate import TrainGate

    return [g for g in gates_of(Gate) if not isinstance(g, BatchGate | ReleaseGate | TrainGate)]


def check_ranks(what: str, ours: np.ndarray, theirs: np.ndarray, least: float) -> None:
    """Raise MlopsimError unless the ranks of two scores are correlated at least so much."""
    from scipy.stats import spearmanr

    from mlopsim.core.errors import MlopsimError

    found = float(spearmanr(ours, theirs).statistic)
    if not found >= least:
        raise MlopsimError(
            f"the scores of {what} differ: their ranks are correlated {found:.6f}, not {least}"
        )


def scoring(gate: Any, learned: Any, rows: Any, window: int) -> Callable[[], object]:
    """Return what scores the rows: all in one call, or window by window where that is how they are judged."""
    if gate.known != NOTHING:
        mask = np.isnan(rows.X).any(axis=1)
        return lambda: gate.truth(mask)
    if not gate.by_window:
        return lambda: gate.score(learned, rows)
    parts = [rows.take(slice(start, start + window)) for start in range(0, len(rows), window)]
    return lambda: [gate.score(learned, part) for part in parts]


@measurement
def row_gates(
    *,
    reference: int,
    rows: int,
    window: int,
    d: int,
    missing: float,
    compared: int,
    asked_ratio: dict[str, float],
    least_correlation: dict[str, float],
) -> Iterator[Contest]:
    """Rows scored by every gate that scores rows or cells, against PyOD's decision function."""
    from mlopsim import make
    from mlopsim.core.errors import ConfigError, nearest

    for name in (*asked_ratio, *least_correlation):
        if name not in PYOD:
            raise ConfigError(
                f"PyOD has no gate '{name}'{nearest(name, PYOD)}", remedy=f"one of: {', '.join(PYOD)}"
            )
    known, asked = drawn(reference, d, missing, 1), drawn(rows, d, missing, 2)
    for gate in scoring_gates():
        learned = None if gate.known != NOTHING else gate.learn(known, np.random.default_rng(0))
        ours = scoring(gate, learned, asked, window)
        rival, name = PYOD.get(gate.name), gate.full_name
        reference_work = None
        if rival is not None:
            # by the adapter, which names the remedy where PyOD is missing
            model, _ = make("gate", "pyod", detector=rival).fit(known.Z, np.random.default_rng(0))

            def theirs(model: Any = model) -> object:
                return model.decision_function(asked.Z)

            if gate.name in least_correlation:
                few = asked.take(slice(0, compared))
                alone = [model.decision_function(row[None])[0] for row in few.Z]
                found = gate.score(learned, few)
                check_ranks(gate.name, found, np.array(alone), least_correlation[gate.name])
            reference_work, name = Work(theirs, rows), f"{name}, against PyOD"
        yield Contest(
            name=name,
            unit="rows/s",
            ours=Work(ours, rows),
            reference=reference_work,
            ratio=asked_ratio.get(gate.name),
        )


@measurement
def batch_gates(*, reference: int, windows: int, window: int, d: int, missing: float) -> Iterator[Contest]:
    """Rows of windows that are judged as a whole."""
    from mlopsim.quality.batch_gate import BatchGate

    known = drawn(reference, d, missing, 1)
    batches = [drawn(window, d, missing, 2 + t) for t in range(windows)]
    for gate in gates_of(BatchGate):
        learned = gate.learn(known, np.random.default_rng(0))

        def ours(gate: Any = gate, learned: Any = learned) -> object:
            return [gate.score(learned, batch) for batch in batches]

        yield Contest(
            name=f"{gate.full_name}, windows of {window} rows",
            unit="rows/s",
            ours=Work(ours, windows * window),
        )


@measurement
def train_gates(
    *, rows: int, new: int, trusted: int, d: int, missing: float, learner: Any
) -> Iterator[Contest]:
    """Rows among training rows whose harm to a learner is measured: the last ones, as when they arrive."""
    from mlopsim.quality.train_gate import TrainGate

    train, clean = drawn(rows, d, missing, 1), drawn(trusted, d, missing, 2)
    places = np.arange(rows - new, rows)
    for gate in gates_of(TrainGate):

        def ours(gate: Any = gate) -> object:
            return gate.harm(train, places, clean, learner, np.random.default_rng(0))

        yield Contest(
            name=f"{gate.full_name}, {new} of {rows} training rows",
            unit="rows/s",
            ours=Work(ours, new),
        )


@measurement
def release_gates(*, rows: int, d: int, missing: float, accuracy: float) -> Iterator[Contest]:
    """Verdicts on versions that are as good as the one that serves, on held-out rows."""
    from mlopsim.quality.release_gate import ReleaseGate

    held = drawn(rows, d, missing, 1)
    rng = np.random.default_rng(0)
    new, old = rng.random(rows) < accuracy, rng.random(rows) < accuracy
    groups = rng.integers(2, size=rows)
    for gate in gates_of(ReleaseGate):

        def ours(gate: Any = gate) -> object:
            return gate.verdict(new, old, held, groups)

        yield Contest(name=f"{gate.full_name}, {rows} held-out rows", unit="verdicts/s", ours=Work(ours, 1))
