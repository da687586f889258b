"""The cells of a grid as one table, for statistics, reports and other programs."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlopsim.bench.ledger import Ledger
from mlopsim.bench.ledgerfile import damaged
from mlopsim.bench.storage import member_key, row_digest
from mlopsim.core.errors import ConfigError
from mlopsim.core.files import atomic_path

if TYPE_CHECKING:
    import polars as pl

#: columns before and after the metrics
FIRST = ("key", "track", "task", "method", "seed", "status")
LAST = (
    *("reasons", "error", "split", "root", "fit", "task_digest", "method_digest"),
    *("host", "seconds", "bundle", "attempts", "finished", "run", "fingerprint", "git", "versions"),
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
        ``key, track, task, method, seed, status``, one Float64 column per metric (null unless
        done, NaN where undefined), ``reasons`` (JSON) and provenance. ``status`` is ``done``,
        ``failed``, ``timeout``, ``crashed`` or ``missing`` (not run yet).

    Raises
    ------
    LedgerError
        If there is no such grid or a row does not agree with its digest.
    """
    import polars as pl

    entry = ledger.grid(grid)
    runs = {run["id"]: run["record"] for run in ledger.runs()}
    names = [metric.name for metric in entry["metrics"]]
    text, whole, real = pl.String, pl.Int64, pl.Float64
    types: dict[str, Any] = dict.fromkeys((*FIRST, *LAST), text)
    types |= {"seed": whole, "root": whole, "bundle": whole, "attempts": whole, "seconds": real}
    columns: dict[str, list[Any]] = {name: [] for name in (*FIRST, *names, *LAST)}
    query = (
        "SELECT m.key, m.track, m.task, m.method, m.seed, c.status, c.metrics, c.reasons, c.error, c.digest, "
        "m.split, m.root, m.fit, m.task_digest, m.method_digest, c.host, c.seconds, c.bundle, c.attempts, "
        "c.finished, c.run, c.fingerprint FROM member m LEFT JOIN cell c ON c.key = m.key WHERE m.grid = ? "
        f"ORDER BY m.{'key' if order == 'key' else 'position'}"
    )
    for row in ledger.rows(query, (entry["digest"],)):
        key, status, metrics, reasons, error, seal = row[0], *row[5:10]
        if status is not None and row_digest(key, status, metrics, reasons, error) != seal:
            raise damaged(ledger.folder, f"the stored row of cell {key} has changed")
        if member_key(row[1], row[13], row[14], row[10], row[11], row[4], row[12]) != key:
            raise damaged(ledger.folder, f"the conditions of cell {key} have changed")
        values = json.loads(metrics) if metrics else {}
        record = runs.get(row[20], {})
        versions = json.dumps(record["versions"], sort_keys=True) if "versions" in record else None
        head = (*row[:5], status or "missing")
        tail = (reasons, error, *row[10:22], record.get("git"), versions)
        numbers = (values.get(name) for name in names)
        for column, value in zip(columns.values(), (*head, *numbers, *tail), strict=True):
            column.append(value)
    return pl.DataFrame(
        {name: pl.Series(name, values, dtype=types.get(name, real)) for name, values in columns.items()}
    )


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
    path = Path(path)
    if path.suffix not in (".parquet", ".csv"):
        raise ConfigError(f"cannot export to '{path.name}'", remedy="end the name in .parquet or .csv")
    frame = table(ledger, grid, order="key")
    with atomic_path(path) as target:
        if path.suffix == ".parquet":
            frame.write_parquet(target)
        else:
            frame.write_csv(target)
    return path


def curves_reader(ledger: Ledger) -> Callable[[str], dict[str, Any]]:
    """Return ``curves(key) -> {name: array}`` as ``Track.sections`` takes it."""
    return ledger.curves
