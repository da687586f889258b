"""A whole track of one's own: estimators of a centre, on samples with outliers."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import polars as pl

import mlopsim
from mlopsim import Cell, ConfigError, FitJob, FitResult, Method, Metric, Outcome, Task

ESTIMATORS: dict[str, Callable[[np.ndarray], float]] = {
    "mean": lambda x: float(x.mean()),
    "median": lambda x: float(np.median(x)),
    "midrange": lambda x: float((x.min() + x.max()) / 2),
}


@mlopsim.register("track", "centre")
@dataclass(kw_only=True)
class CentreTrack:
    """Estimators of the centre of a law, compared on the same samples.

    Parameters
    ----------
    rows : int
        Size of a sample.

    Examples
    --------
    >>> track = CentreTrack(rows=10)
    >>> [method.name for method in track.methods(["mean", "median"])]
    ['mean', 'median']
    """

    metrics: ClassVar[Sequence[Metric]] = (
        Metric(name="distance", unit="sd", direction="min", primary=True, text="distance from the centre"),
    )
    parts: ClassVar[Mapping[str, Any]] = {}
    smallest: ClassVar[Mapping[str, Any]] = {"tasks": [{"outliers": 0.1}], "methods": ["mean", "median"]}

    rows: int = 50

    def tasks(self, entries: Sequence[Any]) -> list[Task]:
        """Resolve entries ``{name, outliers}``: the share of outliers, a fact about the task."""
        tasks = []
        for entry in entries:
            if unknown := set(entry) - {"name", "outliers"}:
                raise ConfigError(f"a task has an unknown part {sorted(unknown)}")
            share = float(entry.get("outliers", 0.0))
            part = {"outliers": share, "rows": self.rows}
            name = str(entry.get("name") or f"{share:.0%} outliers")
            tasks.append(Task(name=name, part=part, attributes={"outliers": share}))
        return tasks

    def methods(self, entries: Sequence[Any]) -> list[Method]:
        """Resolve names of estimators."""
        if unknown := [entry for entry in entries if entry not in ESTIMATORS]:
            raise ConfigError(f"unknown estimators {unknown}", remedy=f"some of {', '.join(ESTIMATORS)}")
        return [Method(name=name, part={"kind": "estimator", "name": name}) for name in entries]

    def fits(self, cells: Sequence[Cell]) -> tuple[list[Cell], list[FitJob]]:
        """Return the cells: nothing is fitted."""
        return list(cells), []

    def fit(self, job: FitJob, done: Mapping[str, FitResult]) -> FitResult:
        """Nothing is fitted."""
        raise NotImplementedError

    def bundle(self, cell: Cell) -> str:
        """Cells of one sample go together."""
        return f"{cell.task.digest}/{cell.seed}"

    def run(self, cells: Sequence[Cell], fits: Mapping[str, FitResult]) -> list[Outcome]:
        """Estimate; all methods meet the same samples."""
        outcomes = []
        for cell in cells:
            rng = np.random.default_rng([cell.root, cell.seed])
            sample = rng.normal(size=cell.task.part["rows"])
            sample[rng.random(len(sample)) < cell.task.part["outliers"]] += 10.0
            distance = abs(ESTIMATORS[cell.method.part["name"]](sample))
            outcomes.append(Outcome(metrics={"distance": distance}, curves={"sample": sample}))
        return outcomes

    def leaderboard(self, table: pl.DataFrame) -> pl.DataFrame:
        """Return the mean distance of each method with its interval over seeds."""
        rows = []
        for (method,), cells in table.filter(pl.col("status") == "done").group_by(
            "method", maintain_order=True
        ):
            distances = cells.pivot("task", index="seed", values="distance", aggregate_function="first")
            mean = mlopsim.stats.mean_interval(distances.drop("seed").to_numpy(), np.random.default_rng(0))
            rows.append(
                {"method": method, "distance": mean.value, "low": mean.low, "high": mean.high, "n": mean.n}
            )
        return pl.DataFrame(rows).sort("distance")
