"""What the experiment constrained_front measures of one task: the brackets of its front, and their times."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from mlopsim.core.spec import make
from mlopsim.delivery.pool import WorldPool
from mlopsim.governance.optimum.case import Case
from mlopsim.governance.optimum.per_deployment import limited_bracket
from mlopsim.governance.optimum.pooled import PooledFront, pooled_front
from mlopsim.governance.optimum.priced import Large, Latest, Solver
from mlopsim.world.spec import WorldSpec

#: of the way between the least cost and that of the unconstrained optimum: step of the difference quotients
STEP = 0.02
NAN = float("nan")


def cases_of(settings: Mapping[str, Any], task: Mapping[str, Any], count: int) -> list[Case]:
    """Return a case a scenario."""
    place = {"split": settings["split"], "root": settings["root"]}
    specs = [
        WorldSpec.of(task["stream"], settings["learner"], settings["training"], index=index, **place)
        for index in range(count)
    ]
    given = {**settings["deployment"], **task.get("deployment", {}), "constraints": task["limits"]}
    return Case.all_of(WorldPool(specs), make("deployment", {"governed": given}))


def solvers_of(settings: Mapping[str, Any], cases: Sequence[Case], exact: bool) -> list[Solver]:
    """Return a solver a scenario."""
    if exact:
        return [Latest(case=case) for case in cases]
    return [
        Large(case=case, **{name: settings[name] for name in ("effort", "kicks", "iterations")})
        for case in cases
    ]


def quotients(ends: Any, cost: float, step: float) -> tuple[float, float]:
    """Return the difference quotients of a function of the cost to the left and to the right."""
    here = ends(cost)
    return (here - ends(cost - step)) / step, (ends(cost + step) - here) / step


def rows_of(
    front: PooledFront, settings: Mapping[str, Any], about: Mapping[str, Any]
) -> list[dict[str, Any]]:
    """Return the rows of table.csv of a front."""
    least, most = float(front.lower.cost[0]), float(front.lower.cost[-1])
    room = room_of(front, settings)
    free, step = front.at(most).gap / room, STEP * (most - least)
    # where the cheapest plan is the best one no limit binds, and there is nothing to be cut in shares
    binds = most - least > 1e-9
    rows = []
    for share in settings["shares"] if binds else [NAN]:
        cost = least + share * (most - least) if binds else least
        ends = front.at(cost)
        left = right = left_found = right_found = slack = NAN
        if binds:
            left, right = quotients(lambda c: front.upper_at(c)[0], cost, step)
            left_found, right_found = quotients(front.lower.at, cost, step)
            # a line of the upper end may be as far above what plans earn as the bracket is wide
            slack = ends.gap / step + 1e-9
        rows.append(
            {
                **about,
                "room": room,
                "share": share,
                "cost": cost / front.windows,
                "upper": ends.upper / front.windows,
                "lower": ends.mixed / front.windows,
                "baseline": front.baseline(cost) / front.windows,
                "bracket": ends.gap / room,
                "pure": (ends.upper - ends.pure) / room,
                "bracket_unconstrained": free,
                "price": ends.price,
                "left": left,
                "right": right,
                "left_found": left_found,
                "right_found": right_found,
                "between": right - 1e-9 <= ends.price <= left + 1e-9 if binds else None,
                "between_found": right_found - slack <= ends.price <= left_found + slack if binds else None,
                "prices_tried": len(front.prices),
                "reason": "" if binds else "no limit binds: the cheapest plan that was found is the best one",
            }
        )
    return rows


def room_of(front: PooledFront, settings: Mapping[str, Any]) -> float:
    """Return U - never in mean total reward: the unit of NS; undefined below a floor."""
    most = float(front.lower.cost[-1])
    room = front.at(most).upper - float(front.never[:, 1].mean())
    return room if room > settings["room"] else NAN


def measure(settings: Mapping[str, Any], task: Mapping[str, Any]) -> dict[str, list[dict[str, Any]]]:
    """Return rows of table.csv, of deployments.csv (none of exact tasks) and of the task's front."""
    exact = bool(task.get("exact", False))
    counts = settings["counts"] if exact else [settings["scenarios"]]
    cases = cases_of(settings, task, max(counts))
    # compiled before the clock runs
    solvers_of(settings, cases[:1], exact)[0].at(0.0)
    table: list[dict[str, Any]] = []
    for count in counts:
        began, worked = time.perf_counter(), time.process_time()
        front = pooled_front(
            solvers_of(settings, cases[:count], exact),
            rounds=settings["exact_rounds" if exact else "rounds"],
            tolerance=settings["exact_tolerance" if exact else "tolerance"],
        )
        seconds, work = time.perf_counter() - began, time.process_time() - worked
        about = {"task": task["name"], "solver": "exact" if exact else "bracket", "scenarios": count}
        times = {"seconds": seconds, "cpu_seconds": work}
        table += [{**row, **times} for row in rows_of(front, settings, about)]
    alone = [] if exact else [limited(settings, task, cases, front)]
    return {"table": table, "deployments": alone, "front": front.table()}


def limited(
    settings: Mapping[str, Any], task: Mapping[str, Any], cases: Sequence[Case], front: PooledFront
) -> dict[str, Any]:
    """Return the row of deployments.csv: each deployment has to keep the middle limit alone."""
    least, most = float(front.lower.cost[0]), float(front.lower.cost[-1])
    middle, room = (least + 0.5 * (most - least)) / front.windows, room_of(front, settings)
    began, worked = time.perf_counter(), time.process_time()
    found = []
    for case in cases:
        costs = tuple(replace(one, limit=middle) for one in case.mechanisms.costs)
        one = replace(case, mechanisms=replace(case.mechanisms, costs=costs))
        found.append(limited_bracket(one, effort=settings["effort"], kicks=settings["kicks"]))
    seconds, work = time.perf_counter() - began, time.process_time() - worked
    gaps = np.array([one.gap for one in found])
    return {
        "task": task["name"],
        "scenarios": len(cases),
        "limit": middle,
        "upper": float(np.mean([one.upper for one in found])) / front.windows,
        "lower": float(np.mean([one.lower for one in found])) / front.windows,
        "bracket": float(gaps.mean()) / room,
        "widest": float(gaps.max()) / room,
        "exact": int((gaps <= 1e-6).sum()),
        "seconds": seconds / len(cases),
        "cpu_seconds": work / len(cases),
    }
