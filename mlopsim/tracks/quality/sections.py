"""Leaderboard and sections of the quality track."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from mlopsim.core.track import Section
from mlopsim.plots.heatmap import heatmap
from mlopsim.plots.leaderboard import leaderboard as draw_leaderboard
from mlopsim.plots.style import marks_for
from mlopsim.plots.tradeoff import tradeoff
from mlopsim.stats.table import interval_columns
from mlopsim.tracks.cell_table import axes_of, done, mean_of
from mlopsim.tracks.quality.analysis import (
    BASE,
    ORACLE,
    TOP,
    cleaning,
    costly,
    disagreements,
    leaderboard,
    loss,
    recovered,
    with_errors,
)
from mlopsim.tracks.quality.sections_curves import Curves, groups, over_time, weak_slices

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def sections(table: pl.DataFrame, curves: Curves, floor: float) -> list[Section]:
    """Make the sections of a report; ``floor``: losses below it count as none."""
    board, lost = leaderboard(table, floor), costly(table, floor)
    found = [
        _board(table, board, lost, floor),
        _losses(table, lost),
        _by_task(table, board, lost),
        _detection(table, board),
        _recall_and_worth(table, board, lost),
        groups(table, board, curves),
        weak_slices(table, board, curves),
        _alarms(table, board),
        over_time(table, board, lost, curves),
        _words(),
    ]
    return [section for section in found if section is not None]


def _board(table: pl.DataFrame, board: pl.DataFrame, lost: list[str], floor: float) -> Section:
    wrong = with_errors(table)
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
        f"**recovered** = sum(S_gate - S_none) / sum(S_clean - S_none) over {len(lost)} of {len(wrong)} "
        f"tasks with errors: those that lose {floor:g} of accuracy or more without a gate, its 95 % interval "
        "above 0. All methods meet the same scenarios; S is the accuracy of what serves on the clean rows. "
        "Negative: worse than no gate. `@train`, `@test`: the gate at that stage; without: before training."
    )
    return Section(title="Leaderboard", text=text, table=board, figures={"Leaderboard": figure})


def _losses(table: pl.DataFrame, lost: list[str]) -> Section:
    tasks = with_errors(table)
    found = [loss(table, task) for task in tasks]
    counts = pl.Series("counts", [task in lost for task in tasks])
    frame = pl.DataFrame({"task": tasks, **interval_columns("loss", found), "counts": counts})
    text = (
        "Accuracy of what serves on clean data less that without a gate. Where it does not count (see the "
        "leaderboard) there is nothing to recover, whatever a gate finds."
    )
    return Section(title="What errors cost", text=text, table=frame.sort("loss", descending=True))


def _by_task(table: pl.DataFrame, board: pl.DataFrame, tasks: list[str]) -> Section | None:
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
    # one row a score: what is then done with it makes no difference here
    own = [i for i, row in enumerate(values) if not any(_same(row, values[j]) for j in range(i))]
    methods, values = [methods[i] for i in own], values[own]
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


def _same(one: np.ndarray, other: np.ndarray) -> bool:
    return bool(np.array_equal(one, other, equal_nan=True))


def _recall_and_worth(table: pl.DataFrame, board: pl.DataFrame, tasks: list[str]) -> Section | None:
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
    figure = _scatter(table, cleaning(methods), tasks)
    frame = pl.DataFrame(
        {
            "task": [row[0] for row in rows],
            "method": [row[1] for row in rows],
            **interval_columns("recall", [row[2] for row in rows]),
            **interval_columns("recovered", [row[3] for row in rows]),
        }
    )
    against = disagreements([row for row in rows if row[1] in cleaning(methods)])
    text = (
        "Finding errors is not yet a gain: recall of the wrong rows beside what is recovered. Pairs of gates "
        "that drop or repair rows and whose intervals order them one way by recall and the other way by "
        f"worth on a task: {len(against)}"
    )
    text += f"; the clearest: {against[0].text}." if against else "."
    return Section(title="Recall and worth", text=text, table=frame, figures={"Recall and worth": figure})


def _scatter(table: pl.DataFrame, methods: list[str], tasks: list[str]) -> Figure:
    """Draw gates at the stages where rows are dropped or repaired."""
    known, recalls, shares = [], [], []
    for method in methods:
        recall, share = mean_of(table, method, "recall", tasks).value, recovered(table, method, tasks).value
        if math.isfinite(recall) and math.isfinite(share):
            known.append(method)
            recalls.append(recall)
            shares.append(share)
    return tradeoff(
        known,
        recalls,
        shares,
        xlabel="recall of the wrong rows",
        ylabel="share of the lost accuracy recovered",
        pareto=False,
        marks=marks_for(known),
        note=f"gates before and at training; pooled over {len(tasks)} tasks in which something is lost; "
        f"n = {len(axes_of(table)[0])} seeds",
    )


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
