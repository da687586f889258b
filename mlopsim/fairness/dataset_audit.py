"""One audit of a user's own data: a model is trained on one part of the rows and audited on the other."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np

from mlopsim.core.errors import DataError
from mlopsim.core.spec import Spec, make
from mlopsim.core.threads import one_thread
from mlopsim.fairness.audit import Audit, Source
from mlopsim.fairness.copied_rows import Copies, Split, folds, split_rows
from mlopsim.fairness.evidence import Evidence, Explained
from mlopsim.fairness.explaining import Explaining, lime_values, score_of, shap_values
from mlopsim.fairness.flipping import flipped_rows
from mlopsim.fairness.group_columns import dealt, group_features, without
from mlopsim.fairness.group_copies import Copy, group_copies
from mlopsim.fairness.trained_again import Again
from mlopsim.learners.base import Model
from mlopsim.learners.encode import Encoder
from mlopsim.streams.files.tables import Table
from mlopsim.streams.layout import branch
from mlopsim.streams.stream import Stream

#: branches of the seed
SPLIT, TRAIN, BACKGROUND, CHOSEN, DRAWN, FOLDS, APART = range(7)
#: parts of the training rows, each left out once: what the model promises
PARTS = 5


@dataclass(kw_only=True)
class Subject:
    """A model, the rows that it is audited on, and how it is explained.

    Parameters
    ----------
    table : Table
    model : Model
    evidence : Evidence
        One window; its features are the d' columns that the model sees.
    features : Evidence
        The same rows; its features are the d of the data: attributions of the columns of one are added up.
    trained : int
        Rows that it was trained on.
    split : Split, or None
        Which rows it was trained on, and what became of rows that are equal; None: it is not known.
    told : ndarray of float64, shape (d,), or None
        How well each feature tells some group from all others, see
        :func:`mlopsim.fairness.group_copies.group_copies`.
    copies : tuple of Copy
        Features that are copies of the group, itself included.
    apart : tuple of str
        Features that tell the group without error (see
        :func:`mlopsim.fairness.group_columns.group_features`). Audits that compare inputs or explanations of
        groups do not see them.
    columns, others : Evidence, or None
        What those audits see instead of ``evidence`` and ``features``: without the features that are set
        apart, which are dealt out among the rows by chance before anything is explained. None: no feature is.
    again : Again or None
        How the model is trained again on dealt rows, for audits of decisions and scores. None: no feature is
        set apart.
    """

    table: Table
    model: Model
    evidence: Evidence
    features: Evidence
    trained: int
    split: Split | None = None
    told: np.ndarray | None = None
    copies: tuple[Copy, ...] = ()
    apart: tuple[str, ...] = ()
    columns: Evidence | None = None
    others: Evidence | None = None
    again: Again | None = None

    def sets_apart(self, audit: Audit) -> bool:
        """Say whether features that tell the group are kept from an audit."""
        compares = audit.keeps_inputs or bool(audit.needs & {Source.SHAP, Source.LIME})
        return bool(self.apart) and audit.by_group and compares

    def seen_by(self, audit: Audit) -> Evidence:
        """Return what an audit looks at: features if it needs attributions, else columns.

        A slice of a column says of one category what a slice of codes cannot.
        """
        explained = bool(audit.needs & {Source.SHAP, Source.LIME})
        chosen = self.features if explained else self.evidence
        if self.sets_apart(audit):
            other = self.others if explained else self.columns
            assert other is not None
            return other
        return chosen


def prepare(
    table: Table,
    learner: Spec,
    explaining: Explaining,
    seed: np.random.SeedSequence,
    *,
    share: float = 0.6,
    ordered: bool = False,
    copies: Copies = Copies.TOGETHER,
    most: int = 4000,
) -> Subject:
    """Train a model and show it what it is audited on.

    Rows that are equal in every feature stay on one side of the split unless they are said to be other
    people: a model knows by heart what is said of a copy, and the audit would be of its memory.

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
    copies : Copies, default together
        Where rows go that are equal in every feature.
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
    rng = np.random.default_rng(branch(seed, SPLIT))
    split = split_rows(table.X, share, rng, ordered=ordered, copies=copies)
    order, cut = split.order, split.cut
    same = split.same[:cut] if copies is Copies.TOGETHER else None
    n = len(order)
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
        with _learning(made, stream.y[:cut]):
            model: Model = made.fit(Z[:cut], stream.y[:cut], 2, branch(seed, TRAIN))
            decision = model.predict(Z[cut:]) == 1
        says = left_out(made, Z[:cut], stream.y[:cut], seed, same)
        score = score_of(model, Z[cut:])
    held, group = Z[cut:], stream.g[cut:]
    rng = np.random.default_rng(branch(seed, BACKGROUND))
    background = Z[rng.choice(cut, size=min(explaining.background, cut), replace=False)]
    explain = partial(_explain, model, held, group, background, explaining, seed, most)
    known = _known(model, Z[:cut], background, seed, most)
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
        explain=explain,
        flip=partial(_flip, model, held, group, len(table.groups), encoder),
        known=np.abs(known).mean(axis=0)[None],
    )
    d = len(table.features)

    def by_feature(name: str, repeat: int) -> Explained:
        found = evidence.explained(name, repeat)
        return Explained(rows=found.rows, values=summed(found.values, encoder.source, d))

    features = replace(
        evidence,
        X=_values(held, encoder, d),
        features=table.features,
        explain=by_feature,
        known=np.abs(summed(known, encoder.source, d)).mean(axis=0)[None],
        _explained={},
    )
    told, telling = group_copies(table.X[order], stream.g, cut, table.features, table.groups)
    subject = Subject(
        table=table,
        model=model,
        evidence=evidence,
        features=features,
        trained=cut,
        split=split,
        told=told,
        copies=tuple(telling),
    )
    apart = np.isin(np.arange(d), group_features(table.X, table.g))
    if not apart.any():
        return subject
    y = stream.y[:cut]

    def train(rows: np.ndarray, seed: np.random.SeedSequence) -> Model:
        with _learning(made, y):
            found: Model = made.fit(rows, y, 2, seed)
        return found

    telling_columns = apart[encoder.source]
    drawn = dealt(held, telling_columns, np.random.default_rng(branch(seed, APART)))
    again = partial(_explain, model, drawn, group, background, explaining, seed, most)

    def unaware(name: str, repeat: int) -> Explained:
        found = again(name, repeat)
        return Explained(rows=found.rows, values=summed(found.values, encoder.source, d))

    return replace(
        subject,
        apart=tuple(name for name, told in zip(table.features, apart.tolist(), strict=True) if told),
        columns=without(evidence, telling_columns),
        others=without(features, apart, unaware),
        again=Again(train=train, known=Z[:cut], held=held, columns=telling_columns, evidence=evidence),
    )


