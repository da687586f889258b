"""The Stream: rows in time order, with the truth about them."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

import numpy as np

from mlopsim.core.errors import DataError


class DriftKind(Enum):
    """What changes: the labels given the inputs, the inputs, the base rate, or one group only."""

    CONCEPT = "concept"
    COVARIATE = "covariate"
    PRIOR = "prior"
    SUBGROUP = "subgroup"


@dataclass(frozen=True, kw_only=True)
class DriftEvent:
    """A change of the joint law.

    Parameters
    ----------
    kind : DriftKind
        What changes.
    start, end : int
        Row numbers: the law starts to move at row ``start`` and has arrived at row ``end``
        (``end == start`` for an abrupt change).
    magnitude : float
        Size in the unit that ``detail`` names; NaN where it has none.
    detail : str
        What moved, from what to what.
    """

    kind: DriftKind
    start: int
    end: int
    magnitude: float = float("nan")
    detail: str = ""


@dataclass(frozen=True, kw_only=True)
class Received:
    """The columns of a window as they were received, in the order of the array.

    Parameters
    ----------
    names : tuple of str
        Names; a column that did not arrive is left out, one that was not agreed is added.
    types : tuple of str
        ``number``, ``category`` or ``text``, one a name.
    """

    names: tuple[str, ...]
    types: tuple[str, ...]


class Norm(Enum):
    """What a bias violates.

    ``TREATMENT``: who is equal but for the group gets the same decision. ``IMPACT``: groups are
    accepted equally often. ``ERRORS``: groups have equal error rates. ``NONE``: nothing is wrong.
    """

    TREATMENT = "equal treatment"
    IMPACT = "equal impact"
    ERRORS = "equal error rates"
    NONE = "none"


@dataclass(frozen=True, kw_only=True)
class BiasTruth:
    """The truth about a bias.

    Parameters
    ----------
    kind : str
        Name of the bias.
    norm : Norm
        What it violates.
    strength : ndarray of float64, shape (T,)
        In each window.
    groups : tuple of int
        Groups that are affected.
    features : tuple of int
        Features through which a model takes it on; there may be none.
    y : ndarray of int64, shape (n,)
        The labels as they should be.
    kept : ndarray of bool, shape (n,)
        Rows that can be trained on.
    """

    kind: str
    norm: Norm
    strength: np.ndarray
    groups: tuple[int, ...]
    features: tuple[int, ...]
    y: np.ndarray
    kept: np.ndarray

    @property
    def onset(self) -> int | None:
        """First window with a strength above 0; None: there is none."""
        at = np.flatnonzero(self.strength > 0.0)
        return int(at[0]) if len(at) else None


@dataclass(kw_only=True)
class Stream:
    """Rows in time order.

    Parameters
    ----------
    X : ndarray of float64, shape (n, d)
        Features; categorical ones as codes 0, 1, ...; NaN where missing.
    y : ndarray of int64, shape (n,)
        Labels 0..C-1.
    bounds : ndarray of int64, shape (T + 1,)
        Window t holds the rows ``bounds[t]:bounds[t + 1]``; none is empty.
    warmup : int
        Number of windows of history before the deployment starts, at least 1 and less than T.
    classes, features : tuple of str
        Names of the C classes and d features.
    g : ndarray of int64, shape (n,)
        Protected group 0..G-1; all zero where there is none.
    groups : tuple of str
        Names of the G groups.
    categories : dict of int to tuple of str
        Feature index to its category names, for categorical features.
    events : tuple of DriftEvent
        The truth about drift; None if it is not known (real streams).
    concept : ndarray of int64, shape (n,), or None
        Which concept a row was drawn from, where known.
    bayes : ndarray of float64, shape (n,), or None
        Highest attainable probability of being right on a row drawn like this one, where known.
    corrupted : ndarray of bool, shape (n, d), or None
        The truth about corrupted cells.
    biased : ndarray of bool, shape (n,), or None
        The truth about labels changed by bias or noise.
    true_y : ndarray of int64, shape (n,), or None
        The labels before bias and noise, where known.
    received : dict of int to Received
        Windows whose columns have other names, types or another order than ``features``.
    bias : BiasTruth or None
        The truth about a bias against a group.
    """

    X: np.ndarray
    y: np.ndarray
    bounds: np.ndarray
    warmup: int
    classes: tuple[str, ...]
    features: tuple[str, ...]
    g: np.ndarray
    groups: tuple[str, ...] = ("all",)
    categories: dict[int, tuple[str, ...]] = field(default_factory=dict)
    events: tuple[DriftEvent, ...] | None = ()
    concept: np.ndarray | None = None
    bayes: np.ndarray | None = None
    corrupted: np.ndarray | None = None
    biased: np.ndarray | None = None
    received: dict[int, Received] = field(default_factory=dict)
    bias: BiasTruth | None = None
    true_y: np.ndarray | None = None

    def agreed(self) -> Received:
        """Return the columns as they were agreed: those of windows that ``received`` does not name."""
        types = tuple("category" if j in self.categories else "number" for j in range(len(self.features)))
        return Received(names=self.features, types=types)

    def __post_init__(self) -> None:
        n = len(self.y)
        if self.X.shape != (n, len(self.features)) or self.g.shape != (n,):
            raise DataError(f"shapes disagree: X {self.X.shape}, y {self.y.shape}, g {self.g.shape}")
        steps = np.diff(self.bounds)
        if len(self.bounds) < 3 or self.bounds[0] != 0 or self.bounds[-1] != n or (steps <= 0).any():
            raise DataError(
                f"{n} rows make {max(len(self.bounds) - 1, 0)} window(s): 2 non-empty ones are needed",
                remedy="use more rows or smaller windows",
            )
        if not 1 <= self.warmup < self.windows:
            raise DataError(
                f"warm-up of {self.warmup} windows does not fit into {self.windows}",
                remedy="use more rows, smaller windows or a shorter warm-up",
            )

    @property
    def windows(self) -> int:
        """Number of windows T."""
        return len(self.bounds) - 1

    @property
    def n_classes(self) -> int:
        """Number of classes C."""
        return len(self.classes)

    def window_of(self, row: int) -> int:
        """Return the window that holds a row (the last one for ``row == n``)."""
        return min(int(np.searchsorted(self.bounds, row, side="right")) - 1, self.windows - 1)


def even_bounds(n: int, rows: int) -> np.ndarray:
    """Cut n rows into windows of ``rows`` rows; what is left over joins no window.

    Examples
    --------
    >>> even_bounds(10, 4)
    array([0, 4, 8])
    """
    return np.arange(0, n // rows + 1, dtype=np.int64) * rows
