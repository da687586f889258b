"""From cells of the delivery track to numbers: paired returns, scores, robust comparison, profiles.

Sections, experiments and notebooks read these. A *table* is the table of cells (one row a cell), with the
columns task, method, seed, status, the metrics of the track, the attributes of its tasks and methods, and
``stream_id``: which source the rows of a cell come from.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import polars as pl

from mlopsim.stats.block_intervals import block_ratio
from mlopsim.stats.bootstrap import ns_interval, ratio_interval, regret_interval
from mlopsim.stats.interval import Interval
from mlopsim.stats.normalised_scores import scenario_scores
from mlopsim.stats.robust_intervals import Band, improvement_interval, iqm_interval, profile_band
from mlopsim.stats.table import aggregate, best_first, interval_columns
from mlopsim.stats.two_level_bootstrap import NO_GAIN
from mlopsim.tracks.cell_table import fact_columns, facts, has_attributes
from mlopsim.tracks.draws import bootstrap_rng

#: rows that the track itself puts into every table, and by these names only: the zero point of NS, and the
#: one whose cells hold U
NEVER, ORACLE = "never", "oracle"
#: attributes of methods and of tasks, in the order of a page
FACTS = ("family", "role", "reads", "needs", "known")
TASK_FACTS = (
    *("stream", "scenario", "real", "learner", "training", "deployment"),
    *("label_delay", "latency", "switch_cost", "retrain_cost", "feedback"),
)
#: smallest U - R_never (reward a window) at which a scenario enters per-scenario scores
FLOOR = 0.02
NO_REFERENCE = "no rule with a defined NS to compare with"
SINGLE = "one real stream: its seeds draw from the same rows and are no independent scenarios"
BLOCKS = "blocks of one real stream overlap and follow one another: no independent units to resample"
NO_FACTS = "cells of an earlier version do not say which methods are rules: there is none to compare with"


@dataclass(kw_only=True)
class Arena:
    """The paired returns of a cell table.

    Parameters
    ----------
    tasks, methods : list of str
        Names in the order of the table.
    seeds : list of int
        Scenario seeds.
    returns : dict of str to ndarray, shape (seeds, tasks)
        R by method; NaN where a cell is not done.
    never, upper : ndarray, shape (seeds, tasks)
        R of never and the upper bound U.
    streams : ndarray of text, shape (seeds, tasks)
        Identity of the rows behind each scenario; None where it is not known.
    blocks : ndarray of int, shape (seeds, tasks)
        Number of the block of a real stream that a scenario serves; 0: there are none.
    apart : ndarray of int, shape (tasks,)
        How many blocks of a task share no window; 0: there are none.
    """

    tasks: list[str]
    methods: list[str]
    seeds: list[int]
    returns: dict[str, np.ndarray]
    never: np.ndarray
    upper: np.ndarray
    streams: np.ndarray
    blocks: np.ndarray
    apart: np.ndarray

    @classmethod
    def of(cls, table: pl.DataFrame) -> Arena:
        """Arrange a cell table (columns task, method, seed, status, return, upper)."""
        done = table.filter(pl.col("status") == "done")
        tasks = list(dict.fromkeys(table["task"].to_list()))
        methods = list(dict.fromkeys(table["method"].to_list()))
        seeds = sorted(set(table["seed"].to_list()))
        place_t = {name: i for i, name in enumerate(tasks)}
        place_s = {seed: i for i, seed in enumerate(seeds)}
        shape = (len(seeds), len(tasks))
        returns = {name: np.full(shape, np.nan) for name in methods}
        upper, streams = np.full(shape, np.nan), np.full(shape, None, dtype=object)
        blocks, apart = np.zeros(shape, dtype=np.int64), np.zeros(len(tasks), dtype=np.int64)
        for row in _with_text_ids(done).iter_rows(named=True):
            at = place_s[row["seed"]], place_t[row["task"]]
            if row["stream_id"] is not None:
                streams[at] = row["stream_id"]
            if row["block"] is not None:
                blocks[at], apart[at[1]] = row["block"], row["apart"]
            returns[row["method"]][at] = math.nan if row["return"] is None else row["return"]
            if row["method"] == ORACLE:
                upper[at] = math.nan if row["upper"] is None else row["upper"]
        never = returns.get(NEVER, np.full(shape, np.nan))
        return cls(
            tasks=tasks,
            methods=methods,
            seeds=seeds,
            returns=returns,
            never=never,
            upper=upper,
            streams=streams,
            blocks=blocks,
            apart=apart,
        )

    def columns(self, tasks: list[str]) -> list[int]:
        """Return the positions of tasks."""
        return [self.tasks.index(name) for name in tasks]

    def single(self, task: int) -> bool:
        """Say whether all seeds of a task show rows of one series (a real stream), whole or in blocks."""
        known = [stream for stream in self.streams[:, task] if stream is not None]
        return len(known) > 1 and len(set(known)) == 1

    def grid(self, values: np.ndarray, tasks: list[int]) -> np.ndarray:
        """Select tasks; where each of them is one real stream, a row a block remains (one, without blocks).

        Seeds of one block differ in the rows that are drawn, the learner's and the method's randomness only:
        their mean is one scenario. Streams with different numbers of blocks are one row each.
        """
        chosen = values[:, tasks]
        if not self.real(tasks):
            return chosen
        rows = []
        for column, task in zip(chosen.T, tasks, strict=True):
            numbers = self.blocks[:, task]
            rows.append(np.array([column[numbers == number].mean() for number in self._numbers(task)]))
        if len({len(row) for row in rows}) > 1:
            rows = [row.mean(keepdims=True) for row in rows]
        return np.stack(rows, axis=1)

    def real(self, tasks: Sequence[int]) -> bool:
        """Say whether each of these tasks is one real stream, so that there are no independent scenarios."""
        return all(self.single(t) for t in tasks)

    def units(self, tasks: Sequence[int]) -> int:
        """Return how many rows of the grid of real streams lie apart, at least 1."""
        rows = {len(self._numbers(t)) for t in tasks}
        return 1 if len(rows) > 1 else max(1, min(*rows, *(int(self.apart[t]) for t in tasks)))

    def _numbers(self, task: int) -> np.ndarray:
        """Return the numbers of a task's blocks; 0 alone where there are none."""
        found = np.unique(self.blocks[:, task])
        return found[found > 0] if self.apart[task] else np.zeros(1, dtype=np.int64)


