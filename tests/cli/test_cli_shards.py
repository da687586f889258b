"""Many machines on the command line: shards, fits that are made once, merge, numbers."""

from __future__ import annotations

import shutil
import sqlite3
from pathlib import Path

import pytest
from cli_kit import Bench, mlopsim


@pytest.fixture(scope="module")
def _shards(tmp_path_factory: pytest.TempPathFactory, _cache: Path) -> Path:
    """Two shards of the tiny suite and the whole of it."""
    from cli_kit import SUITE

    made = Bench(folder=tmp_path_factory.mktemp("shards"))
    made.preset("suite/tiny", SUITE)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MLOPSIM_CACHE", str(_cache))
        for number in (1, 2):
            ended = made(f"shard={number}/2", f"results={made.folder / str(number)}")
            assert ended.code == 0 and f"shard {number}/2, of 12 cells: " in ended.out, ended.err
            assert "mlopsim merge" in ended.out and not (made.folder / str(number) / "report.html").exists()
        assert made("--no-report", f"results={made.folder / 'whole'}").code == 0
    return made.folder


@pytest.fixture
def shards(bench: Bench, _shards: Path) -> list[Path]:
    return [Path(shutil.copytree(_shards / name, bench.folder / name)) for name in ("1", "2")]


def test_merge_export_and_report(bench: Bench, shards: list[Path], _shards: Path) -> None:
    out = bench.folder / "all"
    part = mlopsim("merge", shards[0], "--out", out)
    assert part.code == 0 and "not among these folders: shard 2 of 2" in part.out
    assert "missing: " in part.out and "next: mlopsim report" in part.out
    status = mlopsim("status", out)
    assert "shard 1/2: " in status.out and "missing: " in status.out
    assert mlopsim("report", out).code == 0
    page = (out / "report.html").read_text(encoding="utf-8")
    assert (
        "cells have not run yet: the numbers are preliminary. Not among what was merged: shard 2 of 2."
        in page
    )
    assert "Missing by task (" in page and "Missing by method (3 of 3): " in page
    whole = mlopsim("merge", *reversed(shards), "--out", out)
    assert "12 cells: 12 done" in whole.out and "missing" not in whole.out
    assert "nothing new" in mlopsim("merge", *shards, "--out", out).out
    assert mlopsim("report", out).code == 0
    assert "preliminary" not in (out / "report.html").read_text(encoding="utf-8")
    texts = [mlopsim("export", folder, "--numbers") for folder in (out, _shards / "whole")]
    assert texts[0].out == texts[1].out and texts[0].out.startswith("key,track,task,method,seed,status,")
    for name in ("n.parquet", "n.csv"):
        for folder in (out, _shards / "whole"):
            assert mlopsim("export", folder, bench.folder / f"{folder.name}-{name}", "--numbers").code == 0
        pair = [bench.folder / f"{folder}-{name}" for folder in ("all", "whole")]
        assert pair[0].read_bytes() == pair[1].read_bytes()
    assert (bench.folder / "all-n.csv").read_text(encoding="utf-8") == texts[0].out
    # what was merged goes on as any other folder
    assert "12 of 12 cells done (all cached)" in bench("--no-report", f"results={out}").out


def test_a_shard_goes_into_a_folder_of_its_own(bench: Bench) -> None:
    dry = mlopsim("bench", "suite=tiny", "--conf", bench.conf, "shard=2/3", "--dry-run")
    assert "results/local/tiny.shards/2-of-3" in dry.out and "shard 2/3: " in dry.out
    assert "the 3 shards hold " in dry.out and not Path("results").exists()


def test_fits_only(bench: Bench) -> None:
    ended = bench("--fits-only")
    assert ended.code == 0 and "0 of 0 fits done" in ended.out
    taken = bench("--no-report", "tasks=small", "shard=1/1", f"fits={bench.results}", "results=mine")
    assert taken.code == 0, taken.err


@pytest.mark.parametrize(
    ("words", "said", "remedy"),
    [
        (["shard=17/16"], "there is no shard 17 of 16", "1/16 to 16/16"),
        (["shard=0/16"], "there is no shard 0 of 16", "add 1"),
        (["shard=3"], "NUMBER/COUNT, got '3'", "shard=3/16"),
        (["shard=third"], "NUMBER/COUNT, got 'third'", "shard=3/16"),
        (["shard=1/2", "--fits-only"], "for all shards", "leave shard= out"),
        (["fits=nowhere"], "no ledger in nowhere", "results folder"),
        (["fits=nowhere", "--fits-only"], "to be made, too", "leave fits= out"),
        (["shard=[1/2,2/2]"], "'shard' takes one value", "once for each value"),
        (["sweep.shard=1/2,2/2"], "'shard'", ""),
    ],
)
def test_bad_shards(words: list[str], said: str, remedy: str, bench: Bench) -> None:
    ended = bench(*words)
    assert ended.code == 2 and said in ended.err and remedy in ended.err.partition("remedy: ")[2]
    assert ended.err.count("error: ") == 1 and "Traceback" not in ended.err
    assert not bench.results.exists()
    if "--fits-only" not in words and "nowhere" not in words[0]:
        assert bench(*words, "--dry-run").code == 2


def test_bad_merges(bench: Bench, shards: list[Path]) -> None:
    torn = bench.folder / "torn"
    shutil.copytree(shards[0], torn)
    with (torn / "ledger.sqlite").open("r+b") as handle:
        handle.truncate(30_000)
    changed = bench.folder / "changed"
    shutil.copytree(shards[0], changed)
    with sqlite3.connect(changed / "ledger.sqlite") as db:
        db.execute("UPDATE cell SET metrics='{}'")
    db.close()
    assert bench("methods=never", "--no-report", "results=other").code == 0
    before = {path: path.read_bytes() for path in bench.folder.rglob("ledger.sqlite")}
    for folders, out, said, remedy in (
        (shards, shards[0], "would be merged into itself", "--out"),
        ([*shards, "nowhere"], "all", "no ledger in nowhere", "results folder"),
        ([*shards, torn], "all", "is damaged", "mlopsim repair"),
        ([*shards, changed], "all", "has changed", "mlopsim repair"),
        ([*shards, "other"], "all", "tiny-v1 (modified)", "same command"),
        (shards, "other", "holds other results: tiny-v1 (modified)", "new folder"),
        (shards, bench.conf / "suite" / "tiny.yaml", "cannot write", "another one"),
    ):
        ended = mlopsim("merge", *folders, "--out", out)
        assert ended.code == 2 and said in ended.err and remedy in ended.err.partition("remedy: ")[2], (
            ended.err
        )
        assert ended.err.count("error: ") == 1 and "Traceback" not in ended.err
    assert not Path("all").exists()
    assert {path: path.read_bytes() for path in bench.folder.rglob("ledger.sqlite")} == before
    assert mlopsim("merge", "--out", "all").code == 2
    assert mlopsim("merge", *shards).code == 2


def test_bad_exports(done: Bench) -> None:
    for words, said in (
        (["out.xlsx"], "cannot export to 'out.xlsx'"),
        (["out.csv", "--format", "parquet"], "do not agree"),
        (["--format", "parquet"], "parquet is not printed"),
        (["--format", "excel"], "is not one of"),
    ):
        ended = mlopsim("export", done.results, *words, "--numbers")
        assert ended.code == 2 and said in ended.err, ended.err
        assert not Path(words[0]).exists()
    printed = mlopsim("export", done.results)
    assert "provenance" not in printed.out and ",host," in printed.out.splitlines()[0]
