"""The report sections of the delivery track."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl

from mlopsim.core.errors import MlopsimError
from mlopsim.core.track import Section
from mlopsim.plots.leaderboard import leaderboard as draw_leaderboard
from mlopsim.plots.profile import profile
from mlopsim.plots.style import Mark, marks_for
from mlopsim.plots.timeline import Span, Timeline, Walk, timeline
from mlopsim.plots.tradeoff import tradeoff
from mlopsim.tracks.delivery.analysis import (
    FLOOR,
    NO_REFERENCE,
    Arena,
    Curves,
    is_agent,
    is_control,
    leaderboard,
    not_for_claims,
    per_task,
    pooled,
    profiles,
)

#: methods in a time line or profile, at most
SHOWN = 6
Marks = dict[str, Mark]


def sections(table: pl.DataFrame, curves: Curves, *, steps: int, reaction: int) -> list[Section]:
    """Make the sections of a report.

    Parameters
    ----------
    table : polars.DataFrame
        One row a cell.
    curves : callable
        Cell key to its stored series.
    steps : int
        Environment steps that each fit could use.
    reaction : int
        Windows within which a reaction to a drift event counts.
    """
    board = leaderboard(table)
    warning = not_for_claims(board["method"].to_list(), steps)
    methods = [name for name in board["method"].to_list() if not is_control(name)]
    best = [name for name in methods if name != "never"][:SHOWN]
    marks = marks_for(board["method"].to_list())
    result = [_board(board, marks, warning), _robust(board)]
    if table["task"].n_unique() > 1:
        result.append(_tasks(table))
    result += [_profile(table, best, marks, warning), _tradeoff(board, marks, warning)]
    result += _timelines(table, curves, best, marks)
    result.append(_words(reaction))
    return result


def _lines(*lines: str) -> str:
    """Join the lines of a figure's note that say something."""
    return "\n".join(line for line in lines if line)


def _board(board: pl.DataFrame, marks: Marks, warning: str) -> Section:
    figure = draw_leaderboard(
        board["method"].to_list(),
        board["ns"].to_numpy(),
        board["ns_low"].to_numpy(),
        board["ns_high"].to_numpy(),
        board["ns_n"].to_numpy(),
        xlabel="normalised score NS (0: never retrain, 1: upper bound of the clairvoyant optimum)",
        references={"never": 0.0, "bound U": 1.0},
        marks=marks,
        note=_lines("95 % paired bootstrap over scenario seeds; n: scenario seeds", warning),
    )
    text = (
        "NS = sum(R - R_never) / sum(U - R_never) over paired scenarios, with a 95 % bootstrap interval "
        "that resamples seeds jointly over all tasks; n counts seeds. Regret is U - R (reward a window).\n\n"
        "Tasks on one real stream are left out of this pool: see Tasks.\n\n"
        "The row `oracle` is a feasible plan made with hindsight: the optimum lies between it and 1."
    )
    if warning:
        text = f"**{warning[0].upper()}{warning[1:]}.**\n\n{text}"
    shown = board.drop([name for name in board.columns if name.startswith(("iqm", "p_improvement"))])
    return Section(title="Leaderboard", text=text, table=shown, figures={"Leaderboard": figure})


def _robust(board: pl.DataFrame) -> Section:
    reference = board["p_improvement_reference"][0]
    strangers = [f"`{name}`" for name in board["method"].to_list() if is_agent(name) is None]
    compared = (
        f"share of scenarios in which a method's return exceeds that of `{reference}`, averaged over tasks; "
        f"equal returns count half. `{reference}` is the rule (no agent, no hindsight) with the highest NS "
        "of this table. It was chosen on these very scenarios, which flatters it: the others are judged "
        "rather too harshly than too kindly."
    )
    text = (
        f"**IQM**: interquartile mean of (R - R_never) / (U - R_never) over the scenarios of all tasks with "
        f"U - R_never above {FLOOR} (reward a window); `left out` counts the others and those with an "
        "undefined return. A quarter of the scenarios is cut at each end, so that a few extreme ones cannot "
        "rule it.\n\n"
        f"**P(improvement)**: {compared if reference else NO_REFERENCE}\n\n"
        "95 % bootstrap intervals that resample seeds jointly over all tasks; n counts seeds. An interval of "
        "no width means that no resample disagreed, not that no scenario could."
    )
    if strangers:
        text += (
            f"\n\nNot known here, and hence no candidate for the reference: {', '.join(strangers)} "
            "(a plug-in that is not loaded)."
        )
    columns = [
        pl.col("method"),
        pl.col("^iqm.*$"),
        pl.col("iqm_cells").alias("scenarios"),
        pl.col("^p_improvement.*$").exclude("p_improvement_reference"),
        pl.col("p_improvement_cells").alias("pairs"),
    ]
    return Section(title="Robust comparison", text=text, table=board.select(columns))


def _tasks(table: pl.DataFrame) -> Section:
    text = "The same score on each task alone. A single real stream has one scenario and hence no interval."
    return Section(title="Tasks", text=text, table=per_task(table))


