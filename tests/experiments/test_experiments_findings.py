"""The pages of findings are what their sources give now, and no figure in a source is typed by hand."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "experiments"))

import findings  # noqa: E402

from mlopsim.core.errors import ConfigError  # noqa: E402


@pytest.fixture
def results(tmp_path: Path) -> Path:
    folder = tmp_path / "results" / "small-suite"
    folder.mkdir(parents=True)
    (folder / "leaderboard.csv").write_text(
        "method,ns,ns_low,ns_high,ns_n,met\na,0.5,0.25,0.75,9,2\nb,-0.0466,-0.1,-0.01,9,0\nc,NaN,NaN,NaN,0,1\n"
    )
    (folder / "config.yaml").write_text("title: small-suite-v2\nconfig: {seeds: 9}\n")
    return tmp_path / "results"


def made(results: Path, text: str) -> str:
    source = results / "page.md"
    source.write_text(text)
    return findings.page(source, findings.Looked(results))


@pytest.mark.parametrize("source", findings.sources(), ids=lambda source: source.stem)
def test_a_committed_page_is_what_its_source_gives_now(source: Path) -> None:
    path, text = findings.target(source, findings.page(source))
    assert path.read_text(encoding="utf-8") == text, "python experiments/findings.py"
    assert not findings.bare(source.read_text(encoding="utf-8"))


def test_every_page_has_a_source_and_make_docs_checks_it() -> None:
    pages = {path.name for path in findings.PAGES.glob("*.md")} - {"index.md"}
    assert pages == {source.stem for source in findings.sources()} - {findings.QUESTIONS}
    assert "experiments/findings.py --check" in (ROOT / "Makefile").read_text(encoding="utf-8")


def test_numbers_are_looked_up_and_typeset(results: Path) -> None:
    table = '{% set t = table("small-suite/leaderboard.csv") %}\n'
    for asked, text in {
        '{{ named("small-suite", "a", "ns", 2) }}': ".50 [.25, .75]",
        '{{ named("small-suite", "a", "ns", 1, zero=true, only=true) }}': "0.5",
        '{{ t.ci("ns", method="b", bold=true) }}': "**-.047 [-.100, -.010]**",
        '{{ t.ci("ns", 2, method="b", size=true) }}': ".05 [.01, .10]",
        '{{ t.count("ns > 0 or met = 1") }} of {{ t.count() }}': "2 of 3",
        '{{ typeset(t.least("ns")) }}, {{ t.highest("ns") }}': "-.047, a",
        '{{ word(t.count("met = 2")) }} with {{ setting("small-suite", "config.seeds") }}': "one with 9",
        '{{ given("50", "setting") }}{{ holds(t.value("met", method="a") == 2) }}': "50",
    }.items():
        assert made(results, table + asked) == text


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ('{{ named("small-suite", "aa", "ns") }}', "no method 'aa'"),
        ('{{ t.ci("nss", method="a") }}', "no column 'nss'"),
        ('{{ t.ci("ns", method="c") }}', "undefined"),
        ('{{ t.num("ns") }}', "3 rows"),
        ('{{ t.num("ns", method="z") }}', "0 rows"),
        ('{{ t.count("nss > 0") }}', "no condition"),
        ('{{ setting("small-suite", "config.seed") }}', "config.seed"),
        ('{{ given("50", "a result") }}', "no reason"),
        ('{{ holds(t.count("ns > 0") == 2) }}', "no longer holds"),
        ('{{ table("no/table.csv") }}', "no/table.csv"),
        ("{{ nothing }}", "'nothing' is undefined"),
        ("{{ t.count( }}", "unexpected"),
    ],
)
def test_what_is_not_there_or_no_longer_holds_is_named_with_its_line(
    results: Path, asked: str, said: str
) -> None:
    with pytest.raises(ConfigError, match=r"page\.md, line 3") as error:
        made(results, '{% set t = table("small-suite/leaderboard.csv") %}\n\n' + asked)
    assert said in str(error.value)


def test_figures_typed_by_hand_are_found_wherever_they_stand() -> None:
    for text, figures in {
        "gains .20 [.10, .33] in 34 of 40": [".20", ".10", ".33", "34", "40"],
        "| a | 1,761 | -.05 | 22.1 % |": ["1,761", "-.05", "22.1 %"],
        "**-2.27 [-4.12, -0.67]**": ["-2.27", "-4.12", "-0.67"],
        "`x10`, [all](a/2.csv), HDDM-W2, the 95 % interval, 0 or 1, {{ t.count() }}": [],
        '{{ ".20 [.10, .33]" }} and {{ typeset(0.25, zero=true) }}': [".20", ".10", ".33"],
    }.items():
        assert findings.bare(text)[: len(figures)] == figures
        assert bool(findings.bare(text)) == bool(figures)


def test_a_stale_page_fails_the_check(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "source").mkdir()
    (tmp_path / "source" / "a.md.jinja").write_text("{{ 1 + 1 }} pages\n")
    (tmp_path / "a.md").write_text("3 pages\n")
    monkeypatch.setattr(findings, "PAGES", tmp_path)
    monkeypatch.setattr(findings, "SOURCES", tmp_path / "source")
    monkeypatch.setattr(findings, "ROOT", tmp_path)
    monkeypatch.setattr(sys, "argv", ["findings.py", "--check"])
    with pytest.raises(SystemExit, match=r"a\.md\n  remedy: python experiments/findings\.py"):
        findings.main()
    assert (tmp_path / "a.md").read_text() == "3 pages\n"
    monkeypatch.setattr(sys, "argv", ["findings.py"])
    findings.main()
    assert (tmp_path / "a.md").read_text() == "2 pages\n"
    monkeypatch.setattr(sys, "argv", ["findings.py", "--check"])
    findings.main()
