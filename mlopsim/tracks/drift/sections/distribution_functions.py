"""What stood behind an alarm: two empirical distribution functions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from mlopsim.core.registry import register
from mlopsim.core.section import Results, SectionMaker
from mlopsim.core.text import code_span
from mlopsim.core.track import Section

#: pictures of two distribution functions, at most
PICTURES = 3


@register("section", "drift-distribution-functions")
@dataclass(kw_only=True)
class DistributionFunctions(SectionMaker):
    """The two samples behind the first right alarm of a pictured detector on some tasks."""

    track: ClassVar[str] = "drift"
    title: ClassVar[str] = "Distribution functions"
    order: ClassVar[float] = 100.0
    needs: ClassVar[tuple[str, ...]] = ("channel",)

    def make(self, results: Results) -> Section | None:
        """Draw those with the smallest p-values; nothing where no cell keeps its samples."""
        import polars as pl

        from mlopsim.numerics.ecdf import two_cdfs
        from mlopsim.plots.cdf import cdf
        from mlopsim.tracks.drift.analysis import through

        rows = through(results.cells, "inputs").filter(pl.col("seed") == 0)
        shown = []
        for row in rows.select("key", "task", "method").iter_rows(named=True):
            found = results.curves(row["key"])
            if "cdf_place" in found:
                both = two_cdfs(found["cdf_reference"], found["cdf_window"])
                p = both.pvalue * int(found["cdf_place"][1])
                shown.append((p, row["task"], row["method"], both, found["cdf_place"]))
        figures: dict[str, Any] = {}
        methods = list(dict.fromkeys(entry[2] for entry in shown))
        # in many tasks only the labels change: there an alarm is a chance one
        for _, task, method, both, place in sorted(shown, key=lambda entry: entry[:3])[:PICTURES]:
            feature, features, window = (int(v) for v in place)
            whose = f"{task}, {method}" if len(methods) > 1 else task
            figures[f"Distribution functions: {whose}"] = cdf(
                both,
                names=("reference", f"window {window}"),
                xlabel=f"feature {feature}, standardised",
                note=f"{whose}, seed 0; the most distant of {features} features",
            )
        if not figures:
            return None
        names = ", ".join(map(code_span, methods))
        text = (
            f"The two empirical distribution functions at the first alarm of {names} after a change, with "
            "the "
            f"Kolmogorov-Smirnov distance and the confidence bands: of the {len(shown)} cases with such an "
            "alarm those with the smallest p-values; p in the figure is not corrected for the number of "
            "features."
        )
        return Section(title=self.title, text=text, figures=figures)
