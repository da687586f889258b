"""Bad input: one clear error that names the remedy, before work starts, and nothing is lost."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from cli_kit import Bench, Ended, mlopsim


def data(folder: Path, rows: int = 400, label: Callable[[int], str] = lambda i: "ab"[i % 7 % 2]) -> Path:
    lines = [f"{i * 37 % 101 / 100},{i * 53 % 97},{label(i)}" for i in range(rows)]
    path = folder / "rows.csv"
    path.write_text("\n".join(["x,z,label", *lines]) + "\n", encoding="utf-8")
    return path


def refused(ended: Ended, *texts: str) -> None:
    """One error on two or three lines, no traceback, a status that is not 0."""
    assert ended.code != 0
    assert ended.err.startswith("error: "), ended.err
    assert len(ended.err.strip().splitlines()) <= 3
    assert "Traceback" not in ended.err
    for text in texts:
        assert text in ended.err, ended.err


def state(bench: Bench) -> list[tuple[object, ...]]:
    return bench.cells().select("key", "status", "return").rows()


@pytest.mark.parametrize(
    ("words", "texts"),
    [
        (["sed=3"], ["unknown key 'sed'", "did you mean 'seeds'?"]),
        (["delivery.stps=5"], ["delivery has no 'stps'", "did you mean 'steps'?"]),
        (["stream=synthetic", "stream.windwos=3"], ["did you mean 'windows'?"]),
        (
            ["drift.calibration.arl=3"],
            ["drift.calibration has no 'arl'; did you mean 'arl0'?", "it has: arl0"],
        ),
        (["drift.calibration={arl: 3}"], ["unknown key 'drift.calibration.arl'", "did you mean 'arl0'?"]),
        (["drift.calibration.arl0.x=3"], ["'drift.calibration.arl0' has no parts"]),
        (["quality.stages.x=1"], ["'quality.stages' has no parts", "remedy: write quality.stages=VALUE"]),
        (["learner=sklearn", "learner.path.x=1"], ["'learner.path' has no parts"]),
        (["stream={synthetic: {windows: 9}}"], ["must be a name", "remedy: write stream=NAME"]),
        (["latency=4"], ["unknown key 'latency'", "remedy: known keys"]),
        (["stream.windows=3"], ["no stream is chosen", "remedy: add stream=NAME"]),
        (["seeds.first=3"], ["'seeds' has no parts", "remedy: write seeds=value"]),
        (["hydra.run.dir=x"], ["unknown key"]),
        (["+seeds=3"], ["refused", "remedy: write seeds=3"]),
        (["++seeds=3"], ["refused", "remedy: write seeds=3"]),
        (["~seeds"], ["refused", "another value"]),
        (["seeds=3", "seeds=4"], ["'seeds' is given twice", "keep one"]),
        (["seeds"], ["no override", "write key=value"]),
        (["methods=[never,"], ["cannot read 'methods=[never,'", "quoted"]),
        (["methods=never,perodic"], ["unknown selector 'perodic'", "did you mean 'periodic'?"]),
        (["methods=[{periodic: {evry: 5}}]"], ["no parameter 'evry'", "did you mean 'every'?"]),
        (["methods=[{periodic: {every: 0}}]"], ["periodic.every", "got 0"]),
        (["methods=[{periodic: {every: often}}]"], ["must be int, got 'often'"]),
        (["methods=[ks,ks]"], ["listed twice", "keep one"]),
        (["methods=[ppo]"], ["must be trained", "delivery.steps"]),
        (["stream=sythetic"], ["unknown stream 'sythetic'", "did you mean 'synthetic'?"]),
        (["learner=ridg"], ["unknown learner 'ridg'", "did you mean 'ridge'?"]),
        (["deployment.latency=fast"], ["latency must be int, got 'fast'"]),
        (["deployment.latencies=1"], ["did you mean 'latency'?"]),
        (["seeds=many"], ["seeds must be int", "'many'"]),
        (["seeds=0"], ["no seeds"]),
        (["seeds=[0,-1]"], ["whole numbers from 0"]),
        (["root=x"], ["root must be int"]),
        (["split=tset"], ["unknown split 'tset'", "train, validation, test"]),
        (["tasks=smal"], ["no task 'smal'", "did you mean 'small'?"]),
        (["track=delivry"], ["unknown track", "did you mean 'delivery'?"]),
        (["workers=0"], ["workers must be at least 1"]),
        (["executor=foo"], ["unknown executor 'foo'", "pool, serial, dask"]),
        (["timeout=-1"], ["timeout must be above 0"]),
        (["on_error=shrug"], ["continue or stop"]),
        (["--conf", "nowhere"], ["no folder nowhere", "--conf"]),
        (["--plugin", "nowhere.py"], ["no plug-in file nowhere.py", ".py file"]),
    ],
    ids=lambda value: " ".join(value).replace("/", "")[:40] if isinstance(value, list) else None,
)
def test_wrong_words(done: Bench, words: list[str], texts: list[str]) -> None:
    before = state(done)
    refused(done(*words), *texts)
    assert state(done) == before


def test_missing_file(done: Bench) -> None:
    before = state(done)
    refused(done("stream=file", "stream.path=nowhere.csv"), "nowhere.csv", "remedy: pass the path")
    assert state(done) == before


def test_missing_label_column(done: Bench) -> None:
    before = state(done)
    path = data(done.folder)
    refused(
        done("stream=file", f"stream.path={path}", "stream.label=lable"), "'lable'", "did you mean 'label'?"
    )
    assert state(done) == before


def test_one_class(done: Bench) -> None:
    before = state(done)
    path = data(done.folder, label=lambda i: "same")
    refused(done("stream=file", f"stream.path={path}"), "all labels in 'label' are 'same'", "two classes")
    assert state(done) == before


def test_three_rows(done: Bench) -> None:
    before = state(done)
    path = data(done.folder, rows=3, label=lambda i: "ab"[i % 2])
    refused(done("stream=file", f"stream.path={path}"), "3 rows are too few", "remedy: use more rows")
    assert state(done) == before


def test_column_without_values(done: Bench) -> None:
    before = state(done)
    path = done.folder / "nan.csv"
    path.write_text("x,z,label\n" + "".join(f"{i},NaN,{i % 3 % 2}\n" for i in range(400)), encoding="utf-8")
    refused(done("stream=file", f"stream.path={path}"), "'z' has no value", "drop=[z]")
    assert state(done) == before
    words = ["stream=file", f"stream.path={path}", "stream.drop=[z]", "stream.windows=20", "--no-report"]
    assert done(*words).code == 0


def test_a_stream_that_cannot_be_drawn_is_refused_before_work_starts(done: Bench) -> None:
    spec = "tasks=[{stream: {synthetic: {windows: 16, warmup: 4, concept: sine, schedule: incremental}}}]"
    before = state(done)
    refused(done(spec), "nothing between two variants", "remedy: use the schedule")
    assert state(done) == before


def test_truncated_world(done: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A damaged World is no reason to stop: it is built again, and said so."""
    monkeypatch.setenv("MLOPSIM_CACHE", str(tmp_path / "worlds"))
    assert done("--no-report", "tasks=small", f"results={tmp_path / 'one'}").code == 0
    files = sorted((tmp_path / "worlds").rglob("*.world"))
    assert len(files) == 2
    whole = files[0].read_bytes()
    files[0].write_bytes(whole[: len(whole) // 2])
    ended = done("--no-report", "tasks=small", f"results={tmp_path / 'two'}")
    assert ended.code == 0
    assert "warning: " in ended.err and "built again" in ended.err
    assert files[0].read_bytes() == whole
    tables = []
    for name in ("one", "two"):
        target = tmp_path / f"{name}.csv"
        assert mlopsim("export", tmp_path / name, target).code == 0
        tables.append([line.split(",")[:9] for line in target.read_text().splitlines()])
    assert tables[0] == tables[1]


def test_corrupted_ledger_and_repair(done: Bench) -> None:
    before = state(done)
    path = done.results / "ledger.sqlite"
    raw = bytearray(path.read_bytes())
    # the first bytes say that it is a database
    raw[:16] = b"no database now!"
    path.write_bytes(bytes(raw))
    for ended in (
        done("--no-report", "tasks=small"),
        mlopsim("status", done.results),
        mlopsim("report", done.results),
        mlopsim("export", done.results, done.folder / "out.csv"),
    ):
        refused(ended, "mlopsim repair")
    assert path.read_bytes() == bytes(raw), "a damaged file is evidence"
    repaired = mlopsim("repair", done.results)
    assert repaired.code == 0
    assert (done.results / "ledger.sqlite.damaged-1").read_bytes() == bytes(raw)
    assert done("--no-report", "tasks=small").code == 0
    assert state(done) == before


def test_damage_inside_the_ledger_keeps_the_rest(done: Bench) -> None:
    before = state(done)
    import sqlite3

    with sqlite3.connect(done.results / "ledger.sqlite") as database:
        key = database.execute("SELECT key FROM cell ORDER BY key LIMIT 1").fetchone()[0]
        database.execute("UPDATE cell SET metrics = replace(metrics, '0.', '1.') WHERE key = ?", (key,))
    refused(mlopsim("export", done.results, done.folder / "out.csv"), "has changed", "mlopsim repair")
    assert mlopsim("repair", done.results).code == 0
    left = state(done)
    assert [row for row in left if row[0] != key] == [row for row in before if row[0] != key]
    assert dict.fromkeys(row[1] for row in left if row[0] == key) == {"missing": None}
    ended = done("--no-report", "tasks=small")
    assert ended.code == 0
    assert f"({len(before) - 1} cached)" in ended.out
    assert state(done) == before


def test_results_below_a_file(done: Bench) -> None:
    (done.folder / "file").write_text("x")
    refused(done(f"results={done.folder / 'file' / 'results'}"), "cannot write", "results=DIR")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_read_only_results_as_a_user(done: Bench) -> None:
    folder = done.folder / "locked"
    folder.mkdir(mode=0o555)
    refused(done(f"results={folder}"), "cannot write", "results=DIR")


@pytest.mark.skipif(not Path("/proc/self").is_dir(), reason="needs a folder that nobody can write to")
def test_read_only_results(done: Bench) -> None:
    refused(done("results=/proc/mlopsim-results"), "cannot write", "results=DIR")


def test_a_cache_that_cannot_be_written_to(done: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    (done.folder / "file").write_text("x")
    monkeypatch.setenv("MLOPSIM_CACHE", str(done.folder / "file" / "cache"))
    ended = done("--no-report", "tasks=small", f"results={done.folder / 'new'}")
    assert ended.code != 0
    assert "MLOPSIM_CACHE" in ended.err


@pytest.mark.parametrize("command", ["status", "report", "repair", "export", "rerun"])
def test_no_results(tmp_path: Path, command: str) -> None:
    more = {"export": ["out.csv"], "rerun": ["ab"]}.get(command, [])
    refused(mlopsim(command, tmp_path / "nowhere", *more), "no ledger in")


def test_wrong_export_ending(done: Bench) -> None:
    refused(mlopsim("export", done.results, done.folder / "out.xlsx"), ".parquet or .csv")


def test_unknown_key_of_a_cell(done: Bench) -> None:
    refused(mlopsim("rerun", done.results, "zzzz"), "zzzz")


def test_unknown_command() -> None:
    ended = mlopsim("bnech")
    assert ended.code == 2
    assert "did you mean 'bench'?" in ended.err


def test_unknown_component() -> None:
    refused(mlopsim("check", "selector/perodic"), "did you mean 'periodic'?")
    refused(mlopsim("list", "selektors"), "did you mean 'selectors'?")


def test_ambiguous_name() -> None:
    from dataclasses import dataclass

    from mlopsim.core.registry import register, unregister

    @register("duration", "ks")
    @dataclass(kw_only=True)
    class Other:
        """Something else of the same name."""

    try:
        refused(mlopsim("check", "ks"), "'ks' is ambiguous", "duration/ks, selector/ks")
    finally:
        unregister("duration", "ks")
    refused(mlopsim("check", "selektor/ks"), "unknown kind 'selektor'", "did you mean 'selector'?")


@pytest.mark.parametrize(
    ("text", "texts"),
    [
        ("x = 1\nimport no_such_module_\n", ["in line 2", "ModuleNotFoundError"]),
        ("def f(:\n", ["SyntaxError"]),
        ("import mlopsim\n@mlopsim.register('selector', 'broken')\nclass A: pass\n", ["is not a dataclass"]),
    ],
)
def test_broken_plugins(done: Bench, text: str, texts: list[str]) -> None:
    path = done.folder / "broken.py"
    path.write_text(text, encoding="utf-8")
    for _ in range(2):  # the second time is no better
        refused(done("--plugin", path), *texts, "remedy")


def test_a_plugin_that_takes_a_name_of_ours(done: Bench) -> None:
    path = done.folder / "thief.py"
    path.write_text(
        "from dataclasses import dataclass\nimport mlopsim\n"
        "@mlopsim.register('selector', 'own')\n@dataclass(kw_only=True)\nclass Own: 'Mine.'\n"
        "@mlopsim.register('selector', 'periodic')\n@dataclass(kw_only=True)\nclass A: 'Not mine.'\n",
        encoding="utf-8",
    )
    from mlopsim.core.registry import names

    names("selector")
    refused(done("--plugin", path), f"{path} registers selector/periodic, which mlopsim has already")
    assert "own" not in names("selector")
