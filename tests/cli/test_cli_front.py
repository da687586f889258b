"""``mlopsim front``: tables and figures of the front; what has none is one message."""

from __future__ import annotations

import json
from pathlib import Path

import polars as pl
import pytest
from cli_kit import Bench, mlopsim

SMALL = "{population: {windows: 14, per_group: 30, warmup: 4, bias: label_bias, timing: {step: {at: 7}}}}"
WORDS = (
    "track=governance",
    f"tasks=[{{name: a $1$ task, stream: {SMALL}}}]",
    "methods=[none]",
    "governance.steps=0",
    "governance.prices=[0,0.3]",
    "seeds=2",
    "executor=serial",
)


@pytest.mark.slow
def test_a_suite_or_a_folder_becomes_places_bounds_and_figures(tmp_path: Path) -> None:
    ran = mlopsim("front", *WORDS, f"results={tmp_path / 'own'}")
    assert ran.code == 0, ran.err
    assert "a $1$ task" in ran.out and "suspend_always" in ran.out
    folder = tmp_path / "own" / "front"
    places, bounds = (pl.read_csv(folder / name) for name in ("places.csv", "bounds.csv"))
    assert set(places["method"]) == {"never", "none", "suspend_always", "optimum"}
    assert bounds["price"].to_list() == [0.0, 0.3] and bounds["gap"].min() >= -1e-9
    (picture,) = folder.glob("*.svg")
    assert picture.with_suffix(".png").read_bytes()[:4] == b"\x89PNG"

    again = mlopsim("front", tmp_path / "own", "--out", tmp_path / "other", "--task", "a $1$ task")
    assert again.code == 0, again.err
    assert (tmp_path / "other" / "places.csv").read_bytes() == (folder / "places.csv").read_bytes()
    kept = (folder / "places.csv").stat().st_mtime_ns
    for words in ((), ("--out", tmp_path / "other")):
        taken = mlopsim("front", tmp_path / "own", *words)
        assert taken.code == 2 and "places.csv exists" in taken.err and "--force" in taken.err
    assert (folder / "places.csv").stat().st_mtime_ns == kept
    over = mlopsim("front", tmp_path / "own", "--force")
    assert over.code == 0 and (folder / "places.csv").stat().st_mtime_ns > kept, over.err
    # JSON alone writes nothing, so nothing is in its way
    printed = mlopsim("front", tmp_path / "own", "--json")
    told = json.loads(printed.out)
    assert printed.code == 0 and told["folder"] is None and told["without"] == {}
    assert [row["price"] for row in told["bounds"]] == [0.0, 0.3]
    assert [row["method"] for row in told["places"]] == places["method"].to_list()
    wrong = mlopsim("front", tmp_path / "own", "--json", "--task", "a $2$ task")
    assert wrong.code == 2 and "have no task 'a $2$ task'; did you mean 'a $1$ task'?" in wrong.err


def test_what_has_no_front_is_said_before_work(done: Bench) -> None:
    for words in (("front", done.results), ("front", "suite=quick")):
        ended = mlopsim(*words)
        assert ended.code == 2 and ended.err.count("error: ") == 1, ended.err
        assert (
            "track/delivery knows no front" in ended.err
            and "remedy: a suite of the track governance" in ended.err
        )
    both = mlopsim("front", "suite=quick", "--grid", "abc")
    assert both.code == 2 and "a grid is that of a results folder" in both.err
