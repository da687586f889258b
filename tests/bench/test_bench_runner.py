import os
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import polars as pl
import psutil
import pytest
from bench_kit import PLUGIN, frame, go, suite, toy

from mlopsim.bench.executors import make_backend
from mlopsim.bench.grid import expand
from mlopsim.bench.ledger import Ledger
from mlopsim.bench.progress import Counts, Silent
from mlopsim.bench.runner import run
from mlopsim.bench.table import export
from mlopsim.core.errors import ConfigError, LedgerError, MlopsimError

NUMBERS = ("key", "track", "task", "method", "seed", "status", "value", "spread", "reasons")
METHODS = ("x", "y", "fit-y", "undefined")


def lines(log: Path) -> list[str]:
    return log.read_text().splitlines() if log.exists() else []


@pytest.fixture(scope="module")
def reference(tmp_path_factory: pytest.TempPathFactory) -> pl.DataFrame:
    folder = tmp_path_factory.mktemp("serial")
    assert go(folder, METHODS, executor="serial").complete
    return frame(folder, order="key").select(NUMBERS)


def test_one_and_two_workers_and_shuffled_order_give_the_same_export(
    reference: pl.DataFrame, tmp_path: Path
) -> None:
    for name, options in {
        "one": {"workers": 1},
        "two": {"workers": 2, "max_bundle": 1},
        "shuffled": {"workers": 2, "shuffle": 5},
    }.items():
        assert go(tmp_path / name, METHODS, **options).complete
        with Ledger.read(tmp_path / name) as ledger:
            target = export(ledger, tmp_path / f"{name}.parquet")
        got = pl.read_parquet(target)
        assert got["key"].is_sorted()
        assert got.select(NUMBERS).equals(reference)


def test_any_executor_can_be_given(reference: pl.DataFrame, tmp_path: Path) -> None:
    with ThreadPoolExecutor(1) as executor:
        assert go(tmp_path, METHODS, executor=executor, workers=1).complete
    assert frame(tmp_path, order="key").select(NUMBERS).equals(reference)
    with pytest.raises(ConfigError, match="end a running cell"), ThreadPoolExecutor(1) as executor:
        go(tmp_path / "other", METHODS, executor=executor, timeout=1.0)


def test_done_is_never_computed_again_and_a_new_method_computes_only_its_own(tmp_path: Path) -> None:
    log = tmp_path / "log"
    track = toy(log=str(log))
    first = go(tmp_path / "r", ["x", "fit-y"], track=track, executor="serial")
    # 12 cells; the two fits of the two tasks' methods: two bases, and tops that stand on them
    assert first.counts.done == 12 and first.counts.fits_done == 4
    before = lines(log)
    again = go(tmp_path / "r", ["x", "fit-y"], track=track, executor="pool")
    assert (again.counts.cached, again.counts.done, again.run) == (12, 0, "") and lines(log) == before
    more = go(tmp_path / "r", ["x", "fit-y", "z"], track=track, executor="serial")
    assert (more.counts.cached, more.counts.done, more.counts.fits_total) == (12, 6, 0)
    assert len(lines(log)) == len(before) + 6 == len(set(lines(log)))


