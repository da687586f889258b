"""From data frames to HTML tables: intervals in one column, reasons as footnotes, n shown once."""

from __future__ import annotations

import html
import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from mlopsim.core.errors import ConfigError
from mlopsim.core.text import visible
from mlopsim.stats.table import DASH, format_interval, format_number

if TYPE_CHECKING:
    import polars as pl

_PARTS = ("low", "high", "n", "reason", "cells", "excluded")


def escape(text: object) -> str:
    r"""Escape for HTML text and attributes; control characters are written out, line ends stay.

    Examples
    --------
    >>> escape('<b a="1">')
    '&lt;b a=&quot;1&quot;&gt;'
    >>> print(escape("\x1b[31m"))
    \x1b[31m
    """
    return html.escape(visible(text, lines=True), quote=True)


@dataclass(kw_only=True)
class _Column:
    """One typeset column: header, the columns it is made of, and how."""

    title: str
    source: str
    interval: bool = False
    numeric: bool = False
    digits: int = 2
    reasons: str | None = None


@dataclass(kw_only=True)
class _Notes:
    """Footnotes of one table; equal reasons share a letter."""

    texts: list[str] = field(default_factory=list)

    def mark(self, reason: str) -> str:
        if reason not in self.texts:
            self.texts.append(reason)
        return str(self.texts.index(reason) + 1)


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


def _plan(table: pl.DataFrame) -> list[_Column]:
    """Decide which columns are shown, and which are parts of others."""
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
    columns: list[_Column] = []
    for name in names:
        if name in parts:
            continue
        # a column's own reason goes before the row's
        reasons = next((r for r in (f"{name}_reason", "reason") if r in names and r != name), None)
        numeric = table.schema[name].is_numeric()
        column = _Column(title=name.replace("_", " "), source=name, numeric=numeric, reasons=reasons)
        if name in intervals:
            if not (numeric and table.schema[f"{name}_low"].is_numeric()):
                raise ConfigError(f"the column '{name}' has interval ends, but is not of numbers")
            column.interval = True
            ends = zip(table[f"{name}_low"], table[f"{name}_high"], strict=True)
            widths = [_number(b) - _number(a) for a, b in ends]
            column.digits = digits_for([_number(v) for v in table[name]], widths)
        elif table.schema[name].is_float():
            column.digits = digits_for([_number(v) for v in table[name]])
        columns.append(column)
        if name not in intervals:
            continue
        if f"{name}_n" in names and not shared:
            columns.append(_Column(title="n", source=f"{name}_n", numeric=True, digits=0))
        left_out = f"{name}_excluded"
        if left_out in names and any(table[left_out]):
            columns.append(_Column(title="left out", source=left_out, numeric=True, digits=0))
    if shared and "n" not in names:
        columns.append(_Column(title="n", source=counts[0], numeric=True, digits=0))
    return columns


def _cell(column: _Column, row: dict[str, Any], notes: _Notes) -> str:
    value = row[column.source]
    reason = str(row[column.reasons] or "") if column.reasons else ""
    if not column.numeric:
        if isinstance(value, bool):
            value = "yes" if value else "no"
        return f"<td>{DASH if value is None else escape(value)}</td>"
    number = _number(value)
    if column.interval:
        low, high = _number(row[f"{column.source}_low"]), _number(row[f"{column.source}_high"])
        text = format_interval(number, low, high, column.digits)
        undefined = math.isnan(number) or math.isnan(low) or math.isnan(high)
    else:
        whole = isinstance(value, int)
        text = f"{value}" if whole else format_number(number, column.digits)
        undefined = math.isnan(number)
    sort = "" if math.isnan(number) else f"{number!r}"
    if not undefined:
        return f'<td class="num" data-v="{sort}">{escape(text)}</td>'
    reason = reason or "undefined; no reason was given"
    mark = notes.mark(reason)
    return (
        f'<td class="num" data-v="{sort}" title="{escape(reason)}">{escape(text)}'
        f'<sup class="mark">{mark}</sup></td>'
    )


def table_html(table: pl.DataFrame) -> str:
    """Typeset a table.

    Parameters
    ----------
    table : polars.DataFrame
        Columns ``x``, ``x_low`` and ``x_high`` become one column ``0.83 [0.79, 0.87]``; ``x_n`` a column of n
        (one for all if they agree); ``x_reason`` (or ``reason``) the footnote where ``x`` or its ends are
        undefined; ``x_excluded`` a column where it is not always 0; ``x_cells`` is not shown.

    Returns
    -------
    str
        HTML with every text escaped.

    Raises
    ------
    ConfigError
        If it is no data frame, or if an interval lacks an end.

    Examples
    --------
    >>> import polars as pl
    >>> frame = pl.DataFrame({"ns": [.8349], "ns_low": [.79], "ns_high": [.87], "ns_n": [30]})
    >>> "0.83 [0.79, 0.87]" in table_html(frame)
    True
    """
    import polars as pl

    if not isinstance(table, pl.DataFrame):
        raise ConfigError(f"a section's table must be a polars DataFrame, got {type(table).__name__}")
    columns = _plan(table)
    notes = _Notes()
    head = "".join(
        f'<th scope="col"{" class=num" if c.numeric else ""}>{escape(c.title)}</th>' for c in columns
    )
    rows = [
        "<tr>" + "".join(_cell(column, row, notes) for column in columns) + "</tr>"
        for row in table.iter_rows(named=True)
    ]
    body = "\n".join(rows) or f'<tr><td colspan="{max(len(columns), 1)}">no rows</td></tr>'
    out = (
        f'<div class="scroll"><table class="sortable"><thead><tr>{head}</tr></thead>\n'
        f"<tbody>\n{body}\n</tbody></table></div>"
    )
    if notes.texts:
        items = "".join(f"<li>{escape(text)}</li>" for text in notes.texts)
        out += f'<ol class="notes">{items}</ol>'
    return out
