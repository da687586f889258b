import base64
import html.parser
import math
import re
import zlib
from pathlib import Path

import numpy as np
import polars as pl
import pytest

import mlopsim
from mlopsim.core.errors import ConfigError, MlopsimError
from mlopsim.core.section import Unmade
from mlopsim.core.text import code_span
from mlopsim.core.track import Section
from mlopsim.plots.curves import Curve, curves
from mlopsim.plots.style import new_figure
from mlopsim.report.build import write_report
from mlopsim.report.datatables import bundle, inline, source_hash
from mlopsim.report.figures import inline_svg
from mlopsim.report.hover import library
from mlopsim.report.page import render
from mlopsim.report.prose import GLOSSARY, glossary, prose
from mlopsim.report.typeset import SHOWN, digits_for, table_html

EVIL = '</table><script>alert("x")</script>&'
VOID = {"meta", "br", "img", "link", "input", "hr"}


class Checker(html.parser.HTMLParser):
    """Checks nesting and collects tags, ids, links and text."""

    def __init__(self):
        super().__init__()
        self.open, self.tags, self.ids, self.links, self.text = [], [], [], [], []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        values = dict(attrs)
        self.ids += [values["id"]] if "id" in values else []
        self.links += [v for k, v in attrs if k in ("href", "src", "xlink:href")]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag):
        assert self.open, f"</{tag}> closes nothing"
        assert self.open[-1] == tag, (self.open[-1], tag)
        self.open.pop()

    def handle_data(self, data):
        self.text.append(data)


def parse(page):
    checker = Checker()
    checker.feed(page)
    checker.close()
    assert not checker.open
    return checker


def figure():
    x = np.arange(3.0)
    return curves({"a": Curve(x=x, y=x, low=x - 1, high=x + 1), "b": Curve(x=x, y=-x)})


def frame():
    nan = float("nan")
    return pl.DataFrame(
        {
            "method": ["a", EVIL, "c"],
            "ns": [0.8349, nan, 0.5],
            "ns_low": [0.79, nan, nan],
            "ns_high": [0.87, nan, nan],
            "ns_n": [30, 0, 1],
            "ns_reason": ["", "all <30> cells failed", "1 seed"],
            "ns_cells": [120, 0, 4],
            "ns_excluded": [0, 4, 0],
            "retrains": [3.25, 1.0, None],
        }
    )


def cells(table):
    rows = re.findall(r"<tr>(.*?)</tr>", table_html(table))
    return [[re.sub(r"<[^>]+>", "", c) for c in re.findall(r"<t[hd].*?</t[hd]>", r)] for r in rows]


def ours(page):
    """The page without what the library brings."""
    page = re.sub(r'<script type="text/plain"[^>]*>[^<]*</script>', "", page)
    return page.replace(bundle().script, "").replace(bundle().style, "")


def full_page(**meta):
    sections = [
        Section(title=f"Leader {EVIL}", text=EVIL, table=frame(), figures={"Curve": figure()}),
        Section(title="Second", figures={"Curve": figure()}),
    ]
    trace = f"Traceback (most recent call last):\n  ...\nValueError: {EVIL}"
    default = {
        "lead": EVIL,
        "summary": {EVIL: EVIL},
        "notes": [EVIL],
        "failures": [{"status": "failed", "task": EVIL, "method": "a", "seed": 0, "traceback": trace}, {}],
        "provenance": {"version": "0.1", "config": {"x": EVIL, "list": [1, 2]}},
    }
    return render(f"quick-v1 {EVIL}", sections, default | meta)


def test_everything_is_escaped_and_well_nested():
    page = full_page()
    checker = parse(page)
    # the theme, the libraries and what they are told, and what the two figures say
    assert checker.tags.count("script") == 7
    assert 'alert("x")' not in page
    assert page.count("&lt;script&gt;") >= 10
    assert EVIL in "".join(checker.text)


