"""Features that tell who is in which group: what is left of a group that a model is not to see."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

import numpy as np

from mlopsim.fairness.group_columns import value_groups
from mlopsim.fairness.rates import LEAST

#: what a feature tells of a group, from which on it is called a near copy
NEAR = 0.9
#: values above which numbers are put into as many equally filled bins
BINS = 50


class Kind(Enum):
    """How a feature is a copy of the group."""

    RECODED = "the group under other names"
    FINER = "each value has people of one group only"
    NEAR = "nearly the group"


@dataclass(frozen=True, kw_only=True)
class Copy:
    """A feature that tells a group.

    Parameters
    ----------
    feature : str
    group : str
        The group that it tells best from all others.
    told : float
        Share of the group that has certain values, less the share of all others that has them: 1 says all, 0
        nothing. Values are chosen on some rows and counted on others.
    kind : Kind
    """

    feature: str
    group: str
    told: float
    kind: Kind

    @property
    def words(self) -> str:
        """The same as a sentence without its full stop."""
        if self.kind is Kind.NEAR:
            return f"'{self.feature}' is nearly the group (it tells {self.told:.0%} of '{self.group}')"
        return f"'{self.feature}' tells the group without an error ({self.kind.value})"


def told_by(
    known: np.ndarray, known_group: np.ndarray, fresh: np.ndarray, fresh_group: np.ndarray, groups: int
) -> np.ndarray:
    """Return how well a feature tells each group from all others, float64 (G,).

    The values that are more frequent in the group than in all others are found on known rows; it is the share
    of the fresh rows of the group that have one, less that of all others.

    Parameters
    ----------
    known, fresh : ndarray of float64, shapes (n,) and (m,)
        Codes or numbers; NaN is a value of its own.
    known_group, fresh_group : ndarray of int64, shapes (n,) and (m,)
        0..groups-1.
    groups : int

    Returns
    -------
    ndarray
        NaN for a group of which, or of all others of which, there are fewer than 5 rows among either.

    Examples
    --------
    >>> group = np.repeat([0, 1], 50)
    >>> told_by(3.0 - group, group, 3.0 - group, group, 2)
    array([1., 1.])
    >>> told_by(np.tile([0.0, 1.0], 50), group, np.tile([0.0, 1.0], 50), group, 2)
    array([0., 0.])
    """
    values = np.unique(known[~np.isnan(known)])
    if len(values) > BINS:
        values = np.unique(np.quantile(known[~np.isnan(known)], np.linspace(0.0, 1.0, BINS + 1)[:-1]))
    # place 0: below all that is known, the last one: missing
    places = len(values) + 2
    one, other = (
        np.where(np.isnan(x), places - 1, np.searchsorted(values, x, side="right")) for x in (known, fresh)
    )
    out = np.full(groups, np.nan)
    for g in range(groups):
        mine, theirs = known_group == g, fresh_group == g
        if min(mine.sum(), (~mine).sum(), theirs.sum(), (~theirs).sum()) < LEAST:
            continue
        share = np.bincount(one[mine], minlength=places) / mine.sum()
        more = share > np.bincount(one[~mine], minlength=places) / (~mine).sum()
        out[g] = more[other[theirs]].mean() - more[other[~theirs]].mean()
    return out


def group_copies(
    X: np.ndarray,
    group: np.ndarray,
    cut: int,
    features: tuple[str, ...],
    groups: tuple[str, ...],
) -> tuple[np.ndarray, list[Copy]]:
    """Return how well each feature tells some group, float64 (d,), and those that are copies of the group.

    Parameters
    ----------
    X : ndarray of float64, shape (n, d)
        Categories as codes; NaN is missing.
    group : ndarray of int64, shape (n,)
    cut : int
        Rows on which values are chosen; on the others they are counted.
    features, groups : tuple of str

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> group = rng.integers(0, 2, 400)
    >>> coded, noisy = 7.0 - group, np.where(rng.random(400) < 0.02, 1 - group, group).astype(float)
    >>> age = rng.normal(size=400)
    >>> X, names = np.stack([coded, noisy, age], axis=1), ("coded", "noisy", "age")
    >>> told, copies = group_copies(X, group, 200, names, ("f", "m"))
    >>> told.round(1), [(copy.feature, copy.kind.name) for copy in copies]
    (array([1. , 1. , 0.1]), [('coded', 'RECODED'), ('noisy', 'NEAR')])
    """
    told = np.full(X.shape[1], np.nan)
    copies = []
    for j, feature in enumerate(features):
        column = X[:, j]
        found = told_by(column[:cut], group[:cut], column[cut:], group[cut:], len(groups))
        if np.isnan(found).all():
            continue
        told[j] = np.nanmax(found)
        kind = _kind(column, group, float(told[j]))
        if kind is not None:
            best = groups[int(np.nanargmax(found))]
            copies.append(Copy(feature=feature, group=best, told=float(told[j]), kind=kind))
    return told, copies


def _kind(column: np.ndarray, group: np.ndarray, told: float) -> Kind | None:
    values, groups, pairs = value_groups(column, group)
    # that each value has one group says nothing where each row has a value of its own
    if pairs == values and told >= NEAR:
        return Kind.RECODED if values == groups else Kind.FINER
    return Kind.NEAR if told >= NEAR else None
