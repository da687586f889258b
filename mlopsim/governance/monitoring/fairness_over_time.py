"""Two claims on fairness over time, as tables from counts: what alarms tell, and what retraining does."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

from mlopsim.core.errors import DataError
from mlopsim.fairness.rates import LEAST
from mlopsim.governance.constraint import spread
from mlopsim.governance.monitor import Monitor, read_counts
from mlopsim.governance.monitoring.limits import Limits
from mlopsim.governance.monitoring.rates import Rate, share
from mlopsim.governance.monitoring.reference import Reference
from mlopsim.governance.monitoring.watch import watch
from mlopsim.stats.clustered import clustered_mean, clustered_median, clustered_share
from mlopsim.stats.interval import Interval

#: texts, shares and counts by column
Row: TypeAlias = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Guard:
    """A monitor that is ready to watch.

    Parameters
    ----------
    monitor : Monitor
    limits : Limits
    reference : Reference
    """

    monitor: Monitor
    limits: Limits
    reference: Reference


def gap(counts: np.ndarray, rate: Rate) -> np.ndarray:
    """Return the largest less the smallest rate of groups, (...); NaN of fewer than two.

    Parameters
    ----------
    counts : ndarray, shape (..., G, C, C)
        Counts, of which a group with fewer than 5 rows is left out, or probabilities (floats).

    Examples
    --------
    >>> float(gap(np.array([[[40, 10], [10, 40]], [[50, 20], [10, 20]]]), Rate.ACCEPTANCE).round(3))
    0.1
    """
    k, n = rate.counted(counts)
    rates = share(k, np.where(n >= LEAST, n, 0) if counts.dtype.kind in "iu" else n)
    return spread(rates)


def alarms_beside_truth(
    counts: np.ndarray,
    truth: np.ndarray,
    accuracy: Guard,
    fairness: Guard,
    *,
    rate: Rate = Rate.RECALL,
    largest_gap: float = 0.1,
    lowest_accuracy: float = 0.8,
    delay: int = 0,
    within: int = 5,
    seeds: np.ndarray | None = None,
) -> list[Row]:
    """Return how often alarms of accuracy and alarms of fairness tell which breach.

    Claim: accuracy alarms do not stand for fairness alarms. A deployment is in a state by the truth:
    ``none``, ``accuracy`` (it falls below its floor), ``fairness`` (a gap exceeds its limit) or ``both``;
    each state has a row for each guard. An alarm counts from the first breach on, up to ``within`` windows
    after labels could tell; where nothing is breached, in as many windows from the median breach of the
    others on. Alarms of accuracy stand for fairness where their share in ``fairness`` is that of the alarms
    of fairness; they do not, where it is that of ``none``.

    Parameters
    ----------
    counts : ndarray of int64, shape (N, T, G, C, C)
        Of what served.
    truth : ndarray of float64, shape (N, T, G, C, C)
        Probabilities (or pooled counts) of the same, from which breaches are told.
    accuracy, fairness : Guard
        The monitors whose alarms are compared.
    rate : Rate, default recall
        Whose gap is fairness.
    largest_gap, lowest_accuracy : float
        The limits; exactly these are no breach.
    delay : int, default 0
        Windows by which labels are late.
    within : int, default 5
        Windows in which an alarm is in time.
    seeds : ndarray of int64, shape (N,), optional
        Of the people of each deployment: those of one seed are resampled together. By default no two
        deployments share people.

    Returns
    -------
    list of dict
        ``state``, ``guard``, ``n`` (deployments), ``seeds`` (how many different ones); ``alarms`` (share of
        deployments with an alarm in time), ``wait`` (median windows from breach to alarm where there is one),
        and, of both guards together, ``agree`` (share of deployments in which both alarm or neither does),
        each with ``_low`` and ``_high`` (95 %, seeds resampled:
        :mod:`mlopsim.stats.clustered`). States in which no deployment is have no row.

    Raises
    ------
    DataError
        If shapes differ or ``within`` is negative.

    References
    ----------
    Davis et al. (2025), *Emerging algorithmic bias: fairness drift as the next dimension of model
    maintenance*, JAMIA.
    """
    counts = read_counts(counts)
    if truth.shape != counts.shape:
        raise DataError(f"the truth {truth.shape} does not fit counts {counts.shape}")
    if within < 0:
        raise DataError(f"an alarm cannot be in time within {within} windows")
    people = _seeds(seeds, len(counts))
    right, rows = Rate.ACCURACY.counted(truth)
    level = share(right.sum(axis=-1), rows.sum(axis=-1))
    low = level < lowest_accuracy - 1e-12
    unfair = gap(truth, rate) > largest_gap + 1e-12
    state = np.where(low.any(axis=1), 1, 0) + np.where(unfair.any(axis=1), 2, 0)
    broken = low | unfair
    ever = broken.any(axis=1)
    onset = broken.argmax(axis=1)
    # the same windows, as far as there can be such, where nothing is breached
    onset[~ever] = int(np.median(onset[ever])) if ever.any() else 0
    place = np.arange(counts.shape[1])
    in_time = (place >= onset[:, None]) & (place <= onset[:, None] + delay + within)
    told, waits = [], []
    for guard in (accuracy, fairness):
        alarms = watch(guard.monitor, counts, guard.reference, guard.limits, delay=delay).alarms & in_time
        told.append(alarms.any(axis=1))
        waits.append(alarms.argmax(axis=1) - onset)
    table: list[Row] = []
    for number, name in enumerate(("none", "accuracy", "fairness", "both")):
        of = state == number
        if not of.any():
            continue
        agree = clustered_share((told[0] == told[1])[of], people[of], _rng())
        for guard_name, alarmed, wait in zip(("accuracy", "fairness"), told, waits, strict=True):
            hits = alarmed & of & (number > 0)
            table.append(
                {
                    "state": name,
                    "guard": guard_name,
                    "n": int(of.sum()),
                    "seeds": len(np.unique(people[of])),
                    **_told("alarms", clustered_share(alarmed[of], people[of], _rng())),
                    **_told("wait", clustered_median(wait[hits], people[hits], _rng())),
                    **_told("agree", agree),
                }
            )
    return table


def retraining_and_gaps(
    counts: np.ndarray,
    versions: np.ndarray,
    *,
    rate: Rate = Rate.RECALL,
    largest_gap: float = 0.1,
    drifted: np.ndarray | None = None,
    seeds: np.ndarray | None = None,
) -> list[Row]:
    """Return what switches to other versions did to a gap, on the rows that both would have served.

    Claim: retraining restores fairness under drift in some cases and worsens it in others. Since the counts
    of all versions in all windows are known, a switch is compared with what would have been: over the windows
    that the new version serves, its gap and that of the version it replaced. It **restored** where the old
    one would have exceeded the limit and the new one does not, **worsened** where it is the other way round.

    Parameters
    ----------
    counts : ndarray, shape (V, T, G, C, C)
        Of every version in every window: ``World.counts``, or probabilities of the truth.
    versions : ndarray of int64, shape (N, T)
        What served each window of each deployment.
    rate : Rate, default recall
        Whose gap is fairness.
    largest_gap : float
        The limit; exactly this is no breach.
    drifted : ndarray of bool, shape (T,), optional
        Windows whose law is another one than that of window 0; then switches whose windows are mostly such
        are told apart.
    seeds : ndarray of int64, shape (N,), optional
        Of the people of each deployment: switches of one seed are resampled together. By default no two
        deployments share people.

    Returns
    -------
    list of dict
        A row for all switches, or one without and one with drift: ``drift``, ``n`` (switches whose gaps are
        both known), ``seeds`` (how many different ones these are of); ``restored`` and ``worsened`` (shares
        of switches), ``restored_any`` and ``worsened_any`` (shares of deployments with such a switch, of
        those that have any), ``smaller`` (share of switches that made the gap smaller), ``gap_old``,
        ``gap_new`` and ``accuracy_change`` (means), each with ``_low`` and ``_high`` (95 %, seeds resampled:
        :mod:`mlopsim.stats.clustered`).

    Raises
    ------
    DataError
        If shapes do not fit.

    References
    ----------
    Davis et al. (2025), JAMIA.

    Examples
    --------
    >>> old = np.array([[[40, 10], [10, 40]], [[40, 10], [20, 30]]])
    >>> new = np.array([[[40, 10], [10, 40]], [[40, 10], [11, 39]]])
    >>> counts = np.stack([np.stack([old] * 3), np.stack([new] * 3)])
    >>> row = retraining_and_gaps(counts, np.array([[0, 1, 1]]))[0]
    >>> row["n"], row["restored"], row["worsened"], round(row["gap_old"], 3), round(row["gap_new"], 3)
    (1, 1.0, 0.0, 0.2, 0.02)
    """
    if counts.ndim != 5 or versions.ndim != 2 or versions.shape[1] != counts.shape[1]:
        raise DataError(f"versions (N, T) do not fit counts (V, T, ...): {versions.shape}, {counts.shape}")
    if drifted is not None and drifted.shape != (counts.shape[1],):
        raise DataError(f"drifted (T,) does not fit counts (V, T, ...): {drifted.shape}, {counts.shape}")
    whole = counts.astype(np.int64) if counts.dtype.kind in "iu" else counts
    running = np.concatenate([np.zeros_like(whole[:, :1]), whole], axis=1).cumsum(axis=1)
    moved = versions[:, 1:] != versions[:, :-1]
    runs, at = np.nonzero(moved)
    start = at + 1
    end = np.full(len(start), counts.shape[1])
    same = runs[1:] == runs[:-1]
    end[:-1][same] = start[1:][same]
    new, old = versions[runs, start], versions[runs, at]
    pooled = [running[v, end] - running[v, start] for v in (old, new)]
    gaps = np.stack([gap(cells, rate) for cells in pooled])
    right = [Rate.ACCURACY.counted(cells) for cells in pooled]
    levels = [share(k.sum(axis=-1), n.sum(axis=-1)) for k, n in right]
    change = levels[1] - levels[0]
    over = gaps > largest_gap + 1e-12
    known = ~np.isnan(gaps).any(axis=0)
    parts = {"all": known}
    if drifted is not None:
        there = np.concatenate([[0], np.cumsum(drifted)])
        mostly = 2 * (there[end] - there[start]) > end - start
        parts = {"without": known & ~mostly, "with": known & mostly}
    people = _seeds(seeds, len(versions))
    crossed = {"restored": over[0] & ~over[1], "worsened": ~over[0] & over[1]}
    table: list[Row] = []
    for name, of in parts.items():
        which = people[runs[of]]
        row: Row = {"drift": name, "n": int(of.sum()), "seeds": len(np.unique(which))}
        for what, switched in crossed.items():
            row |= _told(what, clustered_share(switched[of], which, _rng()))
            some = np.unique(runs[of])
            ever = np.isin(some, runs[of & switched])
            row |= _told(f"{what}_any", clustered_share(ever, people[some], _rng()))
        row |= _told("smaller", clustered_share((gaps[1] < gaps[0])[of], which, _rng()))
        for what, values in (("gap_old", gaps[0]), ("gap_new", gaps[1]), ("accuracy_change", change)):
            row |= _told(what, clustered_mean(values[of], which, _rng()))
        table.append(row)
    return table


def _seeds(seeds: np.ndarray | None, n: int) -> np.ndarray:
    """Return the seed of each of n deployments, int64 (n,); without any each has its own."""
    if seeds is None:
        return np.arange(n)
    if seeds.shape != (n,):
        raise DataError(f"{n} deployments need as many seeds, got {seeds.shape}")
    return seeds


def _rng() -> np.random.Generator:
    """Return the source of the resamples: all intervals meet the same ones."""
    return np.random.default_rng(0)


def _told(name: str, found: Interval) -> Row:
    """Return a number with its interval."""
    return {name: found.value, f"{name}_low": found.low, f"{name}_high": found.high}
