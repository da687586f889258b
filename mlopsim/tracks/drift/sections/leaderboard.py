"""The leaderboard of the drift track."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from mlopsim.core.registry import register
from mlopsim.core.section import Results, SectionMaker
from mlopsim.core.track import Section
from mlopsim.tracks.drift.realised_alarms import WORDS
from mlopsim.tracks.drift.sections._shared import asked_of, marks_of


@register("section", "drift-leaderboard")
@dataclass(kw_only=True)
class Leaderboard(SectionMaker):
    """Delay, recall and false alarms of each method over the tasks that all can be run on."""

    track: ClassVar[str] = "drift"
    title: ClassVar[str] = "Leaderboard"
    order: ClassVar[float] = 10.0
    needs: ClassVar[tuple[str, ...]] = ("restricted_delay",)

    def make(self, results: Results) -> Section:
        """Show the leaderboard, in groups by what methods read."""
        from mlopsim.plots.leaderboard import leaderboard as draw
        from mlopsim.tracks.cell_table import has_attributes, printed
        from mlopsim.tracks.drift.analysis import BY_CHANCE, FACTS, pooled_tasks
        from mlopsim.tracks.pooled_sweep import pooled_sweep

        board = results.leaderboard
        pool = pooled_tasks(results.cells)
        read = [str(reads) for reads in dict.fromkeys(board["reads"].drop_nulls().to_list())]
        groups = f"\ngroups, from the top, by what is read: {'; '.join(read)}" if len(read) > 1 else ""
        figure = draw(
            board["method"].to_list(),
            board["restricted_delay"].to_numpy(),
            board["restricted_delay_low"].to_numpy(),
            board["restricted_delay_high"].to_numpy(),
            board["restricted_delay_n"].to_numpy(),
            xlabel="restricted delay of rises, in rows",
            direction="none",
            marks=marks_of(results),
            digits=0,
            note=f"mean over {len(pool)} tasks; 95 % bootstrap over scenario seeds; n: seeds{groups}",
        )
        text = (
            f"{asked_of(results)} The delay is that of **rises** of the error of a model that does not "
            "change, as measured on the rows before and after each change; falls are never pooled with them "
            "and stand in Falls. A detector of one side (`sides`) looks for rises alone, one of both pays "
            "for both with the same false alarms. The delay of a rise that is missed counts as its whole "
            "window. `rank` is the mean rank of that delay within each task and seed, among calibrated "
            "methods that read the same and know nothing: a mean may hang on one task, a rank does not. "
            f"{WORDS}\n\nA method with so many alarms that as many at random places would find the "
            f"changes (chance recall above {BY_CHANCE:.0%}), like `always`, has no delay.\n\n"
            f"All methods meet the same tasks: those ({len(pool)} of {results.cells['task'].n_unique()}) in "
            "which every calibrated method that knows nothing beforehand can be run; the others are in "
            "Tasks. Whoever has no limit in one of them has no means here (recall and F1 over fewer laws are "
            "those of another question): on the tasks in which all have limits it is in Where all have "
            "limits. What methods **read** and **need** differs, so they stand in groups: errors take "
            "labels, inputs and outputs take none; controls, which read nothing, come last. Each group on "
            "all tasks that it shares is in By what is read. Compare methods that **know** the same."
        )
        if not has_attributes(results.cells):
            text += (
                "\n\nThese results are of a version that stored no attributes. What methods read, need and "
                "know is not known, and all of them, controls included, count as calibrated methods that "
                "know nothing: they are in one group, and the tasks are those that all of them share, or any "
                "if there is none."
            )
        if pooled := pooled_sweep(results.cells, results.sweep):
            text += f"\n\n{pooled}"
        table = printed(board, FACTS)
        return Section(title=self.title, text=text, table=table, figures={"Leaderboard": figure})
