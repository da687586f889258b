"""Cells of the delivery track: roll policies out over Worlds, count what happened."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from mlopsim.core.digest import digest, digest_arrays
from mlopsim.core.identity import identity_words
from mlopsim.core.seeds import Axis, Split, seed_sequence
from mlopsim.core.spec import make
from mlopsim.core.track import Attribute, Cell, FitResult, Outcome
from mlopsim.delivery.pool import WorldPool
from mlopsim.delivery.scenarios import pool_of
from mlopsim.delivery.selector import Interface, View
from mlopsim.delivery.walk import Trajectory, walk
from mlopsim.tracks.delivery.controls import CONTROLS, drift_spans, run_control
from mlopsim.tracks.delivery.fits import seeded_parts
from mlopsim.tracks.delivery.metrics import METRICS
from mlopsim.tracks.delivery.origins import Block, blocks_of
from mlopsim.world.cache import default_cache
from mlopsim.world.spec import WorldSpec
from mlopsim.world.world import World

#: hexadecimal digits that tell sources of rows apart
ID_LENGTH = 16


def world_spec(cell: Cell) -> WorldSpec:
    """Return the World that a cell is rolled out over."""
    part = cell.task.part
    return WorldSpec(
        stream=part["stream"],
        learner=part["learner"],
        training=part["training"],
        split=cell.split,
        index=cell.seed,
        root=cell.root,
    )


def run_cells(cells: Sequence[Cell], fits: Mapping[str, FitResult], *, reaction: int) -> list[Outcome]:
    """Run cells; those that share task and seed share their World, one roll-out a cell.

    Parameters
    ----------
    cells : sequence of Cell
        Any cells of the track.
    fits : mapping of str to FitResult
        The fits that they name.
    reaction : int
        Windows within which a reaction to a drift event counts.
    """
    worlds: dict[str, World] = {}
    pools: dict[tuple[str, str, int], WorldPool] = {}
    outcomes = []
    for cell in cells:
        spec = world_spec(cell)
        if spec.key not in worlds:
            worlds[spec.key] = default_cache().open(spec)
        block = block_of(worlds[spec.key], cell)
        deployment = make("deployment", cell.task.part["deployment"])
        place = spec.key, cell.task.digest, 0 if block is None else block.number
        if place not in pools:
            whole = worlds[spec.key]
            served = whole if block is None else whole.block(block.first, block.end)
            pools[place] = pool_of([served], deployment)
        pool = pools[place]
        found = _run_cell(cell, pool.worlds[0], pool, deployment, fits, reaction)
        if block is not None:
            found.attributes |= {"block": block.number, "apart": block.apart}
        outcomes.append(found)
    return outcomes


def block_of(world: World, cell: Cell) -> Block | None:
    """Return the windows that a cell on a real stream serves; None: all of them.

    Seeds take the blocks in turn: seed 0 the first one, seed 1 the second one.
    """
    origins = cell.task.part.get("origins")
    if origins is None:
        return None
    blocks = blocks_of(world.warmup, world.windows, origins["count"], origins["overlap"])
    return blocks[cell.seed % len(blocks)]


def build_selector(content: Mapping[str, Any], fit: FitResult | None) -> Any:
    """Build a selector from a method's part, with the parameters or weights of its fit."""
    params = dict(content["params"])
    if fit is not None and "params" in fit.info:
        params.update(fit.info["params"])
    part = {"kind": content["kind"], "name": content["name"], "params": params}
    selector = make("selector", part)
    if getattr(type(selector), "agent", False):
        assert fit is not None
        selector.load(fit)
    return selector


def _run_cell(
    cell: Cell, world: World, pool: WorldPool, deployment: Any, fits: Mapping[str, FitResult], reaction: int
) -> Outcome:
    if cell.method.part["kind"] == "control":
        reference = CONTROLS[cell.method.part["name"]]
        if reason := reference.undefined(world):
            return _undefined(world, reason)
        trajectory, extra = run_control(reference, world, pool, deployment)
    else:
        selector = build_selector(cell.method.part, fits[cell.fit] if cell.fit is not None else None)
        words = identity_words(cell.method.part, *seeded_parts(cell.task.part))
        seed = seed_sequence(Axis.METHOD, Split.parse(cell.split), cell.seed, *words, root=cell.root)
        recorder = Recorder(selector)
        trajectory, extra = walk(recorder, pool, deployment, np.zeros(1, np.int64), [seed]), {}
        if recorder.alarms:
            result = outcome(world, trajectory, extra, reaction)
            result.curves["alarm"] = np.array(recorder.alarms, dtype=bool)
            return result
    return outcome(world, trajectory, extra, reaction)


