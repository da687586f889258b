"""What serves in deployments in which a method decides which versions may."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from mlopsim.core.registry import register
from mlopsim.core.section import Results, SectionMaker
from mlopsim.core.track import Section

#: how a violation of each norm is measured
MEASURES = {
    "treatment": "decisions that the group changes",
    "impact": "1 - ratio, lowest by highest acceptance rate",
    "errors": "larger spread of error rates",
}


@register("section", "fairness-guarding")
@dataclass(kw_only=True)
class Guarding(SectionMaker):
    """Fairness and accuracy of what serves, with each method as the guard."""

    track: ClassVar[str] = "fairness"
    title: ClassVar[str] = "Guarding a deployment"
    order: ClassVar[float] = 80.0
    needs: ClassVar[tuple[str, ...]] = ("served_biased", "scenario", "strength", "norm", "battery", "role")

    def make(self, results: Results) -> Section | None:
        """Make a table, and two figures a scenario; None where nothing is guarded."""
        import polars as pl

        from mlopsim.stats.table import interval_columns
        from mlopsim.tracks.cell_table import axes_of, done, mean_of
        from mlopsim.tracks.fairness.analysis import (
            batteries,
            controls,
            methods_of,
            norms,
            scenarios,
            strengths,
        )
        from mlopsim.tracks.fairness.metrics import GUARDED
        from mlopsim.tracks.fairness.sections._shared import settings_of

        table, tolerated = results.cells, settings_of(results).tolerated
        known = set(done(table).filter(pl.col("served_biased").is_finite())["task"].to_list())
        tasks = [task for task in axes_of(table)[1] if task in known]
        if not tasks:
            return None
        keys = [(task, method) for task in tasks for method in methods_of(table)]
        columns: dict[str, list[object]] = {"task": [t for t, _ in keys], "method": [m for _, m in keys]}
        for name in GUARDED:
            columns |= interval_columns(name, [mean_of(table, method, name, [t]) for t, method in keys])
        strength, norm = strengths(table), norms(table)
        figures = {}
        shown = [*batteries(table), *controls(table)]
        for name, group in scenarios(table, tasks).items():
            worst = max(group, key=lambda task: strength[task])
            if strength[worst] > 0.0:
                # where groups differ and nothing is wrong, what an unwary reader would call unfair
                violated = norm[worst] or "impact"
                figures[f"Fairness over time, {name}"] = _over_time(
                    results,
                    worst,
                    shown,
                    f"served_{violated}",
                    ylabel=MEASURES[violated],
                    references={"tolerated": tolerated[violated]} if norm[worst] else {},
                    from_zero=True,
                )
                figures[f"Accuracy over time, {name}"] = _over_time(
                    results, worst, shown, "served_accuracy", ylabel="accuracy of what serves"
                )
        text = (
            "The same deployments with each method as the guard of what serves: the newest model is audited "
            "in every window and serves while it passes. If it is blocked, the one that is trained on "
            "reweighed rows of the same windows serves, if that passes; else what passed last before and was "
            "not blocked since; older models are not audited again. **served biased**: windows in which what "
            "serves violates the norm of the bias by more than is tolerated. **blocked rightly**: models "
            "that were blocked in a window in which they did. **blocked wrongly**: models that never did and "
            "were blocked: of a bias that is in the labels and that the model cannot follow all blocks are "
            "wrong here, though they are the power of an audit that looks for wrong labels. **let through**: "
            "models that did and were not blocked while they did. **mended**: windows that a reweighed model "
            "served. The figures show what serves under the strongest bias: how far it is from the norm that "
            "the bias violates, and how right it is by true labels; where nothing is wrong (unequal base "
            "rate) 1 less the ratio of acceptance rates."
        )
        return Section(title=self.title, text=text, table=pl.DataFrame(columns), figures=figures)


def _over_time(
    results: Results,
    task: str,
    methods: Sequence[str],
    name: str,
    *,
    ylabel: str,
    references: Mapping[str, float] | None = None,
    from_zero: bool = False,
) -> object:
    import numpy as np
    import polars as pl

    from mlopsim.plots.curves import Curve, curves
    from mlopsim.plots.style import marks_for
    from mlopsim.stats.bootstrap import mean_interval
    from mlopsim.tracks.cell_table import done

    rows = done(results.cells).filter(pl.col("task") == task)
    lines = {}
    for method in methods:
        keys = rows.filter(pl.col("method") == method)["key"].to_list()
        if not keys:
            continue
        values = np.array([results.curves(key)[name] for key in keys])
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
    return curves(
        lines,
        xlabel="audited window",
        ylabel=ylabel,
        marks=marks_for(list(lines)),
        references=references,
        ylim=(-0.02 * top, 1.08 * top) if from_zero and top > 0.0 else None,
        note=f"{task}; means and 95 % intervals over {rows['seed'].n_unique()} seeds",
    )