def _with_text_ids(done: pl.DataFrame) -> pl.DataFrame:
    """Return what an arena reads; earlier versions stored identities of rows as numbers.

    A cell of an earlier version in a table of this one has none: seeds of rows that were given draw from one
    source then.
    """
    if "stream_id" not in done.columns:
        done = done.with_columns(pl.lit(None, dtype=pl.String).alias("stream_id"))
    if done.schema["stream_id"].is_numeric():
        done = done.with_columns(pl.col("stream_id").cast(pl.Float64).fill_nan(None).cast(pl.String))
    if has_attributes(done) and "real" in done.columns:
        given = pl.col("stream_id").is_null() & pl.col("real").fill_null(False)
        other = pl.coalesce(pl.col("stream_id").drop_nulls().first().over("task"), "task")
        source = pl.when(given).then(other).otherwise(pl.col("stream_id"))
        done = done.with_columns(source.alias("stream_id"))
    if not {"block", "apart"} <= set(done.columns):
        done = done.with_columns(pl.lit(None, dtype=pl.Int64).alias(name) for name in ("block", "apart"))
    return done.select("task", "method", "seed", "return", "upper", "stream_id", "block", "apart")


def over_blocks(
    arena: Arena, tasks: Sequence[int], numerator: np.ndarray, denominator: np.ndarray, level: float = 0.95
) -> Interval:
    """Return the interval of sum(numerator) / sum(denominator) over the blocks of real streams.

    Both are (blocks, tasks), as of :meth:`Arena.grid`.
    """
    found = block_ratio(numerator, denominator, arena.units(tasks), level=level)
    return replace(found, reason=SINGLE) if found.n == 1 and not math.isnan(found.value) else found


