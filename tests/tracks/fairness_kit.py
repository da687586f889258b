"""A small grid of the fairness track, run, and its cells as a table with their facts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl

from mlopsim.core.track import Cell, FitResult, Outcome
from mlopsim.tracks.fairness.track import FairnessTrack
from mlopsim.tracks.table_results import TableResults

#: few deployments of few people: numbers that stand for nothing but the mechanism
CALIBRATION = {"alpha": 0.1, "runs": 60, "checks": 40, "lime_runs": 20, "lime_checks": 20}
EXPLAIN = {"background": 40, "rows": 10, "samples": 40}


def population(**more: Any) -> dict[str, Any]:
    return {"population": {"windows": 14, "warmup": 2, "per_group": 60, **more}}


#: windows between trainings of what is guarded
EVERY = 2
STEP = {"step": {"at": 6}}
TASKS: list[dict[str, Any]] = [
    {"name": "fair", "stream": population()},
    {"name": "proxy", "stream": population(bias="proxy", timing=STEP), "strengths": [0.5, 1.0]},
    {"name": "unequal", "stream": population(bias="unequal_base_rate", timing=STEP, strength=1.0)},
    {
        "name": "guarded",
        "stream": population(place=1.5, bias="label_bias", timing=STEP, strength=1.0),
        "every": EVERY,
        "guard": True,
    },
]
METHODS: list[Any] = ["four_fifths", "demographic_parity", "accuracy", "shap_gap", "lime_gap", "explained"]


def made(
    track: FairnessTrack, tasks: Sequence[Any] = TASKS, methods: Sequence[Any] = METHODS, seeds: int = 2
) -> tuple[list[Cell], dict[str, FitResult]]:
    cells = [
        Cell(track="fairness/1", task=task, method=method, seed=seed)
        for task in track.tasks(tasks)
        for seed in range(seeds)
        for method in track.methods(methods)
    ]
    named, jobs = track.fits(cells)
    bundles: dict[str, list[Any]] = {}
    for job in jobs:
        bundles.setdefault(track.fit_bundle(job), []).append(job)
    fits: dict[str, FitResult] = {}
    for bundle in bundles.values():
        fits |= dict(zip([job.key for job in bundle], track.fit_many(bundle, {}), strict=True))
    return named, fits


def quick() -> FairnessTrack:
    return FairnessTrack(calibration=CALIBRATION, explain=EXPLAIN)


def frame(cells: Sequence[Cell], fits: Mapping[str, FitResult], outcomes: Sequence[Outcome]) -> pl.DataFrame:
    """One row a cell: metrics, and the attributes of task, method, fit and cell."""
    rows = []
    for cell, outcome in zip(cells, outcomes, strict=True):
        fitted = {} if cell.fit is None else fits[cell.fit].attributes
        row = {"key": cell.key, "task": cell.task.name, "method": cell.method.name, "seed": cell.seed}
        row |= {"status": "done", "fit": cell.fit, **outcome.metrics}
        rows.append({**row, **cell.task.attributes, **cell.method.attributes, **fitted, **outcome.attributes})
    # a fact may be null, and a number a whole one, in all of the first rows
    return pl.DataFrame(rows, infer_schema_length=None)


def results(track: Any, tasks: Sequence[Any], methods: Sequence[Any], seeds: int) -> TableResults:
    """Run a grid."""
    cells, fits = made(track, tasks, methods, seeds)
    outcomes = track.run(cells, fits)
    stored = {cell.key: outcome.curves for cell, outcome in zip(cells, outcomes, strict=True)}
    return TableResults(track=track, cells=frame(cells, fits, outcomes), read=stored.__getitem__)