def test_the_page_needs_no_network_and_its_links_lead_somewhere():
    page = full_page()
    checker = parse(page)
    assert len(checker.ids) == len(set(checker.ids))
    for link in checker.links:
        assert link.startswith(("#", "data:image/png;base64,")), link
        if link.startswith("#"):
            assert link[1:] in checker.ids, link
    outside = ours(page).replace("http://www.w3.org/2000/svg", "").replace("http://www.w3.org/1999/xlink", "")
    assert not re.search(r"https?:|@import|url\((?!#)", outside)
    assert not re.search(r"@import|url\((?!data:)", bundle().style)
    for reference in re.findall(r"url\(#([^)]+)\)", ours(page)):
        assert reference in checker.ids


def test_contents_name_every_section():
    page = full_page()
    nav = page[page.index("<nav") : page.index("</nav>")]
    for name in ("Second", "Failures (2)", "Provenance"):
        assert name in nav
    bare = render("t", [Section(title="Only")], {})
    assert 'href="#failures"' not in bare
    assert 'id="provenance"' not in bare


def test_failures_show_status_cell_last_line_and_the_whole_traceback():
    page = full_page(
        failures=[{"status": "timeout", "task": "abrupt", "seed": 0, "traceback": "A\nB\nE: boom"}]
    )
    block = page[page.index('<section id="failures">') :]
    assert "timeout" in block
    assert "task abrupt, seed 0" in block
    assert "<code>E: boom</code>" in block
    assert "<pre>A\nB\nE: boom</pre>" in block
    assert "1 cell or fit failed" in page


def test_intervals_reasons_and_n():
    rows = cells(frame())
    assert rows[0] == ["method", "ns", "left out", "retrains", "n"]
    assert rows[1] == ["a", "0.83 [0.79, 0.87]", "0", "3.25", "30"]
    assert rows[2][1:] == ["–1", "4", "1.00", "0"]
    assert rows[3][1:] == ["0.50 [–]2", "0", "–3", "1"]
    page = table_html(frame())
    assert 'title="all &lt;30&gt; cells failed"' in page
    assert "<li>1 seed</li>" in page
    assert "<li>undefined; no reason was given</li>" in page


def test_each_interval_has_its_own_n_where_they_differ():
    table = pl.DataFrame(
        {
            k + s: [v]
            for k, n in (("a", 3), ("b", 4))
            for s, v in (("", 1.0), ("_low", 0.5), ("_high", 2.0), ("_n", n))
        }
    )
    assert cells(table) == [["a", "n", "b", "n"], ["1.00 [0.50, 2.00]", "3", "1.00 [0.50, 2.00]", "4"]]


def test_experiment_tables_with_a_plain_n_work():
    table = pl.DataFrame(
        {
            "method": ["ppo"],
            "ns": [0.9],
            "ns_low": [0.88],
            "ns_high": [0.92],
            "n": [300],
            "ok": [True],
            "key": [1234],
        }
    )
    assert cells(table)[1] == ["ppo", "0.90 [0.88, 0.92]", "300", "yes", "1234"]


def test_the_reason_of_a_row_becomes_a_footnote():
    nan = float("nan")
    table = pl.DataFrame(
        {
            "method": ["a"],
            "ns": [nan],
            "ns_low": [nan],
            "ns_high": [nan],
            "n": [0],
            "reason": ["all cells failed"],
        }
    )
    assert cells(table) == [["method", "ns", "n"], ["a", "–1", "0"]]
    assert "<li>all cells failed</li>" in table_html(table)
    plain = pl.DataFrame({"cell": ["a"], "reason": ["timeout"]})
    assert cells(plain) == [["cell", "reason"], ["a", "timeout"]]


def test_decimals():
    assert digits_for([0.0, float("nan")]) == 2
    assert digits_for([0.00123]) == 4
    assert digits_for([1e-9]) == 6
    assert digits_for([5.0], [0.0004]) == 4


