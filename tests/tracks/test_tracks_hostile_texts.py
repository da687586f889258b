"""Every track's whole page, from a run whose task, method and suite names are as hostile as they get."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass
from html.parser import HTMLParser
from pathlib import Path
from typing import Any, ClassVar
from xml.etree import ElementTree

import polars as pl
import pytest

from mlopsim.bench.attributes import RESERVED
from mlopsim.bench.ledger import Ledger
from mlopsim.bench.table import export, table
from mlopsim.compose import Study, open_results
from mlopsim.core.registry import find, names, register, unregister
from mlopsim.core.spec import make
from mlopsim.core.text import visible
from mlopsim.delivery.selectors.periodic import Periodic
from mlopsim.report.prose import GLOSSARY

#: of one task each, as far as a track's tasks go round
TASKS = (
    "_cost_$_per_$ [/red] x^2_{",
    "a<b>&\"',\\frac",
    "<script>alert(1)</script> **x** [z](w) | `y` \x1b[31m\x07",
    "\u202eab\n[rpm]",
)
TITLE = "<i>title</i> $x_{ [/bold] \x07"
NOTE = 'a<b>, "=1+1" $^_{ [/red] **x** [z](w) | `y`'


@dataclass(kw_only=True)
class Noted(Periodic):
    """Retrains as often as others, and is called what somebody called it."""

    note: str = ""


@pytest.fixture(scope="module", autouse=True)
def _noted() -> Iterator[None]:
    register("selector", "noted")(Noted)
    yield
    unregister("selector", "noted")


def delivery() -> dict[str, Any]:
    stream = {"synthetic": {"windows": 24, "rows": 40, "warmup": 4}}
    # at no cost, so that a rule which retrains is the best and named as such
    free = {"switch_cost": 0.0, "retrain_cost": 0.0}
    tasks = [
        {
            "name": name,
            "learner": "ridge",
            "stream": stream,
            "deployment": {"standard": {"label_delay": k, **free}},
        }
        for k, name in enumerate(TASKS)
    ]
    return {
        "track": {"delivery": {"steps": 0}},
        "tasks": tasks,
        "methods": [{"noted": {"note": NOTE}}],
    }


def drift() -> dict[str, Any]:
    base = {"windows": 35, "concept": {"linear_gaussian": {"d": 4, "n_relevant": 2}}, "bayes": False}
    move = {"covariate": {"at": 22, "feature": 3, "magnitude": 2.0, "mode": "move"}}
    moved = {"synthetic": {**base, "schedule": "none", "shifts": [move]}}
    calibration = {"arl0": 400, "horizon": 300, "runs": 40, "checks": 40, "curve": [200]}
    calibration |= {"rate_rows": 600, "rate_runs": 10}
    tasks = [
        {"name": TASKS[0], "signal": {"iid": {"law": "normal", "ticks": 600, "change": 300}}},
        {"name": TASKS[1], "signal": {"model": {"harmless": ["covariate"]}}, "stream": moved},
        {"name": TASKS[2], "signal": {"iid": {"law": "normal", "ticks": 700, "change": 300}}},
        {"name": TASKS[3], "signal": {"iid": {"law": "normal", "ticks": 800, "change": 300}}},
    ]
    return {
        "track": {"drift": {"calibration": calibration, "tolerance": 100}},
        "tasks": tasks,
        "methods": ["cusum", "ks"],
    }


def quality() -> dict[str, Any]:
    concept = {"linear_gaussian": {"variants": 1, "d": 4}}
    base = {"windows": 16, "rows": 40, "warmup": 6, "bayes": False, "schedule": "none", "groups": [0.7, 0.3]}
    timing = {"step": {"at": 8}}
    made = {
        "base": {"synthetic": {**base, "concept": concept}},
        "timing": timing,
        "injector": "targeted_flip",
    }
    tasks = [
        {"name": name, "stream": {"corrupted": {**made, "rate": 0.1 * (k + 1)}}}
        for k, name in enumerate(TASKS)
    ]
    return {
        "track": {"quality": {"stages": ["preprocess", "train", "test"]}},
        "tasks": tasks,
        "methods": ["zscore", "weak_slices"],
    }


def fairness() -> dict[str, Any]:
    def population(**more: Any) -> dict[str, Any]:
        return {"population": {"windows": 14, "warmup": 2, "per_group": 60, **more}}

    calibration = {"alpha": 0.1, "runs": 60, "checks": 40, "lime_runs": 20, "lime_checks": 20}
    step = {"step": {"at": 6}}
    tasks = [
        {"name": TASKS[0], "stream": population()},
        {"name": TASKS[1], "stream": population(bias="proxy", timing=step), "strengths": [0.5, 1.0]},
        {"name": TASKS[2], "stream": population(bias="unequal_base_rate", timing=step, strength=1.0)},
        {
            "name": TASKS[3],
            "stream": population(place=1.5, bias="label_bias", timing=step, strength=1.0),
            "every": 2,
            "guard": True,
        },
    ]
    explain = {"background": 40, "rows": 10, "samples": 40}
    return {
        "track": {"fairness": {"calibration": calibration, "explain": explain}},
        "tasks": tasks,
        "methods": ["four_fifths", "metrics"],
    }


def governance() -> dict[str, Any]:
    stream = {"population": {"windows": 14, "warmup": 4, "per_group": 30}}
    return {
        "track": {"governance": {"steps": 0, "prices": [0.0, 0.2]}},
        "tasks": [
            {"name": name, "stream": stream, "deployment": {"governed": {"fallback": 0.6, "latency": k}}}
            for k, name in enumerate(TASKS)
        ],
        "methods": ["none"],
    }


SUITES = {
    "delivery": delivery,
    "drift": drift,
    "quality": quality,
    "fairness": fairness,
    "governance": governance,
}


class Page(HTMLParser):
    """Tags that are the user's, attributes that act, and the text of a page."""

    #: have no end
    VOID: ClassVar[set[str]] = {
        "meta",
        "br",
        "hr",
        "img",
        "input",
        "link",
        "path",
        "use",
        "rect",
        "circle",
        "line",
    }

    def __init__(self) -> None:
        super().__init__()
        self.acting: list[str] = []
        self.open: list[str] = []
        self.texts: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in self.VOID:
            self.open.append(tag)
        self.acting += [name for name, _ in attrs if name.startswith("on")]

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.acting += [name for name, _ in attrs if name.startswith("on")]

    def handle_endtag(self, tag: str) -> None:
        if tag not in self.VOID:
            assert self.open.pop() == tag, (tag, self.getpos())

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


