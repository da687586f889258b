"""A study beside a baseline: only the new method is run, and tables and page say what is not from here."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from mlopsim.bench.baseline_write import write_baseline
from mlopsim.bench.ledger import Ledger
from mlopsim.compose.from_baseline import Marks
from mlopsim.compose.study import Study
from mlopsim.core.errors import ConfigError
from mlopsim.core.track import Section
from mlopsim.plots.style import caption, new_figure
from mlopsim.tracks.delivery.track import DeliveryTrack

SMALL = {"synthetic": {"windows": 16, "rows": 20, "warmup": 4}}


def _study(methods: list[Any], **more: Any) -> Study:
    tasks = [{"stream": SMALL, "learner": "ridge"}]
    return Study(track={"delivery": {"steps": 0}}, tasks=tasks, methods=methods, seeds=2, **more)


def test_a_new_method_stands_beside_the_baseline_and_is_told_from_it(tmp_path: Path) -> None:
    whole = _study(["ks", {"periodic": {"every": 5}}])
    expected = whole.run(tmp_path / "whole", executor="serial", progress=False)
    _study(["ks"]).run(tmp_path / "old", executor="serial", progress=False)
    with Ledger.read(tmp_path / "old") as ledger:
        file = write_baseline(ledger, tmp_path / "old.parquet")
    study = _study([{"periodic": {"every": 5}}], baseline=file)
    assert {cell.key for cell in study.grid.cells} == {cell.key for cell in whole.grid.cells}
    found = study.run(tmp_path / "new", executor="serial", progress=False)
    assert found.summary is not None
    assert (found.summary.counts.cached, found.summary.counts.done) == (6, 2)
    # paired by seed: the same as if all had been run here
    board = found.leaderboard
    assert board.drop("from").sort("method").equals(expected.leaderboard.sort("method"), null_equal=True)
    told = dict(board.select("method", "from").iter_rows())
    assert told == {
        "never": "baseline", "oracle": "baseline", "ks": "baseline", "periodic(every=5)": "computed here",
    }  # fmt: skip
    page = found.report().read_text(encoding="utf-8")
    assert "6 of 8 finished cells were not computed here but taken from the baseline file" in page
    # one sentence in each section that shows anything, and a column in each table with a row a method
    parts = re.findall(r"<section.*?</section>", page, re.DOTALL)
    shown = [part for part in parts if "<table" in part or "<svg" in part]
    shown = [part for part in shown if not re.search('id="(glossary|provenance|unmade)"', part)]
    assert len(shown) > 3
    tables = 0
    for part in shown:
        assert (
            "Where cells come from: all methods but <code>periodic(every=5)</code> are of a baseline." in part
        )
        if re.search("<th[^>]*>\\s*method", part):
            tables += 1
            assert re.search("<th[^>]*>\\s*from", part)
    assert (
        found.compare("ks", "periodic(every=5)")["from"][0]
        == "ks: baseline, periodic(every=5): computed here"
    )
    with pytest.raises(ConfigError, match="not of a sweep"):
        study.sweep("deployment.latency", [1, 2])


def test_a_section_that_needs_a_series_that_is_not_published_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _study(["ks"]).run(tmp_path / "old", executor="serial", progress=False)
    monkeypatch.setattr(DeliveryTrack, "compared_curves", ("windows", "quality"), raising=False)
    with Ledger.read(tmp_path / "old") as ledger:
        file = write_baseline(ledger, tmp_path / "old.parquet")
    found = _study(["every_step"], baseline=file).run(tmp_path / "new", executor="serial", progress=False)
    # no fault: the page is written, and names what is missing and why
    page = found.report().read_text(encoding="utf-8")
    assert re.search("Time lines.*is of the baseline [0-9a-f]+, which holds no series", page, re.DOTALL)


def test_figures_say_which_methods_are_of_a_baseline() -> None:
    figure = new_figure(4, 3)
    caption(figure, "n = 5")
    height = figure.get_size_inches()[1]
    cells = pl.DataFrame({"method": ["a", "mine"], "origin": ["0f", "computed"], "run": ["x", "y"]})
    made = Marks.of(cells).sections([Section(title="A", text="It is.", figures={"f": figure})])
    assert figure.get_supxlabel().splitlines() == [
        "n = 5",
        "where cells come from: all methods but mine are of a baseline",
    ]
    # the axes keep their size
    assert figure.get_size_inches()[1] > height and made[0].text.startswith("It is.\n\nWhere cells come from")
    # where nothing comes from a baseline nothing is said
    plain = [Section(title="A", table=pl.DataFrame({"method": ["mine"]}))]
    assert Marks.of(cells[1:]).sections(plain) == plain
