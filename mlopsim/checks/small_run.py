"""The smallest instance of a track, run in this process: for checks of tracks and of their sections."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from mlopsim.checks.base import ContractError
from mlopsim.core.spec import make
from mlopsim.core.track import Attribute, Cell, FitJob, FitResult, Outcome, Track, sum_up

if TYPE_CHECKING:
    import polars as pl

SEEDS = (0, 1)
#: columns of the cell table that say what a cell is: no metric or attribute is called so
PLACE = ("key", "track", "task", "method", "seed", "status", "reasons", "error", "split", "root", "fit")
REMEDY = (
    "smallest: ClassVar[Mapping[str, Any]] = {'settings': {...}, 'tasks': [...], 'methods': [...]}, "
    "an instance that runs in seconds"
)


def build(cls: type[Any]) -> tuple[Track, list[Any], list[Any]]:
    """Build a track with the settings of its smallest instance; return it with its entries.

    Examples
    --------
    >>> from mlopsim.core.registry import find
    >>> track, tasks, methods = build(find("track", "delivery"))
    >>> track.full_name, len(tasks), methods
    ('track/delivery', 1, ['periodic'])
    """
    smallest = getattr(cls, "smallest", None)
    if not isinstance(smallest, Mapping) or not {"tasks", "methods"} <= set(smallest):
        raise ContractError("does not say what its smallest instance is", remedy=REMEDY)
    track: Track = make("track", {cls.name: dict(smallest.get("settings", {}))})
    return track, list(smallest["tasks"]), list(smallest["methods"])


@dataclass(frozen=True, kw_only=True)
class SmallRun:
    """A track, its cells with their fits, and what they gave."""

    track: Track
    jobs: tuple[FitJob, ...]
    fits: Mapping[str, FitResult]
    pairs: tuple[tuple[Cell, Outcome], ...]

    @property
    def results(self) -> SmallResults:
        """What a section would read."""
        frame = table(self)
        board = sum_up(self.track, frame, self.curves)
        return SmallResults(run=self, cells=frame, leaderboard=board)

    def curves(self, key: str) -> Mapping[str, np.ndarray]:
        """Return the series of a cell."""
        return next(outcome.curves for cell, outcome in self.pairs if cell.key == key)


@dataclass(frozen=True, kw_only=True)
class SmallResults:
    """Results of a small run (:class:`mlopsim.core.section.Results`)."""

    run: SmallRun
    cells: pl.DataFrame
    leaderboard: pl.DataFrame

    @property
    def track(self) -> Track:
        """The track with its settings."""
        return self.run.track

    @property
    def sweep(self) -> Mapping[str, Sequence[Attribute]]:
        """Nothing is swept."""
        return {}

    @property
    def sweep_points(self) -> Sequence[Mapping[str, Attribute]]:
        """Nothing is swept."""
        return []

    def curves(self, key: str) -> Mapping[str, np.ndarray]:
        """Return the series of a cell."""
        return self.run.curves(key)


def cells_of(cls: type[Any]) -> tuple[Track, list[Cell], list[FitJob]]:
    """Return the cells of the smallest instance with their fits named, and the jobs of these."""
    track, tasks, methods = build(cls)
    cells = [
        Cell(track=f"{track.name}/{track.version}", task=task, method=method, seed=seed)
        for task in track.tasks(tasks)
        for method in track.methods(methods)
        for seed in SEEDS
    ]
    return (track, *track.fits(cells))


#: a track's class and the run of its smallest instance: sections of one track share it
_RUNS: dict[Any, SmallRun] = {}


def small_run(cls: type[Any]) -> SmallRun:
    """Run the smallest instance of a track, bundle by bundle; once in a process."""
    if cls not in _RUNS:
        _RUNS[cls] = _run(cls)
    return _RUNS[cls]


def _run(cls: type[Any]) -> SmallRun:
    track, cells, jobs = cells_of(cls)
    fits: dict[str, FitResult] = {}
    waiting = list(jobs)
    while waiting:
        ready = [job for job in waiting if all(key in fits for key in job.needs)]
        if not ready:
            raise ContractError("fits need each other in a circle, or fits that nobody makes")
        for job in ready:
            fits[job.key] = track.fit(job, {key: fits[key] for key in job.needs})
        waiting = [job for job in waiting if job.key not in fits]
    bundles: dict[str, list[Cell]] = {}
    for cell in cells:
        bundles.setdefault(track.bundle(cell), []).append(cell)
    found = {
        cell.key: outcome
        for bundle in bundles.values()
        for cell, outcome in zip(bundle, track.run(bundle, fits), strict=True)
    }
    pairs = tuple((cell, found[cell.key]) for cell in cells)
    return SmallRun(track=track, jobs=tuple(jobs), fits=fits, pairs=pairs)


def table(run: SmallRun) -> pl.DataFrame:
    """Return one row a cell: its place, its metrics, and the attributes of task, method, fit and cell."""
    import polars as pl

    rows = []
    for cell, outcome in run.pairs:
        fit = run.fits[cell.fit].attributes if cell.fit is not None else {}
        rows.append(
            {
                "key": cell.key, "track": cell.track, "task": cell.task.name, "method": cell.method.name,
                "seed": cell.seed, "status": "done",
                **cell.task.attributes, **cell.method.attributes, **fit, **outcome.attributes,
                **{metric.name: float(outcome.metrics[metric.name]) for metric in run.track.metrics},
                "reasons": json.dumps(outcome.reasons), "error": None, "split": cell.split, "root": cell.root,
                "fit": cell.fit, "task_digest": cell.task.digest, "method_digest": cell.method.digest,
                "seconds": 0.0,
            }
        )  # fmt: skip
    columns = dict.fromkeys(name for row in rows for name in row)
    return pl.DataFrame([{name: row.get(name) for name in columns} for row in rows], infer_schema_length=None)
