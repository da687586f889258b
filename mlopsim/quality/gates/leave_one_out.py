"""Leave-one-out: how much better the model is without a row."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from mlopsim.core.registry import register
from mlopsim.learners.models import probabilities
from mlopsim.quality.gate import Rows
from mlopsim.quality.train_gate import TrainGate, learner_seed, log_loss


@register("gate", "leave_one_out")
@dataclass(kw_only=True)
class LeaveOneOut(TrainGate):
    r"""Risk on the trusted rows of the model that is trained with a row, minus that of the one without it.

    Exact for every learner. For ``ridge`` the risk is the mean squared error of the targets -1 and +1, and
    all rows take one closed form (rank-one downdates). For other learners it is the log loss, of margins
    after a softmax (see :func:`mlopsim.learners.models.probabilities`). Learners that fit many versions
    at once (``lda``, ``naive_bayes``) merge the moments of all rows but one, so nothing is subtracted; any
    other is trained once for every row, with one seed, which takes that many times as long as one training.

    With the risk R on trusted rows and the parameters :math:`\theta` of all training rows,
    :math:`\theta_{-i}` without row i,

    .. math:: R(\theta) - R(\theta_{-i})

    Parameters
    ----------
    alpha : float, default 0.05
        Share of clean rows that are flagged.
    action : Action or None
        What is done with flagged rows; None: ``drop``.

    Notes
    -----
    Use it for wrong labels where trusted rows exist and the learner has a closed form; not with a slow
    learner, which is trained once a row.

    References
    ----------
    .. [1] R. D. Cook, "Detection of influential observation in linear regression", Technometrics 19, 1977,
       15-18. doi:10.1080/00401706.1977.10489493 (the downdate).
    .. [2] P. W. Koh and P. Liang, "Understanding black-box predictions via influence functions", ICML, 2017.
       arXiv:1703.04730

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> Z = rng.normal(size=(300, 2)); y = (Z[:, 0] > 0).astype(int)
    >>> rows = Rows(X=Z, Z=Z, y=y, n_classes=2, features=("a", "b"))
    >>> train, trusted = rows.take(slice(100)), rows.take(slice(100, 300))
    >>> wrong = np.sort(np.argsort(-np.abs(train.Z[:, 0]))[:3]); train.y[wrong] = 1 - train.y[wrong]
    >>> harm = LeaveOneOut().harm(train, np.arange(100), trusted, "ridge", rng)
    >>> bool((np.sort(np.argsort(-harm)[:3]) == wrong).all())
    True
    """

    trusts: ClassVar[bool] = True
    family: ClassVar[str] = "data valuation"

    def measure(
        self, train: Rows, new: np.ndarray, trusted: Rows, learner: Any, rng: np.random.Generator
    ) -> np.ndarray:
        """Return rises of the risk."""
        from mlopsim.learners.base import BatchLearner
        from mlopsim.learners.presets.ridge import Ridge
        from mlopsim.quality import least_squares

        if isinstance(learner, Ridge):
            target = least_squares.targets(train.y, train.n_classes)
            aim = least_squares.targets(trusted.y, train.n_classes)
            return least_squares.harm(train.Z, target, new, trusted.Z, aim, learner.alpha)
        models = _versions if isinstance(learner, BatchLearner) else _refits
        risks = np.array(
            [
                log_loss(probabilities(model.scores(trusted.Z)), trusted.y).mean()
                for model in models(learner, train, new, rng)
            ]
        )
        found: np.ndarray = risks[0] - risks[1:]
        return found


def _versions(learner: Any, train: Rows, new: np.ndarray, rng: np.random.Generator) -> Any:
    """Yield the models of all rows, then of all but one: windows in a circle, each version skips one."""
    rest = np.setdiff1d(np.arange(len(train)), new)
    order = np.concatenate([new, rest])
    ends = np.append(np.arange(len(new) + 1), len(train))
    twice = np.concatenate([order, order])
    bounds = np.concatenate([ends, len(train) + ends[1:]])
    first = np.arange(len(new) + 1)
    last = first + len(new) - 1
    last[0] = len(new)
    models = learner.fit_versions(train.Z[twice], train.y[twice], train.n_classes, bounds, first, last)
    for i in range(len(first)):
        yield models.model(i)


def _refits(learner: Any, train: Rows, new: np.ndarray, rng: np.random.Generator) -> Any:
    """Yield the same models, trained one by one."""
    entropy = learner_seed(rng).entropy
    kept = np.ones(len(train), dtype=np.bool_)
    for place in [None, *new.tolist()]:
        kept[:] = True
        if place is not None:
            kept[place] = False
        # a seed of its own each time: a learner that spawns from it would change it
        seed = np.random.SeedSequence(entropy)
        yield learner.fit(train.Z[kept], train.y[kept], train.n_classes, seed)
