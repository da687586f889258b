"""A page in a browser: what is clicked and typed does what it should, and nothing leaves the page."""

from __future__ import annotations

import base64
import importlib.util
import json
import shutil
import time
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from mlopsim.core.section import Unmade
from mlopsim.core.track import Section
from mlopsim.plots.curves import Curve, curves
from mlopsim.report.build import write_report
from mlopsim.report.methods import MethodsView, MethodView, Place
from mlopsim.report.typeset import SHOWN

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        not (shutil.which("chromium") and shutil.which("chromedriver")),
        reason="needs chromium and chromedriver",
    ),
]
NAMES = [
    "oracle", "ks", "adwin", "<img src=x onerror=document.title='gone'>", "*a*", "cost_$_per_$", "[/red]",
    "a|b", '"><script>document.title="gone"</script>', "a & b", "never", "periodic",
]  # fmt: skip
WIDE = ("regret", "accuracy", "cost", "delay", "false alarms", "restricted delay", "retrains", "recovery")


def leaderboard() -> pl.DataFrame:
    """Twelve methods, one of them without a score, and far more columns than a page is wide."""
    scores = [0.99, 0.5, 0.61, float("nan"), -0.2, 0.05, 0.3, 0.31, 0.32, 0.33, 0.0, 0.12]
    frame = pl.DataFrame(
        {
            "method": NAMES,
            "family": ["plan"] + ["detector"] * 2 + ["<b>bold</b>"] * 7 + ["rule"] * 2,
            "latency": [1, 2, 4] * 4,
            "needs": ["labels", "labels, model", "model"] * 4,
            "note": ["short", "a long word " * 40, "short", "<i>x</i>"] * 3,
        }
    )
    for name, shift in (("ns", 0.0), *((n, 10.0 * k) for k, n in enumerate(WIDE))):
        values = pl.Series([s + shift for s in scores])
        frame = frame.with_columns(
            values.alias(name),
            (values - 0.05).alias(f"{name}_low"),
            (values + 0.05).alias(f"{name}_high"),
            pl.Series([30] * 12).alias(f"{name}_n"),
            pl.Series(["" if s == s else "every cell failed" for s in scores]).alias(f"{name}_reason"),
        )
    return frame


def sections() -> list[Section]:
    x = np.arange(3.0)
    return [
        Section(title="Leaderboard", text="Of **NS**.", table=leaderboard()),
        Section(title="Few", table=pl.DataFrame({"method": ["b", "a"], "x": [10.0, 9.0]})),
        Section(title="Many", table=pl.DataFrame({"row": list(range(320))}).with_columns(
            pl.Series("name", [f"name {k}" for k in range(320)])
        ), figures={"Curve": curves({NAMES[3]: Curve(x=x, y=x, low=x - 0.5, high=x + 0.5)})}),
    ]  # fmt: skip


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("page")
    unmade = [Unmade(title="Sweep", reason="nothing was swept")]
    place = Place(
        task="t, <i>", score="0.50 [0.40, 0.60]", n=30, rank=1, of=9, alike=1, of_alike=2, cells="1; 2"
    )
    left = Place(task="u", score="–", n=0, reason="every cell failed")
    methods = MethodsView(
        score="NS (more is better)",
        alike="those with the same needs",
        cells="return by seed",
        methods=[
            MethodView(name=name, facts={"family": "<b>"}, places=[place, left], commands=["mlopsim bench"])
            for name in NAMES
        ],
    )
    meta = {
        "title": "quick-v1",
        "methods": methods,
        "provenance": {"config": "x" * 3000},
        "summary": {"cells": 12},
    }
    return write_report(folder, sections(), meta, unmade)


@pytest.fixture(scope="module")
def start(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Any]]:
    """Start browsers; all of them end with the module."""
    selenium = pytest.importorskip("selenium.webdriver", reason="needs selenium")
    started: list[Any] = []

    def browser(*words: str, downloads: Path | None = None) -> Any:
        options = selenium.ChromeOptions()
        options.binary_location = shutil.which("chromium")
        for word in (
            "headless", "no-sandbox", "disable-gpu", "disable-quic", "no-first-run", "disable-sync",
            "disable-background-networking", "disable-component-update", "window-size=1200,900",
            f"user-data-dir={tmp_path_factory.mktemp('profile')}", *words,
        ):  # fmt: skip
            options.add_argument(f"--{word}")
        options.set_capability("goog:loggingPrefs", {"performance": "ALL", "browser": "ALL"})
        if downloads is not None:
            options.add_experimental_option("prefs", {"download.default_directory": str(downloads)})
        service = selenium.ChromeService(executable_path=shutil.which("chromedriver"))
        started.append(selenium.Chrome(options=options, service=service))
        return started[-1]

    yield browser
    for driver in started:
        driver.quit()


