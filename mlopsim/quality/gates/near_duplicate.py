"""Rows that are nearly copies of another row of their batch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from mlopsim.core.registry import register
from mlopsim.quality.gate import Rows, Stage
from mlopsim.quality.neighbours import Neighbours
from mlopsim.quality.row_gate import RowGate, bounded

#: distances below this count as this: the score of a copy is 150
TINY = 1e-150


@register("gate", "near_duplicate")
@dataclass(kw_only=True)
class NearDuplicate(RowGate):
    r"""Minus the logarithm (base 10) of the distance to the nearest other row of the same batch.

    Encoded rows are compared, labels are not: a copy with another label is a copy. A copy has the score 150;
    of both, as nothing tells which came first. The only row of a batch has none. Nothing is learnt from the
    reference; as rows are nearer in larger batches, the limit comes from the batch that is judged: from clean
    rows that are held back, each in the place of the row in question.

    .. math:: -\log_{10} \min_{j \ne i} \|x_i - x_j\|

    Parameters
    ----------
    alpha : float, default 0.05
        Share of clean rows that are flagged.
    action : Action or None
        What is done with flagged rows; None: ``drop``.

    Notes
    -----
    Use it for copies within a batch; ``repeated`` finds those of earlier batches. Not for data of few
    possible values, where equal rows are no error.

    References
    ----------
    .. [1] A. K. Elmagarmid, P. G. Ipeirotis and V. S. Verykios, "Duplicate record detection: a survey", IEEE
       Transactions on Knowledge and Data Engineering 19, 2007, 1-16. doi:10.1109/TKDE.2007.250581

    Examples
    --------
    >>> X = np.array([[0.0], [5.0], [5.01], [9.0], [0.0]])
    >>> rows = Rows(X=X, Z=X, y=np.zeros(5, np.int64), n_classes=2, features=("a",))
    >>> gate = NearDuplicate()
    >>> learned = gate.learn(rows, np.random.default_rng(0))
    >>> gate.score(learned, rows).round(2)
    array([150. ,   2. ,   2. ,  -0.6, 150. ])
    """

    by_window: ClassVar[bool] = True
    family: ClassVar[str] = "duplicate check"
    stages: ClassVar[tuple[Stage, ...]] = (Stage.PREPROCESS,)

    def fit(self, Z: np.ndarray, rng: np.random.Generator) -> Any:
        """Return nothing."""
        return None

    def measure(self, model: Any, Z: np.ndarray) -> np.ndarray:
        """Return minus logarithms of distances."""
        if len(Z) == 1:
            return np.full(1, np.nan)
        # the nearest row is the row itself, or a copy at the same distance
        return _nearness(Neighbours.of(Z).distances(Z, 2)[:, 1])

    def beside(self, learned: Any, rows: Rows, held: Rows, before: Rows) -> tuple[np.ndarray, np.ndarray]:
        """Return the scores of rows, and those that rows held back would have in the place of each.

        A clean row in the place of row i is as near as it is to any row of the batch but i: that and the
        score of i are exchangeable.
        """
        score = self.score(learned, rows)
        Z, aside = bounded(self, rows), bounded(self, held)
        if len(Z) < 2:
            return score, np.full(len(aside), np.nan)
        two = Neighbours.of(Z).distances(aside, 2)
        # which one is the nearest matters where the second one is much farther, and there this tells
        nearest = ((Z**2).sum(axis=1) - 2.0 * np.einsum("cd,md->cm", aside, Z)).argmin(axis=1)
        distance = np.repeat(two[None, :, 0], len(Z), axis=0)
        distance[nearest, np.arange(len(aside))] = two[:, 1]
        return score, _nearness(distance)


def _nearness(distance: np.ndarray) -> np.ndarray:
    found: np.ndarray = -np.log10(np.maximum(distance, TINY))
    return found
