"""From stream rows to finite numbers: fitted on the warm-up, then the same for every version."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mlopsim.core.errors import DataError
from mlopsim.streams.files.columns import option
from mlopsim.streams.stream import Stream

MAX_CATEGORIES = 20


@dataclass(frozen=True, kw_only=True)
class Encoder:
    """Impute, one-hot encode, centre and scale; everything it knows comes from the warm-up rows.

    A numeric feature becomes ``(x - centre) / scale`` with the warm-up mean and standard deviation
    (scale 1 where it is constant); a missing value takes the warm-up median first. A categorical
    feature becomes 0/1 columns of the categories seen in the warm-up (the ``MAX_CATEGORIES`` most
    frequent ones); a missing or unseen category is zero in all of them.

    Parameters
    ----------
    names : tuple of str
        Names of the d' encoded columns: the feature's name, or ``feature=category``.
    source : ndarray of int64, shape (d',)
        Which feature a column comes from.
    code : ndarray of float64, shape (d',)
        Category code of an indicator column; NaN for numeric columns.
    median, centre, scale : ndarray of float64, shape (d',)
        Numeric columns only; 0, 0 and 1 for indicators.
    width : int
        Number of features d that are expected.

    Examples
    --------
    >>> rows = np.array([[1.0, 0], [3.0, 1], [np.nan, 1], [5.0, 2]])
    >>> stream = Stream(X=rows, y=np.array([0, 1, 0, 1]), bounds=np.array([0, 3, 4]), warmup=1,
    ...                 classes=("no", "yes"), features=("age", "job"), g=np.zeros(4, np.int64),
    ...                 categories={1: ("cook", "nurse", "clerk")})
    >>> encoder = Encoder.fit(stream)
    >>> encoder.names
    ('age', 'job=cook', 'job=nurse')
    >>> encoder.transform(rows).round(3)
    array([[-1.225,  1.   ,  0.   ],
           [ 1.225,  0.   ,  1.   ],
           [ 0.   ,  0.   ,  1.   ],
           [ 3.674,  0.   ,  0.   ]])
    """

    names: tuple[str, ...]
    source: np.ndarray
    code: np.ndarray
    median: np.ndarray
    centre: np.ndarray
    scale: np.ndarray
    width: int

    @classmethod
    def fit(cls, stream: Stream) -> Encoder:
        """Learn from the rows of windows ``0..warmup-1`` and from nothing else.

        Raises
        ------
        DataError
            If a column has no value in the warm-up, or an infinite one anywhere in it.
        """
        rows = stream.X[: int(stream.bounds[stream.warmup])]
        names: list[str] = []
        columns: list[tuple[float, ...]] = []
        for j, feature in enumerate(stream.features):
            values = rows[:, j]
            known = values[~np.isnan(values)]
            if not len(known):
                raise DataError(
                    f"column '{feature}' has no value in the {len(rows)} warm-up rows",
                    remedy=f"leave it out ({option('drop', feature)}) or use a longer warm-up",
                )
            if np.isinf(known).any():
                raise DataError(
                    f"column '{feature}' holds infinite values",
                    remedy="replace them by numbers or by nothing (missing), or drop the column",
                )
            if j in stream.categories:
                codes, counts = np.unique(known, return_counts=True)
                # most frequent first, lower code first among equals; then back to code order
                keep = np.sort(codes[np.argsort(-counts, kind="stable")[:MAX_CATEGORIES]])
                labels = stream.categories[j]
                names += [f"{feature}={labels[int(code)]}" for code in keep]
                columns += [(j, float(code), 0.0, 0.0, 1.0) for code in keep]
            else:
                names.append(feature)
                columns.append((j, np.nan, *_location_and_scale(values, known)))
        table = np.array(columns, dtype=np.float64).reshape(-1, 5)
        return cls(
            names=tuple(names),
            source=table[:, 0].astype(np.int64),
            code=table[:, 1],
            median=table[:, 2],
            centre=table[:, 3],
            scale=table[:, 4],
            width=len(stream.features),
        )

    def transform(self, X: np.ndarray) -> np.ndarray:
        """Encode rows.

        Parameters
        ----------
        X : ndarray of float64, shape (n, d)
            Rows of the same features, NaN where missing.

        Returns
        -------
        ndarray of float64, shape (n, d')
            Finite, C-contiguous.

        Raises
        ------
        DataError
            For another number of features or an infinite value.
        """
        if X.ndim != 2 or X.shape[1] != self.width:
            raise DataError(f"expected rows of {self.width} features, got an array of shape {X.shape}")
        numeric = np.isnan(self.code)
        source = self.source[numeric]
        plain = bool(numeric.all()) and np.array_equal(source, np.arange(self.width))
        chosen = X if plain else X[:, source]
        missing = np.isnan(chosen)
        if missing.any():
            chosen = np.where(missing, self.median[numeric], chosen)
        if np.isinf(chosen).any():
            at = int(np.flatnonzero(np.isinf(chosen).any(axis=0))[0])
            name = [name for name, is_numeric in zip(self.names, numeric, strict=True) if is_numeric][at]
            raise DataError(
                f"column '{name}' holds infinite values",
                remedy="replace them by numbers or by nothing (missing), or drop the column",
            )
        # subtracting first keeps all digits of values such as 1e8 + noise
        scaled: np.ndarray = np.subtract(chosen, self.centre[numeric], order="C", dtype=np.float64)
        scaled /= self.scale[numeric]
        if plain:
            return scaled
        out = np.empty((len(X), len(self.names)), dtype=np.float64)
        out[:, numeric] = scaled
        out[:, ~numeric] = X[:, self.source[~numeric]] == self.code[~numeric]
        return out


def _location_and_scale(values: np.ndarray, known: np.ndarray) -> tuple[float, float, float]:
    """Return median, mean and standard deviation of a column whose gaps take the median."""
    median = float(np.median(known))
    deviation = np.where(np.isnan(values), 0.0, values - median)
    shift = float(deviation.mean())
    spread = float(np.sqrt(np.mean((deviation - shift) ** 2)))
    return median, median + shift, spread if spread > 0 else 1.0