def until(look: Callable[[], Any], wanted: Any) -> None:
    """Look until it is what is wanted: a browser answers when it has drawn."""
    end = time.monotonic() + 20
    while (seen := look()) != wanted:
        assert time.monotonic() < end, (seen, wanted)
        time.sleep(0.02)


def visit(driver: Any, page: Path) -> None:
    """Open the page and wait until its three tables are ready."""
    driver.get(page.as_uri())
    until(lambda: len(driver.find_elements("css selector", ".dt-container .dt-buttons")), 3)


def narrow(driver: Any, width: int) -> None:
    """Make the page so wide; a window would have a least width."""
    metrics = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
    driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)


@pytest.fixture(scope="module")
def driver(start: Callable[..., Any], page: Path) -> Any:
    return start(downloads=page.parent)


@pytest.fixture
def fresh(driver: Any, page: Path) -> Any:
    visit(driver, page)
    return driver


def column(driver: Any, name: str, section: str = "s1-leaderboard") -> list[str]:
    """Texts of a column, as they are shown; without the marks of footnotes."""
    texts: list[str] = driver.execute_script(
        """
        const table = document.querySelector(`#${arguments[0]} table.data`);
        const k = Array.from(table.tHead.rows[0].cells).findIndex((h) => h.dataset.name === arguments[1]);
        return Array.from(table.tBodies[0].rows).map((r) => {
          const cell = r.cells[k].cloneNode(true);
          cell.querySelectorAll("sup").forEach((s) => s.remove());
          return cell.textContent;
        });
        """,
        section,
        name,
    )
    return texts


def head(driver: Any, name: str, inner: str = ".dt-column-order", section: str = "s1-leaderboard") -> Any:
    return driver.find_element("css selector", f"#{section} th[data-name='{name}'] {inner}")


def test_sorting_goes_by_the_value_and_keeps_the_undefined_last(fresh: Any) -> None:
    before = column(fresh, "ns")
    values = sorted(leaderboard()["ns"].drop_nans().to_list())
    rising = [t for v in values for t in before if t.startswith(f"{v:.2f} [".replace("-", "−"))]
    assert len(rising) == 11
    for order in (rising[::-1], rising):
        head(fresh, "ns").click()
        until(lambda: column(fresh, "ns"), [*order, "–"])
    head(fresh, "ns").click()
    until(lambda: column(fresh, "ns"), before)
    # 9 before 10: numbers, not texts; and by the keyboard alone
    head(fresh, "x", section="s2-few").send_keys("\n")
    until(lambda: head(fresh, "x", "", "s2-few").get_attribute("aria-sort"), "descending")
    head(fresh, "x", section="s2-few").send_keys("\n")
    until(lambda: column(fresh, "x", "s2-few"), ["9.0", "10.0"])
    title = fresh.execute_script("return document.querySelector('td[title]').title")
    assert title == "every cell failed"


def test_searching_shows_the_rows_that_match(fresh: Any) -> None:
    field = fresh.find_element("css selector", "#s1-leaderboard input[type=search]")
    for typed, found in (("per_$", ["cost_$_per_$"]), ("<img", [NAMES[3]]), ("a & b", ["a & b"])):
        field.clear()
        field.send_keys(typed)
        until(lambda: column(fresh, "method"), found)
    field.clear()
    field.send_keys("no such row")
    body = fresh.find_element("css selector", "#s1-leaderboard tbody")
    until(lambda: body.text, "no rows like that")


def test_filtering_chooses_among_the_values_of_an_attribute(fresh: Any) -> None:
    def choices() -> list[Any]:
        buttons: list[Any] = fresh.find_elements("css selector", ".dtcc-dropdown .dtcc-list-buttons button")
        return buttons

    head(fresh, "family", ".dtcc-button_dropdown").click()
    until(lambda: sorted(b.text for b in choices()), ["<b>bold</b>", "detector", "plan", "rule"])
    next(b for b in choices() if b.text == "detector").click()
    until(lambda: column(fresh, "method"), ["ks", "adwin"])
    next(b for b in choices() if b.text == "<b>bold</b>").click()
    until(lambda: column(fresh, "method"), NAMES[1:10])
    fresh.find_element("css selector", "h1").click()
    # a number that is an attribute, by the keyboard alone; a measurement has no list
    head(fresh, "latency", ".dtcc-button_dropdown").send_keys("\n")
    until(lambda: sorted(b.text for b in choices()), ["1", "2", "4"])
    next(b for b in choices() if b.text == "4").send_keys("\n")
    until(lambda: column(fresh, "latency"), ["4"] * 3)
    assert not fresh.find_elements("css selector", "th[data-name=ns] .dtcc-button_dropdown")


