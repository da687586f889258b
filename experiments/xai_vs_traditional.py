"""Do explanations add anything to tests of inputs, scores and decisions?

Runs the suite `fairness-paper` (what is done is cached) and tabulates, for each scenario and strength, how
often each audit and each battery blocks, how soon, and how long before harm; every audit, and every battery
as a whole, blocks 5 % of the deployments without bias. Among the methods are the simplest rivals: inputs by
group (no model, no labels, no explanation) and scores by group. table.csv has all methods, the label delay
and the rows that LIME explains; methods.csv what each reads and needs; batteries.csv the differences of
batteries, paired over seeds, first what explanations add to a battery with the rivals. The figure shows the
power of the batteries by scenario, and the differences of the first two pairs.

    python experiments/xai_vs_traditional.py
    python experiments/xai_vs_traditional.py suite=fairness-core ledger=results/local/fairness-core
"""

from __future__ import annotations

import _common  # isort: skip

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from mlopsim.compose import load_suite
from mlopsim.core.errors import ConfigError
from mlopsim.stats.interval import Interval
from mlopsim.tracks.cell_table import facts, mean_of
from mlopsim.tracks.fairness.analysis import batteries as batteries_of
from mlopsim.tracks.fairness.analysis import biased, difference, scenarios, strengths, unequal

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

#: of a task in which something is wrong
WRONG = ("power", "restricted_delay", "lead", "blamed")
#: facts about methods, in a table of their own
FACTS = ("role", "limit", "battery", "reads", "needs")
#: facts about tasks that stand in the tables
CONDITIONS = ("label_delay", "lime_rows")


def columns(name: str, value: Interval) -> dict[str, Any]:
    """Return an estimate with its ends and n as columns."""
    return {name: value.value, f"{name}_low": value.low, f"{name}_high": value.high, f"{name}_n": value.n}


def undefined(reason: str) -> Interval:
    """Return an estimate that there is none of."""
    return Interval(value=math.nan, n=0, reason=reason)


def methods(cells: pl.DataFrame) -> list[dict[str, Any]]:
    """One row a method: what it reads and needs."""
    known = {name: facts(cells, name) for name in FACTS}
    return [
        {"method": method, **{name: found[method] for name, found in known.items()}}
        for method in dict.fromkeys(cells["method"].to_list())
    ]


def by_strength(cells: pl.DataFrame) -> list[dict[str, Any]]:
    """One row a scenario, strength and method."""
    wrong, strength = set(biased(cells)), strengths(cells)
    names = list(dict.fromkeys(cells["method"].to_list()))
    under = {name: facts(cells, name, of="task") for name in CONDITIONS}
    rows = []
    for scenario, tasks in scenarios(cells, biased(cells) + unequal(cells)).items():
        for task in tasks:
            for method in names:
                row: dict[str, Any] = {"scenario": scenario, "strength": strength[task], "method": method}
                row |= {name: found[task] for name, found in under.items()}
                for name in WRONG:
                    value = (
                        mean_of(cells, method, name, [task])
                        if task in wrong
                        else undefined("nothing is wrong")
                    )
                    row |= columns(name, value)
                right = undefined("something is wrong")
                if task not in wrong:
                    right = mean_of(cells, method, "false_block", [task])
                rows.append(row | columns("false_block", right))
    return rows


def between_batteries(cells: pl.DataFrame, pairs: Sequence[Sequence[str]]) -> list[dict[str, Any]]:
    """One row a scenario and pair of batteries: the differences over all strengths, paired over seeds."""
    wrong = set(biased(cells))
    under = {name: facts(cells, name, of="task") for name in CONDITIONS}
    rows = []
    for scenario, tasks in scenarios(cells, biased(cells) + unequal(cells)).items():
        for one, other in pairs:
            row: dict[str, Any] = {"scenario": scenario, "battery": one, "than": other}
            row |= {name: found[tasks[0]] for name, found in under.items()}
            for name in ("power", "restricted_delay", "lead"):
                value = (
                    difference(cells, one, other, name, tasks)
                    if tasks[0] in wrong
                    else undefined("nothing is wrong")
                )
                row |= columns(name, value)
            right = undefined("something is wrong")
            if tasks[0] not in wrong:
                right = difference(cells, one, other, "false_block", tasks)
            rows.append(row | columns("false_block", right))
    return rows


def check_pairs(cells: pl.DataFrame, pairs: Sequence[Sequence[str]]) -> list[str]:
    """Return the batteries of the suite, the ones that are compared first.

    Raises
    ------
    ConfigError
        If a pair names what is no battery of the suite.
    """
    batteries = batteries_of(cells)
    for pair in pairs:
        if len(pair) != 2 or any(name not in batteries for name in pair):
            raise ConfigError(
                f"pairs: {list(pair)} is no pair of batteries", remedy=f"batteries: {', '.join(batteries)}"
            )
    return batteries


