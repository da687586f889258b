"""One limit for many charts over a horizon: conservative, simulated, or guaranteed with estimated levels."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from mlopsim.core.errors import ConfigError, DataError
from mlopsim.core.spec import check_range
from mlopsim.fairness.calibration import limit_of, per_window
from mlopsim.governance.monitor import Monitor, group_names
from mlopsim.governance.monitoring.closed_forms import conservative_z
from mlopsim.governance.monitoring.in_control import Law, law_of
from mlopsim.governance.monitoring.reference import Reference, Spread, estimated

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
    """
    count = len(monitor.charts(group_names(groups)))
    return Limits(each=np.full(count, width), value=1.0, alpha=math.nan, windows=windows, how="by hand")


def conservative(monitor: Monitor, groups: int, *, alpha: float = 0.05, windows: int = 50) -> Limits:
    """Return the limit that holds the family-wise share whatever the charts have to do with each other.

    By Sidak's inequality for normal numbers: as if all charts and windows were independent.

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


def conditional_shares(
    monitor: Monitor, limits: Limits, references: Reference, sample: np.ndarray
) -> np.ndarray:
    """Return the share of deployments with an alarm, given what each reference has learnt.

    Phase I is over: a deployment lives with its estimates, and its own share of false alarms may be far from
    the average over phases I.

    Parameters
    ----------
    monitor : Monitor
    limits : Limits
    references : Reference
        Of N deployments.
    sample : ndarray of int64, shape (R, H, G, C, C)
        Deployments in control of H windows. Of a monitor without memory the share is
        ``1 - (1 - q) ** windows``, q being the share of all their windows with an alarm; else it is the share
        of runs with an alarm, and H must be the limits' horizon.

    Returns
    -------
    ndarray of float64, shape (N,)

    Raises
    ------
    DataError
        If a monitor with a memory gets deployments of another length.

    References
    ----------
    Gandy and Kvaloy (2013), *Guaranteed conditional performance of control charts via bootstrap methods*,
    Scandinavian Journal of Statistics 40, 647-668, doi 10.1002/sjos.12006.
    """
    found = np.empty(len(references.cells))
    scores = _on(monitor, limits, sample)
    for i in range(len(found)):
        position = limits.position(scores(references.one(i)))
        above = position > 1.0
        if monitor.remembers:
            found[i] = above.any(axis=1).mean()
        else:
            found[i] = -math.expm1(limits.windows * math.log1p(-above.mean())) if not above.all() else 1.0
    return found


def _on(monitor: Monitor, limits: Limits, sample: np.ndarray) -> Callable[[Reference], np.ndarray]:
    """Return what gives the scores on a sample."""
    if monitor.remembers and sample.shape[1] != limits.windows:
        raise DataError(
            f"{monitor.full_name} remembers: deployments of {sample.shape[1]} windows, a limit for "
            f"{limits.windows}",
            remedy="draw as many windows as the horizon has",
        )
    return monitor.on(sample)


def needed_values(monitor: Monitor, limits: Limits, references: Reference, sample: np.ndarray) -> np.ndarray:
    """Return the common values at which deployments with these references have their share alpha, no more.

    Parameters
    ----------
    monitor, limits, references, sample
        See :func:`conditional_shares`.

    Returns
    -------
    ndarray of float64, shape (N,)
    """
    scores = _on(monitor, limits, sample)
    found = np.empty(len(references.cells))
    for i in range(len(found)):
        position = limits.position(scores(references.one(i))) * limits.value
        if monitor.remembers:
            found[i] = limit_of(position, limits.alpha).value
        else:
            level = per_window(limits.alpha, limits.windows)
            found[i] = limit_of(position.reshape(-1, 1), level).value
    return found


def guaranteed(
    monitor: Monitor,
    limits: Limits,
    known: Reference,
    rows: np.ndarray,
    rng: np.random.Generator,
    *,
    confidence: float = 0.9,
    bootstraps: int = 100,
    sample: int = 20_000,
    spread: Spread = Spread.BINOMIAL,
) -> Limits:
    """Return the limit that holds the deployment's own share of false alarms with this confidence.

    The law that phase I has estimated is taken for the truth; from it as many windows of phase I are drawn
    anew, again and again; the limit is the quantile of those that a chart with these estimates would need.

    Parameters
    ----------
    monitor : Monitor
    limits : Limits
        Own limits, horizon and alpha are kept.
    known : Reference
        Of one deployment, estimated from windows.
    rows : ndarray of int64, shape (G,)
        Rows of each group in a window.
    rng : Generator
    confidence : float, default 0.9
        In which share of phases I the conditional share shall be at most alpha.
    bootstraps : int, default 100
    sample : int, default 20,000
        Windows that a tail is read from.
    spread : Spread, default binomial
        How phase I estimates it.

    Raises
    ------
    DataError
        If the reference has no windows of phase I.

    References
    ----------
    Gandy and Kvaloy (2013), doi 10.1002/sjos.12006.
    """
    if known.windows is None:
        raise DataError("a reference that was told needs no guarantee", remedy="estimate it from phase I")
    check_range("confidence", confidence, 0.0, 1.0)
    learn = known.windows.shape[1]
    law = law_of(known, rows)
    drawn = law.draw(max(1, sample // limits.windows), limits.windows, rng)
    again = estimated(law.draw(bootstraps, learn, rng), spread)
    values = needed_values(monitor, limits, again, drawn)
    value = float(np.quantile(values, confidence, method="inverted_cdf"))
    return Limits(each=limits.each, value=value, alpha=limits.alpha, windows=limits.windows, how="guaranteed")
