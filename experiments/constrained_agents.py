"""How far are agents that learn under a limit from the constrained optimum, and do they keep the limit?

Five limits on the mean cost of a window, between the least cost and that of the unconstrained optimum. For
each of them agents are trained (three seeds) and rolled out on test scenarios of their family and of held-out
ones. A limit is *met* where the upper end of the interval of the mean cost is at most the limit. The front
U(C) is what a clairvoyant could earn at a mean cost of C: one price for all scenarios, the best bound at
every price of a grid. The front score of a method is (R - B(C)) / (U(C) - B(C)) at its own cost C, B
being the best mixture of never retraining and suspending always whose cost is at most C. Rules, among them
the rule book of a traditional pipeline, are tuned under each limit in as many steps as an agent is trained.

    python experiments/constrained_agents.py
    python experiments/constrained_agents.py --plan       # what is done, and how long the rest takes
    python experiments/constrained_agents.py --measure    # one job of each kind, then --plan

limits.csv has the limits with the price of each; table.csv every method under every limit (`front`: U at its
cost, `front_low`: what a mixture of plans that were found earns there); prices.csv the price that each
training found beside the neighbours of the sweep of fixed prices whose costs enclose the limit; front.csv the
front. Trainings, bounds and roll-outs are kept in results/local/constrained_agents by settings and by the
code that makes them, each as it ends: a run that was killed goes on where it was stopped.
"""

from __future__ import annotations

import _common  # isort: skip

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import _constrained_work as work
import numpy as np
from _jobs import Job, do, plan, state, told

from mlopsim.core.digest import digest
from mlopsim.core.errors import ConfigError
from mlopsim.core.seeds import Axis, Split, seed_sequence
from mlopsim.core.spec import canonical, make
from mlopsim.governance.optimum.front import Front as Envelope
from mlopsim.governance.optimum.front import baseline
from mlopsim.plots.curves import Curve, curves
from mlopsim.stats.bootstrap import mean_interval
from mlopsim.stats.interval import Interval

if TYPE_CHECKING:
    from matplotlib.figure import Figure

#: scenarios that one job bounds, and Worlds that one job builds
BOUNDED, BUILT = 10, 100
SWEEP = "sweep of prices"
#: of the mixtures that front scores are 0 at
ENDS = ("never", "suspend_always")


@dataclass(frozen=True, kw_only=True)
class Front:
    """What a clairvoyant earns a window less the price of its cost, by price and scenario: (P, S) each.

    Parameters
    ----------
    prices : ndarray of float64, shape (P,)
        Ascending, from 0 on.
    upper : ndarray of float64, shape (P, S)
        Bound of every plan's value less price times cost.
    value, cost : ndarray of float64, shape (P, S)
        Of the best plan that was found.
    """

    prices: np.ndarray
    upper: np.ndarray
    value: np.ndarray
    cost: np.ndarray

    def at(self, cost: float, rows: np.ndarray | None = None) -> tuple[float, float]:
        """Return the bound at a mean cost, of all scenarios or of these, and its price."""
        mean = self.upper.mean(axis=1) if rows is None else self.upper[:, rows].mean(axis=1)
        lines = self.prices * cost + mean
        best = int(lines.argmin())
        return float(lines[best]), float(self.prices[best])

    def slope(self, place: int) -> float:
        """Return the mean cost between two neighbouring prices, as the bounds at both say it."""
        mean = self.upper.mean(axis=1)
        return float((mean[place] - mean[place + 1]) / (self.prices[place + 1] - self.prices[place]))

    @cached_property
    def plans(self) -> Envelope:
        """The front of what was found: every point of it can be carried out, by plans of two prices mixed."""
        return Envelope.of(self.cost.mean(axis=1), self.value.mean(axis=1))

    def low(self, cost: float) -> float:
        """Return what a mixture of plans of at most this mean cost earns; NaN where none is as cheap."""
        return self.plans.at(cost)


@dataclass(frozen=True, kw_only=True)
class Rolled:
    """What a method did in every test scenario of a family: mean reward and mean cost of a window."""

    returns: np.ndarray
    costs: np.ndarray

    @classmethod
    def of(cls, answer: Mapping[str, Any]) -> Rolled:
        """Read the answer of a job."""
        return cls(returns=np.array(answer["returns"]), costs=np.array(answer["costs"]))


