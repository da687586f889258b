"""What does it cost that somebody has to approve every version, and what does it prevent?

Families of the suite `loop-core` under reviewers that differ in their delay (0 to 6 windows) and in how
well they tell versions that should be denied: nobody, delayed approvals, fallible ones, two persons.
Everything else is the same, scenarios included; rules are tuned and agents trained under the reviewer that
they are rolled out with.

    python experiments/price_of_oversight.py

table.csv has every method under every reviewer, by family and over all of them: return, cost of breaking
limits, their change against nobody (paired by scenario), and NS, whose unit is what a clairvoyant would
gain **without** a reviewer, so that the reviewer's price shows. A rubber stamp must be the delayed approval
to the bit: every cell of a delayed approval is rolled out again under a rubber stamp, by the same fit, and
stamps.csv says of how many all metrics and series are the same. figure shows NS, figure_cost the cost
against the delay, figure_quality what a reviewer's quality changes. fits.csv says what each method's tuning
or training took: each could use as many steps, also the learned arm, which has an agent of its own under
each reviewer (agents: each).

All reviewers of a scenario share its World and what is measured in it, so a cell is a few hundredths of a
second; tuning and training under each reviewer is most of the time. The ledger in
results/local/price_of_oversight is resumed: what is done is not done again.
"""

from __future__ import annotations

import _common  # isort: skip

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from mlopsim.bench.ledger import Ledger
from mlopsim.compose import Study, load_suite
from mlopsim.core.errors import ConfigError, nearest
from mlopsim.core.spec import split_spec
from mlopsim.core.track import Cell, Curves, Outcome
from mlopsim.stats.bootstrap import ratio_interval
from mlopsim.stats.interval import Interval
from mlopsim.tracks.cell_table import axes_of, facts, grid, mean_of
from mlopsim.tracks.draws import bootstrap_rng
from mlopsim.tracks.governance.analysis import FAMILY, paired
from mlopsim.tracks.governance.references import NEVER, OPTIMUM, SUSPENDED
from mlopsim.tracks.governance.worth import FLOOR

if TYPE_CHECKING:
    from matplotlib.figure import Figure

#: the row over all families
EVERY = "all families"
#: references that figures leave out
REFERENCES = (NEVER, SUSPENDED)


