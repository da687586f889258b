"""Leaderboard and sections of the quality track."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

import numpy as np
import polars as pl

from mlopsim.core.track import Section
from mlopsim.plots.curves import Curve
from mlopsim.plots.curves import curves as draw_curves
from mlopsim.plots.heatmap import heatmap
from mlopsim.plots.leaderboard import leaderboard as draw_leaderboard
from mlopsim.plots.style import marks_for
from mlopsim.plots.tradeoff import tradeoff
from mlopsim.stats.bootstrap import mean_interval
from mlopsim.stats.interval import Interval
from mlopsim.stats.table import interval_columns
from mlopsim.tracks._quality_numbers import (
    BASE,
    ORACLE,
    TOP,
    axes_of,
    costly,
    done,
    grid,
    leaderboard,
    loss,
    mean_of,
    recovered,
    with_errors,
)

Curves = Callable[[str], Mapping[str, np.ndarray]]


def sections(table: pl.DataFrame, curves: Curves) -> list[Section]:
    """Make the sections of a report."""
    board = leaderboard(table)
    found = [
        _board(table, board),
        _losses(table),
        _by_task(table, board),
        _detection(table, board),
        _recall_and_worth(table, board),
        _groups(table, board),
        _alarms(table, board),
        _over_time(table, board, curves),
        _words(),
    ]
    return [section for section in found if section is not None]


def _board(table: pl.DataFrame, board: pl.DataFrame) -> Section:
    lost, wrong = costly(table), with_errors(table)
    figure = draw_leaderboard(
        board["method"].to_list(),
        board["recovered"].to_numpy(),
        board["recovered_low"].to_numpy(),
        board["recovered_high"].to_numpy(),
        board["recovered_n"].to_numpy(),
        xlabel="share of the lost accuracy that is recovered",
        references={"no gate": 0.0, "clean data": 1.0},
        marks=marks_for(board["method"].to_list()),
        note=f"{len(lost)} tasks in which something is lost; 95 % bootstrap over scenario seeds; n: seeds",
    )
    text = (
        f"**recovered** = sum(S_gate - S_none) / sum(S_clean - S_none) over the {len(lost)} of "
        f"{len(wrong)} tasks "
        "with errors in which the loss without a gate is above 0 (95 % interval), all on the same "
        "scenarios; S is "
        "the accuracy of what serves on the clean rows. Negative: worse than no gate. `@train`, "
        "`@test`: the gate "
        "at that stage; without: before training."
    )
    return Section(title="Leaderboard", text=text, table=board, figures={"Leaderboard": figure})


def _losses(table: pl.DataFrame) -> Section:
    tasks = with_errors(table)
    found = [loss(table, task) for task in tasks]
    frame = pl.DataFrame({"task": tasks, **interval_columns("loss", found)})
    text = (
        "Accuracy of what serves on clean data less that without a gate. Where the interval reaches "
        "0 there is "
        "nothing to recover, whatever a gate finds."
    )
    return Section(title="What errors cost", text=text, table=frame.sort("loss", descending=True))


def _by_task(table: pl.DataFrame, board: pl.DataFrame) -> Section | None:
    tasks = costly(table)
    if not tasks:
        return None
    methods = [m for m in board["method"].to_list() if m not in (BASE, TOP)]
    cells = {(m, t): recovered(table, m, [t]) for m in methods for t in tasks}
    values = np.array([[cells[m, t].value for t in tasks] for m in methods])
    seeds = len(axes_of(table)[0])
    figure = heatmap(
        methods, tasks, values, low=-1.0, high=1.0, middle=0.0, note=f"share recovered; {seeds} seeds a cell"
    )
    keys = [(m, t) for t in tasks for m in methods]
    frame = pl.DataFrame(
        {
            "task": [t for _, t in keys],
            "method": [m for m, _ in keys],
            **interval_columns("recovered", [cells[key] for key in keys]),
        }
    )
    return Section(
        title="Recovered by task",
        text="Where something is lost: what each gate brings back.",
        table=frame,
        figures={"Recovered by task": figure},
    )


def _detection(table: pl.DataFrame, board: pl.DataFrame) -> Section | None:
    tasks = with_errors(table)
    rows = done(table).filter(pl.col("auroc").is_finite() & pl.col("stage").is_in([0.0, 1.0, 2.0]))
    methods = [m for m in board["method"].to_list() if m in set(rows["method"].to_list())]
    methods = [m for m in methods if m not in (BASE, ORACLE)]
    if not methods or not tasks:
        return None
    values = np.array([[mean_of(table, m, "auroc", [t]).value for t in tasks] for m in methods])
    seeds = len(axes_of(table)[0])
    figure = heatmap(
        methods,
        tasks,
        values,
        low=0.0,
        high=1.0,
        middle=0.5,
        note=f"area under the ROC curve of the rows' scores, ties as halves; mean of {seeds} seeds",
    )
    constant = sorted(set(done(table).filter(pl.col("constant") == 1.0)["method"].to_list()) - {BASE})
    text = (
        "Which type of error a gate sees: AUROC of its scores of rows. The kind of error decides the winner."
    )
    if constant:
        text += f" All but constant scores somewhere, which tell nothing: {', '.join(constant)}."
    keys = [(m, t) for t in tasks for m in methods]
    frame = pl.DataFrame(
        {
            "task": [t for _, t in keys],
            "method": [m for m, _ in keys],
            **{
                column: values
                for name in ("auroc", "auprc", "f1_at_contamination", "recall", "batch_recall", "batch_delay")
                for column, values in interval_columns(
                    name, [mean_of(table, m, name, [t]) for m, t in keys]
                ).items()
            },
        }
    )
    return Section(
        title="Detection by kind of error", text=text, table=frame, figures={"AUROC by kind of error": figure}
    )


def _recall_and_worth(table: pl.DataFrame, board: pl.DataFrame) -> Section | None:
    tasks = costly(table)
    methods = [m for m in board["method"].to_list() if m not in (BASE, TOP)]
    rows = []
    for task in tasks:
        for method in methods:
            recall = mean_of(table, method, "recall", [task])
            worth = recovered(table, method, [task])
            if math.isfinite(recall.value) and math.isfinite(worth.value):
                rows.append((task, method, recall, worth))
    if len(rows) < 2:
        return None
    pooled = [
        (m, mean_of(table, m, "recall", tasks).value, recovered(table, m, tasks).value) for m in methods
    ]
    pooled = [entry for entry in pooled if math.isfinite(entry[1]) and math.isfinite(entry[2])]
    figure = tradeoff(
        [name for name, _, _ in pooled],
        [recall for _, recall, _ in pooled],
        [worth for _, _, worth in pooled],
        xlabel="recall of the wrong rows",
        ylabel="share of the lost accuracy recovered",
        pareto=False,
        marks=marks_for([name for name, _, _ in pooled]),
        note=f"{len(tasks)} tasks in which something is lost; n = {len(axes_of(table)[0])} seeds",
    )
    frame = pl.DataFrame(
        {
            "task": [row[0] for row in rows],
            "method": [row[1] for row in rows],
            **interval_columns("recall", [row[2] for row in rows]),
            **interval_columns("recovered", [row[3] for row in rows]),
        }
    )
    against = _disagreements(rows)
    text = (
        "Finding errors is not yet a gain: recall of the wrong rows beside what is recovered. Pairs "
        "of gates on "
        f"one task whose intervals order them one way by recall and the other way by worth: {len(against)}"
    )
    text += f", e.g. {against[0]}." if against else "."
    return Section(title="Recall and worth", text=text, table=frame, figures={"Recall and worth": figure})


def _disagreements(rows: list[tuple[str, str, Interval, Interval]]) -> list[str]:
    """Return the pairs that recall and worth order differently, both beyond their intervals."""
    found = []
    for task, one, recall, worth in rows:
        for other_task, other, recall2, worth2 in rows:
            if task != other_task or one == other:
                continue
            if recall.low > recall2.high and worth.high < worth2.low:
                found.append(
                    f"{one} finds more than {other} on {task} ({recall.value:.2f} against "
                    f"{recall2.value:.2f}) and "
                    f"recovers less ({worth.value:.2f} against {worth2.value:.2f})"
                )
    return found


def _groups(table: pl.DataFrame, board: pl.DataFrame) -> Section | None:
    tasks = axes_of(table)[1]
    rows = done(table).filter(pl.col("dropped_gap").is_finite())
    tasks = [task for task in tasks if task in set(rows["task"].to_list())]
    if not tasks:
        return None
    seeds, _ = axes_of(table)
    methods = [m for m in board["method"].to_list() if m not in (BASE, TOP)]
    base = grid(table, BASE, "score_worst_group", seeds, tasks)
    change = [
        mean_interval(grid(table, m, "score_worst_group", seeds, tasks) - base, np.random.default_rng(0))
        for m in methods
    ]
    frame = pl.DataFrame(
        {
            "method": methods,
            **interval_columns("dropped_clean", [mean_of(table, m, "dropped_clean", tasks) for m in methods]),
            **interval_columns("dropped_gap", [mean_of(table, m, "dropped_gap", tasks) for m in methods]),
            **interval_columns("worst_group_gain", change),
        }
    )
    text = (
        f"On the {len(tasks)} tasks with several groups. **dropped clean**: right rows that are thrown away; "
        "**dropped gap**: largest difference of that share between groups; **worst group gain**: accuracy of "
        "what serves in the worst group less that without a gate. Cleaning can cost one group more "
        "than another."
    )
    return Section(title="Groups", text=text, table=frame.sort("dropped_gap", descending=True))


def _alarms(table: pl.DataFrame, board: pl.DataFrame) -> Section:
    tasks = axes_of(table)[1]
    rows = done(table).filter(pl.col("false_alarm").is_finite() & (pl.col("stage") < 4.0))
    methods = [m for m in board["method"].to_list() if m in set(rows["method"].to_list())]
    frame = pl.DataFrame(
        {
            "method": methods,
            **interval_columns("false_alarm", [mean_of(table, m, "false_alarm", tasks) for m in methods]),
            **interval_columns(
                "batch_false_alarm", [mean_of(table, m, "batch_false_alarm", tasks) for m in methods]
            ),
        }
    )
    text = (
        "Right rows, and windows without any wrong row, that are flagged. Limits are conformal: "
        "exact where rows "
        "have the law of the warm-up and are scored alone. Drift, scores that depend on other rows and the "
        "training sets of label checks make the difference. Windows of gates of rows are flagged at 1 %."
    )
    return Section(title="False alarms", text=text, table=frame)


def _over_time(table: pl.DataFrame, board: pl.DataFrame, curves: Curves) -> Section | None:
    tasks = costly(table)
    if not tasks:
        return None
    worst = max(tasks, key=lambda task: loss(table, task).value)
    best = [m for m in board["method"].to_list() if m not in (BASE, TOP, ORACLE)][:3]
    rows = done(table).filter(pl.col("task") == worst)
    lines = {}
    for method in (TOP, ORACLE, *best, BASE):
        keys = rows.filter(pl.col("method") == method)["key"].to_list()
        found = np.array([curves(key)["accuracy"] for key in keys])
        if len(found):
            known = np.isfinite(found).all(axis=0)
            x = np.flatnonzero(known).astype(np.float64)
            means = [mean_interval(found[:, int(t)], np.random.default_rng(0)) for t in x]
            lines[method] = Curve(
                x=x,
                y=np.array([m.value for m in means]),
                low=np.array([m.low for m in means]),
                high=np.array([m.high for m in means]),
            )
    figure = draw_curves(
        lines,
        xlabel="window",
        ylabel="accuracy of what serves, on clean rows",
        marks=marks_for(list(lines)),
        note=f"{worst}; means and 95 % intervals over {rows['seed'].n_unique()} seeds",
    )
    text = "The task with the largest loss, window by window."
    return Section(title="Over time", text=text, figures={"Accuracy over time": figure})


def _words() -> Section:
    text = (
        "- **none**: no gate. **clean**: the same rows without errors. **oracle**: drops exactly the "
        "wrong rows. "
        "**random**: flags rows at random at the asked rate.\n"
        "- **recall**: wrong rows that are flagged; **false alarm**: right rows that are. A row is "
        "wrong where a "
        "cell or its label differs from the clean one.\n"
        "- **f1 at contamination**: F1 with as many flags as there are wrong rows (precision and "
        "recall are equal "
        "there).\n"
        "- **batch delay**: windows from the first corrupted window to the first one that is flagged.\n"
        "- **harm**: accuracy lost to a gate where nothing is wrong."
    )
    return Section(title="Words", text=text)
