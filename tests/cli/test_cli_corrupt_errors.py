"""``mlopsim corrupt``: one clear error that names the remedy, before any work, and nothing is lost."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl
import pytest
from cli_kit import Ended, mlopsim
from corrupt_kit import N, corrupt, data


def refused(ended: Ended, *texts: str) -> None:
    assert ended.code == 2 and ended.err.startswith("error: "), ended.err
    assert "Traceback" not in ended.err and len(ended.err.strip().splitlines()) <= 2, ended.err
    assert not ended.out
    for text in texts:
        assert text in ended.err, ended.err


@pytest.mark.parametrize(
    ("words", "texts"),
    [
        (["--type", "unit_scal"], ["unknown type 'unit_scal'; did you mean 'unit_scale'?", "one of: affine"]),
        (["--type", "unit_scale", "--schedule", "bursts"], ["unknown schedule", "did you mean 'burst'?"]),
        (["--type", "typo", "--mechanism", "own"], ["unknown mechanism", "did you mean 'own_value'?"]),
        (["--type", "typo", "--rate", "1.5"], ["--rate must be above 0 and at most 1, got 1.5", "15 %"]),
        (["--type", "typo", "--rate", "0"], ["--rate must be above 0"]),
        (["--type", "typo", "--rate", "nan"], ["--rate must be above 0"]),
        (["--type", "typo", "--seed", "-1"], ["--seed must be at least 0"]),
        (["--type", "typo", "--label", "lable"], ["no label column 'lable'; did you mean 'label'?"]),
        (["--type", "typo", "--time", "siz"], ["no column 'siz'; did you mean 'size'?"]),
        (["--type", "typo", "--drop", "jobb"], ["no column 'jobb'; did you mean 'job'?"]),
        (["--type", "typo", "--time", "job"], ["values of the time column 'job' are no times (rows 0, 1, 2"]),
        (["--type", "typo", "digit=3"], ["no parameter 'digit'; did you mean 'digits'?", "features, count"]),
        (["--type", "typo", "at=3"], ["type typo has no parameter 'at'; did you mean 'schedule.at'?"]),
        (["--type", "typo", "schedule.width=3"], ["schedule step has no parameter 'width'", "schedule.at"]),
        (["--type", "typo", "windows.at=3"], ["unknown key 'windows.at'", "schedule.key="]),
        (["--type", "typo", "type.digits=3"], ["unknown key 'type.digits'"]),
        (["--type", "typo", "digits"], ["'digits' is no setting", "key=value"]),
        (["--type", "typo", "digits=2", "digits=3"], ["'digits' is given twice"]),
        (["--type", "typo", "digits=few"], ["digits must be int, got 'few'"]),
        (["--type", "typo", "digits=99"], ["digits must be in [2, 15], got 99"]),
        (["--type", "typo", "digits={"], ["cannot read 'digits={'"]),
        (["--type", "typo", "features=[a"], ["cannot read 'features=[a'"]),
        (["--type", "typo", "features=siz"], ["the stream has no column 'siz'", "it has: size, count"]),
        (["--type", "unit_scale", "features=job"], ["corrupts numeric columns, 'job' is none"]),
        (
            ["--type", "typo", "schedule.at=40"],
            ["begin in window 40", "32 windows", "schedule.at=10, or up to 31"],
        ),
        (["--type", "typo", "--rows", "50"], ["begin in window 20", "12 windows", "schedule.at=10"]),
        (["--type", "typo", "--rows", "80"], ["640 rows are too few", "(--rows)", "(--warmup)"]),
        (["--type", "typo", "--mechanism", "group"], ["needs a column of groups", "--group COLUMN"]),
        (["--type", "label_noise", "--mechanism", "own_value"], ["needs a column that is corrupted"]),
        (
            ["--type", "stuck_sensor", "--mechanism", "label"],
            ["says itself which rows", "--mechanism random"],
        ),
        (["--type", "typo", "--plugin", "nowhere.py"], ["no plug-in file nowhere.py"]),
    ],
    ids=lambda value: " ".join(value).replace("/", "")[:50] if isinstance(value, list) else None,
)
def test_wrong_words(tmp_path: Path, words: list[str], texts: list[str]) -> None:
    path = data(tmp_path)
    refused(corrupt(path, "dirty.csv", *words), *texts)
    assert [item.name for item in tmp_path.iterdir()] == ["rows.csv"]


@pytest.mark.parametrize(
    ("changes", "n", "words", "texts"),
    [
        ({}, 1, ["typo"], ["all labels in 'label' are"]),
        ({"label": pl.int_range(3) % 2}, 3, ["typo"], ["3 rows are too few"]),
        (
            {"size": pl.lit(None)},
            N,
            ["typo"],
            ["'size' has no value in any of the 640 rows", "--drop 'size'"],
        ),
        ({"label": pl.lit("1")}, N, ["typo"], ["all labels in 'label' are '1'"]),
        ({"label": pl.int_range(N)}, N, ["typo"], ["more than 256 classes"]),
        (
            {"job": pl.int_range(N), "sex": pl.lit(2)},
            N,
            ["unseen_category"],
            ["needs 1 categorical column(s), the stream has 0", "another --type"],
        ),
        # nobody but its owner knows what one text among numbers means
        (
            {"size": pl.when(pl.int_range(N) == 600).then(pl.lit("many")).otherwise("size")},
            N,
            ["unit_scale", "features=size"],
            [
                "639 of 640 values of column 'size' are plain numbers, 1 is none: 'many'",
                "--categorical 'size'",
            ],
        ),
        ({"window": pl.lit("1")}, N, ["typo"], ["'window' has the name of a column", "--drop 'window'"]),
        ({"size": pl.lit("1e300")}, N, ["unit_scale", "features=size", "factor=1e10"], ["'size' infinite"]),
    ],
    ids=["1 row", "3 rows", "gap", "1 class", "numbers", "no categories", "mixed", "window", "infinite"],
)
def test_files_that_cannot_be_used(
    tmp_path: Path, changes: dict[str, Any], n: int, words: list[str], texts: list[str]
) -> None:
    path = data(tmp_path, n=n, **changes)
    refused(corrupt(path, "dirty.csv", "--type", *words), *texts)
    assert [item.name for item in tmp_path.iterdir()] == ["rows.csv"]


def test_an_option_that_is_missing(tmp_path: Path) -> None:
    path = data(tmp_path)
    ended = mlopsim("corrupt", path, "--out", tmp_path / "dirty.csv")
    assert ended.code == 2 and "Missing option '--type'" in ended.err


def test_files_that_are_there_or_not(tmp_path: Path) -> None:
    path = data(tmp_path)
    kind = ("--type", "missing")
    refused(corrupt(tmp_path / "row.csv", "dirty.csv", *kind), "no data file", "did you mean 'rows.csv'?")
    refused(corrupt(path, "dirty.xlsx", *kind), "cannot write 'dirty.xlsx'", ".csv, .csv.gz, .parquet")
    refused(corrupt(path, "rows.csv", *kind, "--force"), "rows.csv is the source itself")
    (tmp_path / "link.csv").symlink_to(path)
    refused(corrupt(path, "link.csv", *kind, "--force"), "is the source itself")
    refused(corrupt(path, "rows.csv/dirty.csv", *kind), "cannot write to the folder")
    before = path.read_bytes()
    assert corrupt(path, "new/dirty.csv", *kind).code == 0
    for name in ("dirty.csv", "dirty.truth.parquet", "dirty.recipe.yaml"):
        kept = tmp_path / "new" / name
        state = {item: item.read_bytes() for item in kept.parent.iterdir()}
        for other in kept.parent.iterdir():
            if other != kept:
                other.unlink()
        refused(corrupt(path, "new/dirty.csv", *kind, "--seed", "1"), f"{name} in ", "exist", "--force")
        assert list(kept.parent.iterdir()) == [kept] and kept.read_bytes() == state[kept]
        assert corrupt(path, "new/dirty.csv", *kind, "--force").code == 0
        assert {item: item.read_bytes() for item in kept.parent.iterdir()} == state
    # the truth of one run is no source that may be lost
    truth = tmp_path / "new" / "dirty.truth.parquet"
    words = [*kind, "--force", "--label", "row_wrong"]
    refused(corrupt(truth, "dirty.parquet", *words), "is the source itself")
    assert path.read_bytes() == before
