"""Cells of the delivery track: roll policies out over Worlds, count what happened."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np

from mlopsim.core.track import Attribute, Cell, FitResult, Outcome
from mlopsim.delivery.walk import Trajectory
from mlopsim.governance.record.making import heads_of_deployed
from mlopsim.tracks.delivery.metrics import METRICS
from mlopsim.tracks.delivery.rolling import block_of, roll_out, scene_of, undefined_reason
from mlopsim.tracks.roll_out_numbers import common_curves, common_metrics, drift_spans, moves_of, stream_id
from mlopsim.tracks.rolling import Scene, deployed_of, world_spec
from mlopsim.world.cache import default_cache
from mlopsim.world.world import World


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
    scenes: dict[tuple[str, str, int], Scene] = {}
    worlds: dict[str, World] = {}
    outcomes = []
    for cell in cells:
        spec = world_spec(cell)
        if spec.key not in worlds:
            worlds[spec.key] = default_cache().open(spec)
        block = block_of(worlds[spec.key], cell)
        place = spec.key, cell.task.digest, 0 if block is None else block.number
        if place not in scenes:
            scenes[place] = scene_of(cell, worlds[spec.key])
        scene = scenes[place]
        found = _run_cell(cell, scene, fits, reaction)
        if block is not None:
            found.attributes |= {"block": block.number, "apart": block.apart}
        outcomes.append(found)
    return outcomes


def _run_cell(cell: Cell, scene: Scene, fits: Mapping[str, FitResult], reaction: int) -> Outcome:
    world = scene.pool.worlds[0]
    if reason := undefined_reason(cell, world):
        return _undefined(world, reason)
    recorded = bool(cell.task.part.get("record"))
    rolled = roll_out(cell, scene, fits, margins=recorded)
    result = outcome(world, rolled.trajectory, rolled.extra, reaction)
    if rolled.recorder is not None and rolled.recorder.alarms:
        result.curves["alarm"] = np.array(rolled.recorder.alarms, dtype=bool)
    if recorded:
        result.attributes |= heads_of_deployed(deployed_of(cell, scene, fits, rolled)).facts()
    return result


def _undefined(world: World, reason: str) -> Outcome:
    """Return an outcome without any number."""
    names = [metric.name for metric in METRICS]
    return Outcome(
        metrics=dict.fromkeys(names, math.nan),
        reasons=dict.fromkeys(names, reason),
        attributes={"stream_id": stream_id(world)},
    )


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
    moves = moves_of(world, trajectory)
    metrics = {
        **common_metrics(trajectory, moves),
        "cost": float(np.mean(cost)),
        "upper": math.nan,
        **extra,
    }
    reasons = {} if "upper" in extra else {"upper": "only the oracle's cell holds the bound"}
    times = np.arange(len(moves.retrained)) + world.warmup - 1
    reactions = times[moves.retrained | moves.rollback]
    _reactions(world, times[moves.retrained], reactions, reaction, metrics, reasons)
    curves = common_curves(world, trajectory, moves)
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
