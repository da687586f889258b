"""Sweeps: the same keys from every door, and as if each value had been given alone."""

from __future__ import annotations

import math
import re
from pathlib import Path
from typing import Any, cast

import numpy as np
import polars as pl
import pytest

from mlopsim.compose import Results, Study, load_suite, open_results
from mlopsim.compose.compose import compose_bench
from mlopsim.compose.sweep import Recipe, Sweep, read_sweep
from mlopsim.core.errors import ConfigError
from mlopsim.core.registry import find
from mlopsim.core.section import Unavailable
from mlopsim.tracks.sections.sweep import Sweep as SweepSection
from mlopsim.tracks.table_results import TableResults

SMALL = {"synthetic": {"windows": 16, "rows": 20, "warmup": 4}}
UNTUNED = {"delivery": {"steps": 0}}


def study(**more: Any) -> Study:
    tasks = [{"name": "small", "stream": SMALL}, {"name": "other", "stream": SMALL, "learner": "naive_bayes"}]
    given: dict[str, Any] = {
        "track": UNTUNED,
        "tasks": tasks,
        "methods": ["periodic", "ks"],
        "seeds": 2,
        **more,
    }
    return Study(**given)


def keys(made: Study) -> set[str]:
    return {cell.key for cell in made.grid.cells}


def names(items: Any) -> list[str]:
    return [item.name for item in items]


def test_command_line_yaml_and_python_give_the_same_keys(tmp_path: Path) -> None:
    words = ["sweep.deployment.latency=[1,2,4]", "sweep.deployment.label_delay=0,3,6", "seeds=5"]
    by_word = load_suite("quick", overrides=words)
    path = tmp_path / "mine.yaml"
    path.write_text(
        "# @package _global_\ndefaults: [quick, _self_]\nseeds: 5\n"
        "sweep: {deployment.latency: [1, 2, 4], deployment: {label_delay: [0, 3, 6]}}\n",
        encoding="utf-8",
    )
    by_yaml = load_suite(path)
    by_python = load_suite("quick", seeds=5).sweep(
        {"deployment.latency": [1, 2, 4], "deployment.label_delay": [0, 3, 6]}
    )
    assert keys(by_word) == keys(by_yaml) == keys(by_python)
    assert len(by_word.grid.cells) == 9 * len(load_suite("quick", seeds=5).grid.cells)
    assert by_word.title == by_python.title == f"{load_suite('quick').title} (modified)"
    assert "modified" not in by_yaml.title
    task = by_word.suite.tasks[0]
    assert task.name == "abrupt, latency=1, label_delay=0"
    assert (task.attributes["deployment.latency"], task.attributes["deployment.label_delay"]) == (1, 0)
    assert {job.key for job in by_word.grid.fits} == {job.key for job in by_python.grid.fits}


@pytest.mark.parametrize(
    ("key", "values"),
    [
        ("deployment.latency", [1, 4]),
        ("learner", ["ridge", {"tree": {"max_depth": 3}}]),
        ("stream.windows", [16, 20]),
        ("delivery.reaction", [5, 10]),
        ("delivery.steps", [1000, 2000]),
    ],
)
def test_a_point_is_what_the_override_would_give(key: str, values: list[Any]) -> None:
    swept = study().sweep(key, values)
    head, _, rest = key.partition(".")
    each = set()
    for value in values:
        if head == "delivery":
            alone = study(track={"delivery": {"steps": 0, rest: value}})
        elif rest:
            alone = study(tasks=[_with(entry, head, rest, value) for entry in study().tasks])
        else:
            alone = study(tasks=[{**entry, head: value} for entry in study().tasks])
        each |= keys(alone)
    assert keys(swept) == each
    shown = {t.attributes.get(key) for t in swept.suite.tasks} | {
        m.attributes.get(key) for m in swept.suite.methods
    }
    assert shown - {None} == {"tree(max_depth=3)" if isinstance(v, dict) else v for v in values}
    # a name is one thing
    for items in (swept.suite.tasks, swept.suite.methods):
        assert len({(item.name, item.digest) for item in items}) == len(items)
    places = [(cell.task.name, cell.method.name, cell.seed) for cell in swept.grid.cells]
    assert len(set(places)) == len(places)


