"""Which way to follow a price finds a constrained optimum that is stochastic, and is it there when stored?

One state; arm A brings 1 and costs 1, arm B neither; the mean cost may be at most d. The optimum plays A
with probability d, and its price is exactly 1. table.csv has every rule of update, learned by PPO: the cost
of the **stored** policy (snapshots of the last fifth, one drawn for each deployment, actions sampled), of its
argmax, of the last policy alone, the mean price over the last fifth of the updates, and how much the policy
moves in the second half of training. exact.csv has the same rules with exact gradients. sweep.csv has agents
at fixed prices: the cost jumps where the price passes 1, and between these neighbours the price of every
other agent must lie. seeds.csv has every training.

    python experiments/constrained_toy.py

Trainings are kept in results/local/constrained_toy by settings and by the code that makes them, each as it
ends: a run goes on where it was stopped.
"""

from __future__ import annotations

import _common  # isort: skip

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import _toy_training
import numpy as np
from _jobs import Job, do, state

from mlopsim.core.digest import digest
from mlopsim.core.seeds import Axis, Split, seed_sequence
from mlopsim.governance.agents.prices import ByAdam, Halted, Prices, ProportionalIntegral
from mlopsim.plots.curves import Curve, curves
from mlopsim.stats.bootstrap import mean_interval

#: the rule whose prices run where it is deployed
RUNNING = "running where deployed"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Run:
    """One training and what became of it."""

    rule: str
    seed: int
    snapshots: int
    price: float
    steps: int
    chance: list[float]
    cost: float
    argmax: float
    seconds: float


def job_of(experiment: _common.Experiment, rule: str, params: Mapping[str, Any], seed: int, name: str) -> Job:
    """Return a training, which is kept by its settings and the code that makes it."""
    settings = experiment.settings
    shared = {key: settings[key] for key in ("limit", "steps", "agent", "deployments", "windows")}
    content = {**shared, "params": dict(params), "seed": seed, "agent_name": name}
    return Job(
        kind="trainings",
        label=f"{rule}, seed {seed}",
        path=experiment.local / f"{digest([state(_toy_training.__file__), content])[:24]}.json",
        call=_toy_training.train,
        arguments=(shared, dict(params), seed, name),
    )


def jobs_of(experiment: _common.Experiment) -> dict[str, list[Job]]:
    """Return the trainings by rule, in the order of the tables."""
    settings = experiment.settings
    lagrangian, fixed = "ppo_lagrangian", "ppo_fixed_price"
    rules = [(name, params, lagrangian, settings["seeds"]) for name, params in settings["rules"].items()]
    rules.append((RUNNING, settings["running"], lagrangian, settings["seeds"]))
    rules += [
        (f"price {price}", {"price": price}, fixed, settings["sweep_seeds"]) for price in settings["prices"]
    ]
    return {
        rule: [job_of(experiment, rule, params, seed, name) for seed in range(seeds)]
        for rule, params, name, seeds in rules
    }


