"""The rows of a baseline file, and the file that they make."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlopsim.bench.baseline_columns import HEADER, PLAIN, curve_columns, scalar_columns
from mlopsim.bench.storage import to_json
from mlopsim.core.files import atomic_path

if TYPE_CHECKING:
    import numpy as np
    import polars as pl

#: a fit as the column ``fits`` holds it, with the numbers of those that it needs
Fit = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Line:
    """One row: a cell, its numbers, where it was computed, and the fits that it is the first to need.

    ``fit`` is the number of its own fit; ``reasons`` and ``attributes`` are JSON.
    """

    task: str
    method: str
    seed: int
    fit: int | None
    metrics: Mapping[str, Any]
    curves: Mapping[str, np.ndarray]
    reasons: str | None
    attributes: str | None
    seconds: float | None
    fingerprint: str | None
    run: str | None
    fits: Sequence[Fit] | None


def fit_struct() -> Any:
    """Return the polars type of the column ``fits``."""
    import polars as pl

    text = dict.fromkeys(("label", "part"), pl.String)
    rest = {"attributes": pl.String, "info": pl.String, "arrays": pl.Binary, "seconds": pl.Float64}
    ends = dict.fromkeys(("fingerprint", "run"), pl.String)
    return pl.List(pl.Struct({"number": pl.Int64, **text, "needs": pl.List(pl.Int64), **rest, **ends}))


def frame_of(lines: Sequence[Line]) -> tuple[pl.DataFrame, list[dict[str, Any]]]:
    """Return the table of rows, and what the header says of its series.

    Raises
    ------
    DataError
        For a value or a series that no column holds.
    """
    import polars as pl

    types = {
        **dict.fromkeys(("seed", "fit"), pl.Int64),
        "seconds": pl.Float32,
        "fits": fit_struct(),
    }
    columns = {
        name: pl.Series(name, [getattr(line, name) for line in lines], dtype=types.get(name, pl.String))
        for name in PLAIN
    }
    for name in dict.fromkeys(name for line in lines for name in line.metrics):
        columns.update(scalar_columns(name, [line.metrics.get(name) for line in lines]))
    told: list[dict[str, Any]] = []
    for name in dict.fromkeys(name for line in lines for name in line.curves):
        made, entries = curve_columns(name, [line.curves.get(name) for line in lines])
        columns.update(made)
        told += entries
    return pl.DataFrame(list(columns.values())), told


def write_lines(path: Path, header: Mapping[str, Any], lines: Sequence[Line]) -> Path:
    """Write a baseline file, whole or not at all; ``cells`` and ``curves`` of the header are made here."""
    frame, series = frame_of(lines)
    whole = {**header, "curves": series, "cells": len(lines)}
    with atomic_path(path) as target:
        frame.write_parquet(
            target, compression="zstd", compression_level=19, metadata={HEADER: to_json(whole)}
        )
    return path
