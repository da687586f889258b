"""A deployment's own share of false alarms, given what its phase I has estimated, and limits that hold it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mlopsim.core.errors import DataError
from mlopsim.core.spec import check_range
from mlopsim.fairness.calibration import limit_of, per_window
from mlopsim.governance.monitor import Monitor
from mlopsim.governance.monitoring.in_control import Law, law_of
from mlopsim.governance.monitoring.limits import Limits
from mlopsim.governance.monitoring.reference import Reference, Spread, estimated

#: windows that are drawn at a time
CHUNK = 20_000
#: of the windows in control, those that stand at this position or higher are all kept, and of others fewer
#: the lower they stand, down to this share
KEPT, STEEP, LEAST = 0.8, 8, 0.005


@dataclass(frozen=True, kw_only=True)
class Sample:
    """Windows in control, from which shares of alarms are read.

    Parameters
    ----------
    counts : ndarray of int64, shape (R, H, G, C, C)
        Of R deployments of H windows.
    weights : ndarray of float64, shape (H,), or None
        Of R = 1: how many windows each stands for; None: one.
    drawn : int
        Windows that were drawn.
    """

    counts: np.ndarray
    weights: np.ndarray | None
    drawn: int

    def above(self, over: np.ndarray) -> float:
        """Return the share of windows for which something is so, from bool (R, H)."""
        if self.weights is None:
            return float(over.mean())
        return float((over[0] * self.weights).sum() / self.drawn)

    def tail(self, position: np.ndarray, level: float) -> float:
        """Return the position that at most this share of windows exceeds, from float64 (R, H)."""
        if self.weights is None:
            return limit_of(position.reshape(-1, 1), level).value
        order = np.argsort(-np.where(np.isnan(position[0]), -np.inf, position[0]), kind="stable")
        share = np.cumsum(self.weights[order]) / self.drawn
        return float(position[0][order[min(int(np.searchsorted(share, level - 1e-12)), len(order) - 1)]])


def deployments(law: Law, runs: int, windows: int, rng: np.random.Generator) -> Sample:
    """Return whole deployments in control.

    Examples
    --------
    >>> from mlopsim.governance.monitoring.in_control import law
    >>> told = law(base=(0.5,), recall=(0.8,), false_positive_rate=(0.2,), rows=(100,))
    >>> deployments(told, 10, 50, np.random.default_rng(0)).drawn
    500
    """
    return Sample(counts=law.draw(runs, windows, rng), weights=None, drawn=runs * windows)


def telling_windows(
    monitor: Monitor, limits: Limits, law: Law, windows: int, rng: np.random.Generator
) -> Sample:
    """Return windows in control of which those far from the limit are thinned, and count for more.

    Nearly all windows say nothing of the tail. A window at position x, with told levels, is kept with
    probability ``(x / .8) ** 8``, at most 1 and at least .005; by the inverse as weight every share stays
    unbiased.

    Parameters
    ----------
    monitor : Monitor
        Without memory.
    limits : Limits
    law : Law
    windows : int
        That are drawn.
    rng : Generator

    Raises
    ------
    DataError
        If the monitor has a memory: its windows cannot be taken apart.
    """
    if monitor.remembers:
        raise DataError(f"{monitor.full_name} remembers: windows alone say nothing", remedy="deployments()")
    counts, weights = [], []
    for start in range(0, windows, CHUNK):
        drawn = law.draw(1, min(CHUNK, windows - start), rng)
        position = limits.position(monitor.scores(drawn, law.reference()))[0]
        position = np.where(np.isnan(position), 0.0, np.maximum(position, 0.0))
        chance = np.clip((np.minimum(position, 1.0) / KEPT) ** STEEP, LEAST, 1.0)
        kept = rng.random(len(chance)) < chance
        counts.append(drawn[:, kept])
        weights.append(1.0 / chance[kept])
    return Sample(counts=np.concatenate(counts, axis=1), weights=np.concatenate(weights), drawn=windows)


def conditional_shares(
    monitor: Monitor, limits: Sequence[Limits], references: Reference, sample: Sample
) -> np.ndarray:
    """Return the share of horizons with an alarm, given what each reference has learnt.

    Phase I is over: a deployment lives with its estimates, and its own share of false alarms may be far from
    the average over phases I.

    Parameters
    ----------
    monitor : Monitor
    limits : sequence of Limits
        Each is tried.
    references : Reference
        Of N deployments.
    sample : Sample
        In control. Of a monitor without memory the share is ``1 - (1 - q) ** windows``, q being the share of
        all its windows with an alarm; else it is the share of deployments with an alarm, which must have the
        limits' horizon.

    Returns
    -------
    ndarray of float64, shape (L, N)

    Raises
    ------
    DataError
        If a monitor with a memory gets deployments of another length.

    References
    ----------
    Gandy and Kvaloy (2013), *Guaranteed conditional performance of control charts via bootstrap methods*,
    Scandinavian Journal of Statistics 40, 647-668, doi 10.1002/sjos.12006.
    """
    count = len(references.cells)
    found = np.empty((len(limits), count))
    for limit in limits:
        _check(monitor, limit, sample)
    scores = monitor.on(sample.counts)
    for i in range(count):
        scored = scores(references.one(i))
        for j, limit in enumerate(limits):
            over = limit.position(scored) > 1.0
            if monitor.remembers:
                found[j, i] = over.any(axis=1).mean()
            else:
                once = min(sample.above(over), 1.0)
                found[j, i] = 1.0 if once == 1.0 else -math.expm1(limit.windows * math.log1p(-once))
    return found


def needed_values(monitor: Monitor, limits: Limits, references: Reference, sample: Sample) -> np.ndarray:
    """Return the common values at which deployments with these references have their share alpha, no more.

    Parameters
    ----------
    monitor, references, sample
        See :func:`conditional_shares`.
    limits : Limits
        Own limits, horizon and alpha.

    Returns
    -------
    ndarray of float64, shape (N,)
    """
    _check(monitor, limits, sample)
    scores = monitor.on(sample.counts)
    found = np.empty(len(references.cells))
    for i in range(len(found)):
        position = limits.position(scores(references.one(i))) * limits.value
        if monitor.remembers:
            found[i] = limit_of(position, limits.alpha).value
        else:
            found[i] = sample.tail(position, per_window(limits.alpha, limits.windows))
    return found


def _check(monitor: Monitor, limits: Limits, sample: Sample) -> None:
    """Refuse deployments of another length than the horizon where a monitor remembers."""
    if monitor.remembers and sample.counts.shape[1] != limits.windows:
        raise DataError(
            f"{monitor.full_name} remembers: deployments of {sample.counts.shape[1]} windows, a limit for "
            f"{limits.windows}",
            remedy="draw as many windows as the horizon has",
        )


def guaranteed(
    monitor: Monitor,
    limits: Limits,
    known: Reference,
    rows: np.ndarray,
    rng: np.random.Generator,
    *,
    confidence: float = 0.9,
    bootstraps: int = 100,
    sample: int = 100_000,
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
    sample : int, default 100,000
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
    if monitor.remembers:
        drawn = deployments(law, max(1, sample // limits.windows), limits.windows, rng)
    else:
        drawn = telling_windows(monitor, limits, law, sample, rng)
    again = estimated(law.draw(bootstraps, learn, rng), spread)
    values = needed_values(monitor, limits, again, drawn)
    value = float(np.quantile(values, confidence, method="inverted_cdf"))
    return Limits(each=limits.each, value=value, alpha=limits.alpha, windows=limits.windows, how="guaranteed")
