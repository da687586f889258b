"""What is a gate on training data worth, and does finding more errors mean gaining more?

Runs the suite `quality-paper` (what is done is cached) and tabulates, for each case of error and learner,
what is lost without a gate, and for each gate what it finds, what it throws away and what it recovers of the
loss. losses.csv has what the errors cost, table.csv the gates, disagreements.csv the pairs of gates that
recall and worth order differently, with what could explain it: another stage or action (`alike`: neither),
and more right rows flagged (`fair`: alike, and the interval of the one does not lie above that of the other);
counts.csv how many pairs there are by task of which one gate finds more (`all`, those that are alike, the
fair ones, and these without the control that flags at random): how many disagree, agree, or are open;
groups.csv what is thrown away and gained by group; rates.csv how often each gate flags what is right, beside
the rate that was asked for, and why where its interval does not hold that; the figure shows recall against
worth where most is lost, one panel a task.

    python experiments/worth_of_a_gate.py
    python experiments/worth_of_a_gate.py suite=quality-core ledger=results/local/quality-core
"""

from __future__ import annotations

import _common  # isort: skip

import itertools
import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from mlopsim.compose import load_suite
from mlopsim.core.spec import make
from mlopsim.stats.interval import Interval
from mlopsim.tracks.cell_table import axes_of, facts, mean_of
from mlopsim.tracks.quality.analysis import (
    BASE,
    TOP,
    Disagreement,
    cleaning,
    costly,
    disagreements,
    loss,
    recovered,
    with_errors,
)
from mlopsim.tracks.quality.track import QualityTrack
from mlopsim.tracks.table_results import TableResults

if TYPE_CHECKING:
    from matplotlib.figure import Figure

#: panels of the figure
PANELS = 4
#: gates nearer than this in recall and share have one label
CLOSE = 0.06
MEANS = (
    *(
        "recall",
        "recall_at_5pct",
        "false_alarm",
        "attained",
        "noise_found",
        "auroc",
        "dropped",
        "dropped_gap",
    ),
)


def columns(name: str, value: Interval) -> dict[str, Any]:
    """Return an estimate with its ends and n as columns."""
    return {name: value.value, f"{name}_low": value.low, f"{name}_high": value.high, f"{name}_n": value.n}


def losses(cells: pl.DataFrame, counted: Sequence[str]) -> list[dict[str, Any]]:
    """One row a task with errors, the most costly first."""
    rows = [
        {"task": task, **columns("loss", loss(cells, task)), "counts": task in counted}
        for task in with_errors(cells)
    ]
    return sorted(rows, key=lambda row: -float(row["loss"]))


def gates(cells: pl.DataFrame, counted: Sequence[str]) -> list[dict[str, Any]]:
    """One row a task and gate: what it finds, throws away, and recovers where something is lost."""
    methods = [m for m in dict.fromkeys(cells["method"].to_list()) if m not in (BASE, TOP)]
    rows = []
    for task in with_errors(cells):
        for method in methods:
            row: dict[str, Any] = {"task": task, "method": method}
            # cells of an earlier version lack some
            for name in (each for each in MEANS if each in cells.columns):
                row |= columns(name, mean_of(cells, method, name, [task]))
            share = (
                recovered(cells, method, [task])
                if task in counted
                else Interval(value=math.nan, n=0, reason="too little was lost without a gate")
            )
            row |= columns("recovered", share)
            rows.append(row)
    return rows


@dataclass(frozen=True, kw_only=True)
class Estimates:
    """What a gate does on a task: recall, share of the loss recovered, right rows that it flags."""

    recall: Interval
    worth: Interval
    alarms: Interval
    stage: str
    action: str


def estimates(cells: pl.DataFrame, counted: Sequence[str]) -> dict[tuple[str, str], Estimates]:
    """Return what each gate that can be compared does on each task, by task and gate."""
    place = {
        row["method"]: (row["stage"], row["action"])
        for row in cells.select("method", "stage", "action").unique().iter_rows(named=True)
    }
    found = {}
    for task in counted:
        for method in cleaning(cells):
            recall, worth = mean_of(cells, method, "recall", [task]), recovered(cells, method, [task])
            if math.isfinite(recall.value) and math.isfinite(worth.value):
                stage, action = place[method]
                found[task, method] = Estimates(
                    recall=recall,
                    worth=worth,
                    alarms=mean_of(cells, method, "false_alarm", [task]),
                    stage=stage,
                    action=action,
                )
    return found


