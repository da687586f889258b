"""A section of one's own in reports of the delivery track: `mlopsim report DIR --plugin section.py`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import polars as pl

import mlopsim


@mlopsim.register("section", "retrains")
@dataclass(kw_only=True)
class Retrains(mlopsim.SectionMaker):
    """How often each method retrained.

    Examples
    --------
    >>> Retrains().title
    'Retrains by method'
    """

    track: ClassVar[str] = "delivery"
    title: ClassVar[str] = "Retrains by method"
    needs: ClassVar[tuple[str, ...]] = ("retrains",)

    def make(self, results: mlopsim.Results) -> mlopsim.Section:
        """Return a table of means."""
        done = results.cells.filter(pl.col("status") == "done")
        if not len(done):
            raise mlopsim.Unavailable("no cell is done yet")
        means = done.group_by("method", maintain_order=True).agg(pl.col("retrains").mean(), n=pl.len())
        return mlopsim.Section(title=self.title, text="Means over tasks and seeds.", table=means)
