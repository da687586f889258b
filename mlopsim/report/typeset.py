"""From data frames to typeset tables: intervals in one column, reasons as footnotes, n shown once."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from mlopsim.core.errors import ConfigError
from mlopsim.report.packing import packed
from mlopsim.report.templating import fill
from mlopsim.stats.table import DASH, format_interval, format_number

if TYPE_CHECKING:
    import polars as pl

_PARTS = ("low", "high", "n", "reason", "cells", "excluded")
#: a column with at most so many texts, or numbers, is filtered by choosing from them
CHOICES, NUMBERS = 60, 12
#: of a longer text the first lines are shown, all of it where it is clicked or reached by keys
LONGEST = 160
#: between the parts of a value that is a list
LIST, _WORDS = ", ", re.compile(r"[A-Za-z][\w@ -]*")
#: of a longer table so many rows stand in the page as they are, the others packed: they would be most of it
SHOWN = 100


@dataclass(kw_only=True)
class Column:
    """One typeset column: header, the columns it is made of, and how.

    Attributes
    ----------
    title, source : str
    interval, numeric : bool
    choices : bool
        Whether its values are few enough to choose from.
    signs : bool
        Whether a text of it holds what is a sign of HTML.
    digits : int
    reasons : str or None
        Column of the reasons for what is undefined.
    """

    title: str
    source: str
    interval: bool = False
    numeric: bool = False
    choices: bool = False
    lists: bool = False
    signs: bool = False
    digits: int = 2
    reasons: str | None = None


@dataclass(kw_only=True, slots=True)
class Cell:
    """One typeset cell.

    Attributes
    ----------
    text : str
    chosen : bool
        Whether it is a text of a column that is filtered by choosing and holds signs of HTML: what it is
        filtered by is said beside it.
    order, low, high : str or None
        Number by which it is sorted and ends of its interval, in full; empty where undefined, None of texts.
    note : int
        Number of its footnote, 0 without.
    reason : str
        What the footnote says.
    bar : str
        Where its interval and value lie between the ends of its column, as CSS; empty where none is drawn.
    """

    text: str
    chosen: bool = False
    order: str | None = None
    low: str = ""
    high: str = ""
    note: int = 0
    reason: str = ""
    bar: str = ""

    @property
    def numbers(self) -> Markup:
        """Its numbers as attributes of HTML."""
        ends = f' data-low="{self.low}"' if self.low else ""
        ends += f' data-high="{self.high}"' if self.high else ""
        bar = f' style="{self.bar}"' if self.bar else ""
        return Markup(f' data-order="{self.order}"{ends}{bar}')


@dataclass(kw_only=True)
class Typeset:
    """A table as it stands in a page; equal reasons share a footnote."""

    columns: list[Column]
    rows: list[list[Cell]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def note(self, reason: str) -> int:
        """Return the number of a footnote."""
        if reason not in self.notes:
            self.notes.append(reason)
        return self.notes.index(reason) + 1


def digits_for(values: Sequence[float], widths: Sequence[float] = ()) -> int:
    """Decimals that show about two significant digits of the values and one of the interval widths.

    Examples
    --------
    >>> digits_for([.83, .4]), digits_for([.83], [.004]), digits_for([12.3]), digits_for([1234.])
    (2, 3, 1, 0)
    """
    sizes = sorted(abs(v) for v in values if math.isfinite(v) and v != 0)
    wide = sorted(w for w in widths if math.isfinite(w) and w > 0)
    if not sizes:
        return 2
    scale = sizes[len(sizes) // 2]
    if scale >= 1000:
        digits = 0
    elif scale >= 10:
        digits = 1
    elif scale >= 0.1:
        digits = 2
    else:
        digits = 1 - math.floor(math.log10(scale))
    if wide:
        digits = max(digits, -math.floor(math.log10(wide[len(wide) // 2])))
    return min(digits, 6)


def _number(value: Any) -> float:
    return float("nan") if value is None else float(value)


def _in_full(number: float) -> str:
    """Return a number as a script reads it, nothing where it is undefined."""
    if math.isnan(number):
        return ""
    return repr(number) if math.isfinite(number) else f"{'-' if number < 0 else ''}Infinity"


def _few(values: pl.Series, *, first: bool) -> bool:
    """Whether a column's values are few enough to choose from, as facts are and measurements are not."""
    if values.dtype.is_nested():
        return False
    kinds, numeric = values.n_unique(), values.dtype.is_numeric()
    # the first column says who or what a row is
    repeated = 2 * kinds <= len(values) if numeric else first or 3 * kinds <= 2 * len(values)
    return 1 < kinds <= (NUMBERS if numeric else CHOICES) and repeated