def test_a_column_of_lists_is_filtered_by_each_part(fresh: Any) -> None:
    def choices() -> dict[str, Any]:
        buttons = fresh.find_elements("css selector", ".dtcc-dropdown .dtcc-list-buttons button")
        return {button.text: button for button in buttons}

    head(fresh, "needs", ".dtcc-button_dropdown").click()
    until(lambda: sorted(choices()), ["labels", "model"])
    choices()["model"].click()
    until(lambda: set(column(fresh, "needs")), {"labels, model", "model"})
    assert len(column(fresh, "needs")) == 8
    choices()["model"].click()
    choices()["labels"].send_keys("\n")
    until(lambda: set(column(fresh, "needs")), {"labels, model", "labels"})


def test_a_click_or_enter_on_a_method_shows_what_is_known_of_it(fresh: Any, page: Path) -> None:
    def shown() -> tuple[bool, str]:
        dialog = fresh.find_element("id", "method")
        return dialog.get_property("open"), dialog.find_element("tag name", "h2").get_property("textContent")

    def links() -> list[Any]:
        found: list[Any] = fresh.find_elements("css selector", "#s1-leaderboard td a")
        return found

    until(lambda: [link.text for link in links()], NAMES)
    links()[3].click()
    until(shown, (True, NAMES[3]))
    assert fresh.find_elements("css selector", "dialog b, dialog i, dialog img") == []
    rows = fresh.find_elements("css selector", "dialog tbody tr")
    assert [cell.text for cell in rows[0].find_elements("css selector", "th, td")] == [
        *("t, <i>", "1 of 9", "1 of 2", "0.50 [0.40, 0.60]", "30", "1; 2"),
    ]
    assert "every cell failed" in rows[1].text
    assert fresh.find_element("css selector", "dialog pre").text == "mlopsim bench"
    # Escape closes it, and the focus is where it was
    fresh.switch_to.active_element.send_keys("\ue00c")
    until(lambda: shown()[0], False)
    assert fresh.switch_to.active_element.text == NAMES[3] and "#" not in fresh.current_url
    fresh.switch_to.active_element.send_keys("\n")
    until(shown, (True, NAMES[3]))
    # an address of its own, and none where there is no such method
    fresh.get("about:blank")
    fresh.get(page.as_uri() + "#method=cost_%24_per_%24")
    until(shown, (True, "cost_$_per_$"))
    fresh.get("about:blank")
    fresh.get(page.as_uri() + "#method=nobody")
    until(lambda: len(links()), len(NAMES))
    assert not shown()[0] and fresh.title == "quick-v1"
    # names of later pages and after sorting are links, too
    head(fresh, "ns").click()
    until(lambda: len(links()), len(NAMES))


def test_a_long_text_is_whole_where_it_is_reached(fresh: Any) -> None:
    box = fresh.find_element("css selector", "#s1-leaderboard .clamp")
    before = box.rect["height"]
    assert fresh.execute_script("return arguments[0].scrollHeight > arguments[0].clientHeight", box)
    fresh.execute_script("arguments[0].focus()", box)
    until(lambda: box.rect["height"] > 2 * before, True)


def test_a_figure_says_what_its_points_are(fresh: Any, page: Path) -> None:
    """The layer over a figure is made when it is pointed at, and hostile names are texts in it."""
    actions = pytest.importorskip("selenium.webdriver").ActionChains
    card = fresh.find_element("css selector", "#s3-many .card")
    fresh.execute_script("arguments[0].scrollIntoView({behavior: 'instant', block: 'center'})", card)
    packed = card.find_element("css selector", "script.points").get_property("textContent")
    told = json.loads(zlib.decompress(base64.b64decode(packed)))
    assert told["text"][1] == f"{NAMES[3]} · at: 1 · value: 1 [0.5, 1.5]"
    assert fresh.execute_script("return globalThis.Bokeh === undefined")
    actions(fresh).move_to_element(card).perform()
    until(lambda: card.get_attribute("data-told"), str(len(told["text"])))
    box = fresh.execute_script("return arguments[0].querySelector('.layer').getBoundingClientRect()", card)
    at = box["x"] + told["x"][1] * box["width"], box["y"] + (1 - told["y"][1]) * box["height"]
    said = """
        const all = (node) => [node, ...node.childNodes, ...(node.shadowRoot ? [node.shadowRoot] : [])]
          .flatMap((one) => (one === node ? [one] : all(one)));
        return all(document.body)
          .filter((one) => one.nodeType === 3 && !["STYLE", "SCRIPT"].includes(one.parentNode.tagName))
          .map((one) => one.textContent).join("");
    """

    def shown() -> bool:
        # a pointer moves
        for shift in (0, 1):
            moved = actions(fresh)
            moved.w3c_actions.pointer_action.move_to_location(round(at[0]) + shift, round(at[1]))
            moved.perform()
        return told["text"][1] in fresh.execute_script(said)

    until(shown, True)
    assert fresh.title == "quick-v1"
    assert [entry for entry in fresh.get_log("browser") if entry["level"] == "SEVERE"] == []


