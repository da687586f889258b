"""``mlopsim compliance``: on the terminal, as JSON, as a page; what cannot be assessed is one message."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from cli_kit import Bench, mlopsim

from mlopsim.governance.compliance.assessed import REQUIREMENTS


def key_of(done: Bench, method: str) -> str:
    return str(done.cells().filter(pl.col("method") == method)["key"][0])


def compliance(*words: object, code: int = 0) -> str:
    """Run the command; return what it printed, or the one message that it ended with."""
    ended = mlopsim("compliance", *words)
    assert ended.code == code, ended.err + ended.out
    if code == 2:
        assert ended.err.count("error: ") == 1 and ended.err.count("remedy: ") == 1, ended.err
        assert "Traceback" not in ended.err
    return ended.err if code == 2 else ended.out


def published(done: Bench, folder: Path) -> Path:
    """Publish the heads of the records."""
    assert mlopsim("audit-log", "heads", done.results, "--out", folder / "heads.csv").code == 0
    return folder / "heads.csv"


def test_a_deployment_is_assessed_with_the_record_that_lies_there(done: Bench, tmp_path: Path) -> None:
    key, out = key_of(done, "periodic"), tmp_path / "compliance.html"
    before = json.loads(compliance(done.results, key, "--json"))
    results = {row["check"]: row["result"] for row in before["requirements"]}
    assert len(before["requirements"]) == len(REQUIREMENTS) and before["breaches"] == []
    trusted = next(check for check in results if check.startswith("the stored record is sound"))
    kept = next(check for check in results if check.startswith("the record lies there"))
    assert (results[trusted], results[kept]) == ("not applicable", "failed")
    assert mlopsim("audit-log", "write", done.results, key).code == 0
    after = json.loads(compliance(done.results, key, "--heads", published(done, tmp_path), "--json"))
    results = {row["check"]: row["result"] for row in after["requirements"]}
    assert (results[trusted], results[kept]) == ("passed", "passed")
    shutil.rmtree(done.results / "records")
    overruled = ("--override", "9=keep", "--by", "Ann", "--reason", "complaints")
    assert mlopsim("audit-log", "write", done.results, key, *overruled).code == 0
    text = compliance(done.results, key[:8], "--out", out)
    for words in ("SR 26-2", "1 override; worth", "no legal advice", "payloads of all windows are there"):
        assert words in text
    html = out.read_text(encoding="utf-8")
    assert "overridden" in html and "Ann" in html and not re.search(r'(src|href)="https?:', html)
    # a truncated log is no record
    log = done.results / "records" / key / "decisions.jsonl"
    log.write_bytes(b"".join(log.read_bytes().splitlines(keepends=True)[:-3]))
    told = json.loads(compliance(done.results, key, "--json"))["requirements"]
    assert [row["reason"] for row in told if "truncated" in row["reason"] and row["result"] == "failed"]
    assert "exists" in compliance(done.results, key, "--out", out, code=2)


@pytest.mark.parametrize(
    ("more", "words"),
    [(("--out", "a.txt"), r"end its name in \.html"), (("--heads", "none.csv"), r"no heads at none\.csv")],
)
def test_what_cannot_be_written_or_read(done: Bench, more: tuple[str, ...], words: str) -> None:
    key = key_of(done, "periodic")
    assert mlopsim("audit-log", "write", done.results, key).code == 0
    assert re.search(words, compliance(done.results, key, *more, code=2))


def test_cells_that_are_not_there(done: Bench) -> None:
    assert "no cell begins with 'zz'" in compliance(done.results, "zz", code=2)
    assert "no ledger" in compliance("nowhere", "3fa9", code=2)


@pytest.mark.parametrize("command", ["compliance", "serving", "explain"])
def test_a_deployment_that_is_not_that_of_the_ledger_is_not_shown(
    done: Bench, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    from dataclasses import replace

    from mlopsim.compose.audit_log import CellRecord

    key, true = key_of(done, "periodic"), CellRecord.deployed_today

    def another(*args: Any, **more: Any) -> Any:
        found = true(*args, **more)
        trajectory = replace(found.trajectory, reward=found.trajectory.reward + 1e-6)
        return replace(found, trajectory=trajectory)

    monkeypatch.setattr(CellRecord, "deployed_today", another)
    ended = mlopsim(command, done.results, key)
    assert ended.code == 2 and "in the ledger" in ended.err, ended.err + ended.out
    assert f"remedy: mlopsim rerun {done.results} {key[:8]} says what differs" in ended.err
