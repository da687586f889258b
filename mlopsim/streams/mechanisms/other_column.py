"""Errors that depend on another column."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mlopsim.core.errors import ConfigError, DataError
from mlopsim.core.registry import register
from mlopsim.streams.mechanisms.base import End, Mechanism, directed
from mlopsim.streams.stream import Stream


@register("mechanism", "other_column")
@dataclass(kw_only=True)
class OtherColumn(Mechanism):
    r"""At random given what is observed (MAR): rows with the most extreme values of another column.

    In each window the rows with the largest drive are hit; the drive is :math:`x_{ik}` of the other column k,
    or :math:`-x_{ik}` (``end="low"``).

    Parameters
    ----------
    feature : str
        That column; empty: the one whose linear correlation with the corrupted column is the largest in the
        warm-up (the first column where whole rows or labels are corrupted).
    end : End, default high
        Whether its largest or smallest values are hit.

    Notes
    -----
    Of normal columns with correlation rho, whose share p with the largest values of the other one is
    missing, the observed ones have the mean, with the standard normal quantile z
    of 1 - p, :math:`-\rho \, \varphi(z) / (1 - p)`.

    Use it where a repair by the other columns can work.

    References
    ----------
    .. [1] D. B. Rubin, "Inference and missing data", Biometrika 63, 1976, 581-592.
       doi:10.1093/biomet/63.3.581

    Examples
    --------
    >>> from mlopsim.streams.stream import Stream
    >>> stream = Stream(X=np.array([[1.0, 5], [2, 8], [3, 6], [4, 7]]), y=np.zeros(4, np.int64),
    ...                 bounds=np.array([0, 2, 4]), warmup=1, classes=("no", "yes"), features=("a", "b"),
    ...                 g=np.zeros(4, np.int64))
    >>> OtherColumn(end=End.LOW).drive(stream, 0, np.random.default_rng(0)).tolist()
    [-5.0, -8.0, -6.0, -7.0]
    """

    feature: str = ""
    end: End = End.HIGH

    def drive(self, stream: Stream, column: int | None, rng: np.random.Generator) -> np.ndarray:
        """Return the values of the other column."""
        return directed(stream.X[:, self._other(stream, column)], self.end)

    def _other(self, stream: Stream, column: int | None) -> int:
        if self.feature:
            if self.feature not in stream.features:
                raise ConfigError(
                    f"mechanism/other_column.feature: the stream has no column '{self.feature}'",
                    remedy=f"it has: {', '.join(stream.features)}",
                )
            found = stream.features.index(self.feature)
            if found == column:
                raise ConfigError(
                    f"mechanism/other_column.feature: '{self.feature}' is the corrupted column itself",
                    remedy="name another one, or use mechanism own_value",
                )
            return found
        if column is None:
            return 0
        others = [j for j in range(len(stream.features)) if j != column]
        if not others:
            raise DataError("mechanism/other_column needs a second column", remedy="use mechanism own_value")
        rows = stream.X[: int(stream.bounds[stream.warmup])]
        return max(others, key=lambda j: (_correlation(rows[:, column], rows[:, j]), -j))


def _correlation(one: np.ndarray, other: np.ndarray) -> float:
    """Return the absolute linear correlation of the rows that have both, 0 where one does not vary."""
    both = ~np.isnan(one) & ~np.isnan(other)
    if both.sum() < 2:
        return 0.0
    a, b = one[both] - one[both].mean(), other[both] - other[both].mean()
    norm = float(np.sqrt((a * a).sum() * (b * b).sum()))
    return abs(float((a * b).sum())) / norm if norm > 0.0 else 0.0