class Jobs:
    """The jobs of the experiment, by what each one is asked."""

    def __init__(self, experiment: _common.Experiment) -> None:
        self.settings, self.folder = experiment.settings, experiment.local / "kept"
        self.state = state(work.__file__)

    def job(self, kind: str, label: str, call: Any, content: Any, arguments: tuple[Any, ...]) -> Job:
        """Return a job whose answer is kept by what it hangs on."""
        path = self.folder / f"{digest([self.state, kind, content])[:24]}.json"
        return Job(kind=kind, label=label, path=path, call=call, arguments=(self.settings, *arguments))

    def families(self) -> list[tuple[str, Any, str, int]]:
        """Return name, stream, split and number of all scenarios that there are."""
        settings = self.settings
        return [
            ("training", settings["stream"], "train", settings["train_scenarios"]),
            ("validation", settings["stream"], "validation", settings["limit_scenarios"]),
            *((name, stream, "test", settings["scenarios"]) for name, stream in settings["families"].items()),
        ]

    def worlds(self) -> list[Job]:
        """Return what builds all Worlds."""
        found = []
        for name, stream, split, count in self.families():
            for start in range(0, count, BUILT):
                place = (stream, split, start, min(start + BUILT, count))
                content = [work.conditions(self.settings, stream, split), place[2:]]
                label = f"{name} from {start}"
                found.append(self.job("Worlds", label, work.build, content, place))
        return found

    def bounds(self, name: str, stream: Any, split: str, count: int) -> list[Job]:
        """Return what bounds the front of a family."""
        prices = self.settings["front_prices"]
        found = []
        for start in range(0, count, BOUNDED):
            place = (stream, split, start, min(start + BOUNDED, count), prices)
            content = [work.conditions(self.settings, stream, split), place[2:]]
            found.append(self.job("bounds", f"{name} from {start}", work.bounds, content, place))
        return found

    def front(self, jobs: Sequence[Job]) -> Front:
        """Read a front."""
        parts = [job.read() for job in jobs]
        columns = {
            name: np.concatenate([np.array(part[name]) for part in parts], axis=1)
            for name in ("upper", "value", "cost")
        }
        return Front(prices=np.array(self.settings["front_prices"], dtype=np.float64), **columns)

    def training(self, name: str, spec: Mapping[str, Any], limit: float, seed: int) -> Job:
        """Return a training."""
        settings = self.settings
        content = {
            **work.conditions(settings, settings["stream"], "train"),
            "worlds": settings["train_scenarios"],
            "steps": settings["steps"],
            "limit": limit,
            "method": canonical("selector", dict(spec)),
            "seed": seed,
        }
        arrays = self.folder / f"{digest([self.state, 'arrays', content])[:24]}.npz"
        label = f"{name}, limit {limit:.4g}, seed {seed}"
        return self.job("trainings", label, work.train, content, (dict(spec), limit, seed, str(arrays)))

    def roll(self, label: str, stream: Any, limit: float, salt: int, who: Mapping[str, Any]) -> Job:
        """Return a roll-out of a family's test scenarios."""
        count = self.settings["scenarios"]
        # of a training its file's name says what it is, wherever it lies
        named = [Path(one).name if isinstance(one, str) else one for one in who.get("trained", ())]
        content = {
            **work.conditions(self.settings, stream, "test"),
            "scenarios": count,
            "limit": limit,
            "salt": salt,
            "who": {**who, "trained": named} if named else dict(who),
        }
        return self.job("roll-outs", label, work.roll, content, (stream, limit, salt, dict(who)))

    def tuning(self, rule: str, limit: float) -> Job:
        """Return the tuning of a rule under a limit."""
        settings = self.settings
        content = {
            **work.conditions(settings, settings["stream"], "train"),
            **{name: settings[name] for name in ("steps", "tuned_on", "level")},
            "limit": limit,
            "method": canonical("selector", rule),
        }
        return self.job("tuning", f"{rule}, limit {limit:.4g}", work.tune, content, (rule, limit))

    def agent(self, label: str, stream: Any, limit: float, seed: int, training: Job) -> Job:
        """Return the roll-out of a training."""
        _, spec, _, _, arrays = training.arguments
        return self.roll(label, stream, limit, seed, {"trained": [spec, seed, arrays, str(training.path)]})


