"""A sensor that repeats itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from mlopsim.core.registry import register
from mlopsim.streams.injectors.base import Aim, ColumnInjector, Corrupted
from mlopsim.streams.stream import Stream


@register("injector", "stuck_sensor")
@dataclass(kw_only=True)
class StuckSensor(ColumnInjector):
    r"""Some columns keep their last value for a run of rows in each window.

    The run covers the asked share of the window and begins at a place that the seed draws; the value is that
    of the row before it.

    :math:`x_{ij} \leftarrow x_{(f - 1) j}` for the rows :math:`f \le i < f + \ell` of a window, whose number
    :math:`\ell` is the asked share of it.

    Parameters
    ----------
    features : list of str
        Columns that are hit; empty: drawn by the seed.
    count : int, default 1
        How many are drawn where ``features`` is empty.

    Notes
    -----
    It stands for a sensor that hangs. Single values are right; only their run is not.

    Examples
    --------
    >>> from mlopsim import make
    >>> source = make("stream", "corrupted", base={"bundled": {"dataset": "wine"}}, rate=0.5,
    ...               injector={"stuck_sensor": {"features": ["ash"]}}, timing={"step": {"at": 16}})
    >>> stream = source.generate(np.random.SeedSequence(0))
    >>> len(np.unique(stream.X[160:, 2])) <= 6
    True
    """

    takes: ClassVar[str] = "any"
    own_order: ClassVar[bool] = True

    def apply(self, stream: Stream, aim: Aim) -> Corrupted:
        """Repeat the value before each run."""
        X = stream.X.copy()
        rows = np.zeros(len(stream.y), dtype=np.bool_)
        for column in self.columns(stream, aim.rng):
            for t in np.flatnonzero(aim.share > 0.0):
                start, stop = int(stream.bounds[t]), int(stream.bounds[t + 1])
                length = int(aim.share[t] * (stop - start) + aim.rng.random())
                first = start + int(aim.rng.integers(stop - start - length + 1))
                X[first : first + length, column] = stream.X[first - 1, column]
                rows[first : first + length] = True
        return Corrupted.of(stream, X, stream.y, rows)
