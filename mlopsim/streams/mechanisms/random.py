"""Errors that prefer no row."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from mlopsim.core.registry import register
from mlopsim.streams.mechanisms.base import Mechanism
from mlopsim.streams.stream import Stream


@register("mechanism", "random")
@dataclass(kw_only=True)
class Random(Mechanism):
    r"""Completely at random (MCAR): every row is as likely.

    :math:`P(R_i = 1 \mid X, y, g)` is the same for all rows of a window.

    Notes
    -----
    Use it as the harmless case: what is left has the law that it had.

    References
    ----------
    .. [1] D. B. Rubin, "Inference and missing data", Biometrika 63, 1976, 581-592.
       doi:10.1093/biomet/63.3.581

    Examples
    --------
    >>> from mlopsim.streams.stream import Stream
    >>> stream = Stream(X=np.zeros((4, 1)), y=np.zeros(4, np.int64), bounds=np.array([0, 2, 4]), warmup=1,
    ...                 classes=("no", "yes"), features=("x",), g=np.zeros(4, np.int64))
    >>> Random().drive(stream, 0, np.random.default_rng(0)).tolist()
    [0.0, 0.0, 0.0, 0.0]
    """

    chooses: ClassVar[bool] = False

    def drive(self, stream: Stream, column: int | None, rng: np.random.Generator) -> np.ndarray:
        """Return the same for all rows."""
        return np.zeros(len(stream.y))
