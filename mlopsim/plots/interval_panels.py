"""Estimates with intervals in small panels that share their rows."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from mlopsim.core.errors import ConfigError
from mlopsim.core.text import visible
from mlopsim.plots.style import (
    INK,
    MUTED,
    RULE,
    SMALL,
    TEXT,
    Mark,
    caption,
    dress,
    marks_for,
    new_figure,
    room,
)
from mlopsim.plots.told import amount, tell
from mlopsim.stats.table import format_number

if TYPE_CHECKING:
    from matplotlib.figure import Figure

#: panels beside each other
ACROSS = 4


def interval_panels(
    rows: Sequence[str],
    panels: Mapping[str, tuple[ArrayLike, ArrayLike, ArrayLike]],
    *,
    xlabel: str = "",
    title: str = "",
    note: str = "",
    digits: int = 3,
    shared: bool = True,
    marks: Mapping[str, Mark] | None = None,
) -> Figure:
    """Draw a dot with its interval for every row of every panel, and a line at 0.

    Parameters
    ----------
    rows : sequence of str
        Names of the k rows, from the top.
    panels : mapping of str to (value, low, high)
        Each array_like of float, shape (k,); what is undefined is a dash.
    xlabel, title, note : str
        Say in the note what the intervals are, and n.
    digits : int, default 3
        Of the numbers at the right of each row.
    shared : bool, default True
        Whether all panels have the same scale.
    marks : mapping of str to Mark, optional
        Of the rows.

    Raises
    ------
    ConfigError
        If there is no panel, or one has not as many numbers as there are rows.

    Examples
    --------
    >>> three = [.1, .2], [.0, .1], [.2, .3]
    >>> figure = interval_panels(["a", "b"], {"x": three, "y": three})
    >>> [axes.get_title(loc="left") for axes in figure.axes]
    ['x', 'y']
    """
    numbers = {
        name: tuple(np.asarray(one, dtype=np.float64) for one in three) for name, three in panels.items()
    }
    if not numbers or not rows or any(one.shape != (len(rows),) for t in numbers.values() for one in t):
        raise ConfigError(f"each panel needs {len(rows)} values, lower and upper ends")
    looks = marks or marks_for(rows)
    across = min(ACROSS, len(numbers))
    down = math.ceil(len(numbers) / across)
    figure = new_figure(0.9 + 2.35 * across + room(rows, 8), 0.7 + down * (0.75 + 0.24 * len(rows)))
    spread = np.concatenate([np.concatenate(three) for three in numbers.values()])
    ends = _span(spread)
    for place, (name, (value, low, high)) in enumerate(numbers.items()):
        axes = figure.add_subplot(down, across, place + 1)
        axes.axvline(0.0, color=MUTED, linewidth=0.9, zorder=1)
        for row, title_of in enumerate(rows):
            look = looks[title_of]
            known = math.isfinite(value[row])
            if known and math.isfinite(low[row]) and math.isfinite(high[row]):
                axes.plot([low[row], high[row]], [row, row], color=look.colour, linewidth=2.2, alpha=0.8)
            if known:
                axes.plot(
                    value[row], row, look.marker, color=look.colour, markersize=5.5, markeredgecolor="white"
                )
            axes.annotate(
                format_number(float(value[row]), digits),
                (1.0, row),
                xycoords=axes.get_yaxis_transform(),
                xytext=(3, 0),
                textcoords="offset points",
                fontsize=SMALL,
                color=INK,
                va="center",
                ha="left",
                annotation_clip=False,
            )
        told = [f"{one}\n{name}: {amount(value[k], low[k], high[k])}" for k, one in enumerate(rows)]
        tell(axes, value, np.arange(len(rows)), told)
        axes.set_xlim(*(ends if shared else _span(np.concatenate([value, low, high]))))
        axes.set_ylim(len(rows) - 0.4, -0.6)
        axes.locator_params(axis="x", nbins=4)
        first = place % across == 0
        axes.set_yticks(range(len(rows)), [visible(row) for row in rows] if first else [""] * len(rows))
        last_in_column = place + across >= len(numbers)
        dress(axes, xlabel=xlabel if last_in_column else "", grid="x")
        axes.set_title(visible(name), fontsize=TEXT, color=INK, loc="left", pad=5)
        axes.spines["left"].set_color(RULE)
        for label in axes.get_yticklabels():
            label.set_color(INK)
    if title:
        figure.suptitle(title, fontsize=TEXT + 1.5, color=INK, x=0.01, ha="left", fontweight="bold")
    caption(figure, note)
    return figure


def _span(values: np.ndarray) -> tuple[float, float]:
    """Return the ends of an axis that holds all values and 0."""
    known = values[np.isfinite(values)]
    low, high = min(0.0, *known.tolist(), 0.0), max(0.0, *known.tolist(), 0.0)
    # a panel in which all is 0 needs a scale, too
    more = 0.06 * (high - low) or 0.01
    return low - more, high + more
