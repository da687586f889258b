"""Numbers of two versions are joined and compared, renames and facts included."""

import json
import shutil
import sys
from pathlib import Path

import polars as pl
import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "experiments"))

import same_numbers  # noqa: E402

HEAD = "suite,kind,old,new,values,why\n"


@pytest.fixture
def renames(tmp_path):
    def write(*rows):
        (tmp_path / "renames.csv").write_text(HEAD + "".join(f"{row}\n" for row in rows), encoding="utf-8")
        return same_numbers.Renames(tmp_path / "renames.csv")

    return write


@pytest.fixture
def folder(tmp_path):
    shutil.copytree(ROOT / "tests" / "data" / "ledger_schema2", tmp_path / "old")
    return tmp_path / "old"


def test_a_folder_equals_itself_and_what_is_renamed_to_nothing_is_counted_apart(folder, renames):
    frame, metrics = same_numbers.cells(folder)
    rows = same_numbers.compare("s", folder, folder, renames())
    assert [row["metric"] for row in rows] == metrics
    assert all(row["equal"] == row["joined"] == row["cells"] == len(frame) for row in rows)
    gone = frame["method"][0]
    rows = same_numbers.compare("s", folder, folder, renames(f'*,method,"{gone}",,,another version'))
    assert {row["apart"] for row in rows} == {frame["method"].to_list().count(gone)}
    missing = same_numbers.compare("s", folder, folder, renames(f"s,metric,{metrics[0]},no_such,,"))
    assert missing[0]["why"] == "MISSING" and missing[0]["equal"] == 0


def test_cells_that_are_not_there_are_an_error(folder, tmp_path, monkeypatch):
    (tmp_path / "renames.csv").write_text(HEAD, encoding="utf-8")
    words = [f"old={folder.parent}", f"new={folder.parent}", "suites=[old]"]
    words += [f"renames={tmp_path / 'renames.csv'}", "--results", str(tmp_path / "out")]
    same_numbers.main(words)
    whole = same_numbers.cells

    def fewer(place, seen=[]):  # noqa: B006 - the second call is the new folder
        seen.append(place)
        frame, metrics = whole(place)
        return (frame if len(seen) == 1 else frame[1:]), metrics

    monkeypatch.setattr(same_numbers, "cells", fewer)
    with pytest.raises(SystemExit, match="lack cells"):
        same_numbers.main(words)


def test_numbers_become_facts():
    old, new = pl.Series([0.0, 1.0, None]), pl.Series(["method", "control", None])
    values = json.loads('{"0": "method", "1": "control"}')
    assert same_numbers.as_attribute(old, new, values).to_list() == [True] * 3
    assert same_numbers.as_attribute(old, new.reverse(), values).to_list() == [False, True, False]
    given = pl.Series([1.0, 1.0, float("nan")])
    limits = pl.Series(["given", "none", None])
    assert same_numbers.as_attribute(given, limits, {"1": ["given", "none"]}).all()
    ids = pl.Series([1.5, 1.5, 2.5])
    assert same_numbers.as_attribute(ids, pl.Series(["a", "a", "b"]), "partition").all()
    assert same_numbers.as_attribute(ids, pl.Series(["a", "b", "b"]), "partition").to_list() == [False] * 3
    assert not same_numbers.equal(pl.Series([float("nan")]), pl.Series([1.0])).any()
    assert same_numbers.equal(pl.Series([float("nan")]), pl.Series([float("nan")])).all()
