"""Label quality by cleanlab, as it is."""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass
from enum import Enum
from typing import Any

import numpy as np

from mlopsim.core.errors import ConfigError, MissingExtraError
from mlopsim.core.registry import register
from mlopsim.core.spec import check_range
from mlopsim.quality.gate import Rows
from mlopsim.quality.train_gate import TrainGate, cross_fitted


class Quality(Enum):
    """What cleanlab measures of a label: see ``cleanlab.rank.get_label_quality_scores``."""

    SELF_CONFIDENCE = "self_confidence"
    NORMALIZED_MARGIN = "normalized_margin"
    CONFIDENCE_WEIGHTED_ENTROPY = "confidence_weighted_entropy"


@register("gate", "cleanlab")
@dataclass(kw_only=True)
class Cleanlab(TrainGate):
    r"""Minus cleanlab's quality score of a row's label, by cross-fitted class probabilities.

    ``gate/confident`` with the same method and folds orders rows the same way, ``thresholds`` as ``adjust``,
    as long as every class has rows (of a class without any, cleanlab takes 2 off, ours 1). Margins of a
    learner become probabilities by a softmax (see :func:`mlopsim.learners.models.probabilities`). Trusted
    rows are not looked at.

    By default the score is :math:`-\hat p(y_i \mid x_i)`, the cross-fitted probability of the row's own
    label.

    Parameters
    ----------
    method : Quality, default self_confidence
        ``self_confidence``, ``normalized_margin`` or ``confidence_weighted_entropy``.
    adjust : bool, default False
        Take each class's mean self-confidence off its probabilities first; not with the entropy.
    folds : int, default 5
        Folds, drawn; every class is spread evenly over them.
    alpha : float, default 0.05
        Share of clean rows that are flagged.
    action : Action or None
        What is done with flagged rows; None: ``drop``.

    Raises
    ------
    MissingExtraError
        If cleanlab is not installed.

    Notes
    -----
    Use it to compare with that library; ``confident`` gives the same order without it.

    References
    ----------
    .. [1] J. Kuan and J. Mueller, "Model-agnostic label quality scoring to detect real-world label errors",
       ICML DataPerf workshop, 2022.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> Z = rng.normal(size=(300, 2)); y = (Z[:, 0] > 0).astype(int)
    >>> rows = Rows(X=Z, Z=Z, y=y, n_classes=2, features=("a", "b"))
    >>> train, trusted = rows.take(slice(100)), rows.take(slice(100, 300))
    >>> wrong = np.sort(np.argsort(-np.abs(train.Z[:, 0]))[:3]); train.y[wrong] = 1 - train.y[wrong]
    >>> harm = Cleanlab().harm(train, np.arange(100), trusted, "lda", rng)
    >>> bool((np.sort(np.argsort(-harm)[:3]) == wrong).all())
    True
    """

    method: Quality = Quality.SELF_CONFIDENCE
    adjust: bool = False
    folds: int = 5

    def __post_init__(self) -> None:
        super().__post_init__()
        check_range("gate/cleanlab.folds", self.folds, 2, 1000)
        if self.adjust and self.method is Quality.CONFIDENCE_WEIGHTED_ENTROPY:
            raise ConfigError(
                "gate/cleanlab.adjust: cleanlab's confidence_weighted_entropy cannot be adjusted",
                remedy="adjust=false, or another method",
            )
        if importlib.util.find_spec("cleanlab") is None:
            raise MissingExtraError("gate/cleanlab", "quality")

    def content(self) -> dict[str, Any]:
        """Return cleanlab's version, which the scores depend on."""
        from cleanlab import __version__

        return {"cleanlab": __version__}

    def measure(
        self, train: Rows, new: np.ndarray, trusted: Rows, learner: Any, rng: np.random.Generator
    ) -> np.ndarray:
        """Return minus the quality scores."""
        from cleanlab.rank import get_label_quality_scores

        # by rounding they may leave 0..1, which cleanlab refuses
        chances = np.clip(cross_fitted(learner, train, self.folds, rng), 0.0, 1.0)
        quality = get_label_quality_scores(
            train.y, chances, method=self.method.value, adjust_pred_probs=self.adjust
        )
        harm: np.ndarray = -quality[new]
        return harm
