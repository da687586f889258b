"""A decision tree over observations: grown with scikit-learn, stored as arrays, read without it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from mlopsim.core.errors import CacheError, ConfigError

#: in place of a feature: the node is a leaf
LEAF = -1


@dataclass(frozen=True, kw_only=True)
class Tree:
    """A binary tree; node 0 is its root, and each node has a greater number than its parent.

    Parameters
    ----------
    names : tuple of str
        Names of the observation's columns.
    feature : ndarray of int64, shape (nodes,)
        Column that a node asks for, -1 in a leaf.
    threshold : ndarray of float64, shape (nodes,)
        An observation goes left where its value is at most this.
    left, right : ndarray of int64, shape (nodes,)
        Children, -1 in a leaf.
    weight : ndarray of float64, shape (nodes, A)
        Share of each action in the training weight of a node.

    Examples
    --------
    >>> tree = grow(np.array([[0.0], [1.0]], np.float32), np.array([0, 2]), np.ones(2), ("x",), 3, depth=1)
    >>> tree.leaf(np.array([[0.2], [0.9]], np.float32)), tree.depth, tree.leaves
    (array([1, 2]), 1, 2)
    >>> print(tree.text(["keep", "deploy", "retrain"]))
    x <= 0.5?
      yes: keep (100 %)
      no: retrain (100 %)
    """

    names: tuple[str, ...]
    feature: np.ndarray
    threshold: np.ndarray
    left: np.ndarray
    right: np.ndarray
    weight: np.ndarray

    def __post_init__(self) -> None:
        nodes = len(self.feature)
        sizes = {len(self.threshold), len(self.left), len(self.right), len(self.weight)}
        if sizes != {nodes} or self.weight.ndim != 2 or nodes == 0:
            raise CacheError("the arrays of the stored tree have different lengths", remedy="grow it again")
        inner = np.flatnonzero(self.feature != LEAF)
        children = np.concatenate([self.left[inner], self.right[inner]])
        forward = (children > np.tile(inner, 2)) & (children < nodes)
        once = len(np.unique(children)) == len(children) == nodes - 1
        if not (forward.all() and once and (self.feature < len(self.names)).all()):
            raise CacheError("the stored tree is no tree", remedy="grow it again")

    @property
    def depth(self) -> int:
        """Number of questions on the longest way down."""
        depth = np.zeros(len(self.feature), dtype=np.int64)
        for node in np.flatnonzero(self.feature != LEAF):
            depth[[self.left[node], self.right[node]]] = depth[node] + 1
        return int(depth.max())

    @property
    def leaves(self) -> int:
        """Number of leaves."""
        return int((self.feature == LEAF).sum())

    @property
    def outputs(self) -> int:
        """Number of actions A."""
        return int(self.weight.shape[1])

    def leaf(self, obs: np.ndarray) -> np.ndarray:
        """Return the leaf of each observation (N, F), int64 (N,)."""
        node = np.zeros(len(obs), dtype=np.int64)
        row = np.arange(len(obs))
        while True:
            feature = self.feature[node]
            inner = feature != LEAF
            if not inner.any():
                return node
            left = obs[row, np.where(inner, feature, 0)] <= self.threshold[node]
            node = np.where(inner, np.where(left, self.left[node], self.right[node]), node)

    def thresholds(self, column: int) -> np.ndarray:
        """Return where the tree splits a column, float64, ascending."""
        return np.unique(self.threshold[self.feature == column])

    def path(self, obs: np.ndarray) -> list[str]:
        """Return the conditions that lead one observation (F,) to its leaf, in words."""
        found, node = [], 0
        while self.feature[node] != LEAF:
            name, at = self.names[self.feature[node]], self.threshold[node]
            left = bool(obs[self.feature[node]] <= at)
            found.append(f"{name} {'<=' if left else '>'} {at:.4g}")
            node = int(self.left[node] if left else self.right[node])
        return found

    def text(self, actions: Sequence[str], node: int = 0, indent: str = "") -> str:
        """Return the tree as lines of text; ``actions`` are their names."""
        if self.feature[node] == LEAF:
            best = int(self.weight[node].argmax())
            return f"{actions[best]} ({self.weight[node, best]:.0%})".replace("%", " %")
        question = f"{self.names[self.feature[node]]} <= {self.threshold[node]:.4g}?"
        lines = [question]
        for word, child in (("yes", self.left[node]), ("no", self.right[node])):
            lines.append(f"{indent}  {word}: {self.text(actions, int(child), indent + '    ')}")
        return "\n".join(lines)

    def arrays(self) -> dict[str, np.ndarray]:
        """Return everything numeric by name."""
        return {
            "feature": self.feature.astype(np.int64),
            "threshold": self.threshold.astype(np.float64),
            "left": self.left.astype(np.int64),
            "right": self.right.astype(np.int64),
            "weight": self.weight.astype(np.float64),
        }

    def info(self) -> dict[str, Any]:
        """Return the rest as JSON types."""
        return {"names": list(self.names)}

    @classmethod
    def read(cls, arrays: Mapping[str, np.ndarray], info: Mapping[str, Any]) -> Tree:
        """Read what :meth:`arrays` and :meth:`info` gave.

        Raises
        ------
        CacheError
            If something is missing or is no tree.
        """
        try:
            return cls(
                names=tuple(info["names"]),
                **{name: arrays[name] for name in ("feature", "threshold", "left", "right", "weight")},
            )
        except KeyError as error:
            raise CacheError(f"the stored tree lacks {error}", remedy="grow it again") from error


def grow(
    obs: np.ndarray,
    labels: np.ndarray,
    weights: np.ndarray,
    names: tuple[str, ...],
    actions: int,
    *,
    depth: int,
    leaves: int | None = None,
    least: int = 1,
    seed: int = 0,
) -> Tree:
    """Grow a tree with scikit-learn (CART, Gini).

    Parameters
    ----------
    obs : ndarray of float32, shape (M, F)
        Observations.
    labels : ndarray of int64, shape (M,)
        Action of each.
    weights : ndarray of float64, shape (M,)
        Weight of each, at least 0, not all of them 0.
    names : tuple of str
        Names of the columns.
    actions : int
        Number of actions A.
    depth : int
        Questions on the longest way down, at most.
    leaves : int, optional
        Leaves, at most.
    least : int
        Observations in a leaf, at least.
    seed : int
        Decides between splits that are equally good.

    Returns
    -------
    Tree

    Raises
    ------
    ConfigError
        If no observation has a weight.
    """
    from sklearn.tree import DecisionTreeClassifier

    heavy = weights > 0
    if not heavy.any():
        raise ConfigError(
            "all actions are worth the same at every decision that was seen: there is nothing to weigh",
            remedy="weights=uniform",
        )
    model = DecisionTreeClassifier(
        max_depth=depth, max_leaf_nodes=leaves, min_samples_leaf=least, random_state=seed
    )
    # a mean weight of 1 keeps sums of weights far from the smallest numbers
    scaled = weights[heavy] / weights[heavy].mean()
    model.fit(obs[heavy], labels[heavy], sample_weight=scaled)
    grown = model.tree_
    share = np.zeros((grown.node_count, actions))
    counted = grown.value[:, 0, :]
    share[:, model.classes_] = counted / counted.sum(axis=1, keepdims=True)
    number = _renumbered(grown.children_left, grown.children_right)
    order = np.argsort(number)

    def children(of: np.ndarray) -> np.ndarray:
        return np.where(of[order] == LEAF, LEAF, number[of[order]])

    inner = grown.children_left[order] != LEAF
    return Tree(
        names=names,
        feature=np.where(inner, grown.feature[order], LEAF).astype(np.int64),
        threshold=np.where(inner, grown.threshold[order], 0.0),
        left=children(grown.children_left),
        right=children(grown.children_right),
        weight=share[order],
    )


def _renumbered(left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Number the nodes parents first: with a limit on leaves they are grown best first."""
    number = np.full(len(left), -1, dtype=np.int64)
    stack, count = [0], 0
    while stack:
        node = stack.pop()
        number[node] = count
        count += 1
        if left[node] != LEAF:
            stack += [int(right[node]), int(left[node])]
    return number
