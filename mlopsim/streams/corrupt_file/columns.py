"""Columns of a data file with other values in some rows, written as the file writes them."""

from __future__ import annotations

import re
import string
from collections.abc import Collection, Iterator, Sequence
from datetime import date
from typing import TYPE_CHECKING, Any

import numpy as np

from mlopsim.core.errors import DataError
from mlopsim.streams.files.columns import MISSING, NUMBER, TRUTHS, option, tidy, truths
from mlopsim.streams.files.moments import ISO, unit, written

if TYPE_CHECKING:
    import polars as pl

#: digits of an integer that a float64 always holds
EXACT_DIGITS = 15


def with_numbers(
    series: pl.Series,
    rows: np.ndarray,
    values: np.ndarray,
    missing: Sequence[str] = MISSING,
    *,
    keep: bool = False,
) -> pl.Series:
    """Return a column of numbers with other ones in some rows.

    The column keeps its type where this holds the new values. Integers become wider ones, or floats if a
    new value is no integer, unless the type is to be kept; text stays text, of integers where all are, and of
    dates in their form.

    Parameters
    ----------
    series : polars.Series
        Numbers, times, or text that reads as numbers.
    rows : ndarray of int64, shape (k,)
    values : ndarray of float64, shape (k,)
        As a table has them; NaN leaves nothing.
    missing : sequence of str
        Texts that stand for a missing value.
    keep : bool, default False
        Whether the type must stay.

    Raises
    ------
    DataError
        If no type holds old and new values, or a value is infinite.

    Examples
    --------
    >>> import polars as pl
    >>> rows, values = np.array([0, 2]), np.array([300.0, np.nan])
    >>> with_numbers(pl.Series("x", [1, 2, 3], dtype=pl.Int64), rows, values).to_list()
    [300, 2, None]
    >>> with_numbers(pl.Series("x", ["1", "2.50", "?"]), rows, values).to_list()
    ['300.0', '2.50', None]
    """
    import polars as pl

    if np.isinf(values).any():
        raise DataError(
            f"errors make values of '{series.name}' infinite", remedy="use a smaller factor, shift or gain"
        )
    if series.dtype == pl.String:
        return _put(series, rows, _spelt(series, values, missing))
    fresh = pl.Series(values, dtype=pl.Float64).fill_nan(None)
    if series.dtype.is_temporal():
        return _put(series, rows, _moments(series, fresh * unit(series)))
    candidates: list[Any] = [series.dtype, pl.Float64()]
    if series.dtype.is_integer() or series.dtype == pl.Boolean:
        candidates.insert(1, pl.Int64())
    for dtype in candidates[: 1 if keep else None]:
        cast = fresh.cast(dtype, strict=False)
        kept = series.cast(dtype, strict=False)
        exact = kept.cast(series.dtype, strict=False).equals(series, null_equal=True)
        if exact and cast.cast(pl.Float64).equals(fresh, null_equal=True):
            return _put(kept, rows, cast)
    if keep:
        raise DataError(
            f"errors make values of '{series.name}' that {series.dtype} does not hold",
            remedy="use a smaller factor, shift or gain, leave it out "
            f"({option('drop', str(series.name))}), or write .csv",
        )
    raise DataError(
        f"'{series.name}' holds integers that no float holds, and would get values that are no integers",
        remedy="drop it, or name other columns",
    )


def _spelt(series: pl.Series, values: np.ndarray, missing: Sequence[str]) -> pl.Series:
    """Return numbers as a column of text spells them."""
    import polars as pl

    text = tidy(series, missing).drop_nulls()
    gaps = np.isnan(values)
    fresh: list[str | None] = []
    if truths(text) is not None:
        words = next(pair for pair in TRUTHS if set(text.unique().to_list()) <= set(pair))
        if not np.isin(values[~gaps], (0.0, 1.0)).all():
            raise DataError(
                f"errors make values of '{series.name}' that are neither {words[0]} nor {words[1]}",
                remedy=f"leave it out: {option('drop', str(series.name))}",
            )
        fresh = [None if gap else words[int(value)] for value, gap in zip(values, gaps, strict=True)]
    elif bool(text.str.contains(ISO).all()):
        like = text[0]
        fresh = [
            None if gap else written(value, like) for value, gap in zip(values.tolist(), gaps, strict=True)
        ]
        if sum(item is None for item in fresh) > gaps.sum():
            raise DataError(
                f"errors make values of '{series.name}' that are no dates like {like}",
                remedy="drop it, name other columns, or turn its times into numbers first",
            )
    else:
        whole = bool(text.str.contains(r"^[+-]?[0-9]+$").all())
        fresh = [_text(value, whole) for value in values]
    return pl.Series(fresh, dtype=pl.String)


def with_names(series: pl.Series, rows: np.ndarray, names: Sequence[str], *, keep: bool = False) -> pl.Series:
    """Return a column of categories with new names in some rows.

    It becomes text where its type cannot hold them, or this is an error if the type must stay. An Enum gets
    the new names.

    Examples
    --------
    >>> import polars as pl
    >>> with_names(pl.Series("zip", [10, 20, 30]), np.array([1]), ["x"]).to_list()
    ['10', 'x', '30']
    """
    import polars as pl

    fresh, dtype = pl.Series(names, dtype=pl.String), series.dtype
    if isinstance(dtype, pl.Enum):
        dtype = pl.Enum([*dtype.categories, *dict.fromkeys(names)])
    elif not isinstance(dtype, pl.Categorical) and fresh.cast(dtype, strict=False).null_count():
        if keep:
            raise DataError(
                f"'{names[0]}' is no {dtype}, which '{series.name}' holds",
                remedy="name the new category so that it is one (label=...), or write .csv",
            )
        dtype = pl.String()
    return _put(series.cast(dtype), rows, fresh.cast(dtype))


