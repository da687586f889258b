"""How wide is the oracle's bracket, how long does it take, and what does a pool of many scenarios need?

table.csv: width of the bracket in units of NS as it was (linear program up to 400 windows, else the dual,
without prices of places and without the search) and as it is, on the same scenarios in one run.
programs.csv: the bound of the linear program and that of the Lagrangian dual, which replaces it beyond 200
windows. pool.csv: seconds and memory of a pool of Worlds that are named by their specs, of the rows that a
roll-out reads, and of an environment over it. Each line is measured in a process of its own. Times are those
of the machine in config.yaml, idle or not.

    python experiments/oracle_scale.py
"""

from __future__ import annotations

import _common  # isort: skip

import time
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from _alone import alone, peak

#: as it was: the linear program up to so many windows, so many evaluations of the dual beyond
OLD_WINDOWS, OLD_EVALUATIONS = 400, 600


def spec_of(settings: Mapping[str, Any], windows: int, index: int) -> Any:
    """Return the address of a scenario."""
    from mlopsim.world.spec import WorldSpec

    stream = {"procedural": {"windows": windows}}
    place = {"split": settings["split"], "root": settings["root"]}
    return WorldSpec.of(stream, settings["learner"], settings["training"], index=index, **place)


def problems(
    settings: Mapping[str, Any], windows: int, scenarios: int, params: Mapping[str, Any]
) -> list[tuple[Any, Any]]:
    """Return deployment and problem of each scenario."""
    from mlopsim.core.spec import make
    from mlopsim.delivery.oracle.problem import Problem
    from mlopsim.world.cache import open_world

    deployment = make("deployment", "standard", **params)
    found = []
    for index in range(scenarios):
        world = open_world(spec_of(settings, windows, index))
        reward = world.metric(deployment.objective)
        found.append((deployment, Problem.of(reward, world.warmup, deployment)))
    return found


def as_it_was(problem: Any) -> tuple[float, float]:
    """Return both ends of the bracket as they were."""
    from mlopsim.delivery.oracle.lagrange import lagrangian_bound
    from mlopsim.delivery.oracle.linear_program import lp_bound
    from mlopsim.delivery.oracle.lower_bound import feasible_plan, rounded, trained_by
    from mlopsim.delivery.oracle.without_rollback import latest_only

    latest = latest_only(problem)
    sets = [trained_by(problem, latest.plan)]
    if problem.slots == 1:
        return latest.value, latest.value
    if problem.T > OLD_WINDOWS:
        lower = max(feasible_plan(problem, sets)[0], latest.value)
        return lower, lagrangian_bound(problem, lower, iterations=OLD_EVALUATIONS, capacity=False)[0]
    relaxed = lp_bound(problem)
    sets += [rounded(problem, relaxed.trained, threshold) for threshold in (0.05, 0.3, 0.5)]
    return max(feasible_plan(problem, sets, target=relaxed.value)[0], latest.value), relaxed.value


def widths(settings: Mapping[str, Any], windows: int, scenarios: int, name: str) -> dict[str, Any]:
    """Measure the bracket of one deployment, as it was and as it is."""
    from mlopsim.delivery.oracle.bracket import bracket

    both = problems(settings, windows, scenarios, settings["deployments"][name])
    # compiled before the clock runs
    for measured in (
        lambda: as_it_was(both[0][1]),
        lambda: bracket(both[0][1].reward, both[0][1].warmup, both[0][0]),
    ):
        measured()
    began = time.perf_counter()
    old = [as_it_was(problem) for _, problem in both]
    middle = time.perf_counter()
    new = [bracket(problem.reward, problem.warmup, deployment) for deployment, problem in both]
    end = time.perf_counter()
    never = sum(one.never for one in new)
    before = sum(upper - lower for lower, upper in old) / (sum(upper for _, upper in old) - never)
    after = sum(one.gap for one in new) / (sum(one.upper for one in new) - never)
    return {
        "windows": windows,
        "deployment": name,
        "scenarios": scenarios,
        "bracket_before": before,
        "bracket": after,
        "exact_before": sum(upper - lower <= 1e-6 for lower, upper in old),
        "exact": sum(one.gap <= 1e-6 for one in new),
        "better_plans": sum(one.lower > lower + 1e-6 for one, (lower, _) in zip(new, old, strict=True)),
        "seconds_before": (middle - began) / scenarios,
        "seconds": (end - middle) / scenarios,
        "gigabytes": peak(),
    }