def against(known: Mapping[tuple[str, str], Estimates]) -> list[Disagreement]:
    """Return the pairs of gates that recall and worth order differently on a task."""
    return disagreements([(task, method, one.recall, one.worth) for (task, method), one in known.items()])


def alike(finds: Estimates, other: Estimates) -> bool:
    """Whether two gates act at the same stage and in the same way."""
    return (finds.stage, finds.action) == (other.stage, other.action)


def fair(finds: Estimates, other: Estimates) -> bool:
    """Whether moreover the first does not flag more right rows, beyond both intervals."""
    return alike(finds, other) and finds.alarms.low <= other.alarms.high


def explained(
    known: Mapping[tuple[str, str], Estimates], pairs: Sequence[Disagreement]
) -> list[dict[str, Any]]:
    """One row a pair: how far it disagrees, and what could explain that."""
    rows = []
    for pair in pairs:
        finds, gains = (known[pair.task, name] for name in (pair.finds, pair.gains))
        rows.append(
            {
                "task": pair.task,
                "finds_more": pair.finds,
                "gains_more": pair.gains,
                "recall_finds": pair.recall[0],
                "recall_gains": pair.recall[1],
                "recovered_finds": pair.recovered[0],
                "recovered_gains": pair.recovered[1],
                "action_finds": finds.action,
                "action_gains": gains.action,
                "false_alarm_finds": finds.alarms.value,
                "false_alarm_gains": gains.alarms.value,
                "alike": alike(finds, gains),
                "fair": fair(finds, gains),
            }
        )
    return rows


#: what a pair of which one gate finds more says of worth, beyond the intervals
VERDICTS = ("disagree", "agree", "open")
#: pairs that are counted, from all to those with the fewest other explanations
COUNTED = ("all", "alike", "fair", "fair, no control")
#: the sum over tasks
SUM = "all"


def verdict(finds: Estimates, other: Estimates) -> str:
    """Say whether the gate that finds more gains less, gains more, or neither beyond the intervals."""
    if finds.worth.high < other.worth.low:
        return "disagree"
    return "agree" if finds.worth.low > other.worth.high else "open"


def counts(
    known: Mapping[tuple[str, str], Estimates], counted: Sequence[str], controls: Collection[str]
) -> list[dict[str, Any]]:
    """Count pairs of gates of which one finds more, by task and by what they share; last over all tasks.

    Parameters
    ----------
    known : mapping
        See :func:`estimates`.
    counted : sequence of str
        Tasks in which something is lost.
    controls : collection of str
        Gates that are no method, such as the one that flags at random.
    """
    found = {(task, which): dict.fromkeys(VERDICTS, 0) for task in (*counted, SUM) for which in COUNTED}
    for task in counted:
        gates_here = [method for other, method in known if other == task]
        for a, b in itertools.permutations(gates_here, 2):
            finds, other = known[task, a], known[task, b]
            if not finds.recall.low > other.recall.high:
                continue
            told, is_fair = verdict(finds, other), fair(finds, other)
            belongs = (True, alike(finds, other), is_fair, is_fair and not {a, b} & set(controls))
            for which, there in zip(COUNTED, belongs, strict=True):
                for place in (task, SUM):
                    found[place, which][told] += there
    return [{"task": task, "pairs": which, **told} for (task, which), told in found.items()]


def short(rows: Sequence[dict[str, Any]]) -> str:
    """Name gates that lie together."""
    names = [row["method"] for row in rows]
    return ", ".join(names) if len(names) < 3 else f"{names[0]} and {len(names) - 1} more"


