"""From long tables of cells to paired arrays, and to rows with intervals."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from mlopsim.core.errors import ConfigError, nearest
from mlopsim.stats.bootstrap import RESAMPLES, mean_interval, statistic_interval
from mlopsim.stats.interval import Interval
from mlopsim.stats.normalised_scores import iqm
from mlopsim.stats.resampling import Kind

if TYPE_CHECKING:
    import polars as pl

DASH = "–"


def format_number(value: float, digits: int = 2) -> str:
    """Typeset a number; a dash where it is undefined, no minus before a zero.

    Examples
    --------
    >>> format_number(.8349), format_number(float("nan")), format_number(-.001)
    ('0.83', '–', '0.00')
    """
    if math.isnan(value):
        return DASH
    if math.isinf(value):
        return "∞" if value > 0 else "−∞"
    text = f"{value:,.{digits}f}"
    return text[1:] if text.startswith("-") and not text.strip("-0.,") else text.replace("-", "−")


def format_interval(
    value: Interval | float, low: float | None = None, high: float | None = None, digits: int = 2
) -> str:
    """Typeset an estimate with its interval.

    Parameters
    ----------
    value : Interval or float
        With a float give ``low`` and ``high``, too.
    low, high : float, optional
    digits : int, default 2

    Returns
    -------
    str
        ``0.83 [0.79, 0.87]``; without ends ``0.83 [–]``, a dash where the value is undefined.

    Examples
    --------
    >>> format_interval(.83, .79, .87)
    '0.83 [0.79, 0.87]'
    >>> format_interval(Interval(value=.5, n=1, reason="1 seed"))
    '0.50 [–]'
    """
    if isinstance(value, Interval):
        low, high, value = value.low, value.high, value.value
    if math.isnan(value):
        return DASH
    if low is None or high is None or math.isnan(low) or math.isnan(high):
        return f"{format_number(value, digits)} [{DASH}]"
    inside = f"{format_number(low, digits)}, {format_number(high, digits)}"
    return f"{format_number(value, digits)} [{inside}]"


def interval_columns(name: str, intervals: Sequence[Interval]) -> dict[str, list[Any]]:
    """Columns of a table: ``name``, ``name_low``, ``name_high``, ``name_n`` and ``name_reason``.

    The report typesets the five as one column of intervals and one of n.

    Examples
    --------
    >>> sorted(interval_columns("ns", [Interval(value=1., low=0., high=2., n=3)]))
    ['ns', 'ns_high', 'ns_low', 'ns_n', 'ns_reason']
    """
    return {
        name: [i.value for i in intervals],
        f"{name}_low": [i.low for i in intervals],
        f"{name}_high": [i.high for i in intervals],
        f"{name}_n": [i.n for i in intervals],
        f"{name}_reason": [i.reason for i in intervals],
    }


def _need(table: pl.DataFrame, columns: Sequence[str]) -> None:
    for column in columns:
        if column not in table.columns:
            raise ConfigError(f"the table has no column '{column}'{nearest(column, table.columns)}")


def best_first(table: pl.DataFrame, value: str, direction: str = "max") -> pl.DataFrame:
    """Sort rows by a column, best on top and undefined ones (NaN or null) last; ties keep their order.

    A plain descending sort of polars would put NaN, its largest number, on top.

    Examples
    --------
    >>> import polars as pl
    >>> frame = pl.DataFrame({"method": ["a", "b", "c"], "ns": [.1, float("nan"), .3]})
    >>> best_first(frame, "ns")["method"].to_list()
    ['c', 'a', 'b']
    """
    _need(table, [value])
    if direction not in ("max", "min"):
        raise ConfigError(f"unknown direction '{direction}'", remedy="one of: max, min")
    import polars as pl

    key = pl.col(value).cast(pl.Float64).fill_nan(None)
    return table.sort(key, descending=direction == "max", nulls_last=True, maintain_order=True)


def pivot(
    table: pl.DataFrame,
    value: str,
    *,
    cluster: str = "seed",
    task: str = "task",
    clusters: Sequence[Any] | None = None,
    tasks: Sequence[Any] | None = None,
) -> tuple[np.ndarray, list[Any], list[Any]]:
    """Turn the rows of one method into an array (seeds, tasks).

    Parameters
    ----------
    table : polars.DataFrame
        At most one row per (cluster, task).
    value : str
        Column of numbers; null counts as NaN.
    cluster, task : str
        Columns that become rows and columns.
    clusters, tasks : sequence, optional
        Order to use (so that methods are paired); default: the sorted distinct entries.

    Returns
    -------
    tuple of (ndarray of float64 (seeds, tasks), list of seeds, list of tasks)
        NaN where the table has no row.

    Raises
    ------
    ConfigError
        On a missing column or on two rows for one (cluster, task).

    Examples
    --------
    >>> import polars as pl
    >>> frame = pl.DataFrame({"seed": [1, 0, 0], "task": ["a", "a", "b"], "R": [1., 2., 3.]})
    >>> pivot(frame, "R")
    (array([[ 2., 3.], [ 1., nan]]), [0, 1], ['a', 'b'])
    """
    _need(table, [value, cluster, task])
    rows = list(clusters) if clusters is not None else sorted(table[cluster].unique().to_list())
    columns = list(tasks) if tasks is not None else sorted(table[task].unique().to_list())
    at_row = {key: i for i, key in enumerate(rows)}
    at_column = {key: i for i, key in enumerate(columns)}
    out = np.full((len(rows), len(columns)), np.nan)
    seen = np.zeros(out.shape, dtype=bool)
    for c, t, v in table.select(cluster, task, value).iter_rows():
        if c not in at_row or t not in at_column:
            continue
        place = at_row[c], at_column[t]
        if seen[place]:
            raise ConfigError(
                f"two rows for {cluster}={c}, {task}={t}", remedy="filter to one method and one fit first"
            )
        seen[place] = True
        out[place] = np.nan if v is None else float(v)
    return out, rows, columns


def aggregate(
    table: pl.DataFrame,
    value: str,
    by: str | Sequence[str],
    cluster: str = "seed",
    *,
    seed: int = 0,
    statistic: str = "mean",
    level: float = 0.95,
    kind: Kind = "expanded",
    resamples: int | None = None,
) -> pl.DataFrame:
    """Summarise a column by groups, with intervals clustered by seed.

    Parameters
    ----------
    table : polars.DataFrame
        Long table, one row per cell.
    value : str
        Column of numbers; null and NaN are left out and counted.
    by : str or sequence of str
        Grouping columns.
    cluster : str, default "seed"
        Column whose values are resampled as a whole.
    seed : int, default 0
        Every group starts from the same Generator, so its interval does not depend on the other groups.
    statistic : {"mean", "iqm"}
    level, kind, resamples
        As in `mean_interval`.

    Returns
    -------
    polars.DataFrame
        ``by``, then the columns of `interval_columns`, then ``<value>_cells`` and ``<value>_excluded``;
        groups in order of first appearance.

    Examples
    --------
    >>> import polars as pl
    >>> frame = pl.DataFrame({"method": ["a"] * 3 + ["b"], "seed": [0, 1, 2, 0], "acc": [.5, .5, .5, .7]})
    >>> aggregate(frame, "acc", "method").select("method", "acc", "acc_low", "acc_n").rows()
    [('a', 0.5, 0.5, 3), ('b', 0.7, nan, 1)]
    """
    import polars as pl

    keys = [by] if isinstance(by, str) else list(by)
    _need(table, [value, cluster, *keys])
    if statistic not in ("mean", "iqm"):
        raise ConfigError(f"unknown statistic '{statistic}'", remedy="one of: mean, iqm")
    names: list[tuple[Any, ...]] = []
    intervals: list[Interval] = []
    for name, group in table.group_by(keys, maintain_order=True):
        grid = _ragged(group, value, cluster)
        rng = np.random.default_rng(seed)
        if statistic == "mean":
            interval = mean_interval(grid, rng, level=level, kind=kind, resamples=resamples or RESAMPLES)
        else:
            interval = statistic_interval(
                iqm, grid, rng=rng, level=level, kind=kind, resamples=resamples or 1000
            )
        names.append(name)
        intervals.append(interval)
    columns: dict[str, Any] = {key: [name[i] for name in names] for i, key in enumerate(keys)}
    columns |= interval_columns(value, intervals)
    columns[f"{value}_cells"] = [i.cells for i in intervals]
    columns[f"{value}_excluded"] = [i.excluded for i in intervals]
    schema = {key: table.schema[key] for key in keys}
    return pl.DataFrame(columns, schema_overrides=schema)


def _ragged(group: pl.DataFrame, value: str, cluster: str) -> np.ndarray:
    """Return (seeds, most values of one seed), padded with NaN only where seeds have fewer values."""
    by_cluster: dict[Any, list[float]] = {}
    for c, v in group.select(cluster, value).iter_rows():
        by_cluster.setdefault(c, []).append(np.nan if v is None else float(v))
    width = max(len(v) for v in by_cluster.values())
    grid = np.full((len(by_cluster), width), np.nan)
    for row, key in enumerate(sorted(by_cluster)):
        grid[row, : len(by_cluster[key])] = by_cluster[key]
    return grid