def test_tables_sort_by_the_unrounded_number():
    assert 'data-order="0.8349" data-low="0.79" data-high="0.87"' in table_html(frame())
    assert 'data-order="" title=' in table_html(frame())
    ends = pl.DataFrame({"x": [math.inf, -math.inf, 3.0]})
    assert re.findall(r'data-order="([^"]*)"', table_html(ends)) == ["Infinity", "-Infinity", "3.0"]
    whole = table_html(pl.DataFrame({"x": [2**60]}))
    assert f'data-order="{2**60}"' in whole
    assert "no rows" in table_html(frame().head(0))


def test_columns_with_few_values_are_filtered_by_choosing():
    table = pl.DataFrame(
        {
            "method": [f"m{k}" for k in range(100)],
            "family": ["a", "b"] * 50,
            "latency": [1.0, 2.0] * 50,
            "score": [k / 7 for k in range(100)],
            "one": ["x"] * 100,
            "p": [f"{k / 100}" for k in range(100)],
        }
    )
    heads = re.findall(r'data-name="(\w+)"([^>]*)>', table_html(table))
    assert [name for name, rest in heads if "data-choices" in rest] == ["family", "latency"]
    # what signs of HTML hide is said beside them, for all cells of a column
    assert "data-search" not in table_html(table)
    marked = table_html(table.with_columns(pl.Series("family", ["a", "<b>"] * 50)))
    assert 'data-search="a"' in marked and 'data-search="&lt;b&gt;"' in marked
    heads = re.findall(r'data-name="(\w+)"([^>]*)>', table_html(table.head(9)))
    assert [name for name, rest in heads if "data-choices" in rest] == ["method", "family", "latency"]


def test_one_copy_of_the_library_serves_all_tables_and_none_a_page_without():
    sections = [Section(title=t, table=frame()) for t in "abc"]
    page = render("t", sections, {})
    assert page.count(bundle().script) == page.count(bundle().style) == 1
    assert bundle().source in page and "0.7 MB of it" in page
    bare = render("t", sections[:0], {"provenance": {"a": 1}})
    assert "globalThis" not in bare and len(bare) < 60_000


def test_the_library_ends_at_its_tags_and_the_policy_names_each_script():
    page = full_page()
    scripts = re.findall(r"<script(?: type=.module.)?>(.*?)</script>", page, re.DOTALL)
    assert len(scripts) == 4 and scripts[2] == bundle().script
    # unpacked, and then allowed as it is
    (bokeh,) = re.findall(r'id="bokeh">([^<]*)<', page)
    assert zlib.decompress(base64.b64decode(bokeh)).decode() == library().script
    scripts.append(library().script)
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', page)[1].replace("&#39;", "'")
    assert set(re.findall(r"'(sha256-[^']*)'", policy)) == {source_hash(script) for script in scripts}
    assert policy.startswith("default-src 'none'; script-src 'sha256-") and "unsafe-eval" not in policy
    assert page.index("Content-Security-Policy") < page.index("<style") < page.index("<script")
    for mark in ("<!--", "<script", "</script"):
        assert mark not in bundle().script.lower()
    assert inline("a</SCRIPT>b<!--") == r"a\x3c/SCRIPT>b\x3c!--"


def test_a_bundle_of_an_unknown_form_is_named(monkeypatch, tmp_path):
    (tmp_path / "html").mkdir()
    (tmp_path / "html" / "dt_bundle.js").write_text("window.DataTable = 1;")
    (tmp_path / "html" / "dt_bundle.css").write_text("")
    monkeypatch.setattr("mlopsim.report.datatables.files", lambda name: tmp_path)
    with pytest.raises(MlopsimError, match="unknown form"):
        bundle.__wrapped__()


def test_sections_that_could_not_be_made_are_named_with_their_reasons(tmp_path):
    unmade = [Unmade(title=f"Sweep {EVIL}", reason=f"needs {EVIL}")]
    page = write_report(tmp_path, [], {"title": "t"}, unmade).read_text()
    checker = parse(page)
    assert "Sections that could not be made (1)" in "".join(checker.text)
    assert f"Sweep {EVIL}" in checker.text and f"needs {EVIL}" in checker.text
    assert "could not be made" not in render("t", [], {})


