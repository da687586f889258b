"""Numbers of two factors as coloured cells."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from mlopsim.core.errors import ConfigError
from mlopsim.core.text import visible
from mlopsim.plots.style import INK, MUTED, SMALL, TEXT, caption, new_figure, room
from mlopsim.plots.told import amount, tell

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def heatmap(
    rows: Sequence[str],
    columns: Sequence[str],
    values: ArrayLike,
    *,
    low: float,
    high: float,
    middle: float | None = None,
    digits: int = 2,
    title: str = "",
    note: str = "",
) -> Figure:
    """Draw a matrix with its numbers in the cells.

    Parameters
    ----------
    rows, columns : sequence of str
        Names of the r rows and c columns.
    values : array_like of float, shape (r, c)
        NaN is an empty cell with a dash.
    low, high : float
        Ends of the colours; values beyond have the end's.
    middle : float, optional
        Where the colours change from one hue to the other; by default there is one hue.
    digits : int, default 2
    title, note : str
        Say in the note what a number is, and its n.

    Examples
    --------
    >>> len(heatmap(["a", "b"], ["x"], [[0.5], [np.nan]], low=0.0, high=1.0).axes)
    1
    """
    from matplotlib.colors import Normalize, TwoSlopeNorm

    table = np.asarray(values, dtype=np.float64)
    if table.shape != (len(rows), len(columns)) or not table.size:
        raise ConfigError(f"a heat map of {len(rows)} x {len(columns)} names needs as many values")
    if not low < high or (middle is not None and not low < middle < high):
        raise ConfigError(f"colours need low < middle < high, got {low}, {middle}, {high}")
    # names of columns rise at 45 degrees
    slope = room(columns, 20) / 2**0.5
    width, height = 1.9 + 0.52 * len(columns), 1.3 + 0.24 * len(rows)
    figure = new_figure(width + room(rows, 24) + slope, height + slope)
    axes = figure.add_subplot()
    norm = Normalize(low, high) if middle is None else TwoSlopeNorm(middle, low, high)
    colours = "Blues" if middle is None else "RdBu"
    axes.pcolormesh(
        np.arange(len(columns) + 1) - 0.5,
        np.arange(len(rows) + 1) - 0.5,
        np.ma.masked_invalid(table),
        cmap=colours,
        norm=norm,
        # without edges of their colour, viewers show seams
        edgecolors="face",
        linewidth=0.3,
    )
    axes.invert_yaxis()
    shade = np.asarray(norm(np.where(np.isnan(table), low, table)), dtype=np.float64)
    for i in range(len(rows)):
        for j in range(len(columns)):
            known = np.isfinite(table[i, j])
            dark = known and (shade[i, j] > 0.75 or (middle is not None and shade[i, j] < 0.25))
            axes.text(
                j,
                i,
                f"{table[i, j]:.{digits}f}" if known else "–",
                ha="center",
                va="center",
                fontsize=SMALL,
                color="white" if dark else INK,
            )
    across, down = (grid.ravel() for grid in np.meshgrid(np.arange(len(columns)), np.arange(len(rows))))
    cells = zip(down.tolist(), across.tolist(), strict=True)
    told = [f"{rows[i]}\n{columns[j]}\n{amount(float(table[i, j]))}" for i, j in cells]
    tell(axes, across, down, told)
    axes.set_xticks(
        range(len(columns)),
        [visible(column) for column in columns],
        rotation=45,
        ha="left",
        rotation_mode="anchor",
        fontsize=TEXT,
    )
    axes.set_yticks(range(len(rows)), [visible(row) for row in rows], fontsize=TEXT)
    axes.tick_params(length=0, labeltop=True, labelbottom=False, colors=MUTED)
    for spine in axes.spines.values():
        spine.set_visible(False)
    if title:
        axes.set_title(title, fontsize=TEXT + 1.5, color=INK, loc="left", pad=8, fontweight="bold")
    caption(figure, note)
    return figure
