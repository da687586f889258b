"""Made-up evidence: what examples and contract checks show to audits."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import numpy as np

from mlopsim.fairness.evidence import Evidence, Explained
from mlopsim.fairness.flipping import moved

#: the model: what it weighs features with, and what it asks for
WEIGHTS = np.array([0.8, 0.5, 0.3, 0.0])
BAR = 0.4
NOISE = 0.5
#: rows of each window and group that the stand-in for LIME explains
EXPLAINED = 25


def sample(
    *,
    seed: int = 0,
    windows: int = 2,
    per_group: int = 200,
    groups: int = 2,
    shift: float = 0.0,
    since: int = 0,
) -> Evidence:
    """Return rows of a linear model, whose attributions are known: ``w x`` (features have mean 0).

    Labels follow merits, which are alike in all groups. From some window on the first merit of the last group
    is measured too low.

    Parameters
    ----------
    seed : int, default 0
    windows : int, default 2
    per_group : int, default 200
        Rows of each group of a window.
    groups : int, default 2
    shift : float, default 0.0
        What is taken off, in standard deviations.
    since : int, default 0
        First window in which it is.

    Examples
    --------
    >>> found = sample(shift=1.0)
    >>> found.count(found.decision).tolist()
    [[64, 25], [62, 27]]
    """
    rng = np.random.default_rng([41, seed])
    d, n = len(WEIGHTS), windows * groups * per_group
    merit, noise = rng.normal(size=(n, d)), rng.normal(size=n)
    window = np.repeat(np.arange(windows), groups * per_group)
    group = rng.permuted(np.tile(np.arange(groups * per_group) % groups, (windows, 1)), axis=1).ravel()
    X = merit.copy()
    X[:, 0] -= shift * ((group == groups - 1) & (window >= since))
    learnt, errors = rng.normal(size=(3000, d)), rng.normal(size=3000)
    promised = 2 * _labels(learnt, errors) + (learnt @ WEIGHTS > BAR)
    y = _labels(merit, noise)
    return evidence_of(
        X=X,
        window=window,
        windows=windows,
        group=group,
        groups=groups,
        y=y,
        trained=np.tile(np.bincount(promised, minlength=4).reshape(2, 2), (windows, 1, 1)),
    )


def _labels(merit: np.ndarray, noise: np.ndarray) -> np.ndarray:
    found: np.ndarray = (merit @ WEIGHTS + NOISE * noise > BAR).astype(np.int64)
    return found


def evidence_of(
    *,
    X: np.ndarray,
    window: np.ndarray,
    windows: int,
    group: np.ndarray,
    groups: int,
    y: np.ndarray,
    trained: np.ndarray,
    weights: np.ndarray = WEIGHTS,
    bar: float = BAR,
) -> Evidence:
    """Return what audits see of rows that a linear model decides about.

    Parameters
    ----------
    X : ndarray of float64, shape (n, d)
    window, group, y : ndarray of int64, shape (n,)
        ``y`` are both the observed and the true labels.
    windows, groups : int
    trained : ndarray of int64, shape (T, 2, 2)
    weights : ndarray of float64, shape (d,)
    bar : float
    """
    score = X @ weights - bar
    bounds = np.searchsorted(window, np.arange(windows + 1))

    def flip() -> tuple[np.ndarray, np.ndarray]:
        changed = moved(X, group, bounds, groups) @ weights - bar
        return changed > 0.0, changed

    return Evidence(
        window=window,
        windows=windows,
        group=group,
        groups=tuple("abcdefgh"[:groups]),
        decision=score > 0.0,
        score=score,
        X=X,
        features=tuple(f"x{j}" for j in range(X.shape[1])),
        observed=y,
        true=y.copy(),
        trained=trained,
        explain=explain(X * weights, window * groups + group),
        flip=flip,
        # the mean of the absolute value of a standard normal feature, times its weight
        known=np.tile(np.abs(weights) * np.sqrt(2.0 / np.pi), (windows, 1)),
    )


def explain(values: np.ndarray, place: np.ndarray) -> Callable[[str, int], Explained]:
    """Return a source of explanations: of all rows, or for LIME of the first rows of each place.

    Parameters
    ----------
    values : ndarray of float64, shape (n, d)
    place : ndarray of int64, shape (n,)
        Number of the window and group of each row.
    """

    def found(name: str, repeat: int) -> Explained:
        if name == "shap":
            return Explained(rows=np.arange(len(values)), values=values)
        order = np.argsort(place, kind="stable")
        counts = np.bincount(place, minlength=1)
        rank = np.arange(len(place)) - np.repeat(np.cumsum(counts) - counts, counts)
        rows = np.sort(order[rank < EXPLAINED])
        return Explained(rows=rows, values=values[rows])

    return found


def taken(
    evidence: Evidence, rows: np.ndarray, windows: np.ndarray | None = None, names: np.ndarray | None = None
) -> Evidence:
    """Return some rows in another order, their explanations with them.

    Parameters
    ----------
    evidence : Evidence
    rows : ndarray of int64, shape (m,)
        In the order of their windows.
    windows : ndarray of int64, shape (T',), or None
        Windows that are kept, rising; all other rows must be left out. None: all.
    names : ndarray of int64, shape (G,), or None
        New number of each group; None: they keep it.
    """
    kept = np.arange(evidence.windows) if windows is None else windows
    names = np.arange(evidence.n_groups) if names is None else names

    def explained(name: str, repeat: int) -> Explained:
        found = evidence.explained(name, repeat)
        at = np.full(len(evidence.window), -1)
        at[found.rows] = np.arange(len(found.rows))
        places = np.flatnonzero(at[rows] >= 0)
        return Explained(rows=places, values=found.values[at[rows[places]]])

    def flip() -> tuple[np.ndarray, np.ndarray]:
        decision, score = evidence.flipped()
        return decision[rows], score[rows]

    return Evidence(
        window=np.searchsorted(kept, evidence.window[rows]),
        windows=len(kept),
        group=names[evidence.group[rows]],
        groups=tuple(evidence.groups[g] for g in np.argsort(names)),
        decision=evidence.decision[rows],
        score=evidence.score[rows],
        X=evidence.X[rows],
        features=evidence.features,
        observed=evidence.observed[rows],
        true=None if evidence.true is None else evidence.true[rows],
        trained=evidence.trained[kept],
        explain=explained if evidence.explain else None,
        flip=flip if evidence.flip else None,
        known=None if evidence.known is None else evidence.known[kept],
    )


def constant(evidence: Evidence, window: int) -> Evidence:
    """Return the same rows, the model of one window saying the same of all."""
    inside = evidence.window == window

    def explained(name: str, repeat: int) -> Explained:
        found = evidence.explained(name, repeat)
        return Explained(rows=found.rows, values=np.where(inside[found.rows][:, None], 0.0, found.values))

    def flip() -> tuple[np.ndarray, np.ndarray]:
        decision, score = evidence.flipped()
        return decision & ~inside, np.where(inside, -BAR, score)

    return dataclasses.replace(
        evidence,
        decision=evidence.decision & ~inside,
        score=np.where(inside, -BAR, evidence.score),
        explain=explained,
        flip=flip,
        _explained={},
    )


def poor(window: int = 1) -> dict[str, Evidence]:
    """Return evidence of three windows, one of which is not enough, by what is wrong with it.

    Examples
    --------
    >>> [len(evidence.window) for evidence in poor().values()]
    [1200, 800, 801, 1000, 1001, 1200, 1200, 1200]
    """
    whole = sample(seed=7, windows=3)
    n, inside = len(whole.window), whole.window == window
    other = np.flatnonzero(inside & (whole.group == 1))
    one = np.flatnonzero(inside)
    unlabelled = dataclasses.replace(whole, observed=whole.observed.copy(), _explained={})
    unlabelled.observed[other] = 0
    unlabelled.true = unlabelled.observed.copy()
    alike = dataclasses.replace(whole, observed=whole.observed.copy(), _explained={})
    alike.observed[inside] = 0
    alike.true = alike.observed.copy()
    everything = np.arange(n)
    return {
        "nothing wrong": whole,
        "no rows": taken(whole, np.delete(everything, one)),
        "one row": taken(whole, np.delete(everything, one[1:])),
        "one group": taken(whole, np.delete(everything, other)),
        "a group of one row": taken(whole, np.delete(everything, other[1:])),
        "a constant model": constant(whole, window),
        "no label of class 1 in a group": unlabelled,
        "no label of class 1": alike,
    }