def _with(entry: Any, part: str, name: str, value: Any) -> dict[str, Any]:
    spec = entry.get(part, "standard")
    known, params = (spec, {}) if isinstance(spec, str) else next(iter(spec.items()))
    return {**entry, part: {known: {**params, name: value}}}


def test_parameters_of_methods() -> None:
    swept = study().sweep("methods.periodic.every", [2, 5, 10])
    assert set(names(swept.suite.methods)) == {
        *("never", "oracle", "ks"),
        *(f"periodic(every={n})" for n in (2, 5, 10)),
    }
    assert names(swept.suite.tasks) == ["small", "other"]
    by_name = {method.name: method.attributes for method in swept.suite.methods}
    assert by_name["periodic(every=5)"]["methods.periodic.every"] == 5
    assert by_name["periodic(every=5)"]["swept_from"] == "periodic"
    assert "methods.periodic.every" not in by_name["ks"]
    every = [*({"periodic": {"every": n}} for n in (2, 5, 10)), "ks"]
    assert keys(swept) == keys(study(methods=every))


@pytest.mark.parametrize("values", [[True, False], [False, True]])
def test_a_setting_may_add_methods(values: list[bool]) -> None:
    swept = study().sweep({"delivery.ladder": values, "methods.periodic.every": [2, 5]})
    alone = [
        study(
            methods=[{"periodic": {"every": every}}, "ks"], track={"delivery": {"steps": 0, "ladder": ladder}}
        )
        for ladder in values
        for every in (2, 5)
    ]
    assert keys(swept) == set().union(*map(keys, alone))
    usual = {"never", "ks", "oracle", "periodic(every=2)", "periodic(every=5)"}
    attributes = {method.name: method.attributes for method in swept.suite.methods}
    added = {name: found for name, found in attributes.items() if name not in usual}
    assert len(added) == len(alone[0].suite.methods) + len(alone[2].suite.methods) - 8 > 0
    for name, found in added.items():
        assert name.endswith(", ladder=true") and found["delivery.ladder"] is True
        assert found["swept_from"] == name.removesuffix(", ladder=true")
    assert all("delivery.ladder" not in attributes[name] for name in usual)


def test_the_audits_of_a_sweep_with_and_without_rules_of_thumb() -> None:
    track = find("track", "fairness")
    given = {"track": {"fairness": track.smallest.get("settings", {})}, "tasks": track.smallest["tasks"]}
    one = Study(**given, methods=["demographic_parity"], seeds=1)
    swept = one.sweep("fairness.rules", [True, False])
    ruled = [method for method in swept.suite.methods if "@rule" in method.name]
    assert ruled and all(method.attributes["fairness.rules"] is True for method in ruled)


def test_values_of_several_keys_in_pairs() -> None:
    both = {"deployment.latency": [1, 4], "methods.periodic.every": [2, 10]}
    assert len(study().sweep(both, zipped=True).grid.cells) < len(study().sweep(both).grid.cells)
    read = compose_bench(["suite=quick", "sweep.a.b=1,2", "sweep.zip=true"]).config.sweep
    assert read_sweep(read) == Sweep(values={"a.b": [1, 2]}, zipped=True)
    with pytest.raises(ConfigError, match="lists of one length, got a 2, b 3"):
        Sweep(values={"a": [1, 2], "b": [1, 2, 3]}, zipped=True)


