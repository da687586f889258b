"""What the tests of the bench share."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from mlopsim.bench.ledger import Ledger
from mlopsim.bench.runner import run
from mlopsim.bench.suite import Suite
from mlopsim.bench.summary import Summary
from mlopsim.bench.table import table
from mlopsim.core.registry import load_plugins
from mlopsim.core.spec import make, part_of

PLUGIN = str(Path(__file__).with_name("bench_toy.py"))


def toy(name: str = "bench-toy", **params: Any) -> Any:
    load_plugins([PLUGIN])
    return make("track", name, **params)


def suite(
    track: Any, methods: Sequence[str], tasks: Sequence[str] = ("a", "b"), seeds: int = 3, **more: Any
) -> Suite:
    return Suite(
        name="toy", track=part_of(track), tasks=track.tasks(tasks), methods=track.methods(methods),
        seeds=list(range(seeds)), plugins=[PLUGIN], **more,
    )  # fmt: skip


def go(folder: Path, methods: Sequence[str], *, track: Any = None, **options: Any) -> Summary:
    track = track or toy()
    seeds, tasks = options.pop("seeds", 3), options.pop("tasks", ("a", "b"))
    options.setdefault("workers", 2)
    return run(suite(track, methods, tasks, seeds), track, folder, **options)


def frame(folder: Path, **options: Any) -> Any:
    with Ledger.read(folder) as ledger:
        return table(ledger, **options)