def drawn(cells: pl.DataFrame, batteries: Sequence[str], rows: Sequence[dict[str, Any]]) -> Figure:
    """Draw the power of batteries by scenario, and what the first two pairs differ by."""
    from mlopsim.plots.style import caption, dress, marks_for, new_figure

    groups = scenarios(cells, biased(cells))
    order = sorted(groups, key=lambda name: -_value(rows, name, "power"))
    places = np.arange(len(order), dtype=np.float64)
    pairs = list(dict.fromkeys((row["battery"], row["than"]) for row in rows))[:2]
    figure = new_figure(12.5, 0.34 * len(order) + 2.2)
    left, *right = figure.subplots(
        1, 1 + len(pairs), sharey=True, gridspec_kw={"width_ratios": [3, *[1.2] * len(pairs)]}
    )
    looks = marks_for(batteries)

    def points(axes: Axes, shift: float, values: Sequence[Sequence[float]], battery: str) -> None:
        middle, low, high = np.array(values).T
        look = looks[battery]
        # all bars as one line with gaps: an SVG of a path each would be too large to travel
        bars = np.stack([low, high, np.full(len(order), np.nan)], axis=1).ravel()
        axes.plot(bars, np.repeat(places + shift, 3), color=look.colour, linewidth=1.4)
        axes.plot(
            middle, places + shift, look.marker, color=look.colour, markersize=4, linestyle="", label=battery
        )

    for k, battery in enumerate(batteries):
        means = [mean_of(cells, battery, "power", groups[name]) for name in order]
        shift = 0.7 * ((k + 0.5) / len(batteries) - 0.5)
        points(left, shift, [(value.value, value.low, value.high) for value in means], battery)
    left.set_yticks(range(len(order)), order)
    left.set_ylim(len(order) - 0.4, -0.6)
    left.set_xlim(-0.03, 1.03)
    dress(left, xlabel="share of biased deployments that are blocked", ylabel="", title="power")
    for axes, pair in zip(right, pairs, strict=True):
        own = {row["scenario"]: row for row in rows if (row["battery"], row["than"]) == pair}
        values = [[own[name][key] for key in ("power", "power_low", "power_high")] for name in order]
        points(axes, 0.0, values, pair[0])
        axes.axvline(0.0, color="0.5", linewidth=0.8)
        dress(axes, xlabel=f"{pair[0]}\nless {pair[1]}", ylabel="", title="what is added")
    figure.legend(
        *left.get_legend_handles_labels(), loc="outside upper center", ncols=4, frameon=False, fontsize=8
    )
    counts = sorted({int(row["power_n"]) for row in rows if row["power_n"]})
    caption(
        figure,
        "means over strengths at equal false blocks; bars: 95 % intervals, paired on the right, over "
        f"{' or '.join(map(str, counts))} seeds",
    )
    return figure


def _value(rows: Sequence[dict[str, Any]], scenario: str, name: str) -> float:
    return float(next(row[name] for row in rows if row["scenario"] == scenario))


def main(arguments: Sequence[str] | None = None) -> None:
    """Run, tabulate, draw."""
    experiment = _common.start("xai_vs_traditional", __doc__, arguments)
    settings = experiment.settings
    study = load_suite(settings["suite"])
    suite, track = study.suite, study.track
    if track.name != "fairness":
        raise SystemExit(f"{settings['suite']} is a suite of the track {suite.track}, not of fairness")
    experiment.settings["grid"] = study.config
    ledger = _common.below_root(settings["ledger"])
    for folder in (ledger, experiment.folder):
        folder.mkdir(parents=True, exist_ok=True)
    cells = _common.run_cells(suite, track, ledger, settings["workers"])
    batteries = check_pairs(cells, settings["pairs"])
    _common.write_table(experiment.folder, by_strength(cells))
    _common.write_table(experiment.folder, methods(cells), "methods")
    rows = between_batteries(cells, settings["pairs"])
    _common.write_table(experiment.folder, rows, "batteries")
    _common.write_figure(experiment.folder, drawn(cells, batteries, rows))
    for one, other in settings["pairs"]:
        chosen = [row for row in rows if (row["battery"], row["than"]) == (one, other)]
        keep = (
            *("scenario", "power", "power_low", "power_high", "power_n", "restricted_delay"),
            *("restricted_delay_low", "restricted_delay_high", "lead", "lead_low", "lead_high", "lead_n"),
        )
        shown = [{key: row[key] for key in keep} for row in chosen if math.isfinite(row["power"])]
        _common.show(shown, f"{one} less {other}: power, delay and lead time, paired over seeds")
    _common.write_config(experiment)


if __name__ == "__main__":
    main()
