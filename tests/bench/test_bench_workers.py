"""Workers prove who they are, and a cluster that cannot finish ends the run."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import psutil
import pytest
from bench_kit import go, suite, toy

from mlopsim.bench import identity
from mlopsim.bench.cluster import PATIENCE, Dask
from mlopsim.bench.executors import make_backend
from mlopsim.bench.grid import expand
from mlopsim.bench.ledger import Ledger
from mlopsim.bench.rerun import rerun
from mlopsim.bench.runner import run
from mlopsim.bench.worker import Context, Job, run_job
from mlopsim.bench.worker_paths import placed
from mlopsim.core.digest import digest
from mlopsim.core.errors import ConfigError, MlopsimError
from mlopsim.core.registry import load_plugins
from mlopsim.core.spec import canonical, make, part_of

PACKAGE = Path(identity.__file__).resolve().parents[1]


def work(track: Any) -> tuple[Context, Job]:
    grid = expand(suite(track, ["x"], ["a"], 1), track)
    context = Context(track=part_of(track), plugins=load_plugins([]), proof=identity.proof())
    return context, Job(cells=tuple(grid.cells))


def other_package(folder: Path) -> Path:
    """Copy the package and change one line that makes numbers."""
    shutil.copytree(PACKAGE, folder / "mlopsim", ignore=shutil.ignore_patterns("__pycache__"))
    file = folder / "mlopsim" / "core" / "versions.py"
    file.write_text(file.read_text().replace('"world": 1', '"world": 99'))
    return folder


def no_cells(folder: Path) -> None:
    with Ledger.read(folder) as ledger:
        assert ledger.rows("SELECT count(*) FROM cell") == [(0,)]
        assert [entry["status"] for entry in ledger.runs()] == ["broken"]


def test_a_proof_of_anything_else_is_refused_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    context, job = work(toy())
    assert not run_job(context, job).error
    there = {**identity.proof(), "numpy": "1.2.3", "cpu": '["OTHER"]'}
    with pytest.raises(identity.WorkerRefused) as caught:
        run_job(replace(context, proof=there), job)
    said = str(caught.value)
    assert "numpy is " in said and "coordinator: 1.2.3" in said and "cpu is" in said
    assert socket.gethostname() in said and str(os.getpid()) in said


@pytest.mark.parametrize("executor", ["serial", "pool"])
def test_nothing_of_a_worker_of_another_version_is_stored(
    executor: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if executor == "pool":
        # workers import what comes first on the path that they are given
        monkeypatch.setattr(sys, "path", [str(other_package(tmp_path / "other")), *sys.path])
        match = r"engine world is 99 \(coordinator: 1\)"
    else:
        track = toy()
        there = {**identity.proof(), "code of mlopsim/world": "0"}
        monkeypatch.setattr("mlopsim.bench.runner.proof", lambda: there)
        match = r"code of mlopsim/world is \w+ \(coordinator: 0\)"
    track = toy()
    with pytest.raises(identity.WorkerRefused, match=match):
        go(tmp_path / "r", ["x"], track=track, executor=executor, workers=1)
    no_cells(tmp_path / "r")


def test_the_code_of_each_room_has_a_digest(tmp_path: Path) -> None:
    mine = identity.code_digests()
    other = identity.code_digests(other_package(tmp_path) / "mlopsim")
    assert [room for room in mine if mine[room] != other[room]] == ["core"]


def test_a_part_of_another_version_is_neither_built_nor_computed() -> None:
    part = canonical("selector", "periodic")
    assert make("selector", part).name == "periodic"
    stale = {**part, "version": "77"}
    with pytest.raises(ConfigError, match=r"selector/periodic is of version 77.*version 1 now"):
        make("selector", stale)
    outer = {"task": [{"deep": stale}]}
    with pytest.raises(identity.WorkerRefused, match=r"selector/periodic version 77 -> 1"):
        identity.check_parts([outer])
    assert identity.current(outer) == {"task": [{"deep": part}]}
    context, job = work(toy())
    cell = job.cells[0]
    task = replace(cell.task, part={**cell.task.part, "rule": stale})
    with pytest.raises(identity.WorkerRefused):
        run_job(context, Job(cells=(replace(cell, task=task),)))


def test_rerun_says_what_changed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    track = toy()
    made = suite(track, ["x"], ["a"], 1)
    task = made.tasks[0]
    made.tasks[0] = replace(task, part={**task.part, "rule": canonical("selector", "never")})
    run(made, track, tmp_path, workers=1, executor="serial")
    with Ledger.read(tmp_path) as ledger:
        ((key,),) = ledger.rows("SELECT key FROM cell")
    assert rerun(tmp_path, key).promise == "bit-identical"
    # as if the stored part had been made by an older release
    monkeypatch.setattr(Ledger, "find_cell", _older(Ledger.find_cell))
    report = rerun(tmp_path, key)
    assert report.promise == "none" and report.changed == ["selector/never version 0 -> 1"]


def _older(find: Any) -> Any:
    def found(self: Ledger, key: str) -> Any:
        cell = find(self, key)
        rule = {**cell.task.part["rule"], "version": "0"}
        older = replace(cell, task=replace(cell.task, part={**cell.task.part, "rule": rule}))
        older.__dict__["key"] = cell.key  # what it is stored under
        return older

    return found


def test_paths_are_absolute_for_workers_and_in_no_key(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = "a,b,label\n" + "".join(f"{i % 7},{i % 5}.5,{i % 2}\n" for i in range(120))
    for name in ("here", "there"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "rows.csv").write_text(rows)
    monkeypatch.chdir(tmp_path / "here")
    part = canonical("stream", {"file": {"path": "rows.csv", "rows": 20, "warmup": 2}})
    nested = {"task": {"stream": part, "list": [part]}}
    sent = placed(nested)
    monkeypatch.chdir(tmp_path / "there")
    assert sent["task"]["list"][0]["params"]["path"] == str(tmp_path / "here" / "rows.csv")
    assert digest(sent) == digest(nested) == digest(placed(nested))
    identity.check_parts([sent])
    (tmp_path / "there" / "rows.csv").write_text(rows + "1,1,1\n")
    for damage, match in (
        (rows + "1,1,1\n", "has other data for stream/file /"),
        (None, "cannot see the data"),
    ):
        file = tmp_path / "here" / "rows.csv"
        if damage is None:
            file.unlink()
        else:
            file.write_text(damage)
        monkeypatch.setattr(identity, "_known", set())
        with pytest.raises(identity.WorkerRefused, match=match):
            identity.check_parts([sent])


# Dask: real schedulers and workers, each in a process of its own


@contextmanager
def cluster(
    folder: Path, *, package: Path | None = None, workers: int = 1
) -> Iterator[tuple[str, list[Any]]]:
    """Start a scheduler and a worker, the latter with another mlopsim first on the path."""
    pytest.importorskip("distributed")
    file = folder / "scheduler.json"
    ours = os.pathsep.join([str(PACKAGE.parent), os.environ.get("PYTHONPATH", "")])
    environment = {**os.environ, "PYTHONPATH": ours}
    theirs = {**environment, "PYTHONPATH": os.pathsep.join([str(package), ours])} if package else environment
    base = [sys.executable, "-m", "distributed.cli.dask_scheduler", "--host", "127.0.0.1", "--port", "0"]
    base += ["--no-dashboard", "--dashboard-address", "127.0.0.1:0", "--scheduler-file", str(file)]
    silent: dict[str, Any] = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "cwd": folder}
    # -P: the folder that the test stands in is not on the path
    processes = [subprocess.Popen([base[0], "-P", *base[1:]], env=environment, **silent)]
    try:
        deadline = time.monotonic() + 60
        while not file.is_file() or not file.read_text():
            assert time.monotonic() < deadline and processes[0].poll() is None, "no scheduler"
            time.sleep(0.05)
        import json

        address = json.loads(file.read_text())["address"]
        line = [sys.executable, "-P", "-m", "distributed.cli.dask_worker", address, "--no-nanny"]
        line += ["--nthreads", "1", "--no-dashboard"]
        processes.append(subprocess.Popen(line, env=theirs, **silent))
        from distributed import Client

        with Client(address, timeout=30) as client:
            client.wait_for_workers(1, timeout=60)
        yield address, processes
    finally:
        for process in processes:
            process.kill()
            process.wait()


def soon(after: Path, act: Any) -> threading.Thread:
    """Do something once the first cell has been computed."""

    def wait() -> None:
        deadline = time.monotonic() + 60
        while not after.exists() and time.monotonic() < deadline:
            time.sleep(0.02)
        act()

    thread = threading.Thread(target=wait)
    thread.start()
    return thread


@pytest.mark.parametrize("silent", ["only one", "one of two", "none, but our own pause"])
def test_a_silent_worker_is_found_by_our_own_looks(silent: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Clocks of others do not matter, nor how many workers there are; a pause of ours is nobody's silence."""
    clock = 1000.0
    seen = {"tcp://a": 5e8, "tcp://b": 9e9}
    if silent == "only one":
        del seen["tcp://b"]

    class Client:
        status = "running"
        scheduler = SimpleNamespace(identity=None)

        def sync(self, *_: Any, **__: Any) -> Any:
            return {"workers": {a: {"name": f"w{a[-1]}", "last_seen": last} for a, last in seen.items()}}

    monkeypatch.setattr("mlopsim.bench.cluster.time", SimpleNamespace(monotonic=lambda: clock))
    dask = Dask.__new__(Dask)
    dask.__dict__.update(client=Client(), cluster=None, address="tcp://s", _seen={}, _silent={})
    dask._looked = dask._connected = dask._staffed = clock
    if silent.startswith("none"):
        for pause in (6.0, 6.0, 5000.0, 6.0):
            clock += pause
            dask.check()  # nothing was heard during the pause, either
        seen["tcp://a"] += 1
        seen["tcp://b"] += 1
        clock += 6.0
        dask.check()
        return
    began = clock
    with pytest.raises(MlopsimError, match="the Dask worker wa at tcp://a has given no sign of life for"):
        while clock < began + 60:
            clock += 6.0
            if "tcp://b" in seen:
                seen["tcp://b"] += 0.5
            dask.check()
    assert began + PATIENCE < clock < began + 50


