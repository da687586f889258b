"""Do fourteen charts with one limit raise a false alarm in 5 % of deployments, and with estimated levels?

`table.csv`: of each null and each kind of limit, in how many of the deployments in control any chart alarms
within the horizon (`share`, with Wilson's 95 % interval and the distance from 5 % in standard errors).
`naive` is 3 sigma on each chart, `conservative` the closed form, `simulated` the quantile of the largest
position. Levels are told, or estimated from `learn` windows of phase I: then limits are those for told levels
(`simulated`), or found with phases I of that length (`with phase I`).

`conditional.csv`: phase I happens once. For each deployment, the share of horizons with a false alarm given
what it has estimated; `above` is the share of deployments for which that is more than 5 %, `median` and `p90`
are quantiles over deployments. `guaranteed` is the limit of Gandy and Kvaloy (2013): by bootstrap from the
deployment's own estimates, so that it should be above 5 % in one phase I of ten only.

Closed forms stand beside as `expected`, where there is one: of fourteen independent charts.
"""

from __future__ import annotations

import _common  # isort: skip

import math
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import TYPE_CHECKING, Any

import numpy as np

from mlopsim.core.spec import make
from mlopsim.governance.monitor import Monitor, group_names
from mlopsim.governance.monitoring.closed_forms import any_alarm, charts_alarm
from mlopsim.governance.monitoring.conditional import (
    Sample,
    conditional_shares,
    guaranteed,
    telling_windows,
)
from mlopsim.governance.monitoring.in_control import Law, law
from mlopsim.governance.monitoring.limits import Limits, by_hand, conservative, simulated
from mlopsim.governance.monitoring.reference import Reference, Spread, estimated
from mlopsim.stats.proportions import wilson

if TYPE_CHECKING:
    from matplotlib.figure import Figure

#: horizons whose scores are held at a time
CHUNK = 500
#: points of a curve
POINTS = 101
NAN = float("nan")


def laws(settings: Mapping[str, Any]) -> dict[str, Law]:
    """Return the laws in control by the name of the null."""
    rates = {key: tuple(settings[key]) for key in ("base", "recall", "false_positive_rate", "rows")}
    return {name: law(**rates, rho=rho) for name, rho in settings["nulls"].items()}


def generator(settings: Mapping[str, Any], *place: int) -> np.random.Generator:
    """Return the generator of one place of the study: none shares its numbers with another."""
    return np.random.default_rng(np.random.SeedSequence(settings["seed"], spawn_key=place))


def alarmed(monitor: Monitor, limits: Limits, counts: np.ndarray, known: Reference) -> int:
    """Return how many deployments have an alarm."""
    found = 0
    for start in range(0, len(counts), CHUNK):
        part = slice(start, start + CHUNK)
        of = known
        if len(known.cells) > 1:
            windows = None if known.windows is None else known.windows[part]
            of = Reference(cells=known.cells[part], rho=known.rho[part], windows=windows)
        found += int((limits.position(monitor.scores(counts[part], of)) > 1.0).any(axis=1).sum())
    return found


def unconditional(
    null: str, limit: str, learn: int, hits: int, count: int, alpha: float, expected: float = NAN
) -> dict[str, Any]:
    """Return one row of the table of shares."""
    found = wilson(hits, count)
    error = math.sqrt(alpha * (1.0 - alpha) / count)
    return {
        "null": null,
        "limit": limit,
        "learn": learn or "told",
        "share": found.value,
        "low": found.low,
        "high": found.high,
        "n": count,
        "errors_from_alpha": (found.value - alpha) / error,
        "within_3": "yes" if abs(found.value - alpha) <= 3.0 * error else "no",
        "expected": expected,
    }


