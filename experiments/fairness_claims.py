"""Does retraining restore fairness under drift, and do alarms of accuracy stand for alarms of fairness?

Two published claims (Davis et al. 2025, JAMIA: 11 years of models of surgical outcomes), in deployments whose
truth is known by law: what every version really does to each group in each window.

`retraining.csv`: of each scenario, learner and gap, what releases on a schedule did. A release is compared
with the version that it replaced, in the windows that it served, by the truth: it `restored` fairness where
the old one would have exceeded the largest gap and it does not, `worsened` it where it is the other way
round; `_any`: share of deployments with such a release. `drift`: releases that mostly served windows `with`
another law than that of the warm-up, or `without`.

`alarms.csv`: deployments by what is breached in them by the truth, and the share in which an alarm of
accuracy and one of fairness comes in time, from what is measured (labels as written down, and late). The
first version serves for good (`frozen`), or versions are released on the schedule (`released`).
`scenarios.csv`: the same by scenario, of deployments in which something is breached.

`n` counts releases or deployments, `seeds` the populations that they share: scenarios, learners and releases
of one seed have the same people, so intervals resample seeds.
"""

from __future__ import annotations

import _common  # isort: skip

from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from typing import TYPE_CHECKING, Any

import numpy as np

from mlopsim.core.errors import ConfigError
from mlopsim.core.spec import make
from mlopsim.delivery.pool import WorldPool
from mlopsim.delivery.walk import walk
from mlopsim.governance.loop.truth import cells_of
from mlopsim.governance.monitoring.fairness_over_time import Guard, alarms_beside_truth, retraining_and_gaps
from mlopsim.governance.monitoring.limits import conservative
from mlopsim.governance.monitoring.rates import Rate
from mlopsim.governance.monitoring.reference import Reference
from mlopsim.governance.monitoring.watch import served
from mlopsim.world.build import build_world
from mlopsim.world.spec import WorldSpec

if TYPE_CHECKING:
    from matplotlib.figure import Figure

#: how versions come to serve
FROZEN, RELEASED = "frozen", "released"


@dataclass(frozen=True, kw_only=True)
class Played:
    """Deployments of one scenario and learner.

    Parameters
    ----------
    truth : ndarray of float64, shape (N * T, T, G, 2, 2)
        Probabilities of every version of every scenario, one scenario after the other.
    versions : dict of str to ndarray of int64, shape (N, T)
        What served, as rows of ``truth``.
    measured : dict of str to ndarray of int64, shape (N, S, G, 2, 2)
        Counts of what served after the warm-up.
    warmup : int
    """

    truth: np.ndarray
    versions: dict[str, np.ndarray]
    measured: dict[str, np.ndarray]
    warmup: int

    def true(self, how: str) -> np.ndarray:
        """Return the probabilities of what served after the warm-up, float64 (N, S, G, 2, 2)."""
        windows = np.arange(self.truth.shape[1])
        found: np.ndarray = self.truth[self.versions[how], windows][:, self.warmup :]
        return found

    def reference(self) -> Reference:
        """Return the levels of the first version when it is put into service, told exactly."""
        first = self.true(FROZEN)[:, :1]
        return Reference(cells=first, rho=np.zeros(len(first)))


def play(settings: Mapping[str, Any], scenario: str, learner: str) -> Played:
    """Build the Worlds of a scenario, and play the first version for good and releases on the schedule."""
    stream = {"population": {**settings["base"], **settings["scenarios"][scenario]}}
    spec = WorldSpec.of(stream, learner, settings["training"])
    worlds = [build_world(spec.at(i)) for i in range(settings["seeds"])]
    pool, deployment = WorldPool(worlds), make("deployment", settings["deployment"])
    windows, warmup = pool.windows, pool.warmup
    offset = windows * np.arange(len(worlds))[:, None]
    truth, versions, measured = [], {}, {}
    for world in worlds:
        cells = cells_of(world)
        if cells is None:
            raise ConfigError(
                f"the law of the scenario '{scenario}' is not known", remedy="take a stream of known truth"
            )
        truth.append(cells)
        world.forget()
    for how, rule in ((FROZEN, "never"), (RELEASED, settings["schedule"])):
        serving = walk(make("selector", rule), pool, deployment).served
        serving = np.where(serving < 0, warmup - 1, serving)
        counts = [served(world.counts, serving[i : i + 1])[0, warmup:] for i, world in enumerate(worlds)]
        versions[how], measured[how] = serving + offset, np.stack(counts).astype(np.int64)
    return Played(truth=np.concatenate(truth), versions=versions, measured=measured, warmup=warmup)


