"""What a paper takes from results: the leaderboard and its numbers, in LaTeX."""

from __future__ import annotations

from collections.abc import Sequence

from mlopsim.compose.from_baseline import COLUMN
from mlopsim.compose.in_words import LIKE
from mlopsim.compose.named_numbers import Board, NamedNumber
from mlopsim.core.errors import ConfigError, nearest
from mlopsim.report.latex import Value, booktabs, escaped, interval, macros

#: columns with an interval that a table shows if none are named
FIRST = 2


def _head(board: Board) -> list[str]:
    made = f", mlopsim {board.mlopsim}" if board.mlopsim else ""
    return [
        f"{board.title} (grid {board.grid[:12]}{made}); 95 % intervals; n: scenario seeds",
        "written by mlopsim export",
    ]


def chosen_columns(board: Board, columns: Sequence[str]) -> list[str]:
    """Return the columns of a table in their order: those that are named, else the first two with intervals.

    Before them stands what makes methods comparable, or not: where the numbers come from, what a method
    reads and needs, as far as it is not the same for all.

    Raises
    ------
    ConfigError
        For a column that the leaderboard does not have, or one that belongs to another.
    """
    frame, ends = (
        board.frame,
        {f"{c}_{end}" for c in board.intervals for end in ("low", "high", "n", "reason")},
    )
    offered = [name for name in frame.columns if name != "method" and name not in ends]
    for name in columns:
        if name not in offered:
            raise ConfigError(
                f"the leaderboard of {board.title} has no column '{name}'{nearest(name, offered)}",
                remedy=f"one of: {', '.join(offered)}",
            )
    if columns:
        return list(dict.fromkeys(columns))
    facts = [name for name in (COLUMN, *LIKE) if name in offered and frame[name].n_unique() > 1]
    return [*facts, *board.intervals[:FIRST]]


def latex_table(board: Board, columns: Sequence[str] = (), digits: int = 3) -> str:
    """Return the leaderboard as a table for ``booktabs``; each number has its interval and its n.

    Parameters
    ----------
    board : Board
    columns : sequence of str, optional
        As of :func:`chosen_columns`.
    digits : int, default 3
        Digits after the point.

    Raises
    ------
    ConfigError
        As of :func:`chosen_columns`, or if the leaderboard has no number with an interval.
    """
    numbers = list(board.numbers().values())
    shown = chosen_columns(board, columns)
    out: dict[str, list[str]] = {"method": [escaped(name) for name in board.frame["method"]]}
    right: list[str] = []
    ns: list[list[str]] = []
    for name in shown:
        if name not in board.intervals:
            out[name] = [_cell(value, digits) for value in board.frame[name]]
            right += [name] * board.frame.schema[name].is_numeric()
            continue
        found = [number for number in numbers if number.column == name]
        out[name] = [interval(x.value, x.low, x.high, digits) for x in found]
        right.append(name)
        of = [str(x.n) for x in found]
        # an n that is that of the column before is not said twice
        if of not in ns:
            head = "n" if not ns else f"n of {name}"
            out[head] = of
            right.append(head)
            ns.append(of)
    notes = [f"{x.name}: {x.reason}" for x in numbers if x.reason and x.column in shown]
    return booktabs(out, right, _head(board), notes)


def _cell(value: object, digits: int) -> str:
    if value is None:
        return escaped("–")
    return escaped(f"{value:,.{digits}f}".replace("-", "−") if isinstance(value, float) else value)


def latex_macros(board: Board, digits: int = 3) -> str:
    """Return all numbers of the leaderboard as macros (:func:`mlopsim.report.latex.macros`)."""
    return macros([_value(number) for number in board.numbers().values()], _head(board), digits)


def _value(number: NamedNumber) -> Value:
    return Value(
        name=number.name,
        value=number.value,
        low=number.low,
        high=number.high,
        n=number.n,
        reason=number.reason,
    )
