"""From a data frame to numbers: labels, groups and categories as codes, gaps as NaN."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from mlopsim.core.errors import DataError, nearest

if TYPE_CHECKING:
    import polars as pl

#: what stands for a missing value in text
MISSING = ("", "?", "NA", "N/A", "NaN", "nan", "null", "NULL")
#: the group of rows whose protected attribute is missing
NO_GROUP = "(missing)"
#: how a time may be written beside a date alone
TIMES = ("%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M")
MAX_CLASSES = 256
MAX_GROUPS = 256


@dataclass(frozen=True, kw_only=True)
class Table:
    """Rows in time order, not yet cut into windows; the fields are those of ``Stream``."""

    X: np.ndarray
    y: np.ndarray
    g: np.ndarray
    classes: tuple[str, ...]
    features: tuple[str, ...]
    groups: tuple[str, ...]
    categories: dict[int, tuple[str, ...]] = field(default_factory=dict)


def table_of(
    frame: pl.DataFrame,
    *,
    source: str,
    label: str,
    time: str = "",
    group: str = "",
    drop: Sequence[str] = (),
    categorical: Sequence[str] = (),
    positive: str = "",
    missing: Sequence[str] = MISSING,
) -> Table:
    """Turn a frame into a table.

    Text is stripped and ``missing`` marks become gaps; a column of text that all reads as numbers is
    numeric, other text is categorical (categories in alphabetical order).

    Parameters
    ----------
    frame : polars.DataFrame
        Rows in the order of the source.
    source : str
        Named in errors.
    label : str
        Column of the labels; classes are sorted (numbers by value, text by alphabet).
    time : str, optional
        Column of numbers or ISO dates by which rows are sorted, equal times in source order; it is
        no feature. Without it the order of the source is the order in time.
    group : str, optional
        Column of the protected group. It stays a feature unless it is in ``drop``, too. A missing
        value is a group of its own.
    drop : sequence of str
        Columns that are no features.
    categorical : sequence of str
        Columns of numbers that are categories.
    positive : str, optional
        This label against all others.
    missing : sequence of str
        Texts that stand for a missing value.

    Returns
    -------
    Table
        Features float64, labels and groups int64.

    Raises
    ------
    DataError
        For a column that is not there, no rows, missing labels, fewer than two classes, a column
        without any value, unreadable times; names the remedy.

    Examples
    --------
    >>> import polars as pl
    >>> frame = pl.DataFrame({"age": ["31", "?", "45"], "job": ["cook", "nurse", "cook"],
    ...                       "label": ["no", "yes", "no"]})
    >>> table = table_of(frame, source="example", label="label")
    >>> table.X, table.classes, table.categories
    (array([[31.,  0.],
           [nan,  1.],
           [45.,  0.]]), ('no', 'yes'), {1: ('cook', 'nurse')})
    """
    import polars as pl

    for column in (label, time, group, *drop, *categorical):
        if column and column not in frame.columns:
            what = "label column" if column == label else "column"
            raise DataError(
                f"{source} has no {what} '{column}'{nearest(column, frame.columns)}",
                remedy=f"its columns: {', '.join(frame.columns)}",
            )
    if not len(frame):
        raise DataError(f"{source} has no rows")
    text = [name for name, dtype in frame.schema.items() if dtype == pl.String]
    stripped = [pl.col(name).str.strip_chars() for name in text]
    frame = frame.with_columns(stripped).with_columns(
        pl.when(pl.col(name).is_in(list(missing))).then(None).otherwise(pl.col(name)).alias(name)
        for name in text
    )
    if time:
        frame = _sorted_by(frame, time, source)
    y, classes = _labels(frame[label], source, positive)
    groups: tuple[str, ...] = ("all",)
    g = np.zeros(len(frame), dtype=np.int64)
    if group:
        g, groups = _groups(frame[group], source)
    names = [name for name in frame.columns if name not in {label, time, *drop}]
    if not names:
        raise DataError(f"{source} has no feature columns left", remedy="drop fewer columns")
    X = np.empty((len(frame), len(names)), dtype=np.float64)
    categories: dict[int, tuple[str, ...]] = {}
    for j, name in enumerate(names):
        X[:, j], known = _feature(frame[name], source, name in categorical)
        if known is not None:
            categories[j] = known
    return Table(X=X, y=y, g=g, classes=classes, features=tuple(names), groups=groups, categories=categories)


def _sorted_by(frame: pl.DataFrame, time: str, source: str) -> pl.DataFrame:
    """Return the rows sorted by a column of numbers or ISO dates, equal ones in their order."""
    import polars as pl

    key = frame[time]
    if key.dtype == pl.String:
        number = key.cast(pl.Float64, strict=False)
        key = _moments(key) if number.null_count() else number
    if key.null_count() or not (key.dtype.is_numeric() or key.dtype.is_temporal()):
        raise DataError(
            f"{source}: {key.null_count()} of {len(key)} values of the time column '{time}' are missing "
            "or no times",
            remedy="use numbers or ISO dates (2013-01-31, 2013-01-31T12:00:00), or leave time empty if the "
            "rows are in order",
        )
    return frame[np.argsort(key.to_physical().to_numpy(), kind="stable")]


def _moments(text: pl.Series) -> pl.Series:
    """Return ISO dates and times as Datetime, null where a text is neither."""
    import polars as pl

    column = pl.col("text").str.strip_suffix("Z")
    times = [column.str.to_datetime(form, time_unit="us", strict=False) for form in TIMES]
    days = column.str.to_date("%Y-%m-%d", strict=False).cast(pl.Datetime("us"))
    return pl.DataFrame({"text": text}).select(pl.coalesce(*times, days)).to_series()


def _numbers(series: pl.Series) -> pl.Series | None:
    """Return the values as Float64, or None if they are categories."""
    import polars as pl

    if series.dtype.is_numeric() or series.dtype in (pl.Boolean, pl.Null):
        return series.cast(pl.Float64)
    if series.dtype.is_temporal():
        return series.to_physical().cast(pl.Float64)
    if series.dtype == pl.String:
        number = series.cast(pl.Float64, strict=False)
        if number.null_count() == series.null_count():
            return number
    return None


def _coded(series: pl.Series) -> tuple[np.ndarray, tuple[str, ...]]:
    """Return codes (float64, NaN where missing) of sorted values, and their names."""
    import polars as pl

    number = None if series.dtype in (pl.Categorical, pl.Enum) else _numbers(series)
    if number is not None:
        values = number.to_numpy().astype(np.float64)
        known = np.unique(values[~np.isnan(values)])
        codes = np.searchsorted(known, values).astype(np.float64)
        codes[np.isnan(values)] = np.nan
        return codes, tuple(f"{value:.15g}" for value in known)
    text = series.cast(pl.String)
    names = sorted(text.drop_nulls().unique().to_list())
    physical = text.cast(pl.Enum(names)).to_physical().cast(pl.Float64)
    return physical.to_numpy().astype(np.float64), tuple(names)


def _labels(series: pl.Series, source: str, positive: str) -> tuple[np.ndarray, tuple[str, ...]]:
    codes, names = _coded(series)
    gaps = int(np.isnan(codes).sum())
    if gaps:
        raise DataError(
            f"{source}: {gaps} of {len(codes)} labels in '{series.name}' are missing",
            remedy="remove those rows, or choose another label column",
        )
    if positive:
        if positive not in names:
            raise DataError(
                f"{source}: no label is '{positive}'{nearest(positive, names)}",
                remedy=f"labels: {', '.join(names[:20])}",
            )
        codes = (codes == names.index(positive)).astype(np.float64)
        names = (f"not {positive}", positive) if len(names) != 2 else _put_last(names, positive)
    if len(np.unique(codes)) < 2:
        raise DataError(
            f"{source}: all labels in '{series.name}' are '{names[int(codes[0])]}'",
            remedy="choose a label column with at least two classes",
        )
    if len(names) > MAX_CLASSES:
        raise DataError(
            f"{source}: '{series.name}' has {len(names)} different values, more than {MAX_CLASSES} classes",
            remedy="choose a column of classes, not of numbers, or name one as positive",
        )
    return codes.astype(np.int64), names


def _put_last(names: tuple[str, ...], positive: str) -> tuple[str, ...]:
    return (*(name for name in names if name != positive), positive)


def _groups(series: pl.Series, source: str) -> tuple[np.ndarray, tuple[str, ...]]:
    codes, names = _coded(series)
    if len(names) > MAX_GROUPS:
        raise DataError(
            f"{source}: the group column '{series.name}' has {len(names)} different values",
            remedy="bin it into a few groups first",
        )
    if np.isnan(codes).any():
        codes = np.where(np.isnan(codes), len(names), codes)
        names = (*names, NO_GROUP)
    return codes.astype(np.int64), names


def _feature(series: pl.Series, source: str, categorical: bool) -> tuple[np.ndarray, tuple[str, ...] | None]:
    import polars as pl

    if series.dtype.is_nested():
        raise DataError(
            f"{source}: column '{series.name}' holds {series.dtype}, not single values",
            remedy=f"leave it out: drop=[{series.name}]",
        )
    number = None if categorical or series.dtype in (pl.Categorical, pl.Enum) else _numbers(series)
    if number is None:
        values, names = _coded(series)
    else:
        values, names = number.to_numpy().astype(np.float64), None
    if np.isnan(values).all():
        raise DataError(
            f"{source}: column '{series.name}' has no value in any of the {len(values)} rows",
            remedy=f"leave it out: drop=[{series.name}]",
        )
    if np.isinf(values).any():
        raise DataError(
            f"{source}: column '{series.name}' holds infinite values",
            remedy=f"replace them by numbers or by nothing (missing), or leave the column out: "
            f"drop=[{series.name}]",
        )
    return values, names
