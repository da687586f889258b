"""How long before harm batteries raise an alarm."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from mlopsim.core.registry import register
from mlopsim.core.section import Results, SectionMaker
from mlopsim.core.text import code_span
from mlopsim.core.track import Section


@register("section", "fairness-lead")
@dataclass(kw_only=True)
class Lead(SectionMaker):
    """Windows from the alarm of each battery to the harm, and the paired differences to the first."""

    track: ClassVar[str] = "fairness"
    title: ClassVar[str] = "Lead time"
    order: ClassVar[float] = 40.0
    needs: ClassVar[tuple[str, ...]] = ("lead", "power", "scenario", "battery")

    def make(self, results: Results) -> Section | None:
        """Make a table; None with fewer than two batteries, or where no harm follows."""
        import polars as pl

        from mlopsim.stats.table import interval_columns
        from mlopsim.tracks.cell_table import done, mean_of
        from mlopsim.tracks.fairness.analysis import batteries, biased, difference, scenarios

        table = results.cells
        together = batteries(table)
        known = set(done(table).filter(pl.col("lead").is_finite())["task"].to_list())
        harmed = [task for task in biased(table) if task in known]
        if len(together) < 2 or not harmed:
            return None
        base = together[0]
        rows = [
            (
                name,
                battery,
                mean_of(table, battery, "lead", tasks),
                difference(table, battery, base, "lead", tasks),
            )
            for name, tasks in scenarios(table, harmed).items()
            for battery in together
        ]
        frame = pl.DataFrame(
            {
                "scenario": [row[0] for row in rows],
                "battery": [row[1] for row in rows],
                **interval_columns("lead", [row[2] for row in rows]),
                **interval_columns("difference", [row[3] for row in rows]),
            }
        )
        text = (
            "Windows from the battery's first alarm after the onset to the harm: the first window in which "
            "the model violates the norm of the bias by more than is tolerated. Above 0: the alarm comes "
            "first. A bias that is missed counts as found at the end. **difference**: to "
            f"{code_span(base)}, paired over seeds. Only deployments in which harm follows; the section "
            "Label delay has those whose labels are late beside those whose labels are not."
        )
        return Section(title=self.title, text=text, table=frame)
