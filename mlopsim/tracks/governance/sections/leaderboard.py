"""How near each method is to the front of return against cost, and whether it keeps the limits."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from mlopsim.core.registry import register
from mlopsim.core.section import Results, SectionMaker
from mlopsim.core.track import Section


@register("section", "governance-leaderboard")
@dataclass(kw_only=True)
class GovernanceLeaderboard(SectionMaker):
    """One row a method, best front score first."""

    track: ClassVar[str] = "governance"
    title: ClassVar[str] = "Leaderboard"
    order: ClassVar[float] = 10
    needs: ClassVar[tuple[str, ...]] = ("return", "cost")

    def make(self, results: Results) -> Section:
        """Draw and tabulate the leaderboard."""
        import polars as pl

        from mlopsim.plots.leaderboard import leaderboard as draw_leaderboard
        from mlopsim.plots.style import marks_for
        from mlopsim.tracks.cell_table import printed
        from mlopsim.tracks.governance.analysis import FACTS, pool
        from mlopsim.tracks.governance.fronts import FLOOR, Fronts
        from mlopsim.tracks.governance.sections._shared import named, warning
        from mlopsim.tracks.pooled_sweep import pooled_sweep

        board, warned = results.leaderboard, warning(results)
        figure = draw_leaderboard(
            board["method"].to_list(),
            board["front"].to_numpy(),
            board["front_low"].to_numpy(),
            board["front_high"].to_numpy(),
            board["front_n"].to_numpy(),
            xlabel="front score (0: never and suspended mixed, 1: clairvoyant bound, both at the same cost)",
            references={"mixed": 0.0, "bound": 1.0},
            marks=marks_for(board["method"].to_list()),
            note="95 % bootstrap over scenario seeds; n: scenario seeds",
        )
        tasks = pool(results.cells)
        fronts = Fronts.of(results.cells, results.curves, tasks)
        left = f"Left out: {named(fronts.left_out)}." if fronts.left_out else "None is left out."
        text = (
            "Front score: (R - B(C)) / (U(C) - B(C)) at the method's own cost C, both summed over the "
            f"{len(fronts.pooled)} of {len(tasks)} tasks that have a front with room for a score at some C. "
            f"{left} R is its return; U(C) bounds what a clairvoyant could earn with all parts on at a "
            "mean cost of C; B(C) is the best mixture of never acting and of suspending for good at that "
            f"cost. Undefined where U(C) - B(C) is below {FLOOR} a window. A score says nothing of limits: "
            "it compares at the cost that a method had.\n\n"
            f"A limit is met where the upper end of the 95 % interval of the mean cost is at most the limit "
            "(of limits on each window or on runs: where no deployment broke it). `met`: tasks in which a "
            "method meets all limits, of the `limited` whose limits `never` does not all meet; `broken`: "
            "tasks in which it does not, of the `easy` whose limits `never` meets by doing nothing; "
            f"`beyond`: by how much the worst upper end is above its limit, of all {len(tasks)} tasks. "
            "Return, cost and the columns after these are means over all of them.\n\n"
            "An arm is named by its parts (`none`, `all`); an arm without data gate is trained on other "
            "rows, and judged on the same, one without audits has versions that they would have stopped: "
            "U is not theirs, and they may lie above it. `optimum` is the clairvoyant's plan at price 0: it "
            "looks at the return only. Intervals: 95 % bootstrap that resamples seeds jointly over tasks; n "
            "counts seeds."
        )
        if "fit_met" in results.cells.columns:
            fits = results.cells.filter(pl.col("fit_met").is_not_null()).unique("fit")
            kept = int(fits["fit_met"].cast(pl.Int64).sum())
            text += (
                f"\n\nFits aim at limits that are kept on training scenarios: {kept} of {len(fits)} "
                "were shown to. The others are the least above the limits of what was tried: they "
                "were not chosen by their returns (**Budgets** tells which)."
            )
        if warned:
            text = f"**{warned[0].upper()}{warned[1:]}.**\n\n{text}"
        if swept := pooled_sweep(results.cells, results.sweep):
            text += f"\n\n{swept}"
        table = printed(board, FACTS)
        return Section(title=self.title, text=text, table=table, figures={"Leaderboard": figure})
