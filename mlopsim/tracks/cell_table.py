"""Numbers of the cell table that several tracks read: a metric by seed and task, and its mean."""

from __future__ import annotations

import math
import weakref
from collections.abc import Sequence
from typing import Any

import numpy as np
import polars as pl

from mlopsim.core.errors import ConfigError
from mlopsim.stats.bootstrap import mean_interval
from mlopsim.stats.interval import Interval

DONE = pl.col("status") == "done"


def done(table: pl.DataFrame) -> pl.DataFrame:
    """Return the cells that are done."""
    return table.filter(DONE)


class _Index:
    """The done cells of a table by method, as arrays: a report asks for thousands of small parts of it."""

    def __init__(self, table: pl.DataFrame) -> None:
        self._table = done(table)
        seeds, tasks = self._table["seed"], self._table["task"]
        self.seeds: list[Any] = sorted(seeds.unique().to_list())
        self.tasks: list[str] = tasks.unique(maintain_order=True).to_list()
        self._seed = _codes(seeds, self.seeds)
        self._task = _codes(tasks, self.tasks)
        rows = self._table.select("method").with_row_index("row").group_by("method").agg("row")
        self._rows = {method: np.array(places, dtype=np.int64) for method, places in rows.iter_rows()}
        self._values: dict[str, np.ndarray] = {}
        self.means: dict[tuple[str, str, tuple[str, ...]], Interval] = {}

    def grid(self, method: str, name: str, seeds: list[Any], tasks: list[str]) -> np.ndarray:
        """Return a metric of a method, float64 (seeds, tasks)."""
        if name not in self._values:
            column = self._table[name].cast(pl.Float64)
            self._values[name] = column.fill_null(math.nan).to_numpy()
        rows = self._rows.get(method, np.zeros(0, dtype=np.int64))
        i, j = _places(self.seeds, seeds)[self._seed[rows]], _places(self.tasks, tasks)[self._task[rows]]
        asked = (i >= 0) & (j >= 0)
        flat = i[asked] * len(tasks) + j[asked]
        out = np.full(len(seeds) * len(tasks), np.nan)
        if len(flat) and np.bincount(flat).max() > 1:
            raise ConfigError(
                f"two rows of {method} for one seed and task", remedy="filter to one method and one fit first"
            )
        out[flat] = self._values[name][rows[asked]]
        return out.reshape(len(seeds), len(tasks))


def _codes(column: pl.Series, values: list[Any]) -> np.ndarray:
    """Return the place of each entry of a column among its values."""
    old, new = pl.Series(values, dtype=column.dtype), pl.Series(range(len(values)), dtype=pl.Int64)
    found: np.ndarray = column.replace_strict(old, new, return_dtype=pl.Int64).to_numpy()
    return found


def _places(known: list[Any], asked: list[Any]) -> np.ndarray:
    """Return where each known value stands among those asked for; -1: nowhere."""
    at = {value: place for place, value in enumerate(asked)}
    return np.array([at.get(value, -1) for value in known], dtype=np.int64)


#: the table that was read last and its index; a report reads one table from start to end
_LAST: list[tuple[weakref.ref[pl.DataFrame], _Index]] = []


def _forget(gone: weakref.ref[pl.DataFrame]) -> None:
    """Keep nothing of a table that is gone."""
    _LAST[:] = [entry for entry in _LAST if entry[0] is not gone]


def _index(table: pl.DataFrame) -> _Index:
    if not _LAST or _LAST[0][0]() is not table:
        _LAST[:] = [(weakref.ref(table, _forget), _Index(table))]
    return _LAST[0][1]


def grid(table: pl.DataFrame, method: str, name: str, seeds: list[Any], tasks: list[str]) -> np.ndarray:
    """Return a metric of a method, float64 (seeds, tasks); NaN where there is none."""
    return _index(table).grid(method, name, seeds, tasks)


def axes_of(table: pl.DataFrame) -> tuple[list[Any], list[str]]:
    """Return the seeds and tasks of a table."""
    index = _index(table)
    return list(index.seeds), list(index.tasks)


