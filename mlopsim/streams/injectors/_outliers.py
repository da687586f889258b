"""What injectors of outliers share: whole rows whose numeric values are drawn anew."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mlopsim.core.errors import DataError
from mlopsim.streams.injectors.base import Aim, Corrupted, Injector, history
from mlopsim.streams.stream import Stream


@dataclass(frozen=True, kw_only=True)
class Normal:
    """The numeric columns of complete warm-up rows, as they are and standardised.

    Parameters
    ----------
    columns : ndarray of int64, shape (q,)
        Numbers of the q numeric columns.
    mean, spread : ndarray of float64, shape (q,)
        Of the warm-up.
    stored : ndarray of float64, shape (m, q)
        Warm-up rows without missing values, as they stand in the stream.
    rows : ndarray of float64, shape (m, q)
        The same, standardised.
    """

    columns: np.ndarray
    mean: np.ndarray
    spread: np.ndarray
    stored: np.ndarray
    rows: np.ndarray

    @classmethod
    def of(cls, stream: Stream, name: str) -> Normal:
        """Learn from the warm-up of a stream; ``name`` is the injector's, for the error."""
        columns = np.array(
            [j for j in range(len(stream.features)) if j not in stream.categories], dtype=np.int64
        )
        rows = history(stream)[:, columns]
        rows = rows[~np.isnan(rows).any(axis=1)]
        if not len(columns) or len(rows) < 2:
            raise DataError(
                f"{name} needs numeric columns and 2 warm-up rows without missing values; the stream has "
                f"{len(columns)} and {len(rows)}",
                remedy="use another stream or injector",
            )
        spread = rows.std(axis=0)
        spread = np.where(spread > 0.0, spread, 1.0)
        mean = rows.mean(axis=0)
        return cls(columns=columns, mean=mean, spread=spread, stored=rows, rows=(rows - mean) / spread)


@dataclass(kw_only=True)
class Outliers(Injector):
    """Base of injectors that draw the numeric values of whole rows anew."""

    def apply(self, stream: Stream, aim: Aim) -> Corrupted:
        """Draw the rows that are hit anew."""
        normal = Normal.of(stream, self.full_name)
        rows = aim.rows(stream)
        X = stream.X.copy()
        given = (stream.X[np.ix_(rows, normal.columns)] - normal.mean) / normal.spread
        # a row with missing values stands for one at the mean there
        X[np.ix_(rows, normal.columns)] = self.values(normal, np.where(np.isnan(given), 0.0, given), aim.rng)
        return Corrupted.of(stream, X, stream.y, rows)

    def values(self, normal: Normal, given: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Return values (k, q), in the units of the columns, in the place of standardised ones (k, q)."""
        found: np.ndarray = normal.mean + self.drawn(normal, given, rng) * normal.spread
        return found

    def drawn(self, normal: Normal, given: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Return standardised values (k, q) in the place of those that are given (k, q)."""
        raise NotImplementedError
