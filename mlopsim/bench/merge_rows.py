"""Which of several stored rows stands for a cell, a fit or a run: whatever their order, the same one.

Finished rows of one key must hold the same numbers, to the bit; then the one that was finished first is
kept. A failure is replaced by what is finished; of several failures the last is kept.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

from mlopsim.bench.schema import COMPUTED, places
from mlopsim.bench.storage import to_json, unpack_arrays
from mlopsim.core.digest import digest_arrays
from mlopsim.core.errors import ConfigError

Row = tuple[Any, ...]
#: a row and the folder that it comes from
Placed = tuple[Row, str]
#: before the names of series among the facts of a cell
SERIES = "curve "
#: places of columns in rows of cells and of fits
CELL, FIT = places("cell"), places("fit")


def chosen_cell(rows: Sequence[Placed], label: Callable[[], str]) -> Row:
    """Return the row that stands for a cell.

    Raises
    ------
    ConfigError
        If two of them are done and do not hold the same numbers; names the value in both.
    """
    return _chosen(rows, CELL, lambda: f"cell {label()}", _cell_facts)


def chosen_fit(rows: Sequence[Placed]) -> Row:
    """Return the row that stands for a fit; as :func:`chosen_cell`."""
    name = f"fit {rows[0][0][FIT['label']]} ({rows[0][0][FIT['key']]})"
    return _chosen(rows, FIT, lambda: name, _fit_facts)


def chosen_run(rows: Sequence[Row]) -> Row:
    """Return the row that stands for a run: one that has ended says more than one that had not."""
    return max(rows, key=lambda row: (row[4] != "running", row[3] or "", row[-1]))


def _chosen(
    rows: Sequence[Placed],
    at: dict[str, int],
    name: Callable[[], str],
    facts: Callable[[Row], dict[str, str]],
) -> Row:
    if len({row[-1] for row, _ in rows}) == 1:
        return rows[0][0]
    done = [(row, where) for row, where in rows if row[at["status"]] == "done"]
    if not done:
        return max((row for row, _ in rows), key=lambda row: (row[at["finished"]], row[-1]))
    # one with all of its series, if there is one: a baseline holds those that are compared
    first, place = min(done, key=lambda entry: _taken(entry[0], at))
    known = facts(first)
    for row, where in done:
        other = facts(row)
        both = {*known, *other}
        if _taken(row, at):
            both -= {name for name in both if name.startswith(SERIES) and name not in other}
        apart = sorted(name for name in both if known.get(name) != other.get(name))
        if apart:
            what = apart[0]
            lacking = "(not there)"
            values = f"{known.get(what, lacking)} in {place} and {other.get(what, lacking)} in {where}"
            elsewhere = row[at["fingerprint"]] != first[at["fingerprint"]]
            platforms = " (computed on different platforms)" if elsewhere else ""
            raise ConfigError(
                f"{name()} does not have the same numbers everywhere: {what} is {values}{platforms}",
                remedy="leave one of the two folders out; `mlopsim rerun FOLDER KEY` says which holds",
            )
    # of equal numbers those that were computed, not taken from a baseline; then the first
    return min(
        (row for row, _ in done),
        key=lambda row: (
            _taken(row, at),
            row[at["finished"]],
            row[-1],
        ),
    )


def _taken(row: Row, at: dict[str, int]) -> bool:
    """Tell whether a row is a cell that was taken from a baseline."""
    return "origin" in at and row[at["origin"]] != COMPUTED


def _facts(prefix: str, text: str | None) -> dict[str, str]:
    # as texts: NaN is equal to itself there, and 1 is not 1.0
    return {f"{prefix}{name}": to_json(value) for name, value in json.loads(text or "{}").items()}


def _cell_facts(row: Row) -> dict[str, str]:
    return {
        **_facts("", row[CELL["metrics"]]),
        **_facts("attribute ", row[CELL["attributes"]]),
        **_facts("reason of ", row[CELL["reasons"]]),
        **{f"{SERIES}{name}": seal for name, seal in json.loads(row[CELL["curves"]] or "[]")},
    }


def _fit_facts(row: Row) -> dict[str, str]:
    arrays = unpack_arrays(row[FIT["arrays"]])
    shown = {
        f"array {name}": f"{array.dtype}{array.shape} {digest_arrays({name: array})}"
        for name, array in arrays.items()
    }
    return {**_facts("info ", row[FIT["info"]]), **_facts("attribute ", row[FIT["attributes"]]), **shown}