def retraining(
    settings: Mapping[str, Any], scenario: str, learner: str, played: Played
) -> list[dict[str, Any]]:
    """Return what releases did to gaps, with drift and without; nothing drifts where nothing happens."""
    drifted = np.arange(played.truth.shape[1]) >= (settings["at"] if scenario != "nothing" else np.inf)
    rows = []
    for rate in settings["rates"]:
        found = retraining_and_gaps(
            played.truth,
            played.versions[RELEASED],
            rate=Rate(rate),
            largest_gap=settings["largest_gap"],
            drifted=drifted,
            seeds=np.arange(settings["seeds"]),
        )
        rows += [{"scenario": scenario, "learner": learner, "gap": rate, **row} for row in found if row["n"]]
    return rows


def alarms(
    settings: Mapping[str, Any], scenario: str, played: Sequence[Played], how: str
) -> list[dict[str, Any]]:
    """Return which alarms tell which breach, in deployments of several scenarios or learners together."""
    counts = np.concatenate([each.measured[how] for each in played])
    truth = np.concatenate([each.true(how) for each in played])
    cells = np.concatenate([each.reference().cells for each in played])
    reference = Reference(cells=cells, rho=np.zeros(len(cells)))
    groups, windows = counts.shape[2], counts.shape[1]
    rows = []
    for rate in settings["rates"]:
        names = {"accuracy": settings["accuracy"],
                 "fairness": {"gap_score": {"rate": rate, "margin": settings["margin"]}}}  # fmt: skip
        guards = []
        for spec in names.values():
            monitor = make("monitor", spec)
            limits = conservative(monitor, groups, alpha=settings["alpha"], windows=windows)
            guards.append(Guard(monitor=monitor, limits=limits, reference=reference))
        found = alarms_beside_truth(
            counts,
            truth,
            *guards,
            rate=Rate(rate),
            largest_gap=settings["largest_gap"],
            lowest_accuracy=settings["lowest_accuracy"],
            delay=make("deployment", settings["deployment"]).label_delay,
            within=settings["within"],
            seeds=np.tile(np.arange(settings["seeds"]), len(played)),
        )
        rows += [{"scenario": scenario, "serves": how, "gap": rate, **row} for row in found]
    return rows


def of_scenario(settings: Mapping[str, Any], scenario: str) -> tuple[list[dict[str, Any]], list[Played]]:
    """Return the rows of releases of a scenario, and its deployments with each learner."""
    rows, played = [], []
    for learner in settings["learners"]:
        played.append(play(settings, scenario, learner))
        rows += retraining(settings, scenario, learner, played[-1])
    return rows, played


def study(settings: Mapping[str, Any]) -> dict[str, list[dict[str, Any]]]:
    """Return the tables by name."""
    names = list(settings["scenarios"])
    tables: dict[str, list[dict[str, Any]]] = {"retraining": [], "alarms": [], "scenarios": []}
    every: list[Played] = []
    with ProcessPoolExecutor(settings["workers"], mp_context=get_context("spawn")) as pool:
        for name, (rows, played) in zip(
            names, pool.map(of_scenario, [dict(settings)] * len(names), names), strict=True
        ):
            tables["retraining"] += rows
            every += played
            for how in (FROZEN, RELEASED):
                found = alarms(settings, name, played, how)
                tables["scenarios"] += [row for row in found if row["state"] != "none"]
    for how in (FROZEN, RELEASED):
        tables["alarms"] += alarms(settings, "all", every, how)
    return tables


