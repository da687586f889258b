"""The cells of a grid as one table, for statistics, reports and other programs."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from mlopsim.bench.attribute_columns import Facts, text_column
from mlopsim.bench.cells import Row, read_cells, read_pairs
from mlopsim.bench.ledger import Ledger
from mlopsim.core.errors import ConfigError
from mlopsim.core.files import atomic_path

if TYPE_CHECKING:
    import polars as pl

#: columns before the attributes and after the metrics
FIRST = ("key", "track", "task", "method", "seed", "status")
LAST = (
    *("reasons", "error", "origin", "split", "root", "fit", "task_digest", "method_digest"),
    *(
        "host",
        "seconds",
        "fit_seconds",
        "bundle",
        "attempts",
        "finished",
        "run",
        "fingerprint",
        "git",
        "versions",
    ),
)


def table(ledger: Ledger, grid: str | None = None, *, order: str = "grid") -> pl.DataFrame:
    """Return the cells of one grid, one row each.

    Parameters
    ----------
    ledger : Ledger
        An open ledger.
    grid : str, optional
        (Beginning of) the digest of a grid; the last used by default.
    order : {"grid", "key"}
        Order of the rows.

    Returns
    -------
    polars.DataFrame
        ``key, track, task, method, seed, status``, a column per attribute (of the task, the method, the
        cell's own fit, the cell: String, Boolean, Int64, or Float64 where real numbers are among them; null
        where it is not given), one Float64 column per metric (null unless done, NaN where undefined),
        ``reasons`` (JSON) and provenance. ``status`` is ``done``, ``failed``, ``timeout``, ``crashed`` or
        ``missing`` (not run yet); ``origin`` is ``computed``, or the digest of a baseline file.

    Raises
    ------
    LedgerError
        If there is no such grid, a row does not agree with its digest, or attributes of cells that several
        grids share do not agree with one another.
    """
    entry = ledger.grid(grid)
    names = [metric.name for metric in entry["metrics"]]
    runs = {run["id"]: run["record"] for run in ledger.runs()}
    pairs = read_pairs(ledger, entry)
    facts = Facts(ledger, entry, pairs)
    pieces = [_piece(rows, pairs, runs, names, facts) for rows in read_cells(ledger, entry)]
    frame = facts.joined(pieces or [_piece([], pairs, runs, names, facts)], FIRST)
    frame = frame.with_columns(_fit_seconds(ledger, frame))
    return frame.sort("key") if order == "key" else frame


def _fit_seconds(ledger: Ledger, frame: pl.DataFrame) -> pl.Series:
    """Return the processor seconds of each cell's fit; null where it has none, or none that is known."""
    import polars as pl

    known = dict(ledger.rows("SELECT key, seconds FROM fit WHERE status = 'done'"))
    seconds = [known.get(fit) for fit in frame["fit"].to_list()]
    return pl.Series("fit_seconds", seconds, dtype=pl.Float64)


def _piece(
    rows: Sequence[Row],
    pairs: Sequence[dict[str, Any]],
    runs: dict[str, Any],
    names: Sequence[str],
    facts: Facts,
) -> pl.DataFrame:
    """Return some rows of the table: numbers go to arrays at once."""
    import polars as pl

    at = pl.Series("pair", [row.pair for row in rows], dtype=pl.UInt32)

    def of_pair(name: str) -> pl.Series:
        dtype = pl.Int64 if name == "root" else pl.String
        return pl.Series(name, [pair[name] for pair in pairs], dtype=dtype).gather(at)

    def whole(name: str, values: Iterable[Any]) -> pl.Series:
        return pl.Series(name, list(values), dtype=pl.Int64)

    numbers = np.full((len(names), len(rows)), np.nan)
    undone = np.ones((len(names), len(rows)), dtype=bool)
    for place, row in enumerate(rows):
        if row.metrics is not None:
            values = json.loads(row.metrics)
            for number, name in enumerate(names):
                if (value := values.get(name)) is not None:
                    numbers[number, place], undone[number, place] = value, False
    records = [runs.get(row.run or "", {}) for row in rows]
    versions = {run: json.dumps(r["versions"], sort_keys=True) for run, r in runs.items() if "versions" in r}
    columns = [
        pl.Series("key", [row.member for row in rows], dtype=pl.String),
        *(of_pair("track"), of_pair("task"), of_pair("method")),
        whole("seed", (row.seed for row in rows)),
        text_column("status", (row.status or "missing" for row in rows)),
        *facts.of(rows, at),
        *(
            pl.Series(name, numbers[number]).set(pl.Series(undone[number]), None)
            for number, name in enumerate(names)
        ),
        text_column("reasons", (row.reasons for row in rows)),
        text_column("error", (row.error for row in rows)),
        text_column("origin", (row.origin for row in rows)),
        *(of_pair("split"), of_pair("root"), text_column("fit", (row.fit for row in rows))),
        *(of_pair("task_digest"), of_pair("method_digest"), text_column("host", (row.host for row in rows))),
        pl.Series("seconds", [row.seconds for row in rows], dtype=pl.Float64),
        # a column of a whole table: the fits are looked up once
        pl.Series("fit_seconds", [None] * len(rows), dtype=pl.Float64),
        whole("bundle", (row.bundle for row in rows)),
        whole("attempts", (row.attempts for row in rows)),
        pl.Series("finished", [row.finished for row in rows], dtype=pl.String),
        text_column("run", (row.run for row in rows)),
        text_column("fingerprint", (row.fingerprint for row in rows)),
        text_column("git", (record.get("git") for record in records)),
        text_column("versions", (versions.get(row.run or "") for row in rows)),
    ]
    return pl.DataFrame(columns)


def export(ledger: Ledger, path: str | Path, grid: str | None = None) -> Path:
    """Write the table of a grid, sorted by key, as ``.parquet`` or ``.csv``.

    Parameters
    ----------
    ledger : Ledger
        An open ledger.
    path : str or Path
        Target; its ending decides the format.
    grid : str, optional
        As in :func:`table`.

    Returns
    -------
    Path
        The path.

    Raises
    ------
    ConfigError
        For another ending.
    """
    check_ending(path)
    return write_table(table(ledger, grid, order="key"), path)


def check_ending(path: str | Path) -> None:
    """Raise for a file name that no table is written to."""
    if Path(path).suffix not in (".parquet", ".csv"):
        raise ConfigError(f"cannot export to '{Path(path).name}'", remedy="end the name in .parquet or .csv")


def write_table(frame: pl.DataFrame, path: str | Path) -> Path:
    """Write a table as ``.parquet`` or ``.csv``, by the ending of the name.

    Raises
    ------
    ConfigError
        For another ending.
    """
    path = Path(path)
    check_ending(path)
    with atomic_path(path) as target:
        if path.suffix == ".parquet":
            frame.write_parquet(target)
        else:
            frame.write_csv(target)
    return path
