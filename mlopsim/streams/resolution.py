"""The numbers that a column can hold, told from those that it holds: whole ones, steps, decimals, floats."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from functools import cache

import numpy as np

#: numbers of units (1, .5, thirds, ..., .01, ...) in 1 that are tried, the coarsest first
LARGEST_FRACTION, LARGEST_DECIMAL, LARGEST_BINARY = 1000, 12, 40
#: values that a grid is tried on first
PROBED = 32
#: last digits by which a value may miss its grid, as 3 * 0.1 misses 0.3, and by which points must lie apart
SLACK, APART = 8.0, 64.0
#: probability by chance at which values with a common divisor count as steps of it
CHANCE = 0.01


@dataclass(frozen=True, kw_only=True)
class Resolution:
    """A grid of numbers, those of single precision, or all of them; make it with :meth:`of`.

    Parameters
    ----------
    units : int
        Units in 1: the grid holds ``step k / units`` for whole k; 0: there is no grid.
    step : int
        In units.
    single : bool
        Whether numbers have single precision.
    product : bool
        Whether numbers of the grid are spelt ``k * (step / units)``, which may differ from the quotient in
        the last digit.
    stored : ndarray of float64, shape (m,)
        Values of the column, rising: a number next to one of them is that one, to the bit.

    Examples
    --------
    >>> Resolution.of(np.array([1.0, 20.0, np.nan])).nearest(np.array([2.4, np.nan, -0.2])).tolist()
    [2.0, nan, 0.0]
    >>> Resolution.of(np.arange(12) / 2.0).nearest(np.array([7.7, 100.26])).tolist()
    [7.5, 100.5]
    >>> Resolution.of(np.array([0.07, 12.25, 3.1])).nearest(np.array([0.07 * 100.0, 1.0 / 3.0])).tolist()
    [7.0, 0.33]
    >>> Resolution.of(np.array([0.1, 2.0**0.5])).nearest(np.array([1.0 / 3.0])).tolist() == [1.0 / 3.0]
    True
    """

    units: int = 0
    step: int = 1
    single: bool = False
    product: bool = False
    stored: np.ndarray = field(default_factory=lambda: np.empty(0), repr=False, compare=False)

    @classmethod
    def of(cls, column: np.ndarray) -> Resolution:
        """Return the coarsest grid that holds all values of a column.

        Units are whole parts of 1 up to a thousandth, decimals to the twelfth place and halves of halves;
        steps of several units count as such where so many values would hardly keep to them by chance.

        Parameters
        ----------
        column : ndarray of float64, shape (n,)
            NaN and infinite values say nothing.
        """
        stored = np.unique(column[np.isfinite(column)]) + 0.0
        if not len(stored):
            return cls()
        with np.errstate(over="ignore"):
            single = bool((stored == stored.astype(np.float32)).all())
        # any number of single precision is one of some fine binary grid
        tried = _candidates(binary=not single)
        for narrow in (False, True) if single else (False,):
            units = _units(stored, tried, float(np.finfo(np.float32 if narrow else np.float64).eps))
            if units:
                return cls._grid(stored, units, narrow)
        return cls(single=single, stored=stored)

    @classmethod
    def _grid(cls, stored: np.ndarray, units: int, single: bool) -> Resolution:
        count = np.rint(stored * units)
        step = _step(count)
        quotient, product = (
            cls(units=units, step=step, single=single, product=product, stored=stored)
            for product in (False, True)
        )
        spelt = (product._points(count) == stored).all() and (quotient._points(count) != stored).any()
        return product if spelt else quotient

    def _points(self, count: np.ndarray) -> np.ndarray:
        """Return numbers of the grid by their units, float64 (k,)."""
        found: np.ndarray
        if self.product:
            found = count / self.step * (self.step / self.units)
        else:
            found = count / self.units
        return found.astype(np.float32).astype(np.float64) if self.single else found

    def nearest(self, values: np.ndarray) -> np.ndarray:
        """Return the numbers next to some that the column can hold.

        Parameters
        ----------
        values : ndarray of float64, shape (k,)
            NaN and infinite ones stay as they are; stored ones, too, to the bit.

        Returns
        -------
        ndarray of float64, shape (k,)
            Never -0.0.
        """
        with np.errstate(over="ignore", invalid="ignore"):
            if self.units:
                count = np.rint(values * self.units / self.step) * self.step
                # beyond the digits of a float there is nothing to round
                found = np.where(np.isfinite(count), self._points(count), values)
            elif self.single:
                found = values.astype(np.float32).astype(np.float64)
            else:
                found = values
        return self._as_stored(found, values) + 0.0

    def _as_stored(self, found: np.ndarray, values: np.ndarray) -> np.ndarray:
        """Return the numbers with those that the column holds but for rounding as it holds them."""
        if not len(self.stored):
            return found
        last = len(self.stored) - 1
        right = np.searchsorted(self.stored, found).clip(0, last)
        left = (right - 1).clip(0, last)
        near = np.where(
            np.abs(self.stored[right] - found) <= np.abs(self.stored[left] - found),
            self.stored[right],
            self.stored[left],
        )
        if self.units:
            return np.where(np.abs(near - found) < 0.25 / self.units, near, found)
        return np.where(near == values, near, found)

    def holds(self, values: np.ndarray) -> np.ndarray:
        """Return which numbers the column can hold, bool (k,); NaN is held."""
        found: np.ndarray = np.isnan(values) | (self.nearest(values) == values)
        return found


@cache
def _candidates(*, binary: bool) -> np.ndarray:
    """Return the numbers of units in 1 that are tried, rising."""
    fractions = np.arange(1.0, LARGEST_FRACTION + 1.0)
    # of an hour, a day and a year
    times = np.array([1440.0, 3600.0, 8760.0, 86400.0])
    decimals = 10.0 ** np.arange(3, LARGEST_DECIMAL + 1)
    halves = 2.0 ** np.arange(10, LARGEST_BINARY + 1 if binary else 10)
    return np.unique(np.concatenate([fractions, times, decimals, halves]))


def _units(stored: np.ndarray, tried: np.ndarray, eps: float) -> int:
    """Return the least number of units in 1 of which all values are multiples but for rounding; 0: none."""
    if (stored == np.rint(stored)).all():
        return 1
    digit = eps * float(np.abs(stored).max())
    slack = SLACK * digit
    units = tried[APART * digit * tried <= 1.0]
    probe = stored[np.linspace(0, len(stored) - 1, min(PROBED, len(stored))).astype(np.int64)]
    off = np.abs(np.rint(probe * units[:, None]) / units[:, None] - probe)
    for each in units[(off <= slack).all(axis=1)]:
        if (np.abs(np.rint(stored * each) / each - stored) <= slack).all():
            return int(each)
    return 0


def _step(count: np.ndarray) -> int:
    """Return the common divisor of whole numbers (m,) that are not equal; 1 where it may be by chance."""
    if np.abs(count).max() > 2.0**62:
        return 1
    step = int(np.gcd.reduce(count.astype(np.int64)))
    # one number sets the step: the others keep to it with a probability of 1 in step each
    sure = step > 1 and (np.count_nonzero(count) - 1) * math.log(step) >= -math.log(CHANCE)
    return step if sure else 1
