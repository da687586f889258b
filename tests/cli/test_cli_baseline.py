"""Baselines on the command line: a wrong file is one error with a remedy, and nothing is lost."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from cli_kit import Bench, Ended, mlopsim

HEADER = "mlopsim"


@pytest.fixture
def file(done: Bench) -> Path:
    path = done.folder / "tiny.parquet"
    assert mlopsim("export", done.results, path, "--baseline").code == 0
    return path


def changed(file: Path, name: str, change: Callable[[dict[str, Any]], object]) -> Path:
    header = json.loads(pl.read_parquet_metadata(file)[HEADER])
    change(header)
    path = file.with_name(name)
    pl.read_parquet(file).write_parquet(path, metadata={HEADER: json.dumps(header)})
    return path


def refused(ended: Ended, *texts: str) -> None:
    """One error and its remedy, in two lines."""
    assert ended.code == 2 and ended.err.startswith("error: "), ended.err
    lines = ended.err.strip().splitlines()
    assert len(lines) == 2 and lines[1].strip().startswith("remedy: "), ended.err
    for text in texts:
        assert text in ended.err, ended.err


def wrong_files(file: Path) -> list[tuple[Path, str]]:
    """Files that are no baseline of this suite, and what is said of them."""
    torn, text = file.with_name("torn.parquet"), file.with_name("text.parquet")
    torn.write_bytes(file.read_bytes()[:-100])
    text.write_text("not a table", encoding="utf-8")
    later = changed(file, "later.parquet", lambda h: h["suite"].update(version=2))
    other = changed(file, "other.parquet", lambda h: h["suite"].update(name="huge"))
    new = changed(file, "format.parquet", lambda h: h.update(format=99))
    return [
        (file.with_name("none.parquet"), "no baseline at"),
        (file.parent, "no baseline at"),
        (torn, "is torn"),
        (text, "no Parquet file"),
        (later, "tiny has version 2 in the baseline and 1 here"),
        (other, "suite is huge in the baseline and tiny here"),
        (new, "this mlopsim reads format"),
    ]


def test_a_wrong_file_is_refused_before_anything_is_made(done: Bench, file: Path) -> None:
    before = (done.results / "ledger.sqlite").read_bytes()
    for path, said in wrong_files(file):
        refused(done("methods=every_step", f"baseline={path}", f"results={done.folder / 'new'}"), said)
        assert not (done.folder / "new").exists()
        refused(done("methods=every_step", f"baseline={path}"), said)
    refused(done("methods=every_step", "baseline=published"), "no published baseline of tiny")
    assert (done.results / "ledger.sqlite").read_bytes() == before


def test_what_is_verified_or_sent_is_named(done: Bench, file: Path) -> None:
    refused(
        mlopsim("verify-baseline", f"baseline={file}", "suite=huge"), "is a baseline of tiny, not of huge"
    )
    refused(mlopsim("verify-baseline", f"baseline={file}", "--sample", "0"), "at least one cell")
    refused(mlopsim("verify-baseline", "sample=3"), "not understood")
    refused(mlopsim("verify-baseline", "baseline=published"), "of which suite?")
    refused(mlopsim("submit-check", file.with_name("none.parquet")), "no baseline at")
    refused(mlopsim("export", done.results, done.folder / "a.csv", "--baseline"), "no .csv file")
    refused(mlopsim("export", done.results, "--baseline"), "a Parquet file with everything")


def test_only_the_new_is_computed_and_a_forged_submission_is_not_taken(done: Bench, file: Path) -> None:
    folder, small = done.folder / "new", ["tasks=small", "seeds=2", "--no-report"]
    ended = done(*small, "methods=every_step", f"baseline={file}", f"results={folder}")
    assert ended.code == 0 and "8 of 8 cells done (6 cached)" in ended.out, ended.out + ended.err
    mine = done.folder / "mine.parquet"
    assert mlopsim("export", folder, mine, "--baseline").code == 0
    said = mlopsim("submit-check", mine, "--against", file)
    assert said.code == 0 and "new: every_step" in said.out and "submitted: whole" in said.out

    def forged(name: str, frame: pl.DataFrame) -> Path:
        header = {**json.loads(pl.read_parquet_metadata(mine)[HEADER]), "cells": len(frame)}
        frame.write_parquet(mine.with_name(name), metadata={HEADER: json.dumps(header)})
        return mine.with_name(name)

    rows = pl.read_parquet(mine)
    number = forged("number.parquet", rows.with_columns(pl.col("return") * 1.01))
    seed = forged("seed.parquet", rows.filter(pl.col("seed") == 0))
    target = done.folder / "joined.parquet"
    for path, more, text in (
        (seed, [], "refused: 'every_step' lacks: small / seed 1"),
        (number, ["--sample", "1"], "the promise is broken"),
    ):
        ended = mlopsim("submit-check", path, "--against", file, "--out", target, *more)
        assert ended.code == 1 and text in ended.err and not target.exists(), ended.err
    ended = mlopsim("submit-check", mine, "--against", file, "--out", target, "--sample", "1")
    assert ended.code == 0 and "verified" in ended.out and target.exists()
    # whoever compares with the joined file is told
    ended = done("tasks=small", "methods=periodic", f"baseline={target}", f"results={done.folder / 'third'}")
    assert ended.code == 0, ended.err
    lines = {line.split()[0]: line for line in ended.out.splitlines() if line.strip()}
    assert " verified " in lines["every_step"] and " baseline " in lines["never"]
    refused(mlopsim("submit-check", mine, "--against", file, "--out", target), "exists")
