"""What changes no draw: raised versions, new parameters with a default, comments in a plug-in."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mlopsim.core import registry
from mlopsim.core.registry import find, forget_plugins, load_plugins
from mlopsim.core.spec import make
from mlopsim.core.track import Cell, FitResult
from mlopsim.core.versions import VERSIONS

SYNTHETIC = {"synthetic": {"windows": 16, "rows": 30, "warmup": 5, "bayes": False, "concept": "sea"}}
#: track to: its settings, its tasks, its methods, and what a plug-in derives its own method from
TRACKS: dict[str, tuple[dict[str, Any], list[dict[str, Any]], list[Any], tuple[str, str]]] = {
    "delivery": (
        {"steps": 600, "scenarios": 6, "train_stream": SYNTHETIC},
        [{"name": "a", "stream": SYNTHETIC}],
        ["random", "periodic", "thompson"],
        ("selector", "random"),
    ),
    "drift": (
        {
            "calibration": {
                "arl0": 300,
                "horizon": 200,
                "runs": 20,
                "checks": 20,
                "curve": [150],
                "rate_rows": 400,
                "rate_runs": 10,
            },
            "tolerance": 200,
        },
        [{"name": "a", "signal": {"iid": {"law": "normal", "ticks": 400, "change": 200}}}],
        [{"kswin": {"window": 40, "recent": 10}}, "ddm"],
        ("detector", "random"),
    ),
    "quality": (
        {"stages": ["preprocess"]},
        [
            {
                "name": "a",
                "stream": {"corrupted": {"base": SYNTHETIC, "rate": 0.3, "timing": {"step": {"at": 8}}}},
            }
        ],
        [{"iforest": {"trees": 5}}, "random"],
        ("gate", "random"),
    ),
    "fairness": (
        {"calibration": {"alpha": 0.2, "runs": 10, "checks": 5, "lime_runs": 10, "lime_checks": 5}},
        [{"name": "a", "stream": {"population": {"windows": 8, "warmup": 2, "per_group": 40}}}],
        ["demographic_parity", "four_fifths"],
        ("audit", "demographic_parity"),
    ),
}
Numbers = dict[tuple[str, int], list[np.ndarray]]


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLOPSIM_CACHE", str(tmp_path / "cache"))


def ran(name: str, *more: Any) -> tuple[list[Cell], Numbers]:
    """Run a track from its specs; return metrics and curves by method and seed."""
    settings, tasks, methods, _ = TRACKS[name]
    track = make("track", name, **settings)
    cells = [
        Cell(track=f"{name}/1", task=task, method=method, seed=seed)
        for task in track.tasks(tasks)
        for seed in (0, 1)
        for method in track.methods([*methods, *more])
    ]
    cells, jobs = track.fits(cells)
    fits: dict[str, FitResult] = {job.key: track.fit(job, {}) for job in jobs}
    found = {}
    for cell, outcome in zip(cells, track.run(cells, fits), strict=True):
        fit = [] if cell.fit is None else [fits[cell.fit].arrays[k] for k in sorted(fits[cell.fit].arrays)]
        curves = [np.asarray(outcome.curves[k]) for k in sorted(outcome.curves)]
        found[cell.method.name, cell.seed] = [np.array(list(outcome.metrics.values())), *curves, *fit]
    return cells, found


def same(one: list[np.ndarray], other: list[np.ndarray]) -> bool:
    return all(np.array_equal(a, b, equal_nan=a.dtype.kind == "f") for a, b in zip(one, other, strict=True))


def parts(value: Any) -> Iterator[tuple[str, str]]:
    """Every component that a part is made of."""
    if isinstance(value, Mapping):
        if {"kind", "name", "params"} <= set(value) and value["kind"] in registry.PACKAGES:
            yield value["kind"], value["name"]
        for item in value.values():
            yield from parts(item)
    elif isinstance(value, list):
        for item in value:
            yield from parts(item)


@pytest.mark.parametrize("name", TRACKS)
def test_raised_versions_and_new_defaults_redraw_nothing(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    cells, before = ran(name)
    used = {place for cell in cells for place in parts([cell.task.part, cell.method.part])}
    assert len(used) > 3
    for kind, short in used:
        cls = find(kind, short)
        # what stands in every table says so itself: that is not inherited
        own = {"version": "99", "always_listed": vars(cls).get("always_listed", False)}
        fields = [("newcomer", int, 7)]
        more = dataclasses.make_dataclass(cls.__name__, fields, bases=(cls,), kw_only=True, namespace=own)
        monkeypatch.setitem(registry._components, (kind, short), more)
    for own in VERSIONS:
        monkeypatch.setitem(VERSIONS, own, 99)
    changed, after = ran(name)
    # all keys are others, all numbers are the same
    assert not {cell.key for cell in cells} & {cell.key for cell in changed}
    assert [place for place in before if not same(before[place], after[place])] == []


PLUGIN = '''"""A method of one's own."""
from dataclasses import dataclass

from mlopsim.core.registry import find, register


@register("{kind}", "mine")
@dataclass(kw_only=True)
class Mine(find("{kind}", "{name}")):
    """Like another."""
'''


@pytest.mark.parametrize("name", TRACKS)
def test_a_comment_in_a_plugin_redraws_nothing(name: str, tmp_path: Path) -> None:
    kind, base = TRACKS[name][3]
    path, seen = tmp_path / "mine.py", []
    for text in (PLUGIN, PLUGIN + "# a remark\n"):
        path.write_text(text.format(kind=kind, name=base))
        load_plugins([path])
        try:
            seen.append(ran(name, "mine"))
        finally:
            forget_plugins()
    (one, before), (two, after) = seen
    assert {c.key for c in one if c.method.name == "mine"}.isdisjoint(c.key for c in two)
    assert [place for place in before if not same(before[place], after[place])] == []
    # nor does the newcomer change what others draw
    _, alone = ran(name)
    assert [place for place in alone if not same(alone[place], before[place])] == []


def test_training_and_tuning_draw_alike_whatever_the_budget_and_versions(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from mlopsim.tracks.delivery.fits import make_fit

    def keys(steps: int, method: Any) -> list[int]:
        track = make("track", "delivery", **{**TRACKS["delivery"][0], "steps": steps})
        method = next(m for m in track.methods([method]) if m.part["name"] == "ppo")
        (task,) = track.tasks(TRACKS["delivery"][1])
        _, (job,) = track.fits([Cell(track="delivery/1", task=task, method=method, seed=0)])
        return list(make_fit(job.part).info["key"])

    cls = find("selector", "ppo")
    monkeypatch.setattr(
        cls,
        "train",
        lambda self, pool, deployment, steps, seed: FitResult(
            info={"key": seed.spawn_key, "steps_used": steps}
        ),
    )
    first = keys(100, "ppo")
    monkeypatch.setattr(cls, "version", "99")
    monkeypatch.setitem(VERSIONS, "training", 99)
    assert keys(200, {"ppo": {"train_seed": 0}}) == first
    assert keys(100, {"ppo": {"train_seed": 1}}) != first
