"""Dots with intervals, one row a method."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from mlopsim.core.errors import ConfigError
from mlopsim.core.text import visible
from mlopsim.plots.style import INK, MUTED, RULE, SMALL, TEXT, Mark, caption, dress, marks_for, new_figure
from mlopsim.plots.told import amount, tell

if TYPE_CHECKING:
    from matplotlib.figure import Figure

#: share of the axis from which on a reference's name stands to the left of its line
NEAR_END = 0.85


def leaderboard(
    methods: Sequence[str],
    value: ArrayLike,
    low: ArrayLike,
    high: ArrayLike,
    n: ArrayLike,
    *,
    xlabel: str = "normalised score",
    title: str = "",
    direction: str = "max",
    references: Mapping[str, float] | None = None,
    marks: Mapping[str, Mark] | None = None,
    note: str = "",
    digits: int = 2,
) -> Figure:
    """Draw a ranking with intervals; numbers and n stand at the right of each row.

    Parameters
    ----------
    methods : sequence of str, length k
    value, low, high : array_like of float, shape (k,)
        Estimates and interval ends; rows with an undefined value come last, with a dash.
    n : array_like of int, shape (k,)
        Independent units behind each interval.
    direction : {"max", "min", "none"}
        Which end is on top; "none" keeps the order.
    references : mapping of str to float, optional
        Named vertical lines, e.g. ``{"never": 0., "optimum": 1.}``.
    marks : mapping of str to Mark, optional
        From `marks_for`; by default one colour for all.
    note : str
        Small line under the figure.

    Examples
    --------
    >>> figure = leaderboard(["a", "b"], [.5, .7], [.4, .6], [.6, .8], [30, 30])
    >>> [label.get_text() for label in figure.axes[0].get_yticklabels()]
    ['b', 'a']
    """
    x, a, b = (np.asarray(v, dtype=np.float64) for v in (value, low, high))
    count = np.asarray(n)
    k = len(methods)
    if not all(v.shape == (k,) for v in (x, a, b, count)):
        raise ConfigError(f"{k} methods need {k} values, ends and n")
    if direction not in ("max", "min", "none"):
        raise ConfigError(f"unknown direction '{direction}'", remedy="one of: max, min, none")
    order = list(range(k))
    if direction != "none":
        sign = -1.0 if direction == "max" else 1.0
        order.sort(key=lambda i: (not np.isfinite(x[i]), sign * x[i] if np.isfinite(x[i]) else 0.0))
    looks = marks or dict.fromkeys(methods, next(iter(marks_for(["x"]).values())))

    figure = new_figure(7.2, 0.9 + 0.235 * max(k, 3))
    axes = figure.add_subplot()
    for at in (references or {}).values():
        axes.axvline(at, color=MUTED, linewidth=0.9, linestyle=(0, (3, 2)), zorder=1)
    # a column of wide counts moves right, so that it does not touch the values
    last = 1.135 + 0.022 * max(len(f"{int(count.max(initial=0))}") - 3, 0)
    for row, i in enumerate(order):
        look = looks[methods[i]]
        number = f"{x[i]:.{digits}f}".replace("-", "−") if np.isfinite(x[i]) else "–"
        if np.isfinite(x[i]):
            if np.isfinite(a[i]) and np.isfinite(b[i]):
                axes.plot([a[i], b[i]], [row, row], color=look.colour, linewidth=2.2, solid_capstyle="butt")
            axes.plot(x[i], row, look.marker, color=look.colour, markersize=5.5, markeredgecolor="white")
        for place, text, colour in ((1.075, number, INK), (last, f"{int(count[i])}", MUTED)):
            axes.text(
                place,
                row,
                text,
                transform=axes.get_yaxis_transform(),
                fontsize=SMALL,
                color=colour,
                va="center",
                ha="right",
            )
    found = [f"{methods[i]}\n{amount(x[i], a[i], b[i])}\nn = {int(count[i])}" for i in order]
    tell(axes, x[order], np.arange(k), found)
    left, right = axes.get_xlim()
    for name, at in (references or {}).items():
        # a name near the right end would run into the heads of the columns
        near = (at - left) / (right - left) > NEAR_END
        axes.annotate(
            name,
            (at, 1.0),
            xycoords=axes.get_xaxis_transform(),
            xytext=(0, 3),
            textcoords="offset points",
            ha="right" if near else "center",
            va="bottom",
            fontsize=SMALL,
            color=MUTED,
        )
    for place, text in ((1.075, "value"), (last, "n")):
        axes.annotate(
            text,
            (place, 1.0),
            xycoords="axes fraction",
            xytext=(0, 3),
            textcoords="offset points",
            fontsize=SMALL,
            color=MUTED,
            ha="right",
            va="bottom",
        )
    axes.set_yticks(range(k), [visible(methods[i]) for i in order])
    axes.set_ylim(k - 0.4, -0.6)
    axes.hlines(np.arange(k), 0, 1, transform=axes.get_yaxis_transform(), color=RULE, linewidth=0.4, zorder=0)
    dress(axes, xlabel=xlabel, title=title, grid="x")
    axes.title.set_position((0.0, 1.0))
    if title:
        axes.set_title(title, fontsize=TEXT + 1.5, color=INK, loc="left", pad=18, fontweight="bold")
    axes.spines["left"].set_visible(False)
    for label in axes.get_yticklabels():
        label.set_color(INK)
    caption(figure, note)
    return figure
