"""From a data frame to numbers: labels, groups and categories as codes, gaps as NaN."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from mlopsim.core.errors import DataError, nearest, warn_of_data
from mlopsim.streams.files.columns import MISSING, NUMBER, free, nominal, numbers, option, tidy, unnamed
from mlopsim.streams.files.moments import counted, time_order

if TYPE_CHECKING:
    import polars as pl

#: the group of rows whose protected attribute is missing; another name where a real group has this one
NO_GROUP = "(missing)"
MAX_CLASSES = 256
MAX_GROUPS = 256


@dataclass(frozen=True, kw_only=True)
class Table:
    """Rows in time order, not yet cut into windows; the fields are those of ``Stream``.

    Parameters
    ----------
    X, y, g, classes, features, groups, categories
        As in :class:`mlopsim.streams.stream.Stream`.
    no_group : str or None
        Name of the group of the rows whose protected attribute is missing, where there are such.
    """

    X: np.ndarray
    y: np.ndarray
    g: np.ndarray
    classes: tuple[str, ...]
    features: tuple[str, ...]
    groups: tuple[str, ...]
    categories: dict[int, tuple[str, ...]] = field(default_factory=dict)
    no_group: str | None = None


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
    """Turn a frame into a table; the same rows give the same table, whatever they were read from.

    Text is stripped and ``missing`` marks become gaps. A column of text is numeric if all of its values
    are numbers, truths or ISO dates; one that is nearly so is an error, other text is categorical (see
    :func:`mlopsim.streams.files.columns.numbers`). Labels, groups and categories are compared as the texts or
    integers that they are, never as floats, and stand in the order of numbers if all of them are numbers,
    else in that of text. Columns without a name (an index, what follows the last separator) are no
    features; this is said aloud.

    Parameters
    ----------
    frame : polars.DataFrame
        Rows in the order of the source.
    source : str
        Named in errors.
    label : str
        Column of the labels.
    time : str, optional
        Column of numbers or ISO dates by which rows are sorted, equal times in source order; it is
        no feature. Without it the order of the source is the order in time.
    group : str, optional
        Column of the protected group. It stays a feature unless it is in ``drop``, too. A missing
        value is a group of its own.
    drop : sequence of str
        Columns that are no features.
    categorical : sequence of str
        Columns that are categories, whatever they look like.
    positive : str, optional
        This label against all others.
    missing : sequence of str
        Texts that stand for a missing value. Nothing always does.

    Returns
    -------
    Table
        Features float64, labels and groups int64.

    Raises
    ------
    DataError
        For a column that is not there, no rows, missing labels, fewer than two classes, a column
        without any value, a column between numbers and text, unreadable times; names the remedy.

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
    for column in (label, time, group, *drop, *categorical):
        if column and column not in frame.columns:
            what = "label column" if column == label else "column"
            raise DataError(
                f"{source} has no {what} '{column}'{nearest(column, frame.columns)}",
                remedy=f"its columns: {', '.join(frame.columns)}",
            )
    if label in drop:
        raise DataError(
            f"'{label}' is the label column of {source}: it is no feature already",
            remedy="leave it out of drop, or name another label",
        )
    if not len(frame):
        raise DataError(f"{source} has no rows", remedy="give it rows below its header")
    chosen = {label, time, group, *categorical}
    frame = _named(frame, source, {*chosen, *drop})
    frame = frame.select(name for name in frame.columns if name in {label, time, group} or name not in drop)
    declared = {*categorical, *_declared(frame)}
    marks = _marks(frame, missing)
    frame = frame.with_columns([tidy(series, missing) for series in frame])
    if time:
        frame = frame[time_order(frame[time], source)]
    y, classes = _labels(frame[label], source, positive)
    groups: tuple[str, ...] = ("all",)
    no_group: str | None = None
    g = np.zeros(len(frame), dtype=np.int64)
    if group:
        g, groups, no_group = _groups(frame[group], source)
    names = [name for name in frame.columns if name not in {label, time, *drop}]
    if not names:
        raise DataError(f"{source} has no feature columns left", remedy="drop fewer columns")
    X = np.empty((len(frame), len(names)), dtype=np.float64)
    categories: dict[int, tuple[str, ...]] = {}
    for j, name in enumerate(names):
        X[:, j], known = _feature(frame[name], source, name in declared, marks)
        if known is not None:
            categories[j] = known
    return Table(
        X=X,
        y=y,
        g=g,
        classes=classes,
        features=tuple(names),
        groups=groups,
        categories=categories,
        no_group=no_group,
    )