def test_the_csv_has_the_rows_that_are_shown_as_numbers(fresh: Any, page: Path) -> None:
    fresh.find_element("css selector", "#s1-leaderboard input[type=search]").send_keys("detector")
    until(lambda: column(fresh, "method"), ["ks", "adwin"])
    fresh.find_element("css selector", "#s1-leaderboard .buttons-csv").click()
    file = page.parent / "quick-v1-leaderboard.csv"
    until(file.is_file, True)
    found, whole = pl.read_csv(file), leaderboard()
    assert found["method"].to_list() == ["ks", "adwin"]
    for name in ("latency", "ns", "ns_low", "ns_high", "recovery_high"):
        assert found[name].to_list() == whole.filter(pl.col("family") == "detector")[name].to_list()


def test_names_are_texts_in_the_browser(fresh: Any) -> None:
    assert column(fresh, "method") == NAMES
    fields = fresh.find_elements("css selector", "th .dtcc-button_dropdown")
    for field in fields:
        fresh.execute_script("arguments[0].click()", field)
        assert not fresh.find_elements("css selector", "main img, .dtcc-dropdown b, main script:not([type])")
        fresh.execute_script("arguments[0].click()", field)
    assert fresh.title == "quick-v1"
    assert [entry for entry in fresh.get_log("browser") if entry["level"] == "SEVERE"] == []


def test_short_tables_have_no_search_and_long_ones_pages(fresh: Any) -> None:
    for section, search, pages in (("s1-leaderboard", 1, 0), ("s2-few", 0, 0), ("s3-many", 1, 1)):
        assert len(fresh.find_elements("css selector", f"#{section} input[type=search]")) == search
        assert len(fresh.find_elements("css selector", f"#{section} .dt-paging")) == pages
    assert len(column(fresh, "row", "s3-many")) == 25


def test_the_packed_rows_of_a_long_table_are_searched_and_sorted_with_the_others(fresh: Any) -> None:
    assert not fresh.find_elements("css selector", "script.rest, .more")
    head(fresh, "row", section="s3-many").send_keys("\n")
    until(lambda: column(fresh, "row", "s3-many")[:2], ["319", "318"])
    fresh.find_element("css selector", "#s3-many input[type=search]").send_keys("name 317")
    until(lambda: column(fresh, "name", "s3-many"), ["name 317"])


def test_intervals_are_drawn_in_the_cells_of_the_leaderboard(fresh: Any) -> None:
    bars = fresh.find_elements("css selector", "#s1-leaderboard td.bar")
    # eleven methods have a value, in each column with intervals
    assert len(bars) == 11 * (1 + len(WIDE))
    style = "return getComputedStyle(arguments[0]).getPropertyValue('--h')"
    # the first is the highest
    assert fresh.execute_script(style, bars[0]) == "100%"
    assert "linear-gradient" in bars[0].value_of_css_property("background-image")


@pytest.mark.parametrize("width", [1200, 400])
@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("opened", [False, True])
def test_axe_finds_nothing_serious(fresh: Any, width: int, theme: str, opened: bool) -> None:
    # the wheel carries axe-core; what it drives browsers with is not needed
    found = importlib.util.find_spec("axe_playwright_python")
    if found is None:
        pytest.skip("needs axe-core: pip install axe-playwright-python")
    narrow(fresh, width)
    if opened:
        until(lambda: len(fresh.find_elements("css selector", "#s1-leaderboard td a")), len(NAMES))
        fresh.execute_script("document.querySelector('td a').click()")
        until(lambda: fresh.find_element("id", "method").get_property("open"), True)
    fresh.execute_cdp_cmd(
        "Emulation.setEmulatedMedia", {"features": [{"name": "prefers-color-scheme", "value": theme}]}
    )
    fresh.execute_script(
        (Path(next(iter(found.submodule_search_locations or []))) / "axe.min.js").read_text()
    )
    seen = fresh.execute_async_script(
        """
        const done = arguments[0];
        const told = (found) => [found.impact, found.id, found.nodes[0].html];
        axe.run().then((r) => done(r.violations.map(told)), (fault) => done([String(fault)]));
        """
    )
    fresh.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})
    narrow(fresh, 1200)
    assert seen == []


