"""What acting costs where there is nothing to gain."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from mlopsim.core.registry import register
from mlopsim.core.section import Results, SectionMaker
from mlopsim.core.track import Section


@register("section", "governance-against-never")
@dataclass(kw_only=True)
class GovernanceAgainstNever(SectionMaker):
    """Every arm less never, in families in which a clairvoyant gains next to nothing."""

    track: ClassVar[str] = "governance"
    title: ClassVar[str] = "Where there is nothing to gain"
    order: ClassVar[float] = 33
    needs: ClassVar[tuple[str, ...]] = ("return", "cost", "upper", "gate", "learned")

    def make(self, results: Results) -> Section | None:
        """Tabulate them (nothing, where there is something to gain in every family)."""
        from mlopsim.tracks.governance.analysis import families
        from mlopsim.tracks.governance.worth import FLOOR, against_never, without_gain

        some = without_gain(families(results.cells), results.cells)
        if not some:
            return None
        text = (
            f"Families in which U - R_never is below {FLOOR} a window. Every arm less `never`, paired by "
            "scenario: below 0 is what acting costs where nobody needs to act. There the worth of `gate`, "
            "`trigger`, `audits` and `rollback`, at one decider (**Worth by decider**), is the price of the "
            "part; that of `learned` is no price but the difference of two deciders, and each of them is "
            "told here against doing nothing. 95 % intervals."
        )
        return Section(title=self.title, text=text, table=against_never(some, results.cells))
