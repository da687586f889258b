"""Slips of the fingers."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from mlopsim.core.registry import register
from mlopsim.core.spec import check_range
from mlopsim.streams.injectors.base import ColumnInjector
from mlopsim.streams.resolution import Resolution
from mlopsim.streams.stream import Stream


@register("injector", "typo", version=2)
@dataclass(kw_only=True)
class Typo(ColumnInjector):
    """Misspelt values: two neighbouring digits of a number change places, a category has an unknown name.

    Of a number the first ``digits`` significant digits are typed. Two that differ are exchanged so that the
    column can hold the result (a whole number stays one); numbers in which no two can be are not hit. All
    misspelt names of a column count as one unknown category, as they do for whoever reads them.

    Parameters
    ----------
    features : list of str
        Columns that are hit; empty: drawn by the seed.
    count : int, default 1
        How many are drawn where ``features`` is empty.
    digits : int, default 4
        Significant digits, 2..15.

    Notes
    -----
    It stands for hand-typed values.

    Examples
    --------
    >>> values, place = np.array([1234.0, -0.0052, 7.7, 12.25]), np.array([0.0, 0.0, 0.0, 0.99])
    >>> exchanged(values, place, 4, Resolution()).tolist()
    [2134.0, -0.0025, 7.07, 12.52]
    >>> exchanged(np.array([7.7, 12.2, 30.0, 5.0]), np.zeros(4), 4, Resolution(units=10)).tolist()
    [7.7, 21.2, 3.0, 0.5]
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
        resolution = Resolution.of(stream.X[:, column])
        slips = exchanged(values, np.zeros(len(values)), self.digits, resolution)
        usable: np.ndarray = known & (slips != values)
        return usable

    def added(self, stream: Stream, column: int) -> tuple[str, ...]:
        """Return the unknown category of a categorical column."""
        return ("misspelt",) if column in stream.categories else ()

    def spoilt(self, stream: Stream, column: int, chosen: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Return the values as they are typed."""
        count = int(chosen.sum())
        if column in stream.categories:
            return np.full(count, float(len(stream.categories[column])))
        resolution = Resolution.of(stream.X[:, column])
        return exchanged(stream.X[chosen, column], rng.random(count), self.digits, resolution)


def exchanged(values: np.ndarray, place: np.ndarray, digits: int, resolution: Resolution) -> np.ndarray:
    """Return finite numbers with two neighbouring significant digits exchanged.

    Parameters
    ----------
    values : ndarray of float64, shape (k,)
    place : ndarray of float64, shape (k,)
        In [0, 1): which of the pairs that can be exchanged.
    digits : int
        Significant digits that are typed; a number in which no pair can be exchanged stays as it is.
    resolution : Resolution
        Of the column, which holds the results.
    """
    slips = [_slips(value, digits) for value in values.tolist()]
    starts = np.cumsum([0, *map(len, slips)])
    everything = np.array([slip for some in slips for slip in some])
    held = resolution.holds(everything) & (everything != np.repeat(values, np.diff(starts)))
    found = values.copy()
    for i in range(len(values)):
        possible = everything[starts[i] : starts[i + 1]][held[starts[i] : starts[i + 1]]]
        if len(possible):
            found[i] = possible[int(place[i] * len(possible))]
    return found


def _slips(value: float, digits: int) -> list[float]:
    """Return a number with each two neighbouring digits that differ exchanged."""
    text, _, exponent = f"{abs(value):.{digits - 1}e}".partition("e")
    typed = text.replace(".", "")
    # digits behind the last one that is not 0 are not typed, but for one
    typed = typed.rstrip("0") + "0" if typed.endswith("0") else typed
    found = []
    for j in range(len(typed) - 1):
        if typed[j] != typed[j + 1]:
            slip = typed[:j] + typed[j + 1] + typed[j] + typed[j + 2 :]
            found.append(math.copysign(float(f"{slip}e{int(exponent) - len(slip) + 1}"), value))
    return found
