"""Confident learning's own rules for wrong labels: the confident joint, and pruning by it.

As cleanlab 2 does: ``find_label_issues(labels, chances, filter_by=...)`` with its defaults.
"""

from __future__ import annotations

import numpy as np

#: a probability this close to a threshold, or to the largest one, counts as at it
NEAR = 1e-6


def own_thresholds(chances: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Return the mean probability (C,) of each class among the rows labelled so; infinite where none are.

    Examples
    --------
    >>> own_thresholds(np.array([[0.5, 0.5, 0.0], [0.75, 0.25, 0.0], [0.0, 0.5, 0.5]]), np.array([0, 0, 1]))
    array([0.625, 0.5  ,   inf])
    """
    count = np.bincount(y, minlength=chances.shape[1])
    total = np.bincount(y, weights=chances[np.arange(len(y)), y], minlength=chances.shape[1])
    return np.where(count > 0, np.maximum(total / np.maximum(count, 1), 2.0 * NEAR), np.inf)


def confident_classes(chances: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Return the class that each row confidently is of, int64 (n,); -1: of none.

    Of the classes whose probability reaches the class's threshold, the likeliest.
    """
    reached = chances >= own_thresholds(chances, y) - NEAR
    likeliest = np.where(reached, chances, -np.inf).argmax(axis=1)
    # cleanlab: of several the likeliest class of all, which is one of them but for rounding
    likeliest = np.where(reached.sum(axis=1) > 1, chances.argmax(axis=1), likeliest)
    return np.where(reached.any(axis=1), likeliest, -1).astype(np.int64)


def confident_joint(chances: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Return the estimated counts of labels (rows) and true classes (columns), int64 (C, C).

    Rows are scaled to the counts of the labels, and rounded so that these stay.

    Parameters
    ----------
    chances : ndarray of float64, shape (n, C)
        Class probabilities of models that were not trained on the row.
    y : ndarray of int64, shape (n,)
        Labels.

    References
    ----------
    Northcutt, Jiang and Chuang (2021), *Confident learning: estimating uncertainty in dataset labels*, JAIR
    70, 1373-1411, section 3.

    Examples
    --------
    Six rows labelled 0, of which two confidently are 1; four labelled 1, all of which are. Thresholds: the
    means .6 and .8.

    >>> sure = [0.9, 0.9, 0.9, 0.6, 0.15, 0.15]
    >>> chances = np.array([*([p, 1 - p] for p in sure), *([0.2, 0.8] for _ in range(4))])
    >>> confident_joint(chances, np.array([0] * 6 + [1] * 4)).tolist()
    [[4, 2], [0, 4]]
    """
    classes = chances.shape[1]
    # column by column as in cleanlab, for which sums have their last digit, and ties in rounding their winner
    found, guess = np.zeros((classes, classes), order="F"), confident_classes(chances, y)
    sure = guess >= 0
    np.add.at(found, (y[sure], guess[sure]), 1.0)
    np.fill_diagonal(found, np.maximum(found.diagonal(), 1.0))
    counts = np.bincount(y, minlength=classes)
    found = (found.T / found.sum(axis=1) * counts).T
    return np.array([_rounded(row) for row in found / found.sum() * counts.sum()])


def off_diagonal(chances: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Return the rows that confidently are of another class than their label, bool (n,).

    Examples
    --------
    >>> chances = np.array([[0.9, 0.1], [0.6, 0.4], [0.15, 0.85], [0.2, 0.8]])
    >>> off_diagonal(chances, np.array([0, 0, 0, 1])).tolist()
    [False, False, True, False]
    """
    guess = confident_classes(chances, y)
    found: np.ndarray = (guess >= 0) & (guess != y) & ~_likeliest(chances, y)
    return found


def pruned_by_noise_rate(chances: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Return the rows that pruning by noise rate takes for wrong, bool (n,).

    Of the rows labelled i as many as the joint counts as truly j: those with the largest margin of the
    probabilities of j and i; not those whose label is the likeliest class.

    Examples
    --------
    >>> sure = [0.9, 0.9, 0.9, 0.6, 0.15, 0.15]
    >>> chances = np.array([*([p, 1 - p] for p in sure), *([0.2, 0.8] for _ in range(4))])
    >>> np.flatnonzero(pruned_by_noise_rate(chances, np.array([0] * 6 + [1] * 4))).tolist()
    [4, 5]
    """
    classes = chances.shape[1]
    count = _leaving_one(confident_joint(chances, y))
    found = np.zeros(len(y), dtype=np.bool_)
    for label in range(classes):
        rows = np.flatnonzero(y == label)
        if len(rows) < 2:
            continue
        for other in range(classes):
            if other != label and count[label, other] > 0:
                margin = chances[rows, other] - chances[rows, label]
                found[rows[np.argsort(-margin, kind="stable")[: count[label, other]]]] = True
    pruned: np.ndarray = found & ~_likeliest(chances, y)
    return pruned


def _likeliest(chances: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Return the rows whose label is the likeliest class, or as likely."""
    raised = chances.copy()
    raised[np.arange(len(y)), y] += NEAR
    found: np.ndarray = raised.argmax(axis=1) == y
    return found


def _leaving_one(joint: np.ndarray) -> np.ndarray:
    """Return the joint with at least one row of each label right, what is wrong lowered evenly."""
    diagonal = joint.diagonal()
    kept = np.maximum(diagonal, 1)
    others = np.maximum(np.count_nonzero(joint, axis=1) - 1.0, 1.0)
    # whole rows are pruned, no parts of them
    found = np.maximum(joint - ((kept - diagonal) / others)[:, None], 0.0).astype(np.int64)
    np.fill_diagonal(found, kept)
    return np.asarray(found)


def _rounded(row: np.ndarray) -> np.ndarray:
    """Return whole numbers next to some whose sum is that of them, rounded."""
    found = np.round(row)
    left = int(np.round(row.sum()) - found.sum())
    while left:
        order = np.argsort(row - found)
        chosen = order[::-1][:left] if left > 0 else order[:-left]
        found[chosen] += np.sign(left)
        left = int(np.round(row.sum()) - found.sum())
    return np.asarray(found, dtype=np.int64)
