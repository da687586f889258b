"""Influence functions: what a row does to the trusted loss, to first order."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from mlopsim.core.errors import ConfigError
from mlopsim.core.registry import register
from mlopsim.core.spec import Spec, make
from mlopsim.quality.gate import Rows
from mlopsim.quality.train_gate import TrainGate, learner_seed


@register("gate", "influence")
@dataclass(kw_only=True)
class Influence(TrainGate):
    r"""Rise of the trusted rows' loss that a row causes, to first order in its weight.

    .. math:: -g^\top H^{-1} g_i

    with the gradient g of the trusted rows' mean loss, the gradient :math:`g_i` of the row's loss and the
    Hessian H of the penalised training loss. The loss is that of the learner: squared error for ``ridge``,
    log loss for ``logistic`` (trusted rows of a class that training has not seen are left out). It sees less
    than leave-one-out of rows far away, whose leverage is large.

    Parameters
    ----------
    alpha : float, default 0.05
        Share of clean rows that are flagged.
    action : Action or None
        What is done with flagged rows; None: ``drop``.

    Notes
    -----
    Use it for wrong labels where trusted rows exist and the learner is linear; ``leave_one_out`` is exact and
    takes any learner.

    References
    ----------
    .. [1] P. W. Koh and P. Liang, "Understanding black-box predictions via influence functions", ICML, 2017.
       arXiv:1703.04730

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> Z = rng.normal(size=(300, 2)); y = (Z[:, 0] > 0).astype(int)
    >>> rows = Rows(X=Z, Z=Z, y=y, n_classes=2, features=("a", "b"))
    >>> train, trusted = rows.take(slice(100)), rows.take(slice(100, 300))
    >>> wrong = np.sort(np.argsort(-np.abs(train.Z[:, 0]))[:3]); train.y[wrong] = 1 - train.y[wrong]
    >>> harm = Influence().harm(train, np.arange(100), trusted, "ridge", rng)
    >>> bool((np.sort(np.argsort(-harm)[:3]) == wrong).all())
    True
    """

    trusts: ClassVar[bool] = True
    family: ClassVar[str] = "data valuation"

    def check_learner(self, learner: Spec) -> None:
        """Raise unless the learner is linear and minimises a penalised smooth loss."""
        from mlopsim.learners.presets.logistic import Logistic
        from mlopsim.learners.presets.ridge import Ridge

        built = make("learner", learner)
        if not isinstance(built, Ridge | Logistic):
            raise ConfigError(
                f"{self.full_name} needs a linear learner that minimises a penalised loss, "
                f"{built.full_name} is not known to",
                remedy="learner=ridge or learner=logistic, or the gate leave_one_out",
            )

    def measure(
        self, train: Rows, new: np.ndarray, trusted: Rows, learner: Any, rng: np.random.Generator
    ) -> np.ndarray:
        """Return first-order rises of the loss."""
        from mlopsim.learners.presets.ridge import Ridge
        from mlopsim.quality import least_squares

        if isinstance(learner, Ridge):
            target = least_squares.targets(train.y, train.n_classes)
            aim = least_squares.targets(trusted.y, train.n_classes)
            return least_squares.influence(train.Z, target, new, trusted.Z, aim, learner.alpha)
        seen = np.unique(train.y)
        if len(seen) == 1:
            # a constant answer, which one row less does not change
            return np.zeros(len(new))
        model = learner.fit(train.Z, train.y, train.n_classes, learner_seed(rng))
        trusted = trusted.take(np.isin(trusted.y, seen))
        if not len(trusted):
            return np.full(len(new), np.nan)
        # scikit-learn keeps one vector for two classes, one a class for more
        free = seen[1:] if len(seen) == 2 else seen
        chances = model.scores(train.Z)[:, free]
        steps = chances - (train.y[:, None] == free)
        there = model.scores(trusted.Z)[:, free] - (trusted.y[:, None] == free)
        A, B = _with_one(train.Z), _with_one(trusted.Z)
        slope = (there.T @ B / len(B)).ravel()
        turned = np.linalg.solve(_hessian(A, chances, learner.C), slope).reshape(len(free), -1)
        found: np.ndarray = -((A[new] @ turned.T) * steps[new]).sum(axis=1)
        return found


def _with_one(Z: np.ndarray) -> np.ndarray:
    return np.concatenate([np.ones((len(Z), 1)), Z], axis=1)


def _hessian(A: np.ndarray, chances: np.ndarray, C: float) -> np.ndarray:
    """Return the Hessian of the summed log loss and the penalty, vectors (intercept first) one by one."""
    classes, width = chances.shape[1], A.shape[1]
    found = np.empty((classes, width, classes, width))
    for k in range(classes):
        for j in range(classes):
            weight = chances[:, k] * ((k == j) - chances[:, j])
            found[k, :, j, :] = (A * weight[:, None]).T @ A
    for k in range(classes):
        found[k, :, k, :].flat[width + 1 :: width + 1] += 1.0 / C
    if classes > 1:
        # all intercepts may move together; no gradient goes that way, so any weight there will do
        found[:, 0, :, 0] += 1.0
    return found.reshape(classes * width, classes * width)