def test_prose():
    assert prose("a **b** `c*d*`") == "<p>a <strong>b</strong> <code>c*d*</code></p>"
    flat = prose("one\ntwo\n\n- x\n- y").replace("\n", "")
    assert flat == "<p>onetwo</p><ul><li>x</li><li>y</li></ul>"
    assert prose("") == ""


@pytest.mark.parametrize(
    "name",
    [
        "*a*", "_a_", "__a__", "***", "a | b", "# a", "> a", "    a", "~~~", "---", "&lt;", "&amp;", "a\\*b",
        "<b>a</b>", "<!-- a -->", "![a](b.png)", "[a](https://b.org)", "[a](javascript:b)", "[a]: #b", "$a$",
        "<https://a.org>", "https://a.org", "www.a.org", "a\\", "[/red]", "cost_$_per_$",
    ],
)  # fmt: skip
def test_names_in_a_text_are_no_markup(name):
    checker = parse(prose(f"Of {name} and {name}."))
    assert checker.tags == ["p"]
    assert "".join(checker.text).strip() == f"Of {name} and {name}."
    assert set(parse(prose(name)).tags) == {"p"}


def test_code_spans_hold_any_name():
    for name in ("a`b", "`", "``a", "**a**", "[a](#b)", " a ", "<b>", "a\\"):
        checker = parse(prose(f"Of {code_span(name)}."))
        assert checker.tags == ["p", "code"], name
        assert "".join(checker.text).strip() == f"Of {name}."
    assert code_span("") == ""


def test_the_glossary_of_the_page_is_that_of_the_docs():
    docs = Path(__file__).parents[2] / "docs" / "glossary.md"
    assert docs.read_text() == GLOSSARY.read_text()
    page = render("t", [], {})
    assert glossary() in page and 'href="#glossary"' in page
    words = ("R", "U", "NS", "oracle", "World", "roll-out", "run length", "ARL0", "false-alarm rate",
             "restricted delay", "battery", "Gate", "Fit", "Cell", "Ledger", "Suite", "Track")  # fmt: skip
    assert [w for w in words if f"<strong>{w}</strong>" not in page] == []


def test_a_huge_figure_becomes_a_png():
    x = np.arange(40_000.0)
    noise = np.random.default_rng(0).normal(size=40_000)
    big = new_figure(3, 2)
    big.add_subplot().plot(x, noise)
    big.axes[0].lines[0].set_path_effects([])
    import matplotlib as mpl

    with mpl.rc_context({"path.simplify": False}):
        big.axes[0].scatter(x[:8000], noise[:8000])
        page = render("t", [Section(title="s", figures={"big": big})], {})
    assert "data:image/png;base64," in page
    parse(page)


def test_svg_ids_of_two_figures_do_not_collide():
    svg = b'<svg><defs><clipPath id="p"/></defs><g clip-path="url(#p)"/></svg>'
    one, two = inline_svg(svg, "f1", "x"), inline_svg(svg, "f2", 'y"')
    assert 'id="f1-p"' in one
    assert "url(#f2-p)" in two
    assert 'aria-label="y&#34;"' in two


@pytest.mark.parametrize(
    ("sections", "meta", "message"),
    [
        ([], {"titel": "x"}, "did you mean 'title'"),
        ([Section(title="s", table=[1])], {}, "polars DataFrame"),
        ([Section(title="s", figures={"f": 3})], {}, "matplotlib Figure"),
        ([Section(title="s", table=pl.DataFrame({"a": [1.0], "a_low": [0.5]}))], {}, "no 'a_high'"),
        (
            [Section(title="s", table=pl.DataFrame({"a": ["x"], "a_low": [0.5], "a_high": [0.5]}))],
            {},
            "not of numbers",
        ),
    ],
)
def test_wrong_content_is_one_clear_error(sections, meta, message):
    with pytest.raises(ConfigError, match=message):
        render("t", sections, meta)