def test_failures_are_recorded_with_traceback_and_tried_again(tmp_path: Path) -> None:
    summary = go(tmp_path, ["x", "raise", "fit-raise", "unreasoned"], executor="serial", seeds=1)
    assert (summary.counts.done, summary.counts.failed, summary.counts.fits_failed) == (2, 6, 4)
    assert not summary.complete
    table = frame(tmp_path)
    errors = dict(zip(table["method"], table["error"], strict=True))
    assert "Traceback" in errors["raise"] and "planted failure" in errors["raise"]
    assert "not run: the fit base" in errors["fit-raise"]
    assert "NaN without a reason" in errors["unreasoned"]
    assert table.filter(pl.col("status") == "failed")["value"].is_null().all()
    kept = go(
        tmp_path, ["x", "raise", "fit-raise", "unreasoned"], executor="serial", seeds=1, retry_failed=False
    )
    assert (kept.counts.kept, kept.counts.failed, kept.counts.waiting) == (6, 0, 0)
    # a new seed of a method whose fit failed before cannot be run without trying the fit again
    lost = go(tmp_path, ["fit-raise"], executor="serial", seeds=2, retry_failed=False)
    assert (lost.counts.kept, lost.counts.failed, lost.counts.fits_failed) == (2, 2, 4)
    again = go(tmp_path, ["x", "raise", "fit-raise", "unreasoned"], executor="serial", seeds=1)
    assert (again.counts.cached, again.counts.failed) == (2, 6)
    assert frame(tmp_path).filter(pl.col("method") == "raise")["attempts"].to_list() == [2, 2]


def test_on_error_stop_starts_nothing_more(tmp_path: Path) -> None:
    summary = go(tmp_path, ["raise", "x"], executor="serial", on_error="stop", max_bundle=1)
    assert summary.stopped and summary.counts.failed == 1 and summary.counts.done == 0
    assert set(frame(tmp_path)["status"]) == {"failed", "missing"}
    with Ledger.read(tmp_path) as ledger:
        assert [entry["status"] for entry in ledger.runs()] == ["stopped"]


@pytest.mark.parametrize(("do", "status"), [("exit", "crashed"), ("kill", "crashed"), ("hang", "timeout")])
def test_the_culprit_is_found_and_all_others_are_done(do: str, status: str, tmp_path: Path) -> None:
    options = {"timeout": 1.0} if do == "hang" else {}
    # one World: all four cells are in one bundle
    summary = go(tmp_path, ["x", do, "y", "z"], tasks=["a"], seeds=1, workers=1, **options)
    table = frame(tmp_path)
    assert set(table.filter(pl.col("method") == do)["status"]) == {status}
    assert set(table.filter(pl.col("method") != do)["status"]) == {"done"}
    assert summary.counts.failed == 1
    said = table.filter(pl.col("method") == do)["error"][0]
    assert {"exit": "exit code 3", "kill": "SIGKILL", "hang": "longer than"}[do] in said
    if do == "hang":
        assert "bench_toy.py" in said  # where it hung


def test_fits_that_crash_or_hang_are_recorded_too(tmp_path: Path) -> None:
    summary = go(tmp_path, ["x", "fit-hang", "fit-exit"], tasks=["a"], seeds=1, fit_timeout=1.5)
    assert (summary.counts.done, summary.counts.failed) == (1, 2)
    with Ledger.read(tmp_path) as ledger:
        rows = ledger.rows("SELECT status FROM fit WHERE label='base'")
    assert set(rows) == {("timeout",), ("crashed",)}


def test_one_crash_may_be_bad_luck(tmp_path: Path) -> None:
    summary = go(tmp_path / "r", ["x", "once"], track=toy(log=str(tmp_path / "log")), max_bundle=1)
    assert summary.complete and (tmp_path / "log.once").exists()


def test_a_worker_killed_from_outside_costs_nothing(tmp_path: Path) -> None:
    killed = []

    def kill_one() -> None:
        for _ in range(200):
            time.sleep(0.05)
            if (tmp_path / "log").exists():
                children = psutil.Process().children(recursive=True)
                workers = [c for c in children if any("bench.worker_process" in part for part in c.cmdline())]
                if workers:
                    workers[0].kill()
                    killed.append(workers[0].pid)
                    return

    killer = threading.Thread(target=kill_one)
    killer.start()
    summary = go(tmp_path / "r", ["x", "y", "z"], track=toy(log=str(tmp_path / "log"), sleep=0.05))
    killer.join()
    assert killed and summary.complete
    with Ledger.read(tmp_path / "r") as ledger:
        assert ledger.rows("SELECT count(*) FROM cell WHERE status='done'") == [(18,)]


