"""Which parts of the loop stand in for each other, and which need each other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from mlopsim.core.registry import register
from mlopsim.core.section import Results, SectionMaker, Unavailable
from mlopsim.core.track import Section


@register("section", "governance-together")
@dataclass(kw_only=True)
class GovernanceTogether(SectionMaker):
    """Interactions of all pairs of parts."""

    track: ClassVar[str] = "governance"
    title: ClassVar[str] = "Parts together"
    order: ClassVar[float] = 32
    needs: ClassVar[tuple[str, ...]] = ("return", "cost", "upper", "gate", "learned")

    def make(self, results: Results) -> Section | None:
        """Tabulate them (nothing, if fewer than two parts are on anywhere)."""
        from mlopsim.core.errors import ConfigError
        from mlopsim.tracks.governance.analysis import families
        from mlopsim.tracks.governance.worth import CoalitionalGame, pair_table

        try:
            game = CoalitionalGame.of(results.cells)
        except ConfigError as error:
            raise Unavailable(f"{error.message}: interactions need all combinations") from error
        if len(game.parts) < 2:
            return None
        text = (
            "Shapley interaction of two parts: by how much what one adds is larger where the other is on, "
            "averaged over what else is on. 0: neither depends on the other; below 0 in the return they "
            "stand in for each other, above 0 each makes more of the other. Columns as in Worth of the parts."
        )
        return Section(title=self.title, text=text, table=pair_table(families(results.cells), results.cells))