def reviewers(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return the reviewers by name; None: nobody."""
    found: dict[str, Any] = {"nobody": None}
    for delay in settings["delays"]:
        found[f"delayed {delay}"] = {"delayed": {"delay": delay}}
    for delay in settings["delays"]:
        found[f"fallible {delay}"] = {"fallible": {**settings["quality"], "delay": delay}}
    for sensitivity in settings["sensitivities"]:
        for specificity in settings["specificities"]:
            name = quality_name(settings, sensitivity, specificity)
            given = {"sensitivity": sensitivity, "specificity": specificity, "delay": settings["delay"]}
            found[name] = {"fallible": given}
    found["two persons"] = {"two_persons": {**settings["quality"], "delay": settings["delay"]}}
    return found


def quality_name(settings: Mapping[str, Any], sensitivity: float, specificity: float) -> str:
    """Name a fallible reviewer of some quality at the delay of the settings; each has one name."""
    usual = settings["quality"]
    if [sensitivity, specificity] == [usual["sensitivity"], usual["specificity"]]:
        if settings["delay"] in settings["delays"]:
            return f"fallible {settings['delay']}"
    return f"sensitivity {sensitivity:g}, specificity {specificity:g}"


def tasks(entries: Sequence[Mapping[str, Any]], settings: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the tasks: each family under each reviewer.

    Raises
    ------
    ConfigError
        If the suite has no such family.
    """
    by_name = {str(entry["name"]): entry for entry in entries}
    found = []
    for family in settings["families"]:
        if family not in by_name:
            raise ConfigError(
                f"{settings['suite']} has no task '{family}'{nearest(family, by_name)}",
                remedy=f"one of: {', '.join(by_name)}",
            )
        entry = by_name[family]
        kind, params = split_spec("deployment", entry["deployment"])
        for name, spec in reviewers(settings).items():
            deployment = {kind.split("/")[-1]: {**params, "reviewer": spec}}
            found.append(
                {**entry, "name": f"{family} | {name}", "scenario": family, "deployment": deployment}
            )
    return found


def study_of(settings: Mapping[str, Any]) -> Study:
    """Return what is compared."""
    suite = load_suite(settings["suite"], conf=settings["conf"])
    given = {key: value for key, value in settings["governance"].items() if value is not None}
    overrides = {f"governance.{key}": value for key, value in given.items()}
    return load_suite(
        settings["suite"],
        tasks=tasks(suite.tasks, settings),
        methods=settings["methods"],
        # all methods under every reviewer, whatever the suite combines
        cells=[],
        seeds=settings["seeds"],
        conf=settings["conf"],
        overrides=overrides,
    )


def share(cells: pl.DataFrame, method: str, here: Sequence[str], base: Sequence[str]) -> Interval:
    """Return NS in units of what could be gained without a reviewer: sum(R - never) / sum(U - never).

    ``here`` are tasks under a reviewer, ``base`` the same ones with nobody.
    """
    seeds, _ = axes_of(cells)
    never = grid(cells, NEVER, "return", seeds, list(base))
    gain = grid(cells, OPTIMUM, "upper", seeds, list(base)) - never
    won = grid(cells, method, "return", seeds, list(here)) - never
    both = np.isfinite(gain) & np.isfinite(won)
    if both.any() and gain[both].mean() < FLOOR:
        reason = f"U - R_never without a reviewer is below {FLOOR}"
        return Interval(value=math.nan, n=int(both.any(axis=1).sum()), reason=reason)
    return ratio_interval(won, gain, bootstrap_rng(0))


def table(cells: pl.DataFrame, settings: Mapping[str, Any]) -> list[dict[str, Any]]:
    """One row a family, reviewer and method."""
    methods = list(dict.fromkeys(cells["method"].to_list()))
    rows = []
    for family in (EVERY, *settings["families"]):
        over = settings["families"] if family == EVERY else [family]
        base = [f"{one} | nobody" for one in over]
        for reviewer, spec in reviewers(settings).items():
            here = [f"{one} | {reviewer}" for one in over]
            params = {} if spec is None else split_spec("reviewer", spec)[1]
            for method in methods:
                row: dict[str, Any] = {"family": family, "reviewer": reviewer, "method": method}
                row["delay"] = params.get("delay")
                estimates = {
                    "ns": share(cells, method, here, base),
                    "return": mean_of(cells, method, "return", here),
                    "cost": mean_of(cells, method, "cost", here),
                    "return_change": paired(cells, (method, here), (method, base), "return"),
                    "cost_change": paired(cells, (method, here), (method, base), "cost"),
                    "denied": mean_of(cells, method, "denied", here),
                }
                for name, one in estimates.items():
                    row |= {name: one.value, f"{name}_low": one.low, f"{name}_high": one.high}
                row["n"] = estimates["return"].n
                rows.append(row)
    return rows


def stamps(entries: Sequence[Mapping[str, Any]], settings: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Return the tasks of the delayed approvals, by name, with rubber stamps of the same delay instead."""
    late = {
        f"{family} | delayed {delay}": delay
        for family in settings["families"]
        for delay in settings["delays"]
    }
    found = {}
    for entry in entries:
        name = str(entry["name"])
        if name in late:
            kind, params = split_spec("deployment", entry["deployment"])
            stamp = {"rubber_stamp": {"delay": late[name]}}
            found[name] = {**entry, "deployment": {kind.split("/")[-1]: {**params, "reviewer": stamp}}}
    return found


def stamped(
    study: Study, settings: Mapping[str, Any], cells: pl.DataFrame, curves: Curves, ledger: Path
) -> list[dict[str, Any]]:
    """Roll every cell of a delayed approval out again under a rubber stamp, and compare the two to the bit.

    The same rule with the same parameters, or the same agent, decides: its fit is read from the ledger.

    Returns
    -------
    list of dict
        One row a task and method: ``cells`` that were rolled out, and of how many all metrics and series are
        the ``same``.
    """
    track, entries = study.track, stamps(study.tasks, settings)
    there = {name: track.tasks([entry])[0] for name, entry in entries.items()}
    stored = {row["key"]: row for row in cells.iter_rows(named=True)}
    bundles: dict[str, list[tuple[Cell, Cell]]] = {}
    for cell in study.grid.cells:
        if cell.task.name in there:
            twin = replace(cell, task=there[cell.task.name])
            bundles.setdefault(track.bundle(twin), []).append((cell, twin))
    counted: dict[tuple[str, str], list[bool]] = {}
    with Ledger.read(ledger) as read:
        for pairs in bundles.values():
            fits = {key: read.fit_result(key) for key in {cell.fit for cell, _ in pairs} if key is not None}
            found = track.run([twin for _, twin in pairs], fits)
            for (cell, _), outcome in zip(pairs, found, strict=True):
                same = identical(stored[cell.key], curves(cell.key), outcome)
                counted.setdefault((cell.task.name, cell.method.name), []).append(same)
    return [
        {"task": task, "method": method, "cells": len(same), "same": sum(same)}
        for (task, method), same in counted.items()
    ]


def identical(row: Mapping[str, Any], series: Mapping[str, np.ndarray], outcome: Outcome) -> bool:
    """Say whether a stored cell and an outcome have the same metrics and series, to the bit."""
    if series.keys() != outcome.curves.keys():
        return False
    if any(series[name].tobytes() != outcome.curves[name].tobytes() for name in series):
        return False
    return all(_same(row[name], value) for name, value in outcome.metrics.items())


def _same(stored: float | None, value: float) -> bool:
    return math.isnan(value) if stored is None or math.isnan(stored) else stored == value


def took(cells: pl.DataFrame) -> list[dict[str, Any]]:
    """One row a reviewer and method that was fitted: what its fit took; one serves all families.

    Seconds are those of the processor of the machine that made it, and no result.
    """
    fits = cells.filter(pl.col("fit").is_not_null()).unique(["review", "method"], maintain_order=True)
    seconds = pl.col("fit_seconds").round(1).alias("cpu_seconds")
    return fits.select("review", "method", pl.col("fit_steps").alias("steps"), seconds).to_dicts()


def against_delay(rows: Sequence[Mapping[str, Any]], name: str, settings: Mapping[str, Any]) -> Figure:
    """Draw an estimate over all families against the delay, of approvals that are only late and fallible."""
    from mlopsim.plots.curves import Curve, curves
    from mlopsim.plots.style import marks_for

    methods = [method for method in dict.fromkeys(row["method"] for row in rows) if method not in REFERENCES]
    lines = {}
    for method in methods:
        for kind in ("delayed", "fallible"):
            some = [
                row
                for delay in settings["delays"]
                for row in rows
                if row["family"] == EVERY and row["method"] == method and row["reviewer"] == f"{kind} {delay}"
            ]
            lines[f"{method}, {kind}"] = Curve(
                x=np.array([row["delay"] for row in some], dtype=np.float64),
                y=np.array([row[name] for row in some]),
                low=np.array([row[f"{name}_low"] for row in some]),
                high=np.array([row[f"{name}_high"] for row in some]),
            )
    words = {"ns": "NS (unit: what could be gained without a reviewer)", "cost": "mean cost of a window"}
    n = sorted({row["n"] for row in rows})
    quality = ", ".join(f"{key} {value:g}" for key, value in settings["quality"].items())
    return curves(
        lines,
        xlabel="windows until the verdict",
        ylabel=words[name],
        marks=marks_for(list(lines)),
        legend=True,
        note=f"{len(settings['families'])} families pooled; bands: 95 % bootstrap over scenario seeds, "
        f"n = {n[-1]}\nfallible: {quality}; a rubber stamp is the delayed approval",
    )


def quality_figure(rows: Sequence[Mapping[str, Any]], settings: Mapping[str, Any]) -> Figure:
    """Draw the changes of return and cost by a reviewer's quality, over all families: a panel each."""
    from mlopsim.plots.interval_panels import interval_panels

    names = [
        quality_name(settings, a, b) for a in settings["sensitivities"] for b in settings["specificities"]
    ]
    shown = [*names, "two persons", f"delayed {settings['delay']}"]
    usual = quality_name({**settings, "delays": []}, *settings["quality"].values())
    panels = {}
    for method in dict.fromkeys(row["method"] for row in rows):
        if method in REFERENCES:
            continue
        here = {row["reviewer"]: row for row in rows if row["family"] == EVERY and row["method"] == method}
        for name in ("return", "cost"):
            value, low, high = (
                [here[one][f"{name}_change{end}"] for one in shown] for end in ("", "_low", "_high")
            )
            panels[f"{method}: {name}"] = (value, low, high)
    return interval_panels(
        [usual if one.startswith("fallible") else one for one in shown],
        panels,
        xlabel="change against nobody, a window",
        note=f"{len(settings['families'])} families pooled, paired by scenario, 95 % bootstrap over seeds, "
        f"n = {max(row['n'] for row in rows)}; delay {settings['delay']} windows",
    )


def main(arguments: Sequence[str] | None = None) -> None:
    """Run, tabulate, draw."""
    experiment = _common.start("price_of_oversight", __doc__, arguments)
    settings = experiment.settings
    study = study_of(settings)
    for folder in (experiment.local, experiment.folder):
        folder.mkdir(parents=True, exist_ok=True)
    cells, curves = _common.run_suite(study.suite, study.track, experiment.local, settings["workers"])
    if (found := set(facts(cells, FAMILY, of="task").values())) != set(settings["families"]):
        raise ConfigError(
            f"the suite has the families {', '.join(map(str, found))}, the setting `families` others",
            remedy="list those of the suite",
        )
    rows, alike = table(cells, settings), stamped(study, settings, cells, curves, experiment.local)
    _common.write_table(experiment.folder, rows)
    _common.write_table(experiment.folder, alike, "stamps")
    _common.write_table(experiment.folder, took(cells), "fits")
    for name, file in (("ns", "figure"), ("cost", "figure_cost")):
        _common.write_figure(experiment.folder, against_delay(rows, name, settings), file)
    _common.write_figure(experiment.folder, quality_figure(rows, settings), "figure_quality")
    pooled = [row for row in rows if row["family"] == EVERY and row["method"] not in REFERENCES]
    keep = (
        "reviewer",
        "method",
        "ns",
        "ns_low",
        "ns_high",
        "cost",
        "return_change",
        "cost_change",
        "denied",
        "n",
    )
    _common.show([{key: row[key] for key in keep} for row in pooled], "over all families")
    counted, same = (sum(row[name] for row in alike) for name in ("cells", "same"))
    print(f"Rubber stamps that are the delayed approval to the bit: {same} of {counted} cells.")
    _common.write_config(experiment)
    if same != counted:
        raise SystemExit("a rubber stamp differs from a delayed approval: see stamps.csv")


if __name__ == "__main__":
    main()
