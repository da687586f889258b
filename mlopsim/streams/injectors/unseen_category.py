"""Categories that nobody agreed on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from mlopsim.core.registry import register
from mlopsim.streams.injectors.base import ColumnInjector
from mlopsim.streams.stream import Stream


@register("injector", "unseen_category")
@dataclass(kw_only=True)
class UnseenCategory(ColumnInjector):
    r"""Values of some categorical columns are a category that no clean row has.

    :math:`x_{ij} \leftarrow K_j`, the code after the :math:`K_j` categories :math:`0, \ldots, K_j - 1` of the
    column.

    Parameters
    ----------
    features : list of str
        Columns that are hit; empty: drawn by the seed.
    count : int, default 1
        How many are drawn where ``features`` is empty.
    label : str, default unseen
        Name of the new category.

    Notes
    -----
    It stands for a new or misspelt code.

    Examples
    --------
    >>> from mlopsim import make
    >>> source = make("stream", "corrupted", base={"synthetic": {"concept": "agrawal"}}, rate=0.2,
    ...               injector="unseen_category")
    >>> stream = source.generate(np.random.SeedSequence(0))
    >>> [names[-1] for names in stream.categories.values()].count("unseen")
    1
    """

    takes: ClassVar[str] = "categorical"

    label: str = "unseen"

    def added(self, stream: Stream, column: int) -> tuple[str, ...]:
        """Return the new category."""
        name = self.label
        while name in stream.categories[column]:
            name += "_"
        return (name,)

    def spoilt(self, stream: Stream, column: int, chosen: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Return the code of the new category."""
        return np.full(int(chosen.sum()), float(len(stream.categories[column])))
