"""Which gate recovers most of what is lost."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from mlopsim.core.registry import register
from mlopsim.core.section import Results, SectionMaker
from mlopsim.core.track import Section


@register("section", "quality-leaderboard")
@dataclass(kw_only=True)
class QualityLeaderboard(SectionMaker):
    """One row a method, the largest recovered share first."""

    track: ClassVar[str] = "quality"
    title: ClassVar[str] = "Leaderboard"
    order: ClassVar[float] = 10
    needs: ClassVar[tuple[str, ...]] = ("score", "recall")

    def make(self, results: Results) -> Section:
        """Draw and tabulate the leaderboard."""
        from mlopsim.plots.leaderboard import leaderboard as draw_leaderboard
        from mlopsim.plots.style import marks_for
        from mlopsim.tracks.cell_table import has_attributes, printed
        from mlopsim.tracks.pooled_sweep import pooled_sweep
        from mlopsim.tracks.quality.analysis import FACTS, with_errors
        from mlopsim.tracks.quality.sections._shared import floor_of, tasks_with_losses

        board, lost = results.leaderboard, tasks_with_losses(results)
        figure = draw_leaderboard(
            board["method"].to_list(),
            board["recovered"].to_numpy(),
            board["recovered_low"].to_numpy(),
            board["recovered_high"].to_numpy(),
            board["recovered_n"].to_numpy(),
            xlabel="share of the lost accuracy that is recovered",
            references={"no gate": 0.0, "clean data": 1.0},
            marks=marks_for(board["method"].to_list()),
            note=f"{len(lost)} tasks in which something is lost; 95 % bootstrap over n scenario seeds",
        )
        text = (
            f"**recovered** = sum(S_gate - S_none) / sum(S_clean - S_none) over {len(lost)} of "
            f"{len(with_errors(results.cells))} tasks with errors: those that lose {floor_of(results):g} of "
            "accuracy or more without a gate, its 95 % interval above 0. All methods meet the same "
            "scenarios; S is the accuracy of what serves on the clean rows. Negative: worse than no gate. "
            "`@train`, `@test`: the gate at that stage; without: before training.\n\n"
        )
        text += (
            "The methods stand in one table because tasks, rows and the accuracy that they are judged by are "
            "the same. What they need is not: gates at training and release tests look at labels "
            "(**needs**), others at features only; `clean` and `oracle` know the truth (**known**) and are "
            "no gates that anybody could use."
            if has_attributes(results.cells)
            else "What the methods are and need is not known of cells of an earlier version: gates that look "
            "at labels stand here among those that do not, and controls among gates."
        )
        if pooled := pooled_sweep(results.cells, results.sweep):
            text += f"\n\n{pooled}"
        return Section(
            title=self.title, text=text, table=printed(board, FACTS), figures={"Leaderboard": figure}
        )
