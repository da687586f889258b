"""How far are agents that learn under a limit from the constrained optimum, and do they keep the limit?

Five limits on the mean cost of a window, between the least cost and that of the unconstrained optimum. For
each of them agents are trained (three seeds) and rolled out on test scenarios of their family and of held-out
ones. A limit is *met* where the upper end of the interval of the mean cost is at most the limit. The front
U(C) is what a clairvoyant could earn at a mean cost of C: one price for all scenarios, the best bound at
every price of a grid. The front score of a method is (R - B(C)) / (U(C) - B(C)) at its own cost C, B
being the best mixture of never retraining and suspending always whose cost is at most C.

    python experiments/constrained_agents.py

table.csv has every method under every limit; prices.csv the price that each training found beside the
neighbours of the sweep of fixed prices whose costs enclose the limit; front.csv the front. Fits and bounds
are kept in results/local/constrained_agents by settings and commit: a run goes on where it was stopped.
"""

from __future__ import annotations

import _common  # isort: skip

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from mlopsim.core.digest import digest
from mlopsim.core.errors import ConfigError
from mlopsim.core.files import write_text
from mlopsim.core.identity import identity_words
from mlopsim.core.seeds import Axis, Split, seed_sequence
from mlopsim.core.spec import canonical, make, split_spec
from mlopsim.core.track import FitResult
from mlopsim.delivery.pool import WorldPool
from mlopsim.delivery.scenarios import pool_of
from mlopsim.delivery.walk import walk
from mlopsim.governance.agents.choice import choose
from mlopsim.governance.optimum.case import Case
from mlopsim.governance.optimum.front import baseline
from mlopsim.governance.optimum.priced import Large
from mlopsim.plots.curves import Curve, curves
from mlopsim.stats.bootstrap import mean_interval
from mlopsim.stats.interval import Interval
from mlopsim.world.spec import WorldSpec


@dataclass(frozen=True, kw_only=True)
class Front:
    """What a clairvoyant earns a window less the price of its cost, by price and scenario: (P, S) each.

    Parameters
    ----------
    prices : ndarray of float64, shape (P,)
        Ascending, from 0 on.
    upper, lower : ndarray of float64, shape (P, S)
        Bound of every plan, and of a plan that was found.
    """

    prices: np.ndarray
    upper: np.ndarray
    lower: np.ndarray

    def at(self, cost: float, rows: np.ndarray | None = None) -> tuple[float, float]:
        """Return the bound at a mean cost, of all scenarios or of these, and its price."""
        mean = self.upper.mean(axis=1) if rows is None else self.upper[:, rows].mean(axis=1)
        lines = self.prices * cost + mean
        best = int(lines.argmin())
        return float(lines[best]), float(self.prices[best])

    def cost(self, place: int) -> float:
        """Return the mean cost between two neighbouring prices: what the line's slope says."""
        mean = self.upper.mean(axis=1)
        return float((mean[place] - mean[place + 1]) / (self.prices[place + 1] - self.prices[place]))


@dataclass(frozen=True, kw_only=True)
class Rolled:
    """What a method did in every test scenario of a family: mean reward and mean cost of a window."""

    returns: np.ndarray
    costs: np.ndarray


