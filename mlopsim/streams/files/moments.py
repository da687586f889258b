"""Dates and times: as text in ISO form, as columns with types, and the order of rows by them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from mlopsim.core.errors import DataError

if TYPE_CHECKING:
    import polars as pl

#: a date, alone or with a time, a fraction of a second and an offset
ISO = (
    r"^([0-9]{4}[-/][0-9]{2}[-/][0-9]{2})(?:[T ]([0-9]{2}):([0-9]{2})"
    r"(?::([0-9]{2})(?:[.,]([0-9]{1,9})[0-9]*)?)? ?(?:Z|([+-])([0-9]{2}):?([0-9]{2})?)?)?$"
)
PARTS = ("day", "hour", "minute", "second", "fraction", "sign", "hours", "minutes")
#: a date that is not in ISO form
OTHER = r"^[0-9]{1,2}[-/. ]([0-9]{1,2}|[A-Za-z]{3,9})[-/. ][0-9]{2,4}( .*)?$"
#: a whole number that Int64 holds
WHOLE = r"^[+-]?[0-9]{1,18}$"
#: microseconds a second
MICRO = 1_000_000
REMEDY = (
    "use numbers or ISO dates (2013-01-31, 2013-01-31T12:00:00), or leave time empty if the rows are in order"
)


def moments(text: pl.Series) -> pl.DataFrame:
    """Read ISO dates and times.

    Parameters
    ----------
    text : polars.Series of str

    Returns
    -------
    polars.DataFrame
        ``seconds`` since 1970 (Int64, null where a text is no date) and ``nanos`` (Int64) behind it,
        ``clock``: whether there is a time of day, ``offset``: whether it says which one.

    Examples
    --------
    >>> import polars as pl
    >>> moments(pl.Series(["1970-01-02", "1970-01-01T01:00:00.5+01:00", "soon"])).rows()
    [(86400, 0, False, False), (0, 500000000, True, True), (None, None, None, None)]
    """
    import polars as pl

    parts = text.str.extract_groups(ISO).struct.unnest()
    parts.columns = list(PARTS)
    number = {name: pl.col(name).cast(pl.Int64).fill_null(0) for name in PARTS[1:] if name != "sign"}
    day = pl.col("day").str.replace_all("/", "-").str.to_date("%Y-%m-%d", strict=False)
    good = day.is_not_null() & (number["hour"] < 24) & (number["minute"] < 60) & (number["second"] < 61)
    shift = (number["hours"] * 60 + number["minutes"]) * 60
    shift = pl.when(pl.col("sign") == "-").then(-shift).otherwise(shift)
    seconds = day.to_physical().cast(pl.Int64) * 86400
    seconds = seconds + (number["hour"] * 60 + number["minute"]) * 60 + number["second"] - shift
    found = parts.select(
        pl.when(good).then(seconds).alias("seconds"),
        pl.when(good)
        .then(pl.col("fraction").fill_null("").str.pad_end(9, "0").cast(pl.Int64))
        .alias("nanos"),
        pl.when(good).then(pl.col("hour").is_not_null()).alias("clock"),
    )
    zone = pl.Series("offset", text.str.contains("(Z|[+-][0-9]{2}:?[0-9]{0,2})$"))
    offset = zone & found["clock"]
    return found.with_columns(offset.set(found["seconds"].is_null(), None).alias("offset"))


def as_numbers(series: pl.Series) -> pl.Series:
    """Return dates and times as numbers, Float64: days or microseconds since 1970, of any type or unit.

    Dates without a time of day are days; a duration is microseconds, a time of day nanoseconds.

    Parameters
    ----------
    series : polars.Series
        Of a temporal type, or text in ISO form.

    Examples
    --------
    >>> import polars as pl
    >>> as_numbers(pl.Series(["1970-01-02", None])).to_list()
    [1.0, None]
    """
    import polars as pl

    if series.dtype == pl.String:
        found = moments(series)
        if not found["clock"].any():
            return (found["seconds"] // 86400).cast(pl.Float64)
        return (found["seconds"] * MICRO).cast(pl.Float64) + found["nanos"].cast(pl.Float64) / 1000.0
    return series.to_physical().cast(pl.Float64) / unit(series)


def unit(series: pl.Series) -> float:
    """Return how many of a column's own units one of :func:`as_numbers` has."""
    import polars as pl

    if isinstance(series.dtype, pl.Datetime | pl.Duration):
        return {"ms": 1e-3, "us": 1.0, "ns": 1e3}[series.dtype.time_unit]
    return 1.0


