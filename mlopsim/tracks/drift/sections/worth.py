"""What alarms are worth to a deployment."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from mlopsim.core.registry import register
from mlopsim.core.section import Results, SectionMaker, Unavailable
from mlopsim.core.track import Section
from mlopsim.tracks.drift.sections._shared import SHOWN, marks_of

if TYPE_CHECKING:
    import numpy as np
    import polars as pl

    from mlopsim.plots.curves import Curve


@register("section", "drift-worth")
@dataclass(kw_only=True)
class Worth(SectionMaker):
    """NS of each detector as the retrain trigger, beside its delay."""

    track: ClassVar[str] = "drift"
    title: ClassVar[str] = "Worth"
    order: ClassVar[float] = 120.0
    needs: ClassVar[tuple[str, ...]] = (
        *("role", "reads", "needs", "limit", "channel", "bound"),
        *("return", "upper", "retrains"),
    )

    def make(self, results: Results) -> Section | None:
        """Score them; nothing where no task has a deployment.

        Raises
        ------
        Unavailable
            If the ends of the scale are not among the cells that are done.
        """
        from mlopsim.plots.curves import curves
        from mlopsim.plots.tradeoff import tradeoff
        from mlopsim.tracks.drift.worth_analysis import by_cost, ends, triggering, worth

        if not len(triggering(results.cells)):
            return None
        frame, marks = worth(results.cells), marks_of(results)
        if not len(frame):
            raise Unavailable(
                "NS needs the cells of never retraining and of the clairvoyant bound, and these are not done"
            )
        figures = {}
        costs = by_cost(results.cells)
        for cost, rows in costs:
            scale = ends(rows)
            if scale is None:
                continue
            import polars as pl

            own = frame.filter(pl.col("retrain_cost").eq_missing(cost))
            ns = dict(own.select("method", "ns").iter_rows())
            delay = dict(own.select("method", "restricted_delay").iter_rows())
            fixed = set(rows.filter(rows["bound"].is_not_null())["method"].to_list())
            tasks, seeds = rows["task"].n_unique(), rows["seed"].n_unique()
            named = "" if len(costs) == 1 else f", a retrain costs {cost:g}"
            groups = [reads for reads in dict.fromkeys(own["reads"].drop_nulls()) if reads != "nothing"]
            # methods that read different things are in figures of their own
            for reads in groups or [None]:
                kept = own if reads is None else own.filter(pl.col("reads") == reads)
                both = [m for m in kept["method"] if math.isfinite(delay[m]) and math.isfinite(ns[m])]
                both = [m for m in both if m not in fixed]
                if not both:
                    continue
                title = f"Worth against delay{f', {reads}' if len(groups) > 1 else ''}{named}"
                figures[title] = tradeoff(
                    both,
                    [delay[m] for m in both],
                    [ns[m] for m in both],
                    xlabel="restricted delay on the same tasks, in rows",
                    ylabel="NS as the retrain trigger",
                    pareto=False,
                    marks=marks,
                    note=f"tasks with a deployment: {tasks}; n = {seeds} scenario seeds",
                )
            lines = _by_arl0(results, rows, *scale)
            if lines:
                figures[f"Worth against false alarms{named}"] = curves(
                    lines,
                    xlabel="in-control average run length asked, in rows",
                    ylabel="NS as the retrain trigger",
                    xscale="log",
                    references=_fixed(rows, ns) or None,
                    marks=marks,
                    note=f"the {len(lines)} best; {tasks} tasks, n = {seeds} scenario seeds",
                )
        text = (
            "NS of each method as the retrain trigger of the same deployment (same Worlds, costs and "
            "cool-down): 0 for never retraining, 1 for the clairvoyant bound U. `bracket`, beside each, is "
            "how far the optimum may lie below U: sum(U - R_oracle) / sum(U - R_never) with the oracle's "
            "feasible plan; against that plan NS would be NS / (1 - bracket). Each cost of a retrain has "
            "rows of its own: what is worth a retrain at one is not at another. Like with like are the "
            "methods of one group, which **read** and **need** the same and whose **limit** is calibrated to "
            "the same false alarms. Limits that were given stand after them in their group, and controls, "
            "which read nothing, at the end: both may alarm more often or less. "
            f"{_waits(results)}"
            "`ns_best`: limit (`arl0_best`) and wait chosen together on these scenarios, so that nobody is "
            "held at false alarms that do not suit the cost. `always` retrains every so many windows as its "
            "wait says: the tuned calendar, and the simplest rival. The clairvoyant alarms at each change "
            "and waits like all others. A detector of errors runs on the errors of what serves, and begins "
            "anew when another version takes over. All other alarms are those on the whole stream, looked "
            "up: on inputs against the first windows after the warm-up (or after the last alarm), on outputs "
            "of the model trained on the warm-up, and those of controls. No retrain changes these, and they "
            "do not begin anew with the version that serves. Delay and worth are drawn for each group by "
            "itself; the curves over false alarms are of the best methods, whatever they read."
        )
        return Section(title=self.title, text=text, table=frame, figures=figures)


def _waits(results: Results) -> str:
    """Say how long retrains wait after alarms."""
    track: Any = results.track
    if track.wait is not None:
        return f"Every retrain waits {track.wait} windows after its alarm. "
    return (
        f"How long a retrain **waits** after an alarm is tuned for each method, controls and the clairvoyant "
        f"included: the best mean return of {len(track.waits)} waits on the same {track.wait_seeds} training "
        "scenarios of the task. "
    )


def _fixed(rows: pl.DataFrame, ns: dict[str, float]) -> dict[str, float]:
    """NS of the controls that have no limit, the ends of the scale left out: the same at each arl0."""
    import polars as pl

    chosen = rows.filter(
        (pl.col("role") == "control") & (pl.col("limit") == "none") & pl.col("bound").is_null()
    )
    return {method: ns[method] for method in dict.fromkeys(chosen["method"].to_list())}


def _by_arl0(results: Results, rows: pl.DataFrame, base: np.ndarray, top: np.ndarray) -> dict[str, Curve]:
    """NS at each arl0 of the methods with the largest means, calibrated ones only."""
    import numpy as np
    import polars as pl

    from mlopsim.plots.curves import Curve
    from mlopsim.stats.bootstrap import ns_interval
    from mlopsim.tracks.drift.analysis import calibrated
    from mlopsim.tracks.drift.worth_analysis import trigger_grid

    chosen = calibrated(rows)
    lines: dict[str, Curve] = {}
    for method in dict.fromkeys(chosen["method"].to_list()):
        own = chosen.filter(pl.col("method") == method)
        found = {key: results.curves(key) for key in own["key"]}
        arl0 = next(iter(found.values()))["by_arl0_arl0"]
        values = []
        for number in range(len(arl0)):
            returns = pl.Series(
                "by_arl0", [float(found[key]["by_arl0_return"][number]) for key in own["key"]]
            )
            at = trigger_grid(rows, own.with_columns(returns), "by_arl0")
            # a limit that is missing in one scenario would compare different scenarios
            whole = np.isfinite(at).all() and at.shape == base.shape
            values.append(ns_interval(at, base, top, np.random.default_rng(0)) if whole else None)
        kept = [value for value in values if value is not None]
        if len(kept) == len(values):
            lines[method] = Curve(
                x=arl0,
                y=np.array([value.value for value in kept]),
                low=np.array([value.low for value in kept]),
                high=np.array([value.high for value in kept]),
            )
    best = sorted(lines, key=lambda name: -float(lines[name].y.mean()))[:SHOWN]
    return {name: lines[name] for name in best}