class Work:
    """What the parts of the experiment share: settings, pools, what is kept of earlier runs."""

    def __init__(self, experiment: _common.Experiment) -> None:
        self.experiment, self.settings = experiment, experiment.settings
        self.commit = experiment.machine["commit"]
        self.pools: dict[tuple[str, str], WorldPool] = {}

    def kept(self, content: Any) -> Path | None:
        """Return where something is kept; None with changes that are not committed."""
        if self.commit is None or self.commit.endswith("+"):
            return None
        return self.experiment.local / digest([content, self.commit])[:24]

    def deployment(self, limit: float) -> Any:
        """Return the deployment with this limit."""
        name, params = split_spec("constraint", self.settings["constraint"])
        constraint = {name.split("/")[-1]: {**params, "limit": limit}}
        return make("deployment", {"governed": {**self.settings["deployment"], "constraints": [constraint]}})

    def pool(self, stream: Any, split: str, count: int) -> WorldPool:
        """Open the Worlds of a family."""
        place = digest(canonical("stream", stream)), f"{split} {count}"
        if place not in self.pools:
            settings = self.settings
            specs = [
                WorldSpec.of(
                    stream,
                    settings["learner"],
                    settings["training"],
                    split=split,
                    index=i,
                    root=settings["root"],
                )
                for i in range(count)
            ]
            self.pools[place] = pool_of(specs, self.deployment(0.5))
        return self.pools[place]

    @cached_property
    def training(self) -> WorldPool:
        """Training Worlds."""
        return self.pool(self.settings["stream"], "train", self.settings["train_scenarios"])

    def front(self, stream: Any, split: str, count: int, prices: Sequence[float]) -> Front:
        """Bound what is earned at every price in every scenario."""
        content = {**self._conditions(stream, split, count), "prices": list(prices)}
        path = self.kept(content)
        if path is not None and path.with_suffix(".json").is_file():
            found = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
        else:
            pool = self.pool(stream, split, count)
            solvers = [Large(case=case) for case in Case.all_of(pool, self.deployment(0.5))]
            found = {"upper": [], "lower": []}
            for price in prices:
                answers = [solver.at(price) for solver in solvers]
                best = [float((one.played.value - price * one.played.cost).max()) for one in answers]
                found["upper"].append([one.upper / pool.steps for one in answers])
                found["lower"].append([value / pool.steps for value in best])
            if path is not None:
                write_text(path.with_suffix(".json"), json.dumps(found))
        return Front(
            prices=np.array(prices, dtype=np.float64),
            upper=np.array(found["upper"]),
            lower=np.array(found["lower"]),
        )

    def _conditions(self, stream: Any, split: str, count: int) -> dict[str, Any]:
        names = ("root", "learner", "training", "deployment", "constraint")
        return {**{name: self.settings[name] for name in names}, "of": [stream, split, count]}

    def fit(self, spec: Mapping[str, Any], limit: float, seed: int) -> tuple[Any, FitResult]:
        """Train an agent, or read it; returns it loaded, and its fit."""
        settings = self.settings
        ((name, params),) = spec.items()
        agent = make("selector", {name: {**params, "train_seed": seed}})
        conditions = self._conditions(settings["stream"], "train", settings["train_scenarios"])
        part = canonical("selector", {name: {**params, "train_seed": seed}})
        path = self.kept({**conditions, "limit": limit, "method": part, "steps": settings["steps"]})
        if path is not None and path.with_suffix(".npz").is_file():
            info = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
            with np.load(path.with_suffix(".npz"), allow_pickle=False) as stored:
                fit = FitResult(arrays={key: stored[key] for key in stored.files}, info=info)
        else:
            words = identity_words(part)
            sequence = seed_sequence(Axis.REPETITION, Split.TRAIN, seed, *words, root=settings["root"])
            began = time.process_time()
            fit = agent.train(self.training, self.deployment(limit), settings["steps"], sequence)
            fit.info["cpu_seconds"] = time.process_time() - began
            if path is not None:
                path.parent.mkdir(parents=True, exist_ok=True)
                np.savez_compressed(path.with_suffix(".npz"), **fit.arrays)
                write_text(path.with_suffix(".json"), json.dumps(fit.info))
        agent.load(fit)
        return agent, fit

    def roll(self, selector: Any, stream: Any, limit: float, salt: int) -> Rolled:
        """Roll a selector out on all test scenarios of a family."""
        settings = self.settings
        pool, deployment = self.pool(stream, "test", settings["scenarios"]), self.deployment(limit)
        seeds = [
            seed_sequence(Axis.METHOD, Split.TEST, i, salt, root=settings["root"]) for i in range(len(pool))
        ]
        found = walk(selector, pool, deployment, seeds=seeds)
        (costs,) = found.costs.values()
        return Rolled(returns=found.reward.mean(axis=1), costs=costs.mean(axis=1))

    def suspended(self, stream: Any) -> Rolled:
        """What suspending at once and for good earns and costs."""
        return self.roll(SuspendAlways(), stream, 0.5, 0)


