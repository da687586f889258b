"""Every text of a user is drawn, typeset and printed as it is, wherever it stands."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import warnings
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import polars as pl
import pytest
from matplotlib.text import Text

import mlopsim.plots
import mlopsim.plots.style as style
from mlopsim.cli.printing import echo, secho
from mlopsim.cli.terminal_tables import print_leaderboard
from mlopsim.core.text import visible
from mlopsim.core.track import Section
from mlopsim.numerics.ecdf import two_cdfs
from mlopsim.plots.cdf import cdf
from mlopsim.plots.cost_front import cost_front
from mlopsim.plots.critical_difference import critical_difference
from mlopsim.plots.curves import Curve, curves
from mlopsim.plots.heatmap import heatmap
from mlopsim.plots.interval_panels import interval_panels
from mlopsim.plots.leaderboard import leaderboard
from mlopsim.plots.profile import profile
from mlopsim.plots.timeline import Rollout, Span, Timeline, timeline
from mlopsim.plots.tradeoff import tradeoff
from mlopsim.report.build import write_report
from mlopsim.report.page import render

HOSTILE = (
    "cost_$_per_$",
    r"$\frac{$",
    "$x^2$",
    "a_b^c\\d",
    "_hidden",
    "[rpm]",
    "[/red]",
    "[link=x]y[/link]",
    "\x1b[31mred\x1b]0;t\x07",
    "a\x00b",
    "\ud800",
    '"><script>alert(1)</script>',
    "' onload='x",
    "--><svg onload=x>",
    "=1+1",
    "a\u202eb",
)


class Tags(HTMLParser):
    """Collects tags, names of attributes and text of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.names: set[str] = set()
        self.texts: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.names |= {name for name, _ in attrs}

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


def tags(page: str) -> Tags:
    found = Tags()
    found.feed(page)
    return found


def _rollout(name: str) -> Rollout:
    return Rollout(name=name, quality=np.array([0.1, 0.2]), retrains=[1], alarms=[0])


#: every figure function, given names, and each of its texts the user's
FIGURES: dict[str, Any] = {
    "cdf": lambda n, texts: cdf(two_cdfs(np.arange(9.0), np.arange(2.0, 12.0)), names=(n[0], n[4]), **texts),
    "cost_front": lambda n, texts: cost_front(
        [{"cost": c, "upper": 1.0 + c, "lower": 1.0, "baseline": 0.5} for c in (0.0, 1.0)],
        n,
        np.linspace(0.0, 1.0, len(n)),
        np.full(len(n), 0.8),
        **texts,
    ),
    "critical_difference": lambda n, texts: critical_difference(
        n, np.arange(len(n)) + 1.0, [(0, 1)], cd=1.0, n=9, **texts
    ),
    "curves": lambda n, texts: curves(
        {name: Curve(x=np.arange(2.0), y=np.array([0.1, 0.2])) for name in n}, references={n[0]: 0.1}, **texts
    ),
    "heatmap": lambda n, texts: heatmap(n, n, np.zeros((len(n), len(n))), low=0.0, high=1.0, **texts),
    "interval_panels": lambda n, texts: interval_panels(
        n, {n[0]: ([0.5] * len(n), [0.4] * len(n), [0.6] * len(n))}, **texts
    ),
    "leaderboard": lambda n, texts: leaderboard(
        n, [0.5] * len(n), [0.4] * len(n), [0.6] * len(n), [9] * len(n), references={n[0]: 0.5}, **texts
    ),
    "profile": lambda n, texts: profile(
        [0.0, 1.0], {name: [1.0, 0.5] for name in n}, n=9, excluded=1, **texts
    ),
    "timeline": lambda n, texts: timeline(
        Timeline(
            windows=np.arange(2), rollouts=list(map(_rollout, n)), drifts=[Span(start=0, end=1, label=n[0])]
        ),
        **texts,
    ),
    "tradeoff": lambda n, texts: tradeoff(n, np.arange(len(n)), np.arange(len(n)) / 20, **texts),
}