def mean_of(table: pl.DataFrame, method: str, name: str, tasks: list[str]) -> Interval:
    """Return the mean of a metric over tasks and seeds, seeds resampled; undefined cells are left out."""
    index = _index(table)
    key = method, name, tuple(tasks)
    if key not in index.means:
        values = index.grid(method, name, index.seeds, tasks)
        if np.isfinite(values).any():
            index.means[key] = mean_interval(values, np.random.default_rng(0))
        else:
            index.means[key] = Interval(value=math.nan, n=0, reason="undefined in every cell")
    return index.means[key]


# -- attributes -------------------------------------------------------------------------------------


def has_attributes(table: pl.DataFrame) -> bool:
    """Say whether the cells have attributes: every track gives its methods a role.

    Those of earlier versions have none, and metrics of the same names in their place (``stage``, ``real``).
    """
    return "role" in table.columns


def facts(table: pl.DataFrame, name: str, *, of: str = "method") -> dict[str, Any]:
    """Return an attribute of each method (or task): the value in its cells, None where it is not known.

    Examples
    --------
    >>> table = pl.DataFrame({"method": ["a", "b", "b"], "role": ["control", "method", None]})
    >>> facts(table, "role"), facts(table, "reads")
    ({'a': 'control', 'b': 'method'}, {'a': None, 'b': None})
    """
    found: dict[str, Any] = dict.fromkeys(table[of].unique(maintain_order=True).to_list())
    if name in table.columns and has_attributes(table):
        known = table.select(of, name).drop_nulls().unique(of, keep="first", maintain_order=True)
        found |= dict(known.iter_rows())
    return found


def fact_columns(
    table: pl.DataFrame, rows: Sequence[str], names: Sequence[str], *, of: str = "method"
) -> dict[str, pl.Series]:
    """Return columns of attributes of some methods (or tasks); null where nothing is known.

    Examples
    --------
    >>> table = pl.DataFrame({"method": ["a", "b"], "role": ["control", "method"]})
    >>> pl.DataFrame(fact_columns(table, ["b", "a"], ["role", "reads"])).rows()
    [('method', None), ('control', None)]
    """
    columns = {}
    for name in names:
        values = facts(table, name, of=of)
        dtype = table.schema.get(name, pl.String) if has_attributes(table) else pl.String
        columns[name] = pl.Series(name, [values.get(row) for row in rows], dtype=dtype)
    return columns


def printed(board: pl.DataFrame, names: Sequence[str]) -> pl.DataFrame:
    """Return a leaderboard for a page: attributes after the first score, those that tell nothing left out.

    Parameters
    ----------
    board : polars.DataFrame
        With a column ``method``, then the score that leads.
    names : sequence of str
        Its attributes; one that is the same for all methods, or unknown, is left out.

    Examples
    --------
    >>> board = pl.DataFrame({"method": ["a", "b"], "ns": [1, 2], "ns_low": [0, 1], "cost": [3, 4],
    ...                       "role": ["x", "y"], "known": ["-", "-"]})
    >>> printed(board, ["role", "known"]).columns
    ['method', 'ns', 'ns_low', 'role', 'cost']
    """
    telling = [name for name in names if name in board.columns and board[name].n_unique() > 1]
    rest = [name for name in board.columns if name != "method" and name not in names]
    lead = [name for name in rest if name == rest[0] or name.startswith(f"{rest[0]}_")]
    return board.select("method", *lead, *telling, *(name for name in rest if name not in lead))


def with_task_facts(frame: pl.DataFrame, table: pl.DataFrame, names: Sequence[str]) -> pl.DataFrame:
    """Return a frame with a column ``task`` and, beside it, the attributes of tasks that tell something.

    Examples
    --------
    >>> table = pl.DataFrame({"task": ["a", "b"], "role": ["-", "-"], "learner": ["ridge", "lda"],
    ...                       "real": [True, True]})
    >>> with_task_facts(pl.DataFrame({"task": ["b", "a"], "ns": [1, 2]}), table, ["learner", "real"]).rows()
    [('b', 'lda', 1), ('a', 'ridge', 2)]
    """
    known = fact_columns(table, frame["task"].to_list(), names, of="task")
    telling = [column for column in known.values() if column.n_unique() > 1]
    return frame.select("task", *telling, pl.exclude("task"))
