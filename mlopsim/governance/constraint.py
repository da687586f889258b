"""The contract of constraints: what compliance means, as a cost of every version in every window."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from mlopsim.core.errors import ConfigError
from mlopsim.core.spec import check_range

if TYPE_CHECKING:
    from mlopsim.governance.loop.truth import Rates


#: as much as rounding makes of a mean that is equal to its limit
ROUNDING = 1e-12


def kept(spent: np.ndarray, limit: np.ndarray | float) -> np.ndarray:
    """Say where what a limit is on is at most the limit, but for rounding: for deployments, fits and reports.

    What is compared (a mean, its upper confidence limit, a run) is for whoever asks to say.

    Examples
    --------
    >>> kept(np.array([0.1 + 0.2, 0.31]), 0.3)
    array([ True, False])
    """
    return np.asarray(np.asarray(spent) <= np.asarray(limit) + ROUNDING)


class Over(Enum):
    """What a limit is on: the mean cost of a window, the cost of each, or the longest run of windows."""

    MEAN = "mean"
    WINDOW = "window"
    RUN = "run"


class Charge(Enum):
    """What a violation costs: 1, or by how much (of a rate, so 1 at most)."""

    VIOLATION = "violation"
    EXCESS = "excess"


@dataclass(frozen=True, kw_only=True)
class Shown:
    """What a constraint looks at, for people: rates, and what is allowed of them.

    Parameters
    ----------
    name : str
        Of the rate.
    values : ndarray of float64, shape (T, T, G)
        ``[version, window, group]``; one group: all rows.
    low, high, gap : float, optional
        Least and largest rate, and largest difference of two groups, that are no violation.
    """

    name: str
    values: np.ndarray
    low: float | None = None
    high: float | None = None
    gap: float | None = None


@dataclass(kw_only=True)
class Constraint:
    """Base of constraints (kind ``constraint``). A constraint defines :meth:`excess`.

    The limit belongs to the task, not to the method. What is charged is the cost by the truth; what a
    deployment sees is the cost by what it measures, later and on samples
    (:mod:`mlopsim.governance.loop.truth`).

    Parameters
    ----------
    limit : float, default 0.1
        What is allowed: over the mean, the mean cost of a window (0..1); over windows, the cost of each
        (0..1); over runs, the number of successive windows with a cost above 0.
    over : Over, default mean
        What the limit is on.
    weight : float, default 1.0
        In the sum of costs.
    charge : Charge, default violation
        What a violation costs.

    Attributes
    ----------
    uses_labels : bool
        Whether what a deployment measures of it waits for labels.
    two_classes : bool
        Whether it needs two classes.
    at_switch : bool
        Whether it is charged where the traffic moves, by the share of answers that change: :meth:`excess` is
        then not asked.
    observable : bool
        Whether a deployment measures it at all.
    """

    limit: float = 0.1
    over: Over = Over.MEAN
    weight: float = 1.0
    charge: Charge = Charge.VIOLATION

    uses_labels: ClassVar[bool] = True
    two_classes: ClassVar[bool] = False
    at_switch: ClassVar[bool] = False
    observable: ClassVar[bool] = True
    full_name: ClassVar[str]
    name: ClassVar[str]

    def __post_init__(self) -> None:
        self.over, self.charge = Over(self.over), Charge(self.charge)
        where = self.full_name
        check_range(f"{where}.limit", self.limit, 0.0, 1e6 if self.over is Over.RUN else 1.0)
        check_range(f"{where}.weight", self.weight, 0.0, 1e6)

    def excess(self, rates: Rates) -> np.ndarray:
        """Return by how much each version is beyond what is tolerated in each window.

        Parameters
        ----------
        rates : Rates
            The truth, or what is measured.

        Returns
        -------
        ndarray of float64, shape (T, T)
            ``[version, window]``; 0 and less, and NaN (nothing can be said), are no violation.
        """
        raise NotImplementedError

    def costs(self, rates: Rates) -> np.ndarray:
        """Return the cost of each version in each window: float64 (T, T), 0..1, 0 where nothing can be said.

        Examples
        --------
        >>> from mlopsim.core.spec import make
        >>> from mlopsim.governance.loop.truth import rates_of
        >>> rates = rates_of(np.array([[[[[6, 2], [1, 3]], [[2, 2], [1, 1]]]]]), 0)
        >>> make("constraint", "accuracy_floor", floor=0.7).costs(rates)
        array([[1.]])
        """
        found = self.excess(rates)
        # a rate that is equal to what is tolerated but for rounding is tolerated
        beyond = np.nan_to_num(found, nan=0.0) > 1e-12
        if self.charge is Charge.VIOLATION:
            return np.asarray(beyond, dtype=np.float64)
        charged: np.ndarray = np.where(beyond, np.clip(np.nan_to_num(found, nan=0.0), 0.0, 1.0), 0.0)
        return charged

    @property
    def bar(self) -> float:
        """Cost of one window above which it is out of compliance.

        What is tolerated costs nothing, so that is 0. Only where the limit is on each window, or shares are
        charged where the traffic moves, the limit itself.

        Examples
        --------
        >>> from mlopsim.core.spec import make
        >>> [make("constraint", "accuracy_floor", over=over).bar for over in ("mean", "window", "run")]
        [0.0, 0.1, 0.0]
        >>> make("constraint", "churn").bar
        0.1
        """
        return self.limit if self.at_switch or self.over is Over.WINDOW else 0.0

    def shown(self, rates: Rates) -> Shown:
        """Return what it looks at; by default by how much each version is beyond what is tolerated."""
        return Shown(name="beyond what is tolerated", values=self.excess(rates)[..., None], high=0.0)

    def violated(self, costs: np.ndarray) -> bool:
        """Return whether a deployment with these costs, float64 (S,), has broken the limit.

        Examples
        --------
        >>> from mlopsim.core.spec import make
        >>> costs = np.array([0.0, 1.0, 1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0])
        >>> [make("constraint", "accuracy_floor", limit=limit, over=over).violated(costs)
        ...  for limit, over in ((0.3, "mean"), (0.2, "mean"), (0.5, "window"), (2, "run"), (1, "run"))]
        [False, True, True, False, True]
        """
        return not kept(spent(costs, self.over), self.limit)


def spent(costs: np.ndarray, over: Over) -> np.ndarray:
    """Return what a limit is on: the mean cost of a window, the largest of one, or the longest run.

    Parameters
    ----------
    costs : ndarray of float64, shape (..., S)
        By window.
    over : Over
        What the limit is on.

    Returns
    -------
    ndarray of float64, shape (...)

    Examples
    --------
    >>> costs = np.array([[0.0, 0.5, 1.0, 0.0], [0.0, 0.0, 0.5, 0.0]])
    >>> [spent(costs, over).tolist() for over in Over]
    [[0.375, 0.125], [1.0, 0.5], [2.0, 1.0]]
    """
    if over is Over.MEAN:
        return np.asarray(costs.mean(axis=-1))
    if over is Over.WINDOW:
        return np.asarray(costs.max(axis=-1))
    return np.apply_along_axis(longest_run, -1, costs).astype(np.float64)


def longest_run(costs: np.ndarray) -> int:
    """Return the largest number of successive windows with a cost above 0.

    Examples
    --------
    >>> longest_run(np.array([0.0, 0.5, 1.0, 0.0, 1.0])), longest_run(np.zeros(3))
    (2, 0)
    """
    return max((last - first + 1 for first, last in runs(costs > 0.0)), default=0)


def runs(out: np.ndarray) -> list[tuple[int, int]]:
    """Return first and last entry of each run of True, of bool (S,).

    Examples
    --------
    >>> runs(np.array([True, True, False, True]))
    [(0, 1), (3, 3)]
    """
    edges = np.flatnonzero(np.diff(np.concatenate([[0], out.astype(np.int64), [0]])))
    return [(int(a), int(b) - 1) for a, b in zip(edges[::2], edges[1::2], strict=True)]


def spread(rates: np.ndarray) -> np.ndarray:
    """Return the largest less the smallest rate of a group, over the last axis; NaN below two groups.

    Examples
    --------
    >>> spread(np.array([[0.2, 0.5, np.nan], [0.2, np.nan, np.nan]]))
    array([0.3, nan])
    """
    known = ~np.isnan(rates)
    low = np.where(known, rates, np.inf).min(axis=-1)
    high = np.where(known, rates, -np.inf).max(axis=-1)
    enough = known.sum(axis=-1) > 1
    found: np.ndarray = np.subtract(high, low, out=np.full(low.shape, np.nan), where=enough)
    return found


def need_two_classes(constraint: Constraint, classes: int) -> None:
    """Raise ConfigError if a constraint cannot be computed with so many classes."""
    if constraint.two_classes and classes != 2:
        raise ConfigError(
            f"{constraint.full_name} needs two classes, the stream has {classes}",
            remedy="accuracy_floor and group_accuracy_floor work with any number",
        )
