"""One audit of a user's own data: a model is trained on one part of the rows and audited on the other."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from mlopsim.core.errors import DataError
from mlopsim.core.seeds import digest_words
from mlopsim.core.spec import Spec, make
from mlopsim.core.threads import one_thread
from mlopsim.fairness.evidence import Evidence, Explained
from mlopsim.fairness.explaining import Explaining, lime_values, score_of, shap_values
from mlopsim.fairness.flipping import moved
from mlopsim.learners.base import Model
from mlopsim.learners.encode import Encoder
from mlopsim.streams.layout import branch
from mlopsim.streams.stream import Stream
from mlopsim.streams.tables import Table

#: rows a group at least on either side of the split
FEWEST = 2
#: branches of the seed
SPLIT, TRAIN, BACKGROUND, CHOSEN, DRAWN = range(5)


@dataclass(kw_only=True)
class Subject:
    """A model, the rows that it is audited on, and how it is explained.

    Parameters
    ----------
    table : Table
    model : Model
    evidence : Evidence
        One window.
    columns : ndarray of int64, shape (d',)
        Which feature each column that the model sees comes from.
    trained : int
        Rows that it was trained on.
    """

    table: Table
    model: Model
    evidence: Evidence
    columns: np.ndarray
    trained: int


def split_rows(table: Table, share: float, seed: np.random.SeedSequence, *, ordered: bool) -> np.ndarray:
    """Return the rows in the order in which they are used, int64 (n,): first those to train on.

    Parameters
    ----------
    table : Table
    share : float
        Of the rows to train on.
    seed : numpy.random.SeedSequence
    ordered : bool
        Train on the first rows, audit the last; else the rows are shuffled.
    """
    n = len(table.y)
    if ordered:
        return np.arange(n, dtype=np.int64)
    found: np.ndarray = np.random.default_rng(branch(seed, SPLIT)).permutation(n)
    return found


def prepare(
    table: Table,
    learner: Spec,
    explaining: Explaining,
    seed: np.random.SeedSequence,
    *,
    share: float = 0.6,
    ordered: bool = False,
    most: int = 4000,
) -> Subject:
    """Train a model and show it what it is audited on.

    Parameters
    ----------
    table : Table
        With two classes and a protected group.
    learner : spec of a learner
    explaining : Explaining
        Its ``rows`` are those of LIME.
    seed : numpy.random.SeedSequence
    share : float, default 0.6
        Of the rows to train on.
    ordered : bool, default False
        Train on the first rows instead of rows at random.
    most : int, default 4000
        Rows whose Shapley values are computed: at most so many, as many of each group as possible.

    Returns
    -------
    Subject

    Raises
    ------
    DataError
        If there are not two classes, one group only, or too few rows.
    """
    if len(table.classes) != 2:
        raise DataError(
            f"an audit needs two classes, the label has {len(table.classes)}: {', '.join(table.classes[:6])}",
            remedy="name the one that is wished for with --positive",
        )
    if len(table.groups) < 2:
        raise DataError(
            f"there is one group only: '{table.groups[0]}'", remedy="name a column with two groups or more"
        )
    order = split_rows(table, share, seed, ordered=ordered)
    n, cut = len(order), round(share * len(order))
    if cut < 2 or n - cut < 2:
        raise DataError(f"{n} rows are too few to train on some and audit others", remedy="use more rows")
    stream = Stream(
        X=table.X[order],
        y=table.y[order],
        g=table.g[order],
        bounds=np.array([0, cut, n]),
        warmup=1,
        classes=table.classes,
        features=table.features,
        groups=table.groups,
        categories=dict(table.categories),
        events=None,
    )
    encoder = Encoder.fit(stream)
    Z = encoder.transform(stream.X)
    made: Any = make("learner", learner)
    with one_thread():
        model: Model = made.fit(Z[:cut], stream.y[:cut], 2, branch(seed, TRAIN))
        says = model.predict(Z[:cut])
        decision = model.predict(Z[cut:]) == 1
        score = score_of(model, Z[cut:])
    held, group = Z[cut:], stream.g[cut:]
    rng = np.random.default_rng(branch(seed, BACKGROUND))
    background = Z[rng.choice(cut, size=min(explaining.background, cut), replace=False)]
    evidence = Evidence(
        window=np.zeros(n - cut, dtype=np.int64),
        windows=1,
        group=group,
        groups=table.groups,
        decision=decision,
        score=score,
        X=held,
        features=encoder.names,
        observed=stream.y[cut:],
        trained=np.bincount(2 * stream.y[:cut] + says, minlength=4).reshape(1, 2, 2),
        explain=partial(_explain, model, held, group, background, explaining, seed, most),
        flip=partial(_flip, model, held, group, len(table.groups)),
        known=_known(model, Z[:cut], background, seed, most),
    )
    return Subject(table=table, model=model, evidence=evidence, columns=encoder.source, trained=cut)


def chosen(group: np.ndarray, groups: int, most: int, rng: np.random.Generator) -> np.ndarray:
    """Return at most so many rows, as many of each group as possible, rising int64.

    Examples
    --------
    >>> group = np.repeat([0, 1], [90, 10])
    >>> np.bincount(group[chosen(group, 2, 40, np.random.default_rng(0))]).tolist()
    [30, 10]
    """
    left, parts = most, []
    # small groups first: what they leave goes to the others
    order = sorted(range(groups), key=lambda g: int((group == g).sum()))
    for k, g in enumerate(order):
        rows = np.flatnonzero(group == g)
        count = min(len(rows), left // (groups - k))
        left -= count
        parts.append(rng.choice(rows, size=count, replace=False) if count < len(rows) else rows)
    found: np.ndarray = np.sort(np.concatenate(parts)).astype(np.int64)
    return found


def _explain(
    model: Model,
    X: np.ndarray,
    group: np.ndarray,
    background: np.ndarray,
    explaining: Explaining,
    seed: np.random.SeedSequence,
    most: int,
    name: str,
    repeat: int,
) -> Explained:
    rng = np.random.default_rng(branch(seed, CHOSEN))
    size = most if name == "shap" else explaining.rows
    rows = chosen(group, int(group.max()) + 1, size, rng)
    drawn = np.random.default_rng(branch(seed, DRAWN, repeat))
    with one_thread():
        if name == "shap":
            values = shap_values(model, X[rows], background, drawn)
        else:
            values = lime_values(model, X[rows], background, explaining.samples, drawn)
    return Explained(rows=rows, values=values)


def _known(
    model: Model, X: np.ndarray, background: np.ndarray, seed: np.random.SeedSequence, most: int
) -> np.ndarray:
    """Return mean absolute Shapley values of rows that the model was trained on, float64 (1, d')."""
    rng = np.random.default_rng(branch(seed, CHOSEN, 1))
    rows = np.sort(rng.choice(len(X), size=min(most, len(X)), replace=False))
    with one_thread():
        values = shap_values(model, X[rows], background, rng)
    found: np.ndarray = np.abs(values).mean(axis=0)[None]
    return found


def _flip(model: Model, X: np.ndarray, group: np.ndarray, groups: int) -> tuple[np.ndarray, np.ndarray]:
    other = moved(X, group, np.array([0, len(X)]), groups)
    with one_thread():
        return model.predict(other) == 1, score_of(model, other)


def permuted(evidence: Evidence, name: str, rounds: int, rng: np.random.Generator) -> Evidence:
    """Return the rows of a window that have an explanation, with the groups shuffled in each of many rounds.

    What an audit finds in them is what it would find if groups did not matter.

    Parameters
    ----------
    evidence : Evidence
        Of one window.
    name : str
        The explanation, ``shap`` or ``lime``.
    rounds : int
        Windows of the result.
    rng : Generator
    """
    found = evidence.explained(name)
    m = len(found.rows)
    tile: Callable[[np.ndarray], np.ndarray] = lambda a: np.concatenate([a[found.rows]] * rounds)  # noqa: E731
    group = rng.permuted(np.tile(evidence.group[found.rows], (rounds, 1)), axis=1).ravel()
    values = np.tile(found.values, (rounds, 1))
    return Evidence(
        window=np.repeat(np.arange(rounds), m),
        windows=rounds,
        group=group,
        groups=evidence.groups,
        decision=tile(evidence.decision),
        score=tile(evidence.score),
        X=tile(evidence.X),
        features=evidence.features,
        observed=tile(evidence.observed),
        trained=np.repeat(evidence.trained, rounds, axis=0),
        explain=lambda name, repeat: Explained(rows=np.arange(rounds * m), values=values),
    )


def summed(values: np.ndarray, columns: np.ndarray, features: int) -> np.ndarray:
    """Return attributions of features (n, d) from those of the columns (n, d') that stand for them.

    Examples
    --------
    >>> summed(np.array([[1.0, 2.0, 4.0]]), np.array([0, 1, 1]), 2)
    array([[1., 6.]])
    """
    found = np.zeros((len(values), features))
    np.add.at(found.T, columns, values.T)
    return found


def audit_seed(seed: np.random.SeedSequence, digest: str) -> np.random.SeedSequence:
    """Return the seed of one audit; it depends on no other."""
    return branch(seed, *digest_words(digest))