def row_of(runs: Sequence[Run], settings: Mapping[str, Any], *, learned_price: bool = True) -> dict[str, Any]:
    """Summarise the trainings by one rule."""
    half = [slice(len(run.chance) // 2, None) for run in runs]
    rng = np.random.default_rng(seed_sequence(Axis.BOOTSTRAP, Split.TEST, 0))
    cost = mean_interval(np.array([run.cost for run in runs]), rng, level=settings["level"])
    spread = [np.std(run.chance[h]) for run, h in zip(runs, half, strict=True)]
    price = np.array([run.price for run in runs])
    last = [run.chance[-1] for run in runs]
    found = {
        "rule": runs[0].rule,
        "seeds": len(runs),
        "stored_cost": cost.value,
        "stored_low": cost.low,
        "stored_high": cost.high,
        "stored_min": min(run.cost for run in runs),
        "stored_max": max(run.cost for run in runs),
        "price": float(price.mean()),
        "price_min": float(price.min()),
        "price_max": float(price.max()),
        "sd_of_policy": float(np.mean(spread)),
        "last_min": float(min(last)),
        "last_max": float(max(last)),
        "argmax_min": min(run.argmax for run in runs),
        "argmax_max": max(run.argmax for run in runs),
        "within_.03": sum(abs(run.cost - settings["limit"]) <= 0.03 for run in runs),
        "price_within_.1": sum(abs(run.price - 1.0) <= 0.1 for run in runs),
        "steps": runs[0].steps,
        "cpu_seconds": float(np.mean([run.seconds for run in runs])),
    }
    if not learned_price:
        # its policies depend on a price that only a deployment has
        undefined = ("price", "sd_of_policy", "last", "argmax")
        found |= {key: float("nan") for key in found if key.startswith(undefined)}
    return found


def exact_rule(params: Mapping[str, Any], exact: Mapping[str, Any]) -> Prices:
    """Build a rule for exact gradients; where it is proportional and integral, with the gains of `exact`."""
    shape = (1, 1)
    update = params.get("update", "pi")
    if update == "adam":
        return ByAdam(shape=shape, rate=params["integral"])
    if update == "integral":
        return ProportionalIntegral(shape=shape, proportional=0.0, rate=params["integral"])
    inner = ProportionalIntegral(
        shape=shape, proportional=exact["proportional"], rate=exact["integral"], smoothing=exact["smoothing"]
    )
    if "frozen" not in params:
        return inner
    return Halted(inner=inner, updates=int(params["frozen"] * exact["updates"]))


def by_exact_gradients(
    rule: Prices, seed: int, limit: float, exact: Mapping[str, Any]
) -> tuple[np.ndarray, np.ndarray]:
    """Return the probability of A and the price after each update."""
    rng = np.random.default_rng(seed_sequence(Axis.REPETITION, Split.TRAIN, seed, 1))
    updates, samples = exact["updates"], exact["samples"]
    logit, chance, price = 0.0, np.zeros(updates), np.zeros(updates)
    for k in range(updates):
        p = 1.0 / (1.0 + np.exp(-logit))
        chance[k], price[k] = p, rule.value.item()
        gradient = (1.0 - price[k]) / (1.0 + price[k]) * p * (1.0 - p)
        logit += exact["step"] * gradient + exact["noise"] * rng.normal()
        rule.update(np.array([[rng.binomial(samples, p) / samples - limit]]))
    return chance, price


def exact_rows(settings: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Summarise the rules with exact gradients, second half."""
    rows = []
    for name, params in settings["rules"].items():
        found = [
            by_exact_gradients(
                exact_rule(params, settings["exact"]), seed, settings["limit"], settings["exact"]
            )
            for seed in range(settings["seeds"])
        ]
        half = settings["exact"]["updates"] // 2
        chance, price = (np.stack([one[i][half:] for one in found]) for i in (0, 1))
        means = price.mean(axis=1)
        rows.append(
            {
                "rule": name,
                "seeds": len(found),
                "cost": float(chance.mean()),
                "sd_of_policy": float(chance.std(axis=1).mean()),
                "price": float(means.mean()),
                "sd_of_price": float(price.std(axis=1).mean()),
                "last_min": float(chance[:, -1].min()),
                "last_max": float(chance[:, -1].max()),
            }
        )
    return rows


def verdict(rows: Sequence[Mapping[str, Any]], sweep: Sequence[Mapping[str, Any]], limit: float) -> str:
    """Say whether the stored policy is where it should be, and its price where the sweep says."""
    ours = rows[0]
    near = all(abs(ours[key] - limit) <= 0.03 for key in ("stored_min", "stored_max"))
    priced = all(abs(ours[key] - 1.0) <= 0.1 for key in ("price_min", "price_max"))
    above = [row["price"] for row in sweep if row["stored_cost"] > limit]
    below = [row["price"] for row in sweep if row["stored_cost"] <= limit]
    between = bool(above and below) and max(above) <= ours["price_min"] <= ours["price_max"] <= min(below)
    return (
        f"{ours['rule']}: stored policy {ours['stored_min']:.3f} to {ours['stored_max']:.3f} "
        f"({'all' if near else 'not all'} within {limit} +- .03), price {ours['price_min']:.3f} to "
        f"{ours['price_max']:.3f} ({'all' if priced else 'not all'} within 1 +- .1), "
        f"{'between' if between else 'NOT between'} the neighbours of the sweep "
        f"{max(above, default=float('nan'))} and {min(below, default=float('nan'))}."
    )


def main(arguments: Sequence[str] | None = None) -> None:
    """Train, roll out, write."""
    experiment = _common.start("constrained_toy", __doc__, arguments)
    settings = experiment.settings
    exact = exact_rows(settings)
    _common.show(exact, "exact gradients, second half")
    jobs = jobs_of(experiment)
    do([job for row in jobs.values() for job in row], settings["workers"])
    found = {
        rule: [Run(rule=rule, seed=seed, **job.read()) for seed, job in enumerate(row)]
        for rule, row in jobs.items()
    }
    everything = [one for runs in found.values() for one in runs]
    rows = [row_of(found[name], settings) for name in settings["rules"]]
    rows.append(row_of(found[RUNNING], settings, learned_price=False))
    sweep = [{**row_of(found[f"price {price}"], settings), "price": price} for price in settings["prices"]]
    lines = {}
    for name in settings["rules"]:
        first = found[name][0]
        lines[name] = Curve(x=np.arange(1.0, len(first.chance) + 1), y=np.array(first.chance))
    _common.show(rows, "by PPO")
    _common.show(sweep, "fixed prices")
    _common.write_config(experiment)
    for name, table in (("table", rows), ("exact", exact), ("sweep", sweep)):
        _common.write_table(experiment.folder, table, name)
    each = [
        {
            "rule": one.rule,
            "seed": one.seed,
            "stored_cost": one.cost,
            "argmax_cost": one.argmax,
            "last": float(one.chance[-1]),
            "snapshots": one.snapshots,
            "price": one.price,
            "steps": one.steps,
            "cpu_seconds": one.seconds,
        }
        for one in everything
    ]
    _common.write_table(experiment.folder, each, "seeds")
    figure = curves(
        lines,
        xlabel="update",
        ylabel="probability of A",
        references={"optimum": settings["limit"]},
        ylim=(0.0, 1.0),
        legend=True,
        note="one training seed of each rule; the argmax of a policy is A above .5 and B below",
    )
    _common.write_figure(experiment.folder, figure)
    print(verdict(rows, sweep, settings["limit"]))


if __name__ == "__main__":
    main()