def conditional(null: str, limit: str, learn: int, shares: np.ndarray, alpha: float) -> dict[str, Any]:
    """Return one row of the table of conditional shares."""
    found = wilson(int((shares > alpha).sum()), len(shares))
    low, middle, high = np.quantile(shares, [0.1, 0.5, 0.9]).tolist()
    return {
        "null": null,
        "limit": limit,
        "learn": learn,
        "above": found.value,
        "low": found.low,
        "high": found.high,
        "n": len(shares),
        "mean": float(shares.mean()),
        "p10": low,
        "median": middle,
        "p90": high,
    }


def study(
    settings: Mapping[str, Any],
) -> tuple[list[dict[str, Any]], list[dict[str, Any]], dict[str, np.ndarray]]:
    """Return both tables, and the conditional shares by null, limit and length of phase I."""
    shares: list[dict[str, Any]] = []
    given: list[dict[str, Any]] = []
    every: dict[str, np.ndarray] = {}
    nulls = list(settings["nulls"])
    with ProcessPoolExecutor(settings["workers"], mp_context=get_context("spawn")) as pool:
        for found in pool.map(of_null, [dict(settings)] * len(nulls), nulls):
            shares += found[0]
            given += found[1]
            every |= found[2]
    return shares, given, every


def of_null(
    settings: Mapping[str, Any], null: str
) -> tuple[list[dict[str, Any]], list[dict[str, Any]], dict[str, np.ndarray]]:
    """Return what :func:`study` does, of one null."""
    monitor: Monitor = make("monitor", settings["bank"])
    alpha, windows, count = settings["alpha"], settings["windows"], settings["deployments"]
    shares: list[dict[str, Any]] = []
    given: list[dict[str, Any]] = []
    every: dict[str, np.ndarray] = {}
    told, i = laws(settings)[null], list(settings["nulls"]).index(null)
    spread = Spread.ESTIMATED if told.rho > 0.0 else Spread.BINOMIAL
    groups = len(told.rows)
    sizes = {"alpha": alpha, "windows": windows}
    found = {
        "naive": by_hand(monitor, groups, 3.0, windows),
        "conservative": conservative(monitor, groups, **sizes),
        "simulated": simulated(monitor, told, generator(settings, i, 0), **sizes, runs=settings["runs"]),
    }
    counts = told.draw(count, windows, generator(settings, i, 1))
    sample = telling_windows(monitor, found["simulated"], told, settings["sample"], generator(settings, i, 2))
    independent = any_alarm(charts_alarm(len(found["naive"].each)), windows)
    for name, limits in found.items():
        hits = alarmed(monitor, limits, counts, told.reference())
        expected = independent if name == "naive" and told.rho == 0.0 else NAN
        shares.append(unconditional(null, name, 0, hits, count, alpha, expected))
    for j, learn in enumerate(settings["learn"]):
        known = estimated(told.draw(count, learn, generator(settings, i, 3, j)), spread)
        within = simulated(
            monitor,
            told,
            generator(settings, i, 4, j),
            **sizes,
            runs=settings["runs"],
            learn=learn,
            spread=spread,
        )
        kinds = {"naive": found["naive"], "simulated": found["simulated"], "with phase I": within}
        for name, limits in kinds.items():
            hits = alarmed(monitor, limits, counts, known)
            shares.append(unconditional(null, name, learn, hits, count, alpha))
        estimates = dict(
            zip(kinds, conditional_shares(monitor, list(kinds.values()), known, sample), strict=True)
        )
        estimates["guaranteed"] = own_limits(
            settings, monitor, found["simulated"], known, told, sample, spread, (i, 5, j)
        )
        for name, values in estimates.items():
            every[f"{null}, {name}, {learn}"] = values
            if name != "naive":
                given.append(conditional(null, name, learn, values, alpha))
    return shares, given, every


