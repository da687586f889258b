"""What gap charts share: each group against all others."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from mlopsim.core.errors import DataError
from mlopsim.core.spec import check_range
from mlopsim.fairness.rates import LEAST
from mlopsim.governance.monitor import Chart, Monitor
from mlopsim.governance.monitoring.rate_chart import tally
from mlopsim.governance.monitoring.rates import By, Rate, share
from mlopsim.governance.monitoring.reference import Reference


@dataclass(frozen=True, kw_only=True)
class Pair:
    """Two samples: a group, and all others.

    Parameters
    ----------
    k, n, others_k, others_n : ndarray of int64, shape (N, T, K)
        Successes and rows.
    rho, others_rho : ndarray of float64, same shape
        Intraclass correlations.
    """

    k: np.ndarray
    n: np.ndarray
    others_k: np.ndarray
    others_n: np.ndarray
    rho: np.ndarray
    others_rho: np.ndarray

    @property
    def gap(self) -> np.ndarray:
        """Rate of the group less that of the others; NaN where one has too few rows to be compared."""
        enough = (self.n >= LEAST) & (self.others_n >= LEAST)
        gap = share(self.k, self.n) - share(self.others_k, self.others_n)
        found: np.ndarray = np.where(enough, gap, np.nan)
        return found


@dataclass(kw_only=True)
class GapChart(Monitor):
    """Base of charts of gaps between groups; with two groups there is one, else one a group.

    Gaps are compared with what is fair, never with what they were: such charts do not ratchet.

    Parameters
    ----------
    rate : Rate, default acceptance
        Whose gap: ``acceptance`` is demographic parity, ``recall`` is equal opportunity.
    impact : float, default 0
        Observed gaps up to it are no alarm, however significant (their score is at most 0).
    """

    absolute: ClassVar[bool] = True

    rate: Rate = Rate.ACCEPTANCE
    impact: float = 0.0

    def __post_init__(self) -> None:
        check_range(f"monitor/{self.name}.impact", self.impact, 0.0, 1.0)

    def charts(self, groups: tuple[str, ...]) -> list[Chart]:
        """Return one chart of two groups, else one for each group.

        Raises
        ------
        DataError
            If there is one group only.
        """
        if len(groups) < 2:
            raise DataError(f"{self.full_name} compares groups, there is one", remedy="chart rates instead")
        named = groups[:1] if len(groups) == 2 else groups
        others = groups[1] if len(groups) == 2 else "all others"
        names = [f"gap of {self.rate.value}, {group} less {others}" for group in named]
        return [Chart(name=name, labels=self.rate.labels) for name in names]

    def paired(self, counts: np.ndarray, reference: Reference) -> Pair:
        """Return each group beside all others."""
        found = tally(counts, self.rate, By.GROUP).beside(reference)
        k, n = found.k, found.n
        groups = k.shape[-1]
        self.charts(tuple(str(g) for g in range(groups)))
        rest_k, rest_n = (a.sum(axis=-1, keepdims=True) - a for a in (k, n))
        rho = np.broadcast_to(found.rho, n.shape)
        pairs = n * (n - 1.0) * rho
        together = share(pairs.sum(axis=-1, keepdims=True) - pairs, rest_n * (rest_n - 1.0))
        rest_rho = np.where(np.isnan(together), 0.0, together)
        kept = slice(0, 1) if groups == 2 else slice(None)
        arrays = (a[..., kept] for a in (k, n, rest_k, rest_n, rho, rest_rho))
        return Pair(**dict(zip(("k", "n", "others_k", "others_n", "rho", "others_rho"), arrays, strict=True)))

    def test(self, pair: Pair) -> np.ndarray:
        """Return the scores of pairs with rows (N, T, K)."""
        raise NotImplementedError

    def scores(self, counts: np.ndarray, reference: Reference) -> np.ndarray:
        """Return the scores of its charts, (N, K, T)."""
        pair = self.paired(counts, reference)
        score, gap = self.test(pair), pair.gap
        if self.impact > 0.0:
            score = np.where(np.abs(gap) <= self.impact + 1e-12, np.minimum(score, 0.0), score)
        score = np.where(np.isnan(gap), np.nan, score)
        return np.ascontiguousarray(np.moveaxis(score, -1, 1))


def restricted(p: np.ndarray, q: np.ndarray, n: np.ndarray, m: np.ndarray, gap: float) -> np.ndarray:
    """Return the likeliest first rate of two whose gap is given: p less q of n and m rows.

    The root of a cubic that is a pair of probabilities, in closed form.

    Parameters
    ----------
    p, q : ndarray of float64
        Observed rates.
    n, m : ndarray of float64
        Rows; they need not be whole numbers.
    gap : float
        In (-1, 1).

    References
    ----------
    Farrington and Manning (1990), *Test statistics and sample size formulae for comparative binomial trials*,
    Statistics in Medicine 9, 1447-1454, appendix; Miettinen and Nurminen (1985), Statistics in Medicine 4,
    213-226.

    Examples
    --------
    >>> one = np.array([0.8]), np.array([0.6]), np.array([70.0]), np.array([80.0])
    >>> restricted(*one, 0.0).round(4), restricted(*one, 0.2).round(4), restricted(*one, 0.1).round(4)
    (array([0.6933]), array([0.8]), array([0.7515]))
    """
    theta = m / n
    a = 1.0 + theta
    b = -(1.0 + theta + p + theta * q + gap * (theta + 2.0))
    c = gap * gap + gap * (2.0 * p + theta + 1.0) + p + theta * q
    d = -p * gap * (1.0 + gap)
    third = b / (3.0 * a)
    v = third**3 - b * c / (6.0 * a * a) + d / (2.0 * a)
    size = np.sqrt(np.maximum(third * third - c / (3.0 * a), 0.0))
    u = np.where(v < 0.0, -size, size)
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.where(u != 0.0, v / np.where(u != 0.0, u, 1.0) ** 3, 0.0)
    w = (np.pi + np.arccos(np.clip(ratio, -1.0, 1.0))) / 3.0
    found: np.ndarray = np.clip(2.0 * u * np.cos(w) - third, max(0.0, gap), min(1.0, 1.0 + gap))
    return found
