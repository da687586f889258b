"""Results from a table of cells at hand, beside those of a folder: what sections read."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from mlopsim.core.combinations import combinations
from mlopsim.core.track import Attribute, Track, sum_up

if TYPE_CHECKING:
    import polars as pl


@dataclass(kw_only=True)
class TableResults:
    """A table of cells as :class:`mlopsim.core.section.Results`, whatever it comes from.

    :class:`mlopsim.compose.results.Results` are those of one grid in one folder. A table that is in no
    folder as it stands (cells of several folders joined, some filtered, columns renamed; made by hand in a
    test) becomes sections through this one.

    Parameters
    ----------
    track : Track
        With its settings.
    cells : polars.DataFrame
        One row a cell.
    read : callable
        Cell key to its stored series.
    sweep : mapping
        Swept keys, which are columns of the cells, with their values.
    zipped : bool, default False
        Whether these go in pairs; otherwise every combination is compared.
    """

    track: Track
    cells: pl.DataFrame
    read: Callable[[str], Mapping[str, np.ndarray]]
    sweep: Mapping[str, Sequence[Attribute]] = field(default_factory=dict)
    zipped: bool = False

    @cached_property
    def leaderboard(self) -> pl.DataFrame:
        """One row a method, as the track sums it up."""
        board: Any = sum_up(self.track, self.cells, self.read)
        found: pl.DataFrame = board
        return found

    @property
    def sweep_points(self) -> Sequence[Mapping[str, Attribute]]:
        """The combinations of the swept values that are compared."""
        return combinations(self.sweep, zipped=self.zipped)

    def curves(self, key: str) -> Mapping[str, np.ndarray]:
        """Return the stored series of a cell."""
        return self.read(key)