def draw(settings: Mapping[str, Any], tables: Mapping[str, list[dict[str, Any]]]) -> Figure:
    """Draw what releases did to the gap of acceptance, and which alarms find what is unfair."""
    from mlopsim.plots.style import INK, MUTED, SMALL, caption, dress, legend_label, marks_for, new_figure

    learner, rate = settings["learners"][0], settings["rates"][0]
    figure = new_figure(9.6, 3.8)
    axes = figure.add_subplot(1, 2, 1)
    rows = [
        row
        for row in tables["retraining"]
        if row["learner"] == learner and row["gap"] == rate
        and row["drift"] == ("without" if row["scenario"] == "nothing" else "with")
    ]  # fmt: skip
    marks = marks_for(["old", "new"])
    for place, row in enumerate(rows):
        axes.plot([row["gap_old"], row["gap_new"]], [place, place], color=MUTED, linewidth=1.2)
    for which, words in (("old", "the version that was replaced"), ("new", "the release")):
        axes.plot(
            [row[f"gap_{which}"] for row in rows], range(len(rows)), linestyle="", marker=marks[which].marker,
            color=marks[which].colour, label=legend_label(words),
        )  # fmt: skip
    axes.axvline(settings["largest_gap"], color=MUTED, linewidth=0.9)
    axes.set_yticks(range(len(rows)), [legend_label(row["scenario"]) for row in rows])
    axes.set_xlim(left=0.0)
    # room for what the marks mean
    axes.set_ylim(-0.6, len(rows) + 1.2)
    dress(axes, xlabel=f"mean gap of {rate} in the same windows, by the truth", ylabel="", title=learner)
    axes.legend(loc="upper right", frameon=False, fontsize=SMALL, labelcolor=INK)
    axes = figure.add_subplot(1, 2, 2)
    marks = marks_for(["accuracy", "fairness"])
    states = ("none", "accuracy", "fairness", "both")
    for k, guard in enumerate(("accuracy", "fairness")):
        for how, filled in ((FROZEN, True), (RELEASED, False)):
            found = [
                (states.index(row["state"]), row)
                for row in tables["alarms"]
                if row["guard"] == guard and row["gap"] == rate and row["serves"] == how
            ]
            x = np.array([place for place, _ in found]) + 0.16 * (2 * k + (not filled) - 1.5)
            y = np.array([row["alarms"] for _, row in found])
            low, high = (np.array([row[f"alarms_{end}"] for _, row in found]) for end in ("low", "high"))
            axes.errorbar(
                x, y, yerr=[y - low, high - y], linestyle="", marker=marks[guard].marker,
                color=marks[guard].colour, markerfacecolor=marks[guard].colour if filled else "none",
                elinewidth=1.0, label=legend_label(f"alarm of {guard}, {how}"),
            )  # fmt: skip
    axes.set_xticks(range(len(states)), states)
    axes.set_ylim(-0.03, 1.5)
    axes.set_yticks(np.linspace(0.0, 1.0, 6))
    dress(axes, xlabel="what is breached by the truth", ylabel="deployments with an alarm in time", title="")
    axes.legend(loc="upper left", frameon=False, fontsize=SMALL, labelcolor=INK)
    caption(
        figure,
        f"{settings['seeds']} seeds a scenario; left: releases that served windows with drift, line: largest "
        "gap allowed; right: all scenarios and learners, bars: 95 %, seeds resampled",
    )
    return figure


def run(experiment: _common.Experiment) -> dict[str, list[dict[str, Any]]]:
    """Measure everything and write the results."""
    tables = study(experiment.settings)
    _common.write_config(experiment)
    for name, rows in tables.items():
        _common.write_table(experiment.folder, rows, name)
    _common.write_figure(experiment.folder, draw(experiment.settings, tables))
    return tables


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print the tables."""
    experiment = _common.start("fairness_claims", __doc__, arguments)
    tables = run(experiment)
    _common.show(tables["retraining"], "releases that restored fairness, and that worsened it")
    _common.show(tables["alarms"], "which alarms tell which breach")
    print(f"written to {experiment.folder}")


if __name__ == "__main__":
    main()
