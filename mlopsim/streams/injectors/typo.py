"""Slips of the fingers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from mlopsim.core.registry import register
from mlopsim.core.spec import check_range
from mlopsim.streams.injectors.base import ColumnInjector
from mlopsim.streams.stream import Stream


@register("injector", "typo")
@dataclass(kw_only=True)
class Typo(ColumnInjector):
    """Misspelt values: two neighbouring digits of a number change places, a category has an unknown name.

    Of a number the first ``digits`` significant digits are typed. Two that differ are exchanged; numbers in
    which no two do cannot be hit. All misspelt names of a column count as one unknown category, as they do
    for whoever reads them.

    Parameters
    ----------
    features : list of str
        Columns that are hit; empty: drawn by the seed.
    count : int, default 1
        How many are drawn where ``features`` is empty.
    digits : int, default 4
        Significant digits, 2..15.

    Examples
    --------
    >>> exchanged(np.array([1234.0, -0.0052, 7.7, 12.25]), np.array([0.0, 0.0, 0.0, 0.99]), 4).tolist()
    [2134.0, -0.0025, 7.07, 12.52]
    """

    takes: ClassVar[str] = "any"

    digits: int = 4

    def __post_init__(self) -> None:
        super().__post_init__()
        check_range("injector/typo.digits", self.digits, 2, 15)

    def usable(self, stream: Stream, column: int) -> np.ndarray:
        """Return the rows whose value can be misspelt."""
        known = super().usable(stream, column)
        if column in stream.categories:
            return known
        values = np.where(known, stream.X[:, column], 0.0)
        usable: np.ndarray = known & (exchanged(values, np.zeros(len(values)), self.digits) != values)
        return usable

    def added(self, stream: Stream, column: int) -> tuple[str, ...]:
        """Return the unknown category of a categorical column."""
        return ("misspelt",) if column in stream.categories else ()

    def spoilt(self, stream: Stream, column: int, chosen: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Return the values as they are typed."""
        count = int(chosen.sum())
        if column in stream.categories:
            return np.full(count, float(len(stream.categories[column])))
        return exchanged(stream.X[chosen, column], rng.random(count), self.digits)


def exchanged(values: np.ndarray, place: np.ndarray, digits: int) -> np.ndarray:
    """Return finite numbers with two neighbouring significant digits exchanged.

    Parameters
    ----------
    values : ndarray of float64, shape (k,)
    place : ndarray of float64, shape (k,)
        In [0, 1): which of the pairs that differ.
    digits : int
        Significant digits that are typed; a number in which no pair differs stays as it is.
    """
    found = values.copy()
    for i, value in enumerate(values):
        text, _, exponent = f"{abs(value):.{digits - 1}e}".partition("e")
        typed = text.replace(".", "")
        # digits behind the last one that is not 0 are not typed, but for one
        typed = typed.rstrip("0") + "0" if typed.endswith("0") else typed
        pairs = [j for j in range(len(typed) - 1) if typed[j] != typed[j + 1]]
        if not pairs:
            continue
        j = pairs[int(place[i] * len(pairs))]
        slip = typed[:j] + typed[j + 1] + typed[j] + typed[j + 2 :]
        found[i] = np.copysign(float(f"{slip}e{int(exponent) - len(slip) + 1}"), value)
    return found