def with_rows(series: pl.Series, rows: np.ndarray, source: np.ndarray) -> pl.Series:
    """Return a column with what stands in other rows of it in some rows, nothing where ``source`` is -1.

    Examples
    --------
    >>> import polars as pl
    >>> with_rows(pl.Series("x", ["a", "b", "c"]), np.array([0, 1]), np.array([2, -1])).to_list()
    ['c', None, 'c']
    """
    import polars as pl

    index = np.arange(len(series), dtype=np.int64)
    index[rows] = source
    places = pl.Series(index)
    return series.gather(places.set(places < 0, None))


def _put(series: pl.Series, rows: np.ndarray, fresh: pl.Series) -> pl.Series:
    """Return a column with other values of its type in some rows."""
    import polars as pl

    mask, index = np.zeros(len(series), dtype=np.bool_), np.zeros(len(series), dtype=np.int64)
    mask[rows], index[rows] = True, np.arange(len(rows))
    return fresh.gather(pl.Series(index)).zip_with(pl.Series(mask), series).alias(series.name)


def _moments(series: pl.Series, fresh: pl.Series) -> pl.Series:
    """Return numbers as the times that they stand for in a column of times."""
    import polars as pl

    whole = fresh.cast(pl.Int64, strict=False)
    times = whole.cast(series.to_physical().dtype, strict=False).cast(series.dtype, strict=False)
    good = times.to_physical().cast(pl.Float64).equals(fresh, null_equal=True)
    if good and isinstance(series.dtype, pl.Date | pl.Datetime):
        # the years that all readers know
        ends = pl.Series([date(1, 1, 1), date(9999, 12, 31)]).cast(series.dtype).to_physical()
        good = bool(times.to_physical().is_between(ends[0], ends[1]).all())
    if not good:
        raise DataError(
            f"errors make values of '{series.name}' that are no {series.dtype}",
            remedy="drop it, name other columns, or turn its times into numbers first",
        )
    return times


def _text(value: float, whole: bool) -> str | None:
    if np.isnan(value):
        return None
    return str(int(value)) if whole and float(value).is_integer() else repr(float(value))


def typed(frame: pl.DataFrame, missing: Sequence[str] = MISSING) -> pl.DataFrame:
    """Give columns of text the type that they read as, where nothing but marks of missing values is lost.

    Integers become Int64, other numbers Float64; numbers with leading zeros and those of more digits than
    the type holds stay text, and so does all other text, as it is.

    Examples
    --------
    >>> import polars as pl
    >>> frame = pl.DataFrame({"a": ["1", "?"], "b": ["1", "2.50"], "zip": ["01", "10"], "c": ["?", " x"]})
    >>> {name: series.to_list() for name, series in typed(frame).to_dict().items()}
    {'a': [1, None], 'b': [1.0, 2.5], 'zip': ['01', '10'], 'c': ['?', ' x']}
    """
    import polars as pl

    return frame.with_columns(_typed(series, missing) for series in frame if series.dtype == pl.String)


def _typed(series: pl.Series, missing: Sequence[str]) -> pl.Series:
    import polars as pl

    text = tidy(series, missing)
    gaps = text.null_count()
    number = text.cast(pl.Float64, strict=False)
    if gaps == len(text) or number.null_count() > gaps:
        return series
    integer = text.cast(pl.Int64, strict=False)
    if integer.cast(pl.String).equals(text, null_equal=True):
        return integer
    whole = text.filter(text.str.contains(r"^[+-]?\d+$"))
    lossless = whole.str.contains(rf"^-?(0|[1-9]\d{{0,{EXACT_DIGITS - 1}}})$").all()
    return number if lossless else series


def misspelt(names: Sequence[str], taken: Collection[str], rng: np.random.Generator) -> list[str]:
    """Return each name with a slip of the fingers that makes it an unknown one.

    Two neighbouring characters change places, or else one is typed twice, or else one more is typed: the
    first of these, from a place that is drawn, that gives no name that is taken.

    Parameters
    ----------
    names : sequence of str
    taken : collection of str
        Names that a slip must not give.
    rng : Generator

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> misspelt(["nurse", "aa", "ab"], {"nurse", "aa", "ab", "ba"}, rng)
    ['nusre', 'aaa', 'aab']
    """
    known = {as_read(name) for name in taken}
    return [
        next(slip for slip in _slips(name, place) if as_read(slip) not in known)
        for name, place in zip(names, rng.random(len(names)), strict=True)
    ]


def _slips(name: str, place: float) -> Iterator[str]:
    """Yield misspelt forms of a name, the ones that begin at the place (a share of its length) first."""
    pairs = [i for i in range(len(name) - 1) if name[i] != name[i + 1]]
    cut = int(place * len(pairs))
    for i in pairs[cut:] + pairs[:cut]:
        yield name[:i] + name[i + 1] + name[i] + name[i + 2 :]
    cut = int(place * len(name))
    for i in (*range(cut, len(name)), *range(cut)):
        yield name[: i + 1] + name[i:]
    more = name
    while True:
        yield from (more + letter for letter in string.ascii_lowercase)
        more += "q"


def as_read(text: str) -> str:
    """Return a name as some reader may take it: without blanks around, and ``07.0`` as the number 7.

    We take names as they are; an error that another program does not see would be none for its user.

    Examples
    --------
    >>> as_read(" 07.0"), as_read(" x ")
    ('7', 'x')
    """
    text = text.strip()
    return f"{float(text):.15g}" if re.match(NUMBER, text) else text
