"""``mlopsim explain``: on the terminal, as JSON, as a page; what cannot be explained is one message."""

from __future__ import annotations

import json
import re
import sqlite3
from pathlib import Path

import polars as pl
import pytest
from cli_kit import Bench, mlopsim

from mlopsim.bench.schema import seal


def key_of(done: Bench, method: str) -> str:
    return str(done.cells().filter(pl.col("method") == method)["key"][0])


def explain(*words: object, code: int = 0) -> str:
    """Run the command; return what it printed, or the one message that it ended with."""
    ended = mlopsim("explain", *words)
    assert ended.code == code, ended.err + ended.out
    if code == 2:
        assert ended.err.count("error: ") == 1 and ended.err.count("remedy: ") == 1, ended.err
        assert "Traceback" not in ended.err
    return ended.err if code == 2 else ended.out


def test_a_decision_is_explained_on_terminal_and_page_and_as_json(done: Bench, tmp_path: Path) -> None:
    key = key_of(done, "periodic")
    listed = json.loads(explain(done.results, key, "--json"))
    windows = [row["window"] for row in listed["decisions"]]
    assert windows and all(row["answer"].startswith("retrain") for row in listed["decisions"])
    text = explain(done.results, key)
    assert "answers other than keep, of the decisions after the windows 3 to 14" in text
    page = tmp_path / "why.html"
    text = explain(done.results, key[:8], "--window", windows[0], "--out", page)
    for words in ("alternatives, in hindsight", "retrain (version ", "It keeps no number", "Shapley value"):
        assert words in text
    html = page.read_text(encoding="utf-8")
    assert html.count("<svg") >= 2 and not re.search(r'(src|href)="https?:', html)
    told = json.loads(explain(done.results, key, "--window", windows[0], "--json"))
    rows = told["alternatives_in_hindsight"]
    assert next(row for row in rows if row["done"])["value"] == 0.0
    for row in rows:
        parts = [row[name] for name in ("quality", "switch", "retrain", "shadow")]
        assert sum(parts) == row["value"] == sum(parts[::-1])
    assert rows == sorted(rows, key=lambda row: -row["value"])
    assert told["counterfactuals"] == [] and told["beliefs"] == []
    assert explain(done.results, key, "--window", windows[0], "--json") == json.dumps(told) + "\n"
    # the list has the same number
    gain = listed["decisions"][0]["gain"]
    assert gain == -max(row["value"] for row in rows if not row["done"])


@pytest.mark.parametrize(
    ("method", "more", "words"),
    [
        ("periodic", ("--window", 99), "nothing was decided after window 99"),
        ("periodic", ("--window", 2), "from 3 to 14"),
        ("oracle", ("--window", 9), "decided on no observation"),
        ("periodic", ("--out", "a.html"), "name it with --window"),
        ("periodic", ("--window", 9, "--out", "a.txt"), r"end its name in \.html"),
        ("periodic", ("--window", 9, "--out", "there.html"), "overwrite it with --force"),
    ],
)
def test_what_cannot_be_explained(done: Bench, method: str, more: tuple[object, ...], words: str) -> None:
    Path("there.html").write_text("mine")
    assert re.search(words, explain(done.results, key_of(done, method), *more, code=2))
    assert Path("there.html").read_text() == "mine"


def test_cells_that_are_not_there_or_not_done(done: Bench) -> None:
    assert "no cell begins with 'zz'" in explain(done.results, "zz", "--window", 9, code=2)
    assert "no ledger" in explain("nowhere", "3fa9", "--window", 9, code=2)
    key = key_of(done, "periodic")
    with sqlite3.connect(done.results / "ledger.sqlite") as db:
        names = [row[1] for row in db.execute("PRAGMA table_info(cell)")]
        row = list(db.execute("SELECT * FROM cell WHERE key=?", (key,)).fetchone())
        row[names.index("status")] = "failed"
        row[-1] = seal("cell", *row[:-1])
        db.execute("DELETE FROM cell WHERE key=?", (key,))
        db.execute(f"INSERT INTO cell VALUES ({','.join('?' * len(row))})", row)
    assert "is not done but failed" in explain(done.results, key, "--window", 9, code=2)
