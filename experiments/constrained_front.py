"""How wide is the bracket of the constrained optimum at full size, and how long does it take?

Thirty scenarios a task share one limit on their mean cost. table.csv: at limits between the least cost and
that of the unconstrained optimum, both ends of the clairvoyant's return, the price, and the width in units of
NS, beside the width of the unconstrained bracket with the same solver; `pure` is the width where each
scenario follows one plan, without a lot. The unit of NS is `room`; below a floor widths are undefined.
deployments.csv: the bracket of a limit that each deployment has to keep alone. front_*.csv and figure_*.svg:
the front, with the mixtures of never acting and suspending. Times are those of the machine in config.yaml,
idle or not, without the Worlds.

    python experiments/constrained_front.py
"""

from __future__ import annotations

import _common  # isort: skip

import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np


def cases_of(settings: Mapping[str, Any], task: Mapping[str, Any]) -> list[Any]:
    """Return a case a scenario."""
    from mlopsim.core.spec import make
    from mlopsim.delivery.pool import WorldPool
    from mlopsim.governance.optimum.case import Case
    from mlopsim.world.spec import WorldSpec

    place = {"split": settings["split"], "root": settings["root"]}
    specs = [
        WorldSpec.of(task["stream"], settings["learner"], settings["training"], index=index, **place)
        for index in range(settings["scenarios"])
    ]
    deployment = make("deployment", {"governed": {**settings["deployment"], "constraints": task["limits"]}})
    return Case.all_of(WorldPool(specs), deployment)


def measure(
    settings: Mapping[str, Any], task: Mapping[str, Any]
) -> tuple[list[dict[str, Any]], list[dict[str, Any]], list[dict[str, float]]]:
    """Return rows of table.csv, of deployments.csv and of the front of one task."""
    from mlopsim.governance.optimum.per_deployment import limited_bracket
    from mlopsim.governance.optimum.pooled import pooled_front
    from mlopsim.governance.optimum.priced import Large

    cases = cases_of(settings, task)
    search = {name: settings[name] for name in ("effort", "kicks", "iterations")}
    # compiled before the clock runs
    Large(case=cases[0], **search).at(0.0)
    began, worked = time.perf_counter(), time.process_time()
    front = pooled_front(
        [Large(case=case, **search) for case in cases],
        rounds=settings["rounds"],
        tolerance=settings["tolerance"],
    )
    seconds, work = time.perf_counter() - began, time.process_time() - worked
    least, most = float(front.lower.cost[0]), float(front.lower.cost[-1])
    room = front.at(most).upper - float(front.never[:, 1].mean())
    if room <= settings["room"]:
        # nothing to gain, so nothing to be measured in units of
        room = float("nan")
    free = front.at(most).gap / room
    table = []
    for share in settings["shares"]:
        cost = least + share * (most - least)
        ends = front.at(cost)
        table.append(
            {
                "task": task["name"],
                "scenarios": len(cases),
                "room": room,
                "share": share,
                "cost": cost / front.windows,
                "upper": ends.upper / front.windows,
                "lower": ends.mixed / front.windows,
                "baseline": front.baseline(cost) / front.windows,
                "price": ends.price,
                "bracket": ends.gap / room,
                "pure": (ends.upper - ends.pure) / room,
                "bracket_unconstrained": free,
                "prices_tried": len(front.prices),
                "seconds": seconds,
                "cpu_seconds": work,
            }
        )
    middle = (least + 0.5 * (most - least)) / front.windows
    began, worked = time.perf_counter(), time.process_time()
    found = []
    for case in cases:
        costs = tuple(replace(one, limit=middle) for one in case.mechanisms.costs)
        one = replace(case, mechanisms=replace(case.mechanisms, costs=costs))
        found.append(limited_bracket(one, effort=settings["effort"], kicks=settings["kicks"]))
    seconds, work = time.perf_counter() - began, time.process_time() - worked
    gaps = np.array([one.gap for one in found])
    alone = [
        {
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
    ]
    return table, alone, front.table()


def run(experiment: _common.Experiment) -> dict[str, list[dict[str, Any]]]:
    """Measure everything, write tables and figures."""
    from mlopsim.plots.cost_front import cost_front

    settings = experiment.settings
    found: dict[str, list[dict[str, Any]]] = {"table": [], "deployments": []}
    for task in settings["tasks"]:
        table, alone, front = measure(settings, task)
        found["table"] += table
        found["deployments"] += alone
        name = re.sub(r"\W+", "_", task["name"])
        _common.write_table(experiment.folder, front, f"front_{name}")
        _common.write_figure(experiment.folder, cost_front(front, title=task["name"]), f"figure_{name}")
    _common.write_config(experiment)
    for name, rows in found.items():
        _common.write_table(experiment.folder, rows, name)
    return found


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print the tables."""
    experiment = _common.start("constrained_front", __doc__, arguments)
    for name, rows in run(experiment).items():
        _common.show(rows, name)
    print(f"written to {experiment.folder}")


if __name__ == "__main__":
    main()
