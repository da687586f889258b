"""Every command over names as hostile as they get: shown in full, nothing in them acts."""

from __future__ import annotations

import csv
import io
import json
import re
import shutil
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import polars as pl
import pytest
from cli_kit import Bench, Ended, mlopsim

from mlopsim.bench.ledger import Ledger
from mlopsim.bench.table import table
from mlopsim.core.text import visible
from mlopsim.report.datatables import bundle

COLUMNS = (
    "_cost_$_per_$ [rpm]",
    "x^2_{<b>",
    "<script>alert(1)</script>",
    "a\"b',c;&",
    "\u202eright\u2069",
    "=1+1 [/red]",
    "tab\x1b[31m\x07",
)
GROUP = "sex [/bold] <i>"
GROUPS = ("<b>F</b>", "M \x1b[31m [red]")
JOBS = ("cook_$^{", "[link=x]clerk[/link]", "' onload='x")
TASK = "_t$ [/red] <b>x^2_{</b>\x1b[31m"
ABOUT = "About <script>alert(2)</script> [/red] $x_{."


class Page(HTMLParser):
    """Attributes that act, names of tags, and the text of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.acting: list[str] = []
        self.texts: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.acting += [name for name, _ in attrs if name.startswith("on")]

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


def page_text(path: Path) -> str:
    """Return the text of a page in which nothing of a user acts."""
    html = path.read_text(encoding="utf-8")
    page = Page()
    page.feed(html)
    assert not page.acting
    users = html.replace(bundle().script, "")
    assert not re.search(r"<script>alert|<b>|<i>|\x1b|\x07", users)
    for svg in re.findall(r"<svg.*?</svg>", users, flags=re.DOTALL):
        ElementTree.fromstring(svg)
    return " ".join(" ".join(page.texts).split())


def said(ended: Ended, code: int = 0) -> str:
    """Return what a command printed, with one blank for each; nothing in it acts on a terminal."""
    assert ended.code == code, ended.err
    both = ended.out + ended.err
    assert "Traceback" not in both and not re.search(r"\x1b\[31m|\x07|\u202e|\u2069", both)
    return " ".join(both.split())


def rows(path: Path, n: int = 300) -> Path:
    """People of two groups; every name of a column, group and category is hostile."""
    rng = np.random.default_rng(4)
    sex, skill = rng.integers(0, 2, n), rng.normal(size=n)
    content: dict[str, Any] = {name: rng.normal(size=n).round(3) for name in COLUMNS}
    content[COLUMNS[0]] = (skill + sex).round(3)
    content["job"] = [JOBS[i] for i in rng.integers(0, 3, n)]
    content[GROUP] = [GROUPS[i] for i in sex]
    content["label"] = (skill + 0.5 * rng.normal(size=n) > 0).astype(int)
    pl.DataFrame(content).write_csv(path)
    return path


def test_audit_shows_hostile_columns_groups_and_categories(tmp_path: Path) -> None:
    path = rows(tmp_path / "rows.csv")
    fast = ("--learner", "ridge", "--rounds", "39", "--lime-rows", "20", "--samples", "60", "--positive", "1")
    page = tmp_path / "page.html"
    said(mlopsim("audit", path, "--group", GROUP, "--out", page, *fast))
    text = page_text(page)
    for word in (*COLUMNS, GROUP, *GROUPS):
        assert " ".join(visible(word).split()) in text, word
    words = ("--group", GROUP, "--out", page, "--force", "--json", *fast)
    assert json.loads(mlopsim("audit", path, *words).out)["verdicts"]
    # refusals name them, too
    wrong = mlopsim("audit", path, "--group", COLUMNS[6] + "?", "--out", page, "--force", *fast)
    assert visible(COLUMNS[6] + "?") in said(wrong, code=2)


def test_corrupt_keeps_hostile_names_and_says_them(tmp_path: Path) -> None:
    path, out = rows(tmp_path / "rows.csv"), tmp_path / "dirty.csv"
    printed = said(
        mlopsim(
            "corrupt",
            path,
            "--type",
            "unit_scale",
            "--rate",
            "0.2",
            "--out",
            out,
            "--group",
            GROUP,
            "--force",
        )
    )
    assert any(" ".join(visible(name).split()) in printed for name in COLUMNS)
    printed = said(mlopsim("corrupt", path, "--type", "missing", "--rate", "0.2", "--out", out, "--force"))
    assert any(visible(job) in printed for job in JOBS)
    for written in (path, out):
        with written.open(encoding="utf-8", newline="") as file:
            assert next(csv.reader(file)) == [*COLUMNS, "job", GROUP, "label"]
    assert set(COLUMNS) < set(pl.read_parquet(tmp_path / "dirty.truth.parquet").columns)


@pytest.fixture(scope="module")
def strange(tmp_path_factory: pytest.TempPathFactory, _cache: Path) -> Bench:
    """Results of a suite whose lead and tasks are hostile."""
    from cli_kit import SUITE

    made = Bench(folder=tmp_path_factory.mktemp("strange"))
    named = SUITE.replace("name: small", f"name: {json.dumps(TASK)}")
    text = named.replace('"A suite for tests."', json.dumps(ABOUT))
    made.preset("suite/tiny", text)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MLOPSIM_CACHE", str(_cache))
        patch.chdir(made.folder)
        said(made("seeds=1", "--dry-run"))
        said(made("seeds=1"))
    return made


def test_the_report_shows_them(strange: Bench) -> None:
    (strange.results / ".report-stamp").unlink(missing_ok=True)
    said(mlopsim("report", strange.results))
    text = page_text(strange.results / "report.html")
    for word in (TASK, ABOUT):
        assert " ".join(visible(word).split()) in text, word


def test_export_writes_them_as_they_are(strange: Bench, tmp_path: Path) -> None:
    with Ledger.read(strange.results) as ledger:
        cells = table(ledger, order="key")
    assert TASK in cells["task"].to_list()
    for name in ("a.csv", "b.parquet"):
        said(mlopsim("export", strange.results, tmp_path / name))
    text = (tmp_path / "a.csv").read_text(encoding="utf-8")
    assert [row["task"] for row in csv.DictReader(io.StringIO(text, newline=""))] == cells["task"].to_list()
    assert pl.read_parquet(tmp_path / "b.parquet").equals(cells, null_equal=True)


def test_other_commands_say_them(strange: Bench, tmp_path: Path) -> None:
    with Ledger.read(strange.results) as ledger:
        key = table(ledger)["key"][0]
    copy = tmp_path / "[red] $x_{ results"
    shutil.copytree(strange.results, copy)
    for words in (("rerun", copy, key), ("repair", copy), ("status", copy, "--errors"), ("report", copy)):
        said(mlopsim(*words))
    assert str(copy) in said(mlopsim("report", copy))


def test_doctor_says_a_cache_of_any_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cache = tmp_path / "[red] \x1b[31m"
    cache.mkdir()
    monkeypatch.setenv("MLOPSIM_CACHE", str(cache))
    printed = said(mlopsim("doctor"))
    assert visible(cache) in printed and printed.endswith("all well")


@pytest.mark.parametrize("word", ["[/red]", "<b>\x1b[31m\x07", "\u202ex_{$", "a\nb"], ids=ascii)
@pytest.mark.parametrize(
    "command",
    [
        ("list", "{}"),
        ("check", "{}"),
        ("status", "{}"),
        ("report", "{}"),
        ("export", "{}", "x.csv"),
        ("export", "results", "{}"),
        ("audit", "{}", "--group", "{}", "--out", "x.html"),
        ("corrupt", "{}", "--type", "{}", "--out", "x.csv"),
        ("bench", "--dry-run", "suite={}"),
        ("bench", "--dry-run", "methods=[{}]"),
        ("bench", "--dry-run", "{}=1"),
        ("arl", "{}"),
        ("calibrate", "{}"),
        ("rerun", "{}", "{}"),
        ("repair", "{}"),
        ("{}",),
    ],
    ids=" ".join,
)
def test_refusals_show_what_was_given(
    command: tuple[str, ...], word: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    ended = mlopsim(*(part.replace("{}", word) for part in command))
    assert ended.code != 0
    said(ended, code=ended.code)
    assert not list(tmp_path.iterdir())
