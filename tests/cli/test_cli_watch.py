"""``mlopsim watch``: what a run of this or another process has done, at which rate, and whether it lives."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time

import pytest
from cli_kit import Bench, mlopsim

from mlopsim.bench.grid import Grid
from mlopsim.bench.ledger import Ledger, Provenance
from mlopsim.bench.watch import look
from mlopsim.core.track import Cell, FitJob, FitResult, Method, Outcome, Task


def begun(bench: Bench, *, pid: int, cells: int = 4) -> tuple[Ledger, list[Cell], str]:
    """A run of a process that has just begun."""
    task, method = Task(name="t", part={"a": 1}), Method(name="m", part={"b": 2})
    job = FitJob(track="track/x", label="agent of t", part={"c": 3}, needs=())
    made = [Cell(track="track/x", task=task, method=method, seed=s, fit=job.key) for s in range(cells)]
    grid = Grid(title="toy-v1", track={"name": "x"}, metrics=(), cells=tuple(made), fits=(job,))
    ledger = Ledger.open(bench.results)
    ledger.register(grid)
    record = {"host": os.uname().nodename, "pid": pid}
    run = ledger.begin_run(grid.digest, record)
    ledger.record_fit(job, "done", FitResult(arrays={}, info={}), None, Provenance(run=run, seconds=3.0))
    return ledger, made, run


def test_a_run_is_watched_to_its_end(bench: Bench) -> None:
    ledger, cells, run = begun(bench, pid=os.getpid())
    with ledger:
        ledger.record_cell(cells[0].key, Outcome(metrics={}), Provenance(run=run, seconds=2.0))
        ended = mlopsim("watch", bench.results, "--once")
        assert ended.code == 0, ended.err
        lines = ended.out.splitlines()
        assert lines[0].endswith(": runs") and lines[1].startswith("cells: 1 of 4 done, 3 to come; ")
        assert lines[1].endswith(" left") and lines[2] == "fits: 1 of 1 done"
        assert lines[3:] == ["last cell: t / m / seed 0: done, 2 s", "last fit: agent of t: done, 3 s"]
        told = json.loads(mlopsim("watch", bench.results, "--once", "--json").out)
        assert told["running"] and told["waiting"] == 3 and told["rate"] > 0.0

    def work() -> None:
        time.sleep(0.3)
        with Ledger.open(bench.results) as again:
            for cell in cells[1:]:
                again.record_cell(cell.key, Outcome(metrics={}), Provenance(run=run))
            again.end_run(run, "finished")

    worker = threading.Thread(target=work)
    worker.start()
    ended = mlopsim("watch", bench.results, "--every", "0.1")
    worker.join()
    assert ended.code == 0 and "cells: 4 of 4 done" in ended.out and ": finished" in ended.out


def test_failures_and_what_was_killed_end_with_a_status(bench: Bench) -> None:
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    ledger, cells, run = begun(bench, pid=gone.pid)
    ledger.close()
    ended = mlopsim("watch", bench.results)
    assert ended.code == 1 and ": killed" in ended.out and "mlopsim status" in ended.err
    with Ledger.open(bench.results) as again:
        again.record_failure(cells[0].key, "timeout", "too long", Provenance(run=run))
        again.end_run(run, "finished")
    ended = mlopsim("watch", bench.results)
    assert ended.code == 1 and "0 of 4 done, 1 timeout, 3 to come" in ended.out


def test_what_is_done_needs_no_watching(done: Bench) -> None:
    before = sorted(path.name for path in done.results.iterdir())
    assert mlopsim("watch", done.results).code == 0
    found = look(done.results)
    assert found.complete and not found.running and found.waiting == 0
    assert sorted(path.name for path in done.results.iterdir()) == before


@pytest.mark.parametrize("words", [["nowhere"], ["."], [".", "--every", "0"]])
def test_nothing_to_watch_is_an_error(words: list[str], bench: Bench) -> None:
    ended = mlopsim("watch", *words)
    assert ended.code == 2 and "remedy: " in ended.err
