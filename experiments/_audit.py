"""A claim that can be audited: its cells and fits beside its tables, read and replayed without a ledger.

``cells.parquet`` (zstd) holds every cell with all digits of its metrics, ``fits.json`` and ``fits.npz`` what
was tuned and trained: parameters, weights, steps, processor seconds. Cells stand in the order of the suite's
grid, which gives their keys; where and when they ran is left out.
"""

from __future__ import annotations

import io
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from mlopsim.bench.grid import Grid
from mlopsim.bench.ledger import Ledger
from mlopsim.bench.table import LAST
from mlopsim.core.files import atomic_path, write_text
from mlopsim.core.track import Cell, FitResult, Track

#: columns of the table of cells that say where and when, or that the grid gives
LEFT_OUT = ("key", "track", *(name for name in LAST if name not in ("reasons", "error")))


@dataclass(frozen=True, kw_only=True)
class Fit:
    """What was tuned or trained, and what it took: steps of the environment, seconds of the processor."""

    label: str
    result: FitResult
    steps: int
    seconds: float


def write(folder: Path, cells: pl.DataFrame, grid: Grid, ledger: Path) -> None:
    """Write the files.

    Parameters
    ----------
    folder : Path
        Where.
    cells : polars.DataFrame
        The table of the grid's cells, in its order.
    grid : Grid
        The suite's.
    ledger : Path
        The folder that holds the fits.

    Raises
    ------
    ValueError
        If the table is not that of the grid.
    """
    if cells["key"].to_list() != [cell.key for cell in grid.cells]:
        raise ValueError("these are not the cells of the grid, in its order")
    with atomic_path(folder / "cells.parquet") as path:
        cells.drop(LEFT_OUT, strict=False).write_parquet(path, compression="zstd", compression_level=19)
    arrays: dict[str, np.ndarray] = {}
    told: dict[str, Any] = {}
    with Ledger.read(ledger) as open_ledger:
        seconds = dict(open_ledger.rows("SELECT key, seconds FROM fit"))
        for job in grid.fits:
            result = open_ledger.fit_result(job.key)
            # what a search tried stands in searches.csv
            info = {key: value for key, value in result.info.items() if key != "history"}
            told[job.key] = {
                "label": job.label,
                "steps": int(result.info.get("steps_used", 0)),
                "cpu_seconds": round(float(seconds[job.key]), 2),
                "info": info,
                "attributes": result.attributes,
            }
            arrays |= {f"{job.key}/{name}": array for name, array in result.arrays.items()}
    packed = io.BytesIO()
    np.savez_compressed(packed, **arrays)  # type: ignore[arg-type]  # names are keys here
    with atomic_path(folder / "fits.npz") as path:
        path.write_bytes(packed.getvalue())
    write_text(folder / "fits.json", json.dumps(told, indent=1, sort_keys=True) + "\n")


def read(folder: Path, grid: Grid) -> tuple[pl.DataFrame, dict[str, Fit]]:
    """Return the cells and the fits, by key.

    Raises
    ------
    SystemExit
        If a file is missing, or was made from another suite or by other versions of components.
    """
    for name in ("cells.parquet", "fits.json", "fits.npz"):
        if not (folder / name).is_file():
            raise SystemExit(f"no {name} in {folder}: run the experiment first")
    cells = pl.read_parquet(folder / "cells.parquet")
    asked = [(cell.task.name, cell.method.name, cell.seed) for cell in grid.cells]
    if cells.select("task", "method", "seed").rows() != asked:
        raise SystemExit(f"{folder / 'cells.parquet'} holds other cells than the suite has now")
    told = json.loads((folder / "fits.json").read_text(encoding="utf-8"))
    fits: dict[str, Fit] = {}
    # nothing is unpickled
    with np.load(folder / "fits.npz", allow_pickle=False) as packed:
        for key, entry in told.items():
            arrays = {
                name.split("/", 1)[1]: packed[name] for name in packed.files if name.startswith(key + "/")
            }
            result = FitResult(arrays=arrays, info=entry["info"], attributes=entry["attributes"])
            seconds = float(entry["cpu_seconds"])
            fits[key] = Fit(label=entry["label"], result=result, steps=entry["steps"], seconds=seconds)
    if missing := [job.label for job in grid.fits if job.key not in fits]:
        raise SystemExit(
            f"{len(missing)} fits of the suite are not in {folder / 'fits.json'}, the first: {missing[0]}; "
            "they were made by other versions of the components"
        )
    return cells, fits


def spent(grid: Grid, fits: Mapping[str, Fit], task: str) -> dict[str, tuple[int, int, float]]:
    """Return what was tuned or trained for each method of a task: fits, steps, processor seconds of them."""
    found: dict[str, set[str]] = {}
    for cell in grid.cells:
        if cell.task.name == task and cell.fit is not None:
            found.setdefault(cell.method.name, set()).add(cell.fit)
    return {
        method: (len(keys), sum(fits[key].steps for key in keys), sum(fits[key].seconds for key in keys))
        for method, keys in found.items()
    }


def drawn(grid: Grid, number: int, seed: int) -> list[int]:
    """Return places of cells to replay, as many of methods with a fit as without, drawn by a fixed seed."""
    rng = np.random.default_rng(seed)
    fitted = np.array([cell.fit is not None for cell in grid.cells])
    half = [np.flatnonzero(fitted), np.flatnonzero(~fitted)]
    sizes = [min(-(-number // 2), len(half[0])), min(number // 2, len(half[1]))]
    return sorted(
        int(place)
        for places, size in zip(half, sizes, strict=True)
        for place in rng.choice(places, size, replace=False)
    )


def replay(
    track: Track, grid: Grid, cells: pl.DataFrame, fits: Mapping[str, Fit], places: Sequence[int]
) -> list[dict[str, Any]]:
    """Run some cells again with the stored fits; return one row each, with the metrics that differ at all."""
    rows = []
    for place in places:
        cell: Cell = grid.cells[place]
        stored = cells.row(place, named=True)
        mine = {} if cell.fit is None else {cell.fit: fits[cell.fit].result}
        (outcome,) = track.run([cell], mine)
        differ = [name for name, value in outcome.metrics.items() if not _same(value, stored[name])]
        row = {"task": cell.task.name, "method": cell.method.name, "seed": cell.seed}
        rows.append(row | {"metrics": len(outcome.metrics), "differ": " ".join(differ)})
    return rows


def _same(a: float, b: float | None) -> bool:
    """Return whether two numbers are one, to the bit; undefined is equal to undefined."""
    return b is not None and (a == b or (math.isnan(a) and math.isnan(b)))