def own_limits(
    settings: Mapping[str, Any],
    monitor: Monitor,
    limits: Limits,
    known: Reference,
    told: Law,
    sample: Sample,
    spread: Spread,
    place: tuple[int, ...],
) -> np.ndarray:
    """Return the conditional shares of deployments that each have their own guaranteed limit."""
    wanted = settings["guarantee"]
    found = np.empty(min(wanted["deployments"], len(known.cells)))
    for d in range(len(found)):
        one = known.one(d)
        own = guaranteed(
            monitor,
            limits,
            one,
            told.rows,
            generator(settings, *place, d),
            confidence=wanted["confidence"],
            bootstraps=wanted["bootstraps"],
            sample=wanted["sample"],
            spread=spread,
        )
        found[d] = conditional_shares(monitor, [own], one, sample)[0, 0]
    return found


def draw(settings: Mapping[str, Any], every: Mapping[str, np.ndarray]) -> Figure:
    """Draw how the conditional shares are distributed over deployments."""
    from mlopsim.plots.style import INK, MUTED, SMALL, caption, dress, legend_label, marks_for, new_figure

    nulls, lengths = list(settings["nulls"]), settings["learn"]
    figure = new_figure(7.6, 3.6)
    kinds = ("simulated", "with phase I", "guaranteed")
    marks = marks_for([str(learn) for learn in lengths])
    for i, null in enumerate(nulls):
        axes = figure.add_subplot(1, len(nulls), i + 1)
        axes.set_xscale("log")
        for learn in lengths:
            for kind, style in zip(kinds, ("-", (0, (5, 1.6)), (0, (1.3, 1.3))), strict=True):
                # quantiles: thousands of steps would be no finer to the eye, and a large file
                y = np.linspace(0.0, 1.0, POINTS)
                shares = np.quantile(every[f"{null}, {kind}, {learn}"], y, method="inverted_cdf")
                x = np.maximum(shares, 1e-3)
                mark = marks[str(learn)]
                axes.plot(x, y, color=mark.colour, linestyle=style, linewidth=1.4, drawstyle="steps-post")
        axes.axvline(settings["alpha"], color=MUTED, linewidth=0.9)
        axes.set_xlim(1e-3, 1.0)
        axes.set_ylim(0.0, 1.0)
        ticks = [0.001, 0.01, 0.05, 0.2, 1.0]
        axes.set_xticks(ticks, [f"{x:g}" for x in ticks])
        axes.set_xticks([], minor=True)
        dress(
            axes,
            xlabel="share of horizons with a false alarm",
            ylabel="share of phases I" if i == 0 else "",
            title=null,
        )
        if i == 0:
            from matplotlib.lines import Line2D

            handles = [
                Line2D([], [], color=marks[str(n)].colour, linewidth=1.6, label=legend_label(f"{n} windows"))
                for n in lengths
            ]
            styles = ("-", (0, (5, 1.6)), (0, (1.3, 1.3)))
            names = ("limit for told levels", "limit found with phase I", "guaranteed, 9 of 10")
            handles += [
                Line2D([], [], color=INK, linestyle=s, linewidth=1.2, label=legend_label(n))
                for s, n in zip(styles, names, strict=True)
            ]
            axes.legend(handles=handles, loc="upper left", frameon=False, fontsize=SMALL, labelcolor=INK)
    wanted = settings["guarantee"]["deployments"]
    charts = len(make("monitor", settings["bank"]).charts(group_names(len(settings["rows"]))))
    caption(
        figure,
        f"{settings['deployments']:,} phases I in control ({wanted} of them for guaranteed limits), "
        f"{settings['windows']} windows, {charts} charts; the vertical line is {settings['alpha']:g}",
    )
    return figure


def run(experiment: _common.Experiment) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Measure everything and write the results."""
    shares, given, every = study(experiment.settings)
    _common.write_config(experiment)
    _common.write_table(experiment.folder, shares)
    _common.write_table(experiment.folder, given, "conditional")
    _common.write_figure(experiment.folder, draw(experiment.settings, every))
    return shares, given


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print the tables."""
    experiment = _common.start("family_wise", __doc__, arguments)
    shares, given = run(experiment)
    _common.show(shares, "deployments in control with any alarm")
    _common.show(given, "share of false alarms, given phase I")
    print(f"written to {experiment.folder}")


if __name__ == "__main__":
    main()