class SuspendAlways:
    """Suspends at the first decision and never does anything else."""

    full_name = "selector/suspend-always"
    can_suspend = True
    uses_errors = False

    def reset(self, n: int, interface: Any, seeds: Sequence[np.random.SeedSequence]) -> None:
        """Take note of the number of the action."""
        self.suspend = interface.suspend

    def act(self, view: Any) -> np.ndarray:
        """Suspend where that is possible."""
        return np.where(view.mask[:, self.suspend], self.suspend, 0).astype(np.int64)


def score(
    returns: np.ndarray,
    costs: np.ndarray,
    front: Front,
    never: Rolled,
    suspended: Rolled,
    settings: Mapping[str, Any],
) -> tuple[float, float, float]:
    """Return the front score of means over scenarios (S,), with a percentile interval over scenarios."""

    def of(rows: np.ndarray) -> float:
        cost = float(costs[rows].mean())
        ends = [
            (float(one.costs[rows].mean()), float(one.returns[rows].mean())) for one in (never, suspended)
        ]
        below = baseline(ends[0], ends[1], cost)
        room = front.at(cost, rows)[0] - below
        return (float(returns[rows].mean()) - below) / room if room >= settings["floor"] else float("nan")

    count = len(costs)
    rng = np.random.default_rng(seed_sequence(Axis.BOOTSTRAP, Split.TEST, 1))
    value = of(np.arange(count))
    if np.isnan(value):
        return value, value, value
    drawn = np.array([of(rng.integers(count, size=count)) for _ in range(settings["resamples"])])
    # where a resample leaves too little room there is no interval
    tail = (1.0 - settings["level"]) / 2.0
    low, high = np.quantile(drawn, [tail, 1.0 - tail])
    return value, float(low), float(high)


def interval(values: np.ndarray, level: float) -> Interval:
    """Interval of a mean over scenarios."""
    rng = np.random.default_rng(seed_sequence(Axis.BOOTSTRAP, Split.TEST, 0))
    return mean_interval(values, rng, level=level)


def row_of(
    rolled: Sequence[Rolled],
    limit: float,
    front: Front,
    never: Rolled,
    suspended: Rolled,
    settings: Mapping[str, Any],
) -> dict[str, Any]:
    """Summarise a method under a limit: one entry of ``rolled`` for each training."""
    level = settings["level"]
    # a scenario's cost is the mean over the trainings
    returns, costs = (
        np.mean([getattr(one, name) for one in rolled], axis=0) for name in ("returns", "costs")
    )
    cost = interval(costs, level)
    alone = [interval(one.costs, level).high <= limit for one in rolled]
    mean_cost, mean_return = float(costs.mean()), float(returns.mean())
    upper, price = front.at(mean_cost)
    value, low, high = score(returns, costs, front, never, suspended, settings)
    return {
        "limit": limit,
        "trainings": len(rolled),
        "n": len(costs),
        "return": mean_return,
        "cost": mean_cost,
        "cost_high": cost.high,
        "met": cost.high <= limit,
        "met_alone": sum(alone),
        "beyond": max(cost.high - limit, 0.0),
        "front": upper,
        "front_at_limit": front.at(limit)[0],
        "shadow_price": price,
        "front_score": value,
        "front_score_low": low,
        "front_score_high": high,
    }


