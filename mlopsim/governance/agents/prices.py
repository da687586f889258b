"""What breaking a limit costs: prices that follow the mean cost of the episodes that have ended.

A price is a Lagrange multiplier: the reward that one window of cost 1 is worth. Every price stands for one
constraint in one context (a limit, a set of switches), and is projected to ``0..highest`` after each update.
None of them ever comes to rest: with a price that is frozen at its optimal value every policy is as good as
every other on the Lagrangian, and the last policy may be anywhere.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import Protocol

import numpy as np

#: of the update by Adam: the usual decays and the usual guard against a division by 0
BETA_1, BETA_2, TINY = 0.9, 0.999, 1e-8


class Update(Enum):
    """How a price follows the cost: proportional and integral, integral alone (dual ascent), or by Adam."""

    PI = "pi"
    INTEGRAL = "integral"
    ADAM = "adam"


class Prices(Protocol):
    """Prices by context and constraint."""

    @property
    def value(self) -> np.ndarray:
        """Prices, float64 of shape (contexts, constraints)."""
        ...

    def update(self, excess: np.ndarray) -> None:
        """Take what the episodes that ended cost above their limits.

        Parameters
        ----------
        excess : ndarray of float64, shape (contexts, constraints)
            Mean cost of a window less the limit; NaN in a context of which no episode ended, whose prices
            then stay.
        """
        ...


@dataclass(kw_only=True)
class ProportionalIntegral:
    """The price is a share of the recent excess and the sum of all of it, each projected.

    ``price = clip(integral + proportional * mean, 0, highest)``, where ``mean`` is an exponential moving
    average of the excess (corrected for its start) and ``integral = clip(integral + rate * excess, 0,
    highest)``. With ``proportional = 0`` it is dual ascent: integral control, which oscillates.

    Parameters
    ----------
    shape : tuple of int
        Contexts and constraints.
    proportional : float
        Gain of the recent excess.
    rate : float
        Gain of the integral, an update.
    smoothing : float, default 0.0
        Weight of the past in the moving average; 0: the last excess alone.
    start : float, default 0.0
        Of the integral.
    highest : float, default 100.0
        No price is above it.

    References
    ----------
    Stooke, Achiam and Abbeel (2020), *Responsive safety in reinforcement learning by PID Lagrangian methods*,
    arXiv:2007.03964.

    Examples
    --------
    >>> prices = ProportionalIntegral(shape=(1, 1), proportional=2.0, rate=0.5)
    >>> for excess in (0.5, 0.5, -0.5):
    ...     prices.update(np.array([[excess]]))
    ...     print(prices.value.item())
    1.25
    1.5
    0.0
    """

    shape: tuple[int, int]
    proportional: float
    rate: float
    smoothing: float = 0.0
    start: float = 0.0
    highest: float = 100.0
    _integral: np.ndarray = field(init=False, repr=False)
    _mean: np.ndarray = field(init=False, repr=False)
    _weight: np.ndarray = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self._integral = np.full(self.shape, min(self.start, self.highest))
        self._mean, self._weight = np.zeros(self.shape), np.zeros(self.shape)

    @property
    def value(self) -> np.ndarray:
        """Prices, float64 of shape (contexts, constraints)."""
        recent = np.divide(self._mean, self._weight, out=np.zeros(self.shape), where=self._weight > 0)
        found: np.ndarray = np.clip(self._integral + self.proportional * recent, 0.0, self.highest)
        return found

    def update(self, excess: np.ndarray) -> None:
        """Take what the episodes that ended cost above their limits, see :class:`Prices`."""
        known = np.isfinite(excess)
        new = np.where(known, excess, 0.0)
        keep = self.smoothing
        self._mean = np.where(known, keep * self._mean + (1.0 - keep) * new, self._mean)
        self._weight = np.where(known, keep * self._weight + (1.0 - keep), self._weight)
        self._integral = np.clip(self._integral + self.rate * new, 0.0, self.highest)


@dataclass(kw_only=True)
class ByAdam:
    """Dual ascent with steps by Adam: of nearly constant size, however large the excess is.

    Parameters
    ----------
    shape : tuple of int
        Contexts and constraints.
    rate : float
        Step size.
    start : float, default 0.0
        First price.
    highest : float, default 100.0
        No price is above it.

    References
    ----------
    Kingma and Ba (2015), *Adam: a method for stochastic optimization*, ICLR.

    Examples
    --------
    >>> small, large = (ByAdam(shape=(1, 1), rate=0.1) for _ in range(2))
    >>> small.update(np.array([[0.001]])), large.update(np.array([[1.0]]))
    (None, None)
    >>> round(small.value.item(), 4), round(large.value.item(), 4)
    (0.1, 0.1)
    """

    shape: tuple[int, int]
    rate: float
    start: float = 0.0
    highest: float = 100.0
    _price: np.ndarray = field(init=False, repr=False)
    _first: np.ndarray = field(init=False, repr=False)
    _second: np.ndarray = field(init=False, repr=False)
    _count: np.ndarray = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self._price = np.full(self.shape, min(self.start, self.highest))
        self._first, self._second, self._count = (np.zeros(self.shape) for _ in range(3))

    @property
    def value(self) -> np.ndarray:
        """Prices, float64 of shape (contexts, constraints)."""
        return self._price.copy()

    def update(self, excess: np.ndarray) -> None:
        """Take what the episodes that ended cost above their limits, see :class:`Prices`."""
        known = np.isfinite(excess)
        new = np.where(known, excess, 0.0)
        self._count += known
        self._first = np.where(known, BETA_1 * self._first + (1.0 - BETA_1) * new, self._first)
        self._second = np.where(known, BETA_2 * self._second + (1.0 - BETA_2) * new * new, self._second)
        count = np.maximum(self._count, 1.0)
        first, second = self._first / (1.0 - BETA_1**count), self._second / (1.0 - BETA_2**count)
        step = np.where(known, self.rate * first / (np.sqrt(second) + TINY), 0.0)
        self._price = np.clip(self._price + step, 0.0, self.highest)


@dataclass(kw_only=True)
class Fixed:
    """Prices that stay what they are: one member of a sweep, and the control of every rule of update.

    Parameters
    ----------
    value : ndarray of float64, shape (contexts, constraints)
        The prices.
    """

    value: np.ndarray

    def update(self, excess: np.ndarray) -> None:
        """Take what the episodes that ended cost, and change nothing."""


@dataclass(kw_only=True)
class Halted:
    """Prices that follow another rule for some updates and are frozen then: what goes wrong, to be shown.

    Parameters
    ----------
    inner : Prices
        The rule.
    updates : int
        After so many updates the prices stay.
    """

    inner: Prices
    updates: int
    _done: int = field(default=0, init=False)
    _value: np.ndarray | None = field(default=None, init=False, repr=False)

    @property
    def value(self) -> np.ndarray:
        """Prices, float64 of shape (contexts, constraints)."""
        return self.inner.value if self._value is None else self._value

    def update(self, excess: np.ndarray) -> None:
        """Take what the episodes that ended cost above their limits, see :class:`Prices`."""
        if self._value is not None:
            return
        self.inner.update(excess)
        self._done += 1
        if self._done >= self.updates:
            self._value = self.inner.value
