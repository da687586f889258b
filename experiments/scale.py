"""How long do status and resume take, and how much memory, where a results folder holds a million cells?

A ledger is filled with numbers drawn at random; then each command is timed in a process of its own, whose
largest resident memory is taken. The schedule of many fits is compared with its plain definition, which looks
through all fits that are left each time. A folder of the suite fairness-paper is filled likewise, and its
report drawn. Times are those of the machine in config.yaml, idle or not.
"""

from __future__ import annotations

import _common  # isort: skip

import sqlite3
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from _alone import alone, measured
from _scale_fairness import fairness_paper_report, fairness_paper_resume, fill_fairness

from mlopsim.bench.grid import Grid, expand
from mlopsim.bench.ledger import Ledger
from mlopsim.bench.schedule import Schedule
from mlopsim.bench.schema import sealed
from mlopsim.bench.storage import to_json
from mlopsim.bench.suite import Suite
from mlopsim.core.track import Cell, FitJob, Method, Metric, Task


class Numbers:
    """What a grid needs to know of a track: its metrics, and that no cell needs a fit."""

    name, version, full_name = "scale", "1", "track/scale"

    def __init__(self, metrics: int) -> None:
        self.metrics = tuple(
            Metric(name=f"metric_{n}", unit="1", direction="max", primary=n == 0) for n in range(metrics)
        )

    def fits(self, cells: Sequence[Cell]) -> tuple[list[Cell], list[FitJob]]:
        """Return the cells as they are."""
        return list(cells), []

    def bundle(self, cell: Cell) -> str:
        """Return the cell's World: its task and seed."""
        return f"{cell.task.name} {cell.seed}"

    def fit_bundle(self, job: FitJob) -> str:
        """Return what fits share."""
        return str(job.part["bundle"])

    def fit_many(self, jobs: Sequence[FitJob], done: Mapping[str, Any]) -> list[Any]:
        """Nothing is made here."""
        raise NotImplementedError


def grid_of(settings: Mapping[str, Any]) -> Grid:
    """Expand the grid, as every run of a suite does."""
    track = Numbers(settings["metrics"])
    suite = Suite(
        name="scale",
        track={"kind": "track", "name": "scale", "version": "1", "params": {}},
        tasks=[Task(name=f"task {n}", part={"task": n}) for n in range(settings["tasks"])],
        methods=[Method(name=f"method {n}", part={"method": n}) for n in range(settings["methods"])],
        seeds=list(range(settings["seeds"])),
    )
    return expand(suite, track)  # type: ignore[arg-type]  # all that a grid asks of a track


def fill(settings: Mapping[str, Any], folder: Path) -> str:
    """Register the grid and store a cell of drawn numbers for each of its members."""
    grid = grid_of(settings)
    with Ledger.open(folder) as ledger:
        ledger.register(grid)
    rng = np.random.default_rng(0)
    names = [metric.name for metric in grid.metrics]

    def rows() -> Any:
        for cell in grid.cells:
            metrics = to_json(dict(zip(names, rng.random(len(names)).tolist(), strict=True)))
            origin = ("computed", 0.1, 32, "host", "0" * 12, "0" * 12, "2026-01-01T00:00:00.000+00:00", 1)
            yield sealed("cell", cell.key, "done", "[]", "{}", metrics, "{}", None, *origin)

    db = sqlite3.connect(folder / "ledger.sqlite")
    with db:
        db.executemany(f"INSERT INTO cell VALUES ({','.join('?' * 16)})", rows())
    db.close()
    return f"{len(grid.cells)} cells, {(folder / 'ledger.sqlite').stat().st_size / 1e9:.2f} GB"


def status(settings: Mapping[str, Any], folder: Path) -> str:
    """What ``mlopsim status`` tells."""
    from mlopsim.compose.folder_status import standing

    return f"{standing(folder).by_status['done']} done"