def test_write_report_writes_page_and_figures_and_repeats_to_the_byte(tmp_path):
    sections = [
        Section(title="One", table=frame(), figures={"Time line": figure()}),
        Section(title="Two", figures={"Time line": figure()}),
    ]
    page = write_report(tmp_path / "a", sections, {"title": "quick-v1 (modified)"})
    names = sorted(p.relative_to(tmp_path / "a").as_posix() for p in (tmp_path / "a").rglob("*.*"))
    stems = ("time-line", "two-time-line")
    assert names == sorted(["report.html", *(f"figures/{s}.{e}" for s in stems for e in ("png", "svg"))])
    assert "<title>quick-v1 (modified)</title>" in page.read_text()
    again = write_report(tmp_path / "b", sections, {"title": "quick-v1 (modified)"})
    assert again.read_bytes() == page.read_bytes()
    assert (tmp_path / "a/figures/time-line.svg").read_bytes() == (
        tmp_path / "b/figures/time-line.svg"
    ).read_bytes()


def test_a_failed_report_leaves_the_old_page(tmp_path):
    page = write_report(tmp_path, [Section(title="Old")], {"title": "t"})
    before = page.read_bytes()
    with pytest.raises(ConfigError):
        write_report(tmp_path, [Section(title="New", table="no table")], {"title": "t"})
    with pytest.raises(ConfigError, match="title"):
        write_report(tmp_path, [], {})
    assert page.read_bytes() == before
    twice = Section(title="s", figures={"a b": figure(), "a-b": figure(), "a_b": figure(), "a.b": figure()})
    with pytest.raises(ConfigError, match="names that differ"):
        write_report(tmp_path, [twice], {"title": "t"})
    (tmp_path / "file").write_text("")
    with pytest.raises(MlopsimError, match="cannot write"):
        write_report(tmp_path / "file" / "x", [], {"title": "t"})


def test_of_a_long_table_the_later_rows_are_packed_whole_and_escaped():
    long = pl.DataFrame({"method": [f"{EVIL} {k}" for k in range(SHOWN + 3)]})
    page = render("t", [Section(title="s", table=long)], {})
    assert (
        parse(page[: page.index('<section id="glossary"')] + "</main></body></html>").tags.count("tr")
        == SHOWN + 1
    )
    packed = re.search(r'<script type="text/plain" class="rest">([^<]*)</script>', page)[1]
    rest = zlib.decompress(base64.b64decode(packed)).decode()
    assert (
        rest.count("<tr>") == 3 and f"&lt;/script&gt;&amp; {SHOWN + 2}</td>" in rest and "<script" not in rest
    )
    assert f"The first {SHOWN} of {SHOWN + 3} rows" in page
    assert 'class="rest"' not in (render("t", [Section(title="s", table=long[:SHOWN])], {}))


def test_figures_of_a_page_share_outlines_labels_and_styles():
    once = ours(render("t", [Section(title="s", figures={"Curve": figure()})], {}))
    more = {f"Curve {k}": figure() for k in range(4)}
    page = ours(render("t", [Section(title="s", figures=more)], {}))
    drawer = re.search(r'<svg [^>]*class="drawer".*?</svg>', page, flags=re.DOTALL)[0]
    # the same letters, once
    assert drawer in once and drawer.count("<path") > 5
    known = set(re.findall(r'\bid="([^"]*)"', page))
    used = set(re.findall(r'<use href="#([^"]*)"', page)) | set(re.findall(r"url\(#([^)]*)\)", page))
    assert used <= known and "xlink:href" not in page


def test_sections_emphasise_as_prose_does():
    # `*x*` is a name to the page, so that its stars would be shown
    for path in Path(mlopsim.__file__).parent.rglob("sections/*.py"):
        code = path.read_text(encoding="utf-8")
        assert not re.findall(r"(?<![*`\w])\*[A-Z][A-Za-z ]+\*(?!\*)", code), path
