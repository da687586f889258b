"""Errors that depend on the value that they hit."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mlopsim.core.errors import ConfigError
from mlopsim.core.registry import register
from mlopsim.streams.mechanisms.base import End, Mechanism, directed
from mlopsim.streams.stream import Stream


@register("mechanism", "own_value")
@dataclass(kw_only=True)
class OwnValue(Mechanism):
    r"""Not at random (MNAR), one-sided: the largest or smallest values of the corrupted column itself.

    In each window the rows with the largest drive are hit; the drive is the corrupted value :math:`x_{ij}`
    itself, or :math:`-x_{ij}` (``end="low"``).

    Parameters
    ----------
    end : End, default high
        Whether the largest or smallest values are hit.

    Notes
    -----
    Of standard normal values whose share p with the largest is missing, the others have the mean
    :math:`-\varphi(z) / (1 - p)`, z the 1 - p quantile: -.350 for p = .2, with variance .583.

    Use it for the hardest case: nothing that is observed tells what is missing.

    References
    ----------
    .. [1] D. B. Rubin, "Inference and missing data", Biometrika 63, 1976, 581-592.
       doi:10.1093/biomet/63.3.581

    Examples
    --------
    >>> from mlopsim.streams.stream import Stream
    >>> stream = Stream(X=np.array([[1.0], [2], [np.nan], [4]]), y=np.zeros(4, np.int64),
    ...                 bounds=np.array([0, 2, 4]), warmup=1, classes=("no", "yes"), features=("a",),
    ...                 g=np.zeros(4, np.int64))
    >>> OwnValue().drive(stream, 0, np.random.default_rng(0)).tolist()
    [1.0, 2.0, -inf, 4.0]
    """

    end: End = End.HIGH

    def drive(self, stream: Stream, column: int | None, rng: np.random.Generator) -> np.ndarray:
        """Return the values of the column."""
        if column is None:
            raise ConfigError(
                "mechanism/own_value needs a column that is corrupted: whole rows and labels have none",
                remedy="use mechanism random, other_column, label or group",
            )
        return directed(stream.X[:, column], self.end)
