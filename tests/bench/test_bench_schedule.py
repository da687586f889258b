"""The schedule against its plain definition: the first in the list that can start, searched each time."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from mlopsim.bench.schedule import LEAST_FITS, SMALL, Schedule
from mlopsim.core.track import Cell, FitJob, Method, Task

TASK, METHOD = Task(name="t", part={"t": 1}), Method(name="m", part={"m": 1})


class Bundling:
    def fit_bundle(self, job: FitJob) -> str:
        return str(job.part["bundle"])

    def fit_many(self, jobs: Any, done: Any) -> Any:
        raise NotImplementedError

    def bundle(self, cell: Cell) -> str:
        return str(cell.seed % 3)


class Single:
    def bundle(self, cell: Cell) -> str:
        return str(cell.seed % 3)


def draw(rng: np.random.Generator) -> tuple[list[FitJob], list[Cell]]:
    jobs: list[FitJob] = []
    for number in range(int(rng.integers(1, 40))):
        count = int(rng.integers(0, min(3, number) + 1))
        needs = tuple(jobs[i].key for i in sorted(rng.choice(number, count, replace=False)))
        part = {"bundle": int(rng.integers(4)), "n": number}
        jobs.append(FitJob(track="x/1", label=f"f{number}", part=part, needs=needs))
    fits = [None, *(job.key for job in jobs)]
    cells = [
        Cell(track="x/1", task=TASK, method=METHOD, seed=seed, fit=fits[int(rng.integers(len(fits)))])
        for seed in range(30)
    ]
    return jobs, cells


@pytest.mark.parametrize("track", [Bundling(), Single()])
def test_fits_come_in_the_order_of_the_plain_definition(track: Any) -> None:
    for seed in range(40):
        rng = np.random.default_rng(seed)
        jobs, cells = draw(rng)
        slots, most = int(rng.integers(1, 4)), int(rng.integers(1, 12))
        schedule = Schedule(track, cells, jobs, [], slots, most)
        left, done, seen = list(jobs), set[str](), list[str]()
        lost_cells: list[Cell] = []
        shares: dict[str, int] = {}
        small = math.ceil(len(jobs) / (SMALL * slots))
        while (work := schedule.next()) is not None:
            ready = [job for job in left if done.issuperset(job.needs)]
            if not ready:
                assert work.cells and all(c.fit is None or c.fit in done for c in work.cells)
                seen.extend(cell.key for cell in work.cells)
                continue
            expected = ready[:1]
            if isinstance(track, Bundling):
                name = track.fit_bundle(ready[0])
                same = sum(track.fit_bundle(job) == name for job in left)
                shares.setdefault(name, min(most, max(LEAST_FITS, math.ceil(same / slots), small)))
                expected = [job for job in ready if track.fit_bundle(job) == name][: shares[name]]
            assert [job.label for job in work.make] == [job.label for job in expected]
            left = [job for job in left if job not in work.make]
            for job in work.make:
                if rng.random() < 0.1:
                    fits, gone = schedule.fit_failed(job.key)
                    lost = {job.key}
                    while more := {j.key for j in left if lost & set(j.needs)} - lost:
                        lost |= more
                    assert [j.label for j in fits] == [j.label for j in left if j.key in lost]
                    assert [c.key for c in gone] == [
                        c.key for c in cells if c.fit in lost and c not in lost_cells
                    ]
                    left = [j for j in left if j.key not in lost]
                    lost_cells += gone
                else:
                    done.add(job.key)
                    schedule.fit_done(job.key)
        assert not left
        assert sorted([*seen, *(c.key for c in lost_cells)]) == sorted(c.key for c in cells)
