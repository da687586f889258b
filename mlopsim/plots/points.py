"""Points with intervals in both directions, one a method."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from mlopsim.plots.labels import label_points
from mlopsim.plots.style import Mark, caption
from mlopsim.plots.told import amount, tell

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


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


def tell_points(
    axes: Axes,
    methods: Sequence[str],
    x: np.ndarray,
    y: np.ndarray,
    *,
    x_ends: tuple[ArrayLike, ArrayLike] | None = None,
    y_ends: tuple[ArrayLike, ArrayLike] | None = None,
) -> None:
    """Say of each point what it is, in the words of the axes; parameters as of `draw_points`."""
    unknown = np.full(len(methods), np.nan)
    (left, right), (low, high) = (
        (unknown, unknown) if ends is None else tuple(np.asarray(end, dtype=np.float64) for end in ends)
        for ends in (x_ends, y_ends)
    )
    texts = [
        f"{method}\n{axes.get_xlabel() or 'across'}: {amount(float(x[i]), float(left[i]), float(right[i]))}"
        f"\n{axes.get_ylabel() or 'up'}: {amount(float(y[i]), float(low[i]), float(high[i]))}"
        for i, method in enumerate(methods)
    ]
    tell(axes, x, y, texts)


def name_points(
    figure: Figure,
    axes: Axes,
    methods: Sequence[str],
    x: np.ndarray,
    y: np.ndarray,
    *,
    avoid: Sequence[tuple[float, float, float, float]],
    note: str,
) -> None:
    """Write the names of the methods whose place is known beside their points, those of the others below.

    The last step of a figure: its layout and limits are fixed by it.

    Parameters
    ----------
    figure : Figure
    axes : Axes
    methods : sequence of str, length k
    x, y : ndarray of float64, shape (k,)
    avoid : sequence of (x, y, x, y)
        Lines that no name lies on.
    note : str
        First line of the caption; empty: none.
    """
    known = np.isfinite(x) & np.isfinite(y)
    missing = [method for method, there in zip(methods, known, strict=True) if not there]
    lines = [note] if note else []
    if missing:
        lines.append(f"undefined, not drawn: {', '.join(missing)}")
    caption(figure, "\n".join(lines))
    figure.draw_without_rendering()
    axes.set_xlim(axes.get_xlim())
    axes.set_ylim(axes.get_ylim())
    shown = [method for method, there in zip(methods, known, strict=True) if there]
    label_points(axes, x[known], y[known], shown, avoid=avoid)
