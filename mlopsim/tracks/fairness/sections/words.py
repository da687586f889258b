"""What words mean in a report of the fairness track."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from mlopsim.core.registry import register
from mlopsim.core.section import Results, SectionMaker
from mlopsim.core.track import Section
from mlopsim.fairness.naming import GAP, RATIO, SPREAD


@register("section", "fairness-words")
@dataclass(kw_only=True)
class Words(SectionMaker):
    """Controls, norms and measures in words."""

    track: ClassVar[str] = "fairness"
    title: ClassVar[str] = "Words"
    order: ClassVar[float] = 90.0

    def make(self, results: Results) -> Section:
        """Make the text."""
        text = (
            "- **never**, **always**: no audit, a block in every window. **oracle**: blocks where the model "
            "violates the norm of the bias by more than is tolerated. It knows what harms, not what would "
            "be better: what it falls back on may harm more, so that it is no upper bound for what "
            "serves.\n- **equal treatment**: who is equal but for the group gets the same decision. **equal "
            "impact**: groups are accepted equally often. **equal error rates**: as the name says, by true "
            "labels.\n- **battery**: several audits together; it blocks where one of them stands too high "
            "on its chart, and has a limit as a whole.\n- **restricted delay**: windows from the onset to "
            "the first alarm; a bias that is missed counts all windows.\n- A **gap**, which audits test, is "
            f"{GAP}. A **spread**, by which a violation of equal error rates and rules of thumb are "
            f"measured, is the {SPREAD}; a **ratio** is the {RATIO}."
        )
        return Section(title=self.title, text=text)
