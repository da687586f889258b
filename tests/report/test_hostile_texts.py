"""Every text of a user is drawn, typeset and printed as it is, wherever it stands."""

from __future__ import annotations

import warnings
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import polars as pl
import pytest

import mlopsim.plots.style as style
from mlopsim.cli.say import echo, secho
from mlopsim.cli.show import print_leaderboard
from mlopsim.core.track import Section
from mlopsim.plots.curves import Curve, curves
from mlopsim.plots.heatmap import heatmap
from mlopsim.plots.leaderboard import leaderboard
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


def test_figures_draw_names_as_they_are() -> None:
    names = list(HOSTILE)
    k = len(names)
    with warnings.catch_warnings():
        # a name without a glyph is a box; every other warning is an error
        warnings.simplefilter("error")
        warnings.filterwarnings("ignore", "Glyph")
        board = leaderboard(names, [0.5] * k, [0.4] * k, [0.6] * k, [9] * k, xlabel=names[0], note=names[1])
        lines = {name: Curve(x=np.arange(2.0), y=np.array([0.1, 0.2])) for name in names}
        figures = [
            board,
            curves(lines, xlabel=names[0], ylabel=names[1]),
            heatmap(names, names, np.zeros((k, k)), low=0.0, high=1.0, title=names[0], note=names[1]),
        ]
        for figure in figures:
            svg = style.to_svg(figure)
            # matplotlib repeats each text in a comment; what is read as XML has no tag or attribute of it
            for element in ElementTree.fromstring(svg).iter():
                assert not element.tag.endswith("script")
                assert not any(name.startswith("on") for name in element.attrib)
            style.to_png(figure)
            shown = " ".join(t.get_text() for t in figure.findobj(lambda a: hasattr(a, "get_parse_math")))
            assert not any(t.get_parse_math() for t in figure.findobj(lambda a: hasattr(a, "get_parse_math")))
            assert "cost_$_per_$" in shown


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