def _undefined(world: World, reason: str) -> Outcome:
    """Return an outcome without any number."""
    names = [metric.name for metric in METRICS]
    return Outcome(
        metrics=dict.fromkeys(names, math.nan),
        reasons=dict.fromkeys(names, reason),
        attributes={"stream_id": stream_id(world)},
    )


def stream_id(world: World) -> str:
    """Identify the source of the rows.

    Seeds of a real stream (its true events are not known) thin or shuffle the same rows: one source. A
    synthetic stream is another one for every seed.
    """
    if world.events is None and world.spec is not None:
        return digest(world.spec.stream)[:ID_LENGTH]
    return digest_arrays({"y": world.y, "bounds": world.bounds})[:ID_LENGTH]


class Recorder:
    """Hands everything on to a selector, and keeps its alarms if it tells them (``alarmed``)."""

    def __init__(self, selector: Any) -> None:
        self.selector = selector
        self.full_name: str = selector.full_name
        self.uses_errors = bool(getattr(selector, "uses_errors", True))
        self.uses_inputs = bool(getattr(selector, "uses_inputs", False))
        self.alarms: list[bool] = []

    def reset(self, n: int, interface: Interface, seeds: Sequence[np.random.SeedSequence]) -> None:
        """Start the selector."""
        self.selector.reset(n, interface, seeds)

    def act(self, view: View) -> np.ndarray:
        """Return the selector's actions."""
        actions: np.ndarray = self.selector.act(view)
        alarmed = getattr(self.selector, "alarmed", None)
        if alarmed is not None:
            self.alarms.append(bool(alarmed[0]))
        return actions


def outcome(world: World, trajectory: Trajectory, extra: Mapping[str, float], reaction: int) -> Outcome:
    """Turn one roll-out into metrics and curves.

    Parameters
    ----------
    world : World
        The scenario.
    trajectory : Trajectory
        Of one deployment (first axis of length 1).
    extra : mapping of str to float
        Metrics of controls (``upper``).
    reaction : int
        Windows within which a reaction counts.
    """
    parts = {name: values[0] for name, values in trajectory.parts.items()}
    cost = -sum(values for name, values in parts.items() if name != "quality")
    leading = np.where(trajectory.candidate[0] >= 0, trajectory.candidate[0], trajectory.served[0])
    first = world.warmup
    before = np.concatenate([[world.v0], leading[first:-1]])
    changed = leading[first:] != before
    deploys = (trajectory.executed[0] > 0) & ~trajectory.retrained[0]
    rollback = changed & (leading[first:] < before) & deploys
    retrained = trajectory.retrained[0]
    metrics = {
        "return": float(np.mean(trajectory.reward[0])),
        "accuracy": float(np.mean(parts["quality"])),
        "cost": float(np.mean(cost)),
        "retrains": float(retrained.sum()),
        "switches": float(changed.sum()),
        "rollbacks": float(rollback.sum()),
        "impossible": float(trajectory.invalid[0].sum()),
        "upper": math.nan,
        **extra,
    }
    reasons = {} if "upper" in extra else {"upper": "only the oracle's cell holds the bound"}
    times = np.arange(len(retrained)) + first - 1
    _reactions(world, times[retrained], times[retrained | rollback], reaction, metrics, reasons)
    curves = {
        "windows": np.arange(first, world.windows, dtype=np.int32),
        "drifts": drift_spans(world),
        "quality": parts["quality"].astype(np.float32),
        "served": trajectory.served[0, first:].astype(np.int16),
        "retrained": retrained,
        "rollback": rollback,
    }
    attributes: dict[str, Attribute] = {"stream_id": stream_id(world)}
    return Outcome(metrics=metrics, reasons=reasons, curves=curves, attributes=attributes)


def _reactions(
    world: World,
    retrains: np.ndarray,
    reactions: np.ndarray,
    limit: int,
    metrics: dict[str, float],
    reasons: dict[str, str],
) -> None:
    """Add detection, lag and precision: decisions set against the true drift events."""
    names = ("detection", "lag", "precision")
    metrics.update(dict.fromkeys(names, math.nan))
    if world.events is None:
        reasons.update(dict.fromkeys(names, "the drift events of this stream are not known"))
        return
    spans = [(int(start), int(end) + limit) for start, end in drift_spans(world)]
    if not spans:
        reasons.update(dict.fromkeys(names, "no drift event in the deployed windows"))
        return
    lags = []
    for start, end in spans:
        hits = reactions[(reactions >= start) & (reactions <= end)]
        if len(hits):
            lags.append(int(hits[0]) - start)
    metrics["detection"] = len(lags) / len(spans)
    if lags:
        metrics["lag"] = float(np.mean(lags))
    else:
        reasons["lag"] = "no drift event was reacted to"
    if len(retrains):
        inside = [any(start <= t <= end for start, end in spans) for t in retrains]
        metrics["precision"] = float(np.mean(inside))
    else:
        reasons["precision"] = "nothing was retrained"
