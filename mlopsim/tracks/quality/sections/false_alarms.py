"""How often what is right is flagged."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from mlopsim.core.registry import register
from mlopsim.core.section import Results, SectionMaker, Unavailable
from mlopsim.core.track import Section


@register("section", "quality-false-alarms")
@dataclass(kw_only=True)
class QualityFalseAlarms(SectionMaker):
    """False-alarm rates of rows and of windows."""

    track: ClassVar[str] = "quality"
    title: ClassVar[str] = "False alarms"
    order: ClassVar[float] = 80
    needs: ClassVar[tuple[str, ...]] = ("false_alarm", "batch_false_alarm", "role", "stage")

    def make(self, results: Results) -> Section:
        """Tabulate the rates."""
        import polars as pl

        from mlopsim.stats.table import interval_columns
        from mlopsim.tracks.cell_table import axes_of, done, mean_of
        from mlopsim.tracks.quality.sections._shared import board_methods

        tasks = axes_of(results.cells)[1]
        rows = done(results.cells).filter(pl.col("false_alarm").is_finite() & (pl.col("stage") != "all"))
        flagged = set(rows["method"].to_list())
        methods = [method for method in board_methods(results) if method in flagged]
        if not methods:
            raise Unavailable("no gate flags rows here")
        frame = pl.DataFrame(
            {
                "method": methods,
                **{
                    column: values
                    for name in ("false_alarm", "batch_false_alarm")
                    for column, values in interval_columns(
                        name, [mean_of(results.cells, m, name, tasks) for m in methods]
                    ).items()
                },
            }
        )
        text = (
            "False-alarm rates: right rows, and windows without any wrong row, that are flagged. Limits are "
            "conformal: exact where rows have the law of the warm-up and are scored alone. Drift, scores "
            "that depend on other rows and the training sets of label checks make the difference. Windows of "
            "gates of rows are flagged at 1 %."
        )
        return Section(title=self.title, text=text, table=frame)