def test_an_address_where_nobody_answers_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("distributed")
    monkeypatch.setattr("mlopsim.bench.cluster.CONNECT", 0.5)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        with pytest.raises(ConfigError, match="no Dask scheduler answers at tcp://127"):
            make_backend(f"tcp://127.0.0.1:{taken.getsockname()[1]}", 1)


def test_a_dask_worker_of_another_version_is_refused(tmp_path: Path) -> None:
    other = other_package(tmp_path / "other")
    with cluster(tmp_path, package=other) as (address, _), pytest.raises(identity.WorkerRefused) as caught:
        go(tmp_path / "r", ["x"], executor=address)
    said = str(caught.value)
    assert "Dask worker tcp://" in said and "engine world is 99 (coordinator: 1)" in said
    no_cells(tmp_path / "r")


@pytest.mark.slow
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGSTOP], ids=["killed", "stopped"])
@pytest.mark.parametrize("who", ["scheduler", "worker"])
def test_a_dead_cluster_ends_the_run_within_a_minute(how: signal.Signals, who: str, tmp_path: Path) -> None:
    log = tmp_path / "log"
    with cluster(tmp_path) as (address, processes):
        victim = processes[0 if who == "scheduler" else 1]
        died: list[float] = []

        def act() -> None:
            victim.send_signal(how)
            died.append(time.monotonic())

        killer = soon(log, act)
        # a dead worker's job may be reported by what the scheduler has left
        match = "the Dask (scheduler|worker)" if victim is processes[1] else "the Dask scheduler"
        with pytest.raises(MlopsimError, match=match):
            go(tmp_path / "r", ["x", "y"], track=toy(log=str(log), sleep=0.5), executor=address, seeds=60)
        took = time.monotonic() - died[0]
        print(f"{who} {how.name}: {took:.1f} s")
        assert took < 60
        killer.join()
    with Ledger.read(tmp_path / "r") as ledger:
        assert [entry["status"] for entry in ledger.runs()] == ["broken"]
        assert not ledger.rows("SELECT key FROM cell WHERE status != 'done'")


