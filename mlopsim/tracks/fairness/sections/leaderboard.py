"""Which method finds how many of the biases, at which rate of false blocks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from mlopsim.core.registry import register
from mlopsim.core.section import Results, SectionMaker
from mlopsim.core.track import Section

if TYPE_CHECKING:
    import polars as pl


@register("section", "fairness-leaderboard")
@dataclass(kw_only=True)
class Leaderboard(SectionMaker):
    """Power of every method over all tasks with a bias; those whose limit is not calibrated stand apart."""

    track: ClassVar[str] = "fairness"
    title: ClassVar[str] = "Leaderboard"
    order: ClassVar[float] = 10.0
    needs: ClassVar[tuple[str, ...]] = ("power", "false_block")

    def make(self, results: Results) -> Section:
        """Make the table, a figure of what has the same limit, and one of rules of thumb."""
        import polars as pl

        from mlopsim.tracks.cell_table import axes_of, printed
        from mlopsim.tracks.fairness.analysis import FACTS, MORE_FACTS, biased, fair, usual
        from mlopsim.tracks.fairness.fits import Calibration
        from mlopsim.tracks.fairness.sections._shared import settings_of, under
        from mlopsim.tracks.pooled_sweep import pooled_sweep

        board, table = results.leaderboard, results.cells
        alpha = Calibration.of(settings_of(results).calibration).alpha
        wrong, right = usual(table, biased(table)), usual(table, fair(table))
        text = (
            f"**power**: share of the deployments with a bias in which it is found, over {len(wrong)} tasks. "
            "Every audit, and every battery as a whole, has a limit at which "
            f"{alpha:.0%} of the deployments without bias are blocked at least once; rules of thumb "
            "(`@rule`) keep theirs. **false block**: the same in the "
            f"{len(right)} tasks without bias of this suite, where the people of {len(axes_of(table)[0])} "
            "seeds are met again and again (the section False blocks has the rates in many more "
            "deployments); **unequal block**: where groups differ and nothing is wrong. No average replaces "
            "the table by scenario: what is found depends on the bias."
        )
        text += under(table, [*wrong, *right])
        references: dict[str, float] = {}
        if board["limit"].null_count() == board.height:
            text += (
                "\n\nThe version that ran this stored no facts about methods: which of them are controls or "
                "rules of thumb and what they read and need is not known here, and all stand in one list."
            )
            parts = {"Leaderboard": board}
        else:
            text += (
                "\n\nAll methods meet the same deployments, which is why they stand in one table. They are "
                "not given the same: **needs** says what somebody must have beside features and decisions "
                "before the method can look (labels, who is in which group, the model itself), **reads** "
                "what of a deployment it looks at. Their rates of false blocks are equal only where "
                "**limit** is calibrated: rules of thumb (given) and controls (none) stand below these, and "
                "their power is not comparable."
            )
            of = {name: board.filter(pl.col("limit") == name) for name in ("calibrated", "given", "none")}
            parts = {"Leaderboard": of["calibrated"], "Rules of thumb": of["given"]}
            if wrong:
                # controls that look at nothing find all or none by what they are
                looking = of["none"].filter(pl.col("reads") != "nothing")
                references = dict(looking.select("method", "power").iter_rows())
        figures = {}
        if wrong:
            note = f"{len(wrong)} tasks with a bias; 95 % bootstrap over scenario seeds; n: seeds"
            figures = {name: _drawn(part, references, note) for name, part in parts.items() if part.height}
        if pooled := pooled_sweep(results.cells, results.sweep):
            text += f"\n\n{pooled}"
        shown = printed(board, (*FACTS, *MORE_FACTS))
        return Section(title=self.title, text=text, table=shown, figures=figures)


def _drawn(board: pl.DataFrame, references: Mapping[str, float], note: str) -> object:
    from mlopsim.plots.leaderboard import leaderboard
    from mlopsim.plots.style import marks_for

    return leaderboard(
        board["method"].to_list(),
        *(board[name].to_numpy() for name in ("power", "power_low", "power_high", "power_n")),
        xlabel="share of the biases that are found",
        marks=marks_for(board["method"].to_list()),
        references=references,
        note=note,
    )