COORDINATOR = """
import sys
sys.path.insert(0, {here!r})
from bench_kit import go, toy
go({folder!r}, ["x", "y", "fit-y"], track=toy(log={log!r}, sleep=0.03), seeds=6)
"""


def workers_of(pid: int) -> list[psutil.Process]:
    try:
        return psutil.Process(pid).children(recursive=True)
    except psutil.NoSuchProcess:
        return []


def test_kill_9_of_the_coordinator_loses_and_repeats_nothing_that_was_recorded(tmp_path: Path) -> None:
    folder, log = tmp_path / "r", tmp_path / "log"
    code = COORDINATOR.format(here=str(Path(__file__).parent), folder=str(folder), log=str(log))
    seen: set[str] = set()
    for moment in (0.0, 0.15, 0.4):
        target = len(lines(log)) + 1
        process = subprocess.Popen([sys.executable, "-c", code], stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + 30
        while len(lines(log)) < target and process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.02)
        time.sleep(moment)
        workers = workers_of(process.pid)
        process.send_signal(signal.SIGKILL)
        process.wait()
        _, alive = psutil.wait_procs(workers, timeout=5)
        assert not alive, "workers outlived their coordinator"
        if folder.exists():
            with Ledger.read(folder) as ledger:
                done = {key for (key,) in ledger.rows("SELECT key FROM cell WHERE status='done'")}
            assert seen <= done
            seen = done
    before = len(lines(log))
    track = toy(log=str(log), sleep=0.03)
    last = go(folder, ["x", "y", "fit-y"], track=track, seeds=6)
    assert last.complete and last.counts.cached == len(seen)
    # what had been recorded was not run again
    assert not {f"cell {key}" for key in seen} & set(lines(log)[before:])
    undisturbed = tmp_path / "undisturbed"
    go(undisturbed, ["x", "y", "fit-y"], track=track, seeds=6)
    assert frame(folder, order="key").select(NUMBERS).equals(frame(undisturbed, order="key").select(NUMBERS))
    with Ledger.read(folder) as ledger:
        *others, end = [entry["status"] for entry in ledger.runs()]
    # a quick machine may have come to the end before the last kill: then nothing was left to be run
    assert set(others) <= {"killed"} and (end == "finished" or not last.counts.done)


def test_a_run_that_was_killed_after_its_last_cell_is_closed(tmp_path: Path) -> None:
    go(tmp_path / "r", ["x"])
    with Ledger.open(tmp_path / "r") as ledger:
        lost = ledger.begin_run(ledger.grid()["digest"], {})
    assert go(tmp_path / "r", ["x"]).counts.done == 0
    with Ledger.read(tmp_path / "r") as ledger:
        assert {entry["id"]: entry["status"] for entry in ledger.runs()}[lost] == "killed"


def test_ctrl_c_leaves_a_clean_ledger_and_no_workers(tmp_path: Path) -> None:
    class Impatient:
        def start(self, counts: Counts) -> None: ...
        def finish(self, counts: Counts) -> None: ...
        def update(self, counts: Counts, message: str = "") -> None:
            if counts.done:
                time.sleep(0.2)  # the other worker's cell ends meanwhile: keeping it raises once more
                raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        go(tmp_path, ["x", "y"], track=toy(sleep=0.01), progress=Impatient(), max_bundle=1)
    assert not [
        c
        for c in psutil.Process().children(recursive=True)
        if "bench.worker_process" in " ".join(c.cmdline())
    ]
    with Ledger.open(tmp_path) as ledger:
        assert ledger.runs()[0]["status"] == "interrupted"
    assert go(tmp_path, ["x", "y"], track=toy(sleep=0.01)).complete


def test_workers_have_one_thread_whatever_the_environment_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "7")
    backend = make_backend("pool", 1)
    try:
        assert backend.pool.submit(os.getenv, "OMP_NUM_THREADS").result() == "1"  # type: ignore[attr-defined]
    finally:
        backend.close()
    assert os.environ["OMP_NUM_THREADS"] == "7"


