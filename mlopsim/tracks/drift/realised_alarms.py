"""What the limits of a method really give, whichever of it was made equal: three columns of every table."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from mlopsim.stats.interval import Interval
from mlopsim.stats.table import interval_columns

if TYPE_CHECKING:
    import polars as pl

#: P(alarm within H), alarms per 1000 rows in the long run with resets, P(alarm just before the change)
REALISED = ("share", "rate", "hazard")
#: what a page says of them
WORDS = (
    "Three columns say what the limits give on fresh drift-free signals, whichever was asked for, as means "
    "over the laws (n) on which a method was calibrated or checked: `share`, P(first alarm within H); "
    "`rate`, alarms in 1,000 rows of long signals, with the reset that follows each alarm; `hazard`, P(first "
    "alarm in the last fifth of H | none before it), which is what a change at H meets."
)
#: normal quantile of a 95 % interval
QUANTILE = 1.959963984540054


def pooled_over_laws(rows: pl.DataFrame, name: str) -> Interval:
    """Return the mean of a realised number over laws, from its interval on each.

    Parameters
    ----------
    rows : polars.DataFrame
        One cell of each law that a method was calibrated or checked on, with ``name``, ``name_low`` and
        ``name_high``.
    name : str
        One of :data:`REALISED`.

    Returns
    -------
    Interval
        Laws are given, the signals on each are drawn: the half width is that of a mean of independent
        estimates, whose own are half of their intervals. ``n`` counts laws.

    Examples
    --------
    >>> import polars as pl
    >>> rows = pl.DataFrame({"rate": [0.1, 0.3], "rate_low": [0.06, 0.27], "rate_high": [0.14, 0.33]})
    >>> pooled_over_laws(rows, "rate")
    Interval(0.2 [0.175, 0.225], n=2)
    """
    import polars as pl

    ends = [f"{name}_low", f"{name}_high"]
    if not {name, *ends} <= set(rows.columns):
        return Interval(value=math.nan, n=0, reason="an earlier version did not measure it")
    known = rows.filter(pl.col(name).is_finite())
    if not len(known):
        return Interval(value=math.nan, n=0, reason="no limit was found or checked")
    value = float(known[name].to_numpy().mean())
    low, high = (known[end].to_numpy() for end in ends)
    half = 0.5 * (high - low)
    if not np.isfinite(half).all():
        return Interval(value=value, n=len(known), reason="too few signals for an interval")
    width = float(np.sqrt(np.sum(half * half))) / len(known)
    if len(known) == 1:
        return Interval(value=value, low=float(low[0]), high=float(high[0]), n=1)
    return Interval(value=value, low=max(0.0, value - width), high=value + width, n=len(known))


def realised_columns(laws: pl.DataFrame, methods: Sequence[str]) -> dict[str, list[Any]]:
    """Return the columns of :data:`REALISED` with their intervals for some methods.

    Parameters
    ----------
    laws : polars.DataFrame
        One cell of each method and law: see :func:`mlopsim.tracks.drift.analysis.calibrations`.
    methods : sequence of str
        Rows; a method without a calibration has a reason.
    """
    own = {str(method): rows for (method,), rows in laws.group_by("method")}
    columns: dict[str, list[Any]] = {}
    nothing = Interval(value=math.nan, n=0, reason="it has no limit that was found or checked")
    for name in REALISED:
        found = [pooled_over_laws(own[m], name) if m in own else nothing for m in methods]
        columns |= interval_columns(name, found)
    return columns


def with_realised(frame: pl.DataFrame, laws: pl.DataFrame) -> pl.DataFrame:
    """Return a table with a column ``method`` and, at its end, what the limits of its methods give.

    Examples
    --------
    >>> import polars as pl
    >>> laws = pl.DataFrame({"method": ["a"], "rate": [0.1], "rate_low": [0.0], "rate_high": [0.2]})
    >>> with_realised(pl.DataFrame({"method": ["a", "b"]}), laws)["rate"].to_list()
    [0.1, nan]
    """
    import polars as pl

    return frame.with_columns(
        pl.Series(name, values) for name, values in realised_columns(laws, frame["method"].to_list()).items()
    )