def left_out(
    learner: Any,
    X: np.ndarray,
    y: np.ndarray,
    seed: np.random.SeedSequence,
    same: np.ndarray | None = None,
) -> np.ndarray:
    """Return what is said of each training row by a model that was trained on the others, int64 (n,).

    By five-fold cross-validation, of as many folds as rows at most, each with its share of both labels. What
    a model says of the very rows that it was trained on is too good to be a promise.

    Parameters
    ----------
    learner : Learner
    X : ndarray of float64, shape (n, d)
    y : ndarray of int64, shape (n,)
        0 or 1.
    seed : numpy.random.SeedSequence
    same : ndarray of int64, shape (n,), or None
        Rows with one number are copies and are left out together; None: there are none.

    Raises
    ------
    DataError
        If the learner cannot be trained on so few rows.

    Examples
    --------
    >>> from mlopsim.core.spec import make
    >>> rng = np.random.default_rng(0)
    >>> X, y = rng.normal(size=(2000, 3)), rng.integers(0, 2, 2000)
    >>> tree = make("learner", {"tree": {"max_depth": 20, "min_samples_leaf": 1}})
    >>> seed = np.random.SeedSequence(0)
    >>> said = tree.fit(X, y, 2, seed).predict(X), left_out(tree, X, y, seed)
    >>> [round(float((labels == y).mean()), 1) for labels in said]
    [1.0, 0.5]
    """
    rng = np.random.default_rng(branch(seed, FOLDS))
    fold = folds(y, np.arange(len(y)) if same is None else same, PARTS, rng)
    found = np.empty(len(y), dtype=np.int64)
    for k in range(int(fold.max()) + 1):
        out = fold == k
        with _learning(learner, y[~out]):
            model: Model = learner.fit(X[~out], y[~out], 2, branch(seed, FOLDS, k))
            found[out] = model.predict(X[out])
    return found


