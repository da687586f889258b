"""Every component of every kind in a run of one seed, with its own defaults, through the command line."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pytest
from cli_kit import Bench

from mlopsim.core.errors import ConfigError, MissingExtraError
from mlopsim.core.registry import names
from mlopsim.core.spec import make

SMALL = "windows: 60, rows: 12, warmup: 4, bayes: false"
SYNTHETIC = f"{{synthetic: {{{SMALL}}}}}"
#: a tiny suite of each track: its track, its task, its settings
SUITES = {
    "selector": ("delivery", f"{{name: t, stream: {SYNTHETIC}}}", "delivery: {steps: 11000, scenarios: 4}"),
    "detector": (
        "drift",
        f"{{name: t, stream: {SYNTHETIC}}}",
        "drift: {calibration: {runs: 30, checks: 30, arl0: 200, rate_rows: 600, rate_runs: 10}}",
    ),
    "gate": (
        "quality",
        f"{{name: t, stream: {{corrupted: {{base: {SYNTHETIC}, injector: missing, rate: 0.2}}}}}}",
        "quality: {stages: [preprocess, train, test]}",
    ),
    "audit": (
        "fairness",
        "{name: t, every: 0, stream: {population: {windows: 40, warmup: 4, per_group: 40, bias: proxy}}}",
        "fairness: {calibration: {runs: 40, checks: 40, lime_runs: 20, lime_checks: 20}}",
    ),
}
#: what a stream of nothing but defaults of the kind looks like
STREAMS = {
    "concept": "{{synthetic: {{{small}, schedule: none, concept: {name}}}}}",
    "schedule": "{{synthetic: {{{small}, schedule: {name}}}}}",
    "duration": "{{synthetic: {{{small}, schedule: {{recurring: {{duration: {name}}}}}}}}}",
    "shift": "{{synthetic: {{{small}, schedule: none, groups: [0.7, 0.3], shifts: [{name}]}}}}",
    "change": (
        "{{injected: {{base: {{bundled: {{windows: 25, warmup: 5}}}}, at: 12, width: 5, change: {name}}}}}"
    ),
    "injector": "{{corrupted: {{base: {{synthetic: {{{small}, concept: agrawal}}}}, injector: {name}}}}}",
    "mechanism": "{{corrupted: {{base: {{synthetic: {{{small}}}}}, mechanism: {name}, injector: missing}}}}",
    "timing": "{{corrupted: {{base: {{synthetic: {{{small}}}}}, timing: {name}, injector: missing}}}}",
    "bias": (
        "{{population: {{windows: 40, warmup: 4, per_group: 20, place: 1.5, total: true, "
        "attributes: 2, bias: {name}}}}}"
    ),
}


def tasks(kind: str) -> Iterator[tuple[str, str]]:
    """Yield (name, task) of a kind that is a part of a task of the delivery track."""
    for name in names(kind):
        if kind in STREAMS:
            yield name, f"{{name: {name}, stream: {STREAMS[kind].format(small=SMALL, name=name)}}}"
        elif kind == "stream":
            yield name, f"{{name: {name}, stream: {name}}}"
        else:
            yield name, f"{{name: {name}, stream: {SYNTHETIC}, {kind}: {name}}}"


def ran(bench: Bench, track: str, given: Sequence[str], methods: Sequence[str], settings: str) -> None:
    lines = ["# @package _global_", f"track: {track}", "seeds: 1", settings, "tasks:"]
    lines += [f"  - {task}" for task in given]
    bench.preset("suite/tiny", "\n".join([*lines, "methods:", *(f"  - {name}" for name in methods)]) + "\n")
    ended = bench("--no-report")
    assert ended.code == 0, ended.err[-3000:]
    assert set(bench.cells()["status"]) == {"done"}


@pytest.mark.parametrize("kind", list(SUITES))
def test_every_method(bench: Bench, kind: str) -> None:
    track, task, settings = SUITES[kind]
    usable = []
    for name in names(kind):
        try:
            made = make(kind, name)
            if hasattr(made, "check") and kind == "selector":
                made.check(make("deployment", "standard"))
        except (ConfigError, MissingExtraError):
            continue  # has no default that could be run here, and says so: `check` covers it
        usable.append(name)
    assert len(usable) >= 0.8 * len(names(kind))
    ran(bench, track, [task], usable, settings)


@pytest.mark.parametrize("kind", [*STREAMS, "learner", "training", "deployment"])
def test_every_part_of_a_task(bench: Bench, kind: str) -> None:
    given = dict(tasks(kind))
    ran(bench, "delivery", list(given.values()), ["never", "periodic"], "delivery: {steps: 0}")
