"""Alarms set against the true changes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from mlopsim.core.errors import DataError
from mlopsim.drift.mean_times import time_ratio
from mlopsim.drift.positions import pairs, positions


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
        Those of the literature, which know no tolerance: see :func:`mlopsim.drift.mean_times.time_ratio`.
    episode_recall : float
        Share of the episodes found: changes whose windows touch count as one episode.
    harmless_alarmed : float
        Share of the harmless changes with an alarm in that part of their window that belongs to no other
        change; harmless changes of which nothing is left are not counted.
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
    lag: int = 0,
    aside: Sequence[tuple[int, int]] | np.ndarray = (),
) -> Score:
    """Score alarms against true changes.

    A change that starts at ``start`` and has arrived at ``end`` can be found in the window
    ``start + lag <= tick < end + tolerance`` (abrupt: ``end == start``), cut off at the end of the signal and
    where the next change can be found: from there on alarms are the next one's, and a change that was missed
    until then counts as missed for that long. Changes that start at the same tick are one. The first alarm
    for a change is a hit, others are counted apart. So an alarm at every tick has as many false alarms as
    there are stable ticks, whatever it finds. Alarms in the window of a harmless change, outside all windows
    of other changes, are neither hits nor false: ``harmless_alarmed`` counts them. An alarm in the window of
    a change that is not harmless belongs to that change alone.

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
    lag : int, default 0
        Ticks from the start of a change until anything of the new law can have been seen (a label delay):
        an alarm before that is no answer to it. Delays count from the start all the same, so that none is
        below the lag. A change that no tick is left for (the lag reaches the end of its window) is one that
        nobody can find, and is ignored.
    aside : sequence of (start, end)
        Changes that are scored elsewhere (falls of an error, say, where rises are scored): each ends the time
        of the change before it and has its own window, and alarms there are neither hits nor false.

    Returns
    -------
    Score

    Raises
    ------
    DataError
        If a position is no whole number, an alarm lies outside the signal, a change ends before it starts,
        the tolerance is below 1 or the lag below 0.

    References
    ----------
    Basseville and Nikiforov (1993), *Detection of Abrupt Changes*, section 4 (criteria).

    Examples
    --------
    >>> s = score_alarms([10, 55, 60], [(50, 50)], ticks=100, tolerance=20)
    >>> s.hits, s.false, s.extra, s.delay, s.false_per_1000
    (1, 1, 1, 5.0, 12.5)
    >>> score_alarms([62], [(60, 60)], 100, 20, harmless=[(50, 50)]).harmless_alarmed
    0.0
    """
    at = np.unique(positions(alarms, "alarms"))
    spans, calm = pairs(drifts, "changes"), pairs(harmless, "harmless changes")
    others = pairs(aside, "changes aside")
    ticks, tolerance, first, lag = (
        int(positions([value], name)[0])
        for value, name in ((ticks, "ticks"), (tolerance, "tolerance"), (first, "first"), (lag, "lag"))
    )
    if tolerance < 1:
        raise DataError(f"a tolerance of {tolerance} ticks leaves no time to detect", remedy="use 1 or more")
    if lag < 0:
        raise DataError(f"nothing is seen {-lag} ticks before it happens", remedy="use a lag of 0 or more")
    if len(at) and (at[0] < 0 or at[-1] >= ticks):
        raise DataError(
            f"alarms at {at[0]}..{at[-1]} in a signal of {ticks} ticks",
            remedy="count ticks from 0; leave out what comes after the end",
        )
    at = at[at >= first]
    every = _Windows.of(np.concatenate([spans, others]), first, ticks, tolerance, lag)
    counted = np.isin(every.start, spans[:, 0])
    found_in = every.only(counted)
    quiet_in = _Windows.of(calm, first, ticks, tolerance, lag)
    taken, busy, quiet = every.owners(ticks), found_in.owners(ticks), quiet_in.owners(ticks)
    # whatever belongs to a change that needs an answer is no matter of a harmless one
    quiet = np.where(taken >= 0, -1, quiet)
    stable = int(((taken < 0) & (quiet < 0))[first:].sum())
    at = at[(taken[at] < 0) | (busy[at] >= 0)]
    alarmed = len(np.unique(quiet[at])) - bool((quiet[at] < 0).any())
    visible = len(np.unique(quiet[quiet >= 0]))
    at_all = at
    at = at[quiet[at] < 0]

    owner = busy[at]
    found = {int(k): int(at[owner == k][0]) for k in np.unique(owner) if k >= 0}
    hits, false, drifted = len(found), int((owner < 0).sum()), len(found_in.start)
    delays = np.array([found[k] - found_in.start[k] for k in sorted(found)], dtype=np.float64)
    restricted = np.array(
        [found.get(k, int(found_in.end[k])) - found_in.start[k] for k in range(drifted)], dtype=np.float64
    )
    values: dict[str, float] = {}
    reasons: dict[str, str] = {}

    def put(name: str, value: float, reason: str) -> None:
        values[name] = value
        if math.isnan(value):
            reasons[name] = reason

    none = "labels come too late to find a change in time" if lag and len(spans) else "no change to find"
    nothing, missed = "no alarm", "no change was found"
    nan = math.nan
    put("delay", float(delays.mean()) if len(delays) else nan, missed if drifted else none)
    put("restricted_delay", float(restricted.mean()) if drifted else nan, none)
    put("recall", hits / drifted if drifted else nan, none)
    put("precision", hits / (hits + false) if hits + false else nan, nothing)
    put("f1", 2 * hits / (2 * hits + false + drifted - hits) if drifted else nan, none)
    put("false_per_1000", 1000.0 * false / stable if stable else nan, "no stable tick")
    ratio = time_ratio(at_all, found_in.start, lag=lag)
    for name in ("mtfa", "mtd", "mdr", "mtr"):
        put(name, getattr(ratio, name), ratio.reasons.get(name, ""))
    chance = nan
    if drifted and stable:
        # the rate outside the windows: alarms that a change explains are no chance
        lengths = (found_in.end - found_in.begin).astype(np.float64)
        chance = float(np.mean(1.0 - (1.0 - false / stable) ** lengths))
    put("chance_recall", chance, "no stable tick" if drifted else none)
    put("episode_recall", _episodes(found_in, found), none)
    calm_text = "other changes cover the harmless ones" if len(quiet_in.start) else "no harmless change"
    put("harmless_alarmed", alarmed / visible if visible else nan, calm_text)
    return Score(
        drifts=drifted,
        detected=hits,
        hits=hits,
        false=false,
        extra=len(at) - hits - false,
        ticks=ticks - first,
        stable=stable,
        reasons=reasons,
        **values,
    )


@dataclass(frozen=True, kw_only=True)
class _Windows:
    """Changes that can be found, in order: where each starts, is seen at the earliest, and ends to count."""

    start: np.ndarray
    begin: np.ndarray
    end: np.ndarray

    @classmethod
    def of(cls, spans: np.ndarray, first: int, ticks: int, tolerance: int, lag: int) -> _Windows:
        spans = spans[(spans[:, 0] >= first) & (spans[:, 0] < ticks)]
        start = np.unique(spans[:, 0])
        arrived = np.array([spans[spans[:, 0] == at, 1].max() for at in start], dtype=np.int64)
        begin = start + lag
        # a change within a slower one does not end the time in which something is to be found
        end = np.minimum(np.maximum.accumulate(arrived + tolerance) if len(start) else arrived, ticks)
        end = np.minimum(end, np.append(begin[1:], ticks))
        open_ = end > begin
        return cls(start=start[open_], begin=begin[open_], end=end[open_])

    def only(self, which: np.ndarray) -> _Windows:
        """Return the windows of some of them, each as long as it is among all."""
        return _Windows(start=self.start[which], begin=self.begin[which], end=self.end[which])

    def owners(self, ticks: int) -> np.ndarray:
        """Return the change to which each tick belongs, int64 (ticks,), -1 for none."""
        owner = np.full(ticks, -1, dtype=np.int64)
        for k, (begin, end) in enumerate(zip(self.begin, self.end, strict=True)):
            owner[begin:end] = k
        return owner


def _episodes(windows: _Windows, found: dict[int, int]) -> float:
    """Return the share of groups of touching windows in which something was found."""
    if not len(windows.start):
        return math.nan
    hit: list[bool] = []
    reach = -1
    for k in range(len(windows.start)):
        if windows.begin[k] > reach:
            hit.append(False)
        reach = max(reach, int(windows.end[k]))
        hit[-1] = hit[-1] or k in found
    return sum(hit) / len(hit)
