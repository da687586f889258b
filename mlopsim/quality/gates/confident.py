"""Confident learning: labels that a model doubts."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Any

import numpy as np

from mlopsim.core.errors import ConfigError
from mlopsim.core.registry import register
from mlopsim.core.spec import added, check_range
from mlopsim.quality.confident_joint import off_diagonal, pruned_by_noise_rate
from mlopsim.quality.gate import Action, Rows
from mlopsim.quality.train_gate import TrainGate, cross_fitted


class Doubt(Enum):
    """How far a label is doubted.

    ``normalized_margin``: probability of the likeliest other class minus that of the label.
    ``self_confidence``: minus the probability of the label.
    """

    NORMALIZED_MARGIN = "normalized_margin"
    SELF_CONFIDENCE = "self_confidence"


class Rule(Enum):
    """Which labels are flagged.

    ``limit``: those doubted more than a limit for alpha. ``prune_by_noise_rate``: of each two classes as many
    as the confident joint counts. ``confident_learning``: those off its diagonal. The last two are cleanlab's
    filters of these names: see :mod:`mlopsim.quality.confident_joint`.
    """

    LIMIT = "limit"
    PRUNE_BY_NOISE_RATE = "prune_by_noise_rate"
    CONFIDENT_LEARNING = "confident_learning"


@register("gate", "confident")
@dataclass(kw_only=True)
class Confident(TrainGate):
    r"""How far a row's label is doubted by cross-fitted class probabilities, each class on its own scale.

    The threshold of a class is the mean probability of it among the rows that carry its label; it is taken
    off before classes are compared, so that a class of which the model is seldom sure is not doubted for
    that (of a class that no row carries it is 1). A margin above 0 says that another class is further above
    its threshold than the label is. Margins of a learner become probabilities by a softmax (see
    :func:`mlopsim.learners.models.probabilities`). Trusted rows are not looked at.

    With another ``rule`` than a limit the rows are those that confident learning itself takes for wrong, at
    whatever rate: alpha plays no part, nothing is said of windows, and clean rows are flagged where classes
    overlap.

    With cross-fitted probabilities :math:`\hat p_k` and the threshold :math:`t_k` of class k, the score of a
    row with label y is

    .. math::

        \max_{k \ne y} \left(\hat p_k(x) - t_k\right) - \left(\hat p_y(x) - t_y\right), \qquad
        t_k = \frac{1}{n_k} \sum_{i: y_i = k} \hat p_k(x_i)

    for ``doubt="normalized_margin"``; for ``self_confidence`` it is :math:`-(\hat p_y(x) - t_y)`; without
    ``thresholds`` all t are 0.

    Parameters
    ----------
    doubt : Doubt, default normalized_margin
        What is measured.
    thresholds : bool, default True
        Whether the classes' thresholds are taken off.
    folds : int, default 5
        Folds, drawn; every class is spread evenly over them.
    alpha : float, default 0.05
        Share of clean rows that are flagged.
    action : Action or None
        What is done with flagged rows; None: ``drop``.
    rule : Rule, default limit
        ``limit``, ``prune_by_noise_rate`` or ``confident_learning``.

    Notes
    -----
    Use it for wrong labels where the classes can be learnt. Not for wrong features, which leave labels
    plausible, nor where classes overlap by nature.

    References
    ----------
    .. [1] C. Northcutt, L. Jiang and I. Chuang, "Confident learning: estimating uncertainty in dataset
       labels", Journal of Artificial Intelligence Research 70, 2021, 1373-1411. doi:10.1613/jair.1.12125

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> Z = rng.normal(size=(300, 2)); y = (Z[:, 0] > 0).astype(int)
    >>> rows = Rows(X=Z, Z=Z, y=y, n_classes=2, features=("a", "b"))
    >>> train, trusted = rows.take(slice(100)), rows.take(slice(100, 300))
    >>> wrong = np.sort(np.argsort(-np.abs(train.Z[:, 0]))[:3]); train.y[wrong] = 1 - train.y[wrong]
    >>> harm = Confident().harm(train, np.arange(100), trusted, "lda", rng)
    >>> bool((np.sort(np.argsort(-harm)[:3]) == wrong).all())
    True
    """

    doubt: Doubt = Doubt.NORMALIZED_MARGIN
    thresholds: bool = True
    folds: int = 5
    rule: Rule = added(Rule.LIMIT)

    def __post_init__(self) -> None:
        super().__post_init__()
        check_range("gate/confident.folds", self.folds, 2, 1000)
        self.doubt, self.rule = Doubt(self.doubt), Rule(self.rule)
        if self.own_rule and self.does is Action.HOLD:
            raise ConfigError(
                f"gate/confident: the rule {self.rule.value} says nothing of windows, none can be held",
                remedy="rule=limit, or another action",
            )

    @property
    def own_rule(self) -> bool:
        """Whether the rows are those of confident learning's own rule."""
        return self.rule is not Rule.LIMIT

    def measure(
        self, train: Rows, new: np.ndarray, trusted: Rows, learner: Any, rng: np.random.Generator
    ) -> np.ndarray:
        """Return doubts."""
        return self._doubts(cross_fitted(learner, train, self.folds, rng), train.y, new)

    def flagged(
        self, train: Rows, new: np.ndarray, trusted: Rows, learner: Any, rng: np.random.Generator
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return doubts, and which rows the rule flags."""
        chances = cross_fitted(learner, train, self.folds, rng)
        pick = off_diagonal if self.rule is Rule.CONFIDENT_LEARNING else pruned_by_noise_rate
        return self._doubts(chances, train.y, new), pick(chances, train.y)[new]

    def _doubts(self, chances: np.ndarray, y: np.ndarray, new: np.ndarray) -> np.ndarray:
        if self.thresholds:
            chances = chances - class_thresholds(chances, y)
        at, label = np.arange(len(new)), y[new]
        others = chances[new]
        own: np.ndarray = others[at, label]
        if self.doubt is Doubt.SELF_CONFIDENCE:
            return -own
        others[at, label] = -np.inf
        found: np.ndarray = others.max(axis=1) - own
        return found


def class_thresholds(chances: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Return the mean probability (C,) of each class among the rows labelled so; 1 where there are none.

    Examples
    --------
    >>> class_thresholds(np.array([[0.5, 0.5, 0.0], [0.75, 0.25, 0.0], [0.0, 0.5, 0.5]]), np.array([0, 0, 1]))
    array([0.625, 0.5  , 1.   ])
    """
    count = np.bincount(y, minlength=chances.shape[1])
    own = chances[np.arange(len(y)), y]
    total = np.bincount(y, weights=own, minlength=chances.shape[1])
    return np.where(count > 0, total / np.maximum(count, 1), 1.0)
