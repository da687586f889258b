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
from mlopsim.stats.scores import performance_profile
from mlopsim.tracks._delivery_report import FLOOR, Arena, Curves, is_control, leaderboard, per_task, pooled

#: methods in a time line or profile, at most
SHOWN = 6
Marks = dict[str, Mark]


def sections(table: pl.DataFrame, curves: Curves) -> list[Section]:
    """Make the sections of a report.

    Parameters
    ----------
    table : polars.DataFrame
        One row a cell.
    curves : callable
        Cell key to its stored series.
    """
    board = leaderboard(table)
    methods = [name for name in board["method"].to_list() if not is_control(name)]
    best = [name for name in methods if name != "never"][:SHOWN]
    marks = marks_for(board["method"].to_list())
    result = [_board(board, marks)]
    if table["task"].n_unique() > 1:
        result.append(_tasks(table))
    result += [_profile(table, best, marks), _tradeoff(board, marks)]
    result += _timelines(table, curves, best, marks)
    result.append(_words())
    return result


def _board(board: pl.DataFrame, marks: Marks) -> Section:
    figure = draw_leaderboard(
        board["method"].to_list(),
        board["ns"].to_numpy(),
        board["ns_low"].to_numpy(),
        board["ns_high"].to_numpy(),
        board["ns_n"].to_numpy(),
        xlabel="normalised score NS (0: never retrain, 1: upper bound of the clairvoyant optimum)",
        references={"never": 0.0, "bound U": 1.0},
        marks=marks,
        note="95 % paired bootstrap over scenario seeds; n: scenario seeds",
    )
    text = (
        "NS = sum(R - R_never) / sum(U - R_never) over paired scenarios, with a 95 % bootstrap interval "
        "that resamples seeds jointly over all tasks; n counts seeds. Regret is U - R (reward a window).\n\n"
        "Tasks on one real stream are left out of this pool: see Tasks.\n\n"
        "The row `oracle` is a feasible plan made with hindsight: the optimum lies between it and 1."
    )
    return Section(title="Leaderboard", text=text, table=board, figures={"leaderboard": figure})


def _tasks(table: pl.DataFrame) -> Section:
    text = "The same score on each task alone. A single real stream has one scenario and hence no interval."
    return Section(title="Tasks", text=text, table=per_task(table))


def _profile(table: pl.DataFrame, methods: list[str], marks: Marks) -> Section:
    arena = Arena.of(pooled(table))
    taus = np.linspace(-0.5, 1.0, 61)
    shares: dict[str, np.ndarray] = {}
    counts: set[tuple[int, int]] = set()
    for name in methods:
        found = performance_profile(arena.returns[name], arena.never, arena.upper, taus, floor=FLOOR)
        shares[name] = found.share
        counts.add((found.n, found.excluded))
    text = (
        f"Share of scenarios whose own score exceeds τ. Only scenarios with U - R_never above {FLOOR} "
        f"count (counted, left out): {', '.join(str(pair) for pair in sorted(counts))}."
    )
    n, excluded = min(counts, default=(0, 0))
    if n == 0:
        return Section(title="Profiles", text=text + " Nothing can be drawn.")
    figure = profile(taus, shares, n=n, excluded=excluded, marks=marks)
    return Section(title="Profiles", text=text, figures={"profiles": figure})


def _tradeoff(board: pl.DataFrame, marks: Marks) -> Section:
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
    )
    text = "What the quality of the served versions costs: retrains, switches and shadow evaluation."
    return Section(title="Cost against quality", text=text, figures={"cost-against-quality": figure})


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
                Section(title=f"Time line: {task}", text=text, figures={f"time-line-{task}": figure})
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
    return timeline(line, marks=marks)


def _words() -> Section:
    text = (
        "- **R**: return of a method, mean reward a window (quality minus costs).\n"
        "- **U**: upper bound by the oracle (linear program); **oracle**: a feasible plan.\n"
        "- **detection**: share of true drift events followed in time by a retrain or rollback; "
        "**precision**: share of retrains that follow an event in time; undefined where no event is known.\n"
        "- **impossible**: actions that could not be executed and became keep."
    )
    return Section(title="Words", text=text)
