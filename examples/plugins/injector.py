"""An injector of one's own: `mlopsim corrupt data.csv --label y --plugin injector.py --type rounded`."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

import mlopsim
from mlopsim.streams import ColumnInjector, Stream


@mlopsim.register("injector", "rounded")
@dataclass(kw_only=True)
class Rounded(ColumnInjector):
    """Values of some numeric columns lose their digits: they are rounded to multiples of a step.

    Parameters
    ----------
    features : list of str
        Columns that are hit; empty: drawn by the seed.
    count : int
        How many are drawn where ``features`` is empty.
    step : float
        Multiples of it are left.

    Examples
    --------
    >>> source = mlopsim.make("stream", "corrupted", base={"bundled": {"dataset": "wine"}},
    ...     injector={"rounded": {"features": ["ash"]}}, rate=1.0, timing={"step": {"at": 10}})
    >>> stream = source.generate(np.random.SeedSequence(0))
    >>> sorted(set(stream.X[stream.corrupted].tolist()))[:2]
    [1.5, 2.0]
    """

    step: float = 0.5

    def usable(self, stream: Stream, column: int) -> np.ndarray:
        """Return the rows whose value is no such multiple."""
        values = stream.X[:, column]
        found: np.ndarray = super().usable(stream, column) & (self._rounded(values) != values)
        return found

    def spoilt(self, stream: Stream, column: int, chosen: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Return the rounded values."""
        return self._rounded(stream.X[chosen, column])

    def _rounded(self, values: np.ndarray) -> np.ndarray:
        return np.round(values / self.step) * self.step
