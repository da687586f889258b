"""Figures of the governance track: the front of a task, the worth of parts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from mlopsim.core.errors import ConfigError
from mlopsim.core.track import Curves, Front
from mlopsim.governance.constraint import Over
from mlopsim.tracks.cell_table import axes_of, mean_of
from mlopsim.tracks.governance.analysis import methods_of, places, telling
from mlopsim.tracks.governance.fronts import Bounds, Fronts, drawn, front_table
from mlopsim.tracks.governance.limits import limits_of
from mlopsim.tracks.governance.references import OPTIMUM

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def counts(columns: Sequence[pl.Series]) -> str:
    """Write the different counts of scenario seeds behind some numbers.

    Examples
    --------
    >>> counts([pl.Series([8, 10]), pl.Series([10])]), counts([pl.Series([0])])
    ('8 to 10', '0')
    """
    known = sorted({int(n) for column in columns for n in column.to_list() if n})
    if not known:
        return "0"
    return str(known[0]) if len(known) == 1 else f"{known[0]} to {known[-1]}"


def front_figure(table: pl.DataFrame, bounds: Bounds, methods: Sequence[str]) -> Figure:
    """Draw the front of a task and the places of methods.

    Parameters
    ----------
    table : polars.DataFrame
        Cells.
    bounds : Bounds
        Of the task.
    methods : sequence of str
        In the order of their marks; the optimum is the front itself. Arms with two to four parts are small
        dots without names.
    """
    from mlopsim.plots.cost_front import cost_front
    from mlopsim.plots.style import marks_for

    names = [name for name in methods if name != OPTIMUM]
    named = telling(table)
    returns, costs = (
        [mean_of(table, name, metric, [bounds.task]) for name in names] for metric in ("return", "cost")
    )
    line, words = limit_line(table, bounds.task)
    highest = max((one.value for one in costs if np.isfinite(one.value)), default=0.0)
    n = sorted({one.n for one in (*returns, *costs) if one.n})
    return cost_front(
        drawn(bounds, highest),
        names,
        [one.value for one in costs],
        [one.value for one in returns],
        cost_ends=([one.low for one in costs], [one.high for one in costs]),
        value_ends=([one.low for one in returns], [one.high for one in returns]),
        limit=line,
        limit_label=words,
        xlabel="mean cost of a window",
        ylabel="mean reward of a window",
        title=bounds.task,
        marks=marks_for([name for name in names if name in named]),
        quiet=[name for name in names if name not in named],
        note=f"95 % bootstrap over scenario seeds, n = {' to '.join(map(str, n[:1] + n[1:][-1:]))}; "
        "small dots: arms with two to four parts",
    )


def limit_line(table: pl.DataFrame, task: str) -> tuple[float | None, str]:
    """Return the largest weighted cost that can be had within the limits of a task, and what it is.

    Of several limits it is their sum by weight: whoever costs more breaks one of them at least, whoever costs
    less may break one all the same. None where a limit is not on a mean, or nothing that is limited costs.

    Examples
    --------
    >>> asked = {"limit_on_a": ["mean"], "weight_a": [1.0], "limit_on_b": ["mean"], "weight_b": [0.5]}
    >>> limit_line(pl.DataFrame({"task": "t", "role": "-", "limit_a": [0.1], "limit_b": [0.2], **asked}), "t")
    (0.2, 'sum of the limits')
    """
    limits = [one for one in limits_of(table, task) if one.weight > 0.0]
    if not limits or any(one.over is not Over.MEAN for one in limits):
        return None, ""
    total = sum(one.limit * one.weight for one in limits)
    return total, "limit" if len(limits) == 1 else "sum of the limits"


def by_family(
    table: pl.DataFrame, column: str, rows: Sequence[str], name: str
) -> dict[str, tuple[list[float], list[float], list[float]]]:
    """Return an estimate with its ends by family, in the order of rows.

    Parameters
    ----------
    table : polars.DataFrame
        With ``family``, a column of names, and the estimate with ``_low`` and ``_high``.
    column : str
        Which column holds the names.
    rows : sequence of str
        Names.
    name : str
        Of the estimate.

    Examples
    --------
    >>> table = pl.DataFrame({"family": ["x"], "part": ["gate"], "c": [1.0], "c_low": [0.0], "c_high": [2.0]})
    >>> by_family(table, "part", ["gate"], "c")
    {'x': ([1.0], [0.0], [2.0])}
    """
    panels = {}
    for family in dict.fromkeys(table["family"].to_list()):
        here = {row[column]: row for row in table.filter(family=family).iter_rows(named=True)}
        value, low, high = ([here[row][f"{name}{end}"] for row in rows] for end in ("", "_low", "_high"))
        panels[str(family)] = (value, low, high)
    return panels


def worth_figure(table: pl.DataFrame, name: str, xlabel: str) -> Figure:
    """Draw what the parts are worth, a panel a family.

    Parameters
    ----------
    table : polars.DataFrame
        Of :func:`mlopsim.tracks.governance.worth.worth_table`.
    name : str
        ``share``, ``return`` or ``cost``.
    xlabel : str
        Its unit.
    """
    from mlopsim.plots.interval_panels import interval_panels

    rows = list(dict.fromkeys(table["part"].to_list()))
    return interval_panels(
        rows,
        by_family(table, "part", rows, name),
        xlabel=xlabel,
        note=f"Shapley values over all combinations of the parts and their sum; 95 % bootstrap over scenario "
        f"seeds, n = {counts([table[f'{name}_n']])}",
    )


def front_of(table: pl.DataFrame, curves: Curves) -> Front:
    """Return the front of each task and the places of the methods.

    Raises
    ------
    ConfigError
        If no task has a front, with the reasons.
    """
    _, tasks = axes_of(table)
    fronts = Fronts.of(table, curves, tasks)
    if not fronts.bounds:
        raise ConfigError(
            f"no task has a front: {'; '.join(dict.fromkeys(fronts.without.values()))}",
            remedy="run the cells that failed again; limits must be on means",
        )
    return Front(
        places=places(table, curves),
        bounds=front_table(fronts.bounds),
        figures={one.task: front_figure(table, one, methods_of(table, one.task)) for one in fronts.bounds},
        without=dict(fronts.without),
    )
