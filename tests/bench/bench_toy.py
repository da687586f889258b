"""A toy track, loaded as a plug-in file by the coordinator and by every worker."""

from __future__ import annotations

import os
import signal
import time
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from mlopsim.core.digest import digest_arrays
from mlopsim.core.registry import register
from mlopsim.core.seeds import Axis, Split, seed_sequence
from mlopsim.core.track import Cell, FitJob, FitResult, Method, Metric, Outcome, Section, Task
from mlopsim.world.cache import CacheWarning

METRICS = (
    Metric(name="value", unit="1", direction="max", primary=True),
    Metric(name="spread", unit="1", direction="none"),
)


@register("track", "bench-toy")
@dataclass(kw_only=True)
class BenchToy:
    """Cells multiply a random matrix; ``do`` makes them misbehave, ``log`` counts executions."""

    log: str = ""
    size: int = 20
    sleep: float = 0.0
    metrics: Sequence[Metric] = field(default=METRICS, init=False)
    parts: ClassVar[Mapping[str, Any]] = {}

    def tasks(self, entries: Sequence[Any]) -> list[Task]:
        # the first gives a whole number, and no "late"
        return [
            Task(
                name=str(e), part={"scale": i + 1},
                attributes={"size": i / 2, "late": True} if i else {"size": 3},
            )
            for i, e in enumerate(entries)
        ]  # fmt: skip

    def methods(self, entries: Sequence[Any]) -> list[Method]:
        return [
            Method(
                name=str(e), part={"do": str(e)}, attributes={"family": str(e).split("-")[0], "note": None}
            )
            for e in entries
        ]

    def fits(self, cells: Sequence[Cell]) -> tuple[list[Cell], list[FitJob]]:
        jobs: dict[str, FitJob] = {}
        done: list[Cell] = []
        for cell in cells:
            do = cell.method.part["do"]
            if not do.startswith("fit"):
                done.append(cell)
                continue
            base = FitJob(track=cell.track, label="base", part={"base": cell.task.part["scale"], "do": do})
            top = FitJob(track=cell.track, label=do, part={"top": do}, needs=(base.key,))
            jobs[base.key], jobs[top.key] = base, top
            done.append(
                Cell(
                    track=cell.track, task=cell.task, method=cell.method, seed=cell.seed, split=cell.split,
                    root=cell.root, fit=top.key,
                )
            )  # fmt: skip
        return done, list(reversed(jobs.values()))

    def fit(self, job: FitJob, done: Mapping[str, FitResult]) -> FitResult:
        self._note(f"fit {job.key}")
        self._act(str(job.part.get("do", "")))
        weights = np.random.default_rng(7).standard_normal(8)
        for other in done.values():
            weights = weights + other.arrays["w"]
        attributes: dict[str, Any] = {"tries": np.int64(2), "of": "top" if "top" in job.part else "base"}
        if "facts" in str(job.part.get("top", "")):
            attributes["tries"] = "two"
        info = {"bound": float("inf"), "steps": np.int64(3)}
        return FitResult(arrays={"w": weights}, info=info, attributes=attributes)

    def bundle(self, cell: Cell) -> str:
        return f"{cell.task.digest} {cell.seed}"

    def run(self, cells: Sequence[Cell], fits: Mapping[str, FitResult]) -> list[Outcome]:
        return [self._one(cell, fits) for cell in cells]

    def _one(self, cell: Cell, fits: Mapping[str, FitResult]) -> Outcome:
        do = cell.method.part["do"]
        if self.sleep:
            time.sleep(self.sleep)
        self._act(do)
        rng = np.random.default_rng(
            seed_sequence(Axis.SCENARIO, Split.parse(cell.split), cell.seed, root=cell.root)
        )
        matrix = rng.standard_normal((self.size, self.size)) * cell.task.part["scale"]
        value = float((matrix @ matrix.T).sum())
        if cell.fit is not None:
            value += float(fits[cell.fit].arrays["w"].sum())
        self._note(f"cell {cell.key}")
        if do == "undefined":
            return Outcome(metrics={"value": value, "spread": float("nan")}, reasons={"spread": "no rows"})
        if do.startswith("facts-"):
            wrong = {
                "list": {"rows": [1]},
                "owner": {"family": "b"},
                "metric": {"value": 1},
                "type": {"rows": 7},
            }
            attributes = wrong.get(do.removeprefix("facts-"), {"rows": f"{cell.seed}"})
            return Outcome(metrics={"value": value, "spread": 0.0}, attributes=attributes)
        if do == "unreasoned":
            return Outcome(metrics={"value": value, "spread": float("nan")})
        return Outcome(
            metrics={"value": value, "spread": float(matrix.std())},
            curves={"row": matrix[0], "ids": np.arange(3)},
            attributes={"rows": digest_arrays({"matrix": matrix}), "cut": None},
        )

    def _act(self, do: str) -> None:
        if "warn" in do:
            warnings.warn("a file was damaged", CacheWarning, stacklevel=1)
            warnings.warn("not ours", UserWarning, stacklevel=1)
        if "raise" in do:
            raise ValueError("planted failure")
        if "exit" in do:
            os._exit(3)
        if "kill" in do:
            os.kill(os.getpid(), signal.SIGKILL)
        if "hang" in do:
            time.sleep(600)
        if "once" in do and self.log:
            mark = Path(self.log + ".once")
            if not mark.exists():
                mark.touch()
                os.kill(os.getpid(), signal.SIGKILL)

    def _note(self, text: str) -> None:
        if self.log:
            with Path(self.log).open("a") as handle:
                handle.write(text + "\n")

    def leaderboard(self, table: Any) -> Any:
        return table

    def sections(self, table: Any, curves: Any) -> list[Section]:
        return []


@register("track", "bench-together")
@dataclass(kw_only=True)
class BenchTogether(BenchToy):
    """Makes the base fits together, one after the other as ``fit`` would."""

    def fit_bundle(self, job: FitJob) -> str:
        return "bases" if "base" in job.part else job.key

    def fit_many(self, jobs: Sequence[FitJob], done: Mapping[str, FitResult]) -> list[FitResult]:
        self._note(f"together {len(jobs)}")
        return [self.fit(job, {need: done[need] for need in job.needs}) for job in jobs]