def programs(settings: Mapping[str, Any], windows: int, index: int) -> dict[str, Any]:
    """Compare the linear program with the Lagrangian dual on one scenario."""
    from mlopsim.delivery.oracle.bracket import ALONE
    from mlopsim.delivery.oracle.lagrange import lagrangian_bound
    from mlopsim.delivery.oracle.linear_program import lp_bound
    from mlopsim.delivery.oracle.lower_bound import feasible_plan, trained_by
    from mlopsim.delivery.oracle.without_rollback import latest_only

    ((_, problem),) = [problems(settings, windows, index + 1, {})[index]]
    plan = feasible_plan(problem, [trained_by(problem, latest_only(problem).plan)], kicks=0)[0]
    lagrangian_bound(problem, plan, iterations=2)
    began = time.perf_counter()
    dual, _ = lagrangian_bound(problem, plan, iterations=ALONE, capacity=False)
    middle = time.perf_counter()
    value = lp_bound(problem).value
    end = time.perf_counter()
    return {
        "windows": windows,
        "scenario": index,
        "program": value,
        "dual": dual,
        "dual_less_program": dual - value,
        "seconds_program": end - middle,
        "seconds_dual": middle - began,
    }


def pool(settings: Mapping[str, Any], what: str) -> dict[str, Any]:
    """Stack a pool, read its rows, or step an environment over it; each does what comes before it, too."""
    from mlopsim.delivery.pool import WorldPool

    began = time.perf_counter()
    specs = [spec_of(settings, 120, index) for index in range(settings["pool_scenarios"])]
    many = WorldPool(specs)
    note = f"{many.reward.nbytes + many.quality.nbytes + many.shift.nbytes:,} bytes of tables"
    if what == "rows":
        note = f"{many.rows[0].nbytes:,} bytes of rows"
    if what == "environment":
        from mlopsim.delivery.vector import DeliveryVectorEnv

        env = DeliveryVectorEnv(settings["pool_envs"], pool=many)
        env.reset(seed=0)
        rng, choices = np.random.default_rng(0), len(env.action_masks()[0])
        for _ in range(settings["pool_steps"]):
            env.step(rng.integers(0, choices, size=(settings["pool_envs"],)))
        note = f"{settings['pool_envs'] * settings['pool_steps']:,} steps"
    seconds, gigabytes = time.perf_counter() - began, peak()
    met = gigabytes <= settings["asked_gigabytes"]
    size = settings["pool_scenarios"]
    return {
        "what": what,
        "scenarios": size,
        "seconds": seconds,
        "gigabytes": gigabytes,
        "met": met,
        "note": note,
    }


def run(experiment: _common.Experiment) -> dict[str, list[dict[str, Any]]]:
    """Measure everything and write the tables."""
    settings = experiment.settings
    table = [
        alone(widths, settings, length["windows"], length["scenarios"], name)
        for length in settings["lengths"]
        for name in settings["deployments"]
    ]
    compared = [
        alone(programs, settings, windows, index) for windows in settings["programs"] for index in (0, 1)
    ]
    pools = [alone(pool, settings, what) for what in ("tables", "rows", "environment")]
    _common.write_config(experiment)
    found = {"table": table, "programs": compared, "pool": pools}
    for name, rows in found.items():
        _common.write_table(experiment.folder, rows, name)
    return found


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print the tables."""
    experiment = _common.start("oracle_scale", __doc__, arguments)
    for name, rows in run(experiment).items():
        _common.show(rows, name)
    print(f"written to {experiment.folder}")


if __name__ == "__main__":
    main()