def figure_functions() -> dict[str, Any]:
    """Every function of the package's figures that returns one."""
    found = {}
    for module in pkgutil.iter_modules(mlopsim.plots.__path__, "mlopsim.plots."):
        for name, function in inspect.getmembers(importlib.import_module(module.name), inspect.isfunction):
            made = function.__annotations__.get("return") == "Figure"
            if function.__module__ == module.name and made and name != "new_figure" and name[0] != "_":
                found[name] = function
    return found


def test_every_figure_function_is_tried() -> None:
    assert set(figure_functions()) == set(FIGURES)


@pytest.mark.parametrize("name", sorted(figure_functions()))
def test_figures_draw_names_as_they_are(name: str) -> None:
    function = figure_functions()[name]
    texts = {
        key: f"{key} {HOSTILE[0]}"
        for key, parameter in inspect.signature(function).parameters.items()
        if parameter.annotation == "str" and key in ("title", "note", "xlabel", "ylabel")
    }
    with warnings.catch_warnings():
        # a name without a glyph is a box; every other warning is an error
        warnings.simplefilter("error")
        warnings.filterwarnings("ignore", "Glyph")
        figure = FIGURES[name](list(HOSTILE), texts)
        svg = style.to_svg(figure)
        style.to_png(figure)
    # matplotlib repeats each text in a comment; what is read as XML has no tag or attribute of it
    for element in ElementTree.fromstring(svg).iter():
        assert not str(element.tag).endswith("script")
        assert not any(key.startswith("on") for key in element.attrib)
    drawn = figure.findobj(Text)
    assert not any(text.get_parse_math() for text in drawn)
    # a legend shows what begins with an underscore behind a blank of no width
    shown = [text.get_text().replace("\u200b", "") for text in drawn]
    used = (HOSTILE[0], HOSTILE[4]) if name == "cdf" else HOSTILE
    for word in (*used, *texts.values()):
        assert any(visible(word) in text for text in shown), word


@pytest.mark.parametrize("name", sorted(FIGURES))
def test_long_names_leave_room_for_the_figure(name: str) -> None:
    names = [f"W{k}" + "-long" * 14 for k in range(5)]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        figure = FIGURES[name](names, {})
        style.to_png(figure)
    for axes in figure.axes:
        box = axes.get_window_extent()
        assert min(box.width, box.height) > 20, box


def test_pages_hold_texts_as_texts(tmp_path: Path) -> None:
    def made(word: str) -> tuple[list[Section], dict]:
        # a data frame cannot hold half of a surrogate pair
        held = word.replace("\ud800", "half")
        cells = {held: [held], "x": [None], "x_reason": [held]}
        frame = pl.DataFrame(cells, schema_overrides={"x": pl.Float64})
        figure = leaderboard([word], [0.5], [0.4], [0.6], [9], xlabel=word)
        sections = [Section(title=word, text=f"- {word}\n\n{word}", table=frame, figures={word: figure})]
        failure = {"status": "failed", "task": word, "method": word, "traceback": word, "key": word}
        meta = {"title": word, "lead": word, "summary": {word: word}, "notes": [word], "failures": [failure]}
        return sections, {**meta, "provenance": {word: [word]}}

    sections, meta = made("plain")
    innocent = tags(render("plain", sections, meta))
    for number, word in enumerate(HOSTILE):
        sections, meta = made(word)
        page = write_report(tmp_path / str(number), sections, meta).read_text(encoding="utf-8")
        found = tags(page)
        assert found.names <= innocent.names | {"transform", "stroke-dasharray"}, word
        assert found.tags.count("script") == innocent.tags.count("script")
        assert not any(ord(c) < 32 and c not in "\n\t\r" for c in page)
    assert "onload" not in found.names


@pytest.mark.parametrize("word", HOSTILE, ids=ascii)
def test_the_terminal_gets_names_in_full_and_no_commands(
    word: str, capsys: pytest.CaptureFixture[str]
) -> None:
    frame = pl.DataFrame(
        {"method": [word.replace("\ud800", "")], "ns": [0.5], "ns_low": [0.4], "ns_high": [0.6], "ns_n": [3]}
    )
    print_leaderboard(frame, word)
    echo(word)
    secho(word, bold=True)
    out = capsys.readouterr().out
    assert "\x1b[31m" not in out and "\x07" not in out and "\x00" not in out and "\u202e" not in out
    if word.isprintable():
        assert out.count(word) == 4