def scores(arena: Arena, method: str, tasks: list[int]) -> tuple[Interval, Interval]:
    """Return NS and regret of a method over tasks, with paired intervals.

    Scenarios are resampled; blocks of a real stream are not (:mod:`mlopsim.stats.block_intervals`).
    """
    R, base, top = (arena.grid(a, tasks) for a in (arena.returns[method], arena.never, arena.upper))
    if arena.real(tasks):
        return (
            over_blocks(arena, tasks, R - base, top - base),
            over_blocks(arena, tasks, top - R, np.ones_like(top)),
        )
    ns = ns_interval(R, base, top, bootstrap_rng(0))
    regret = regret_interval(R, top, bootstrap_rng(1))
    return ns, regret


def bracket_widths(arena: Arena, methods: Sequence[Sequence[str]], tasks: list[int]) -> list[Interval]:
    """Return how far the optimum may lie below U, in units of NS: sum(U - R_oracle) / sum(U - R_never).

    The oracle's plan is feasible, so the optimum lies between its return and U. Were it the plan, a score of
    NS would be NS / (1 - width).

    Parameters
    ----------
    arena : Arena
        The paired returns.
    methods : sequence of sequence of str
        One width for each entry: scenarios count where all of its methods are done, as in their scores.
    tasks : list of int
        Tasks, by their place in the arena.
    """
    if ORACLE not in arena.returns:
        return [Interval(value=math.nan, n=0, reason=f"the table has no row {ORACLE}")] * len(methods)
    base, top, plan = (arena.grid(a, tasks) for a in (arena.never, arena.upper, arena.returns[ORACLE]))
    known: dict[bytes, Interval] = {}
    widths = []
    for together in methods:
        defined = np.ones(top.shape, dtype=bool)
        for method in together:
            defined &= np.isfinite(arena.grid(arena.returns[method], tasks))
        if defined.tobytes() not in known:
            gap = np.where(defined, top - plan, np.nan)
            known[defined.tobytes()] = (
                over_blocks(arena, tasks, gap, top - base)
                if arena.real(tasks)
                else ratio_interval(gap, top - base, bootstrap_rng(0), undefined=NO_GAIN)
            )
        widths.append(known[defined.tobytes()])
    return widths


#: metrics whose means stand in the leaderboard
MEANS = (
    "accuracy",
    "cost",
    "retrains",
    "switches",
    "rollbacks",
    "impossible",
    "detection",
    "lag",
    "precision",
)


def _means(table: pl.DataFrame, methods: list[str], name: str) -> dict[str, list[Any]]:
    """Columns of a metric's mean by method, with interval, n and the reason where it is undefined."""
    done = table.filter(pl.col("status") == "done")
    found = {row["method"]: row for row in aggregate(done, name, "method").iter_rows(named=True)}
    columns: dict[str, list[Any]] = {}
    for suffix in ("", "_low", "_high", "_n", "_reason"):
        missing: Any = {"_n": 0, "_reason": "no cell is done"}.get(suffix, math.nan)
        columns[name + suffix] = [found.get(m, {}).get(name + suffix, missing) for m in methods]
    reasons = done.select("method", "reasons", name) if "reasons" in done.columns else None
    if reasons is not None:
        for i, method in enumerate(methods):
            if math.isnan(columns[name][i]):
                columns[f"{name}_reason"][i] = (
                    _first_reason(reasons, method, name) or columns[f"{name}_reason"][i]
                )
    return columns


def _block_or_0(table: pl.DataFrame) -> pl.Expr:
    return pl.col("block").fill_null(0) if "block" in table.columns else pl.lit(0)