@contextmanager
def _learning(learner: Any, y: np.ndarray) -> Iterator[None]:
    """Turn what a learner cannot do with the rows of these labels into an error with a remedy."""
    try:
        yield
    except ValueError as error:
        raise DataError(
            f"{learner.full_name} cannot be trained on {len(y)} rows, {int(y.sum())} of class 1: {error}",
            remedy="more rows, a larger --share or another learner; four fifths of the training rows must do",
        ) from error


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
    """Return Shapley values of rows that the model was trained on, float64 (m, d')."""
    rng = np.random.default_rng(branch(seed, CHOSEN, 1))
    rows = np.sort(rng.choice(len(X), size=min(most, len(X)), replace=False))
    with one_thread():
        return shap_values(model, X[rows], background, rng)


def _values(Z: np.ndarray, encoder: Encoder, features: int) -> np.ndarray:
    """Return one number for each feature, float64 (n, d): as the model sees it, or the place of its category.

    Of the categories that the model knows; 0 for all others.
    """
    found = np.zeros((len(Z), features))
    for j in range(features):
        columns = np.flatnonzero(encoder.source == j)
        numeric = bool(np.isnan(encoder.code[columns]).all())
        found[:, j] = Z[:, columns[0]] if numeric else Z[:, columns] @ np.arange(1.0, len(columns) + 1.0)
    return found


def _flip(
    model: Model, Z: np.ndarray, group: np.ndarray, groups: int, encoder: Encoder
) -> tuple[np.ndarray, np.ndarray]:
    """Return decision and score of rows as if they belonged to another group, see `flipped_rows`."""
    with one_thread():
        other = flipped_rows(Z, group, groups, encoder.source, score_of(model, Z))
        return model.predict(other) == 1, score_of(model, other)


def regrouped(
    evidence: Evidence,
    rows: np.ndarray,
    values: np.ndarray | None,
    group: np.ndarray,
    *,
    inputs: bool = False,
) -> Evidence:
    """Return some rows of a window again and again, each time with other groups.

    What an audit finds in rows whose groups are shuffled is what it would find if groups did not matter.

    Parameters
    ----------
    evidence : Evidence
        Of one window.
    rows : ndarray of int64, shape (m,)
        Rising.
    values : ndarray of float64, shape (m, d), or None
        Attributions of these rows, whatever they are called.
    group : ndarray of int64, shape (R, m)
        Groups in each of R windows of the result.
    inputs : bool, default False
        Whether the features are kept; else the result has as many as there are attributions, all 0.

    Examples
    --------
    >>> from mlopsim.fairness.made_up_evidence import sample
    >>> regrouped(sample(windows=1), np.arange(4), None, np.array([[0, 0, 1, 1], [0, 1, 1, 1]])).rows
    array([[2, 2],
           [1, 3]])
    """
    (rounds, m), d = group.shape, 0 if values is None else values.shape[1]
    shared = np.zeros((m, 0)) if values is None else values
    kept = evidence.X[rows] if inputs else np.zeros((m, d))

    def again(array: np.ndarray) -> np.ndarray:
        return np.tile(array, (rounds, *[1] * (array.ndim - 1)))

    found = Evidence(
        window=np.repeat(np.arange(rounds), m),
        windows=rounds,
        group=group.ravel(),
        groups=evidence.groups,
        decision=again(evidence.decision[rows]),
        score=again(evidence.score[rows]),
        X=again(kept),
        features=evidence.features[: kept.shape[1]],
        observed=again(evidence.observed[rows]),
        trained=np.repeat(evidence.trained, rounds, axis=0),
        explain=lambda name, repeat: Explained(rows=np.arange(rounds * m), values=again(shared)),
    )
    # effect sizes are in units of all rows, however many of them are explained
    found.spread = np.repeat(evidence.spread, rounds)
    return found


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
