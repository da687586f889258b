"""What alarms are worth to a deployment, from a table of cells: one cost of a retrain at a time."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import polars as pl

from mlopsim.stats.bootstrap import ns_interval, ratio_interval
from mlopsim.stats.interval import Interval
from mlopsim.stats.table import interval_columns, pivot
from mlopsim.stats.two_level_bootstrap import NO_GAIN
from mlopsim.tracks.cell_table import done, fact_columns
from mlopsim.tracks.drift.analysis import (
    FACTS,
    MANY,
    calibrated,
    calibrations,
    channels_read,
    completed,
    found_by_chance,
    in_groups,
    over_seeds,
    reading,
)
from mlopsim.tracks.drift.realised_alarms import with_realised

GIVEN = Interval(value=math.nan, n=0, reason="the wait was given, nothing was tuned")
NO_PLAN = "an earlier version did not store what the oracle's plan earns"
#: bootstrap samples of the rank correlation of delay and worth
RESAMPLES = 1000


def triggering(table: pl.DataFrame) -> pl.DataFrame:
    """Return the done cells in which a method triggers the retraining of a deployment."""
    return done(completed(table)).filter(pl.col("return").is_finite())


def ends(table: pl.DataFrame) -> tuple[np.ndarray, np.ndarray] | None:
    """Return the return of never retraining and the clairvoyant bound, float64 (seeds, tasks) each.

    They are the cells of the methods whose attribute ``bound`` is ``lower`` and ``upper``; None where
    these are not known.
    """
    rows = triggering(table)
    lower, upper = (rows.filter(pl.col("bound") == end) for end in ("lower", "upper"))
    if not len(lower) or not len(upper):
        return None
    return trigger_grid(rows, lower, "return"), trigger_grid(rows, upper, "upper")


def trigger_grid(rows: pl.DataFrame, own: pl.DataFrame, name: str) -> np.ndarray:
    """Return a metric of one method's cells by the seeds and tasks of all, float64 (seeds, tasks)."""
    seeds, tasks = sorted(set(rows["seed"].to_list())), sorted(set(rows["task"].to_list()))
    return pivot(own, name, clusters=seeds, tasks=tasks)[0]


def bracket_of(rows: pl.DataFrame, own: np.ndarray, base: np.ndarray, top: np.ndarray) -> Interval:
    """Return how far the optimum may lie below U, in units of NS: sum(U - R_oracle) / sum(U - R_never).

    Parameters
    ----------
    rows : polars.DataFrame
        Of :func:`triggering`.
    own : ndarray of float64, shape (seeds, tasks)
        Returns of a method: scenarios count where they are finite, as in its NS.
    base, top : ndarray of float64, shape (seeds, tasks)
        See :func:`ends`.

    Returns
    -------
    Interval
        Undefined for cells of versions that did not store the return of the oracle's plan.
    """
    if "lower" not in rows.columns:
        return Interval(value=math.nan, n=0, reason=NO_PLAN)
    plan = trigger_grid(rows, rows.filter(pl.col("bound") == "upper"), "lower")
    if not np.isfinite(plan).any():
        return Interval(value=math.nan, n=0, reason=NO_PLAN)
    gap = np.where(np.isfinite(own), top - plan, np.nan)
    return ratio_interval(gap, top - base, np.random.default_rng(0), undefined=NO_GAIN)


def by_cost(table: pl.DataFrame) -> list[tuple[float | None, pl.DataFrame]]:
    """Return the cells of :func:`triggering` by the cost of a retrain, rising; None where it is not known."""
    rows = triggering(table)
    if "retrain_cost" not in rows.columns:
        return [(None, rows)] if len(rows) else []
    costs = rows["retrain_cost"].unique().sort(nulls_last=True).to_list()
    return [(cost, rows.filter(pl.col("retrain_cost").eq_missing(cost))) for cost in costs]


def worth(table: pl.DataFrame) -> pl.DataFrame:
    """Return NS of each method as the retrain trigger of a deployment, by cost of a retrain.

    Returns
    -------
    polars.DataFrame
        ``retrain_cost``, ``tasks`` (how many have it); method; ``reads``, ``needs``: what it read in these
        tasks, and what that takes; ``role``, ``limit``; ``ns`` at equal false alarms, its ``bracket``
        (:func:`bracket_of`), the ``wait`` that was tuned (mean over the tasks, in windows) and ``retrains``;
        ``ns_best`` at the arl0 and the wait that are best in training, ``arl0_best``, ``wait_best`` and
        ``retrains_best``; ``restricted_delay`` and ``false_per_1000`` on these tasks, and what the limits
        give. Best first in each group of methods that read the same, those whose limit was given after the
        calibrated ones, controls at the end.
        Costs are never pooled. Empty without a task that has a deployment, or where nobody says which
        methods are the ends of the scale.
    """
    frames = [frame for cost, rows in by_cost(table) if (frame := _at_cost(cost, rows)) is not None]
    return pl.concat(frames) if frames else pl.DataFrame()


