from dataclasses import dataclass
from pathlib import Path

import polars as pl
import pytest
from bench_kit import frame, go, toy

from mlopsim.bench.schedule import Schedule
from mlopsim.core.track import FitJob

METHODS = ("x", "fit-y")
TASKS = tuple("abcdefghijk")
NUMBERS = ("task", "method", "seed", "status", "value", "spread")


@pytest.mark.parametrize("workers", [1, 2])
def test_fits_of_a_bundle_are_made_together_and_equal_those_made_alone(workers: int, tmp_path: Path) -> None:
    alone = toy()
    assert go(tmp_path / "alone", METHODS, track=alone, tasks=TASKS, seeds=1).complete
    log = tmp_path / "log"
    together = toy("bench-together", log=str(log))
    summary = go(
        tmp_path / "r", METHODS, track=together, tasks=TASKS, seeds=1, workers=workers, executor="pool"
    )
    assert summary.complete and summary.counts.fits_done == 2 * len(TASKS)
    noted = log.read_text().splitlines()
    # a worker's share of the bundle each time, every fit once
    sizes = [int(line.split()[1]) for line in noted if line.startswith("together")]
    assert max(sizes) == -(-len(TASKS) // workers)
    fits = [line for line in noted if line.startswith("fit ")]
    assert len(fits) == len(set(fits)) == 2 * len(TASKS)
    sort = ["task", "method", "seed"]
    got, wanted = (frame(tmp_path / name).select(NUMBERS).sort(sort) for name in ("r", "alone"))
    assert isinstance(got, pl.DataFrame) and got.equals(wanted)


@pytest.mark.parametrize("fault", ["fit-raise", "fit-exit"])
def test_a_fault_in_a_bundle_of_fits_costs_the_culprit_alone(fault: str, tmp_path: Path) -> None:
    track = toy("bench-together")
    summary = go(tmp_path, ["fit-y", fault], track=track, tasks=TASKS[:3], seeds=1, executor="pool")
    assert summary.counts.fits_done == 6 and summary.counts.fits_failed == 6
    table = frame(tmp_path)
    assert set(table.filter(pl.col("method") == "fit-y")["status"]) == {"done"}
    assert set(table.filter(pl.col("method") == fault)["status"]) == {"failed"}


@pytest.mark.parametrize(
    ("laws", "methods", "slots", "expected"),
    [
        (1, 20, 1, [20]),
        (1, 20, 2, [10, 10]),
        (1, 20, 16, [4, 4, 4, 4, 4]),
        # eight laws keep two workers busy as they are: what a law shares is made once
        (8, 19, 2, [19] * 8),
        (3, 20, 2, [15, 5] * 3),
        (8, 19, 16, [5, 5, 5, 4] * 8),
        # never more than the most that one job may hold
        (8, 40, 2, [32, 8] * 8),
    ],
)
def test_a_bundle_of_fits_is_cut_only_where_it_is_large_among_all(
    laws: int, methods: int, slots: int, expected: list[int]
) -> None:
    @dataclass(kw_only=True)
    class Laws(type(toy("bench-together"))):  # type: ignore[misc]
        def fit_bundle(self, job: FitJob) -> str:
            return str(job.part["law"])

    jobs = [
        FitJob(track="toy/1", label="", part={"law": law, "method": method})
        for law in range(laws)
        for method in range(methods)
    ]
    schedule = Schedule(Laws(), [], jobs, [], slots, 32)
    pieces = []
    while work := schedule.next():
        pieces.append(work.make)
    assert [len(piece) for piece in pieces] == expected
    assert [job for piece in pieces for job in piece] == jobs
    assert all(len({job.part["law"] for job in piece}) == 1 for piece in pieces)
