"""By which gains should the price of a limit follow its cost? What was tried before constrained_agents.

Agents by several gains, under limits that bind, all of it on training scenarios of constrained_agents: of the
first of them agents learn and choose what is stored; on later ones, which no training there sees, the stored
policy is judged. table.csv: by budget, limit and gains what price and cost did in the first and in the last
fifth of the updates (`first`, `last`; beside the last price its spread from update to update), what the
choice found, and the judged cost. searches.csv logs each training that was ever made for this question, with
the interval of its judged cost, also those of settings that are gone: a search that is not logged was not
made.

    python experiments/constrained_gains.py

Trainings are kept in results/local/constrained_gains by settings and by the code that makes them, each as it
ends: a run goes on where it was stopped.
"""

from __future__ import annotations

import _common  # isort: skip

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import _constrained_work
import _gains_work
import numpy as np
from _jobs import Job, do, state

from mlopsim.core.digest import digest
from mlopsim.core.seeds import Axis, Split, seed_sequence
from mlopsim.core.spec import canonical, make
from mlopsim.plots.curves import Curve, curves
from mlopsim.stats.bootstrap import mean_interval

#: settings that every training hangs on, and those of a stage that it hangs on
SHARED = ("root", "learner", "training", "stream", "deployment", "constraint", "judged")
STAGED = ("steps", "train_scenarios")
FIFTH = 5


def job_of(
    experiment: _common.Experiment, stage: Mapping[str, Any], name: str, limit: float, seed: int
) -> Job:
    """Return a training, which is kept by its settings and the code that makes it."""
    settings = experiment.settings
    shared = {key: settings[key] for key in SHARED} | {key: stage[key] for key in STAGED}
    spec = {"ppo_lagrangian": dict(settings["gains"][name])}
    code = state(_gains_work.__file__, _constrained_work.__file__)
    content = [code, shared, canonical("selector", spec), limit, seed]
    return Job(
        kind="trainings",
        label=f"{name}, limit {limit:g}, seed {seed}, {stage['steps']} steps",
        path=experiment.local / f"{digest(content)[:24]}.json",
        call=_gains_work.train,
        arguments=(shared, spec, limit, seed),
    )


def fifths(values: Sequence[float | None]) -> tuple[np.ndarray, np.ndarray]:
    """Return the first and the last fifth of what was kept by update, without updates that know nothing.

    Examples
    --------
    >>> first, last = fifths([None, 1.0, *[0.0] * 6, 2.0, 4.0])
    >>> first.tolist(), last.tolist()
    ([1.0], [2.0, 4.0])
    """
    known = np.array([np.nan if value is None else value for value in values])
    count = max(len(known) // FIFTH, 1)
    first, last = (part[np.isfinite(part)] for part in (known[:count], known[-count:]))
    return first, last


def seen(job: Job, name: str, experiment: _common.Experiment) -> dict[str, Any]:
    """Return what one training did, as a row of the log."""
    answer = job.read()
    shared, spec, limit, seed = job.arguments
    agent, info = make("selector", spec), answer["info"]
    (price_first, price_last), (cost_first, cost_last) = (fifths(answer[key]) for key in ("price", "cost"))
    costs = np.array(answer["judged"]["costs"])
    rng = np.random.default_rng(seed_sequence(Axis.BOOTSTRAP, Split.TRAIN, 0))
    judged = mean_interval(costs, rng, level=experiment.settings["level"])
    choice = info.get("choice")
    return {
        "key": job.path.stem,
        "gains": name,
        "update": agent.update.value,
        "proportional": agent.proportional,
        "integral": agent.integral,
        "smoothing": agent.smoothing,
        "slack": agent.slack,
        "limit": limit,
        "seed": seed,
        "budget": shared["steps"],
        "worlds": shared["train_scenarios"],
        "steps": info["steps_used"],
        "updates": info["updates"],
        "price_first": float(price_first.mean()) if len(price_first) else None,
        "price_last": float(price_last.mean()),
        "price_sd": float(price_last.std()),
        "cost_first": float(cost_first.mean()) if len(cost_first) else None,
        "cost_last": float(cost_last.mean()) if len(cost_last) else None,
        # of the mixture of all snapshots, and of what was chosen, on scenarios of the choice
        "held_back": float(np.mean(info["validation"]["costs"])) if choice else None,
        "chosen": len(info["members"]),
        "chosen_cost": choice["cost"][0][0] if choice else None,
        "chosen_upper": choice["upper"][0][0] if choice else None,
        "chosen_met": choice["met"] if choice else None,
        "return": float(np.mean(answer["judged"]["returns"])),
        "judged": judged.value,
        "judged_high": judged.high,
        "met": judged.high <= limit,
        "n": len(costs),
        "cpu_seconds": answer["cpu_seconds"],
        "commit": experiment.machine["commit"],
    }


def log(folder: Path, rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return the log with these rows added; what is logged stays."""
    path = folder / "searches.csv"
    logged: list[dict[str, Any]] = []
    if path.is_file():
        with path.open(newline="", encoding="utf-8") as file:
            logged = list(csv.DictReader(file))
    known = {row["key"] for row in logged}
    return [*logged, *(dict(row) for row in rows if row["key"] not in known)]


def summary(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return a row for each budget, gains and limit: means over the seeds; how many of them met the limit."""
    table = []
    place = ("budget", "worlds", "limit", "gains")
    for own in dict.fromkeys(tuple(row[key] for key in place) for row in rows):
        mine = [row for row in rows if tuple(row[key] for key in place) == own]
        means = {}
        for key in (
            "price_first", "price_last", "price_sd", "cost_first", "cost_last",
            "held_back", "chosen", "chosen_cost", "judged", "return",
        ):  # fmt: skip
            known = [row[key] for row in mine if row[key] is not None]
            means[key] = float(np.mean(known)) if known else None
        table.append(
            {
                **dict(zip(place, own, strict=True)),
                "seeds": len(mine),
                **means,
                "judged_worst": max(row["judged"] for row in mine),
                "met": sum(row["met"] for row in mine),
                "n": mine[0]["n"],
            }
        )
    return table


def main(arguments: Sequence[str] | None = None) -> None:
    """Train, judge, write."""
    experiment = _common.start("constrained_gains", __doc__, arguments)
    settings = experiment.settings
    jobs = [
        (name, job_of(experiment, stage, name, limit, seed))
        for stage in settings["stages"]
        for seed in stage["seeds"]
        for limit in stage["limits"]
        for name in stage["gains"]
    ]
    do(list({job.path: job for _, job in jobs}.values()), settings["workers"])
    rows = [seen(job, name, experiment) for name, job in jobs]
    table = summary(rows)
    _common.show(table, "by gains and limit")
    _common.write_config(experiment)
    _common.write_table(experiment.folder, table)
    _common.write_table(experiment.folder, log(experiment.folder, rows), "searches")
    # the first stage is the one that compares
    stage = settings["stages"][0]
    limit, seed = stage["limits"][0], stage["seeds"][0]
    lines = {}
    for name in stage["gains"]:
        price = np.array(job_of(experiment, stage, name, limit, seed).read()["price"])
        lines[name] = Curve(x=np.arange(1.0, len(price) + 1), y=price)
    figure = curves(
        lines,
        xlabel="update",
        ylabel="price",
        legend=True,
        note=f"limit {limit:g}, {stage['steps']} steps, training seed {seed}",
    )
    _common.write_figure(experiment.folder, figure)


if __name__ == "__main__":
    main()
