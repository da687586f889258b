"""One limit for many charts over a horizon, with levels that are told: conservative, or simulated."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from mlopsim.core.errors import ConfigError, DataError
from mlopsim.core.spec import check_range
from mlopsim.fairness.calibration import limit_of
from mlopsim.governance.monitor import Monitor, group_names
from mlopsim.governance.monitoring.closed_forms import conservative_z
from mlopsim.governance.monitoring.in_control import Law
from mlopsim.governance.monitoring.reference import Spread, estimated

#: scores that are held at a time, in numbers
CHUNK = 8_000_000


@dataclass(frozen=True, kw_only=True)
class Limits:
    """An alarm is raised where a chart's position, its score by its own limit, is above the common value.

    Parameters
    ----------
    each : ndarray of float64, shape (K,)
        Own limits: what makes positions of unlike charts comparable.
    value : float
        Limit of the largest position.
    alpha : float
        Share of deployments in control that may have any alarm.
    windows : int
        Of the horizon.
    how : str
        ``conservative``, ``simulated``, ``guaranteed`` or ``by hand``.
    """

    each: np.ndarray
    value: float
    alpha: float
    windows: int
    how: str

    def positions(self, scores: np.ndarray) -> np.ndarray:
        """Return where charts stand, (N, K, T); above 1 is an alarm.

        Examples
        --------
        >>> limits = Limits(each=np.array([3.0, 4.0]), value=1.0, alpha=0.05, windows=50, how="by hand")
        >>> limits.positions(np.array([[[1.5], [6.0]]])).ravel()
        array([0.5, 1.5])
        """
        found: np.ndarray = scores / (self.each[:, None] * self.value)
        return found

    def position(self, scores: np.ndarray) -> np.ndarray:
        """Return the largest position of each window, (N, T); NaN where no chart says anything."""
        return highest(self.positions(scores))


def highest(values: np.ndarray, axis: int = 1) -> np.ndarray:
    """Return the largest number along an axis, NaN where there is none.

    Examples
    --------
    >>> highest(np.array([[1.0, np.nan], [2.0, np.nan]]), axis=0)
    array([ 2., nan])
    """
    top = np.where(np.isnan(values), -np.inf, values).max(axis=axis)
    return np.where(np.isneginf(top), np.nan, top)


def by_hand(monitor: Monitor, groups: int, width: float, windows: int) -> Limits:
    """Return the same limit for every chart, as many wall charts have: 3 sigma.

    The share of deployments with an alarm is not known then: ``alpha`` is NaN.

    Parameters
    ----------
    monitor : Monitor
    groups : int
        Number of groups.
    width : float
        Limit of each score.
    windows : int
        Of the horizon.

    Examples
    --------
    >>> from mlopsim.core.spec import make
    >>> by_hand(make("monitor", "p_chart"), 1, 3.0, 50).each
    array([3.])
    """
    count = len(monitor.charts(group_names(groups)))
    return Limits(each=np.full(count, width), value=1.0, alpha=math.nan, windows=windows, how="by hand")


def conservative(monitor: Monitor, groups: int, *, alpha: float = 0.05, windows: int = 50) -> Limits:
    """Return the limit that holds the family-wise share whatever the charts have to do with each other.

    By Sidak's inequality for normal numbers: as if all charts and windows were independent. Rows must be
    independent within windows, or the charts be told how much they are not.

    Parameters
    ----------
    monitor : Monitor
    groups : int
        Number of groups.
    alpha : float, default 0.05
    windows : int, default 50

    Raises
    ------
    ConfigError
        If a score is no normal number.

    References
    ----------
    Sidak (1967), *Rectangular confidence regions for the means of multivariate normal distributions*,
    JASA 62, 626-633.

    Examples
    --------
    >>> from mlopsim.core.spec import make
    >>> conservative(make("monitor", "bank"), 2).each.round(2)[:3]
    array([3.97, 3.97, 3.97])
    """
    if not monitor.is_normal:
        raise ConfigError(
            f"{monitor.full_name} has scores that are no normal numbers",
            remedy="find its limit by simulation",
        )
    count = len(monitor.charts(group_names(groups)))
    z = conservative_z(alpha, count, windows)
    return Limits(each=np.full(count, z), value=1.0, alpha=alpha, windows=windows, how="conservative")


def simulated(
    monitor: Monitor,
    law: Law,
    rng: np.random.Generator,
    *,
    alpha: float = 0.05,
    windows: int = 50,
    runs: int = 20_000,
    learn: int = 0,
    spread: Spread = Spread.BINOMIAL,
) -> Limits:
    """Return the limit at which the share alpha of simulated deployments in control has any alarm.

    First each chart has the limit that it would have alone; then the maximum of all positions over charts and
    windows gets one, as batteries of audits do.

    Parameters
    ----------
    monitor : Monitor
    law : Law
        In control.
    rng : Generator
    alpha : float, default 0.05
    windows : int, default 50
    runs : int, default 20,000
        Simulated deployments.
    learn : int, default 0
        Windows of phase I that each of them estimates its levels from; 0: levels are told.
    spread : Spread, default binomial
        How phase I estimates it.

    Raises
    ------
    DataError
        If there are fewer than ``1 / alpha`` runs, or a chart says nothing in control.

    Examples
    --------
    >>> from mlopsim.core.spec import make
    >>> from mlopsim.governance.monitoring.in_control import law
    >>> told = law(base=(0.5,), recall=(0.8,), false_positive_rate=(0.2,), rows=(100,))
    >>> chart = make("monitor", "p_chart")
    >>> found = simulated(chart, told, np.random.default_rng(0), windows=20, runs=2000)
    >>> round(float(found.each[0]), 2), round(float(conservative(chart, 1, windows=20).each[0]), 2)
    (3.0, 3.02)
    """
    check_range("alpha", alpha, 0.0, 1.0, open_low=True)
    charts = monitor.charts(group_names(len(law.rows)))
    drawn = _in_control(monitor, law, rng, windows, runs, learn, spread)
    # the largest position over windows is that of the largest score
    own = np.concatenate([highest(scores, axis=2) for scores in drawn])
    each = np.array([limit_of(own[:, [k]], alpha).value for k in range(own.shape[1])])
    for chart, limit in zip(charts, each.tolist(), strict=True):
        if not 0.0 < limit < math.inf:
            raise DataError(
                f"the chart '{chart.name}' has no limit in control: {limit:g} is not above 0",
                remedy="leave it out, or give groups more rows",
            )
    value = limit_of(highest(own / each, axis=1)[:, None], alpha).value
    return Limits(each=each, value=value, alpha=alpha, windows=windows, how="simulated")


def _in_control(
    monitor: Monitor,
    law: Law,
    rng: np.random.Generator,
    windows: int,
    runs: int,
    learn: int,
    spread: Spread,
) -> Iterator[np.ndarray]:
    """Yield scores (n, K, T) of deployments in control, some at a time."""
    count = len(monitor.charts(group_names(len(law.rows))))
    size = max(1, CHUNK // max(1, count * (windows + learn)))
    for start in range(0, runs, size):
        counts = law.draw(min(size, runs - start), learn + windows, rng)
        known = estimated(counts[:, :learn], spread) if learn else law.reference()
        yield monitor.scores(counts[:, learn:], known)
