"""Numbers of a leaderboard by name, ``suite/method/column``: one look-up for papers and for the site.

A leaderboard comes from a results folder with its ledger, or from the two files that are committed of one
(``leaderboard.csv`` and ``config.yaml``).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlopsim.bench.ledger import Ledger
from mlopsim.bench.ledgerfile import FILE_NAME
from mlopsim.compose.report_page import BOARD, read_board
from mlopsim.core.errors import ConfigError, nearest
from mlopsim.stats.table import format_interval

if TYPE_CHECKING:
    import polars as pl

#: names that an error lists before it counts the rest
SHOWN = 12


@dataclass(frozen=True, kw_only=True)
class NamedNumber:
    """A number of a leaderboard with its interval.

    Parameters
    ----------
    suite, method, column : str
        The suite with its version, as results are titled.
    value, low, high : float
        The estimate and its 95 % interval, in the unit of the column; NaN where undefined.
    n : int
        How many seeds it is of.
    reason : str
        Why it, or its interval, is undefined; else empty.

    Examples
    --------
    >>> found = NamedNumber(suite="quick-v3", method="never", column="ns", value=0.5, low=0.4, high=0.6, n=10)
    >>> found.name, found.text(2)
    ('quick-v3/never/ns', '0.50 [0.40, 0.60]')
    """

    suite: str
    method: str
    column: str
    value: float
    low: float
    high: float
    n: int
    reason: str = ""

    @property
    def name(self) -> str:
        """``suite/method/column``."""
        return f"{self.suite}/{self.method}/{self.column}"

    def text(self, digits: int = 3) -> str:
        """Return the number with its interval, a dash where it is undefined."""
        return format_interval(self.value, self.low, self.high, digits)


@dataclass(frozen=True, kw_only=True)
class Board:
    """A leaderboard and what it is of.

    Parameters
    ----------
    title : str
        The suite with its version, and whether it was changed.
    grid : str
        Digest of the grid.
    mlopsim : str
        Version that made the numbers; empty where it is not recorded.
    frame : polars.DataFrame
        One row a method: see :attr:`mlopsim.compose.results.Results.leaderboard`.
    """

    title: str
    grid: str
    mlopsim: str
    frame: pl.DataFrame

    @property
    def intervals(self) -> list[str]:
        """Columns that have an interval and an n, in their order."""
        names = set(self.frame.columns)
        return [c for c in self.frame.columns if {f"{c}_low", f"{c}_high", f"{c}_n"} <= names]

    @property
    def suite(self) -> str:
        """The title as one word.

        Examples
        --------
        >>> Board(title="quick-v3 (modified)", grid="", mlopsim="", frame=None).suite
        'quick-v3-modified'
        """
        return self.title.replace(" (", "-").replace(")", "").replace(" ", "-")

    def numbers(self) -> dict[str, NamedNumber]:
        """Return all numbers that have an interval, by name, in the order of the table.

        Raises
        ------
        ConfigError
            If the leaderboard has no column with an interval, or two rows of one method.
        """
        if not self.intervals:
            raise ConfigError(
                f"the leaderboard of {self.title} has no number with an interval and an n",
                remedy="give the track's leaderboard columns x, x_low, x_high and x_n",
            )
        found: dict[str, NamedNumber] = {}
        for row in self.frame.iter_rows(named=True):
            for column in self.intervals:
                number = self._number(row, column)
                if number.name in found:
                    raise ConfigError(
                        f"the leaderboard of {self.title} has two rows '{row['method']}'",
                        remedy="give each row of the track's leaderboard a name of its own",
                    )
                found[number.name] = number
        return found

    def _number(self, row: Mapping[str, Any], column: str) -> NamedNumber:
        value, low, high = (_real(row[name]) for name in (column, f"{column}_low", f"{column}_high"))
        return NamedNumber(
            suite=self.suite,
            method=str(row["method"]),
            column=column,
            value=value,
            low=low,
            high=high,
            n=int(row[f"{column}_n"] or 0),
            reason=str(row.get(f"{column}_reason") or ""),
        )

    def number(self, method: str, column: str) -> NamedNumber:
        """Return one number.

        Raises
        ------
        ConfigError
            If there is no such method or column; names the nearest.
        """
        rows = [row for row in self.frame.iter_rows(named=True) if str(row["method"]) == method]
        if not rows:
            raise _unknown("method", method, [str(name) for name in self.frame["method"]], self.title)
        if column not in self.intervals:
            raise _unknown("number", column, self.intervals, self.title)
        return self._number(rows[0], column)


def _unknown(what: str, name: str, known: list[str], title: str) -> ConfigError:
    more = f" and {len(known) - SHOWN} more" if len(known) > SHOWN else ""
    return ConfigError(
        f"the leaderboard of {title} has no {what} '{name}'{nearest(name, known)}",
        remedy=f"one of: {', '.join(known[:SHOWN])}{more}",
    )


def _real(value: Any) -> float:
    return math.nan if value is None else float(value)


def read_published(folder: str | Path) -> Board:
    """Read the leaderboard of a folder of committed results.

    Parameters
    ----------
    folder : str or Path
        With ``leaderboard.csv`` and ``config.yaml``.

    Raises
    ------
    ConfigError
        If it has no such files, or they do not say what they are of.
    """
    from yaml import YAMLError, safe_load

    folder = Path(folder)
    config = folder / "config.yaml"
    for file in (folder / BOARD, config):
        if not file.is_file():
            raise ConfigError(
                f"no {file.name} in {folder}",
                remedy="name a results folder that a bench has written, or one of the committed results",
            )
    try:
        said = safe_load(config.read_text(encoding="utf-8"))
        title = str(said["title"])
    except (YAMLError, KeyError, TypeError) as error:
        raise ConfigError(
            f"{config} names no suite", remedy="mlopsim report FOLDER writes it again"
        ) from error
    made = said.get("made_with") or {}
    frame = read_board(folder / BOARD)
    if "method" not in frame.columns:
        raise ConfigError(
            f"{folder / BOARD} has no column 'method'", remedy="mlopsim report FOLDER writes it again"
        )
    return Board(
        title=title, grid=str(said.get("grid", "")), mlopsim=str(made.get("mlopsim", "")), frame=frame
    )


def open_board(
    folder: str | Path,
    *,
    grid: str | None = None,
    plugins: tuple[str, ...] = (),
    trust_plugins: bool = False,
) -> Board:
    """Return the leaderboard of a results folder: made from its ledger, or read where only files are left.

    Parameters
    ----------
    folder : str or Path
    grid : str, optional
        (Beginning of) the digest of a grid; the last used by default.
    plugins, trust_plugins
        As of :func:`mlopsim.compose.results.open_results`.

    Raises
    ------
    MlopsimError
        If the folder has neither, or what it has cannot be read.
    """
    from mlopsim.compose.results import open_results

    if not (Path(folder) / FILE_NAME).is_file() and (Path(folder) / BOARD).is_file():
        board = read_published(folder)
        if grid is not None and not board.grid.startswith(grid):
            raise ConfigError(
                f"the leaderboard in {folder} is of grid {board.grid[:12]}, not {grid}",
                remedy="leave --grid out: a folder without a ledger has one grid",
            )
        return board
    results = open_results(folder, grid=grid, plugins=plugins, trust_plugins=trust_plugins)
    with Ledger.read(folder) as ledger:
        records = [run["record"] for run in ledger.runs() if run["grid"] == results.grid]
    made = {str(record["versions"]["mlopsim"]): None for record in records if "versions" in record}
    return Board(title=results.title, grid=results.grid, mlopsim=", ".join(made), frame=results.leaderboard)


def look_up(results: str | Path, name: str) -> NamedNumber:
    """Return a number of the committed results by its name.

    Parameters
    ----------
    results : str or Path
        The folder of the committed results.
    name : str
        ``suite/method/column``. With a version (``quick-v3/never/ns``) it is found in the results of that
        version only; without one (``quick/never/ns``) in what is committed now.

    Raises
    ------
    ConfigError
        If there is no such result, version, method or column.

    Examples
    --------
    >>> look_up("results", "quick/never")
    Traceback (most recent call last):
        ...
    mlopsim.core.errors.ConfigError: 'quick/never' is no name of a number
      remedy: write suite/method/column, e.g. quick/never/ns
    """
    suite, _, rest = name.partition("/")
    method, _, column = rest.rpartition("/")
    if not (suite and method and column):
        raise ConfigError(
            f"'{name}' is no name of a number", remedy="write suite/method/column, e.g. quick/never/ns"
        )
    known = sorted(path.parent.name for path in Path(results).glob(f"*/{BOARD}"))
    folder = suite
    if suite not in known:
        folder, _, version = suite.rpartition("-v")
        if folder not in known or not version:
            raise ConfigError(
                f"no committed result '{suite}'{nearest(suite, known)}", remedy=f"one of: {', '.join(known)}"
            )
    board = read_published(Path(results) / folder)
    if suite not in (folder, board.suite):
        raise ConfigError(
            f"what is committed of {folder} is {board.title}, not {suite}",
            remedy="look at what changed, then name the version that is there",
        )
    return board.number(method, column)