def panels(rows: Sequence[dict[str, Any]], tasks: Sequence[str], shown: Sequence[str], seeds: int) -> Figure:
    """Draw recall against the share recovered of the methods ``shown``, a panel a task."""
    from mlopsim.plots.labels import label_points
    from mlopsim.plots.style import caption, dress, marks_for, new_figure

    figure = new_figure(11.0, 3.9 * math.ceil(len(tasks) / 2))
    looks = marks_for(shown)
    for place, task in enumerate(tasks):
        axes = figure.add_subplot(math.ceil(len(tasks) / 2), 2, place + 1)
        points = [
            row
            for row in rows
            if row["task"] == task and row["method"] in shown and math.isfinite(row["recall"])
        ]
        for row in points:
            look = looks[row["method"]]
            low, high = row["recovered_low"], row["recovered_high"]
            axes.plot([row["recall"]] * 2, [low, high], color=look.colour, linewidth=1.0, alpha=0.6)
            axes.plot(
                row["recall"],
                row["recovered"],
                look.marker,
                color=look.colour,
                markersize=5.5,
                markeredgecolor="white",
                markeredgewidth=0.6,
            )
        dress(axes, xlabel="recall of the wrong rows", ylabel="share of the loss recovered", title=task)
        axes.set_xlim(-0.03, 1.03)
        lowest = min(row["recovered"] for row in points)
        axes.set_ylim(max(-1.0, min(-0.1, lowest - 0.1)), 1.15)
        figure.draw_without_rendering()
        spots: dict[tuple[int, int], list[dict[str, Any]]] = {}
        for row in points:
            if row["recovered"] >= axes.get_ylim()[0]:
                spot = round(row["recall"] / CLOSE), round(row["recovered"] / CLOSE)
                spots.setdefault(spot, []).append(row)
        label_points(
            axes,
            np.array([rows[0]["recall"] for rows in spots.values()]),
            np.array([rows[0]["recovered"] for rows in spots.values()]),
            [short(rows) for rows in spots.values()],
            avoid=[],
        )
    caption(
        figure,
        f"gates before and at training that drop or repair rows; bars: 95 % intervals over {seeds} seeds; "
        "what recovers less than -1 is not drawn; table.csv has all",
    )
    return figure


def main(arguments: Sequence[str] | None = None) -> None:
    """Run, tabulate, draw."""
    experiment = _common.start("worth_of_a_gate", __doc__, arguments)
    settings = experiment.settings
    study = load_suite(settings["suite"])
    suite, track = study.suite, study.track
    if not isinstance(track, QualityTrack):
        raise SystemExit(f"{settings['suite']} is a suite of the track {suite.track}, not of quality")
    experiment.settings["grid"] = study.config
    ledger = _common.below_root(settings["ledger"])
    for folder in (ledger, experiment.folder):
        folder.mkdir(parents=True, exist_ok=True)
    cells, curves = _common.run_suite(suite, study.track, ledger, settings["workers"])
    counted = costly(cells, track.floor)
    cost = losses(cells, counted)
    _common.write_table(experiment.folder, cost, "losses")
    _common.show(cost, "what errors cost without a gate")
    rows = gates(cells, counted)
    _common.write_table(experiment.folder, rows)
    known = estimates(cells, counted)
    pairs = explained(known, against(known))
    if pairs:
        _common.write_table(experiment.folder, pairs, "disagreements")
    controls = [name for name, role in facts(cells, "role").items() if role == "control"]
    by_task = counts(known, counted, controls)
    _common.write_table(experiment.folder, by_task, "counts")
    results = TableResults(track=study.track, cells=cells, read=curves)
    for section, name in (("quality-groups", "groups"), ("quality-false-alarms", "rates")):
        made = make("section", section).make(results)
        if made is not None:
            _common.write_table(experiment.folder, made.table.to_dicts(), name)
    shown = [row["task"] for row in cost if row["counts"]][:PANELS]
    if shown:
        figure = panels(rows, shown, cleaning(cells), len(axes_of(cells)[0]))
        _common.write_figure(experiment.folder, figure)
    best = sorted((row for row in rows if row["task"] in shown), key=lambda row: -float(row["recovered"]))
    for task in shown:
        top = [row for row in best if row["task"] == task][:6]
        keep = ("method", "recall", "recovered", "recovered_low", "recovered_high", "dropped")
        _common.show([{key: row[key] for key in keep} for row in top], task)
    _common.show(by_task[-len(COUNTED) :], "pairs of gates of which one finds more")
    _common.write_config(experiment)


if __name__ == "__main__":
    main()
