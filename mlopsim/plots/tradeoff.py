"""Cost against quality, one dot a method."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from mlopsim.core.errors import ConfigError
from mlopsim.plots.points import draw_points, name_points, tell_points
from mlopsim.plots.style import MUTED, Mark, dress, marks_for, new_figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def front(cost: ArrayLike, quality: ArrayLike) -> np.ndarray:
    """Indices of the methods that no other beats in both cost (less) and quality (more), by rising cost.

    Examples
    --------
    >>> front([1., 2., 3., 2.5], [.5, .7, .6, .8])
    array([0, 1, 3])
    """
    c, q = np.asarray(cost, dtype=np.float64), np.asarray(quality, dtype=np.float64)
    known = np.flatnonzero(np.isfinite(c) & np.isfinite(q))
    order = known[np.lexsort((-q[known], c[known]))]
    best, kept = -np.inf, []
    for i in order:
        if q[i] > best:
            best = float(q[i])
            kept.append(int(i))
    return np.asarray(kept, dtype=np.int64)


def tradeoff(
    methods: Sequence[str],
    cost: ArrayLike,
    quality: ArrayLike,
    *,
    cost_ends: tuple[ArrayLike, ArrayLike] | None = None,
    quality_ends: tuple[ArrayLike, ArrayLike] | None = None,
    xlabel: str = "cost",
    ylabel: str = "accuracy",
    title: str = "",
    note: str = "",
    xscale: str = "linear",
    pareto: bool = True,
    marks: Mapping[str, Mark] | None = None,
) -> Figure:
    """Draw methods in the plane of cost and quality with intervals, labels and the Pareto front.

    Parameters
    ----------
    methods : sequence of str, length k
    cost, quality : array_like of float, shape (k,)
        Methods with an undefined one are not drawn, and named under the figure.
    cost_ends, quality_ends : (low, high), each array_like of float, shape (k,), optional
    xscale : str
        Scale of matplotlib for the cost.
    pareto : bool, default True
        Draw the front (less cost, more quality).
    marks : mapping of str to Mark, optional

    Examples
    --------
    >>> figure = tradeoff(["a", "b"], [1., 2.], [.5, .7])
    >>> figure.axes[0].get_xlabel()
    'cost'
    """
    x, y = np.asarray(cost, dtype=np.float64), np.asarray(quality, dtype=np.float64)
    if x.shape != (len(methods),) or y.shape != x.shape:
        raise ConfigError(f"{len(methods)} methods need as many costs and qualities")
    looks = marks or marks_for(methods)
    figure = new_figure(7.2, 4.4)
    axes = figure.add_subplot()
    axes.set_xscale(xscale)
    known = np.isfinite(x) & np.isfinite(y)
    segments: list[tuple[float, float, float, float]] = []
    if pareto and known.sum() > 1:
        best = front(x, y)
        axes.plot(x[best], y[best], color=MUTED, linewidth=1.0, linestyle=(0, (3, 2)), zorder=1)
        segments += [(x[i], y[i], x[j], y[j]) for i, j in itertools.pairwise(best)]
    segments += draw_points(axes, methods, x, y, x_ends=cost_ends, y_ends=quality_ends, looks=looks)
    dress(axes, xlabel=xlabel, ylabel=ylabel, title=title)
    tell_points(axes, methods, x, y, x_ends=cost_ends, y_ends=quality_ends)
    axes.margins(0.08)
    name_points(figure, axes, methods, x, y, avoid=segments, note=note)
    return figure
