"""Which detector finds a change soonest at equal false alarms, and does it matter what is made equal?

Runs the suite `drift-paper`, whose limits give all the same chance of a first alarm within H rows, and
`drift-paper-rate`, whose limits give all the same rate of alarms in the long run (what is done is cached).
Each has a table of its own, never pooled: delay of rises of the error and mean rank, overall and by how the
change comes, what the limits really give of both, alarms on changes that harm nobody, worth as the retrain
trigger. falls.csv has the falls of the error, apart from the rises. Then runs the same detectors with the
limits that they come with: how often these alarm without a change, and how the order of the detectors
changes. table.csv and rate.csv are the study, sooner.csv the rank correlation of delay and worth, of all and
without the detectors that the setting `slow` names, others.csv the limits that detectors come with; figures/
has the critical-difference diagram and delay against false alarms of the first.

    python experiments/detectors_at_equal_arl.py
    python experiments/detectors_at_equal_arl.py suite=drift-core ledger=results/local/drift-core \\
        rate_suite=drift-core-rate rate_ledger=results/local/drift-core-rate
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import _common
import numpy as np
import polars as pl

from mlopsim.bench.suite import Suite
from mlopsim.compose import load_suite
from mlopsim.core.section import fault, make_sections
from mlopsim.core.spec import make
from mlopsim.core.track import Task, Track
from mlopsim.drift.detector import Detector
from mlopsim.stats.rank_tests import friedman
from mlopsim.tracks.cell_table import done
from mlopsim.tracks.drift.analysis import (
    calibrations,
    delays_by_task,
    leaderboard,
    pooled_mean,
    pooled_tasks,
    ranked,
)
from mlopsim.tracks.drift.realised_alarms import REALISED
from mlopsim.tracks.drift.rises_falls import falls
from mlopsim.tracks.drift.worth_analysis import delay_and_worth, worth
from mlopsim.tracks.table_results import TableResults

#: what the table of worth gives at each cost of a retrain
SCALED = (
    *("ns", "ns_low", "ns_high", "ns_n", "bracket", "bracket_low", "bracket_high"),
    *("ns_best", "ns_best_low", "ns_best_high", "wait", "wait_best", "arl0_best"),
)
#: figures of the report that answer the question, and which of several of the name
FIGURES = {
    "Critical difference": ", errors",
    "Delay against false alarms": "",
    "Worth against delay": ", errors, a retrain costs 0.2",
}


def study(cells: pl.DataFrame, tasks: Sequence[Task]) -> list[dict[str, Any]]:
    """One row a detector: delay, recall, false alarms, by how the change comes, harmless changes, worth."""
    board = leaderboard(cells)
    pool = pooled_tasks(cells)
    kinds: dict[str, list[str]] = {}
    for task in tasks:
        if task.name in pool:
            kinds.setdefault(str(task.attributes["scenario"]).replace(" ", "_"), []).append(task.name)
    value: dict[str, dict[str, float]] = {}
    costs: list[str] = []
    for line in worth(cells).to_dicts():
        cost = "" if line["retrain_cost"] is None else f"_at_{line['retrain_cost']:g}"
        costs += [cost] * (cost not in costs)
        for key in SCALED:
            value.setdefault(line["method"], {})[f"{key}{cost}"] = line.get(key, math.nan)
    rows = []
    for entry in board.to_dicts():
        name = entry["method"]
        row = {key: entry[key] for key in ("method", "reads", "needs", "known", "role", "sides", "match")}
        for metric in ("restricted_delay", "rank", "recall", "false_per_1000", *REALISED):
            row |= {f"{metric}{end}": entry[f"{metric}{end}"] for end in ("", "_low", "_high", "_n")}
        row |= {"met": entry["met"], "laws": entry["laws"]}
        for kind, names in kinds.items():
            found = pooled_mean(cells.filter(pl.col("task").is_in(names)), name, "restricted_delay")
            row |= {f"delay_{kind}": found.value, f"delay_{kind}_low": found.low}
            row |= {f"delay_{kind}_high": found.high}
        harmless = pooled_mean(cells.filter(pl.col("harmless_alarmed").is_finite()), name, "harmless_alarmed")
        row |= {"harmless_alarmed": harmless.value, "harmless_low": harmless.low}
        row |= {"harmless_high": harmless.high}
        keys = [f"{key}{cost}" for cost in costs for key in SCALED]
        row |= {key: value.get(name, {}).get(key, math.nan) for key in keys}
        row["reason"] = entry["restricted_delay_reason"]
        rows.append(row)
    return rows


def sooner(cells: pl.DataFrame, suite: Suite, slow: Sequence[str]) -> pl.DataFrame:
    """Return how delay and worth agree, also without some detectors: are these all that it is made of?

    Parameters
    ----------
    cells : polars.DataFrame
    suite : Suite
        Whose methods they are of.
    slow : sequence of str
        Detectors to leave out, whatever their parameters.

    Returns
    -------
    polars.DataFrame
        The columns of :func:`mlopsim.tracks.drift.worth_analysis.delay_and_worth`, and of the methods without
        those ``methods_without_slow`` and ``tau_without_slow`` with ends, n and reason; undefined where
        none of them is.
    """
    every = delay_and_worth(cells)
    if not len(every):
        return every
    out = [method.name for method in suite.methods if method.part["detector"]["name"] in slow]
    rest = delay_and_worth(cells.filter(~pl.col("method").is_in(out)))
    ends = ("", "_low", "_high", "_n", "_reason")
    kept = {"methods": "methods_without_slow", **{f"tau{end}": f"tau_without_slow{end}" for end in ends}}
    if not len(rest):
        rest = every.clear()
    keys = ["retrain_cost", "reads"]
    rest = rest.select(*keys, *(pl.col(name).alias(new) for name, new in kept.items()))
    joined = every.join(rest, on=keys, how="left", maintain_order="left", nulls_equal=True)
    count = pl.col("methods_without_slow")
    none, few = count == pl.col("methods"), count.is_null()
    nothing = (
        pl.when(none).then(pl.lit("none of them is left out")).when(few).then(pl.lit("too few are left"))
    )
    values = [f"tau_without_slow{end}" for end in ends[:3]]
    return joined.with_columns(
        nothing.otherwise("tau_without_slow_reason").alias("tau_without_slow_reason"),
        *(pl.when(none | few).then(math.nan).otherwise(name).alias(name) for name in values),
        pl.when(none | few).then(0).otherwise("tau_without_slow_n").alias("tau_without_slow_n"),
    )


def agreement(first: Sequence[Mapping[str, Any]], second: Sequence[Mapping[str, Any]]) -> str:
    """Say how far the orders by two matchings agree, over the methods that have a delay in both."""
    from scipy.stats import kendalltau

    delays = [{row["method"]: row["restricted_delay"] for row in rows} for rows in (first, second)]
    both = [
        row["method"]
        for row in first
        if row["role"] == "method" and all(math.isfinite(d.get(row["method"], math.nan)) for d in delays)
    ]
    if len(both) < 3:
        return f"{len(both)} methods have a delay by both matchings: too few to compare orders."
    tau = kendalltau(*([d[name] for name in both] for d in delays)).statistic
    moved = max(both, key=lambda name: abs(math.log((1 + delays[1][name]) / (1 + delays[0][name]))))
    return (
        f"Of {len(both)} methods the orders by the two matchings agree with Kendall's tau {tau:.2f}; "
        f"{moved} moves "
        f"most: {delays[0][moved]:.0f} rows matched by the first alarm, {delays[1][moved]:.0f} by the rate."
    )


def with_default_limits(suite: Suite, track: Track, seeds: int) -> tuple[Suite, dict[str, str]]:
    """Return the suite with every calibrated detector at the limit that it comes with, and their names there.

    Returns
    -------
    Suite
    dict of str to str
        Name in the suite to the name of the same detector with its own limit.
    """
    entries, names = [], {}
    for method in suite.methods:
        content = method.part["detector"]
        detector: Detector = make("detector", content)
        if detector.control or not detector.limit:
            continue
        limit = getattr(detector, detector.limit)
        # a parameter that is listed is kept; the class default is what users of the detector get
        entries.append({detector.name: {**_given(content, detector), detector.limit: limit}})
        names[method.name] = track.methods(entries[-1:])[0].name
    other = Suite(
        name=f"{suite.name}-default-limits",
        track=suite.track,
        tasks=suite.tasks,
        methods=track.methods(entries),
        seeds=list(suite.seeds)[:seeds],
        root=suite.root,
    )
    return other, names


def _given(content: Mapping[str, Any], detector: Detector) -> dict[str, Any]:
    """Return the parameters that differ from the defaults."""
    from mlopsim.core.spec import params_of

    defaults = params_of(type(detector)())
    # a parameter that was added later is in no part while it has its default
    return {name: value for name, value in content["params"].items() if value != defaults.get(name, math.nan)}


def at_default_limits(
    calibrated: pl.DataFrame, default: pl.DataFrame, names: Mapping[str, str]
) -> list[dict[str, Any]]:
    """One row a detector: how often its own limit alarms without a change, and both ranks."""
    pool = [name for name in pooled_tasks(calibrated) if name in pooled_tasks(default)]
    seeds = default["seed"].unique().to_list()
    equal = done(calibrated).filter(pl.col("seed").is_in(seeds))
    both = {
        name: (delays_by_task(equal, name, pool), delays_by_task(default, names[name], pool))
        for name in ranked(calibrated)
    }
    whole = [name for name, delays in both.items() if np.isfinite(delays).all()]
    ranks = [
        friedman(np.array([both[name][side] for name in whole]).T, direction="min").ranks for side in (0, 1)
    ]
    fits = calibrations(default)
    rows = []
    for place, name in enumerate(whole):
        shares = fits.filter(pl.col("method") == names[name])["share"]
        shares = shares.filter(shares.is_finite())
        rows.append(
            {
                "method": name,
                "laws": len(shares),
                "share_least": shares.min(),
                "share_median": shares.median(),
                "share_most": shares.max(),
                "rank_equal": float(ranks[0][place]),
                "rank_default": float(ranks[1][place]),
                "tasks": len(pool),
            }
        )
    return sorted(rows, key=lambda row: float(row["rank_equal"]))


def main(arguments: Sequence[str] | None = None) -> None:
    """Run, tabulate, draw."""
    experiment = _common.start("detectors_at_equal_arl", __doc__, arguments)
    settings = experiment.settings
    loaded = load_suite(settings["suite"])
    suite, track = loaded.suite, loaded.track
    experiment.settings["grid"] = loaded.config
    ledger = _common.below_root(settings["ledger"])
    for folder in (ledger, experiment.folder, experiment.local):
        folder.mkdir(parents=True, exist_ok=True)
    cells, curves = _common.run_suite(suite, track, ledger, settings["workers"])
    sections, unmade = make_sections(TableResults(track=track, cells=cells, read=curves))
    if failed := fault(unmade):
        raise failed
    rows = study(cells, suite.tasks)
    _common.write_table(experiment.folder, rows)
    facts = ("method", "reads", "sides", "known")
    shown = [*facts, "restricted_delay", "rank", *REALISED, "recall", "harmless_alarmed"]
    shown += [key for key in rows[0] if key == "ns" or key.startswith("ns_at_")]
    _common.show([{key: row[key] for key in shown} for row in rows], "matched by the first alarm")
    slow = settings["slow"]
    orders = [sooner(cells, suite, slow).with_columns(match=pl.lit("first alarm"))]
    fallen = [falls(cells)]
    if settings["rate_suite"]:
        other = load_suite(settings["rate_suite"])
        experiment.settings["rate_grid"] = other.config
        folder = _common.below_root(settings["rate_ledger"])
        folder.mkdir(parents=True, exist_ok=True)
        by_rate, _ = _common.run_suite(other.suite, other.track, folder, settings["workers"])
        rated = study(by_rate, other.suite.tasks)
        _common.write_table(experiment.folder, rated, "rate")
        _common.show([{key: row[key] for key in shown} for row in rated], "matched by the rate")
        orders.append(sooner(by_rate, other.suite, slow).with_columns(match=pl.lit("rate")))
        fallen.append(falls(by_rate))
        print(agreement(rows, rated))
    taus = pl.concat(
        [frame for frame in orders if len(frame)] or orders[:1], how="vertical_relaxed"
    ).to_dicts()
    if taus:
        _common.write_table(experiment.folder, taus, "sooner")
        _common.show(taus, "rank correlation of delay and worth among methods that read the same")
    fallen = [frame for frame in fallen if len(frame)]
    if fallen:
        apart = pl.concat(fallen).to_dicts()
        _common.write_table(experiment.folder, apart, "falls")
        keys = ("match", "method", "sides", "tasks", "fall_restricted_delay", "fall_rank", "fall_recall")
        _common.show([{key: row[key] for key in keys} for row in apart], "falls of the error")
    drawn = {title: figure for section in sections for title, figure in section.figures.items()}
    for name, which in FIGURES.items():
        # one group alone has no name of its own
        title = name + which if name + which in drawn else name
        if title in drawn:
            stem = title.lower().replace(",", "").replace(".", "").replace(" ", "-")
            _common.write_figure(experiment.folder / "figures", drawn[title], stem)
    if settings["default_seeds"]:
        given, names = with_default_limits(suite, track, settings["default_seeds"])
        found, _ = _common.run_suite(given, track, experiment.local, settings["workers"])
        compared = at_default_limits(cells, found, names)
        _common.write_table(experiment.folder, compared, "others")
        _common.show(compared, "with the limits that detectors come with")
        print(verdict(compared))
    _common.write_config(experiment)


def verdict(rows: Sequence[Mapping[str, Any]]) -> str:
    """Say in one sentence how far apart the limits that detectors come with are."""
    from scipy.stats import kendalltau

    medians = [row["share_median"] for row in rows if row["share_median"] is not None]
    tau = kendalltau([r["rank_equal"] for r in rows], [r["rank_default"] for r in rows]).statistic
    return (
        f"With the limits that they come with, {len(rows)} detectors alarm within H on {min(medians):.1%} to "
        f"{max(medians):.1%} (median over laws) of the drift-free signals; the order at equal false alarms "
        f"and theirs agree with Kendall's tau {tau:.2f}."
    )


if __name__ == "__main__":
    main()