def resume(settings: Mapping[str, Any], folder: Path) -> str:
    """What a run does where nothing is left to be done: expand, register, find what is done."""
    grid = grid_of(settings)
    with Ledger.open(folder) as ledger:
        ledger.register(grid)
        states = ledger.states(grid.digest)
    return f"{states.count('done')} of {len(grid.cells)} done"


def table(settings: Mapping[str, Any], folder: Path) -> str:
    """The table that a report and an export read."""
    from mlopsim.bench.table import table as read

    with Ledger.read(folder) as ledger:
        return str(read(ledger).shape)


def jobs_of(settings: Mapping[str, Any]) -> list[FitJob]:
    """Return fits of which each, but for the first tenth, needs one of the first tenth."""
    first = max(1, settings["fits"] // 10)
    jobs: list[FitJob] = []
    for number in range(settings["fits"]):
        needs = () if number < first else (jobs[number % first].key,)
        part = {"n": number, "bundle": number // settings["fits_in_a_bundle"]}
        jobs.append(FitJob(track="scale/1", label=f"fit {number}", part=part, needs=needs))
    return jobs


def scheduled(jobs: Sequence[FitJob]) -> list[str]:
    """Return the fits in the order of the schedule."""
    schedule = Schedule(Numbers(1), [], jobs, [], 2, 32)  # type: ignore[arg-type]
    order: list[str] = []
    while (work := schedule.next()) is not None:
        for job in work.make:
            order.append(job.key)
            schedule.fit_done(job.key)
    return order


def searched(jobs: Sequence[FitJob]) -> list[str]:
    """Return the fits in the same order, the plain way: the list is looked through for each unit."""
    left, done, order, shares = list(jobs), set[str](), [], dict[str, int]()
    small = -(-len(jobs) // 4)
    track = Numbers(1)
    while left:
        head = next(job for job in left if done.issuperset(job.needs))
        name = track.fit_bundle(head)
        if name not in shares:
            whole = sum(track.fit_bundle(job) == name for job in left)
            shares[name] = min(32, max(4, -(-whole // 2), small))
        ready = [job for job in left if done.issuperset(job.needs) and track.fit_bundle(job) == name]
        make = ready[: shares[name]]
        left = [job for job in left if job not in make]
        order += [job.key for job in make]
        done.update(job.key for job in make)
    return order


def run(experiment: _common.Experiment) -> list[dict[str, Any]]:
    """Measure everything and write the table."""
    settings = experiment.settings
    rows: list[dict[str, Any]] = []

    def add(
        what: str, seconds: float, gigabytes: float, note: str, *, asked: bool, within: float | None = None
    ) -> None:
        met = seconds <= (within or settings["asked_seconds"]) and gigabytes <= settings["asked_gigabytes"]
        row = {
            "what": what,
            "seconds": seconds,
            "gigabytes": gigabytes,
            "met": met if asked else "",
            "note": note,
        }
        rows.append(row)

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "results"
        for work in (fill, status, resume, table):
            done = alone(measured, work, dict(settings), folder, time.perf_counter)
            add(work.__name__, *done, asked=work in (status, resume))
        folder = Path(name) / "fairness"
        for work in (fill_fairness, fairness_paper_report, fairness_paper_resume):
            done = alone(measured, work, dict(settings), folder, time.perf_counter)
            limit = settings["asked_report_seconds"] if work is fairness_paper_report else None
            add(work.__name__, *done, asked=work is not fill_fairness, within=limit)
    jobs = jobs_of(settings)
    for fits in (scheduled, searched):
        began = time.perf_counter()
        order = fits(jobs)
        seconds = time.perf_counter() - began
        add(f"fits {fits.__name__}", seconds, float("nan"), f"{len(order)} fits", asked=False)
        if fits is scheduled:
            expected = order
    if order != expected:
        raise AssertionError("the schedule gives another order than its definition")
    _common.write_config(experiment)
    _common.write_table(experiment.folder, rows)
    return rows


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print the table."""
    experiment = _common.start("scale", __doc__, arguments)
    _common.show(run(experiment), "a large results folder")
    print(f"written to {experiment.folder}")


if __name__ == "__main__":
    main()