def _profile(table: pl.DataFrame, methods: list[str], marks: Marks, warning: str) -> Section:
    taus = np.linspace(-0.5, 1.0, 61)
    found = profiles(Arena.of(pooled(table)), methods, taus)
    counts = {(band.profile.n, band.profile.excluded) for band in found.values()}
    found = {name: band for name, band in found.items() if band.profile.n}
    text = (
        f"Share of scenarios whose own score exceeds τ. Only scenarios with U - R_never above {FLOOR} "
        f"count (counted, left out): {', '.join(str(pair) for pair in sorted(counts))}."
    )
    if not found:
        return Section(title="Profiles", text=text + " Nothing can be drawn.")
    n, excluded = min((band.profile.n, band.profile.excluded) for band in found.values())
    seeds = min(band.n for band in found.values())
    reasons = sorted({band.reason for band in found.values() if band.reason})
    said = f"bands: pointwise 95 % bootstrap, {seeds} seeds resampled jointly over tasks and methods"
    fewest = "counts of the method with the fewest; the others are in the text" if len(counts) > 1 else ""
    figure = profile(
        taus,
        {name: band.profile.share for name, band in found.items()},
        bands={name: (band.low, band.high) for name, band in found.items() if not band.reason},
        n=n,
        excluded=excluded,
        marks=marks,
        note=_lines(fewest, f"no bands: {'; '.join(reasons)}" if reasons else said, warning),
    )
    text += (
        " The bands hold at one τ at a time, not for a whole line; all methods meet the same resamples, so "
        "that bands which overlap may still belong to methods that differ (see P(improvement))."
    )
    return Section(title="Profiles", text=text, figures={"Profiles": figure})


def _tradeoff(board: pl.DataFrame, marks: Marks, warning: str) -> Section:
    shown = board.filter(pl.col("accuracy").is_not_nan())
    figure = tradeoff(
        shown["method"].to_list(),
        shown["cost"].to_numpy(),
        shown["accuracy"].to_numpy(),
        xlabel="mean cost (reward a window)",
        ylabel="mean quality of what served",
        cost_ends=(shown["cost_low"].to_numpy(), shown["cost_high"].to_numpy()),
        quality_ends=(shown["accuracy_low"].to_numpy(), shown["accuracy_high"].to_numpy()),
        marks=marks,
        note=_lines(
            f"95 % bootstrap over scenario seeds, n = {_range(shown['accuracy_n'])}; "
            "dashed: no row has less cost and more quality",
            warning,
        ),
    )
    text = "What the quality of the served versions costs: retrains, switches and shadow evaluation."
    return Section(title="Cost against quality", text=text, figures={"Cost against quality": figure})


def _range(counts: pl.Series) -> str:
    """Write the different counts, e.g. ``10`` or ``8 to 10``."""
    known = sorted(set(counts.to_list()))
    return str(known[0]) if len(known) == 1 else f"{known[0]} to {known[-1]}" if known else "0"


def _timelines(table: pl.DataFrame, curves: Curves, methods: list[str], marks: Marks) -> list[Section]:
    result = []
    done = table.filter(pl.col("status") == "done")
    for task in dict.fromkeys(done["task"].to_list()):
        here = done.filter(pl.col("task") == task)
        seed = int(here["seed"].min())  # type: ignore[arg-type]
        rows = {
            row["method"]: row["key"] for row in here.filter(pl.col("seed") == seed).iter_rows(named=True)
        }
        names = [name for name in ["never", *methods] if name in rows]
        if names:
            figure = _timeline({name: curves(rows[name]) for name in names}, _oracle(rows, curves), marks)
            text = f"One deployment (seed {seed}): quality of what served, true drift shaded, actions."
            result.append(
                Section(title=f"Time line: {task}", text=text, figures={f"Time line: {task}": figure})
            )
    return result


def _oracle(rows: dict[str, str], curves: Curves) -> Any:
    return curves(rows["oracle"]) if "oracle" in rows else None


def _timeline(walks: dict[str, Any], oracle: Any, marks: Marks) -> Any:
    first = next(iter(walks.values()))
    windows = first["windows"]
    if any(len(curve["quality"]) != len(windows) for curve in walks.values()):
        raise MlopsimError("the walks of one task have different lengths")
    drawn = []
    for name, curve in walks.items():
        served = curve["served"].astype(np.int64)
        changed = np.flatnonzero(np.diff(served, prepend=served[0]) != 0)
        back = np.flatnonzero(curve["rollback"])
        drawn.append(
            Walk(
                name=name,
                alarms=[int(windows[i]) for i in np.flatnonzero(curve["alarm"])] if "alarm" in curve else (),
                quality=curve["quality"].astype(np.float64),
                retrains=[int(windows[i]) for i in np.flatnonzero(curve["retrained"])],
                switches=[int(windows[i]) for i in changed if i not in back],
                rollbacks=[int(windows[i]) for i in back],
            )
        )
    drifts = [Span(start=float(a), end=float(b)) for a, b in first["drifts"]]
    quality = None if oracle is None else oracle["quality"].astype(np.float64)
    line = Timeline(windows=windows.astype(np.int64), walks=drawn, oracle=quality, drifts=drifts)
    return timeline(line, marks=marks, ylabel="quality")


def _words(reaction: int) -> Section:
    text = (
        "- **R**: return of a method, mean reward a window (quality minus costs).\n"
        "- **U**: upper bound by the oracle (linear program); **oracle**: a feasible plan.\n"
        f"- **in time**: decided from the start of a true drift event to {reaction} windows after its end.\n"
        "- **detection**: share of true drift events followed in time by a retrain or rollback; undefined "
        "where no event is known. Always retraining (`every_step`) makes it trivially high: read it together "
        "with precision.\n"
        "- **precision**: share of retrains that follow an event in time; undefined where no event is known "
        "or nothing was retrained. That of `every_step` is what retraining without looking gets.\n"
        "- **lag**: windows from the start of a true drift event to the first retrain or rollback decided in "
        "time, averaged over the events that were reacted to; an event without a reaction counts in "
        "detection only. Always retraining makes it trivially short.\n"
        "- **impossible**: actions that could not be executed and became keep."
    )
    return Section(title="Words", text=text)