def test_errors_come_before_work(tmp_path: Path) -> None:
    track = toy()
    for options, match in [
        ({"executor": "poool"}, "did you mean 'pool'"),
        ({"workers": 0}, "at least 1"),
        ({"on_error": "ignore"}, "continue or stop"),
        ({"timeout": -1.0}, "above 0"),
        ({"executor": "serial", "timeout": 1.0}, "end a running cell"),
        ({"plugins": ["nowhere.py"]}, "no plug-in file"),
    ]:
        with pytest.raises(ConfigError, match=match):
            go(tmp_path / "r", ["x"], **options)
    grid = expand(suite(track, ["x"]), track)
    with pytest.raises(ConfigError, match="other settings"):
        run(grid, toy(size=5), tmp_path / "r")
    (tmp_path / "file").write_text("")
    with pytest.raises(MlopsimError, match="cannot write to the folder"):
        go(tmp_path / "file", ["x"])


def test_a_second_writer_gets_one_clear_error(tmp_path: Path) -> None:
    with Ledger.open(tmp_path), pytest.raises(LedgerError, match=f"being written by process {os.getpid()}"):
        go(tmp_path, ["x"])
    assert go(tmp_path, ["x"], executor="serial").complete


def test_plugins_are_loaded_in_workers_and_their_digest_is_their_version(tmp_path: Path) -> None:
    go(tmp_path, ["x"], workers=1, seeds=1)
    track = frame(tmp_path)["track"][0]
    assert track.startswith("bench-toy/plugin-") and Path(PLUGIN).exists()


@pytest.mark.slow
def test_dask_finds_culprits_and_keeps_timeouts(tmp_path: Path) -> None:
    pytest.importorskip("distributed")
    methods = ["x", "hang", "kill", "fit-y"]
    summary = go(tmp_path, methods, tasks=["a"], seeds=1, executor="dask", workers=1, timeout=1.0)
    ends = dict(frame(tmp_path).select("method", "status").rows())
    assert ends == {"x": "done", "hang": "timeout", "kill": "crashed", "fit-y": "done"}
    assert {failure.last_line for failure in summary.failures} == {
        "took longer than 1 s",
        "the worker process was killed by SIGKILL",
    }


@pytest.mark.slow
def test_dask_completes_when_a_worker_is_killed(tmp_path: Path, reference: pl.DataFrame) -> None:
    pytest.importorskip("distributed")
    killed = []

    def kill_one() -> None:
        for _ in range(400):
            time.sleep(0.05)
            if (tmp_path / "log").exists():
                for process in psutil.Process().children():
                    if any("bench.worker_process" in " ".join(c.cmdline()) for c in process.children()):
                        process.kill()
                        killed.append(process.pid)
                        return

    killer = threading.Thread(target=kill_one)
    killer.start()
    track = toy(log=str(tmp_path / "log"), sleep=0.05)
    summary = go(tmp_path / "r", METHODS, track=track, executor="dask")
    killer.join()
    assert killed and summary.complete
    columns = ("task", "method", "seed", "status", "value", "spread")
    assert frame(tmp_path / "r", order="key").select(columns).equals(reference.select(columns))


@pytest.mark.parametrize("executor", ["serial", "pool"])
@pytest.mark.filterwarnings("ignore:not ours")
def test_what_mlopsim_warns_of_in_a_worker_is_shown(tmp_path: Path, executor: str) -> None:
    class Listening(Silent):
        def __init__(self) -> None:
            self.messages: list[str] = []

        def update(self, counts: Counts, message: str = "") -> None:
            self.messages.append(message)

    progress = Listening()
    assert go(
        tmp_path, ["warn"], executor=executor, workers=1, seeds=1, tasks=("a",), progress=progress
    ).complete
    assert [m for m in progress.messages if m] == ["warning: CacheWarning: a file was damaged"]