@pytest.mark.parametrize(
    ("key", "values", "message"),
    [
        ("deployment.latncy", [1, 2], "no parameter 'latncy'; did you mean 'latency'"),
        ("deploymnt.latency", [1, 2], "cannot be swept; did you mean 'deployment'"),
        ("methods.periodc.every", [1, 2], "no method 'periodc'; did you mean 'periodic'"),
        ("delivery.reacton", [1, 2], "did you mean 'reaction'"),
        ("delivery.reaction", [0, 2], r"must be in \[1"),
        ("seeds", [5, 10], "'seeds' cannot be swept"),
        ("deployment.latency", [2], "nothing to compare"),
        ("deployment.latency", [2, 2], "a value twice"),
        ("deployment.latency", 2, "must be a list"),
        ("delivery.scenarios", [10, 20], "no effect on any cell"),
        ("signal", ["iid", "model"], "cannot be swept"),
        ("learner", [], "has no values"),
        ({}, None, "no keys to sweep"),
    ],
)
def test_mistakes_are_named(key: str, values: Any, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        study().sweep(key, values)


@pytest.mark.parametrize(
    "word", ["sweep=5", "sweep={a: [1,2]}", "sweep.=1,2", "sweep.x=[a", "sweep.x=range(1,3)", "sweep.zip=3"]
)
def test_words_that_are_no_sweep_are_refused(word: str) -> None:
    with pytest.raises(ConfigError, match="remedy"):
        compose_bench(["suite=quick", word])


def test_pairs_without_keys_are_refused_at_every_door(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text("# @package _global_\ndefaults: [quick, _self_]\nsweep: {zip: true}\n", encoding="utf-8")
    for make in (
        lambda: load_suite("quick", overrides=["sweep.zip=true"]),
        lambda: load_suite(path),
        lambda: Sweep(zipped=True),
    ):
        with pytest.raises(ConfigError, match=r"(?s)no key is swept.*remedy: add sweep\.KEY"):
            make()
    with pytest.raises(ConfigError, match=r"(?s)lists of one length.*remedy: give each key"):
        Sweep(values={"a": [1, 2], "b": [1, 2, 3]}, zipped=True)
    with pytest.raises(ConfigError, match=r"(?s)true or false.*remedy: write sweep\.zip=true"):
        compose_bench(["suite=quick", "sweep.zip=maybe"])


def test_a_list_in_a_preset_is_no_sweep(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text("# @package _global_\ndefaults: [quick, _self_]\nsweep: [1, 2]\n", encoding="utf-8")
    with pytest.raises(ConfigError, match="sweep must be a mapping of keys to lists") as caught:
        load_suite(path)
    assert "ConfigTypeError" not in str(caught.value)


@pytest.mark.parametrize("values", [np.array([1, 4]), [np.int64(1), 4], (1, 4), range(1, 5, 3)])
def test_values_of_numpy_are_numbers(values: Any) -> None:
    assert keys(study().sweep("deployment.latency", values)) == keys(
        study().sweep("deployment.latency", [1, 4])
    )
    with pytest.raises(ConfigError, match="must be a list"):
        study().sweep("deployment.latency", np.eye(2))


def test_entries_that_a_value_makes_the_same_are_refused() -> None:
    two = study(methods=["periodic", {"periodic": {"every": 5}}])
    with pytest.raises(ConfigError, match=r"(?s)sets all 2 entries of 'periodic'.*list it in methods="):
        two.sweep("methods.periodic.every", [3, 6])
    apart = study(methods=[{"on_alarm": {"detector": "ddm"}}, {"on_alarm": {"detector": "adwin"}}])
    assert len(apart.sweep("methods.on_alarm.wait", [1, 2]).suite.methods) == 6


def test_the_remedy_of_a_track_without_parts_names_what_it_has() -> None:
    class Bare:
        name, parts = "bare", {}

    with pytest.raises(ConfigError, match=r"remedy: keys: tasks\.ENTRY, bare\.SETTING"):
        Recipe(track=cast(Any, Bare()), tasks=[], methods=["a"]).at({"learner": "ridge"})


def test_several_values_of_a_plain_key_advise_a_sweep() -> None:
    with pytest.raises(ConfigError, match=r"(?s)takes one value.*sweep\.deployment\.latency=\[") as caught:
        compose_bench(["suite=quick", "deployment.latency=1,2,4"])
    assert "multirun" not in str(caught.value)
    for word in ("deployment.latency=[1,2,4]", "delivery.reaction=[1,2,4]"):
        advice = rf"(?s)takes one value.*write sweep\.{re.escape(word)} to"
        with pytest.raises(ConfigError, match=advice):
            compose_bench(["suite=quick", word])
    with pytest.raises(ConfigError, match="given one value and swept"):
        compose_bench(["suite=quick", "deployment.latency=1", "sweep.deployment.latency=1,2"])
    with pytest.raises(ConfigError, match="given twice"):
        compose_bench(["suite=quick", "sweep.deployment.latency=1,2", "sweep.deployment.latency=1,2"])


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Results:
    folder = tmp_path_factory.mktemp("sweep")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MLOPSIM_CACHE", str(folder / "worlds"))
        first = study().sweep("deployment.latency", [1, 2])
        first.run(folder / "r", executor="serial", progress=False)
        return (
            study()
            .sweep("deployment.latency", [1, 2, 4])
            .run(folder / "r", executor="serial", progress=False)
        )


def test_an_added_value_computes_only_its_cells(results: Results) -> None:
    assert results.summary is not None
    counts = results.summary.counts
    assert (counts.total, counts.cached, counts.done) == (48, 32, 16)
    assert results.cells["deployment.latency"].value_counts().sort("deployment.latency").rows() == [
        (1, 16),
        (2, 16),
        (4, 16),
    ]
    assert results.sweep == {"deployment.latency": [1, 2, 4]}


def test_the_report_draws_the_score_along_the_values(results: Results) -> None:
    section = SweepSection().make(open_results(results.folder))
    assert section is not None and list(section.figures) == ["NS along deployment.latency"]
    found = section.table.filter(pl.col("method") == "periodic").sort("deployment.latency")
    at_four = results.cells.filter(pl.col("deployment.latency") == 4)
    board = {row["method"]: row["ns"] for row in results.track.leaderboard(at_four).iter_rows(named=True)}
    assert found["ns"].to_list()[-1] == board["periodic"]
    assert found["deployment.latency"].to_list() == [1, 2, 4] and set(found["ns_n"]) == {2}


def test_what_pools_swept_values_says_so(results: Results) -> None:
    from click.testing import CliRunner

    from mlopsim.cli.commands.compare import command as compare
    from mlopsim.cli.commands.report import command as report

    said = "pools the swept values of {}; the section Sweep of the report has each by itself."
    section = find("section", "delivery-leaderboard")().make(open_results(results.folder))
    assert f"Each row {said.format('`deployment.latency`')}" in section.text
    compared = CliRunner().invoke(compare, [str(results.folder), "periodic", "ks"], catch_exceptions=False)
    assert f"The row 'all tasks' {said.format('deployment.latency')}" in compared.output
    reported = CliRunner().invoke(report, [str(results.folder)], catch_exceptions=False)
    assert f"Each row {said.format('deployment.latency')}" in reported.output
    plain = TableResults(track=results.track, cells=results.cells, read=results.curves)
    assert "swept" not in find("section", "delivery-leaderboard")().make(plain).text


def test_the_terminal_says_what_rows_pool(capsys: pytest.CaptureFixture[str]) -> None:
    from mlopsim.cli.terminal_tables import print_leaderboard

    board = pl.DataFrame({"method": ["a"], "ns": [0.5], "ns_low": [0.4], "ns_high": [0.6], "ns_n": [3]})
    print_leaderboard(board, "t", "Each row pools the swept values of latency.")
    assert "Each row pools the swept values of latency." in capsys.readouterr().out


@pytest.mark.parametrize("track", ["drift", "fairness", "quality"])
def test_every_leaderboard_says_what_it_pools(track: str) -> None:
    from mlopsim.checks.small_run import small_run

    small = small_run(find("track", track)).results
    cells = small.cells.with_columns((pl.int_range(pl.len()) % 2).alias("swept.key"))
    found = TableResults(track=small.track, cells=cells, read=small.curves, sweep={"swept.key": [0, 1]})
    section = find("section", f"{track}-leaderboard")().make(found)
    assert "Each row pools the swept values of `swept.key`" in section.text
    assert "swept values" not in find("section", f"{track}-leaderboard")().make(small).text


def test_settings_of_a_track_are_those_of_the_cell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is swept of a track reaches the numbers, though a grid stores one track."""
    monkeypatch.setenv("MLOPSIM_CACHE", str(tmp_path / "worlds"))
    swept = study(seeds=1).sweep("delivery.reaction", [1, 12])
    together = swept.run(tmp_path / "r", executor="serial", progress=False).cells
    for value in (1, 12):
        alone = study(seeds=1, track={"delivery": {"steps": 0, "reaction": value}})
        apart = alone.run(tmp_path / str(value), executor="serial", progress=False).cells
        columns = ["key", "return", "detection", "precision"]
        own = together.filter(pl.col("delivery.reaction") == value).select(columns).sort("key")
        assert own.equals(apart.select(columns).sort("key"), null_equal=True)


def swept_table(**more: Any) -> TableResults:
    """Cells of two keys, made by hand; the track says how they are summed up."""
    rows = [
        {"task": f"t, a={a}, b={b}", "method": name, "seed": seed, "status": "done", "a": a, "b": b,
         "swept_from": name, "return": value + a}
        for a in (1, 2) for b in (0, 5) for seed in range(3)
        for name, value in (("never", 0.0), ("ks", 0.5))
    ]  # fmt: skip
    sweep = {"a": [1, 2], "b": [0, 5]}
    given = {"cells": pl.DataFrame(rows), "sweep": sweep, "track": find("track", "delivery")(steps=0), **more}
    return TableResults(read=lambda key: {}, **given)


def with_board(results: TableResults, **columns: Any) -> TableResults:
    track: Any = results.track
    track.leaderboard = lambda table: pl.DataFrame({"method": ["ks"]}).with_columns(
        ns=pl.lit(table["return"].max()), **columns
    )
    return results


ENDS = {"ns_low": pl.lit(0.4), "ns_high": pl.lit(0.6), "ns_n": pl.lit(3), "ns_reason": pl.lit("")}


def test_two_keys_are_heat_maps_and_nothing_swept_is_no_section() -> None:
    section = SweepSection().make(with_board(swept_table(), **ENDS))
    assert section is not None and list(section.figures) == ["ks: NS"]
    assert section.table.select("a", "b", "ns").rows() == [(1, 0, 1.5), (1, 5, 1.5), (2, 0, 2.5), (2, 5, 2.5)]
    assert SweepSection().make(with_board(swept_table(sweep={}), **ENDS)) is None


def test_pairs_are_one_curve() -> None:
    section = SweepSection().make(with_board(swept_table(zipped=True), **ENDS))
    assert section is not None and list(section.figures) == ["NS along a, b"]
    axes = section.figures["NS along a, b"].axes[0]
    assert [tick.get_text() for tick in axes.get_xticklabels()] == ["1, 0", "2, 5"]
    assert section.table.select("a", "b", "ns").rows() == [(1, 0, 1.5), (2, 5, 2.5)]


def test_a_score_without_interval_is_a_line_without_band() -> None:
    results = with_board(swept_table(sweep={"a": [1, 2]}))
    section = SweepSection().make(results)
    assert section is not None and section.table.columns == ["a", "method", "ns"]
    axes = section.figures["NS along a"].axes[0]
    assert axes.lines and not axes.collections


def test_a_point_without_the_score_is_undefined_with_a_reason() -> None:
    results = with_board(swept_table(sweep={"a": [1, 2]}))
    whole = results.track.leaderboard
    results.track.leaderboard = lambda table: (  # type: ignore[method-assign]
        whole(table) if 2 in table["a"] else pl.DataFrame({"method": ["ks"]})
    )
    section = SweepSection().make(results)
    assert section is not None
    rows = {(row["a"], row["method"]): row for row in section.table.iter_rows(named=True)}
    assert math.isnan(rows[1, "ks"]["ns"]) and "no 'ns'" in rows[1, "ks"]["ns_reason"]
    assert rows[2, "ks"]["ns"] == 2.5
    # the value that is alone is seen
    (line,) = section.figures["NS along a"].axes[0].lines
    assert line.get_marker() == "o" and list(line.get_xdata()) == [1, 2]
    results.track.leaderboard = lambda table: pl.DataFrame({"method": ["ks"]})  # type: ignore[method-assign]
    with pytest.raises(Unavailable, match="no leaderboard"):
        SweepSection().make(results)


def test_a_value_that_only_removes_methods_is_a_point() -> None:
    """What both values have stands at both, though no cell has the second as its own."""
    cells = swept_table().cells.filter(pl.col("b") == 0)
    shared = cells.filter(pl.col("a") == 1).with_columns(a=pl.lit(None, dtype=pl.Int64))
    added = cells.filter(pl.col("a") == 2, pl.col("method") == "ks")
    section = SweepSection().make(
        with_board(swept_table(cells=pl.concat([shared, added]), sweep={"a": [2, 1]}))
    )
    assert section is not None and section.table["a"].to_list() == [2, 1]
    assert section.table["ns"].to_list() == [2.5, 1.5]