def listed(values: Sequence[str | None], *, first: bool = False) -> bool:
    """Whether texts are lists, such as ``labels, model``, of parts that are few and plain words.

    Names of methods and tasks, which may hold a comma, are none: they have signs or stand first.

    Examples
    --------
    >>> listed(["labels", "labels, model", None]), listed(["labels", "model"])
    (True, False)
    >>> listed(["a(x=1, y=2)", "b"]), listed(["task a, late", "task b, soon", "task c, never"])
    (False, False)
    """
    known = {value for value in values if value}
    parts = {part for value in known for part in value.split(LIST)}
    return (
        not first
        and any(LIST in value for value in known)
        # parts come again, alone or in other lists
        and len(parts) <= len(known) + 1
        and all(_WORDS.fullmatch(part) for part in parts)
    )


def _plan(table: pl.DataFrame) -> list[Column]:
    """Decide which columns are shown, and which are parts of others."""
    import polars as pl

    names = table.columns
    intervals = [c for c in names if f"{c}_low" in names and f"{c}_high" in names]
    for name in names:
        for end, other in (("low", "high"), ("high", "low")):
            base = name.removesuffix(f"_{end}")
            if base != name and base in names and f"{base}_{other}" not in names:
                raise ConfigError(f"the table has '{name}' but no '{base}_{other}'")
    parts = {f"{c}_{p}" for c in intervals for p in _PARTS} & set(names)
    parts |= {f"{c}_reason" for c in names} & set(names)
    if intervals and "reason" in names:
        parts.add("reason")
    counts = [f"{c}_n" for c in intervals if f"{c}_n" in names]
    # intervals that rest on the same n share one column of it
    shared = len(counts) > 0 and all(table[c].equals(table[counts[0]]) for c in counts)
    columns: list[Column] = []
    for name in names:
        if name in parts:
            continue
        # a column's own reason goes before the row's
        reasons = next((r for r in (f"{name}_reason", "reason") if r in names and r != name), None)
        numeric = table.schema[name].is_numeric()
        column = Column(title=name.replace("_", " "), source=name, numeric=numeric, reasons=reasons)
        if name in intervals:
            if not (numeric and table.schema[f"{name}_low"].is_numeric()):
                raise ConfigError(f"the column '{name}' has interval ends, but is not of numbers")
            column.interval = True
            ends = zip(table[f"{name}_low"], table[f"{name}_high"], strict=True)
            widths = [_number(b) - _number(a) for a, b in ends]
            column.digits = digits_for([_number(v) for v in table[name]], widths)
        else:
            column.choices = _few(table[name], first=name == names[0])
            if table.schema[name] == pl.String:
                column.signs = any(set(text) & set("<>&\"'") for text in table[name].drop_nulls().unique())
                column.lists = column.choices and listed(table[name].to_list(), first=name == names[0])
            if table.schema[name].is_float():
                column.digits = digits_for([_number(v) for v in table[name]])
        columns.append(column)
        if name not in intervals:
            continue
        if f"{name}_n" in names and not shared:
            columns.append(Column(title="n", source=f"{name}_n", numeric=True, digits=0))
        left_out = f"{name}_excluded"
        if left_out in names and any(table[left_out]):
            columns.append(Column(title="left out", source=left_out, numeric=True, digits=0))
    if shared and "n" not in names:
        columns.append(Column(title="n", source=counts[0], numeric=True, digits=0))
    return columns


def _cell(column: Column, row: dict[str, Any], table: Typeset) -> Cell:
    value = row[column.source]
    if not column.numeric:
        if isinstance(value, bool):
            value = "yes" if value else "no"
        return Cell(text=DASH if value is None else str(value), chosen=column.choices and column.signs)
    number = _number(value)
    cell = Cell(text="", order=_in_full(number))
    undefined = math.isnan(number)
    if column.interval:
        low, high = _number(row[f"{column.source}_low"]), _number(row[f"{column.source}_high"])
        cell.text = format_interval(number, low, high, column.digits)
        cell.low, cell.high = _in_full(low), _in_full(high)
        undefined = undefined or math.isnan(low) or math.isnan(high)
    else:
        cell.text = format_number(number, column.digits)
        if isinstance(value, int):
            cell.text = cell.order = f"{value}"
    if undefined:
        cell.reason = str(row[column.reasons] or "") if column.reasons else ""
        cell.reason = cell.reason or "undefined; no reason was given"
        cell.note = table.note(cell.reason)
    return cell


