"""What charts of a rate share: for whom, of what, on which side."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from mlopsim.core.errors import DataError
from mlopsim.core.spec import check_range
from mlopsim.drift.signal import Side
from mlopsim.fairness.rates import LEAST
from mlopsim.governance.monitor import Chart, Monitor, read_counts
from mlopsim.governance.monitoring.normal_scores import score_of_tails, sided, standardised
from mlopsim.governance.monitoring.rates import By, Rate, share
from mlopsim.governance.monitoring.reference import Reference

#: entries of a table of scores that is worth making
TABLE = 1_000_000


@dataclass(frozen=True, kw_only=True)
class Tally:
    """A rate counted in all windows, not yet compared with anything.

    Parameters
    ----------
    rate : Rate
    by : By
    shape : tuple of int
        Of the counts: (N, T, G, C, C).
    k, n : ndarray of int64, shape (N, T, K)
        Successes and rows of each chart.
    share, part : ndarray of float64, shape (N, T, K)
        ``k / n`` and ``1 / n``, NaN of fewer than :data:`mlopsim.fairness.rates.LEAST` rows.
    pairs : ndarray of float64, shape (N, T, G)
        Ordered pairs of rows of a group.
    """

    rate: Rate
    by: By
    shape: tuple[int, ...]
    k: np.ndarray
    n: np.ndarray
    share: np.ndarray
    part: np.ndarray
    pairs: np.ndarray

    def beside(self, reference: Reference) -> Counted:
        """Return the counts beside the levels of a reference.

        Raises
        ------
        DataError
            If the reference is of another number of deployments, windows, groups or classes.
        """
        cells = reference.cells
        fits = all(c in (1, s) for c, s in zip(cells.shape[:2], self.shape[:2], strict=True))
        if cells.shape[2:] != self.shape[2:] or not fits or len(reference.rho) not in (1, self.shape[0]):
            raise DataError(
                f"a reference of cells {cells.shape} does not fit counts {self.shape}",
                remedy="the same deployments, groups and classes; one window, or as many",
            )
        level = self.by.of(*reference.levels(self.rate))
        if not (reference.rho > 0.0).any():
            return Counted(tally=self, level=level, rho=np.zeros((1, 1, self.k.shape[-1])))
        rho = reference.correlation(self.rate)
        if self.by is By.GROUP:
            return Counted(tally=self, level=level, rho=rho)
        total = self.n[..., 0]
        together = (self.pairs * rho).sum(axis=-1) / np.maximum(total * (total - 1.0), 1.0)
        rho = np.broadcast_to(rho, self.pairs.shape)
        return Counted(tally=self, level=level, rho=self.by.of(together, rho))


@dataclass(frozen=True, kw_only=True)
class Counted:
    """A rate in all windows beside its level in control.

    Parameters
    ----------
    tally : Tally
    level : ndarray of float64, shape (N or 1, T or 1, K)
        In control; NaN where it is not known.
    rho : ndarray of float64, shape (N or 1, T or 1, K)
        Intraclass correlation: ``var(k) = n p (1 - p) (1 + (n - 1) rho)``. Of all rows, which are sums over
        groups, the one with their variance at a common level.
    """

    tally: Tally
    level: np.ndarray
    rho: np.ndarray

    @property
    def k(self) -> np.ndarray:
        """Successes, int64 (N, T, K)."""
        return self.tally.k

    @property
    def n(self) -> np.ndarray:
        """Rows, int64 (N, T, K)."""
        return self.tally.n

    @property
    def share(self) -> np.ndarray:
        """Successes by rows, NaN of too few rows."""
        return self.tally.share

    def sd(self, level: np.ndarray) -> np.ndarray:
        """Return the standard deviation of the share at a level, NaN of too few rows."""
        spread = level * (1.0 - level) * self.tally.part
        if self.rho.any():
            spread = spread * (1.0 + (self.n - 1.0) * self.rho)
        found: np.ndarray = np.sqrt(spread)
        return found


def tally(counts: np.ndarray, rate: Rate, by: By) -> Tally:
    """Count a rate for all rows, for groups, or for both."""
    counts = read_counts(counts)
    hits, rows = rate.counted(counts)
    k, n = by.of(hits.sum(axis=-1), hits), by.of(rows.sum(axis=-1), rows)
    enough = np.where(n >= LEAST, n, 0)
    return Tally(
        rate=rate,
        by=by,
        shape=counts.shape,
        k=k,
        n=n,
        share=share(k, enough),
        part=share(np.ones_like(k), enough),
        pairs=rows * (rows - 1.0),
    )


@dataclass(kw_only=True)
class RateChart(Monitor):
    """Base of charts of one rate.

    Parameters
    ----------
    rate : Rate, default accuracy
        What is charted.
    by : By, default all
        For whom: all rows, each group, or both.
    side : Side, default both
        Which changes it looks for.
    """

    rate: Rate = Rate.ACCURACY
    by: By = By.ALL
    side: Side = Side.BOTH

    def charts(self, groups: tuple[str, ...]) -> list[Chart]:
        """Return one chart for all rows, one a group, or both."""
        return [Chart(name=name, labels=self.rate.labels) for name in self.by.names(self.rate.value, groups)]

    def counted(self, counts: np.ndarray, reference: Reference) -> Counted:
        """Return what is charted beside its level in control."""
        return tally(counts, self.rate, self.by).beside(reference)


@dataclass(kw_only=True)
class WindowChart(RateChart):
    """Base of charts whose score is of one window.

    Parameters
    ----------
    rate, by, side
        See :class:`RateChart`.
    tolerance : float, default 0
        Levels within it of the one in control are in control, too: the score is that of the nearest of them.
        In the unit of the rate (of F1: of F1).
    impact : float, default 0
        Observed changes up to it are no alarm, however significant (their score is at most 0).
    """

    tolerance: float = 0.0
    impact: float = 0.0

    def __post_init__(self) -> None:
        check_range(f"monitor/{self.name}.tolerance", self.tolerance, 0.0, 1.0)
        check_range(f"monitor/{self.name}.impact", self.impact, 0.0, 1.0)

    def score(self, found: Counted, nearest: np.ndarray) -> np.ndarray:
        """Return the scores (N, T, K) against these levels, (N, T, K) or what can be broadcast to it."""
        raise NotImplementedError

    def on(self, counts: np.ndarray) -> Callable[[Reference], np.ndarray]:
        """Return what gives the scores on these counts, which are counted once."""
        found = tally(counts, self.rate, self.by)
        return lambda reference: self.compared(found.beside(reference))

    def scores(self, counts: np.ndarray, reference: Reference) -> np.ndarray:
        """Return the scores of its charts, (N, K, T)."""
        return self.on(counts)(reference)

    def compared(self, found: Counted) -> np.ndarray:
        """Return the scores (N, K, T) of what is counted, tolerance and impact minded."""
        if self.tolerance == self.impact == 0.0:
            score = self.score(found, found.level)
        else:
            expected = self.rate.shown(np.broadcast_to(found.level, found.k.shape))
            gap = self.rate.shown(found.share) - expected
            # the level in control that is the nearest to what was seen
            inside = np.clip(expected + np.clip(gap, -self.tolerance, self.tolerance), 0.0, 1.0)
            nearest = inside / (2.0 - inside) if self.rate is Rate.F1 else inside
            nearest = np.where(np.abs(gap) <= self.tolerance + 1e-12, found.share, nearest)
            nearest = nearest if self.tolerance > 0.0 else found.level
            score = self.score(found, nearest)
            if self.impact > 0.0:
                score = np.where(np.abs(gap) <= self.impact + 1e-12, np.minimum(score, 0.0), score)
        return np.ascontiguousarray(np.moveaxis(score, -1, 1))


def binomial_scores(found: Counted, level: np.ndarray, side: Side) -> np.ndarray:
    """Return the signed scores ``(k / n - p) / sd``, (N, T, K).

    The standard deviation is that of the window at this level.
    """
    return sided(standardised(found.share - level, found.sd(level)), side)


def exact_scores(found: Counted, level: np.ndarray, side: Side) -> np.ndarray:
    """Return the scores of exact binomial or beta-binomial tails, (N, T, K)."""
    from mlopsim.governance.monitoring.kernels.beta_binomial import tails

    score = np.empty(found.k.shape)
    for c in range(found.k.shape[-1]):
        k, n = found.k[..., c], found.n[..., c]
        p, rho = level[..., c], found.rho[..., c]
        place = None
        width = int(n.max(initial=0)) + 1
        if _constant(p) and _constant(rho) and width * width <= TABLE:
            # one law: each pair of counts is looked up, however often it occurs
            place = n * width + k
            there = np.zeros(width * width, dtype=bool)
            there[place.ravel()] = True
            pairs = np.flatnonzero(there)
            k, n = pairs % width, pairs // width
            p, rho = p.reshape(-1)[:1], rho.reshape(-1)[:1]
        below, at, above = np.empty((3, k.size))
        k1, n1, p1, rho1 = (np.array(np.broadcast_to(a, k.shape)).ravel() for a in (k, n, p, rho))
        tails(k1, n1, p1, rho1, below, at, above)
        values = score_of_tails(below, at, above, side)
        if place is not None:
            table = np.empty(width * width)
            table[pairs] = values
            score[..., c] = table[place]
        else:
            score[..., c] = values.reshape(k.shape)
    # too few rows say nothing
    return np.where(np.isnan(found.share), np.nan, score)


def _constant(values: np.ndarray) -> bool:
    """Say whether all values are one; NaN counts as none."""
    return bool(values.size and (values == values.flat[0]).all())
