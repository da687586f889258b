"""What does it cost that somebody has to approve every version, and what does it prevent?

Families of the suite `loop-core` under reviewers that differ in their delay (0 to 6 windows) and in how
well they tell versions that should be denied: nobody, delayed, rubber stamps, fallible ones, two persons.
Everything else is the same, scenarios included; rules are tuned and agents trained under the reviewer that
they are rolled out with.

    python experiments/price_of_oversight.py

table.csv has every method under every reviewer, by family and over all of them: return, cost of breaking
limits, their change against nobody (paired by scenario), and NS, whose unit is what a clairvoyant would
gain **without** a reviewer, so that the reviewer's price shows. A rubber stamp must be the delayed approval
to the bit: cells.csv says of every pair of cells whether it is. figure shows NS, figure_cost the cost
against the delay, figure_quality what a reviewer's quality changes. The ledger in
results/local/price_of_oversight is resumed.
"""

from __future__ import annotations

import _common  # isort: skip

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from mlopsim.compose import Study, load_suite
from mlopsim.core.errors import ConfigError, nearest
from mlopsim.core.spec import split_spec
from mlopsim.core.track import Curves
from mlopsim.stats.bootstrap import ratio_interval
from mlopsim.stats.interval import Interval
from mlopsim.tracks.cell_table import axes_of, facts, grid, mean_of
from mlopsim.tracks.draws import bootstrap_rng
from mlopsim.tracks.governance.analysis import FAMILY, paired
from mlopsim.tracks.governance.fronts import NEVER, OPTIMUM
from mlopsim.tracks.governance.worth import FLOOR

if TYPE_CHECKING:
    from matplotlib.figure import Figure

#: the row over all families
EVERY = "all families"
#: what is compared of two cells that should be the same: everything that was measured
METRICS = (
    *(
        "return",
        "accuracy",
        "cost",
        "over",
        "out",
        "longest",
        "suspended",
        "retrains",
        "switches",
        "rollbacks",
    ),
    *("denied", "refused", "alarms", "impossible"),
)


def reviewers(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return the reviewers by name; None: nobody."""
    found: dict[str, Any] = {"nobody": None}
    for delay in settings["delays"]:
        found[f"delayed {delay}"] = {"delayed": {"delay": delay}}
        found[f"rubber stamp {delay}"] = {"rubber_stamp": {"delay": delay}}
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


def stamped(cells: pl.DataFrame, curves: Curves, settings: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Compare each cell under a rubber stamp with that under a delayed approval: metrics and series.

    Returns
    -------
    list of dict
        One row a family, delay, method: ``cells`` that were compared and ``same``.
    """
    keys = {(row["task"], row["method"], row["seed"]): row for row in cells.iter_rows(named=True)}
    rows = []
    for family in settings["families"]:
        for delay in settings["delays"]:
            counted: dict[str, list[bool]] = {}
            for (task, method, seed), one in keys.items():
                if task == f"{family} | rubber stamp {delay}":
                    other = keys[f"{family} | delayed {delay}", method, seed]
                    counted.setdefault(method, []).append(identical(one, other, curves))
            for method, same in counted.items():
                row = {"family": family, "delay": delay, "method": method}
                rows.append({**row, "cells": len(same), "same": sum(same)})
    return rows


def identical(one: Mapping[str, Any], other: Mapping[str, Any], curves: Curves) -> bool:
    """Say whether two cells have the same metrics and series, to the bit."""
    a, b = curves(one["key"]), curves(other["key"])
    return all(_same(one[name], other[name]) for name in METRICS) and (
        a.keys() == b.keys() and all(a[name].tobytes() == b[name].tobytes() for name in a)
    )


def _same(a: Any, b: Any) -> bool:
    return bool(a == b) or (a is None and b is None) or (a != a and b != b)


def against_delay(rows: Sequence[Mapping[str, Any]], name: str, settings: Mapping[str, Any]) -> Figure:
    """Draw an estimate over all families against the delay, of approvals that are only late and fallible."""
    from mlopsim.plots.curves import Curve, curves
    from mlopsim.plots.style import marks_for

    methods = [method for method in dict.fromkeys(row["method"] for row in rows) if method != NEVER]
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
        if method == NEVER:
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
    assert set(facts(cells, FAMILY, of="task").values()) == set(settings["families"])
    rows, stamps = table(cells, settings), stamped(cells, curves, settings)
    _common.write_table(experiment.folder, rows)
    _common.write_table(experiment.folder, stamps, "cells")
    for name, file in (("ns", "figure"), ("cost", "figure_cost")):
        _common.write_figure(experiment.folder, against_delay(rows, name, settings), file)
    _common.write_figure(experiment.folder, quality_figure(rows, settings), "figure_quality")
    pooled = [row for row in rows if row["family"] == EVERY and row["method"] != NEVER]
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
    counted, same = (sum(row[name] for row in stamps) for name in ("cells", "same"))
    print(f"Rubber stamps that are the delayed approval to the bit: {same} of {counted} cells.")
    _common.write_config(experiment)
    if same != counted:
        raise SystemExit("a rubber stamp differs from a delayed approval: see cells.csv")


if __name__ == "__main__":
    main()
