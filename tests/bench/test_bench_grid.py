import time
from typing import Any

import pytest
from bench_kit import suite, toy

from mlopsim.bench.grid import Grid, expand
from mlopsim.bench.suite import Suite
from mlopsim.core.digest import digest
from mlopsim.core.errors import ConfigError
from mlopsim.core.track import Cell, FitJob, Method, Metric, Task


def points(cells: Any, methods: tuple[str, ...] = ("x", "y", "z")) -> list[tuple[str, str, int]]:
    track = toy()
    grid = expand(suite(track, methods, seeds=2, cells=cells), track)
    return [(cell.task.name, cell.method.name, cell.seed) for cell in grid.cells]


def test_without_cells_it_is_the_product_in_the_suites_order() -> None:
    assert points(()) == [(t, m, s) for t in "ab" for m in "xyz" for s in (0, 1)]


def test_entries_are_products_zips_and_their_union() -> None:
    assert points([{"task": "a", "seed": [1]}]) == [("a", "x", 1), ("a", "y", 1), ("a", "z", 1)]
    assert points([{"zip": {"task": ["a", "b"], "method": ["x", "z"]}, "seed": 0}]) == [
        ("a", "x", 0),
        ("b", "z", 0),
    ]
    assert points([{"zip": {"method": ["x", "y"], "seed": [0, 1]}, "task": "b"}]) == [
        ("b", "x", 0),
        ("b", "y", 1),
    ]
    assert points([{"zip": {"task": ["a"], "method": ["x"], "seed": [1]}}, {"task": "b", "method": "y"}]) == [
        ("a", "x", 1),
        ("b", "y", 0),
        ("b", "y", 1),
    ]


def test_a_star_stands_for_all_names_that_match() -> None:
    assert points([{"task": "*", "method": "x", "seed": 0}]) == [("a", "x", 0), ("b", "x", 0)]
    methods = ("x", "x(n=1)", "y")
    assert points([{"task": "a", "method": "x*", "seed": 0}], methods) == [("a", "x", 0), ("a", "x(n=1)", 0)]
    # only the star is special
    assert points([{"task": "a", "method": "x(*)", "seed": 0}], methods) == [("a", "x(n=1)", 0)]


@pytest.mark.parametrize(
    ("entry", "match"),
    [
        ({"task": "c*"}, "the suite has no 'c\\*'"),
        ({"zip": {"task": ["a", "b"], "method": ["x"]}}, "different lengths: task 2, method 1"),
        ({"tsk": "a"}, "did you mean 'task'"),
        ({"task": "c"}, "the suite has no 'c'"),
        ({"method": ["x", "zz"]}, "did you mean 'z'"),
        ({"seed": 7}, "the suite has no '7'"),
        ({"zip": {"task": ["a"]}, "task": "b"}, "inside and outside"),
        ({"zip": ["a"]}, "must map"),
        ("a", "must be a mapping"),
    ],
)
def test_wrong_entries_are_named(entry: Any, match: str) -> None:
    with pytest.raises(ConfigError, match=match):
        points([entry])


def test_duplicates_are_counted_once_and_named() -> None:
    track = toy()
    given = suite(track, ["x", "y"], seeds=2, cells=[{"task": "a"}, {"task": "a", "method": "x", "seed": 1}])
    given.tasks.append(Task(name="also a", part=given.tasks[0].part))
    given.seeds.append(0)
    grid = expand(given, track)
    assert len(grid.cells) == 4
    assert grid.notes == (
        "task 'also a' is the same as 'a', counted once, with its attributes",
        "seeds listed more than once, counted once: 0",
        "cells listed more than once, counted once: a / x / seed 1",
    )
    # the other name still finds it
    given.cells = [{"task": "also a", "method": "x"}]
    assert [cell.task.name for cell in expand(given, track).cells] == ["a", "a"]


def test_one_name_for_two_things_is_an_error() -> None:
    track = toy()
    given = suite(track, ["x"])
    given.tasks[1] = Task(name="a", part={"scale": 9})
    with pytest.raises(ConfigError, match="two different tasks are called 'a'"):
        expand(given, track)


