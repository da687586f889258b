"""Time out of compliance."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from mlopsim.core.registry import register
from mlopsim.core.section import Results, SectionMaker
from mlopsim.core.track import Section


@register("section", "governance-compliance")
@dataclass(kw_only=True)
class GovernanceCompliance(SectionMaker):
    """Share of windows with a violation, and their longest run, by family and method."""

    track: ClassVar[str] = "governance"
    title: ClassVar[str] = "Time out of compliance"
    order: ClassVar[float] = 50
    needs: ClassVar[tuple[str, ...]] = ("out", "longest", "suspended", "gate")

    def make(self, results: Results) -> Section:
        """Tabulate them, and draw the methods that figures name."""
        from mlopsim.plots.interval_panels import interval_panels
        from mlopsim.plots.style import marks_for
        from mlopsim.tracks.governance.analysis import compliance_table, telling
        from mlopsim.tracks.governance.pictures import by_family, counts

        table = compliance_table(results.cells)
        names = telling(results.cells)
        rows = [name for name in results.leaderboard["method"].to_list() if name in names]
        figure = interval_panels(
            rows,
            by_family(table, "method", rows, "out"),
            xlabel="share of windows",
            marks=marks_for(rows),
            note=f"windows with a violation; 95 % bootstrap, n = {counts([table['out_n']])} "
            "scenario seeds\narms with none, one and all parts on, and what is no arm",
            digits=2,
        )
        text = (
            "`out`: share of windows in which what served violated a constraint of the task, by the truth; "
            "`longest`: the longest run of such windows, which a mean cannot tell from many short ones; "
            "`suspended`: share of windows that the fallback served, which violates nothing; and how often a "
            "deployment retrained, saw an alarm, had a version refused, went back to an older one. A part "
            "that hardly acted in a family is not judged there. Means over scenarios, with 95 % intervals "
            "over seeds."
        )
        return Section(title=self.title, text=text, table=table, figures={"Out of compliance": figure})
