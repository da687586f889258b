"""Features that are the group, or say which group a row is of: what their attributions tell is no finding."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from mlopsim.fairness.evidence import Evidence, Explained
from mlopsim.fairness.rates import LEAST


def value_groups(column: np.ndarray, group: np.ndarray) -> tuple[int, int, int]:
    """Return how many values a feature has, how many groups there are, and how many pairs of these occur.

    As many pairs as groups: the feature is a function of the group. As many as values: a division of it.

    Examples
    --------
    >>> value_groups(np.array([0.0, 0.0, 1.0, 2.0]), np.array([0, 0, 1, 1]))
    (3, 2, 3)
    """
    values, which = np.unique(column, return_inverse=True)
    pairs = np.unique(np.stack([which.reshape(len(group)), group]), axis=1)
    return len(values), len(np.unique(group)), pairs.shape[1]


def group_features(X: np.ndarray, group: np.ndarray) -> list[int]:
    """Return the features that are the group itself, a function of it, or a finer division of it.

    Of the first two each group has one value. In the last each value has rows of one group only, and values
    repeat: an own number for each row divides everything and is left alone, see ``LEAST``. A model makes
    something of such a feature by chance, and its attributions then tell the groups apart without error,
    whatever they are worth.

    Parameters
    ----------
    X : ndarray of float64, shape (n, d)
        Categories as codes; NaN is a value of its own.
    group : ndarray of int64, shape (n,)

    Returns
    -------
    list of int
        Rising. A feature with one value is none of them.

    Examples
    --------
    >>> group = np.repeat([0, 1, 2], 20)
    >>> first, finer = (group == 0).astype(float), 2.0 * group + np.tile([0.0, 1.0], 30)
    >>> group_features(np.stack([group, first, finer, finer // 4, np.arange(60)], axis=1), group)
    [0, 1, 2, 3]
    >>> group_features(np.tile([0.0, 1.0], 30)[:, None], group)
    []
    """
    found = []
    for j in range(X.shape[1]):
        values, groups, pairs = value_groups(X[:, j], group)
        if values > 1 and (pairs == groups or pairs == values <= len(group) / LEAST):
            found.append(j)
    return found


def dealt(Z: np.ndarray, columns: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return rows (n, d) of which some columns, taken together, are dealt out among the rows by chance.

    What a model then says of other columns does not depend on who is in which group: where the group is a
    coin toss, groups are alike in it.

    Parameters
    ----------
    Z : ndarray of float64, shape (n, d)
    columns : ndarray of bool, shape (d,)
    rng : Generator

    Examples
    --------
    >>> dealt(np.arange(6.0).reshape(3, 2), np.array([False, True]), np.random.default_rng(0))
    array([[0., 5.],
           [2., 1.],
           [4., 3.]])
    """
    out = Z.copy()
    out[:, columns] = Z[rng.permutation(len(Z))][:, columns]
    return out


def without(
    evidence: Evidence, apart: np.ndarray, explain: Callable[[str, int], Explained] | None = None
) -> Evidence:
    """Return what audits see without some of the features.

    Parameters
    ----------
    evidence : Evidence
    apart : ndarray of bool, shape (d,)
        Features that are left out.
    explain : callable, optional
        Gives attributions of all d features; default: as of the evidence.

    Examples
    --------
    >>> from mlopsim.fairness.made_up_evidence import sample
    >>> seen = without(sample(windows=1), np.array([True, False, False, False]))
    >>> seen.features, seen.X.shape, seen.explained("shap").values.shape
    (('x1', 'x2', 'x3'), (400, 3), (400, 3))
    """
    kept = ~apart
    source = evidence.explained if explain is None else explain

    def others(name: str, repeat: int) -> Explained:
        found = source(name, repeat)
        return Explained(rows=found.rows, values=found.values[:, kept])

    return replace(
        evidence,
        X=evidence.X[:, kept],
        features=tuple(name for name, keep in zip(evidence.features, kept.tolist(), strict=True) if keep),
        explain=others if evidence.explain is not None else None,
        known=None if evidence.known is None else evidence.known[:, kept],
        _explained={},
    )
