"""Features that say nothing any more."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from mlopsim.core.registry import register
from mlopsim.streams.injectors.base import ColumnInjector
from mlopsim.streams.stream import Stream


@register("injector", "irrelevant_feature")
@dataclass(kw_only=True)
class IrrelevantFeature(ColumnInjector):
    r"""Values of some columns are drawn from other rows: the column keeps its law and tells nothing.

    Values of the rows that are hit are exchanged among themselves within each window, none keeping its own
    place (where there are two at least).

    :math:`x_{ij} \leftarrow x_{\pi(i) j}` with a random cyclic order :math:`\pi` of the rows that are hit in
    a window.

    Parameters
    ----------
    features : list of str
        Columns that are hit; empty: drawn by the seed.
    count : int, default 1
        How many are drawn where ``features`` is empty.

    Notes
    -----
    It stands for a join on a wrong key. No test of single columns sees it.

    Examples
    --------
    >>> from mlopsim import make
    >>> source = make("stream", "corrupted", base={"bundled": {"dataset": "wine"}}, rate=1.0,
    ...               injector={"irrelevant_feature": {"features": ["ash"]}}, timing={"step": {"at": 10}})
    >>> seed = np.random.SeedSequence(0)
    >>> clean, stream = source.clean(seed), source.generate(seed)
    >>> bool((np.sort(clean.X[100:110, 2]) == np.sort(stream.X[100:110, 2])).all())
    True
    """

    takes: ClassVar[str] = "any"

    def spoilt(self, stream: Stream, column: int, chosen: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Return the values in another order, window by window."""
        place = np.flatnonzero(chosen)
        window = np.searchsorted(stream.bounds, place, side="right") - 1
        found: np.ndarray = stream.X[chosen, column]
        for t in np.unique(window):
            ring = rng.permutation(np.flatnonzero(window == t))
            found[ring] = stream.X[place[np.roll(ring, 1)], column]
        return found