def _first_reason(reasons: pl.DataFrame, method: str, name: str) -> str:
    for text in reasons.filter(pl.col("method") == method)["reasons"].to_list():
        found = json.loads(text or "{}").get(name)
        if found:
            return str(found)
    return ""


def pooled(table: pl.DataFrame) -> pl.DataFrame:
    """Leave out what one row of a leaderboard must not mix.

    Tasks on one real stream, unless there are no others: their seeds are no scenarios. Then those with
    another feedback than the first task that is left: the same scenarios under other conditions. (A feedback
    that was swept is pooled as all swept values are, which the page says.)
    """
    arena = Arena.of(table)
    many = [name for i, name in enumerate(arena.tasks) if not arena.single(i)]
    chosen = table.filter(pl.col("task").is_in(many)) if many else table
    if "deployment.feedback" in table.columns:
        return chosen
    regimes = facts(chosen, "feedback", of="task")
    first = next(iter(regimes.values()), None)
    return chosen.filter(pl.col("task").is_in([task for task, regime in regimes.items() if regime == first]))


def feedback_pairs(table: pl.DataFrame) -> dict[str, list[str]]:
    """Return the tasks of each feedback that differ in their feedback only, in the same order.

    Empty where no task has a partner in every regime. Tasks on one real stream are left out unless there are
    no others.
    """
    arena = Arena.of(table)
    many = [name for i, name in enumerate(arena.tasks) if not arena.single(i)] or arena.tasks
    regimes, same = (facts(table, name, of="task") for name in ("feedback", "conditions"))
    found: dict[str, dict[str, str]] = {}
    for task in many:
        if regimes[task] is not None and same[task] is not None:
            found.setdefault(regimes[task], {})[same[task]] = task
    shared = [key for key in next(iter(found.values()), {}) if all(key in tasks for tasks in found.values())]
    return {name: [tasks[key] for key in shared] for name, tasks in found.items()} if shared else {}


def feedback_table(table: pl.DataFrame) -> pl.DataFrame:
    """NS of each method under each feedback, over the same scenarios, and the paired differences.

    Parameters
    ----------
    table : polars.DataFrame
        Cells, with the attributes ``feedback`` and ``conditions`` of their tasks.

    Returns
    -------
    polars.DataFrame
        ``method``, ``ns_<feedback>`` for each, ``<feedback>_gain`` for each but the first: NS under the first
        one less NS under this one; ``bracket`` (:func:`bracket_widths`) of the scenarios under the first one.
        Each with ``_low``, ``_high``, ``_n`` and ``_reason``; no rows where :func:`feedback_pairs` is empty.
        NS has the zero and the unit of the first feedback throughout.
    """
    arena, pairs = Arena.of(table), feedback_pairs(table)
    columns: dict[str, Any] = {"method": arena.methods if pairs else []}
    if not pairs:
        return pl.DataFrame(columns)
    (first, tasks), *others = ((name, arena.columns(tasks)) for name, tasks in pairs.items())
    base, top = arena.grid(arena.never, tasks), arena.grid(arena.upper, tasks)
    real = arena.real(tasks)

    def interval(numerator: np.ndarray, salt: int) -> Interval:
        if real:
            return over_blocks(arena, tasks, numerator, top - base)
        return ns_interval(base + numerator, base, top, bootstrap_rng(salt))

    for name, places in [(first, tasks), *others]:
        R = [arena.grid(arena.returns[method], places) for method in arena.methods]
        columns |= interval_columns(f"ns_{name}", [interval(r - base, 0) for r in R])
        if name == first:
            widths = bracket_widths(arena, [[method] for method in arena.methods], places)
            columns |= interval_columns("bracket", widths)
    for name, places in others:
        gains = [
            arena.grid(arena.returns[method], tasks) - arena.grid(arena.returns[method], places)
            for method in arena.methods
        ]
        columns |= interval_columns(f"{name}_gain", [interval(gain, 1) for gain in gains])
    return best_first(pl.DataFrame(columns), f"ns_{first}")


