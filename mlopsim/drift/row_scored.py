"""Detectors that learn a score of rows and compare its distribution in a window with the reference's."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from mlopsim.core.spec import check_range
from mlopsim.drift.windowed import Windowed


@dataclass(kw_only=True)
class RowScored(Windowed):
    """Learns a score of rows from one half of the reference rows and scores the other half, and each window.

    The score of a window is ``|z|`` of the rank-sum test (Mann and Whitney 1947; mean ranks of ties, with the
    correction of the variance) between the row scores of the window and those of the held-out half, which the
    learner has not seen, as it has not seen the window. Every second row is held out, so that a slow change
    within the reference enters both halves. All such detectors use this test: they differ in what they learn.

    Parameters
    ----------
    z : float
        Limit of the score.
    reference
        See :class:`mlopsim.drift.windowed.Windowed`.

    Notes
    -----
    The score is NaN if the reference has a single row, and 0 if all row scores are equal. At most it is
    ``sqrt(3 n r / (n + r + 1))`` with n held-out rows and r rows in a window.
    """

    family: ClassVar[str] = "learned score"
    limit: ClassVar[str] = "z"

    z: float = 3.0

    def __post_init__(self) -> None:
        super().__post_init__()
        check_range(f"detector/{self.name}.z", self.z, 0.0, np.inf)

    # -- what such a detector must define --------------------------------------------------------------

    def fit(self, rows: np.ndarray) -> Any:
        """Return what is learnt from rows, float64 (n, d), n > 0; may draw from ``self.rng``."""
        raise NotImplementedError

    def measure(self, model: Any, rows: np.ndarray) -> np.ndarray:
        """Return the scores of rows (n, d), float64 (n,); that of a row depends on no other row."""
        raise NotImplementedError

    # -- what follows ------------------------------------------------------------------------------------

    def learn(self, rows: np.ndarray) -> Any:
        """Return the model and the sorted scores of the rows that it has not seen."""
        model = self.fit(rows[::2])
        held = rows[1::2]
        return model, np.sort(self.measure(model, held)) if len(held) else np.empty(0)

    def compare(self, reference: Any, windows: np.ndarray) -> np.ndarray:
        """Return the scores of windows."""
        from mlopsim.drift.kernels.rank_sums import rank_sums

        model, held = reference
        count, rows, features = windows.shape
        found = self.measure(model, windows.reshape(count * rows, features)).reshape(count, rows)
        score = np.empty(count)
        rank_sums(held, found, score)
        return score
