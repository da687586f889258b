"""Leaderboard and sections of the fairness track."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence

import numpy as np
import polars as pl

from mlopsim.core.track import Section
from mlopsim.plots.curves import Curve
from mlopsim.plots.curves import curves as draw_curves
from mlopsim.plots.heatmap import heatmap
from mlopsim.plots.leaderboard import leaderboard as draw_leaderboard
from mlopsim.plots.style import marks_for
from mlopsim.stats.interval import Interval
from mlopsim.stats.table import interval_columns
from mlopsim.tracks.cell_table import axes_of, done, mean_of
from mlopsim.tracks.fairness.analysis import (
    apart,
    biased,
    difference,
    fair,
    flag,
    leaderboard,
    scenario_of,
    scenarios,
    strengths,
    unequal,
)
from mlopsim.tracks.fairness.fits import Calibration
from mlopsim.tracks.fairness.sections_guard import guarded

Curves = Callable[[str], Mapping[str, np.ndarray]]
#: biases whose features have the same law given the group
ALIKE = ("proxy", "unequal base rate")


def sections(
    table: pl.DataFrame, curves: Curves, calibration: Calibration, tolerated: Mapping[str, float]
) -> list[Section]:
    """Make the sections of a report."""
    board = leaderboard(table)
    found = [
        _board(table, board, calibration),
        _by_scenario(table, board),
        _strength(table, board),
        _lead(table),
        _alike(table, board),
        _calibration(table, calibration),
        _blame(table, board),
        guarded(table, curves, tolerated),
        _words(),
    ]
    return [section for section in found if section is not None]


def _board(table: pl.DataFrame, board: pl.DataFrame, calibration: Calibration) -> Section:
    wrong, right = biased(table), fair(table)
    text = (
        f"**power**: share of the deployments with a bias in which it is found, over {len(wrong)} tasks. "
        f"Every audit, and every arm as a whole, has a limit at which {calibration.alpha:.0%} of the "
        "deployments without bias are blocked at least once; rules of thumb (`@rule`) keep theirs. **false "
        f"block**: the same in the {len(right)} tasks without bias of this suite, where the people of "
        f"{len(axes_of(table)[0])} seeds are met again and again (the section False blocks has the rates in "
        "many more deployments); **unequal block**: where groups differ and nothing is wrong. No average "
        "replaces the table by scenario: what is found depends on the bias."
    )
    figures = {}
    if wrong:
        figures["Leaderboard"] = draw_leaderboard(
            board["method"].to_list(),
            board["power"].to_numpy(),
            board["power_low"].to_numpy(),
            board["power_high"].to_numpy(),
            board["power_n"].to_numpy(),
            xlabel="share of the biases that are found",
            marks=marks_for(board["method"].to_list()),
            note=f"{len(wrong)} tasks with a bias; 95 % bootstrap over scenario seeds; n: seeds",
        )
    return Section(title="Leaderboard", text=text, table=board, figures=figures)


def _by_scenario(table: pl.DataFrame, board: pl.DataFrame) -> Section | None:
    groups = scenarios(table, biased(table) + unequal(table))
    if not groups:
        return None
    wrong = set(biased(table))
    methods = board["method"].to_list()
    cells: dict[tuple[str, str], Interval] = {}
    for name, tasks in groups.items():
        metric = "power" if tasks[0] in wrong else "false_block"
        for method in methods:
            cells[method, name] = mean_of(table, method, metric, tasks)
    names = list(groups)
    figure = heatmap(
        methods,
        names,
        np.array([[cells[m, s].value for s in names] for m in methods]),
        low=0.0,
        high=1.0,
        note=f"share of deployments blocked, mean over strengths; {_seeds(cells.values())} a scenario",
    )
    keys = [(m, s) for s in names for m in methods]
    frame = pl.DataFrame(
        {
            "scenario": [s for _, s in keys],
            "method": [m for m, _ in keys],
            **interval_columns("blocked", [cells[key] for key in keys]),
        }
    )
    text = (
        "Which method finds which bias. In scenarios in which nothing is wrong a block is a false one: "
        f"{', '.join(s for s in names if groups[s][0] not in wrong) or 'there are none'}."
    )
    return Section(title="Power by scenario", text=text, table=frame, figures={"Power by scenario": figure})


def _seeds(values: Iterable[Interval]) -> str:
    """Say how many seeds estimates come from.

    Examples
    --------
    >>> _seeds([Interval(value=0.5, low=0.0, high=1.0, n=n) for n in (20, 100)])
    '20 to 100 seeds'
    """
    counts = {value.n for value in values}
    return f"{max(counts)} seeds" if len(counts) == 1 else f"{min(counts)} to {max(counts)} seeds"


def _strength(table: pl.DataFrame, board: pl.DataFrame) -> Section | None:
    strength = strengths(table)
    wrong = set(biased(table))
    groups = {
        name: tasks
        for name, tasks in scenarios(table, biased(table) + unequal(table)).items()
        if len(tasks) > 1
    }
    if not groups:
        return None
    arms = flag(table, "arm")
    plain = [m for m in board["method"].to_list() if m not in (*flag(table, "control"), *flag(table, "rule"))]
    rows: list[tuple[str, float, str, Interval]] = []
    figures = {}
    for name, tasks in groups.items():
        metric = "power" if tasks[0] in wrong else "false_block"
        values = {m: [mean_of(table, m, metric, [task]) for task in tasks] for m in plain}
        rows += [
            (name, strength[task], m, value)
            for m in plain
            for task, value in zip(tasks, values[m], strict=True)
        ]
        single = [m for m in plain if m not in arms]
        best = sorted(single, key=lambda m: -float(np.nanmean([v.value for v in values[m]])))[:2]
        shown = [*arms, *best]
        x = np.array([strength[task] for task in tasks])
        figures[f"Power, {name}"] = draw_curves(
            {
                m: Curve(
                    x=x,
                    y=np.array([v.value for v in values[m]]),
                    low=np.array([v.low for v in values[m]]),
                    high=np.array([v.high for v in values[m]]),
                )
                for m in shown
            },
            xlabel="strength of the bias",
            ylabel="deployments blocked",
            ylim=(-0.02, 1.02),
            marks=marks_for(shown),
            note=f"{name}; arms and the two best audits; 95 % intervals over "
            + _seeds(value for m in shown for value in values[m]),
        )
    frame = pl.DataFrame(
        {
            "scenario": [row[0] for row in rows],
            "strength": [row[1] for row in rows],
            "method": [row[2] for row in rows],
            **interval_columns("blocked", [row[3] for row in rows]),
        }
    )
    return Section(
        title="Power against strength",
        text="Share of deployments blocked as the bias grows; all methods meet the same people.",
        table=frame,
        figures=figures,
    )


def _lead(table: pl.DataFrame) -> Section | None:
    """Compare arms by how long before harm they raise an alarm."""
    arms = flag(table, "arm")
    harmed = [
        task
        for task in biased(table)
        if done(table).filter((pl.col("task") == task) & pl.col("lead").is_finite()).height
    ]
    if len(arms) < 2 or not harmed:
        return None
    rows: list[tuple[str, str, Interval, Interval]] = []
    base = arms[0]
    for name, tasks in scenarios(table, harmed).items():
        rows += [
            (name, arm, mean_of(table, arm, "lead", tasks), difference(table, arm, base, "lead", tasks))
            for arm in arms
        ]
    frame = pl.DataFrame(
        {
            "scenario": [row[0] for row in rows],
            "arm": [row[1] for row in rows],
            **interval_columns("lead", [row[2] for row in rows]),
            **interval_columns("difference", [row[3] for row in rows]),
        }
    )
    text = (
        "Windows from the arm's first alarm after the onset to the harm: the first window in which the "
        "model violates the norm of the bias by more than is tolerated. Above 0: the alarm comes first. "
        f"A bias that is missed counts as found at the end. **difference**: to {base}, paired over seeds. "
        "Only deployments in which harm follows. Labels are there at once. With a label delay of L windows "
        "and a model that stays, what an audit finds by labels it would find L windows later, and what it "
        "finds without them as soon; a model that learns the bias from labels would be later itself."
    )
    return Section(title="Lead time", text=text, table=frame)


def _alike(table: pl.DataFrame, board: pl.DataFrame) -> Section | None:
    """Show who can tell a proxy from an unequal base rate."""
    strength = strengths(table)
    groups = scenarios(table, biased(table) + unequal(table))
    pairs = [
        (one, other)
        for one in groups
        for other in groups
        if one.startswith(ALIKE[0]) and other == one.replace(ALIKE[0], ALIKE[1], 1)
    ]
    rows: list[tuple[str, str, Interval, Interval, Interval]] = []
    for one, other in pairs:
        common = sorted({strength[t] for t in groups[one]} & {strength[t] for t in groups[other]})
        wrong = [t for t in groups[one] if strength[t] in common]
        right = [t for t in groups[other] if strength[t] in common]
        if not common:
            continue
        rows += [
            (
                one,
                method,
                mean_of(table, method, "power", wrong),
                mean_of(table, method, "false_block", right),
                apart(table, method, wrong, right),
            )
            for method in board["method"].to_list()
        ]
    if not rows:
        return None
    frame = pl.DataFrame(
        {
            "scenario": [row[0] for row in rows],
            "method": [row[1] for row in rows],
            **interval_columns("proxy", [row[2] for row in rows]),
            **interval_columns("base_rate", [row[3] for row in rows]),
            **interval_columns("difference", [row[4] for row in rows]),
        }
    )
    text = (
        "A proxy lowers what is measured of one group, an unequal base rate what is there to be "
        "measured: the features have the same law given the group, to the number. Whoever sees features, "
        "decisions and attributions only cannot tell them apart; labels can. **difference**: of the "
        "shares blocked, paired over seeds and strengths."
    )
    figures = {
        f"Told apart, {one}": _ranking(
            [row[1] for row in rows if row[0] == one],
            [row[4] for row in rows if row[0] == one],
            xlabel="share of proxies blocked less share of unequal base rates blocked",
            references={"not told apart": 0.0},
        )
        for one in dict.fromkeys(row[0] for row in rows)
    }
    return Section(
        title="Proxy or unequal base rate",
        text=text,
        table=frame.sort("difference", descending=True),
        figures=figures,
    )


def _ranking(
    methods: Sequence[str], values: Sequence[Interval], *, xlabel: str, references: Mapping[str, float]
) -> object:
    return draw_leaderboard(
        methods,
        [v.value for v in values],
        [v.low for v in values],
        [v.high for v in values],
        [v.n for v in values],
        xlabel=xlabel,
        references=references,
        note=f"95 % intervals over {_seeds(values)}",
    )


def _calibration(table: pl.DataFrame, calibration: Calibration) -> Section | None:
    """Show the rates at which fresh deployments without bias are blocked."""
    from mlopsim.fairness.closed_forms import four_fifths_false_block

    rows = (
        done(table)
        .filter(pl.col("rate").is_finite())
        .unique(["method", "fit", "rule"], keep="first", maintain_order=True)
        .with_columns(pl.col("task").map_elements(scenario_of, return_dtype=pl.String))
        .select(
            pl.col("task").alias("law of"),
            "method",
            "rate",
            "rate_low",
            "rate_high",
            pl.col("rate_n").cast(pl.Int64),
            pl.lit(None, dtype=pl.String).alias("rate_reason"),
            pl.col("exact") == 1.0,
            pl.when(pl.col("met").is_finite()).then(pl.col("met") == 1.0).alias("met"),
            "missing",
        )
        .sort("rate", descending=True)
    )
    if not rows.height:
        return None
    once = four_fifths_false_block(100, 0.3)
    text = (
        f"Asked of a limit: {calibration.alpha:.0%} of deployments without bias blocked at least once. "
        "**rate**: in fresh deployments; of a rule of thumb (`@rule`) what it really does. **exact**: "
        "computed from the law of the p-value, not simulated; where a feature tells the group, a model that "
        "was trained on few rows treats groups a little unequally by chance, and all limits are simulated. "
        "**met**: the rate is within three standard errors of what was asked. A rule of thumb does not know "
        "how many rows it sees: with 100 of each group and the same true rate .3 the four-fifths rule blocks "
        f"{once:.1%} of fair models in one audit, and {1.0 - (1.0 - once) ** 12:.1%} within twelve."
    )
    figures = {}
    for law in dict.fromkeys(rows["law of"].to_list()):
        group = rows.filter(pl.col("law of") == law)
        figures[f"False blocks, {law}"] = draw_leaderboard(
            group["method"].to_list(),
            *(group[name].to_numpy() for name in ("rate", "rate_low", "rate_high", "rate_n")),
            xlabel="share of deployments without bias that are blocked",
            references={"asked": calibration.alpha},
            note="95 % intervals; n: fresh deployments without bias",
        )
    return Section(title="False blocks", text=text, table=rows, figures=figures)


def _blame(table: pl.DataFrame, board: pl.DataFrame) -> Section | None:
    rows: list[tuple[str, str, Interval, Interval]] = []
    for name, tasks in scenarios(table, biased(table)).items():
        for method in board["method"].to_list():
            right = mean_of(table, method, "blamed", tasks)
            if math.isfinite(right.value):
                rows.append((name, method, right, mean_of(table, method, "stable", tasks)))
    if not rows:
        return None
    frame = pl.DataFrame(
        {
            "scenario": [row[0] for row in rows],
            "method": [row[1] for row in rows],
            **interval_columns("blamed", [row[2] for row in rows]),
            **interval_columns("stable", [row[3] for row in rows]),
        }
    )
    text = (
        "**blamed**: how often the feature that is blamed most at the first alarm is one through which "
        "the bias came. **stable**: windows in which the same feature is blamed most if the explanation "
        "is drawn once more (other background rows for SHAP, other perturbations for LIME)."
    )
    found = {(row[1], row[0]): row[2].value for row in rows}
    methods = list(dict.fromkeys(row[1] for row in rows))
    names = list(dict.fromkeys(row[0] for row in rows))
    figure = heatmap(
        methods,
        names,
        np.array([[found.get((m, s), math.nan) for s in names] for m in methods]),
        low=0.0,
        high=1.0,
        note=f"share of first alarms that blame rightly; {_seeds(row[2] for row in rows)} with an alarm",
    )
    return Section(title="Blame", text=text, table=frame, figures={"Blame": figure})


def _words() -> Section:
    text = (
        "- **never**, **always**: no audit, a block in every window. **oracle**: blocks where the model "
        "violates the norm of the bias by more than is tolerated. It knows what harms, not what would be "
        "better: what it falls back on may harm more, so that it is no upper bound for what serves.\n- "
        "**equal treatment**: who is equal but for the group gets the same decision. **equal impact**: "
        "groups are accepted equally often. **equal error rates**: as the name says, by true labels.\n- "
        "**arm**: several audits together; it blocks where one of them stands too high on its chart, and "
        "has a limit as a whole.\n- **restricted delay**: windows from the onset to the first alarm; a bias "
        "that is missed counts all windows."
    )
    return Section(title="Words", text=text)