def leaderboard(table: pl.DataFrame, tasks: list[str] | None = None) -> pl.DataFrame:
    """Aggregate the cell table to one row a method, best NS first.

    Parameters
    ----------
    table : polars.DataFrame
        Cells: task, method, seed, status, reasons and the track's metrics.
    tasks : list of str, optional
        Only these. Tasks on one real stream are left out of the pool (see :func:`pooled`).

    Returns
    -------
    polars.DataFrame
        method, ns, bracket (:func:`bracket_widths`), regret, the columns of :func:`robust_columns` and the
        means of :data:`MEANS`, each with ``_low``, ``_high``, ``_n`` (scenario seeds) and ``_reason``;
        ``cells``: cells done; the attributes :data:`FACTS`, null where cells of an earlier version have none.
    """
    chosen = pooled(table if tasks is None else table.filter(pl.col("task").is_in(tasks)))
    arena = Arena.of(chosen)
    methods = arena.methods
    both = [scores(arena, method, list(range(len(arena.tasks)))) for method in methods]
    columns: dict[str, Any] = {"method": methods}
    columns |= interval_columns("ns", [ns for ns, _ in both])
    every = list(range(len(arena.tasks)))
    columns |= interval_columns("bracket", bracket_widths(arena, [[method] for method in methods], every))
    columns |= interval_columns("regret", [regret for _, regret in both])
    found = {m: ns.value for m, (ns, _) in zip(methods, both, strict=True)}
    why = NO_REFERENCE if has_attributes(table) else NO_FACTS
    columns |= robust_columns(arena, found, facts(table, "family"), facts(table, "role"), why)
    columns["cells"] = [int(np.isfinite(arena.returns[method]).sum()) for method in methods]
    # seeds of one real stream are no independent scenarios, nor are its blocks
    real = arena.real(range(len(arena.tasks)))
    means = chosen.with_columns(_block_or_0(chosen).alias("seed")) if real else chosen
    for name in MEANS:
        found_means = _means(means, methods, name)
        if real:
            found_means |= {f"{name}_{end}": [math.nan] * len(methods) for end in ("low", "high")}
            reasons = found_means[f"{name}_reason"]
            found_means[f"{name}_reason"] = [reason or BLOCKS for reason in reasons]
        columns |= found_means
    columns |= fact_columns(table, methods, FACTS)
    return best_first(pl.DataFrame(columns), "ns")


def per_task(table: pl.DataFrame) -> pl.DataFrame:
    """NS, its bracket and regret of each method on each task, with intervals, n and reasons."""
    arena = Arena.of(table)
    keys, found = [], []
    widths: list[Interval] = []
    for i, task in enumerate(arena.tasks):
        widths += bracket_widths(arena, [[method] for method in arena.methods], [i])
        for method in arena.methods:
            ns, regret = scores(arena, method, [i])
            keys.append((task, method))
            found.append((ns, regret))
    return pl.DataFrame(
        {
            "task": [task for task, _ in keys],
            "method": [method for _, method in keys],
            **interval_columns("ns", [ns for ns, _ in found]),
            **interval_columns("bracket", widths),
            **interval_columns("regret", [regret for _, regret in found]),
        }
    )


# -- robust comparison: IQM of scenario scores, probability of improvement, profiles ----------------


