"""What a column can hold: whole numbers stay whole, types keep their digits."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from mlopsim.streams.files.columns import truths

if TYPE_CHECKING:
    import polars as pl


def held(series: pl.Series, column: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Return the numbers next to some that a column can hold.

    Parameters
    ----------
    series : polars.Series
        The column in its file, text without marks of missing values.
    column : ndarray of float64, shape (n,)
        Its values; NaN where there are none. If all are whole it is one of whole numbers, however they are
        spelt; one of truths holds 0 and 1.
    values : ndarray of float64, shape (k,)
        NaN and infinite ones stay as they are.

    Returns
    -------
    ndarray of float64, shape (k,)

    Examples
    --------
    >>> import polars as pl
    >>> held(pl.Series(["1", "20.0"]), np.array([1.0, 20.0, np.nan]), np.array([2.4, 2.6])).tolist()
    [2.0, 3.0]
    >>> held(pl.Series([True, False]), np.array([1.0, 0.0]), np.array([-7.0, 0.9])).tolist()
    [0.0, 1.0]
    """
    import polars as pl

    dtype = series.dtype
    known = column[~np.isnan(column)]
    found: np.ndarray = values
    if bool((known == np.rint(known)).all()):
        found = np.rint(values)
        if truths(series) is not None:
            found = np.clip(found, 0.0, 1.0)
    elif isinstance(dtype, pl.Decimal):
        found = np.round(values, dtype.scale)
    elif dtype == pl.Float32:
        with np.errstate(over="ignore"):
            found = values.astype(np.float32).astype(np.float64)
    if isinstance(dtype, pl.Datetime | pl.Duration) and dtype.time_unit == "ms":
        found = np.rint(values / 1000.0) * 1000.0
    return found
