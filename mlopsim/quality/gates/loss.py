"""Loss of a row's label under a model that has not seen the row."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from mlopsim.core.registry import register
from mlopsim.core.spec import check_range
from mlopsim.quality.gate import Rows
from mlopsim.quality.train_gate import TrainGate, cross_fitted, log_loss


@register("gate", "loss")
@dataclass(kw_only=True)
class Loss(TrainGate):
    r"""Log loss of a row's own label, by the learner trained on the other folds.

    Margins become probabilities by a softmax (see :func:`mlopsim.learners.models.probabilities`). Trusted
    rows are not looked at.

    :math:`-\log \hat p(y_i \mid x_i)` with the probability by the learner that was trained on the other
    folds.

    Parameters
    ----------
    folds : int, default 5
        Folds, drawn; every class is spread evenly over them.
    alpha : float, default 0.05
        Share of clean rows that are flagged.
    action : Action or None
        What is done with flagged rows; None: ``drop``.

    Notes
    -----
    Use it as the simplest rival of ``confident`` for wrong labels; where classes differ in how sure the model
    is, the hard class is doubted most.

    References
    ----------
    .. [1] C. E. Brodley and M. A. Friedl, "Identifying mislabeled training data", Journal of Artificial
       Intelligence Research 11, 1999, 131-167. doi:10.1613/jair.606 (cross-fitted votes; here a loss).

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> Z = rng.normal(size=(300, 2)); y = (Z[:, 0] > 0).astype(int)
    >>> rows = Rows(X=Z, Z=Z, y=y, n_classes=2, features=("a", "b"))
    >>> train, trusted = rows.take(slice(100)), rows.take(slice(100, 300))
    >>> wrong = np.sort(np.argsort(-np.abs(train.Z[:, 0]))[:3]); train.y[wrong] = 1 - train.y[wrong]
    >>> harm = Loss().harm(train, np.arange(100), trusted, "lda", rng)
    >>> bool((np.sort(np.argsort(-harm)[:3]) == wrong).all())
    True
    """

    folds: int = 5

    def __post_init__(self) -> None:
        super().__post_init__()
        check_range("gate/loss.folds", self.folds, 2, 1000)

    def measure(
        self, train: Rows, new: np.ndarray, trusted: Rows, learner: Any, rng: np.random.Generator
    ) -> np.ndarray:
        """Return losses."""
        return log_loss(cross_fitted(learner, train, self.folds, rng)[new], train.y[new])
