"""The four measures of the literature on drift detection, which know no tolerance."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from mlopsim.core.errors import DataError
from mlopsim.drift.positions import positions


@dataclass(frozen=True, kw_only=True)
class TimeRatio:
    """Mean times of alarms; ``reasons`` tell why one is NaN.

    Parameters
    ----------
    mtfa : float
        Mean time between successive false alarms, in ticks.
    mtd : float
        Mean time to detection over the changes that were detected, in ticks.
    mdr : float
        Missed detection rate: share of the changes that were not.
    mtr : float
        Mean time ratio, ``mtfa / mtd * (1 - mdr)``.
    """

    mtfa: float
    mtd: float
    mdr: float
    mtr: float
    reasons: dict[str, str] = field(default_factory=dict)


def time_ratio(
    alarms: Sequence[int] | np.ndarray, drifts: Sequence[int] | np.ndarray, lag: int = 0
) -> TimeRatio:
    """Return mean time between false alarms, mean time to detection, missed detection rate and their ratio.

    The first alarm after a change and before the next one detects it, however late; every other alarm is
    false. Without a tolerance an alarm long after a change is a detection, so that these are not the
    ``recall``, ``delay`` and ``false_per_1000`` of :func:`mlopsim.drift.scoring.score_alarms`: further alarms
    after a detection are false here.

    Parameters
    ----------
    alarms : sequence of int
        Ticks of the alarms.
    drifts : sequence of int
        Ticks at which changes start; a tick that is named twice is one change.
    lag : int, default 0
        Ticks from a change until anything of it can have been seen; the time until then is the one before.

    Returns
    -------
    TimeRatio
        NaN with a reason: ``mtfa`` of fewer than two false alarms, ``mtd`` where nothing was detected,
        ``mdr`` without a change, ``mtr`` where one of these is NaN or ``mtd`` is 0.

    Raises
    ------
    DataError
        If a position is no whole number or the lag is below 0.

    References
    ----------
    Bifet, Read, Pfahringer, Holmes, Zliobaite (2013), *CD-MOA: change detection framework for massive online
    analysis*, IDA, 92-103; Bifet (2017), *Classifier concept drift detection and the illusion of progress*,
    ICAISC, 715-725.

    Examples
    --------
    >>> time_ratio([4, 6, 10, 13, 16, 18, 24, 28], [1, 11, 12, 14, 20, 25, 26])
    TimeRatio(mtfa=6.0, mtd=2.4, mdr=0.2857142857142857, mtr=1.7857142857142858, reasons={})
    """
    at, changes = np.unique(positions(alarms, "alarms")), np.unique(positions(drifts, "changes"))
    late = int(positions([lag], "lag")[0])
    if late < 0:
        raise DataError(f"nothing is seen {-late} ticks before it happens", remedy="use a lag of 0 or more")
    # the change that each alarm follows, -1 before the first
    owner = np.searchsorted(changes + late, at, side="right") - 1
    found, place = np.unique(owner, return_index=True)
    place, found = place[found >= 0], found[found >= 0]
    delays = at[place] - changes[found]
    false = np.delete(at, place)
    nan, reasons = math.nan, {}
    if len(false) < 2:
        reasons["mtfa"] = "fewer than two false alarms"
    none = "no change to find" if not len(changes) else "no change was found" if not len(delays) else ""
    if none:
        reasons["mtd"] = none
    if not len(changes):
        reasons["mdr"] = none
    mtfa = float(false[-1] - false[0]) / (len(false) - 1) if len(false) > 1 else nan
    mtd = float(delays.mean()) if len(delays) else nan
    mdr = 1.0 - len(delays) / len(changes) if len(changes) else nan
    mtr = mtfa / mtd * (1.0 - mdr) if mtd > 0.0 else nan
    if math.isnan(mtr):
        reasons["mtr"] = none or reasons.get("mtfa", "found at once: the mean time to detection is 0")
    return TimeRatio(mtfa=mtfa, mtd=mtd, mdr=mdr, mtr=mtr, reasons=reasons)
