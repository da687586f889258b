"""Interventional Shapley values of trees and of sums of trees, exact for any background.

The output is what the trees add up to: the probability of the class for a decision tree or a forest, the
margin (decision function) for boosting.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from mlopsim.core.errors import ConfigError, DataError, MissingExtraError, MlopsimError
from mlopsim.explain.output import Output

#: classes of scikit-learn by what they add up to
AVERAGED = ("RandomForestClassifier", "ExtraTreesClassifier")
SINGLE = ("DecisionTreeClassifier", "ExtraTreeClassifier")
BOOSTED = ("GradientBoostingClassifier", "HistGradientBoostingClassifier")
#: largest difference between attributions and output, relative to the largest output: ours, and shap's
#: float32
CLOSE, CLOSE_SHAP = 1e-8, 1e-5


@dataclass(frozen=True, kw_only=True)
class Trees:
    """Trees whose values add up to an output, node after node.

    Parameters
    ----------
    left, right : ndarray of int64, shape (N,)
        Children of each node, -1 for a leaf; a row goes left if ``x[feature] <= threshold``.
    feature : ndarray of int64, shape (N,)
    threshold, value : ndarray of float64, shape (N,)
        Values count at leaves; the sum over the trees is the output up to a constant.
    roots : ndarray of int64, shape (trees,)
    rounds : bool
        Whether the model rounds rows to float32 before it compares (all of scikit-learn's trees but the
        histogram-based ones).
    """

    left: np.ndarray
    right: np.ndarray
    feature: np.ndarray
    threshold: np.ndarray
    value: np.ndarray
    roots: np.ndarray
    rounds: bool


def output_kind(estimator: Any) -> Output | None:
    """Return what the trees of a scikit-learn estimator add up to; None if it is not made of trees.

    Examples
    --------
    >>> from sklearn.tree import DecisionTreeClassifier
    >>> output_kind(DecisionTreeClassifier())
    <Output.PROBABILITY: 'probability'>
    """
    name = type(estimator).__name__
    if not type(estimator).__module__.startswith("sklearn."):
        return None
    if name in (*SINGLE, *AVERAGED):
        return Output.PROBABILITY
    return Output.MARGIN if name in BOOSTED else None


def trees_of(estimator: Any, label: int) -> Trees | None:
    """Return the trees of a fitted scikit-learn estimator for one class.

    Parameters
    ----------
    estimator : object
        Of a class for which :func:`output_kind` is not None.
    label : int
        The class.

    Returns
    -------
    Trees or None
        None where training saw no row of the class: its output is constant.

    Raises
    ------
    ConfigError
        For trees with categorical splits.
    """
    name = type(estimator).__name__
    place = np.flatnonzero(estimator.classes_ == label)
    if not len(place):
        return None
    c = int(place[0])
    if name == "HistGradientBoostingClassifier":
        return _histogram(estimator, c)
    if name == "GradientBoostingClassifier":
        column, sign = _column(c, estimator.estimators_.shape[1])
        trees = [each.tree_ for each in estimator.estimators_[:, column]]
        scale = sign * float(estimator.learning_rate)
        values = [scale * tree.value[:, 0, 0] for tree in trees]
    else:
        trees = [estimator.tree_] if name in SINGLE else [each.tree_ for each in estimator.estimators_]
        values = [tree.value[:, 0, c] / len(trees) for tree in trees]
    return _joined(
        [tree.children_left for tree in trees],
        [tree.children_right for tree in trees],
        [tree.feature for tree in trees],
        [tree.threshold for tree in trees],
        values,
        rounds=True,
    )


def _column(c: int, columns: int) -> tuple[int, float]:
    """Return the column of margins of a class, and its sign: of two classes there is one column."""
    return (0, 1.0 if c == 1 else -1.0) if columns == 1 else (c, 1.0)


def _histogram(estimator: Any, c: int) -> Trees:
    column, sign = _column(c, len(estimator._predictors[0]))
    # scikit-learn has no public way to these trees
    nodes = [each[column].nodes for each in estimator._predictors]
    leaf = [part["is_leaf"].astype(bool) for part in nodes]
    if any(
        (part["is_categorical"].astype(bool) & ~ends).any() for part, ends in zip(nodes, leaf, strict=True)
    ):
        raise ConfigError(
            "trees with categorical splits cannot be explained exactly",
            remedy="encode categories as indicators, or use the explainer permutation",
        )
    return _joined(
        [np.where(ends, -1, part["left"].astype(np.int64)) for part, ends in zip(nodes, leaf, strict=True)],
        [np.where(ends, -1, part["right"].astype(np.int64)) for part, ends in zip(nodes, leaf, strict=True)],
        [part["feature_idx"] for part in nodes],
        [part["num_threshold"] for part in nodes],
        [sign * part["value"] for part in nodes],
        rounds=False,
    )


def _joined(
    left: list[np.ndarray],
    right: list[np.ndarray],
    feature: list[np.ndarray],
    threshold: list[np.ndarray],
    value: list[np.ndarray],
    *,
    rounds: bool,
) -> Trees:
    sizes = np.array([len(part) for part in left])
    roots = np.concatenate([[0], np.cumsum(sizes)[:-1]]).astype(np.int64)
    shift = np.repeat(roots, sizes)
    children = [np.concatenate(side).astype(np.int64) for side in (left, right)]
    return Trees(
        left=np.where(children[0] >= 0, children[0] + shift, -1),
        right=np.where(children[1] >= 0, children[1] + shift, -1),
        feature=np.concatenate(feature).astype(np.int64),
        threshold=np.concatenate(threshold).astype(np.float64),
        value=np.concatenate(value).astype(np.float64),
        roots=roots,
        rounds=rounds,
    )


def rounded(X: np.ndarray) -> np.ndarray:
    """Return rows rounded to float32, as float64.

    Examples
    --------
    >>> float(rounded(np.array([[0.1]]))[0, 0])
    0.10000000149011612
    """
    return X.astype(np.float32).astype(np.float64)


@cache
def weights(longest: int) -> np.ndarray:
    """Return ``(a-1)! b! / (a+b)!`` for ``a >= 1`` and ``a + b <= longest``, else 0.

    Examples
    --------
    >>> weights(2)
    array([[0. , 0. , 0. ],
           [1. , 0.5, 0. ],
           [0.5, 0. , 0. ]])
    """
    weight = np.zeros((longest + 1, longest + 1))
    for a in range(1, longest + 1):
        for b in range(longest + 1 - a):
            weight[a, b] = 1.0 / (a * math.comb(a + b, a))
    weight.flags.writeable = False
    return weight


def attribute(trees: Trees, X: np.ndarray, background: np.ndarray) -> np.ndarray:
    """Return the exact interventional Shapley values of the sum of trees.

    For each leaf, rows and background rows are reduced to which conditions of its path they fulfil; time
    grows with ``(n + m) leaves`` and not with ``n m leaves``.

    Parameters
    ----------
    trees : Trees
    X : ndarray of float64, shape (n, d)
        Rows.
    background : ndarray of float64, shape (m, d)
        At least one row; all are used.

    Returns
    -------
    ndarray of float64, shape (n, d)
        They add up to the sum of trees minus its mean over the background.

    Raises
    ------
    ConfigError
        If a path asks for more than 62 features.

    References
    ----------
    Lundberg et al. (2020), *From local explanations to global understanding with explainable AI for trees*,
    Nature Machine Intelligence 2, 56-67 (algorithm 3, of which this is another order of summation).

    Examples
    --------
    >>> stump = Trees(left=np.array([1, -1, -1]), right=np.array([2, -1, -1]), feature=np.array([0, -2, -2]),
    ...     threshold=np.array([0.0, 0.0, 0.0]), value=np.array([0.0, 1.0, 3.0]), roots=np.array([0]),
    ...     rounds=False)
    >>> attribute(stump, np.array([[1.0, 9.0], [-1.0, 9.0]]), np.array([[-1.0, 0.0], [-2.0, 0.0]]))
    array([[2., 0.],
           [0., 0.]])
    """
    from mlopsim.explain.kernels import boxes

    if trees.rounds:
        X, background = rounded(X), rounded(background)
    d = X.shape[1]
    start, on, low, high, worth = boxes.cut(
        trees.left, trees.right, trees.feature, trees.threshold, trees.value, d
    )
    longest = int(np.diff(start).max(initial=0))
    if longest > boxes.BITS:
        raise ConfigError(
            f"a path of a tree asks for {longest} features, at most {boxes.BITS} are supported",
            remedy="train less deep trees",
        )
    out = np.zeros(X.shape[::-1])
    columns, others = np.ascontiguousarray(X.T), np.ascontiguousarray(background.T)
    boxes.attribute(columns, others, start, on, low, high, worth, weights(longest), out)
    return np.ascontiguousarray(out.T)


def attribute_by_shap(trees: Trees, X: np.ndarray, background: np.ndarray) -> np.ndarray:
    """Return the same by ``shap.TreeExplainer``, which pairs all rows with all background rows.

    shap keeps thresholds and values as float32, so it is wrong by whole leaves where a value lies between a
    threshold and its rounding. Rows that are representable in float32 fall on the right side of thresholds
    that are rounded down, which is what it is given here. Its values are good to about 1e-7 of the largest
    leaf. The whole background is used: given as an array it would be cut down to 100 rows.

    Parameters
    ----------
    trees : Trees
    X, background : ndarray of float64, shapes (n, d) and (m, d)
        Representable in float32, see :func:`rounded`.

    Returns
    -------
    ndarray of float64, shape (n, d)

    Raises
    ------
    DataError
        If rows are not representable in float32.
    MissingExtraError
        If shap is not installed.

    Examples
    --------
    >>> trees = Trees(left=np.array([1, -1, -1]), right=np.array([2, -1, -1]), feature=np.array([0, -2, -2]),
    ...     threshold=np.array([0.0, 0.0, 0.0]), value=np.array([0.0, 1.0, 3.0]), roots=np.array([0]),
    ...     rounds=False)
    >>> attribute_by_shap(trees, np.array([[1.0, 9.0], [-1.0, 9.0]]), np.array([[-1.0, 0.0], [-2.0, 0.0]]))
    array([[2., 0.],
           [0., 0.]])
    """
    for rows in (X, background):
        if not (rows == rounded(rows)).all():
            raise DataError("shap needs rows that float32 can hold", remedy="round them, see rounded()")
    if not len(X):
        return np.zeros(X.shape)
    try:
        import shap
    except ImportError as error:
        raise MissingExtraError("explainer/tree with engine=shap", "explain") from error
    down = trees.threshold.astype(np.float32)
    down = np.where(down > trees.threshold, np.nextafter(down, np.float32(-np.inf)), down).astype(np.float64)
    ends = [*trees.roots[1:].tolist(), len(trees.left)]
    tables = []
    for first, last in zip(trees.roots.tolist(), ends, strict=True):
        part = slice(first, last)
        children = [np.where(side[part] >= 0, side[part] - first, -1) for side in (trees.left, trees.right)]
        tables.append(
            {
                "children_left": children[0],
                "children_right": children[1],
                # for missing values only, and there are none
                "children_default": children[0],
                "features": np.maximum(trees.feature[part], 0),
                "thresholds": down[part],
                "values": trees.value[part][:, None],
                "node_sample_weight": np.ones(last - first),
            }
        )
    whole = shap.maskers.Independent(background, max_samples=len(background))
    explainer = shap.TreeExplainer({"trees": tables}, whole, feature_perturbation="interventional")
    return np.ascontiguousarray(explainer.shap_values(X, check_additivity=False), dtype=np.float64)


def check_additive(
    values: np.ndarray, output: np.ndarray, base: float, what: str, tolerance: float = CLOSE
) -> None:
    """Raise unless attributions add up to the output minus its mean over the background.

    Parameters
    ----------
    values : ndarray of float64, shape (n, d)
    output : ndarray of float64, shape (n,)
        By the model itself.
    base : float
        Mean output over the background, by the model itself.
    what : str
        For the message.
    tolerance : float, default 1e-8
        Of the largest output (1 at least).

    Raises
    ------
    MlopsimError
        Names the row with the largest difference.

    Examples
    --------
    >>> check_additive(np.array([[0.5, 0.5]]), np.array([1.0]), 0.25, "explainer/tree")
    Traceback (most recent call last):
    ...
    mlopsim.core.errors.MlopsimError: explainer/tree: row 0: attributions and base add up to 1.25, the model's
    output is 1
      remedy: ...
    """
    total = base + values.sum(axis=1)
    gap = np.abs(total - output)
    scale = max(1.0, float(np.abs(output).max(initial=0.0)), abs(base))
    if len(gap) and not gap.max() <= tolerance * scale:
        row = int(np.argmax(gap))
        raise MlopsimError(
            f"{what}: row {row}: attributions and base add up to {total[row]:.9g}, the model's output is "
            f"{output[row]:.9g}",
            remedy="the model does not predict with the trees that were read: use the explainer permutation",
        )