def reference_of(
    ns: Mapping[str, float], families: Mapping[str, str | None], roles: Mapping[str, str | None]
) -> str | None:
    """Name the rule that methods are compared with: the one with the highest NS.

    Parameters
    ----------
    ns : mapping of str to float
        NS by method; NaN where undefined.
    families : mapping of str to str or None
        What the methods are; None: not known, and hence no candidate.
    roles : mapping of str to str or None
        ``control``: it stands in the table to be compared with, and is no candidate.

    Returns
    -------
    str or None
        Neither an agent nor a control nor a reference with hindsight; None if none of the others has a
        defined NS.

    Examples
    --------
    >>> families = {"oracle": "reference", "ppo": "agent", "ks": "rule", "every_step": "rule"}
    >>> roles = {"oracle": "control", "ppo": "method", "ks": "method", "every_step": "control"}
    >>> reference_of({"oracle": 1.0, "ppo": 0.7, "ks": 0.6, "every_step": 0.65}, families, roles)
    'ks'
    """
    rules = {
        method: value
        for method, value in ns.items()
        if families.get(method) not in (None, "agent", "reference")
        and roles.get(method) != "control"
        and not math.isnan(value)
    }
    return max(rules, key=lambda method: rules[method]) if rules else None


def robust_columns(
    arena: Arena,
    ns: Mapping[str, float],
    families: Mapping[str, str | None],
    roles: Mapping[str, str | None],
    why: str = NO_REFERENCE,
) -> dict[str, list[Any]]:
    """Columns of IQM and probability of improvement, with intervals, n, scenarios and reasons.

    Parameters
    ----------
    arena : Arena
        The paired returns; all of its tasks are pooled.
    ns : mapping of str to float
        NS by method, from which the reference is chosen.
    families : mapping of str to str or None
        What the methods are.
    roles : mapping of str to str or None
        ``method`` or ``control``.
    why : str
        Why there is no reference, where there is none.

    Returns
    -------
    dict of str to list
        By method of the arena: ``iqm`` and ``p_improvement`` as of
        :func:`mlopsim.stats.table.interval_columns`, with ``_cells`` (scenarios that entered) and
        ``_excluded``; ``p_improvement_reference``.
    """
    tasks = list(range(len(arena.tasks)))
    base, top = arena.grid(arena.never, tasks), arena.grid(arena.upper, tasks)
    reference = reference_of(ns, families, roles)
    iqms, better = [], []
    for method in arena.methods:
        mine = arena.grid(arena.returns[method], tasks)
        scores = scenario_scores(mine, base, top, floor=FLOOR)
        found = _ends_where_independent(iqm_interval(scores, bootstrap_rng(2)), arena)
        if math.isnan(found.value):
            found = replace(found, reason=f"no scenario with a return and U - R_never above {FLOOR}")
        iqms.append(found)
        if reference is None or method == reference:
            reason = "it is the reference itself" if reference else why
            better.append(Interval(value=math.nan, n=0, reason=reason))
        else:
            other = arena.grid(arena.returns[reference], tasks)
            better.append(_ends_where_independent(improvement_interval(mine, other, bootstrap_rng(3)), arena))
    columns: dict[str, list[Any]] = {}
    for name, intervals in (("iqm", iqms), ("p_improvement", better)):
        columns |= interval_columns(name, intervals)
        columns[f"{name}_cells"] = [found.cells for found in intervals]
        columns[f"{name}_excluded"] = [found.excluded for found in intervals]
    columns["p_improvement_reference"] = [reference or ""] * len(arena.methods)
    return columns


def _ends_where_independent(found: Interval, arena: Arena) -> Interval:
    """Return an interval, without its ends where what was resampled were blocks of real streams."""
    if not arena.real(range(len(arena.tasks))):
        return found
    return replace(found, low=math.nan, high=math.nan, reason=found.reason or BLOCKS)


def profiles(arena: Arena, methods: Sequence[str], taus: np.ndarray) -> dict[str, Band]:
    """Performance profiles of methods over all tasks of the arena, with paired pointwise bands."""
    tasks = list(range(len(arena.tasks)))
    base, top = arena.grid(arena.never, tasks), arena.grid(arena.upper, tasks)
    bands = {
        name: profile_band(
            arena.grid(arena.returns[name], tasks), base, top, taus, bootstrap_rng(4), floor=FLOOR
        )
        for name in methods
    }
    if arena.real(tasks):
        return {name: replace(band, reason=band.reason or BLOCKS) for name, band in bands.items()}
    return bands
