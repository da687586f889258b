"""Categories that become one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from mlopsim.core.errors import DataError
from mlopsim.core.registry import register
from mlopsim.streams.injectors.base import ColumnInjector, history
from mlopsim.streams.stream import Stream


@register("injector", "merged_categories")
@dataclass(kw_only=True)
class MergedCategories(ColumnInjector):
    r"""The second most frequent category of a column is recorded as the most frequent one.

    Only rows of that category can be hit: the rate is a share of these.

    With the warm-up's most frequent categories :math:`c_1` and :math:`c_2`: :math:`x_{ij} \leftarrow c_1`
    where :math:`x_{ij} = c_2` and the row is hit.

    Parameters
    ----------
    features : list of str
        Columns that are hit; empty: drawn by the seed.
    count : int, default 1
        How many are drawn where ``features`` is empty.

    Notes
    -----
    It stands for a new code list. No value is unseen, only shares change.

    Examples
    --------
    >>> from mlopsim import make
    >>> source = make("stream", "corrupted", base={"synthetic": {"concept": "agrawal"}}, rate=1.0,
    ...               injector="merged_categories", timing={"step": {"at": 30}})
    >>> stream = source.generate(np.random.SeedSequence(0))
    >>> column = int(stream.corrupted.any(axis=0).argmax())
    >>> before, after = stream.X[:3000, column], stream.X[3000:, column]
    >>> len(np.unique(before)) - len(np.unique(after))
    1
    """

    takes: ClassVar[str] = "categorical"

    def usable(self, stream: Stream, column: int) -> np.ndarray:
        """Return the rows of the category that is lost."""
        found: np.ndarray = stream.X[:, column] == self._both(stream, column)[1]
        return found

    def spoilt(self, stream: Stream, column: int, chosen: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Return the most frequent category."""
        return np.full(int(chosen.sum()), self._both(stream, column)[0])

    def _both(self, stream: Stream, column: int) -> np.ndarray:
        """Return the two most frequent categories of the warm-up."""
        values = history(stream)[:, column]
        codes, counts = np.unique(values[~np.isnan(values)], return_counts=True)
        if len(codes) < 2:
            raise DataError(
                f"injector/merged_categories: column '{stream.features[column]}' has {len(codes)} "
                "category in the warm-up",
                remedy="name a column with two at least, or use a longer warm-up",
            )
        both: np.ndarray = codes[np.argsort(-counts, kind="stable")[:2]]
        return both
