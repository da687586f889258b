"""Tables in the terminal."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from mlopsim.core.text import literal, visible
from mlopsim.stats.table import format_interval, format_number

if TYPE_CHECKING:
    import polars as pl

#: where all columns are
BOARD = "leaderboard.csv"
#: what stands beside the interval ``x``, as ``x_low``, and gets no column of its own
PARTS = ("low", "high", "reason", "n", "cells", "excluded", "reference")


def print_leaderboard(frame: pl.DataFrame, title: str, pooled: str = "") -> None:
    """Print a leaderboard: the first two intervals as ``0.83 [0.79, 0.87]``, a dash where undefined.

    Columns that do not fit into a terminal are left out and named below it: numbers are never cut. So are
    attributes that are the same for all methods, or not known. ``pooled`` says what rows pool.
    """
    from rich.console import Console
    from rich.table import Table

    names = frame.columns
    intervals = [c for c in names if f"{c}_low" in names and f"{c}_high" in names]
    main = intervals[:2]
    # the n of the first interval stands for the others; a plug-in may have no interval at all
    hidden = {f"{c}_{part}" for c in intervals for part in PARTS} - {f"{c}_n" for c in main[:1]}
    hidden |= {c for c in names[1:] if not frame.schema[c].is_numeric() and frame[c].n_unique() == 1}
    columns = [c for c in names if c not in hidden]
    rows = list(frame.iter_rows(named=True))
    # a pipe has no width of its own
    console = Console() if Console().is_terminal else Console(width=240)
    heads = {c: "n" if c.endswith("_n") else visible(c) for c in columns}
    texts = {c: [_text(row, c, c in main) for row in rows] for c in columns}
    shown: list[str] = []
    width = 0
    for column in columns:
        width += max(map(len, [heads[column], *texts[column]])) + (2 if shown else 0)
        if width > console.width and shown:
            break
        shown.append(column)
    grid = Table(title=literal(title), title_justify="left", header_style="bold", box=None, pad_edge=False)
    for column in shown:
        numeric = frame.schema[column].is_numeric()
        grid.add_column(literal(heads[column]), justify="right" if numeric else "left", no_wrap=True)
    for cells in zip(*(texts[column] for column in shown), strict=True):
        grid.add_row(*map(literal, cells))
    console.print(grid)
    found = (row.get(f"{c}_reason") for row in rows for c in shown)
    notes = [f"– : {reason}" for reason in sorted({str(reason) for reason in found if reason})]
    for column in shown:
        references = {str(row.get(f"{column}_reference") or "") for row in rows} - {""}
        notes += [f"{column}: against {name}" for name in sorted(references)]
    if len(shown) < len(columns):
        notes.append(f"too wide for this terminal: {', '.join(columns[len(shown) :])}; see {BOARD}")
    if main:
        notes.append("n: scenario seeds; 95 % intervals; the report has those of the other columns")
    if pooled:
        notes.append(pooled)
    for note in notes:
        console.print(literal(note, "dim"))


def _text(row: dict[str, Any], column: str, interval: bool) -> str:
    value = row[column]
    if interval:
        value = math.nan if value is None else value
        return format_interval(value, row[f"{column}_low"], row[f"{column}_high"], 3)
    if value is None:
        return "–"
    return format_number(value, 3) if isinstance(value, float) else visible(value)


def print_intervals(frame: pl.DataFrame, name: str, title: str) -> None:
    """Print a table of one interval a row, with n; below it why some have none."""
    from rich.console import Console
    from rich.table import Table

    grid = Table(header_style="bold", box=None, pad_edge=False)
    grid.add_column("task", no_wrap=True)
    for head in (name, "n"):
        grid.add_column(literal(head), justify="right", no_wrap=True)
    for row in frame.iter_rows(named=True):
        grid.add_row(literal(row["task"]), literal(_text(row, name, True)), literal(row[f"{name}_n"]))
    console = Console() if Console().is_terminal else Console(width=240)
    # as wide as it is: a table's own title is broken at the table's width
    console.print(literal(title, "italic"))
    console.print(grid)
    for reason in sorted({str(row) for row in frame[f"{name}_reason"] if row}):
        console.print(literal(f"– : {reason}", "dim"))