def _named(frame: pl.DataFrame, source: str, chosen: set[str]) -> pl.DataFrame:
    """Leave out the columns without a name that nobody chose, and say so."""
    left = [name for name in frame.columns if unnamed(name) and name not in chosen]
    if not left:
        return frame
    shown = []
    for name in left[:3]:
        values = frame[name].drop_nulls().head(3).to_list()
        held = ", ".join(f"'{value}'" for value in values if value != "")
        shown.append(f"column {frame.get_column_index(name) + 1} ({held + ', ...' if held else 'empty'})")
    rest = f" and {len(left) - 3} more" if len(left) > 3 else ""
    verb = "has no name and is" if len(left) == 1 else "have no name and are"
    warn_of_data(
        f"{source}: {', '.join(shown)}{rest} {verb} no feature: whoever wants it there gives it a name"
    )
    return frame.drop(left)


def _declared(frame: pl.DataFrame) -> list[str]:
    """Return the columns whose type says that they are categories."""
    import polars as pl

    return [name for name, dtype in frame.schema.items() if isinstance(dtype, pl.Categorical | pl.Enum)]


def _marks(frame: pl.DataFrame, missing: Sequence[str]) -> set[str]:
    """Return which marks of missing values the file has."""
    import polars as pl

    found: set[str] = set()
    for series in frame:
        if series.dtype == pl.String:
            text = series.filter(series.is_in([mark for mark in missing if mark]))
            found |= set(text.unique().to_list())
    return found


def _check_single(series: pl.Series, source: str) -> None:
    import polars as pl

    if series.dtype.is_nested() or series.dtype in (pl.Binary, pl.Object):
        raise DataError(
            f"{source}: column '{series.name}' holds {series.dtype}, not single values",
            remedy=f"leave it out: {option('drop', series.name)}",
        )


def _labels(series: pl.Series, source: str, positive: str) -> tuple[np.ndarray, tuple[str, ...]]:
    _check_single(series, source)
    gaps = series.is_null()
    if gaps.any():
        what = f"labels in '{series.name}'"
        raise DataError(
            f"{source}: {counted(gaps, what, 'are missing')}",
            remedy="remove those rows, or choose another label column",
        )
    codes, names = nominal(series)
    _say_spellings(names, series.name, source)
    if positive:
        positive = _positive(positive, names, source)
        codes = (codes == names.index(positive)).astype(np.int64)
        others = [name for name in names if name != positive]
        # two classes keep their names
        names = (others[0] if len(others) == 1 else free(f"not {positive}", names), positive)
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
    return codes, names


def _positive(positive: str, names: tuple[str, ...], source: str) -> str:
    """Return the name of the class that is meant; truths may be written in any way."""
    if positive in names:
        return positive
    if set(names) <= {"false", "true"} and positive.lower() in names:
        return positive.lower()
    raise DataError(
        f"{source}: no label is '{positive}'{nearest(positive, names)}",
        remedy=f"labels: {', '.join(names[:20])}",
    )


def _say_spellings(names: tuple[str, ...], column: str, source: str) -> None:
    """Say if two names are one number in two spellings, or all but a few are numbers."""
    known: dict[float, str] = {}
    plain = [name for name in names if re.match(NUMBER, name)]
    for name in plain if len(names) <= MAX_CLASSES else ():
        # whole numbers of any length are compared exactly
        value = int(name) if name.lstrip("+-").isdigit() else float(name)
        other = known.setdefault(value, name)
        if other != name:
            warn_of_data(f"{source}: '{other}' and '{name}' in '{column}' are two classes, spelt differently")
            return
    odd = [name for name in names if name not in plain]
    if len(plain) > len(odd) > 0:
        shown = ", ".join(f"'{name}'" for name in odd[:5])
        warn_of_data(f"{source}: {shown} in '{column}' are classes of their own beside numbers")


def _groups(series: pl.Series, source: str) -> tuple[np.ndarray, tuple[str, ...], str | None]:
    _check_single(series, source)
    codes, names = nominal(series)
    if len(names) > MAX_GROUPS:
        raise DataError(
            f"{source}: the group column '{series.name}' has {len(names)} different values",
            remedy="bin it into a few groups first",
        )
    if (codes >= 0).all():
        return codes, names, None
    no_group = free(NO_GROUP, names)
    return np.where(codes < 0, len(names), codes), (*names, no_group), no_group


def _feature(
    series: pl.Series, source: str, categorical: bool, marks: set[str]
) -> tuple[np.ndarray, tuple[str, ...] | None]:
    _check_single(series, source)
    if series.null_count() == len(series):
        raise DataError(
            f"{source}: column '{series.name}' has no value in any of the {len(series)} rows",
            remedy=f"leave it out: {option('drop', series.name)}",
        )
    number = None if categorical else numbers(series, source, marks)
    if number is None:
        codes, names = nominal(series)
        return np.where(codes < 0, np.nan, codes), names
    values = number.to_numpy().astype(np.float64)
    if np.isinf(values).any():
        raise DataError(
            f"{source}: column '{series.name}' holds infinite values",
            remedy=f"replace them by numbers or by nothing (missing), or leave the column out: "
            f"{option('drop', series.name)}",
        )
    return values, None