def written(value: float, like: str) -> str | None:
    """Return a number of :func:`as_numbers` as a date or time in the form of another one.

    None where there is no such date, or the form is too coarse for it.

    Examples
    --------
    >>> written(1.0, "2020-05-06"), written(1.5e6, "2020-05-06T07:08:09Z"), written(1e12, "2020-05-06")
    ('1970-01-02', '1970-01-01T00:00:01.500000Z', None)
    """
    import re
    from datetime import UTC, datetime, timedelta

    parts = re.match(ISO, like)
    if parts is None:
        raise DataError(f"'{like}' is no date in ISO form")
    day, hour, _, second, fraction, sign, hours, minutes = parts.groups()
    shift = timedelta(hours=int(hours or 0), minutes=int(minutes or 0)) * (-1 if sign == "-" else 1)
    try:
        step = timedelta(days=value) if hour is None else timedelta(microseconds=value)
        found = datetime(1970, 1, 1, tzinfo=UTC) + step + shift
    except OverflowError:
        return None
    text = found.strftime("%Y").zfill(4) + found.strftime(f"{day[4]}%m{day[4]}%d")
    if hour is None:
        return text if not value % 1 else None
    text += like[10] + found.strftime("%H:%M")
    if second is not None or found.second or found.microsecond:
        text += found.strftime(":%S")
    if fraction is not None or found.microsecond:
        text += found.strftime(".%f")
    zone = re.search(r" ?(Z|[+-][0-9]{2}:?[0-9]{0,2})$", like)
    return text + (zone.group() if zone else "")


def time_order(series: pl.Series, source: str) -> np.ndarray:
    """Return the rows in time order, int64 (n,), equal times in the order of the source.

    Parameters
    ----------
    series : polars.Series
        Numbers, times, or text that reads as such; null where a time is missing.
    source : str
        Named in errors.

    Raises
    ------
    DataError
        If times are missing, are none, or some say their offset and others do not; names the rows.
    """
    import polars as pl

    what = f"values of the time column '{series.name}'"
    gaps = series.is_null()
    if gaps.any():
        raise DataError(f"{source}: {counted(gaps, what, 'are missing')}", remedy=REMEDY)
    if series.dtype == pl.String:
        number = series.cast(pl.Float64, strict=False).fill_nan(None)
        read = moments(series)
        if number.null_count() < read["seconds"].null_count():
            if number.null_count():
                raise _no_times(series, number.is_null(), what, source)
            whole = bool(series.str.contains(WHOLE).all())
            return _argsort(series.cast(pl.Int64) if whole else number)
        if read["seconds"].null_count():
            raise _no_times(series, read["seconds"].is_null(), what, source)
        if (
            read["clock"].any()
            and (read["offset"] != read["offset"][int(read["clock"].arg_true()[0])])
            .filter(read["clock"])
            .any()
        ):
            raise DataError(
                f"{source}: {counted(read['offset'], what, 'have an offset from UTC, the others none')}",
                remedy="write all of them with or without an offset",
            )
        return np.lexsort((read["nanos"].to_numpy(), read["seconds"].to_numpy()))
    if not (series.dtype.is_numeric() or series.dtype.is_temporal()):
        raise DataError(f"{source}: the time column '{series.name}' holds {series.dtype}", remedy=REMEDY)
    return _argsort(series.to_physical())


def _argsort(series: pl.Series) -> np.ndarray:
    order: np.ndarray = np.argsort(series.to_numpy(), kind="stable").astype(np.int64)
    return order


def _no_times(series: pl.Series, bad: pl.Series, what: str, source: str) -> DataError:
    odd = series.filter(bad)
    shown = ", ".join(f"'{value}'" for value in odd.unique(maintain_order=True)[:3].to_list())
    remedy = REMEDY
    if odd.str.contains(OTHER).any():
        remedy = f"dates with the day or the month first can be read in two ways: {REMEDY}"
    return DataError(f"{source}: {counted(bad, what, 'are no times')}: {shown}", remedy=remedy)


def counted(mask: pl.Series, what: str, verb: str, most: int = 5) -> str:
    """Say how many and which rows, from 0.

    Examples
    --------
    >>> import polars as pl
    >>> counted(pl.Series([False, True, True]), "labels", "are missing")
    '2 of 3 labels are missing (rows 1, 2; the first row is 0)'
    """
    rows: Sequence[int] = mask.fill_null(False).arg_true().to_list()
    shown = ", ".join(map(str, rows[:most])) + (", ..." if len(rows) > most else "")
    return (
        f"{len(rows)} of {len(mask)} {what} {verb} (row{'s' * (len(rows) > 1)} {shown}; the first row is 0)"
    )
