"""From words on the command line to a config."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from cli_kit import Bench, mlopsim

from mlopsim.compose import load_suite
from mlopsim.compose.compose import compose_bench
from mlopsim.core import registry
from mlopsim.core.errors import ConfigError

TINY = {"windows": 16, "rows": 20, "warmup": 4}


def built(bench: Bench, *words: str) -> Any:
    return load_suite("tiny", overrides=words, conf=[bench.conf]).suite


def parts(suite: Any, kind: str) -> list[dict[str, Any]]:
    return [task.part[kind]["params"] for task in suite.tasks]


def names(items: list[Any]) -> list[str]:
    return [item.name for item in items]


def test_as_it_is(bench: Bench) -> None:
    suite = built(bench)
    assert suite.title == "tiny-v1"
    assert names(suite.tasks) == ["small", "other"]
    assert names(suite.methods) == ["never", "periodic", "oracle"]
    assert suite.seeds == [0, 1]
    assert suite.track["params"]["steps"] == 0


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("methods=ks,periodic", ["never", "ks", "periodic", "oracle"]),
        ("methods=[ks,periodic]", ["never", "ks", "periodic", "oracle"]),
        ("methods=ks", ["never", "ks", "oracle"]),
        ("methods=[ks,{periodic: {every: 5}}]", ["never", "ks", "periodic(every=5)", "oracle"]),
        ("methods=ks,{periodic: {every: 5}}", ["never", "ks", "periodic(every=5)", "oracle"]),
        ("methods=selector/ks", ["never", "ks", "oracle"]),
    ],
)
def test_lists_of_methods(bench: Bench, word: str, expected: list[str]) -> None:
    suite = built(bench, word)
    assert names(suite.methods) == expected
    assert suite.title == "tiny-v1 (modified)"


def test_seeds_as_a_number_or_a_list(bench: Bench) -> None:
    assert built(bench, "seeds=3").seeds == [0, 1, 2]
    assert built(bench, "seeds=[7,3]").seeds == [7, 3]


@pytest.mark.parametrize(
    "word", ["workers=1", "executor=serial", "results=x", "timeout=5", "on_error=stop", "retry_failed=false"]
)
def test_what_changes_no_number_leaves_the_suite_as_it_is(bench: Bench, word: str) -> None:
    assert built(bench, word).title == "tiny-v1"


def test_a_group_pins_the_part_of_every_task(bench: Bench) -> None:
    suite = built(bench, "learner=lda")
    assert [task.part["learner"]["name"] for task in suite.tasks] == ["lda", "lda"]
    # the suite's own names might speak of the learners that they had
    assert all("lda" in name for name in names(suite.tasks))


@pytest.mark.parametrize("word", ["learner.params.C=3", "learner.params={C: 3}"])
def test_settings_that_take_any_keys_take_them(bench: Bench, word: str) -> None:
    path = "learner.path=sklearn.linear_model.LogisticRegression"
    composed = compose_bench(["suite=tiny", "learner=sklearn", path, word], conf=[bench.conf])
    assert composed.pins["learner"]["sklearn"]["params"] == {"C": 3}


def test_a_pinned_stream_joins_equal_tasks(bench: Bench) -> None:
    suite = built(bench, "stream=synthetic", "stream.windows=16", "stream.warmup=4", "learner=ridge")
    assert len(suite.tasks) == 1
    assert suite.tasks[0].part["stream"]["params"]["windows"] == 16
    assert len(built(bench, "stream=synthetic").tasks) == 2


def test_parameters_of_the_deployment_merge_into_every_task(bench: Bench) -> None:
    bench.preset(
        "suite/two",
        "# @package _global_\ntrack: delivery\nmethods: [never]\nseeds: 1\ndelivery: {steps: 0}\ntasks:\n"
        "  - {name: a, deployment: {standard: {slots: 2, latency: 1}}}\n  - {name: b}\n",
    )
    suite = load_suite("two", overrides=["deployment.latency=7"], conf=[bench.conf]).suite
    assert names(suite.tasks) == ["a", "b"]
    assert [(p["slots"], p["latency"]) for p in parts(suite, "deployment")] == [(2, 7), (4, 7)]


def test_a_named_deployment_replaces_it(bench: Bench) -> None:
    suite = built(bench, "deployment=standard", "deployment.latency=7")
    assert {(p["slots"], p["latency"]) for p in parts(suite, "deployment")} == {(4, 7)}


def test_settings_of_the_track(bench: Bench) -> None:
    suite = built(bench, "delivery.reaction=5", "delivery.ladder=true")
    assert suite.track["params"]["reaction"] == 5
    assert len(suite.methods) > 3


def test_tasks_by_name_and_anew(bench: Bench) -> None:
    assert names(built(bench, "tasks=other").tasks) == ["other"]
    suite = built(bench, "tasks=[other,{name: new, stream: {synthetic: {windows: 20}}}]")
    assert names(suite.tasks) == ["other", "new"]


def test_zipped_cells(bench: Bench) -> None:
    ended = bench("--dry-run", "cells=[{zip: {task: [small, other], method: [never, periodic]}}]")
    assert ended.code == 0
    assert "4 cells" in ended.out


def test_presets_of_ones_own(bench: Bench) -> None:
    bench.preset("stream/mine", "defaults: [synthetic, _self_]\nwindows: 16\nwarmup: 4\nrows: 20\n")
    bench.preset("stream/longer", "defaults: [mine, _self_]\nwindows: 24\n")
    bench.preset("deployment/slow", "defaults: [standard, _self_]\nlatency: 6\n")
    first = parts(built(bench, "stream=mine", "stream.rows=30"), "stream")[0]
    assert (first["windows"], first["rows"], first["warmup"]) == (16, 30, 4)
    second = parts(built(bench, "stream=longer"), "stream")[0]
    assert (second["windows"], second["rows"], second["warmup"]) == (24, 20, 4)
    slow = parts(built(bench, "deployment=slow", "deployment.slots=2"), "deployment")[0]
    assert (slow["latency"], slow["slots"]) == (6, 2)


def test_a_preset_of_a_file(bench: Bench) -> None:
    rows = "".join(f"{i % 10},{i % 3 % 2}\n" for i in range(400))
    data = bench.folder / "mine.csv"
    data.write_text("x,target\n" + rows, encoding="utf-8")
    bench.preset("stream/mine", f"defaults: [file, _self_]\npath: {data}\nlabel: target\nwindows: 20\n")
    ended = bench("stream=mine", "--no-report")
    assert ended.code == 0, ended.err
    assert set(bench.cells()["status"]) == {"done"}


def test_mistakes_in_presets_are_named(bench: Bench) -> None:
    bench.preset("stream/mine", "defaults: [synthetic, _self_]\nwindwos: 16\n")
    ended = bench("stream=mine", "--dry-run")
    assert ended.code == 2
    assert "windwos" in ended.err
    bench.preset("suite/wrong", "# @package _global_\ntrack: delivery\nmethdos: [never]\n")
    ended = mlopsim("bench", "suite=wrong", "--conf", bench.conf, "--dry-run")
    assert ended.code == 2
    assert "methdos" in ended.err
    ended = bench("stream=mien", "--dry-run")
    assert "did you mean 'mine'?" in ended.err


def test_no_folder_of_ones_own(bench: Bench) -> None:
    with pytest.raises(ConfigError, match="no folder"):
        compose_bench([], conf=[bench.folder / "nowhere"])


@pytest.mark.parametrize("name", ["a b", "it's (1), x=2", "größe [cm]"])
def test_presets_may_lie_in_a_folder_of_any_name(name: str, bench: Bench) -> None:
    place = bench.conf.rename(bench.folder / name)
    assert compose_bench(["suite=tiny"], conf=[place]).suite == "tiny"


def test_the_printed_config_is_complete_and_readable(bench: Bench) -> None:
    from omegaconf import OmegaConf

    ended = bench("--print-config", "deployment.latency=4", "seeds=[1,2]")
    assert ended.code == 0
    tree = OmegaConf.create(ended.out)
    assert tree.seeds == [1, 2]
    assert tree.deployment.latency == 4
    assert tree.suite == "tiny"
    assert not (bench.results / "ledger.sqlite").exists()


def test_every_suite_of_the_package_builds() -> None:
    from mlopsim.compose.compose import conf_folder

    found = sorted(path.stem for path in (conf_folder() / "suite").glob("*.yaml"))
    assert "quick" in found
    for name in found:
        study = load_suite(name)
        # test_cli_discovery lays the cells out, of one seed
        assert study.title == f"{name}-v{study.suite.version}"


def test_a_part_that_is_registered_anew_has_its_own_defaults() -> None:
    def depth_of(default: int) -> Any:
        @registry.register("learner", "planted")
        @dataclass(kw_only=True)
        class Planted:
            """Trains nothing."""

            depth: int = default

        try:
            return compose_bench(["suite=quick", "learner=planted"]).pins["learner"]["planted"]["depth"]
        finally:
            registry.unregister("learner", "planted")

    assert [depth_of(3), depth_of(4)] == [3, 4]


def test_a_dry_run_leaves_nothing_behind(bench: Bench) -> None:
    before = sorted(Path(bench.folder).rglob("*"))
    ended = bench("--dry-run")
    assert ended.code == 0
    assert "12 cells (0 cached)" in ended.out
    assert "nothing was run" in ended.out
    assert sorted(Path(bench.folder).rglob("*")) == before


@pytest.mark.parametrize(
    "text",
    ["a=b", "my folder (1)", "a,b", "é/ü.csv", "it's", 'a"b', "50%", "#x", "~/x", "C:\\x\\", "12", "x: y"],
)
def test_texts_are_taken_as_they_stand(text: str) -> None:
    words = ["suite=quick", f"results={text}", "stream=file", f"stream.path={text}", f"stream.drop={text}"]
    composed = compose_bench(words)
    assert composed.config.results == text
    params = composed.pins["stream"]["file"]
    assert params["path"] == text and params["drop"] == text.split(",")


@pytest.mark.parametrize(
    "word",
    [
        "results=[a",
        "workers=1,2",
        "seeds=range(3)",
        "seeds=choice(1,2)",
        "suite=a,b",
        "stream=nan",
        "training=true",
        "+seeds=3",
        "++seeds=3",
        "deployment.nothing=1",
        "methods=[{never]",
        "stream.drop=[é]",
    ],
)
def test_advice_is_ours(word: str) -> None:
    extra = ["stream=file"] if word.startswith("stream.") else []
    with pytest.raises(ConfigError) as caught:
        compose_bench([*extra, word])
    text = str(caught.value)
    assert "remedy: " in text
    assert not re.search(r"multirun|\+|struct|[Hh]ydra|override '", text.replace(f"'{word}'", "")), text


def test_lists_of_texts_and_of_seeds_need_no_brackets() -> None:
    assert compose_bench(["seeds=1,2"]).config.seeds == [1, 2]
    quoted = compose_bench(["stream=file", "stream.path=x", "stream.drop=['a, b','é']"])
    assert quoted.pins["stream"]["file"]["drop"] == ["a, b", "é"]


@pytest.mark.parametrize(
    "name", ["age", "speed [rpm]", "it's, so", "a\\'b\\", "null", "Größe", "7", 'q"q', "a: b"]
)
def test_lists_in_remedies_can_be_copied(name: str) -> None:
    from mlopsim.cli.data_file_options import in_options
    from mlopsim.core.errors import DataError
    from mlopsim.streams.files.columns import option

    given = compose_bench(["stream=file", "stream.path=x", f"stream.{option('drop', name, 'b')}"])
    assert given.pins["stream"]["file"]["drop"] == [name, "b"]
    with pytest.raises(DataError) as caught, in_options():
        raise DataError("a gap", remedy=f"{option('drop', name, 'b')} (leave them out)")
    words = shlex.split((caught.value.remedy or "").removesuffix(" (leave them out)"))
    assert words == ["--drop", name, "--drop", "b"]
