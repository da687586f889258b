"""What a reviewer changes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from mlopsim.core.registry import register
from mlopsim.core.section import Results, SectionMaker
from mlopsim.core.track import Section


@register("section", "governance-reviewers")
@dataclass(kw_only=True)
class GovernanceReviewers(SectionMaker):
    """Return and cost under each reviewer, on the same scenarios."""

    track: ClassVar[str] = "governance"
    title: ClassVar[str] = "Reviewers"
    order: ClassVar[float] = 60
    needs: ClassVar[tuple[str, ...]] = ("return", "cost", "denied", "conditions", "review")

    def make(self, results: Results) -> Section | None:
        """Tabulate them (nothing, where no two tasks differ in their reviewer only)."""
        from mlopsim.core.text import code_span
        from mlopsim.tracks.governance.analysis import reviewer_groups, reviewer_table

        groups = reviewer_groups(results.cells)
        if not groups:
            return None
        first = next(iter(next(iter(groups.values()))))
        text = (
            "Tasks that differ in nothing but who approves versions: the same scenarios. A reviewer that is "
            "named with `fits of` another task is met by the rules and agents that were tuned and trained "
            "for that one: what changes is what its verdicts do. Under the others each method was tuned or "
            "trained anew, and may have been chosen by another criterion (**Budgets**: whether limits were "
            "kept), so a change holds what fitting made of the reviewer, too. "
            f"`return_change` and `cost_change` are against {code_span(first)}, paired by scenario; `denied` "
            "counts versions that the reviewer denied. The leaderboard and the sections before this one "
            "leave the other reviewers' tasks out. Reviewers differ in how long they take and in how well "
            "they tell versions apart: only those with the same delay show the second by itself, and one who "
            "denies nothing (`delayed`) shows what waiting alone costs. 95 % intervals over seeds."
        )
        return Section(title=self.title, text=text, table=reviewer_table(results.cells))