def typeset(table: pl.DataFrame) -> Typeset:
    """Typeset a table.

    Parameters
    ----------
    table : polars.DataFrame
        Columns ``x``, ``x_low`` and ``x_high`` become one column ``0.83 [0.79, 0.87]``; ``x_n`` a column of n
        (one for all if they agree); ``x_reason`` (or ``reason``) the footnote where ``x`` or its ends are
        undefined; ``x_excluded`` a column where it is not always 0; ``x_cells`` is not shown.

    Raises
    ------
    ConfigError
        If it is no data frame, or if an interval lacks an end.

    Examples
    --------
    >>> import polars as pl
    >>> frame = pl.DataFrame({"ns": [.8349], "ns_low": [.79], "ns_high": [.87], "ns_n": [30]})
    >>> [cell.text for cell in typeset(frame).rows[0]]
    ['0.83 [0.79, 0.87]', '30']
    """
    import polars as pl

    if not isinstance(table, pl.DataFrame):
        raise ConfigError(f"a section's table must be a polars DataFrame, got {type(table).__name__}")
    out = Typeset(columns=_plan(table))
    for row in table.iter_rows(named=True):
        out.rows.append([_cell(column, row, out) for column in out.columns])
    return out


def draw_bars(table: Typeset) -> None:
    """Draw each interval in its cell, on the scale of its column: from the lowest end to the highest.

    Examples
    --------
    >>> import polars as pl
    >>> drawn = typeset(pl.DataFrame({"x": [1.0, 3.0], "x_low": [0.0, 2.0], "x_high": [2.0, 4.0]}))
    >>> draw_bars(drawn)
    >>> [row[0].bar for row in drawn.rows]
    ['--l:0%;--m:25%;--h:50%', '--l:50%;--m:75%;--h:100%']
    """
    for place, column in enumerate(table.columns):
        if not column.interval:
            continue
        found = [
            (cell, [float(cell.low), float(cell.order or "nan"), float(cell.high)])
            for cell in (row[place] for row in table.rows)
            if cell.low and cell.high
        ]
        found = [(cell, ends) for cell, ends in found if all(map(math.isfinite, ends))]
        low = min((end for _, ends in found for end in ends), default=0.0)
        high = max((end for _, ends in found for end in ends), default=0.0)
        if high <= low:
            continue
        for cell, ends in found:
            at = [f"{100 * (end - low) / (high - low):.1f}".removesuffix(".0") for end in ends]
            cell.bar = ";".join(f"--{name}:{place}%" for name, place in zip("lmh", at, strict=True))


def table_html(
    table: pl.DataFrame, name: str = "table", *, file: str = "table", main: bool = False
) -> Markup:
    """Put a table into a page.

    Parameters
    ----------
    table : polars.DataFrame
        As for `typeset`.
    name : str
        What it is, for screen readers.
    file : str
        Name of its CSV file, without ending.
    main : bool
        Whether it is what the page is about: it is searched and filtered however short it is, and its
        intervals are drawn in their cells.

    Returns
    -------
    Markup
        HTML with every text escaped. The number by which a cell is sorted is in its ``data-order``. Rows
        after the first 100 are deflated, in base 64, in an element that ``tables.js`` unpacks.

    Examples
    --------
    >>> import polars as pl
    >>> '<td>a&lt;b</td>' in table_html(pl.DataFrame({"method": ["a<b"]}))
    True
    """
    whole = typeset(table)
    if main:
        draw_bars(whole)
    parts = (whole.rows[:SHOWN], whole.rows[SHOWN:])
    first, rest = (fill("rows.html", rows=part, longest=LONGEST) for part in parts)
    return fill(
        "table.html",
        table=whole,
        first=first,
        rest=packed(rest) if whole.rows[SHOWN:] else "",
        shown=SHOWN,
        name=name,
        file=file,
        main=main,
    )
