"""What a column holds: numbers, categories, or something between that its owner has to decide."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING

import numpy as np

from mlopsim.core.errors import DataError, warn_of_data
from mlopsim.streams.files.moments import ISO, OTHER, as_numbers

if TYPE_CHECKING:
    import polars as pl

#: what stands for a missing value in text; nothing at all always does
MISSING = ("", "?", "NA", "N/A", "NaN", "nan", "null", "NULL")
#: a plain number
NUMBER = r"^[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]{1,4})?$"
INFINITE = r"^(?i)[+-]?inf(inity)?$"
#: what looks like a number or a time: units, signs of money, groups of digits, a comma in decimals
LOOKS = (
    r"^[$€£¥]? ?[+-]?[0-9]{1,3}([,. '’][0-9]{3})+([.,][0-9]+)? ?[%$€£¥]?$",
    r"^[$€£¥]? ?[+-]?[0-9]+[.,]?[0-9]*([eE][+-]?[0-9]+)? ?[%‰$€£¥]?$",
    r"^\([0-9.,]+\)$",
    OTHER,
    r"^[0-9]{1,2}:[0-9]{2}(:[0-9]{2}(\.[0-9]+)?)?( ?[aApP]\.?[mM]\.?)?$",
)
#: how truth is written; a column is boolean if it has values of one of these only
TRUTHS = (("false", "true"), ("False", "True"), ("FALSE", "TRUE"))
#: a text of so many different values, in more than half of its rows another one, is probably no category
MANY = 20
#: a word that a list on the command line holds without quotes
PLAIN = re.compile(r"(?!(?i:null|true|false|nan|inf)$)[^\W\d]\w*", re.ASCII)
#: what pandas and R call a column that has no name
UNNAMED = re.compile(r"\s*|Unnamed: \d+_*|__index_level_\d+__")


def unnamed(name: str) -> bool:
    """Tell whether a column has no name: nothing, blanks, or what readers put in its place.

    Examples
    --------
    >>> [name for name in ("", "Unnamed: 0", "__index_level_0__", "x") if unnamed(name)]
    ['', 'Unnamed: 0', '__index_level_0__']
    """
    return UNNAMED.fullmatch(name) is not None


def tidy(series: pl.Series, missing: Collection[str]) -> pl.Series:
    """Return a column as all formats give it: text without blanks around, gaps as null.

    Columns of categories become text; NaN is a gap.
    """
    import polars as pl

    if isinstance(series.dtype, pl.Categorical | pl.Enum):
        series = series.cast(pl.String)
    if series.dtype == pl.String:
        text = series.str.strip_chars()
        return text.set(text.is_in(list({"", *missing})), None)
    return series.fill_nan(None) if series.dtype.is_float() else series


def truths(series: pl.Series) -> pl.Series | None:
    """Return a column of truths as Boolean, None for all others.

    Examples
    --------
    >>> import polars as pl
    >>> truths(pl.Series(["True", None, "False"])).to_list(), truths(pl.Series(["True", "true"]))
    ([True, None, False], None)
    """
    import polars as pl

    if series.dtype == pl.Boolean:
        return series
    if series.dtype == pl.String:
        # most columns are not: look at a few values first
        if set(series.drop_nulls().head(3).to_list()) <= {word for words in TRUTHS for word in words}:
            found = set(series.drop_nulls().unique().to_list())
            for no, yes in TRUTHS:
                if found and found <= {no, yes}:
                    return series == yes
    return None


def nominal(series: pl.Series) -> tuple[np.ndarray, tuple[str, ...]]:
    """Return codes of sorted values, int64 with -1 where missing, and their names.

    Values are the texts that they are, never numbers: ``1``, ``1.0`` and ``01`` are three. They are in the
    order of numbers if all of them are numbers, else in that of text. Truths are ``false`` and ``true``.

    Parameters
    ----------
    series : polars.Series
        See :func:`tidy`.

    Examples
    --------
    >>> import polars as pl
    >>> nominal(pl.Series(["10", "9", None, "9007199254740993", "9007199254740992"]))
    (array([ 1,  0, -1,  3,  2]), ('9', '10', '9007199254740992', '9007199254740993'))
    """
    import polars as pl

    truth = truths(series)
    text = (series if truth is None else truth).cast(pl.String)
    names = in_order(text.drop_nulls().unique().to_list())
    codes = text.cast(pl.Enum(names)).to_physical().cast(pl.Int64).fill_null(-1)
    return codes.to_numpy().astype(np.int64), tuple(names)


def in_order(names: Sequence[str]) -> list[str]:
    """Return names in the order of numbers if all are, equal ones by their text, else in that of text.

    Examples
    --------
    >>> in_order(["10", "9", "1e1", "-1"]), in_order(["10", "9", "x"])
    (['-1', '9', '10', '1e1'], ['10', '9', 'x'])
    """
    if all(re.match(NUMBER, name) for name in names):
        return sorted(names, key=lambda name: (Decimal(name), name))
    return sorted(names)


def free(name: str, taken: Collection[str]) -> str:
    """Return a name of ours that no value of the data has.

    Examples
    --------
    >>> free("(missing)", ["a", "(missing)"])
    '(missing)_'
    """
    while name in taken:
        name += "_"
    return name


def option(name: str, *values: str) -> str:
    """Return how a list is given to a stream; the commands say it in their way.

    What is no plain word stands in quotes, so that it can be copied as it is; marks always do.

    Examples
    --------
    >>> option("drop", "age"), option("drop", "speed [rpm]"), option("missing", "-", "None")
    ('drop=[age]', "drop=['speed [rpm]']", "missing=['-','None']")
    """
    plain = name != "missing" and all(PLAIN.fullmatch(value) for value in values)
    return f"{name}=[{','.join(values if plain else map(_quoted, values))}]"


def _quoted(text: str) -> str:
    # backslashes count only before a quote
    return "'" + re.sub(r"(\\*)('|$)", lambda m: m[1] * 2 + (r"\'" if m[2] else ""), text) + "'"


def numbers(series: pl.Series, source: str, marks: Collection[str]) -> pl.Series | None:
    """Return a column as numbers, Float64, or None if it holds categories.

    A column of text is numbers if all of its values are, truths if all are (0 and 1), times if all are in
    ISO form (said aloud). It is an error if at least half of its values, or of its different values, are
    numbers or look like them while some are no numbers: nobody but its owner knows whether a mark stands for
    nothing, a unit is meant, or the column is one of codes. All other text is categories; where nearly every
    row has another one this is said aloud.

    Parameters
    ----------
    series : polars.Series
        See :func:`tidy`.
    source : str
        Named in errors.
    marks : collection of str
        Marks of missing values that the file has, named in remedies.

    Raises
    ------
    DataError
        Names the column, how many values are numbers, the others, and the remedy.

    Examples
    --------
    >>> import polars as pl
    >>> numbers(pl.Series("x", ["1", None, "2.50"]), "a.csv", ()).to_list()
    [1.0, None, 2.5]
    >>> numbers(pl.Series("x", ["1", "2", "-"]), "a.csv", ())
    Traceback (most recent call last):
    ...
    mlopsim.core.errors.DataError: a.csv: 2 of 3 values of column 'x' are plain numbers, 1 is none: '-'
      remedy: write plain numbers (1234.5) or ISO dates there, or say what it is: missing=['-'] (nothing), ...
    """
    import polars as pl

    truth = truths(series)
    if truth is not None:
        return truth.cast(pl.Float64)
    if series.dtype.is_temporal():
        _say_times(series, source)
        return as_numbers(series)
    if series.dtype.is_numeric() or series.dtype == pl.Null:
        return series.cast(pl.Float64)
    text = series.drop_nulls()
    plain = text.str.contains(NUMBER)
    if plain.all() or (plain | text.str.contains(INFINITE)).all():
        return series.cast(pl.Float64)
    iso = text.str.contains(ISO)
    if iso.all() and (found := as_numbers(series)).null_count() == series.null_count():
        _say_times(series, source)
        return found
    _judge(text, plain, plain | iso, source, marks)
    return None


def _say_times(series: pl.Series, source: str) -> None:
    warn_of_data(
        f"{source}: column '{series.name}' holds times and is a feature: a number that only grows "
        f"(time={series.name} sorts by it, {option('drop', series.name)} leaves it out)"
    )


def _judge(text: pl.Series, plain: pl.Series, close: pl.Series, source: str, marks: Collection[str]) -> None:
    """Refuse a column of text that is probably meant as numbers; say of one that it has too many values."""
    name, n = text.name, len(text)
    for pattern in LOOKS:
        close = close | text.str.contains(pattern)
    kinds = text.unique(maintain_order=True)
    known = close.sum() and text.filter(close).n_unique()
    if close.sum() * 2 >= n or known * 2 >= len(kinds):
        odd = text.filter(~plain).value_counts(sort=True, name="times")
        shown = [
            f"'{word}'" + (f" ({times} times)" if times > 1 else "") for word, times in odd[:5].iter_rows()
        ]
        rest = f" and {len(odd) - 5} more" if len(odd) > 5 else ""
        said = int(n - plain.sum())
        ways = [f"{option('categorical', name)} (codes)", f"{option('drop', name)} (leave it out)"]
        marked = odd[name].filter(~odd[name].is_in(text.filter(close).unique().to_list()))
        if 0 < len(marked) <= 5:
            ways.insert(0, f"{option('missing', *sorted(marks), *marked)} (nothing)")
        raise DataError(
            f"{source}: {n - said} of {n} values of column '{name}' are plain numbers, "
            f"{said} {'is' if said == 1 else 'are'} none: {', '.join(shown)}{rest}",
            remedy="write plain numbers (1234.5) or ISO dates there, or say what it is: " + ", ".join(ways),
        )
    if len(kinds) >= MANY and len(kinds) * 2 > n:
        warn_of_data(
            f"{source}: column '{name}' has {len(kinds)} different texts in {n} rows "
            f"('{kinds[0]}', '{kinds[1]}', ...) and is a category: {option('drop', name)} leaves it out"
        )
