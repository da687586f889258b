"""How far each method is from never retraining and from the bound."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from mlopsim.core.registry import register
from mlopsim.core.section import Results, SectionMaker
from mlopsim.core.text import code_span
from mlopsim.core.track import Section


@register("section", "delivery-leaderboard")
@dataclass(kw_only=True)
class DeliveryLeaderboard(SectionMaker):
    """One row a method, best NS first."""

    track: ClassVar[str] = "delivery"
    title: ClassVar[str] = "Leaderboard"
    order: ClassVar[float] = 10
    needs: ClassVar[tuple[str, ...]] = ("return", "upper")

    def make(self, results: Results) -> Section:
        """Draw and tabulate the leaderboard."""
        from mlopsim.plots.leaderboard import leaderboard as draw_leaderboard
        from mlopsim.plots.style import marks_for
        from mlopsim.tracks.cell_table import has_attributes, printed
        from mlopsim.tracks.delivery.analysis import FACTS
        from mlopsim.tracks.delivery.sections._shared import lines, warning
        from mlopsim.tracks.pooled_sweep import pooled_sweep

        board, warned = results.leaderboard, warning(results)
        figure = draw_leaderboard(
            board["method"].to_list(),
            board["ns"].to_numpy(),
            board["ns_low"].to_numpy(),
            board["ns_high"].to_numpy(),
            board["ns_n"].to_numpy(),
            xlabel="normalised score NS (0: never retrain, 1: upper bound of the clairvoyant optimum)",
            references={"never": 0.0, "bound U": 1.0},
            marks=marks_for(board["method"].to_list()),
            note=lines("95 % paired bootstrap over scenario seeds; n: scenario seeds", warned),
        )
        text = (
            "NS = sum(R - R_never) / sum(U - R_never) over paired scenarios, with a 95 % bootstrap interval "
            "that resamples seeds jointly over all tasks; n counts seeds. Regret is U - R (reward a "
            "window).\n\nTasks on one real stream are left out of this pool, and so are those with another "
            "feedback than the first task's: see Tasks and Feedback.\n\n"
            "The row `oracle` is a feasible plan made with hindsight: the optimum lies between it and 1. "
            "`bracket` is the width of that gap, sum(U - R_oracle) / sum(U - R_never) over the scenarios of "
            "the row: against the plan, NS would be NS / (1 - bracket).\n\n"
        )
        text += (
            "All methods stand in one table because they have the same tasks and are paid by the same "
            "rewards. They do not read and need the same (columns): rules that read inputs, or nothing, need "
            "no labels; the observation of linear scores and agents holds both; references need hindsight, "
            "and nobody can deploy them."
            if has_attributes(results.cells)
            else "What the methods are, read and need is not known of cells of an earlier version: methods "
            "that need labels or hindsight stand here among others."
        )
        if warned:
            warned = warning(results, code_span)
            text = f"**{warned[0].upper()}{warned[1:]}.**\n\n{text}"
        if pooled := pooled_sweep(results.cells, results.sweep):
            text += f"\n\n{pooled}"
        robust = [name for name in board.columns if name.startswith(("iqm", "p_improvement"))]
        shown = printed(board.drop(robust), FACTS)
        return Section(title=self.title, text=text, table=shown, figures={"Leaderboard": figure})
