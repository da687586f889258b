"""Return against cost: the concave front, its shadow price, the mixtures below it, the score between them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mlopsim.core.errors import ConfigError
from mlopsim.governance.optimum.constrained import TOLERANCE


@dataclass(frozen=True, kw_only=True)
class Front:
    """The concave envelope of (cost, value) points, as far as it rises.

    Parameters
    ----------
    cost, value : ndarray of float64, shape (P,)
        Its corners, ascending in both.
    number : ndarray of int64, shape (P,)
        Which of the points each corner is.

    Examples
    --------
    >>> front = Front.of([0.0, 1.0, 2.0, 2.0], [1.0, 1.2, 3.0, 0.0])
    >>> front.cost, front.value, front.at(1.0), front.price(1.0)
    (array([0., 2.]), array([1., 3.]), 2.0, (1.0, 1.0))
    """

    cost: np.ndarray
    value: np.ndarray
    number: np.ndarray

    @classmethod
    def of(cls, cost: Sequence[float] | np.ndarray, value: Sequence[float] | np.ndarray) -> Front:
        """Return the envelope of points, arrays (P,) with P >= 1."""
        costs, values = np.asarray(cost, dtype=np.float64), np.asarray(value, dtype=np.float64)
        if costs.shape != values.shape or costs.ndim != 1 or not len(costs):
            raise ConfigError("a front needs as many costs as values, and at least one")
        kept: list[int] = []
        for i in np.lexsort((-values, costs)).tolist():
            if kept and values[i] <= values[kept[-1]]:
                continue
            if kept and costs[i] <= costs[kept[-1]]:
                continue
            # drop what lies on or below the line from the corner before it
            while len(kept) > 1 and (values[kept[-1]] - values[kept[-2]]) * (costs[i] - costs[kept[-2]]) <= (
                values[i] - values[kept[-2]]
            ) * (costs[kept[-1]] - costs[kept[-2]]):
                kept.pop()
            kept.append(i)
        number = np.array(kept, dtype=np.int64)
        return cls(cost=costs[number], value=values[number], number=number)

    @property
    def slopes(self) -> np.ndarray:
        """Value per cost between the corners, descending, float64 (P - 1,)."""
        slopes: np.ndarray = np.diff(self.value) / np.diff(self.cost)
        return slopes

    def at(self, cost: float) -> float:
        """Return the best value of a mixture of at most this cost; NaN below the least cost."""
        if cost < self.cost[0] - TOLERANCE:
            return float("nan")
        return float(np.interp(cost, self.cost, self.value))

    def price(self, cost: float) -> tuple[float, float]:
        """Return the slopes to the left and to the right of a cost: the shadow price lies between them.

        ``inf`` to the left of the least cost, 0 to the right of the largest.
        """
        slopes = np.concatenate([[np.inf], self.slopes, [0.0]])
        left = int(np.searchsorted(self.cost, cost - TOLERANCE, side="left"))
        right = int(np.searchsorted(self.cost, cost + TOLERANCE, side="right"))
        return float(slopes[left]), float(slopes[right])

    @classmethod
    def mean(cls, fronts: Sequence[Front]) -> Front:
        """Return the front of the means over scenarios, of which each has its own.

        Its steps are all their steps, the steepest ones first (``number`` is the count of steps taken).
        """
        cost = np.array([front.cost[0] for front in fronts]).mean()
        value = np.array([front.value[0] for front in fronts]).mean()
        widths = np.concatenate([np.diff(front.cost) for front in fronts]) / len(fronts)
        rises = np.concatenate([np.diff(front.value) for front in fronts]) / len(fronts)
        order = np.argsort(-rises / widths, kind="stable") if len(widths) else np.zeros(0, dtype=np.int64)
        return cls(
            cost=np.concatenate([[cost], cost + np.cumsum(widths[order])]),
            value=np.concatenate([[value], value + np.cumsum(rises[order])]),
            number=np.arange(len(order) + 1),
        )


def baseline(never: tuple[float, float], suspended: tuple[float, float] | None, cost: float) -> float:
    """Return B(C), the best mixture of never acting and of suspending for good of at most this cost.

    Parameters
    ----------
    never, suspended : tuple of float
        Mean (cost, value) of each; None where nothing can be suspended.
    cost : float
        C.

    Returns
    -------
    float
        NaN where neither is as cheap.

    Examples
    --------
    >>> baseline((10.0, 9.0), (0.0, 4.0), 5.0)
    6.5
    """
    points = [never] if suspended is None else [never, suspended]
    return Front.of([point[0] for point in points], [point[1] for point in points]).at(cost)


def baselines(never: np.ndarray, suspended: np.ndarray | None, cost: np.ndarray) -> np.ndarray:
    """Return B(C) as :func:`baseline` does, for many resamples at once.

    Parameters
    ----------
    never, suspended : ndarray of float64, shape (n, 2)
        Mean cost and value of each; None where nothing can be suspended.
    cost : ndarray of float64, shape (n,)
        C.

    Returns
    -------
    ndarray of float64, shape (n,)

    Examples
    --------
    >>> baselines(np.array([[10.0, 9.0]]), np.array([[0.0, 4.0]]), np.array([5.0]))
    array([6.5])
    """
    if suspended is None:
        return np.where(cost < never[:, 0] - TOLERANCE, np.nan, never[:, 1])
    # the cheaper of the two first, of equally cheap ones the better
    swap = (suspended[:, 0] < never[:, 0]) | (
        (suspended[:, 0] == never[:, 0]) & (suspended[:, 1] > never[:, 1])
    )
    first, second = (np.where(swap[:, None], *pair) for pair in ((suspended, never), (never, suspended)))
    width, rise = second[:, 0] - first[:, 0], second[:, 1] - first[:, 1]
    rises = (width > 0.0) & (rise > 0.0)
    part = np.clip((cost - first[:, 0]) / np.where(rises, width, 1.0), 0.0, 1.0)
    found: np.ndarray = first[:, 1] + np.where(rises, part * rise, 0.0)
    found[cost < first[:, 0] - TOLERANCE] = np.nan
    return found


def between(value: float, upper: float, below: float, *, floor: float) -> float:
    r"""Return the front score of a value between B(C) and U(C), both at the method's own cost.

    Parameters
    ----------
    value, upper, below : float
        R, U(C) and B(C).
    floor : float
        Least difference :math:`U(C) - B(C)`.

    Returns
    -------
    float
        :math:`(R - B(C)) / (U(C) - B(C))`; NaN where the difference is below the floor or undefined.

    Examples
    --------
    >>> below = baseline((10.0, 9.0), (0.0, 4.0), 5.0)
    >>> between(7.25, Front.of([0.0, 10.0], [4.0, 12.0]).at(5.0), below, floor=0.1)
    0.5
    >>> between(7.25, 6.55, below, floor=0.1)
    nan
    """
    score = scores_between(np.array([value - below]), np.array([upper - below]), floor=floor)
    return float(score[0])


def scores_between(above: np.ndarray, room: np.ndarray, *, floor: float) -> np.ndarray:
    """Return front scores, many at once.

    Parameters
    ----------
    above, room : ndarray of float64, shape (n,)
        :math:`R - B(C)` and :math:`U(C) - B(C)`, or sums of them over tasks.
    floor : float
        Least ``room`` of which a score is defined.

    Returns
    -------
    ndarray of float64, shape (n,)
        NaN where there is less room, or none is known.

    Examples
    --------
    >>> scores_between(np.array([1.0, 1.0, 0.0]), np.array([2.0, 0.01, 2.0]), floor=0.1)
    array([0.5, nan, 0. ])
    """
    found: np.ndarray = np.divide(above, room, out=np.full(np.shape(room), np.nan), where=room >= floor)
    return found
