"""Cells of the governance track: roll methods out, count what happened, and what it cost by the limits."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from mlopsim.core.digest import canonical_json
from mlopsim.core.spec import make
from mlopsim.core.track import Cell, FitResult, Outcome
from mlopsim.delivery.mechanisms import FALLBACK
from mlopsim.delivery.pool import WorldPool
from mlopsim.delivery.scenarios import pool_of
from mlopsim.delivery.walk import Trajectory
from mlopsim.governance.constraint import Over, longest_run
from mlopsim.governance.record.deployed import Deployed
from mlopsim.governance.record.history import History
from mlopsim.governance.record.making import heads_of_deployed
from mlopsim.tracks.governance.controls import weighted
from mlopsim.tracks.governance.metrics import METRICS
from mlopsim.tracks.governance.rolling import roll_out, scene_of, spec_of, undefined_reason
from mlopsim.tracks.roll_out_numbers import common_curves, common_metrics, moves_of, stream_id
from mlopsim.tracks.rolling import deployed_of
from mlopsim.world.cache import default_cache

NOT_THE_OPTIMUM = "only the optimum's cell holds the bound"


def run_cells(cells: Sequence[Cell], fits: Mapping[str, FitResult]) -> list[Outcome]:
    """Run cells; those of one World share it, and what guards it.

    Parameters
    ----------
    cells : sequence of Cell
        Any cells of the track.
    fits : mapping of str to FitResult
        The fits that they name.
    """
    pools: dict[str, WorldPool] = {}
    outcomes = []
    for cell in cells:
        deployment = make("deployment", cell.task.part["deployment"])
        spec = spec_of(cell)
        place = canonical_json([spec.key, deployment.objective, deployment.has_canary])
        if place not in pools:
            pools[place] = pool_of([default_cache().open(spec)], deployment)
        outcomes.append(_run_cell(cell, pools[place], fits))
    return outcomes


def _run_cell(cell: Cell, pool: WorldPool, fits: Mapping[str, FitResult]) -> Outcome:
    scene = scene_of(cell, pool)
    world = pool.worlds[0]
    if reason := undefined_reason(cell, scene):
        names = [metric.name for metric in METRICS]
        return Outcome(
            metrics=dict.fromkeys(names, math.nan),
            reasons=dict.fromkeys(names, reason),
            attributes={"stream_id": stream_id(world)},
        )
    recorded = bool(cell.task.part.get("record"))
    prices = cell.method.part["params"].get("prices", ())
    # margins are on record: with them, the head of the ledger is that of a replay
    rolled, found = roll_out(cell, scene, fits, prices=prices, margins=recorded)
    deployed = deployed_of(cell, scene, fits, rolled)
    moves = moves_of(world, rolled.trajectory)
    metrics = {
        **common_metrics(rolled.trajectory, moves),
        **compliance(deployed),
        **_events(deployed),
        "upper": math.nan,
        **rolled.extra,
    }
    curves = common_curves(world, rolled.trajectory, moves)
    # as they are: limits are compared with them, and .1 as float32 is more than .1
    curves |= {f"cost_{name}": one[0].astype(np.float64) for name, one in rolled.trajectory.costs.items()}
    if found is not None:
        curves |= found.curves
    outcome = Outcome(
        metrics=metrics,
        reasons={} if "upper" in rolled.extra else {"upper": NOT_THE_OPTIMUM},
        curves=curves,
        attributes={"stream_id": stream_id(world)},
    )
    if recorded:
        outcome.attributes |= heads_of_deployed(deployed).facts()
    return outcome


def compliance(deployed: Deployed) -> dict[str, float]:
    """Return what the costs of the constraints, by the truth, come to.

    ``cost`` is their weighted mean of a window; ``over`` the weighted sum of what is above each limit: of the
    mean, of each window (then its mean), or of the longest run (then as a share of the windows). Windows out
    of compliance are those of the record (:meth:`mlopsim.delivery.mechanisms.Costs.out`).
    """
    trajectory: Trajectory = deployed.trajectory
    mechanisms = deployed.deployment.mechanisms(deployed.pool)
    steps = trajectory.reward.shape[1]
    out, over = np.zeros(steps, dtype=bool), 0.0
    for one, spec in zip(mechanisms.costs, deployed.deployment.constraints, strict=True):
        cost = trajectory.costs[one.name][0]
        out |= one.out(cost)
        over += one.weight * _above(make("constraint", spec).over, cost, one.limit)
    total = weighted(trajectory.costs, mechanisms, 1, steps)[0]
    return {
        "cost": float(total.mean()),
        "over": over,
        "out": float(out.mean()),
        "longest": float(longest_run(out.astype(np.float64))),
        "suspended": float((trajectory.served[0, deployed.pool.warmup :] == FALLBACK).mean()),
    }


def _above(over: Over, cost: np.ndarray, limit: float) -> float:
    if over is Over.MEAN:
        # as much as rounding makes of a mean that is equal to its limit
        above = float(cost.mean()) - limit
        return above if above > 1e-12 else 0.0
    if over is Over.WINDOW:
        return float(np.maximum(cost - limit, 0.0).mean())
    return max(longest_run(cost) - limit, 0.0) / len(cost)


def _events(deployed: Deployed) -> dict[str, float]:
    """Count what the record tells of versions that were stopped, and of alarms."""
    history = History(deployed)
    counts: dict[str, Any] = {"denied": 0, "refused": set(), "alarms": 0}
    for s in range(deployed.pool.steps + 1):
        for kind, _, content in history.moved(s) if s else ():
            counts["denied"] += kind == "approval" and content["verdict"] == "denied"
            if kind == "gate" and content["verdict"] == "blocked":
                counts["refused"].add((s, content["version"]))
        # a method that goes by the deployment's alarm tells of it, too
        counts["alarms"] += any(kind == "alarm" for kind, *_ in history.noticed(s))
    return {
        "denied": float(counts["denied"]),
        "refused": float(len(counts["refused"])),
        "alarms": float(counts["alarms"]),
    }