def limits_of(work: Work) -> list[float]:
    """Return the limits: shares of the way between the least cost and that of the unconstrained optimum."""
    settings = work.settings
    highest = max(settings["front_prices"])
    # slopes at both ends; between two prices that are so near no other plan becomes the best
    prices = [0.0, 1e-3, highest, highest + 1e-3]
    ends = work.front(settings["stream"], "validation", settings["limit_scenarios"], prices)
    most, least = ends.cost(0), ends.cost(2)
    if most - least < settings["room"]:
        raise ConfigError(
            f"the unconstrained optimum costs {most:.4f} a window, the cheapest plan {least:.4f}",
            remedy="a stricter constraint",
        )
    return [least + share * (most - least) for share in settings["shares"]]


def chosen_of_sweep(fits: Sequence[FitResult], limit: float, level: float) -> int:
    """Return the number of the sweep's agent that is taken for a limit, by its validation deployments."""
    if any("validation" not in fit.info for fit in fits):
        raise ConfigError("the sweep has no validation deployments to choose by", remedy="more steps")
    each = [fit.info["validation"]["each"] for fit in fits]
    # (agents, 1 context, deployments), and the costs of the only constraint behind
    returns, costs = (np.array([one[name] for one in each]) for name in ("returns", "costs"))
    alone = [
        choose(returns[i : i + 1], costs[i : i + 1], np.array([[limit]]), level) for i in range(len(fits))
    ]
    met = [i for i, one in enumerate(alone) if one.met]
    if met:
        return max(met, key=lambda i: alone[i].returns)
    return min(range(len(fits)), key=lambda i: float(alone[i].cost.sum()))


def run(experiment: _common.Experiment) -> dict[str, list[dict[str, Any]]]:
    """Train, roll out, compare."""
    work = Work(experiment)
    settings = experiment.settings
    limits = limits_of(work)
    seeds = range(settings["train_seeds"])
    sweep = [
        [
            work.fit({"ppo_fixed_price": {**settings["sweep"], "price": price}}, 0.5, seed)
            for price in settings["prices"]
        ]
        for seed in seeds
    ]
    agents: dict[tuple[str, float], list[tuple[Any, FitResult]]] = {}
    for name, spec in settings["methods"].items():
        ((kind, params),) = spec.items()
        shared = params.get("limits") == "all"
        given = {kind: {**params, "limits": limits} if shared else params}
        for limit in limits:
            # an agent for all limits is trained once: it does not read the deployment's
            agents[name, limit] = [work.fit(given, limits[0] if shared else limit, seed) for seed in seeds]
    for limit in limits:
        taken = [chosen_of_sweep([fit for _, fit in row], limit, settings["level"]) for row in sweep]
        agents["sweep of prices", limit] = [row[i] for row, i in zip(sweep, taken, strict=True)]
    table, fronts = [], []
    for family, stream in settings["families"].items():
        front = work.front(stream, "test", settings["scenarios"], settings["front_prices"])
        never, suspended = work.roll(make("selector", "never"), stream, 0.5, 0), work.suspended(stream)
        for price, upper, lower in zip(
            front.prices, front.upper.mean(axis=1), front.lower.mean(axis=1), strict=True
        ):
            fronts.append({"family": family, "price": price, "upper": upper, "lower": lower})
        rules = {name: work.roll(make("selector", name), stream, 0.5, 0) for name in settings["rules"]}
        for share, limit in zip(settings["shares"], limits, strict=True):
            for name in (*settings["methods"], "sweep of prices"):
                trained = agents[name, limit]
                rolled = [work.roll(agent, stream, limit, seed) for seed, (agent, _) in enumerate(trained)]
                row = row_of(rolled, limit, front, never, suspended, settings)
                infos = [fit.info for _, fit in trained]
                row["steps"] = float(np.mean([info["steps_used"] for info in infos]))
                row["cpu_seconds"] = float(np.mean([info["cpu_seconds"] for info in infos]))
                if name == "sweep of prices":
                    # all of them were trained to take one
                    row["steps"] *= len(settings["prices"])
                    row["cpu_seconds"] *= len(settings["prices"])
                table.append({"family": family, "share": share, "method": name, **row})
            for name, one in rules.items():
                row = row_of([one], limit, front, never, suspended, settings)
                table.append(
                    {"family": family, "share": share, "method": name, **row, "steps": 0, "cpu_seconds": 0}
                )
    return {"table": table, "front": fronts, "prices": prices_beside(settings, limits, agents, sweep)}


