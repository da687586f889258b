"""The contract of gates that judge a whole batch by a test."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from mlopsim.core.errors import DataError
from mlopsim.quality.gate import Gate, Level, Rows, Stage

#: p-values below this count as this: scores of tests end at 307.7
TINY = float(np.finfo(np.float64).tiny)


def surprise(p: float) -> float:
    """Return ``-log10(p)``, infinite for 0.

    Examples
    --------
    >>> surprise(0.01), surprise(1.0), surprise(0.0)
    (2.0, 0.0, inf)
    """
    return abs(math.log10(p)) if p > 0.0 else math.inf


def flag_batch(gate: Gate, score: np.ndarray | float) -> bool:
    """Say whether a gate of batches flags a batch: where ``p <= alpha``; a score of NaN is not flagged.

    Examples
    --------
    >>> from mlopsim.core.spec import make
    >>> gate = make("gate", "ks_batch", alpha=0.01)
    >>> flag_batch(gate, 2.0), flag_batch(gate, 1.9), flag_batch(gate, np.nan)
    (True, False, False)
    """
    return bool(score >= surprise(gate.alpha))


@dataclass(kw_only=True)
class BatchGate(Gate):
    """Base of gates that test each feature of a batch against a reference.

    A gate defines :meth:`learn` and :meth:`pvalues`. The score is ``-log10`` of the smallest p-value times
    the number of features that could be tested (Bonferroni: valid whatever their dependence).

    Parameters
    ----------
    alpha : float, default 0.05
        Level: a batch is flagged where its p-value is at most this, see :func:`flag_batch`.
    action : Action or None
        What is done with a flagged batch; None: ``hold``.
    """

    level: ClassVar[Level] = Level.BATCH
    limit_from: ClassVar[str] = "given"
    stages: ClassVar[tuple[Stage, ...]] = (Stage.PREPROCESS,)
    by_window: ClassVar[bool] = True
    family: ClassVar[str] = "batch test"

    def pvalues(self, learned: Any, rows: Rows) -> np.ndarray:
        """Return p-values of the features, float64 (d,), NaN where there is nothing to test."""
        raise NotImplementedError

    def score(self, learned: Any, rows: Rows) -> np.ndarray:
        """Return the score of the batch, of shape ()."""
        found = self.pvalues(learned, rows)
        tested = found[~np.isnan(found)]
        if not len(tested):
            return np.array(np.nan)
        smallest = min(1.0, len(tested) * float(tested.min()))
        return np.array(surprise(max(smallest, TINY)))

    def check_reference(self, reference: Rows) -> None:
        """Raise unless there are rows to learn from."""
        if not len(reference):
            raise DataError(f"{self.full_name}: there are no reference rows", remedy="use a longer warm-up")
