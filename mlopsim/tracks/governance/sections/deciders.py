"""What the parts are worth where a rule decides, and where a learned selector does."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from mlopsim.core.registry import register
from mlopsim.core.section import Results, SectionMaker, Unavailable
from mlopsim.core.track import Section


@register("section", "governance-deciders")
@dataclass(kw_only=True)
class GovernanceDeciders(SectionMaker):
    """Shapley values of gate, trigger, audits and rollback, by who decides."""

    track: ClassVar[str] = "governance"
    title: ClassVar[str] = "Worth by decider"
    order: ClassVar[float] = 31
    needs: ClassVar[tuple[str, ...]] = ("return", "cost", "upper", "gate", "learned")

    def make(self, results: Results) -> Section | None:
        """Tabulate them (nothing, where only one of the two decides)."""
        from mlopsim.core.errors import ConfigError
        from mlopsim.tracks.cell_table import facts
        from mlopsim.tracks.governance.analysis import families
        from mlopsim.tracks.governance.worth import decider_table

        if set(facts(results.cells, "learned").values()) - {None} != {False, True}:
            return None
        try:
            table = decider_table(families(results.cells), results.cells)
        except ConfigError as error:
            raise Unavailable(f"{error.message}: worths need all combinations") from error
        text = (
            "Shapley values of the other parts over the arms in which a rule decides (`rule`), and over "
            "those in which a learned selector does. **Worth of the parts** averages over both: where they "
            "differ, in sign or in size, its mean is of nobody, and what is to be said is said here. A part "
            "that takes return and takes cost off moves along the front; only one that takes both, or adds "
            "cost and return alike, is told by return alone. Columns as there."
        )
        return Section(title=self.title, text=text, table=table)