def prices_beside(
    settings: Mapping[str, Any],
    limits: Sequence[float],
    agents: Mapping[tuple[str, float], Sequence[tuple[Any, FitResult]]],
    sweep: Sequence[Sequence[tuple[Any, FitResult]]],
) -> list[dict[str, Any]]:
    """Set the price that each training found beside the neighbours of the sweep of its seed."""
    rows = []
    for (name, limit), trained in agents.items():
        for seed, (_, fit) in enumerate(trained):
            price = fit.info["price"]
            if name == "sweep of prices" or price is None or fit.info["algorithm"] == "ppo_fixed_price":
                continue
            place = [round(one[0], 12) for one in fit.info["limits"]].index(round(limit, 12))
            costs = [np.mean(one.info["validation"]["each"]["costs"]) for _, one in sweep[seed]]
            above = [p for p, c in zip(settings["prices"], costs, strict=True) if c > limit]
            below = [p for p, c in zip(settings["prices"], costs, strict=True) if c <= limit]
            low, high = max(above, default=0.0), min(below, default=float("nan"))
            mean = price["mean"][place][0]
            rows.append(
                {
                    "method": name,
                    "limit": limit,
                    "seed": seed,
                    "price": mean,
                    "sd": price["sd"][place][0],
                    "sweep_low": low,
                    "sweep_high": high,
                    "between": bool(low <= mean <= high),
                    # costs of a sweep fall where nothing is random
                    "sweep_falls": bool(max(above, default=0.0) < min(below, default=np.inf)),
                }
            )
    return rows


def main(arguments: Sequence[str] | None = None) -> None:
    """Run and write."""
    experiment = _common.start("constrained_agents", __doc__, arguments)
    found = run(experiment)
    settings = experiment.settings
    _common.write_config(experiment)
    for name, rows in found.items():
        if rows:
            _common.show(rows, name)
            _common.write_table(experiment.folder, rows, name)
    first = next(iter(settings["families"]))
    front = [row for row in found["front"] if row["family"] == first]
    lines_of = Front(
        prices=np.array([row["price"] for row in front]),
        upper=np.array([[row["upper"]] for row in front]),
        lower=np.array([[row["lower"]] for row in front]),
    )
    own = [row for row in found["table"] if row["family"] == first]
    highest = max(row["cost"] for row in own)
    grid = np.linspace(0.0, highest, 200)
    lines = {"front (clairvoyant)": Curve(x=grid, y=np.array([lines_of.at(float(c))[0] for c in grid]))}
    for name in (*settings["methods"], "sweep of prices"):
        points = sorted((row["cost"], row["return"]) for row in own if row["method"] == name)
        lines[name] = Curve(x=np.array([c for c, _ in points]), y=np.array([r for _, r in points]))
    figure = curves(
        lines,
        xlabel="mean cost of a window",
        ylabel="mean reward of a window",
        legend=True,
        note=f"{first}: {settings['scenarios']} test scenarios, {settings['train_seeds']} training seeds, "
        f"limits at {', '.join(f'{share:.0%}' for share in settings['shares'])}",
    )
    _common.write_figure(experiment.folder, figure)
    ours = [row for row in found["table"] if row["method"] in settings["methods"]]
    for name in settings["methods"]:
        mine = [row for row in ours if row["method"] == name]
        met = sum(row["met"] for row in mine)
        worst = max(row["beyond"] for row in mine)
        print(f"{name}: {met} of {len(mine)} limits met; where not, beyond by at most {worst:.3f}")


if __name__ == "__main__":
    main()
