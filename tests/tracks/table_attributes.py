"""Attributes of tasks and methods put into a table of cells."""

from __future__ import annotations

import polars as pl

from mlopsim.bench.suite import Suite


def with_attributes(frame: pl.DataFrame, suite: Suite) -> pl.DataFrame:
    """Return a table with the attributes of a suite's tasks and methods as columns."""
    for of, members in (("task", suite.tasks), ("method", suite.methods)):
        known = pl.DataFrame([{of: member.name, **member.attributes} for member in members])
        frame = frame.join(known, on=of, how="left", maintain_order="left")
    return frame
