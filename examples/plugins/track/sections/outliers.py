"""A section of the track `centre`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import polars as pl

import mlopsim


@mlopsim.register("section", "centre-outliers")
@dataclass(kw_only=True)
class Outliers(mlopsim.SectionMaker):
    """The distance of each method by the share of outliers, a fact about the task.

    Examples
    --------
    >>> Outliers().needs
    ('outliers', 'distance')
    """

    track: ClassVar[str] = "centre"
    title: ClassVar[str] = "Distance by share of outliers"
    needs: ClassVar[tuple[str, ...]] = ("outliers", "distance")

    def make(self, results: mlopsim.Results) -> mlopsim.Section:
        """Return a table and a figure."""
        from matplotlib.figure import Figure

        means = (
            results.cells.filter(pl.col("status") == "done")
            .group_by("method", "outliers", maintain_order=True)
            .agg(pl.col("distance").mean(), n=pl.len())
        )
        figure = Figure()
        axes = figure.subplots()
        for (method,), rows in means.group_by("method", maintain_order=True):
            axes.plot(rows["outliers"], rows["distance"], "o-", label=method)
        axes.set(xlabel="share of outliers", ylabel="distance (sd)")
        axes.legend()
        return mlopsim.Section(
            title=self.title, text="Means over seeds.", table=means, figures={"distance by outliers": figure}
        )
