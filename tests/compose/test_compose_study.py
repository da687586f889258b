"""One study for command line, scripts and notebooks, and what it gave."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl
import pytest

from mlopsim.compose import Results, Study, load_suite, open_results
from mlopsim.compose.overrides import check_overrides, words_of
from mlopsim.core.errors import ConfigError, LedgerError

SMALL = {"synthetic": {"windows": 16, "rows": 20, "warmup": 4}}
SUITE = """\
# @package _global_
about: "A suite for tests."
track: delivery
tasks:
  - {name: small, stream: {synthetic: {windows: 16, rows: 20, warmup: 4}}}
  - {name: other, learner: naive_bayes, stream: {synthetic: {windows: 16, rows: 20, warmup: 4}}}
methods: [never, periodic]
seeds: 2
delivery: {steps: 0}
"""


@pytest.fixture(scope="module")
def suite_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("presets") / "tiny.yaml"
    path.write_text(SUITE, encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def results(suite_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Results:
    folder = tmp_path_factory.mktemp("results")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MLOPSIM_CACHE", str(folder / "worlds"))
        return load_suite(suite_file).run(folder / "r", executor="serial", progress=False)


def keys(study: Study) -> set[str]:
    return {cell.key for cell in study.grid.cells}


def test_a_suite_from_a_file(suite_file: Path) -> None:
    study = load_suite(suite_file)
    assert study.title == "tiny-v1" and len(study.grid.cells) == 12
    assert study.results_dir == Path("results/local/tiny")
    with pytest.raises(ConfigError, match="no suite at"):
        load_suite(suite_file.parent / "nothing.yaml")


@pytest.mark.parametrize(
    ("words", "given"),
    [
        (["seeds=3"], {"seeds": 3}),
        (["seeds=4,1"], {"seeds": [4, 1]}),
        (["methods=[ks,{periodic: {every: 5}}]"], {"methods": ["ks", {"periodic": {"every": 5}}]}),
        (["methods=ks"], {"methods": ["ks"]}),
        (["tasks=other"], {"tasks": ["other"]}),
        (["deployment.latency=3"], {"overrides": {"deployment.latency": 3}}),
        (["learner=tree", "learner.max_depth=3"], {"overrides": {"learner": "tree", "learner.max_depth": 3}}),
    ],
)
def test_words_and_python_give_the_same(words: list[str], given: dict[str, Any], suite_file: Path) -> None:
    by_word, by_python = load_suite(suite_file, overrides=words), load_suite(suite_file, **given)
    assert keys(by_word) == keys(by_python) != keys(load_suite(suite_file))
    assert by_word.title == by_python.title == "tiny-v1 (modified)"
    assert by_word.grid.config == by_python.grid.config


def test_a_suite_that_the_words_name() -> None:
    assert load_suite(overrides=["suite=drift-quick"]).suite.name == "drift-quick"
    with pytest.raises(ConfigError, match="unknown suite 'quik'; did you mean 'quick'"):
        load_suite("quik")


@pytest.mark.parametrize(
    "value", ["it's", "a, b", "", "true", "x y", "${x}"[1:], 3, 0.5, None, False, ["a", {"b": 1}]]
)
def test_values_are_written_as_hydra_reads_them(value: Any) -> None:
    from hydra.core.override_parser.overrides_parser import OverridesParser

    (word,) = words_of({"about": value})
    assert OverridesParser.create().parse_override(word).value() == value


def test_words_stay_words() -> None:
    assert check_overrides(words_of(["methods=never,ks"])) == ["methods=[never,ks]"]


def test_what_it_gave(results: Results) -> None:
    assert results.title == "tiny-v1" and results.summary is not None and results.summary.complete
    assert len(results.cells) == 12 and set(results.cells["status"]) == {"done"}
    assert results.leaderboard is results.leaderboard
    assert set(results.leaderboard["method"]) == {"never", "periodic", "oracle"}
    assert "quality" in results.curves(results.cells["key"][0])


def test_an_opened_folder_is_the_same(results: Results, tmp_path: Path) -> None:
    again = open_results(results.folder)
    assert again.cells.equals(results.cells) and again.leaderboard.equals(results.leaderboard)
    assert again.summary is None and again.grid == results.grid
    exported = pl.read_parquet(again.export(tmp_path / "cells.parquet"))
    assert exported["key"].to_list() == sorted(results.cells["key"])
    with pytest.raises(LedgerError, match="no ledger in"):
        open_results(tmp_path / "nothing")


def test_the_leaderboard_is_computed_once_and_handed_on(
    results: Results, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = open_results(results.folder)
    calls: list[int] = []
    whole = type(opened.track).leaderboard

    def counted(self: Any, table: Any) -> Any:
        calls.append(1)
        return whole(self, table)

    monkeypatch.setattr(type(opened.track), "leaderboard", counted)
    page = opened.report()
    assert page.is_file() and opened.leaderboard.height == 3
    assert calls == [1]


def test_two_methods_are_compared_on_the_same_scenarios(results: Results) -> None:
    found = results.compare("oracle", "periodic")
    assert found["task"].to_list() == ["small", "other", "all tasks"]
    assert found["tasks"].to_list() == [1, 1, 2] and found["difference_n"].to_list() == [2, 2, 2]
    board = {row["method"]: row["ns"] for row in results.leaderboard.iter_rows(named=True)}
    gap = found.filter(pl.col("task") == "all tasks")["difference"][0]
    assert gap == pytest.approx(board["oracle"] - board["periodic"], abs=1e-12)
    other = results.compare("periodic", "oracle").filter(pl.col("task") == "all tasks")["difference"][0]
    assert other == pytest.approx(-gap, abs=1e-12)
    with pytest.raises(ConfigError, match="no method 'periodc'; did you mean 'periodic'"):
        results.compare("periodc", "never")
    with pytest.raises(ConfigError, match="with itself"):
        results.compare("never", "never")


def test_a_page_that_shows_the_same_is_kept(results: Results) -> None:
    page = results.report()
    before = page.stat().st_mtime_ns
    kept = open_results(results.folder)
    assert kept.report(reuse=True) == page and page.stat().st_mtime_ns == before
    assert kept.leaderboard["method"].to_list() == results.leaderboard["method"].to_list()
    page.write_text("edited", encoding="utf-8")
    open_results(results.folder).report(reuse=True)
    assert page.read_text(encoding="utf-8") != "edited"


def test_mistakes_are_told_when_it_is_made() -> None:
    with pytest.raises(ConfigError, match="no methods"):
        Study(tasks=[{"learner": "ridge"}], methods=[])
    with pytest.raises(ConfigError, match="did you mean 'periodic'"):
        Study(track={"delivery": {"steps": 0}}, tasks=[{}], methods=["periodc"])
    with pytest.raises(ConfigError, match="has no tasks"):
        Study(tasks=[], methods=["never"])


def test_tasks_with_the_same_content_are_one() -> None:
    tasks = [{"stream": SMALL}, {"stream": SMALL, "learner": "ridge"}]
    assert len(Study(track={"delivery": {"steps": 0}}, tasks=tasks, methods=["never"]).suite.tasks) == 1


def test_further_root_keys_are_keywords_of_a_suite() -> None:
    cells = [{"zip": {"task": ["abrupt"], "method": ["ks"]}}]
    keywords = load_suite("quick", split="validation", root=7, cells=cells)
    words = load_suite("quick", overrides={"split": "validation", "root": 7, "cells": cells})
    assert {cell.key for cell in keywords.grid.cells} == {cell.key for cell in words.grid.cells}
    assert keywords.title == words.title and "modified" in keywords.title
    assert keywords.grid.digest == words.grid.digest
    usual = load_suite("quick", cells=cells).grid.cells
    assert not {cell.key for cell in usual} & {cell.key for cell in keywords.grid.cells}
    with pytest.raises(ConfigError, match="split"):
        load_suite("quick", split="tets")


def test_cells_of_a_suite_go_with_tasks_and_seeds_that_are_replaced() -> None:
    def found(tasks: Any, seeds: Any = None, **given: Any) -> set[tuple[str, int]]:
        study = load_suite("fairness-paper", tasks=tasks, seeds=seeds, methods=["flip"], **given)
        return {(cell.task.name, cell.seed) for cell in study.grid.cells}

    # the suite has 20 seeds of gradient boosting, by the end of the name; of ridge all
    assert found(["no bias / ridge", "no bias / gbm"], [1, 30]) == {
        ("no bias / ridge", 1),
        ("no bias / ridge", 30),
        ("no bias / gbm", 1),
    }
    mine = {"name": "mine", "stream": {"population": {}}, "learner": "ridge", "every": 0}
    with pytest.raises(ConfigError, match="say nothing of the task 'mine'") as error:
        found([mine], 2)
    assert error.value.remedy is not None and "cells=[]" in error.value.remedy
    assert found([mine], 2, cells=[]) == {("mine", 0), ("mine", 1)}
    with pytest.raises(ConfigError, match="say nothing of the seed '20'"):
        found(["no bias / gbm"], 21)
