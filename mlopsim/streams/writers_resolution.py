"""What a column can hold: whole numbers stay whole, types keep their digits."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import polars as pl


def held(dtype: pl.DataType, column: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Return the numbers next to some that a column can hold.

    Parameters
    ----------
    dtype : polars.DataType
        Of the column in its file.
    column : ndarray of float64, shape (n,)
        Its values; NaN where there are none. If all are whole it is one of whole numbers, however they are
        spelt.
    values : ndarray of float64, shape (k,)
        NaN and infinite ones stay as they are.

    Returns
    -------
    ndarray of float64, shape (k,)

    Examples
    --------
    >>> import polars as pl
    >>> held(pl.String(), np.array([1.0, 20.0, np.nan]), np.array([2.4, 2.6])).tolist()
    [2.0, 3.0]
    >>> held(pl.Decimal(10, 1), np.array([1.5, 20.0]), np.array([2.44])).tolist()
    [2.4]
    """
    import polars as pl

    known = column[~np.isnan(column)]
    found: np.ndarray = values
    if bool((known == np.rint(known)).all()):
        found = np.rint(values)
    elif isinstance(dtype, pl.Decimal):
        found = np.round(values, dtype.scale)
    elif dtype == pl.Float32:
        with np.errstate(over="ignore"):
            found = values.astype(np.float32).astype(np.float64)
    if isinstance(dtype, pl.Datetime | pl.Duration) and dtype.time_unit == "ms":
        found = np.rint(values / 1000.0) * 1000.0
    return found