def test_the_digest_knows_content_not_names_or_order() -> None:
    track = toy()
    first = expand(suite(track, ["x", "y"]), track)
    turned = suite(track, ["y", "x"])
    turned.name = "other"
    turned.tasks[0] = Task(name="renamed", part=turned.tasks[0].part)
    assert expand(turned, track).digest == first.digest
    assert expand(suite(track, ["x"]), track).digest != first.digest
    assert expand(suite(toy(size=5), ["x", "y"]), toy(size=5)).digest != first.digest


def test_fits_are_distinct_and_each_after_its_needs(monkeypatch: pytest.MonkeyPatch) -> None:
    track = toy()
    grid = expand(suite(track, ["x", "fit-y"], seeds=4), track)
    assert [job.label for job in grid.fits] == ["base", "fit-y"] * 2 or {j.label for j in grid.fits[:1]} == {
        "base"
    }
    place = {job.key: number for number, job in enumerate(grid.fits)}
    assert len(place) == len(grid.fits) == 4
    assert all(place[need] < place[job.key] for job in grid.fits for need in job.needs)
    lonely = FitJob(track="t/1", label="lonely", part={}, needs=("nobody",))
    monkeypatch.setattr(type(track), "fits", lambda self, cells: (list(cells), [lonely]))
    with pytest.raises(ConfigError, match="needs the fit nobody"):
        expand(suite(track, ["x"]), track)


def test_suites_and_metrics_are_checked() -> None:
    track = toy()
    good = suite(track, ["x"])
    for change, match in [
        ({"seeds": []}, "no seeds"),
        ({"seeds": [-1]}, "whole numbers"),
        ({"methods": []}, "no methods"),
        ({"split": "tset"}, "unknown split"),
    ]:
        with pytest.raises(ConfigError, match=match):
            Suite(**{**vars(good), **change})
    track.metrics = (Metric(name="seconds", unit="s", direction="min"),)
    with pytest.raises(ConfigError, match="cannot name a metric"):
        expand(good, track)


def test_progress_is_log_lines_without_a_terminal() -> None:
    import io

    from rich.console import Console

    from mlopsim.bench.progress import Counts, RichProgress

    out = io.StringIO()
    progress = RichProgress(Console(file=out, width=40), every=0.0)
    counts = Counts(total=10, cached=4, fits_total=2, cells_began=0.0)
    progress.start(counts)
    counts.done, counts.failed = 5, 1
    progress.update(counts, "failed: a / [x] / seed 0: boom")
    progress.finish(counts)
    said = out.getvalue().splitlines()
    assert said[0] == "4/10 cells: 0 done, 4 cached, 0 failed; 0/2 fits"
    assert said[1] == "failed: a / [x] / seed 0: boom"
    assert said[-1].startswith("10/10 cells: 5 done, 4 cached, 1 failed")
    counts.done = 2
    assert "about" in counts.line() and "left" in counts.line()
    # rate and time left of fits, too
    counts.fits_done, counts.began = 1, time.monotonic() - 60.0
    assert counts.line().split("; ")[1] == "1/2 fits (1.0/min, about 1 min 0 s left)"
    counts.cells_began = time.monotonic() - 1.5
    assert counts.line().split("; ")[2] == "2.0/s, about 2 s left"


def test_quick_keys_are_the_digests_of_their_content() -> None:
    task, method = Task(name="t", part={"a": 1}), Method(name="m", part={"b": "\u00fc"})
    cells = [
        Cell(track='x"/1', task=task, method=method, seed=seed, split=split, root=7, fit=fit)
        for seed in (0, -3, 10**12)
        for fit in (None, 'q"\\\u00fc\n')
        for split in ("test", 'v"l')
    ]
    for cell in cells:
        content = {"track": cell.track, "task": task.digest, "method": method.digest, "fit": cell.fit}
        assert cell.key == digest({**content, "seed": [7, cell.split, cell.seed]})
    for some in (cells, []):
        grid = Grid(title="g", track={"k": [1.5, None]}, metrics=(), cells=tuple(some))
        assert grid.digest == digest({"track": grid.track, "cells": sorted(cell.key for cell in some)})
