"""Alarms set against the true changes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from mlopsim.core.errors import DataError


@dataclass(frozen=True, kw_only=True)
class Score:
    """What alarms are worth as statements about changes; ``reasons`` tell why a number is NaN.

    Parameters
    ----------
    drifts, detected : int
        Changes that can be found, and those found in time.
    hits, false, extra : int
        Alarms that were the first in a change's window, outside all windows, further ones in a window.
    ticks, stable : int
        Ticks looked at, and those outside all windows.
    delay : float
        Mean delay of the detected changes, in ticks.
    restricted_delay : float
        Mean over all changes of min(delay, length of the window): a missed change counts its whole window
        (the restricted mean of the delay, which is censored at the window's end).
    recall, precision, f1 : float
        detected / drifts; hits / (hits + false); their harmonic mean.
    false_per_1000 : float
        False alarms per 1000 stable ticks.
    chance_recall : float
        Share of the changes that as many alarms as these at random ticks would find.
    mtfa, mtd, mdr, mtr : float
        Mean time between false alarms (stable ticks a false alarm), mean time to detection (= ``delay``),
        missed detection rate, and MTR = MTFA / MTD * (1 - MDR).
    episode_recall : float
        Share of the episodes found: changes whose windows touch count as one episode.
    harmless_alarmed : float
        Share of the harmless changes with an alarm in their window.
    """

    drifts: int
    detected: int
    hits: int
    false: int
    extra: int
    ticks: int
    stable: int
    delay: float
    restricted_delay: float
    recall: float
    precision: float
    f1: float
    false_per_1000: float
    chance_recall: float
    mtfa: float
    mtd: float
    mdr: float
    mtr: float
    episode_recall: float
    harmless_alarmed: float
    reasons: dict[str, str] = field(default_factory=dict)


def score_alarms(
    alarms: Sequence[int] | np.ndarray,
    drifts: Sequence[tuple[int, int]] | np.ndarray,
    ticks: int,
    tolerance: int,
    first: int = 0,
    harmless: Sequence[tuple[int, int]] | np.ndarray = (),
) -> Score:
    """Score alarms against true changes.

    A change that starts at ``start`` and has arrived at ``end`` can be found in the window
    ``start <= tick < end + tolerance`` (abrupt: ``end == start``), cut off at the end of the signal.
    An alarm counts for the change that started last among those in whose window it lies; the first alarm for
    a change is a hit, others are counted apart. So an alarm at every tick has as many false alarms as
    there are stable ticks, whatever it finds. Alarms in the window of a harmless change, outside all windows
    of other changes, are neither hits nor false: ``harmless_alarmed`` counts them.

    Parameters
    ----------
    alarms : sequence of int
        Ticks of the alarms.
    drifts : sequence of (start, end)
        First and last tick of each change. Changes outside ``first..ticks-1`` are ignored.
    ticks : int
        Length of the signal.
    tolerance : int
        Ticks after the end of a change within which an alarm counts for it, at least 1.
    first : int, default 0
        First tick that is looked at (after the warm-up); alarms before it are ignored.
    harmless : sequence of (start, end)
        Changes that need no answer.

    Returns
    -------
    Score

    Raises
    ------
    DataError
        If an alarm lies outside the signal, a change ends before it starts, or the tolerance is below 1.

    References
    ----------
    Basseville and Nikiforov (1993), *Detection of Abrupt Changes*, section 4 (criteria); Bifet (2017),
    *Classifier concept drift detection and the illusion of progress* (MTFA, MTD, MDR, MTR).

    Examples
    --------
    >>> s = score_alarms([10, 55, 60], [(50, 50)], ticks=100, tolerance=20)
    >>> s.hits, s.false, s.extra, s.delay, round(s.mtfa)
    (1, 1, 1, 5.0, 80)
    """
    at = np.unique(np.asarray(alarms, dtype=np.int64))
    spans = np.asarray(drifts, dtype=np.int64).reshape(-1, 2)
    if tolerance < 1:
        raise DataError(f"a tolerance of {tolerance} ticks leaves no time to detect", remedy="use 1 or more")
    if len(at) and (at[0] < 0 or at[-1] >= ticks):
        raise DataError(f"alarms at {at[0]}..{at[-1]} in a signal of {ticks} ticks")
    at = at[at >= first]
    spans, ends = _windows(spans, first, ticks, tolerance)
    quiet, quiet_ends = _windows(np.asarray(harmless, dtype=np.int64).reshape(-1, 2), first, ticks, tolerance)
    starts, stops = np.r_[spans[:, 0], quiet[:, 0]], np.r_[ends, quiet_ends]
    covered = np.zeros(ticks + 1, dtype=np.int64)
    np.add.at(covered, starts, 1)
    np.add.at(covered, stops, -1)
    inside = np.cumsum(covered)[:ticks] > 0
    stable = int((~inside[first:]).sum())
    harmless_owner = _owners(at, quiet[:, 0], quiet_ends)
    at = at[(harmless_owner < 0) | (_owners(at, spans[:, 0], ends) >= 0)]

    owner = _owners(at, spans[:, 0], ends)
    found = {int(k): int(at[owner == k][0]) for k in np.unique(owner) if k >= 0}
    hits, false = len(found), int((owner < 0).sum())
    delays = np.array([found[k] - spans[k, 0] for k in sorted(found)], dtype=np.float64)
    restricted = np.array(
        [(found[k] if k in found else ends[k]) - spans[k, 0] for k in range(len(spans))], dtype=np.float64
    )
    values: dict[str, float] = {}
    reasons: dict[str, str] = {}

    def put(name: str, value: float, reason: str) -> None:
        values[name] = value
        if math.isnan(value):
            reasons[name] = reason

    none, nothing, missed = "no change to find", "no alarm", "no change was found"
    nan = math.nan
    put("delay", float(delays.mean()) if len(delays) else nan, missed if len(spans) else none)
    put("restricted_delay", float(restricted.mean()) if len(spans) else nan, none)
    put("recall", hits / len(spans) if len(spans) else nan, none)
    put("precision", hits / (hits + false) if hits + false else nan, nothing)
    put("f1", 2 * hits / (2 * hits + false + len(spans) - hits) if len(spans) else nan, none)
    put("false_per_1000", 1000.0 * false / stable if stable else nan, "no stable tick")
    put("mtfa", stable / false if false else nan, "no false alarm")
    put("mtd", values["delay"], missed if len(spans) else none)
    put("mdr", 1.0 - values["recall"], none)
    ratio = nan
    if false and len(delays):
        # a mean time of less than a tick is no time: whatever always fires has none
        ratio = values["mtfa"] / max(values["mtd"], 1.0) * values["recall"]
    put("mtr", ratio, "no false alarm" if not false else (missed if len(spans) else none))
    looked = ticks - first
    chance = nan
    if len(spans) and stable:
        # the rate outside the windows: alarms that a change explains are no chance
        lengths = (ends - spans[:, 0]).astype(np.float64)
        chance = float(np.mean(1.0 - (1.0 - false / stable) ** lengths))
    put("chance_recall", chance, "no stable tick" if len(spans) else none)
    put("episode_recall", _episodes(spans[:, 0], ends, found), none)
    alarmed = len(set(harmless_owner.tolist()) - {-1}) / len(quiet) if len(quiet) else nan
    put("harmless_alarmed", alarmed, "no harmless change")
    return Score(
        drifts=len(spans),
        detected=hits,
        hits=hits,
        false=false,
        extra=len(at) - hits - false,
        ticks=looked,
        stable=stable,
        reasons=reasons,
        **values,
    )


def _windows(spans: np.ndarray, first: int, ticks: int, tolerance: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the changes that can be found, in order, and the ends of their windows."""
    if (spans[:, 1] < spans[:, 0]).any():
        raise DataError("a change ends before it starts")
    spans = spans[(spans[:, 0] >= first) & (spans[:, 0] < ticks)]
    spans = spans[np.argsort(spans[:, 0], kind="stable")]
    return spans, np.minimum(spans[:, 1] + tolerance, ticks)


def _owners(at: np.ndarray, starts: np.ndarray, ends: np.ndarray) -> np.ndarray:
    """Return the change that each alarm counts for, -1 for none."""
    owner = np.full(len(at), -1, dtype=np.int64)
    for k in range(len(starts)):
        owner[(at >= starts[k]) & (at < ends[k])] = k
    return owner


def _episodes(starts: np.ndarray, ends: np.ndarray, found: dict[int, int]) -> float:
    """Return the share of groups of touching windows in which something was found."""
    if not len(starts):
        return math.nan
    hit: list[bool] = []
    reach = -1
    for k in range(len(starts)):
        if starts[k] > reach:
            hit.append(False)
        reach = max(reach, int(ends[k]))
        hit[-1] = hit[-1] or k in found
    return sum(hit) / len(hit)
