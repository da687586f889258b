"""The numbers of a grid and nothing else: equal results give equal tables, wherever they were made."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from mlopsim.bench.ledger import Ledger
from mlopsim.bench.table import FIRST, LAST, table
from mlopsim.core.digest import digest, digest_arrays
from mlopsim.core.track import FitResult

if TYPE_CHECKING:
    import polars as pl

#: columns after the metrics that are no provenance
KEPT = ("reasons", "split", "root", "fit")


def numbers(ledger: Ledger, grid: str | None = None) -> pl.DataFrame:
    """Return the cells of a grid without provenance, in a canonical order.

    Parameters
    ----------
    ledger : Ledger
        An open ledger.
    grid : str, optional
        (Beginning of) the digest of a grid; the last used by default.

    Returns
    -------
    polars.DataFrame
        Rows sorted by ``key``: ``key, track, task, method, seed, status``; attributes by name; metrics as
        the track lists them; ``reasons`` (JSON, sorted), ``split``, ``root``, ``fit``; ``curves`` (JSON: the
        digest of each series) and ``fit_numbers`` (digest of what the cell's fit holds). Nothing of it says
        when, where or in how many attempts a number was made, nor whether it was taken from a baseline (which
        may hold fewer series of a cell: those that its track publishes).

    Raises
    ------
    LedgerError
        As of :func:`mlopsim.bench.table.table`.
    """
    import polars as pl

    entry = ledger.grid(grid)
    frame = table(ledger, entry["digest"], order="key")
    metrics = [metric.name for metric in entry["metrics"]]
    known = {*FIRST, *LAST, *metrics}
    attributes = sorted(name for name in frame.columns if name not in known)
    frame = frame[[*FIRST, *attributes, *metrics, *KEPT]]
    done = {key for key, status in ledger.fit_statuses().items() if status == "done"}
    named = set(frame["fit"].drop_nulls().to_list()) & done
    fits = {key: _fit_numbers(ledger.fit_result(key)) for key in named}
    curves = {
        key: _sorted(dict(json.loads(text)))
        for key, text in ledger.stream(
            "SELECT key, curves FROM cell WHERE curves IS NOT NULL AND curves <> '[]'"
        )
    }
    added = [
        pl.Series(
            "reasons",
            [_sorted(text and json.loads(text)) for text in frame["reasons"].to_list()],
            dtype=pl.String,
        ),
        pl.Series("curves", [curves.get(key) for key in frame["key"].to_list()], dtype=pl.String),
        pl.Series("fit_numbers", [fits.get(key) for key in frame["fit"].to_list()], dtype=pl.String),
    ]
    # one piece: a file of several row groups is another file
    return frame.with_columns(added).rechunk()


def _sorted(value: Any) -> str | None:
    """Return JSON whose keys are sorted; None where there is nothing."""
    return json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":")) if value else None


def _fit_numbers(fit: FitResult) -> str:
    """Return the digest of what a fit holds."""
    return digest([digest_arrays(fit.arrays), _sorted(fit.info), _sorted(fit.attributes)])