def _at_cost(cost: float | None, rows: pl.DataFrame) -> pl.DataFrame | None:
    both = ends(rows)
    if both is None:
        return None
    base, top = both
    methods = list(dict.fromkeys(rows["method"].to_list()))
    own = {m: rows.filter(pl.col("method") == m) for m in methods}

    def score(name: str) -> list[Interval]:
        grids = [trigger_grid(rows, own[m], name) for m in methods]
        # NaN: without a limit at that run length there, or nothing was tuned
        return [
            ns_interval(grid, base, top, np.random.default_rng(0)) if np.isfinite(grid).any() else GIVEN
            for grid in grids
        ]

    def means(name: str) -> list[Interval]:
        return [over_seeds(own[m], name) if own[m][name].is_finite().any() else GIVEN for m in methods]

    known = fact_columns(rows, methods, FACTS)
    columns: dict[str, Any] = {
        "retrain_cost": pl.Series([cost] * len(methods), dtype=pl.Float64),
        "tasks": [rows["task"].n_unique()] * len(methods),
        "method": methods,
        **reading({m: channels_read(rows, m) for m in methods}, known),
        "role": known["role"],
        "limit": known["limit"],
        **interval_columns("ns", score("return")),
        **interval_columns(
            "bracket", [bracket_of(rows, trigger_grid(rows, own[m], "return"), base, top) for m in methods]
        ),
    }
    tuned = "return_best" in rows.columns
    if tuned:
        columns |= interval_columns("ns_best", score("return_best"))
    names = ("wait", "wait_best", "arl0_best", "retrains", "retrains_best") if tuned else ("retrains",)
    for name in (*names, "restricted_delay", "false_per_1000"):
        found = means(name)
        if name == "restricted_delay":
            # who alarms at all times is at no change sooner
            many = Interval(value=math.nan, n=0, reason=MANY)
            found = [many if found_by_chance(own[m]) else value for m, value in zip(own, found, strict=True)]
        columns |= interval_columns(name, found)
    # a limit that was given leads to other false alarms than the calibrated ones
    apart = (pl.col("limit") == "given").fill_null(False)
    best = in_groups(pl.DataFrame(columns), "ns", largest=True).with_columns(apart=apart)
    return with_realised(in_groups(best, "apart").drop("apart"), calibrations(rows))


def delay_and_worth(table: pl.DataFrame) -> pl.DataFrame:
    """Return how the order of methods by delay agrees with that by worth, on the same tasks and seeds.

    Returns
    -------
    polars.DataFrame
        ``retrain_cost``, ``reads``, ``methods`` (how many: those whose limit is calibrated and whose delay is
        known in all cells), ``tau``: Kendall's rank correlation of the mean restricted delay and the mean
        return, seeds resampled. -1: the sooner the better; 0: delay tells nothing of worth. Only groups of 3
        methods or more; one of fewer than 2 seeds has no interval. ``tau_soonest_half``: the same of the
        half of them whose delay is least, over all seeds: a few that are slow and worth little may be all
        that a correlation is made of.
    """
    columns: dict[str, list[Any]] = {"retrain_cost": [], "reads": [], "methods": []}
    found: list[Interval] = []
    halves: list[Interval] = []
    for cost, rows in by_cost(table):
        own = calibrated(rows)
        for channel in dict.fromkeys(own["channel"].drop_nulls().to_list()):
            part = own.filter(pl.col("channel") == channel)
            seeds, tasks = sorted(set(rows["seed"].to_list())), sorted(set(rows["task"].to_list()))
            grids = {
                name: [
                    pivot(part.filter(pl.col("method") == m), name, clusters=seeds, tasks=tasks)[0]
                    for m in dict.fromkeys(part["method"].to_list())
                ]
                for name in ("restricted_delay", "return")
            }
            whole = [
                np.isfinite(a).all() and np.isfinite(b).all() for a, b in zip(*grids.values(), strict=True)
            ]
            delay, value = (
                np.array([grid.mean(axis=1) for grid, kept in zip(grids[name], whole, strict=True) if kept])
                for name in grids
            )
            if len(delay) < 3:
                continue
            found.append(_order(delay, value))
            half = np.argsort(delay.mean(axis=1), kind="stable")[: math.ceil(len(delay) / 2)]
            halves.append(_order(delay[half], value[half]))
            columns["retrain_cost"].append(cost)
            columns["reads"].append(channel)
            columns["methods"].append(len(delay))
    if not found:
        return pl.DataFrame()
    return pl.DataFrame(
        {**columns, **interval_columns("tau", found), **interval_columns("tau_soonest_half", halves)}
    )


def _order(delay: np.ndarray, value: np.ndarray) -> Interval:
    """Return the rank correlation of two means (methods, seeds), seeds resampled."""
    from scipy.stats import kendalltau

    if len(delay) < 3:
        return Interval(value=math.nan, n=0, reason="a rank correlation takes 3 methods")
    seeds = delay.shape[1]
    rng = np.random.default_rng(0)
    draws = [np.arange(seeds), *rng.integers(0, seeds, (RESAMPLES * (seeds > 1), seeds))]
    taus = np.array([_tau(delay[:, d].mean(axis=1), value[:, d].mean(axis=1), kendalltau) for d in draws])
    low, high = np.nanquantile(taus, (0.025, 0.975)) if len(draws) > 1 else (math.nan, math.nan)
    reason = "" if len(draws) > 1 else "1 seed: an interval needs at least 2"
    return Interval(value=float(taus[0]), low=float(low), high=float(high), n=seeds, reason=reason)


def _tau(delay: np.ndarray, value: np.ndarray, kendall: Any) -> float:
    """Return the rank correlation, NaN where one of them is constant."""
    if np.ptp(delay) == 0.0 or np.ptp(value) == 0.0:
        return math.nan
    return float(kendall(delay, value).statistic)
