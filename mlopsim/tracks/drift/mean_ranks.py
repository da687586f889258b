"""Ranks of methods within tasks and seeds: what stands beside a mean delay, which one task may carry."""

from __future__ import annotations

import math

import numpy as np
import polars as pl

from mlopsim.stats.bootstrap import mean_interval
from mlopsim.stats.interval import Interval
from mlopsim.stats.table import pivot

#: what methods share that are ranked with one another, beside task and seed
PEERS = ("channel", "match")
ALONE = "no other method of its group has a value on the same tasks and seeds"
NOT_WHOLE = "undefined on some of the pooled tasks: it would be ranked on other tasks than the others"


def mean_ranks(rows: pl.DataFrame, name: str) -> dict[str, Interval]:
    """Return the mean rank of each method, 1 for the smallest value, ties in the middle.

    Parameters
    ----------
    rows : polars.DataFrame
        Done cells of methods that may be compared, with task, seed, method, :data:`PEERS` and ``name``.
    name : str
        Metric of which small values are good.

    Returns
    -------
    dict of str to Interval
        By method: ranked within each task and seed among the methods that read the same and are matched by
        the same law, over the cells in which any of them has a value; the mean weighs cells alike, seeds
        are resampled, ``n`` counts seeds. A method that has no value where its peers have one is left out of
        the ranks, with a reason.

    Examples
    --------
    >>> rows = pl.DataFrame({"task": ["t", "t", "u", "u"], "seed": [0] * 4, "method": ["a", "b"] * 2,
    ...     "channel": ["errors"] * 4, "match": ["rate"] * 4, "delay": [1.0, 900.0, 7.0, 5.0]})
    >>> {method: found.value for method, found in mean_ranks(rows, "delay").items()}
    {'a': 1.5, 'b': 1.5}
    """
    methods = list(dict.fromkeys(rows["method"].to_list()))
    nothing = Interval(value=math.nan, n=0, reason=NOT_WHOLE)
    found = dict.fromkeys(methods, nothing)
    known = rows.filter(pl.col(name).is_finite())
    for _, peers in known.group_by(PEERS, maintain_order=True):
        cells = peers.select("task", "seed").n_unique()
        counts = dict(peers.group_by("method").len().iter_rows())
        whole = [method for method in methods if counts.get(method, 0) == cells]
        if len(whole) < 2:
            found |= dict.fromkeys(whole, Interval(value=math.nan, n=0, reason=ALONE))
            continue
        ranked = peers.filter(pl.col("method").is_in(whole)).with_columns(
            rank=pl.col(name).rank("average").over("task", "seed")
        )
        for method in whole:
            grid = pivot(ranked.filter(pl.col("method") == method), "rank")[0]
            found[method] = mean_interval(grid, np.random.default_rng(0))
    return found