def score(
    returns: np.ndarray,
    costs: np.ndarray,
    front: Front,
    never: Rolled,
    suspended: Rolled,
    settings: Mapping[str, Any],
    *,
    resampled: bool = True,
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
    if np.isnan(value) or not resampled:
        return value, float("nan"), float("nan")
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
    each = [
        score(one.returns, one.costs, front, never, suspended, settings, resampled=False)[0] for one in rolled
    ]
    at_limit, price_at_limit = front.at(limit)
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
        "front_low": front.low(mean_cost),
        "front_at_limit": at_limit,
        "price": price,
        "price_at_limit": price_at_limit,
        "front_score": value,
        "front_score_low": low,
        "front_score_high": high,
        "front_score_worst": min(each),
        "front_score_best": max(each),
    }


def limits_of(front: Front, settings: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the limits: shares of the way between the least cost and that of the unconstrained optimum.

    Both as the bounds say it, between the two largest prices and between 0 and the first above it: so every
    limit between them has a price above 0. Costs of the plans that were found stand beside.
    """
    most, least = front.slope(0), front.slope(len(front.prices) - 2)
    if most - least < settings["room"]:
        raise ConfigError(
            f"the unconstrained optimum costs {most:.4f} a window, the cheapest plan {least:.4f}",
            remedy="a stricter constraint",
        )
    rows = []
    for share in settings["shares"]:
        limit = least + share * (most - least)
        upper, price = front.at(limit)
        rows.append(
            {
                "share": share,
                "limit": limit,
                "least": least,
                "unconstrained": most,
                "plan_least": float(front.cost[-1].mean()),
                "plan_unconstrained": float(front.cost[1].mean()),
                "price": price,
                "upper": upper,
                "lower": front.low(limit),
                "upper_unconstrained": front.at(most)[0],
                "n": front.cost.shape[1],
            }
        )
    return rows


def chosen_of_sweep(infos: Sequence[Mapping[str, Any]], limit: float, level: float) -> int:
    """Return the number of the sweep's agent that is taken for a limit, by its validation deployments."""
    if any("validation" not in info for info in infos):
        raise ConfigError("the sweep has no validation deployments to choose by", remedy="more steps")
    each = [info["validation"]["each"] for info in infos]
    # of the only context, and of the only constraint
    returns = np.array([one["returns"][0] for one in each])
    costs = np.array([one["costs"][0] for one in each])[:, :, 0]
    return work.best_within(returns, costs, limit, level)[0]


def trainings_of(
    jobs: Jobs, limits: Sequence[float]
) -> tuple[list[list[Job]], dict[tuple[str, float], list[Job]]]:
    """Return the sweep by seed and price, and the trainings of every other method by limit."""
    settings = jobs.settings
    seeds = range(settings["train_seeds"])
    sweep = [
        [
            jobs.training(
                f"price {price:g}",
                {"ppo_fixed_price": {**settings["sweep"], "price": price}},
                work.ANY,
                seed,
            )
            for price in settings["prices"]
        ]
        for seed in seeds
    ]
    found = {}
    for name, spec in settings["methods"].items():
        ((kind, params),) = spec.items()
        shared = params.get("limits") == "all"
        given = {kind: {**params, "limits": list(limits)} if shared else params}
        for limit in limits:
            # an agent for all limits is trained once: it does not read the deployment's
            own = limits[0] if shared else limit
            found[name, limit] = [jobs.training(name, given, own, seed) for seed in seeds]
    return sweep, found


def distinct(jobs: Iterable[Job]) -> list[Job]:
    """Return jobs once each, in their order."""
    return list({job.path: job for job in jobs}.values())


def rolls_of(
    jobs: Jobs,
    limits: Sequence[float],
    agents: Mapping[tuple[str, float], Sequence[Job]],
    rules: Mapping[tuple[str, float], Mapping[str, Any]],
) -> dict[tuple[str, str, float], list[Job]]:
    """Return the roll-outs by family, method and limit; rules as they are tuned."""
    found: dict[tuple[str, str, float], list[Job]] = {}
    for family, stream in jobs.settings["families"].items():
        for limit in limits:
            for (name, of), trainings in agents.items():
                if of == limit:
                    found[family, name, limit] = [
                        jobs.agent(f"{family}, {job.label}", stream, limit, seed, job)
                        for seed, job in enumerate(trainings)
                    ]
            for name in jobs.settings["rules"]:
                label = f"{family}, {name}, limit {limit:.4g}"
                who = {"rule": rules[name, limit]}
                found[family, name, limit] = [jobs.roll(label, stream, limit, 0, who)]
        for name in ENDS:
            who = {"rule": {name: {}}}
            found[family, f"end: {name}", 0.0] = [jobs.roll(f"{family}, {name}", stream, work.ANY, 0, who)]
    return found


def first_of_each(jobs: Sequence[Job]) -> list[Job]:
    """Return the first job of each kind."""
    return list({job.kind: job for job in reversed(jobs)}.values())


def run(experiment: _common.Experiment) -> dict[str, list[dict[str, Any]]] | None:
    """Train, roll out, compare; None where only the plan was asked for."""
    jobs, settings = Jobs(experiment), experiment.settings
    workers = settings["workers"]
    only = experiment.flags & {"plan", "measure"}
    validation = jobs.bounds(*jobs.families()[1])
    tests = {name: jobs.bounds(name, *place) for name, *place in jobs.families()[2:]}
    every = [*jobs.worlds(), *validation]
    if "plan" not in only:
        # limits hang on all of these
        do(every, workers)
    if not all(job.done for job in validation):
        told("the limits, and so the trainings, are known once the bounds of the validation scenarios are")
        show_plan([*every, *(job for one in tests.values() for job in one)], workers)
        return None
    chosen = limits_of(jobs.front(validation), settings)
    limits = [row["limit"] for row in chosen]
    sweep, agents = trainings_of(jobs, limits)
    trainings = distinct(
        [*(job for row in sweep for job in row), *(job for row in agents.values() for job in row)]
    )
    bounds = [job for one in tests.values() for job in one]
    tuning = {(rule, limit): jobs.tuning(rule, limit) for rule in settings["rules"] for limit in limits}
    if only:
        # before a rule is tuned its default stands for it, in as long
        known = {key: job.read()["spec"] if job.done else {key[0]: {}} for key, job in tuning.items()}
        rolls = rolls_of(jobs, limits, agents, known)
        if "measure" in only:
            family, name = next(iter(settings["families"])), next(iter(settings["methods"]))
            do([agents[name, limits[0]][0], bounds[0], *list(tuning.values())[-1:]], workers)
            do([rolls[family, name, limits[0]][0]], workers)
        # which agents of the sweep are rolled out is known once all are trained: as many as of another method
        more = [job for row in rolls.values() for job in row]
        show_plan([*every, *bounds, *trainings, *tuning.values(), *distinct(more)], workers)
        return None
    do(bounds, workers)
    do(trainings, workers)
    do(list(tuning.values()), workers)
    infos = {job.path: job.read() for job in trainings}
    for limit in limits:
        taken = [chosen_of_sweep([infos[job.path] for job in row], limit, settings["level"]) for row in sweep]
        agents[SWEEP, limit] = [row[i] for row, i in zip(sweep, taken, strict=True)]
    tuned = {key: job.read() for key, job in tuning.items()}
    rolls = rolls_of(jobs, limits, agents, {key: answer["spec"] for key, answer in tuned.items()})
    do(distinct(job for row in rolls.values() for job in row), workers)
    table, fronts = [], []
    for family in settings["families"]:
        front = jobs.front(tests[family])
        never, suspended = (Rolled.of(rolls[family, f"end: {name}", 0.0][0].read()) for name in ENDS)
        for i, price in enumerate(front.prices.tolist()):
            fronts.append(
                {
                    "family": family,
                    "price": price,
                    "upper": float(front.upper[i].mean()),
                    "plan_return": float(front.value[i].mean()),
                    "plan_cost": float(front.cost[i].mean()),
                    "n": front.cost.shape[1],
                }
            )
        for share, limit in zip(settings["shares"], limits, strict=True):
            for name in (*settings["methods"], SWEEP, *settings["rules"]):
                rolled = [Rolled.of(job.read()) for job in rolls[family, name, limit]]
                row = row_of(rolled, limit, front, never, suspended, settings)
                made = [infos[job.path] for job in agents.get((name, limit), ())]
                made += [tuned[name, limit]] if (name, limit) in tuned else []
                # all of a sweep were trained to take one
                times = len(settings["prices"]) if name == SWEEP else 1
                for column, key in (("steps", "steps_used"), ("cpu_seconds", "cpu_seconds")):
                    row[column] = times * float(np.mean([info[key] for info in made]))
                table.append({"family": family, "share": share, "method": name, **row})
    prices = prices_beside(settings, limits, agents, sweep, infos)
    return {"table": table, "front": fronts, "prices": prices, "limits": chosen}


def show_plan(jobs: Sequence[Job], workers: int) -> None:
    """Print what is done and how long the rest takes."""
    rows = plan(jobs, workers)
    _common.show(rows, f"jobs, with {workers} at a time")
    left = sum(row["seconds_left"] for row in rows)
    told(
        f"about {left / 3600:.1f} h left"
        if left == left
        else "one of each kind must be done to know what is left"
    )


def prices_beside(
    settings: Mapping[str, Any],
    limits: Sequence[float],
    agents: Mapping[tuple[str, float], Sequence[Job]],
    sweep: Sequence[Sequence[Job]],
    infos: Mapping[Path, Mapping[str, Any]],
) -> list[dict[str, Any]]:
    """Set the price that each training found beside the neighbours of the sweep of its seed."""
    rows = []
    for (name, limit), trained in agents.items():
        for seed, job in enumerate(trained):
            info = infos[job.path]
            price = info["price"]
            if name == SWEEP or price is None or info["algorithm"] == "ppo_fixed_price":
                continue
            place = [round(one[0], 12) for one in info["limits"]].index(round(limit, 12))
            # what the price held the cost to: the limit less what is kept in reserve
            aim = limit * (1.0 - make("selector", job.arguments[1]).slack)
            costs = [np.mean(infos[one.path]["validation"]["each"]["costs"]) for one in sweep[seed]]
            above = [p for p, c in zip(settings["prices"], costs, strict=True) if c > aim]
            below = [p for p, c in zip(settings["prices"], costs, strict=True) if c <= aim]
            low, high = max(above, default=0.0), min(below, default=float("nan"))
            mean = price["mean"][place][0]
            rows.append(
                {
                    "method": name,
                    "limit": limit,
                    "aim": aim,
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


def draw(
    found: Mapping[str, Sequence[Mapping[str, Any]]], family: str, settings: Mapping[str, Any]
) -> Figure:
    """Draw the front of a family with all methods."""
    front = [row for row in found["front"] if row["family"] == family]
    prices, upper = (np.array([row[name] for row in front]) for name in ("price", "upper"))
    own = [row for row in found["table"] if row["family"] == family]
    grid = np.linspace(0.0, max(row["cost"] for row in own), 200)
    lines = {"front (clairvoyant)": Curve(x=grid, y=(prices[:, None] * grid + upper[:, None]).min(axis=0))}
    for name in (*settings["methods"], SWEEP):
        points = sorted((row["cost"], row["return"]) for row in own if row["method"] == name)
        lines[name] = Curve(x=np.array([c for c, _ in points]), y=np.array([r for _, r in points]))
    return curves(
        lines,
        xlabel="mean cost of a window",
        ylabel="mean reward of a window",
        legend=True,
        note=f"{family}: {settings['scenarios']} test scenarios, {settings['train_seeds']} training seeds, "
        f"limits at {', '.join(f'{share:.0%}' for share in settings['shares'])}",
    )


def main(arguments: Sequence[str] | None = None) -> None:
    """Run and write."""
    flags = {
        "plan": "say what is done and how long the rest takes, and do nothing",
        "measure": "do what limits need and one job of each other kind, then say how long the rest takes",
    }
    experiment = _common.start("constrained_agents", __doc__, arguments, flags)
    found = run(experiment)
    if found is None:
        return
    settings = experiment.settings
    _common.write_config(experiment)
    for name, rows in found.items():
        if rows:
            _common.show(rows, name)
            _common.write_table(experiment.folder, rows, name)
    for number, family in enumerate(settings["families"]):
        name = f"figure_{number}" if number else "figure"
        _common.write_figure(experiment.folder, draw(found, family, settings), name)
    for family in settings["families"]:
        for name in (*settings["methods"], SWEEP, *settings["rules"]):
            mine = [row for row in found["table"] if (row["family"], row["method"]) == (family, name)]
            met = sum(row["met"] for row in mine)
            worst = max(row["beyond"] for row in mine)
            print(f"{family}, {name}: {met} of {len(mine)} limits met; beyond by at most {worst:.3f}")


if __name__ == "__main__":
    main()