def test_every_track_is_tried_and_says_what_its_metrics_are() -> None:
    assert set(SUITES) == {
        name for name in names("track") if find("track", name).__module__.startswith("mlopsim.")
    }
    assert [
        metric.name for track in SUITES for metric in make("track", track).metrics if not metric.text
    ] == []


@pytest.mark.parametrize("track", sorted(SUITES))
def test_the_page_of_a_track_holds_hostile_names_as_texts(
    track: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLOPSIM_CACHE", str(tmp_path / "worlds"))
    settings = SUITES[track]()
    folder = tmp_path / "results"
    results = Study(**settings, seeds=2, name=TITLE).run(folder, executor="serial", progress=False)
    board, page = results.leaderboard, results.report()
    html = page.read_text(encoding="utf-8")
    found = Page()
    found.feed(html)
    assert not found.open and not found.acting
    text = " ".join(" ".join(found.texts).split())
    explained = GLOSSARY.read_text(encoding="utf-8")
    methods = board["method"].to_list()
    for word in (*TASKS, TITLE, *methods):
        assert " ".join(visible(word, lines=True).split()) in text, word
    # nor as signs of Markdown, where a text names them
    for tag in ("<script>alert", "<b>", "<i>title", "<strong>x", '<a href="w"', "<code>y</code>"):
        assert tag not in html, tag
    assert not any(ord(char) < 32 and char not in "\n\t" for char in html)
    for svg in re.findall(r"<svg.*?</svg>", html, flags=re.DOTALL):
        ElementTree.fromstring(svg)
    # what is written for other programs is what was given, not what is shown
    again = open_results(folder)
    again.report(reuse=True)
    drawn = again.leaderboard
    assert drawn["method"].to_list() == methods and drawn.columns == board.columns
    assert drawn.schema == {
        name: kind if drawn[name].count() else drawn.schema[name] for name, kind in board.schema.items()
    }
    with (folder / "leaderboard.csv").open(encoding="utf-8", newline="") as file:
        assert [row["method"] for row in csv.DictReader(file)] == methods
    with Ledger.read(folder) as ledger:
        cells = table(ledger, order="key")
        export(ledger, tmp_path / "cells.csv")
        export(ledger, tmp_path / "cells.parquet")
    # the page that each report carries explains every column that is a fact
    measured = {metric.name for metric in results.track.metrics}
    unsaid = [c for c in cells.columns if c not in RESERVED | measured and f"`{c}`" not in explained]
    assert unsaid == [], unsaid
    # the strength of a bias is in the name of its task
    assert {name.partition(", s = ")[0] for name in cells["task"]} == set(TASKS)
    assert pl.read_parquet(tmp_path / "cells.parquet").equals(cells, null_equal=True)
    read = pl.read_csv(tmp_path / "cells.csv", infer_schema=False)
    assert read.columns == cells.columns
    for name in ("key", "task", "method", "reasons"):
        assert read[name].to_list() == cells[name].to_list()
