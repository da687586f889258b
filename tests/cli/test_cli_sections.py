"""Sections of plug-ins in reports: one that fails takes no other with it, none is lost without a word."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from cli_kit import Bench, Ended, mlopsim

from mlopsim.compose import open_results
from mlopsim.core import registry
from mlopsim.core.errors import SectionError
from mlopsim.core.section import make_sections
from mlopsim.tracks.table_results import TableResults

SECTION = """\
from dataclasses import dataclass
from typing import ClassVar

import mlopsim


@mlopsim.register("section", "{name}")
@dataclass(kw_only=True)
class Mine(mlopsim.SectionMaker):
    '''Mine.'''

    track: ClassVar[str] = "{track}"
    title: ClassVar[str] = "Mine <{name}>"
    needs = {needs}

    def {method}(self, results):
        {body}
"""
GOOD = "return mlopsim.Section(title=self.title, text='It is drawn.')"


@pytest.fixture(autouse=True)
def _forgotten() -> Iterator[None]:
    yield
    registry.forget_plugins()


def plugin(
    bench: Bench,
    body: str = GOOD,
    *,
    name: str = "mine",
    track: str = "delivery",
    needs: str = "()",
    method: str = "make",
) -> Path:
    path = bench.folder / f"{name}.py"
    text = SECTION.format(name=name, track=track, needs=needs, method=method, body=body)
    path.write_text(text, encoding="utf-8")
    return path


def page(bench: Bench) -> str:
    return (bench.results / "report.html").read_text(encoding="utf-8")


def report(bench: Bench, *plugins: Path) -> Ended:
    return mlopsim("report", bench.results, *(word for file in plugins for word in ("--plugin", file)))


@pytest.mark.parametrize(
    ("body", "method", "said", "line"),
    [
        ("raise KeyError('x')", "make", "KeyError: &#39;x&#39;", 17),
        ("return results.cells['nothing']", "make", "ColumnNotFoundError", 17),
        ("raise mlopsim.MlopsimError('no good', remedy='none')", "make", "MlopsimError: no good", 17),
        ("return 'text'", "make", "TypeError: make() returned str, not a Section or None", 7),
        ("return mlopsim.Section(title='A', table=[1])", "make", "TypeError: its table is list", 7),
        (
            "return mlopsim.Section(title='A', figures={'a': 1})",
            "make",
            "TypeError: its figure &#39;a&#39;",
            7,
        ),
        ("return None", "made", "TypeError: Can&#39;t instantiate abstract class Mine", 7),
    ],
)
def test_a_section_that_fails_takes_no_other_with_it(
    done: Bench, body: str, method: str, said: str, line: int
) -> None:
    bad, good = plugin(done, body, name="bad", method=method), plugin(done, name="good")
    ended = report(done, bad, good)
    assert ended.code == 1, ended.err
    assert "the section 'Mine <bad>' failed: " in ended.err and f"({bad}:{line})" in ended.err
    assert str(done.results / "report.html") in ended.err and "fault of mlopsim" not in ended.err
    assert "periodic" in ended.out and "report: " in ended.out
    text = page(done)
    assert "It is drawn." in text and "Sections that could not be made (1)" in text
    assert "Mine &lt;bad&gt;" in text and said in text and f"(bad.py:{line})" in text
    # of the place where it lies nothing is published
    assert str(done.folder) not in text


def test_the_fault_of_a_section_is_not_swallowed(done: Bench) -> None:
    bad = plugin(done, "raise KeyError('x')", name="bad")
    with pytest.raises(SectionError, match="Mine <bad>") as raised:
        open_results(done.results, plugins=[bad]).report()
    assert isinstance(raised.value.__cause__, KeyError) and raised.value.page is not None
    assert "Mine &lt;bad&gt;" in raised.value.page.read_text(encoding="utf-8")
    with pytest.raises(SectionError):
        mlopsim("--traceback", "report", done.results, "--plugin", bad)
    assert "--traceback" not in sys.argv
    other = plugin(done, "raise ValueError('y')", name="other")
    with pytest.raises(SectionError) as several:
        open_results(done.results, plugins=[bad, other]).report()
    assert isinstance(several.value.__cause__, ExceptionGroup) and "Mine <other>" in str(several.value)


def test_bench_says_what_was_computed_before_a_report_fails(done: Bench) -> None:
    bad = plugin(done, "raise KeyError('x')", name="bad")
    for _ in range(2):  # a page that is not whole is not kept as if it were
        ended = done("tasks=small", "--plugin", bad)
        assert ended.code == 1 and "(bad.py" not in ended.err and f"({bad}:17)" in ended.err
        assert "cells done (all cached)" in ended.out
        assert ended.out.index("cells done") < ended.out.index("periodic") < ended.out.index("report: ")


def test_bench_draws_a_section_that_is_new_or_changed(done: Bench) -> None:
    assert done("tasks=small").code == 0 and "It is drawn." not in page(done)
    mine = plugin(done)
    ended = done("tasks=small", "--plugin", mine)
    assert ended.code == 0 and "(all cached)" in ended.out and "It is drawn." in page(done)
    drawn = (done.results / "report.html").stat().st_mtime_ns
    assert done("tasks=small", "--plugin", mine).code == 0
    assert (done.results / "report.html").stat().st_mtime_ns == drawn
    registry.forget_plugins()
    plugin(done, GOOD.replace("drawn", "drawn anew"))
    assert done("tasks=small", "--plugin", mine).code == 0 and "It is drawn anew." in page(done)


def test_the_page_names_plugins_that_were_not_loaded(done: Bench) -> None:
    mine = plugin(done)
    assert done("tasks=small", "--plugin", mine).code == 0
    registry.forget_plugins()
    assert report(done).code == 0
    text = page(done)
    assert "It is drawn." not in text and "Sections that could not be made (1)" in text
    assert "<dt>mine.py</dt>" in text and "--plugin FILE" in text and "--trust-plugins" in text
    assert mlopsim("report", done.results, "--trust-plugins").code == 0
    assert "It is drawn." in page(done) and "mine.py</dt>" not in page(done)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (
            {"track": "delivry"},
            "belongs to the unknown track 'delivry'; did you mean 'delivery'?",
        ),
        ({"needs": "'retrains'"}, "needs 'retrains', which are no names of columns"),
        ({"needs": "(1,)"}, "needs (1,), which are no names of columns"),
    ],
)
def test_a_section_that_cannot_be_any_is_refused_with_its_file(
    done: Bench, given: dict[str, str], said: str
) -> None:
    mine = plugin(done, **given)
    before = (done.results / "ledger.sqlite").read_bytes()
    for ended in (report(done, mine), done("tasks=small", "--plugin", mine)):
        assert ended.code == 2 and f"section/mine {said} ({mine})" in ended.err and "remedy: " in ended.err
    # before anything is run
    assert (done.results / "ledger.sqlite").read_bytes() == before


def test_a_missing_column_is_of_an_earlier_version_only_where_nothing_is_known(done: Bench) -> None:
    assert report(done, plugin(done, needs="('retrains', 'nothing')")).code == 0
    text = page(done)
    assert "it needs the column &#39;nothing&#39;: this table has no such column" in text
    results = open_results(done.results)
    old = results.cells.drop("role")
    _, unmade = make_sections(TableResults(track=results.track, cells=old, read=results.curves))
    reasons = {entry.title: entry.reason for entry in unmade}
    said = "it needs the column 'nothing', which an earlier version did not store"
    assert reasons["Mine <mine>"] == said


def test_a_grid_that_is_not_there_names_those_that_are(done: Bench) -> None:
    ended = mlopsim("report", done.results, "--grid", "xyz")
    known = open_results(done.results)
    assert ended.code == 2 and "begins with 'xyz'" in ended.err
    assert f"remedy: the beginning of one of: {known.grid[:12]} ({known.title})" in ended.err
