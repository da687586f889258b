"""Alarms of a monitor over deployments, at the time at which they can be known."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mlopsim.core.errors import DataError
from mlopsim.fairness.rates import LEAST
from mlopsim.governance.monitor import Chart, Monitor, group_names, read_counts
from mlopsim.governance.monitoring.limits import Limits, highest
from mlopsim.governance.monitoring.reference import Reference


@dataclass(frozen=True, kw_only=True)
class Watch:
    """What charts said.

    Parameters
    ----------
    charts : list of Chart
    scores : ndarray of float64, shape (N, K, T)
        By the window in which they are known; NaN: nothing is said.
    positions : ndarray of float64, shape (N, K, T)
        Above 1 is an alarm.
    reasons : list of str
        Of each chart: in how many windows it says nothing, and why; empty where it always does.
    """

    charts: list[Chart]
    scores: np.ndarray
    positions: np.ndarray
    reasons: list[str]

    @property
    def alarms(self) -> np.ndarray:
        """Where any chart alarms, bool (N, T)."""
        found: np.ndarray = np.any(self.positions > 1.0, axis=1)
        return found

    @property
    def first(self) -> np.ndarray:
        """Window of the first alarm of each deployment, int64 (N,); -1: none."""
        alarms = self.alarms
        found: np.ndarray = np.where(alarms.any(axis=1), alarms.argmax(axis=1), -1)
        return found

    @property
    def leader(self) -> np.ndarray:
        """Chart that stands highest, int64 (N, T); -1 where none says anything."""
        filled = np.where(np.isnan(self.positions), -np.inf, self.positions)
        said = ~np.isnan(highest(self.positions))
        found: np.ndarray = np.where(said, filled.argmax(axis=1), -1)
        return found


def watch(
    monitor: Monitor,
    counts: np.ndarray,
    reference: Reference,
    limits: Limits,
    *,
    delay: int = 0,
    groups: tuple[str, ...] | None = None,
) -> Watch:
    """Run a monitor over deployments.

    Parameters
    ----------
    monitor : Monitor
    counts : ndarray of int64, shape (N, T, G, C, C)
        Of what served: see :func:`served`.
    reference : Reference
    limits : Limits
    delay : int, default 0
        Windows by which labels are late: a chart that takes labels says of window t in window t + delay; what
        takes none says it at once. Labels that come after the end are not waited for.
    groups : tuple of str, optional
        Names.

    Raises
    ------
    DataError
        If the delay is negative, or limits are of other charts.

    Examples
    --------
    >>> from mlopsim.core.spec import make
    >>> from mlopsim.governance.monitoring.in_control import law
    >>> from mlopsim.governance.monitoring.limits import conservative
    >>> told = law(base=(0.5,), recall=(0.8,), false_positive_rate=(0.2,), rows=(100,)).reference()
    >>> counts = np.array([[[[40, 10], [10, 40]]], [[[25, 25], [25, 25]]], [[[40, 10], [10, 40]]]])[None]
    >>> chart = make("monitor", "p_chart")
    >>> found = watch(chart, counts, told, conservative(chart, 1, windows=3), delay=1)
    >>> found.first, found.reasons
    (array([2]), ['accuracy: nothing said in 1 of 3 windows: labels are 1 window late'])
    """
    counts = read_counts(counts)
    if delay < 0:
        raise DataError(f"labels cannot be {delay} windows late")
    charts = monitor.charts(groups or group_names(counts.shape[2]))
    if len(limits.each) != len(charts):
        raise DataError(f"{len(charts)} charts, but limits of {len(limits.each)}")
    at_once = monitor.scores(counts, reference)
    scores = at_once.copy()
    windows = counts.shape[1]
    late = min(delay, windows)
    reasons = []
    for k, chart in enumerate(charts):
        waits = late if chart.labels else 0
        if waits:
            scores[:, k] = np.nan
            scores[:, k, waits:] = at_once[:, k, : windows - waits]
        silent = int(np.isnan(scores[:, k]).sum())
        causes = [f"labels are {delay} window{'s' if delay > 1 else ''} late"] * (waits > 0)
        causes += [f"fewer than {LEAST} rows, or no level to compare with"] * (silent > waits * len(counts))
        of = windows * len(counts)
        text = f"{chart.name}: nothing said in {silent} of {of} windows: {', '.join(causes)}"
        reasons.append(text if silent else "")
    return Watch(charts=charts, scores=scores, positions=limits.positions(scores), reasons=reasons)


def served(counts: np.ndarray, versions: np.ndarray) -> np.ndarray:
    """Return the confusion counts of what served.

    Parameters
    ----------
    counts : ndarray of int, shape (V, T, G, C, C)
        Of every version in every window: ``World.counts``.
    versions : ndarray of int64, shape (N, T)
        What served each window of each deployment.

    Returns
    -------
    ndarray of int64, shape (N, T, G, C, C)

    Raises
    ------
    DataError
        If a version does not exist, or windows do not fit.

    Examples
    --------
    >>> counts = np.arange(2 * 2 * 4).reshape(2, 2, 1, 2, 2)
    >>> served(counts, np.array([[0, 1]]))[0, :, 0, 0]
    array([[ 0,  1],
           [12, 13]])
    """
    if versions.ndim != 2 or versions.shape[1] != counts.shape[1]:
        raise DataError(
            f"versions (N, T) do not fit counts (V, T, ...): {versions.shape}, {counts.shape}",
            remedy="name what served each window",
        )
    if versions.size and not (versions.min() >= 0 and versions.max() < len(counts)):
        raise DataError(f"versions are 0..{len(counts) - 1}, got {versions.min()}..{versions.max()}")
    found: np.ndarray = counts[versions, np.arange(counts.shape[1])].astype(np.int64)
    return found
