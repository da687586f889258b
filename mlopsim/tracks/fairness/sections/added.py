"""What one battery adds to another."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from mlopsim.core.registry import register
from mlopsim.core.section import Results, SectionMaker
from mlopsim.core.track import Section

#: all scenarios together, as the table calls them
EVERYTHING = "(all)"


@register("section", "fairness-added")
@dataclass(kw_only=True)
class Added(SectionMaker):
    """How much more two batteries find together than one of them, at the same rate of false blocks."""

    track: ClassVar[str] = "fairness"
    title: ClassVar[str] = "What audits add"
    order: ClassVar[float] = 35.0
    needs: ClassVar[tuple[str, ...]] = ("power", "restricted_delay", "scenario", "strength", "audits")

    def make(self, results: Results) -> Section | None:
        """Make a table and a figure a pair; None where no battery is two others, or nothing is wrong."""
        import polars as pl

        from mlopsim.stats.table import interval_columns
        from mlopsim.tracks.cell_table import mean_of
        from mlopsim.tracks.fairness.analysis import additions, biased, difference, scenarios, usual
        from mlopsim.tracks.fairness.sections._shared import ranking, under

        table = results.cells
        triples, wrong = additions(table), biased(table)
        if not triples or not wrong:
            return None
        groups = {EVERYTHING: usual(table, wrong), **scenarios(table, wrong)}
        rows = [
            (
                (added, to),
                name,
                mean_of(table, to, "power", tasks),
                difference(table, both, to, "power", tasks),
                difference(table, to, both, "restricted_delay", tasks),
            )
            for added, to, both in triples
            for name, tasks in groups.items()
        ]
        frame = pl.DataFrame(
            {
                "scenario": [row[1] for row in rows],
                "added": [row[0][0] for row in rows],
                "to": [row[0][1] for row in rows],
                **interval_columns("power", [row[2] for row in rows]),
                **interval_columns("gain", [row[3] for row in rows]),
                **interval_columns("sooner", [row[4] for row in rows]),
            }
        )
        text = (
            "What a battery finds beyond another one: both together, under one limit that blocks as many "
            "deployments without bias, against the other alone. **power**: of the other alone; **gain**: "
            "power of both less that; **sooner**: windows by which both are sooner (a bias that is missed "
            "counts all windows). Paired over seeds; means over strengths. Whoever adds tests pays with a "
            "higher limit for each: below 0 they cost more than they find. An interval that contains 0 "
            f"shows nothing either way. {EVERYTHING}: over {len(groups[EVERYTHING])} tasks."
            + under(table, groups[EVERYTHING])
        )
        figures = {}
        for pair in dict.fromkeys(row[0] for row in rows):
            chosen = [row for row in rows if row[0] == pair]
            figures[f"Gain, {pair[0]} added to {pair[1]}"] = ranking(
                [row[1] for row in chosen],
                [row[3] for row in chosen],
                xlabel="power of both less power of the one",
                references={"nothing added": 0.0},
            )
        return Section(title=self.title, text=text, table=frame, figures=figures)
