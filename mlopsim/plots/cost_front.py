"""Return against the cost of breaking limits: the clairvoyant's front, and where methods stand."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from mlopsim.core.errors import ConfigError
from mlopsim.plots.points import draw_points, name_points, tell_points
from mlopsim.plots.style import INK, MUTED, SHADE, Mark, dress, marks_for, new_figure
from mlopsim.plots.told import amount, tell

if TYPE_CHECKING:
    from matplotlib.figure import Figure

#: columns of the table of a front
COLUMNS = ("cost", "upper", "lower", "baseline")


def cost_front(
    front: Sequence[Mapping[str, float]],
    methods: Sequence[str] = (),
    cost: ArrayLike = (),
    value: ArrayLike = (),
    *,
    cost_ends: tuple[ArrayLike, ArrayLike] | None = None,
    value_ends: tuple[ArrayLike, ArrayLike] | None = None,
    limit: float | None = None,
    limit_label: str = "limit",
    xlabel: str = "cost of a window",
    ylabel: str = "reward of a window",
    title: str = "",
    note: str = "",
    marks: Mapping[str, Mark] | None = None,
    quiet: Collection[str] = (),
) -> Figure:
    """Draw a front and the places of methods beside it.

    Parameters
    ----------
    front : sequence of mappings, length >= 1
        Rows with ``cost``, ``upper``, ``lower`` and ``baseline``, by rising cost: both ends of the front (the
        band between them is shaded) and the best mixture of never acting and suspending (dashed).
    methods : sequence of str, length k
    cost, value : array_like of float, shape (k,)
        In the units of the front. Methods with an undefined one are not drawn, and named under the figure.
    cost_ends, value_ends : (low, high), each array_like of float, shape (k,), optional
        Intervals.
    limit : float, optional
        What is allowed, as a vertical line.
    limit_label : str, default "limit"
        What the legend calls it.
    marks : mapping of str to Mark, optional
    quiet : collection of str
        Methods that are small dots without name and interval: where there are many.

    Raises
    ------
    ConfigError
        If columns are missing, or there are not as many costs and values as methods.

    Examples
    --------
    >>> rows = [{"cost": c, "upper": .6 + .3 * c, "lower": .6 + .3 * c, "baseline": .6} for c in (0., 1.)]
    >>> cost_front(rows, ["a"], [.5], [.7]).axes[0].get_xlabel()
    'cost of a window'
    """
    x, y = np.asarray(cost, dtype=np.float64), np.asarray(value, dtype=np.float64)
    if x.shape != (len(methods),) or y.shape != x.shape:
        raise ConfigError(f"{len(methods)} methods need as many costs and values")
    missing_columns = [name for name in COLUMNS if not front or name not in front[0]]
    if missing_columns:
        raise ConfigError(f"the table of a front has no column {', '.join(missing_columns)}")
    at, upper, lower, below = (np.array([row[name] for row in front], dtype=np.float64) for name in COLUMNS)
    looks = marks or marks_for(methods)
    figure = new_figure(7.2, 4.4)
    axes = figure.add_subplot()
    axes.fill_between(at, lower, upper, color=SHADE, linewidth=0, zorder=0)
    axes.plot(at, upper, color=INK, linewidth=1.2, label="clairvoyant, at most", zorder=1)
    axes.plot(at, lower, color=INK, linewidth=0.8, alpha=0.6, label="clairvoyant, a plan", zorder=1)
    axes.plot(
        at, below, color=MUTED, linewidth=1.0, linestyle=(0, (3, 2)), label="never and suspended, mixed",
        zorder=1,
    )  # fmt: skip
    if limit is not None:
        axes.axvline(limit, color=MUTED, linewidth=0.9, linestyle=(0, (1, 1.5)), label=limit_label, zorder=0)
    known = np.isfinite(x) & np.isfinite(y)
    small = known & np.array([method in quiet for method in methods], dtype=bool)
    axes.plot(x[small], y[small], ".", color=MUTED, markersize=4, alpha=0.7, zorder=2)
    for name, line in (("at most", upper), ("a plan", lower)):
        pairs = zip(line.tolist(), at.tolist(), strict=True)
        tell(
            axes,
            at,
            line,
            [f"clairvoyant, {name}\n{amount(value)} at {amount(price)}" for value, price in pairs],
        )
    dots = [method for method, off in zip(methods, small, strict=True) if off]
    tell_points(axes, dots, x[small], y[small])
    methods, x, y = (
        [method for method, off in zip(methods, small, strict=True) if not off],
        x[~small],
        y[~small],
    )
    cost_ends, value_ends = (
        None if ends is None else (np.asarray(ends[0])[~small], np.asarray(ends[1])[~small])
        for ends in (cost_ends, value_ends)
    )
    segments = draw_points(axes, methods, x, y, x_ends=cost_ends, y_ends=value_ends, looks=looks)
    dress(axes, xlabel=xlabel, ylabel=ylabel, title=title)
    tell_points(axes, methods, x, y, x_ends=cost_ends, y_ends=value_ends)
    axes.margins(0.06)
    # inside the axes it would hide labels
    figure.legend(frameon=False, fontsize="small", loc="outside upper right", ncols=4)
    name_points(figure, axes, methods, x, y, avoid=segments, note=note)
    return figure
