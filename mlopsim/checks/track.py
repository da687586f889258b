"""Contract checks of tracks, on the smallest instance that they name."""

from __future__ import annotations

import math
from typing import Any

from mlopsim.checks.base import Check, generator, identical, own_randomness, refused, require
from mlopsim.checks.small_run import PLACE, SEEDS, build, cells_of, small_run
from mlopsim.core.digest import canonical_json
from mlopsim.core.track import Metric, Outcome


def _metrics(cls: type[Any]) -> None:
    metrics = cls.metrics
    require(
        len(metrics) > 0 and all(isinstance(m, Metric) for m in metrics),
        "metrics are no Metrics",
        remedy="a sequence of mlopsim.core.track.Metric",
    )
    names = [metric.name for metric in metrics]
    twice = sorted({name for name in names if names.count(name) > 1})
    require(not twice, f"metrics of the same name: {', '.join(twice)}")
    taken = sorted(set(names) & set(PLACE))
    require(not taken, f"metrics are called like columns of the cell table: {', '.join(taken)}")
    require(any(metric.primary for metric in metrics), "no metric is primary", remedy="primary=True")
    for metric in metrics:
        require(metric.direction in ("max", "min", "none"), f"{metric.name}: direction {metric.direction!r}")
        require(not metric.primary or metric.direction != "none", f"{metric.name} leads, but where to?")


def _entries(cls: type[Any]) -> None:
    track, tasks, methods = build(cls)
    again, _, _ = build(cls)
    for what, first, second in (
        ("task", track.tasks(tasks), again.tasks(tasks)),
        ("method", track.methods(methods), again.methods(methods)),
    ):
        require(len(first) > 0, f"no {what} comes of its smallest instance")
        names = [entry.name for entry in first]
        require(all(names) and len(set(names)) == len(names), f"{what}s are called {names}")
        digests = [entry.digest for entry in first]
        require(len(set(digests)) == len(digests), f"two {what}s have the same content")
        require(digests == [entry.digest for entry in second], f"the same {what}s differ when made again")
        for entry in first:
            canonical_json(entry.part)
            wrong = {k: v for k, v in entry.attributes.items() if not isinstance(v, str | int | float | None)}
            require(not wrong, f"attributes of the {what} {entry.name} are no texts or numbers: {wrong}")
    refused(lambda: track.tasks([{"no_such_part_": 1}]), "accepts a task with an unknown part")
    refused(lambda: track.methods(["no_such_method_"]), "accepts an unknown method")


def _fits(cls: type[Any]) -> None:
    track, cells, jobs = cells_of(cls)
    keys = [job.key for job in jobs]
    require(len(set(keys)) == len(keys), "a fit is to be made twice")
    named = {cell.fit for cell in cells} - {None}
    needed = named | {key for job in jobs for key in job.needs}
    require(needed == set(keys), "fits that cells name and fits that are made differ")
    for job in jobs:
        canonical_json(job.part)
    _, again = track.fits(list(reversed([*cells])))
    require({job.key for job in again} == set(keys), "which fits are made depends on the order of cells")
    one, _ = track.fits([cell for cell in cells if cell.seed == SEEDS[0]])
    require({cell.fit for cell in one} - {None} == named, "a fit depends on the test scenario")


def _run(cls: type[Any]) -> None:
    with own_randomness():
        run = small_run(cls)
    names = [metric.name for metric in cls.metrics]
    for cell, outcome in run.pairs:
        where = f"{cell.task.name}, {cell.method.name}, seed {cell.seed}"
        require(isinstance(outcome, Outcome), f"{where}: run() gives {type(outcome).__name__}, not Outcome")
        require(set(outcome.metrics) == set(names), f"{where}: other metrics than the track has")
        for name, value in outcome.metrics.items():
            require(not math.isinf(value), f"{where}: {name} is infinite", remedy="NaN with a reason")
            require(
                math.isnan(value) == (name in outcome.reasons),
                f"{where}: {name} is {value}, and {'a' if name in outcome.reasons else 'no'} reason is given",
                remedy="NaN and a reason go together",
            )
    require(len({cell.key for cell, _ in run.pairs}) == len(run.pairs), "two cells have one key")


def _order(cls: type[Any]) -> None:
    run = small_run(cls)
    order = generator().permutation(len(run.pairs))
    shuffled = [run.pairs[i] for i in order]
    at_once = run.track.run([cell for cell, _ in shuffled], run.fits)
    other = [
        cell.method.name
        for (cell, old), new in zip(shuffled, at_once, strict=True)
        if not identical(old, new)
    ]
    require(not other, f"numbers depend on the order of cells: {', '.join(sorted(set(other)))}")
    fresh, _, _ = build(cls)
    for cell, old in run.pairs:
        needed = {} if cell.fit is None else {cell.fit: run.fits[cell.fit]}
        (alone,) = fresh.run([cell], needed)
        require(
            identical(old, alone),
            f"{cell.method.name} alone gives other numbers than together",
            remedy="draw from seeds of task, method and seed only, and share nothing that a cell changes",
        )


def _leaderboard(cls: type[Any]) -> None:
    import polars as pl

    run = small_run(cls)
    results = run.results
    board = results.leaderboard
    require(isinstance(board, pl.DataFrame) and "method" in board.columns, "leaderboard() has no methods")
    listed = board["method"].to_list()
    known = {cell.method.name for cell, _ in run.pairs}
    require(len(set(listed)) == len(listed), "leaderboard() names a method twice")
    require(set(listed) <= known, f"leaderboard() names {sorted(set(listed) - known)}, which were not run")


CHECKS = [
    Check(name="metrics", text="metrics are distinct, one at least leads", run=_metrics),
    Check(name="entries", text="tasks and methods are the same each time, others are refused", run=_entries),
    Check(name="fits", text="each fit that cells name is made once, whatever the order and seed", run=_fits),
    Check(name="run", text="every metric is a number, or NaN with a reason", run=_run),
    Check(name="order", text="cells together, in any order and alone give the same to the bit", run=_order),
    Check(name="leaderboard", text="the leaderboard has one row a method", run=_leaderboard),
]
