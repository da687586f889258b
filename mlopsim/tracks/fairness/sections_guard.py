"""What serves in deployments in which an audit or an arm decides which versions may."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import polars as pl

from mlopsim.core.track import Section
from mlopsim.plots.curves import Curve
from mlopsim.plots.curves import curves as draw_curves
from mlopsim.plots.style import marks_for
from mlopsim.stats.bootstrap import mean_interval
from mlopsim.stats.table import interval_columns
from mlopsim.tracks.cell_table import axes_of, done, mean_of
from mlopsim.tracks.fairness.analysis import flag, methods_of, norms, scenarios, strengths

Curves = Callable[[str], Mapping[str, np.ndarray]]
SHOWN = (
    "served_biased",
    "served_violation",
    "served_accuracy",
    "blocked_rightly",
    "blocked_wrongly",
    "let_through",
    "mended",
)
#: how a violation of each norm is measured
MEASURES = {
    "treatment": "decisions that the group changes",
    "impact": "1 - ratio of acceptance rates",
    "errors": "largest gap of error rates",
}


def guarded(table: pl.DataFrame, curves: Curves, tolerated: Mapping[str, float]) -> Section | None:
    """Show the tasks in which the method decides what serves."""
    known = set(done(table).filter(pl.col("served_biased").is_finite())["task"].to_list())
    tasks = [task for task in axes_of(table)[1] if task in known]
    if not tasks:
        return None
    keys = [(task, method) for task in tasks for method in methods_of(table)]
    frame = pl.DataFrame(
        {
            "task": [task for task, _ in keys],
            "method": [method for _, method in keys],
            **{
                column: values
                for name in SHOWN
                for column, values in interval_columns(
                    name, [mean_of(table, method, name, [task]) for task, method in keys]
                ).items()
            },
        }
    )
    strength, norm = strengths(table), norms(table)
    figures = {}
    shown = [*flag(table, "arm"), *flag(table, "control")]
    for name, group in scenarios(table, tasks).items():
        worst = max(group, key=lambda task: strength[task])
        if strength[worst] > 0.0:
            # where groups differ and nothing is wrong, what an unwary reader would call unfair
            violated = norm[worst] or "impact"
            figures[f"Fairness over time, {name}"] = _over_time(
                table,
                worst,
                shown,
                curves,
                f"served_{violated}",
                ylabel=MEASURES[violated],
                references={"tolerated": tolerated[violated]} if norm[worst] else {},
                from_zero=True,
            )
            figures[f"Accuracy over time, {name}"] = _over_time(
                table, worst, shown, curves, "served_accuracy", ylabel="accuracy of what serves"
            )
    text = (
        "The same deployments with each method as the guard of what serves: the newest model is audited in "
        "every window and serves while it passes. If it is blocked, the one that is trained on reweighed "
        "rows of the same windows serves, if that passes; else what passed last before and was not blocked "
        "since; older models are not audited again. **served biased**: windows in which what serves "
        "violates the norm of the bias by more than is tolerated. **blocked rightly**: models that were "
        "blocked in a window in which they did. **blocked wrongly**: models that never did and were "
        "blocked: of a bias that is in the labels and that the model cannot follow all blocks are wrong "
        "here, though they are the power of an audit that looks for wrong labels. **let through**: models "
        "that did and were not blocked while they did. **mended**: windows that a reweighed model served. "
        "The figures show what serves under the strongest bias: how far it is from the norm that the bias "
        "violates, and how right it is by true labels; where nothing is wrong (unequal base rate) 1 less "
        "the ratio of acceptance rates."
    )
    return Section(title="Guarding a deployment", text=text, table=frame, figures=figures)


def _over_time(
    table: pl.DataFrame,
    task: str,
    methods: list[str],
    curves: Curves,
    name: str,
    *,
    ylabel: str,
    references: Mapping[str, float] | None = None,
    from_zero: bool = False,
) -> object:
    rows = done(table).filter(pl.col("task") == task)
    lines = {}
    for method in methods:
        keys = rows.filter(pl.col("method") == method)["key"].to_list()
        if not keys:
            continue
        values = np.array([curves(key)[name] for key in keys])
        means = [mean_interval(values[:, t], np.random.default_rng(0)) for t in range(values.shape[1])]
        lines[method] = Curve(
            x=np.arange(values.shape[1], dtype=np.float64),
            y=np.array([m.value for m in means]),
            low=np.array([m.low for m in means]),
            high=np.array([m.high for m in means]),
        )
    # one seed has no interval
    highs = [np.fmax(line.y, line.y if line.high is None else line.high) for line in lines.values()]
    top = max([0.0, *(references or {}).values(), *(float(high.max()) for high in highs)])
    return draw_curves(
        lines,
        xlabel="audited window",
        ylabel=ylabel,
        marks=marks_for(list(lines)),
        references=references,
        ylim=(-0.02 * top, 1.08 * top) if from_zero and top > 0.0 else None,
        note=f"{task}; means and 95 % intervals over {rows['seed'].n_unique()} seeds",
    )
