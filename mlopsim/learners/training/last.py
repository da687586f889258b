"""The last w windows."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mlopsim.core.registry import register
from mlopsim.core.spec import check_range


@register("training", "last")
@dataclass(kw_only=True)
class Last:
    r"""Train on the last ``windows`` windows, or on all there are while there are fewer.

    Version v is trained on the windows :math:`\max(0, v - \mathrm{windows} + 1), \ldots, v`.

    Parameters
    ----------
    windows : int, default 10
        Length of the training span.

    Notes
    -----
    Use it by default: old rows leave after ``windows`` windows, whether anything changed or not.

    Examples
    --------
    >>> Last(windows=2).starts(np.zeros((4, 1)), np.arange(5), 1)
    array([0, 0, 1, 2])
    """

    windows: int = 10

    def __post_init__(self) -> None:
        check_range("last.windows", self.windows, 1, 1_000_000)

    def starts(self, X: np.ndarray, bounds: np.ndarray, warmup: int) -> np.ndarray:
        """Return the first training window of every version, int64 of shape (T,)."""
        return np.maximum(np.arange(len(bounds) - 1, dtype=np.int64) - self.windows + 1, 0)
