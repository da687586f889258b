"""How numbers, series and fits stand in the columns of a baseline file: each with its own type, none pickled.

A column holds one type. Where values of a metric or a series have several (integers and floats), those of the
first type stand in the column of that name and the others in columns named ``NAME#type``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from mlopsim.core.errors import DataError

if TYPE_CHECKING:
    import polars as pl

#: version of the layout of the file
FORMAT = 1
#: key of the header in the metadata of the Parquet file
HEADER = "mlopsim"
#: before the names of series and of their shapes
CURVE, SHAPE = "curve.", "shape."
#: columns that are no metric and no series
PLAIN = (
    *("task", "method", "seed", "fit", "reasons", "attributes", "seconds", "fingerprint", "run", "fits"),
)
#: numpy types of series, by the polars type that holds them as they are
SERIES = {
    "bool": "Boolean",
    **{
        f"{sign}int{bits}": f"{'U' if sign else ''}Int{bits}"
        for sign in ("", "u")
        for bits in (8, 16, 32, 64)
    },
    "float32": "Float32",
    "float64": "Float64",
}


def scalar_columns(name: str, values: Sequence[Any]) -> dict[str, pl.Series]:
    """Return the columns of a metric: None where a cell does not have it.

    Raises
    ------
    DataError
        For a value that is neither a float nor an integer of 64 bits.

    Examples
    --------
    >>> {name: column.to_list() for name, column in scalar_columns("n", [0.5, 3, None]).items()}
    {'n': [0.5, None, None], 'n#int': [None, 3, None]}
    """
    import polars as pl

    types = list(dict.fromkeys(type(value) for value in values if value is not None))
    found = {}
    for place, kind in enumerate(types or [float]):
        if kind not in (int, float):
            raise DataError(
                f"the metric '{name}' has a value of type {kind.__name__}, which no column holds",
                remedy="let the track give a number",
            )
        label = name if place == 0 else f"{name}#{kind.__name__}"
        own = [value if type(value) is kind else None for value in values]
        try:
            found[label] = pl.Series(label, own, dtype=pl.Int64 if kind is int else pl.Float64)
        except (OverflowError, TypeError) as error:
            raise DataError(
                f"the metric '{name}' has an integer that needs more than 64 bits",
                remedy="let the track give a float",
            ) from error
    return found


def curve_columns(
    name: str, arrays: Sequence[np.ndarray | None]
) -> tuple[dict[str, pl.Series], list[dict[str, Any]]]:
    """Return the columns of a series, and what the header says of them: column, name, type, shape's column.

    Raises
    ------
    DataError
        For arrays of another type than those of ``SERIES``.
    """
    import polars as pl

    found, told = {}, []
    for place, dtype in enumerate(dict.fromkeys(array.dtype for array in arrays if array is not None)):
        if dtype.name not in SERIES:
            raise DataError(
                f"the series '{name}' is of type {dtype.name}, which no column holds",
                remedy=f"one of: {', '.join(SERIES)}",
            )
        label = f"{CURVE}{name}" if place == 0 else f"{CURVE}{name}#{dtype.name}"
        own = [array if array is not None and array.dtype == dtype else None for array in arrays]
        inner = getattr(pl, SERIES[dtype.name])
        # a list of arrays with gaps is no list of arrays for polars
        flat = [None if array is None else pl.Series(np.ravel(array), dtype=inner) for array in own]
        found[label] = pl.Series(label, flat, dtype=pl.List(inner))
        entry: dict[str, Any] = {"column": label, "name": name, "dtype": dtype.name}
        if any(array is not None and array.ndim != 1 for array in own):
            entry["shape"] = label.replace(CURVE, SHAPE, 1)
            shapes = [None if array is None else list(array.shape) for array in own]
            found[entry["shape"]] = pl.Series(entry["shape"], shapes, dtype=pl.List(pl.Int64))
        told.append(entry)
    return found, told


def read_curve(entry: Mapping[str, Any], values: Any, shape: Sequence[int] | None) -> np.ndarray:
    """Return a series as it was stored.

    Examples
    --------
    >>> read_curve({"dtype": "int16"}, [1, 2, 3, 4], [2, 2])
    array([[1, 2],
           [3, 4]], dtype=int16)
    """
    array: np.ndarray = np.array(values, dtype=np.dtype(str(entry["dtype"])))
    return array if shape is None else array.reshape(tuple(shape))
