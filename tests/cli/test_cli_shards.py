"""Many machines on the command line: shards, fits that are made once, merge, numbers."""

from __future__ import annotations

import shutil
import sqlite3
from pathlib import Path

import pytest
from cli_kit import Bench, mlopsim

TOY = Path(__file__).parents[1] / "bench" / "bench_toy.py"
SUITE = """\
# @package _global_
track: bench-toy
tasks: [{name: a}, {name: b}]
methods: [x, fit-y, undefined]
seeds: 2
bench-toy: {size: 4}
"""


@pytest.fixture
def toy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Bench:
    """A suite of cells that take no time."""
    monkeypatch.chdir(tmp_path)
    made = Bench(folder=tmp_path)
    made.preset("suite/tiny", SUITE)
    return made


@pytest.fixture
def shards(toy: Bench) -> list[Path]:
    """Two shards of the suite, with fits that were made once, and the whole of it."""
    folders = [toy.folder / name for name in ("1", "2")]
    fits = toy("--plugin", TOY, "--fits-only", f"results={toy.folder / 'fits'}")
    assert fits.code == 0 and "4 of 4 fits done (0 cached)" in fits.out, fits.err
    for number, folder in enumerate(folders, start=1):
        words = (f"shard={number}/2", f"results={folder}", f"fits={toy.folder / 'fits'}")
        ended = toy("--plugin", TOY, *words)
        assert ended.code == 0 and f"shard {number}/2, of 12 cells: " in ended.out, ended.err
        assert "mlopsim merge" in ended.out and not (folder / "report.html").exists()
    assert toy("--plugin", TOY, "--no-report", f"results={toy.folder / 'whole'}").code == 0
    return folders


def test_merge_export_and_report(toy: Bench, shards: list[Path], monkeypatch: pytest.MonkeyPatch) -> None:
    out, alone = toy.folder / "all", toy.folder / "whole"
    part = mlopsim("merge", shards[0], "--out", out)
    assert part.code == 0 and "not among these folders: shard 2 of 2" in part.out
    assert "missing: " in part.out and "next: mlopsim report" in part.out
    status = mlopsim("status", out)
    assert "shard 1/2: " in status.out and "missing: " in status.out
    assert mlopsim("report", out, "--plugin", TOY).code == 0
    page = (out / "report.html").read_text(encoding="utf-8")
    assert (
        "cells have not run yet: the numbers are preliminary. Not among what was merged: shard 2 of 2."
        in page
    )
    assert "Missing by task (" in page and "Missing by method (" in page
    whole = mlopsim("merge", *reversed(shards), "--out", out)
    assert "12 cells: 12 done" in whole.out and "missing" not in whole.out
    # a bar where there is a terminal
    monkeypatch.setenv("FORCE_COLOR", "1")
    again = mlopsim("merge", *shards, "--out", out)
    assert "nothing new" in again.out and "24/24" in again.err
    monkeypatch.delenv("FORCE_COLOR")
    assert mlopsim("report", out, "--plugin", TOY).code == 0
    assert "preliminary" not in (out / "report.html").read_text(encoding="utf-8")
    texts = [mlopsim("export", folder, "--numbers") for folder in (out, alone)]
    assert texts[0].out == texts[1].out and texts[0].out.startswith("key,track,task,method,seed,status,")
    for name in ("n.parquet", "n.csv"):
        for folder in (out, alone):
            assert mlopsim("export", folder, toy.folder / f"{folder.name}-{name}", "--numbers").code == 0
        pair = [toy.folder / f"{folder}-{name}" for folder in ("all", "whole")]
        assert pair[0].read_bytes() == pair[1].read_bytes()
    assert (toy.folder / "all-n.csv").read_text(encoding="utf-8") == texts[0].out
    # what was merged goes on as any other folder
    assert "12 of 12 cells done (all cached)" in toy("--plugin", TOY, "--no-report", f"results={out}").out


def test_a_shard_goes_into_a_folder_of_its_own(toy: Bench) -> None:
    dry = mlopsim("bench", "suite=tiny", "--conf", toy.conf, "--plugin", TOY, "shard=2/3", "--dry-run")
    assert "results/local/tiny.shards/2-of-3" in dry.out and "shard 2/3: " in dry.out
    assert "the 3 shards hold " in dry.out and not Path("results").exists()


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
def test_bad_shards(words: list[str], said: str, remedy: str, toy: Bench) -> None:
    ended = toy("--plugin", TOY, *words)
    assert ended.code == 2 and said in ended.err and remedy in ended.err.partition("remedy: ")[2]
    assert ended.err.count("error: ") == 1 and "Traceback" not in ended.err
    assert not toy.results.exists()
    if "--fits-only" not in words and "nowhere" not in words[0]:
        assert toy("--plugin", TOY, *words, "--dry-run").code == 2


def test_bad_merges(toy: Bench, shards: list[Path]) -> None:
    torn = toy.folder / "torn"
    shutil.copytree(shards[0], torn)
    with (torn / "ledger.sqlite").open("r+b") as handle:
        handle.truncate(30_000)
    changed = toy.folder / "changed"
    shutil.copytree(shards[0], changed)
    with sqlite3.connect(changed / "ledger.sqlite") as db:
        db.execute("UPDATE cell SET metrics='{}'")
    db.close()
    assert toy("--plugin", TOY, "methods=[x]", "--no-report", "results=other").code == 0
    before = {path: path.read_bytes() for path in toy.folder.rglob("ledger.sqlite")}
    for folders, out, said, remedy in (
        (shards, shards[0], "would be merged into itself", "--out"),
        ([*shards, "nowhere"], "all", "no ledger in nowhere", "results folder"),
        ([*shards, torn], "all", "is damaged", "mlopsim repair"),
        ([*shards, changed], "all", "has changed", "mlopsim repair"),
        ([*shards, "other"], "all", "tiny-v1 (modified)", "same command"),
        (shards, "other", "holds other results: tiny-v1 (modified)", "new folder"),
        (shards, toy.conf / "suite" / "tiny.yaml", "cannot write", "another one"),
    ):
        ended = mlopsim("merge", *folders, "--out", out)
        assert ended.code == 2 and said in ended.err and remedy in ended.err.partition("remedy: ")[2], (
            ended.err
        )
        assert ended.err.count("error: ") == 1 and "Traceback" not in ended.err
    assert not Path("all").exists()
    assert {path: path.read_bytes() for path in toy.folder.rglob("ledger.sqlite")} == before
    assert mlopsim("merge", "--out", "all").code == 2
    assert mlopsim("merge", *shards).code == 2


def test_bad_exports(toy: Bench, shards: list[Path]) -> None:
    for words, said in (
        (["out.xlsx"], "cannot export to 'out.xlsx'"),
        (["out.csv", "--format", "parquet"], "do not agree"),
        (["--format", "parquet"], "parquet is not printed"),
        (["--format", "excel"], "is not one of"),
    ):
        ended = mlopsim("export", shards[0], *words, "--numbers")
        assert ended.code == 2 and said in ended.err, ended.err
        assert not Path(words[0]).exists()
    printed = mlopsim("export", shards[0])
    assert "provenance" not in printed.out and ",host," in printed.out.splitlines()[0]