@pytest.mark.parametrize("width", [1200, 700, 400])
def test_no_table_is_cut_off(fresh: Any, width: int) -> None:
    narrow(fresh, width)
    fresh.execute_script("document.querySelectorAll('details').forEach((d) => { d.open = true; })")
    cut = fresh.execute_script(
        """
        const wide = document.documentElement.clientWidth;
        const cut = document.documentElement.scrollWidth > wide ? ["the page"] : [];
        document.querySelectorAll("table").forEach((table) => {
          let box = table;
          // up to the box in which it is scrolled, if there is one
          while (box !== document.body && !["auto", "scroll"].includes(getComputedStyle(box).overflowX)) {
            box = box.parentElement;
          }
          const edge = (box === document.body ? table : box).getBoundingClientRect().right;
          if (edge > wide + 1) { cut.push(table.ariaLabel || table.textContent.slice(0, 30)); }
        });
        return cut;
        """
    )
    assert cut == []
    if width == 1200:
        # the leaderboard is wider than the page, so its end is reached by scrolling
        box = fresh.find_element("css selector", "#s1-leaderboard .dt-layout-table [role=region]")
        assert fresh.execute_script("return arguments[0].scrollWidth > arguments[0].clientWidth", box)
        box.send_keys("\ue014")
        until(lambda: fresh.execute_script("return arguments[0].scrollLeft > 0", box), True)
    narrow(fresh, 1200)


def test_no_request_leaves_the_page(driver: Any, page: Path) -> None:
    driver.get_log("performance")
    visit(driver, page)
    # what a page that was tampered with would try
    driver.execute_script(
        "const i = new Image(); i.src = 'http://127.0.0.1:9/x.png'; document.body.append(i);"
        "fetch('http://127.0.0.1:9/y').catch(() => { window.refused = true; });"
    )
    until(lambda: driver.execute_script("return window.refused"), True)
    events = [json.loads(entry["message"])["message"] for entry in driver.get_log("performance")]
    asked = {e["params"]["request"]["url"] for e in events if e["method"] == "Network.requestWillBeSent"}
    answered = {e["params"]["response"]["url"] for e in events if e["method"] == "Network.responseReceived"}
    # the policy refuses the two before they are sent
    refused = {e["params"].get("blockedReason") for e in events if e["method"] == "Network.loadingFailed"}
    assert page.as_uri() in asked
    outside = {url for url in asked if not url.startswith(("file:", "data:", "blob:"))}
    assert outside <= {"http://127.0.0.1:9/x.png", "http://127.0.0.1:9/y"} and refused <= {"csp"}
    assert not any(url.startswith("http") for url in answered)


def test_light_and_dark_by_the_system_and_by_the_button(start: Callable[..., Any], page: Path) -> None:
    browser = start()

    def look() -> tuple[bool, bool, str]:
        dark, card, text = browser.execute_script(
            """
            const luminance = (css) => css.match(/\\d+/g).slice(0, 3).reduce((a, b) => a + Number(b), 0);
            const cell = document.querySelector("#s1-leaderboard tbody td");
            return [luminance(getComputedStyle(document.body).backgroundColor) < 300,
                    luminance(getComputedStyle(cell).backgroundColor) < 300,
                    document.getElementById("theme").textContent];
            """
        )
        return dark, card, text

    for system in ("light", "dark"):
        features = [{"name": "prefers-color-scheme", "value": system}]
        browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})
        browser.get(page.as_uri())
        browser.execute_script("localStorage.clear()")
        browser.refresh()
        other = "light" if system == "dark" else "dark"
        assert look() == (system == "dark", system == "dark", f"{other.title()} theme")
        browser.find_element("id", "theme").click()
        assert look() == (other == "dark", other == "dark", f"{system.title()} theme")
        browser.refresh()
        assert look()[0] == (other == "dark")


def test_without_scripts_the_tables_are_read_as_they_are(start: Callable[..., Any], page: Path) -> None:
    browser = start("blink-settings=scriptEnabled=false")
    browser.get(page.as_uri())
    rows = browser.find_elements("css selector", "#s3-many tbody tr")
    assert len(rows) == SHOWN
    assert "The first 100 of 320 rows" in browser.find_element("css selector", "#s3-many .more").text
    assert "Sweep" in browser.find_element("id", "unmade").text
