"""Points with intervals in both directions, one a method."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from mlopsim.plots.style import Mark

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def draw_points(
    axes: Axes,
    methods: Sequence[str],
    x: np.ndarray,
    y: np.ndarray,
    *,
    x_ends: tuple[ArrayLike, ArrayLike] | None,
    y_ends: tuple[ArrayLike, ArrayLike] | None,
    looks: Mapping[str, Mark],
) -> list[tuple[float, float, float, float]]:
    """Draw the methods whose place is known; return the lines of their intervals, for labels to avoid.

    Parameters
    ----------
    axes : Axes
    methods : sequence of str, length k
    x, y : ndarray of float64, shape (k,)
        Places; those with an undefined coordinate are left out.
    x_ends, y_ends : (low, high), each array_like of float, shape (k,), or None
        Intervals; undefined ends are left out.
    looks : mapping of str to Mark

    Returns
    -------
    list of (x, y, x, y)
        Both ends of each line.
    """
    segments: list[tuple[float, float, float, float]] = []
    for i in np.flatnonzero(np.isfinite(x) & np.isfinite(y)).tolist():
        look = looks[methods[i]]
        for horizontal, ends in ((True, x_ends), (False, y_ends)):
            if ends is None:
                continue
            a, b = (float(np.asarray(end, dtype=np.float64)[i]) for end in ends)
            if np.isfinite(a) and np.isfinite(b):
                segment = (a, y[i], b, y[i]) if horizontal else (x[i], a, x[i], b)
                segments.append(segment)
                axes.plot(segment[::2], segment[1::2], color=look.colour, linewidth=1.1, alpha=0.6, zorder=2)
        axes.plot(
            x[i],
            y[i],
            look.marker,
            color=look.colour,
            markersize=6,
            markeredgecolor="white",
            markeredgewidth=0.7,
            zorder=3,
        )
    return segments