COORDINATOR = """
import sys
sys.path.insert(0, {kit!r})
from bench_kit import go, toy

if __name__ == "__main__":  # workers of a local cluster import this file
    go("r", ["x", "y"], track=toy(log={log!r}, sleep=0.2), executor={executor!r}, seeds=30)
"""


@pytest.mark.slow
@pytest.mark.parametrize("where", ["local", "by address"])
def test_ctrl_c_ends_a_dask_run_soon_and_keeps_what_is_done(where: str, tmp_path: Path) -> None:
    pytest.importorskip("distributed")
    log, script = tmp_path / "log", tmp_path / "coordinator.py"
    with ExitStack() as stack:
        executor = "dask" if where == "local" else stack.enter_context(cluster(tmp_path))[0]
        kit = str(Path(__file__).parent)
        script.write_text(COORDINATOR.format(kit=kit, log=str(log), executor=executor))
        line = [sys.executable, "-P", str(script)]
        environment = {**os.environ, "PYTHONPATH": str(PACKAGE.parent)}
        with (tmp_path / "errors").open("wb") as errors:
            process = subprocess.Popen(
                line, cwd=tmp_path, env=environment, stderr=errors, start_new_session=True
            )
        stack.callback(process.kill)
        deadline = time.monotonic() + 90
        while not (log.exists() and len(log.read_text().splitlines()) >= 12):
            assert process.poll() is None and time.monotonic() < deadline, (tmp_path / "errors").read_text()
            time.sleep(0.05)
        others = psutil.Process(process.pid).children(recursive=True)
        # as a terminal does: to the coordinator and all that it has started
        os.killpg(process.pid, signal.SIGINT)
        pressed = time.monotonic()
        process.wait(timeout=60)
        took = time.monotonic() - pressed
        print(f"Ctrl-C, {where}: {took:.1f} s")
        assert took < 20
        _, alive = psutil.wait_procs(others, timeout=10)
        assert not alive, f"they live on: {alive}"
        assert "KeyboardInterrupt" in (tmp_path / "errors").read_text()
    with Ledger.read(tmp_path / "r") as ledger:
        assert [entry["status"] for entry in ledger.runs()] == ["interrupted"]
        rows = ledger.rows("SELECT status, count(*) FROM cell GROUP BY status")
    assert len(rows) == 1 and rows[0][0] == "done" and 0 < rows[0][1] < 120
    track = toy(log=str(log), sleep=0.2)
    counts = go(tmp_path / "r", ["x", "y"], track=track, seeds=30).counts
    assert counts.cached == rows[0][1] and counts.cached + counts.done == 120
