"""What tuning and training took."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from mlopsim.core.registry import register
from mlopsim.core.section import Results, SectionMaker, Unavailable
from mlopsim.core.track import Section


@register("section", "delivery-budgets")
@dataclass(kw_only=True)
class DeliveryBudgets(SectionMaker):
    """Steps of the environment and seconds of the processor, by method."""

    track: ClassVar[str] = "delivery"
    title: ClassVar[str] = "Budgets"
    order: ClassVar[float] = 60

    def make(self, results: Results) -> Section | None:
        """Tabulate both (nothing, if nothing was tuned or trained); the seconds are no result."""
        import polars as pl

        from mlopsim.tracks.delivery.sections._shared import settings

        cells = results.cells
        if "fit" not in cells.columns or cells["fit"].null_count() == len(cells):
            return None
        if not {"fit_steps", "fit_seconds"} <= set(cells.columns):
            raise Unavailable("these cells do not say what their fits took")
        fits = cells.filter(pl.col("fit").is_not_null()).unique("fit", keep="first", maintain_order=True)
        seconds = pl.col("fit_seconds")
        table = fits.group_by("method", maintain_order=True).agg(
            pl.len().alias("fits"),
            pl.col("fit_steps").mean().alias("steps"),
            seconds.mean().alias("cpu_seconds"),
            seconds.min().alias("least"),
            seconds.max().alias("most"),
        )
        text = (
            f"What a method's fits took, each of which could use {settings(results).steps:,} steps: the mean "
            "of the steps of the environment (search, training and final choice together), and mean, least "
            "and most seconds of the processor. Budgets are equal in steps, not in seconds. Seconds are "
            "those of the machines that made the fits, and no result. Methods without a row have nothing to "
            "tune or train."
        )
        return Section(title=self.title, text=text, table=table)
