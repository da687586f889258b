"""Critical-difference diagrams."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from mlopsim.core.errors import ConfigError
from mlopsim.plots.style import INK, MUTED, SMALL, TEXT, Mark, caption, new_figure, room
from mlopsim.plots.told import amount, tell

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def critical_difference(
    methods: Sequence[str],
    ranks: ArrayLike,
    groups: Sequence[Sequence[int]],
    *,
    cd: float | None = None,
    n: int,
    title: str = "",
    note: str = "",
    marks: Mapping[str, Mark] | None = None,
) -> Figure:
    """Draw mean ranks on a line; bars join methods that do not differ.

    Parameters
    ----------
    methods : sequence of str, length k
    ranks : array_like of float, shape (k,)
        Mean ranks, 1 is best.
    groups : sequence of sequences of int
        Indices of methods that do not differ, e.g. of `stats.ranks.cliques`.
    cd : float, optional
        The critical difference, drawn as a ruler.
    n : int
        Number of blocks behind the ranks.
    marks : mapping of str to Mark, optional

    Notes
    -----
    The diagram of Demsar 2006, figure 1.

    Examples
    --------
    >>> figure = critical_difference(["a", "b", "c"], [1.2, 1.9, 2.9], [(0, 1)], cd=1., n=20)
    >>> len(figure.axes)
    1
    """
    r = np.asarray(ranks, dtype=np.float64)
    k = len(methods)
    if r.shape != (k,) or k < 2 or not np.isfinite(r).all():
        raise ConfigError(f"{k} methods need {k} defined mean ranks, and at least 2 of them")
    order = np.argsort(r, kind="stable")
    left = (k + 1) // 2
    deep = 1.0 + 0.32 * len(groups)
    rows = max(left, k - left)
    height = 0.75 + 0.17 * (deep + rows) + (0.25 if title else 0.0) + (0.2 if cd is not None else 0.0)
    # names stand at both sides
    figure = new_figure(7.2 + 2 * room(methods, 32), max(height * 1.25, 1.8))
    axes = figure.add_subplot()
    axes.axis("off")
    top = 1.9 if cd is not None else 0.9
    axes.set_ylim(-(deep + rows * 0.95), top)
    low, high = 1.0, float(k)
    margin = 0.02 * (high - low)
    axes.set_xlim(low - margin, high + margin)
    axes.hlines(0, low, high, color=INK, linewidth=1.1)
    stride = max(1, -(-k // 16))
    for tick in range(1, k + 1, stride):
        axes.vlines(tick, 0, 0.16, color=INK, linewidth=1.0)
        axes.text(tick, 0.25, str(tick), ha="center", va="bottom", fontsize=SMALL, color=MUTED)
    if cd is not None:
        axes.hlines(1.35, low, min(low + cd, high), color=INK, linewidth=1.4)
        for end in (low, min(low + cd, high)):
            axes.vlines(end, 1.22, 1.48, color=INK, linewidth=1.4)
        axes.text(
            min(low + cd, high) + margin,
            1.35,
            f"critical difference {cd:.2f}",
            va="center",
            fontsize=SMALL,
            color=INK,
        )
    for place, i in enumerate(order):
        on_left = place < left
        row = place if on_left else k - 1 - place
        y = -(deep + row * 0.95)
        end = low - margin if on_left else high + margin
        colour = marks[methods[i]].colour if marks else INK
        axes.plot([r[i], r[i], end], [0, y, y], color=colour, linewidth=0.9, solid_joinstyle="miter")
        axes.plot(r[i], 0, "o", color=colour, markersize=3.2, zorder=4)
        text = f"{methods[i]}  {r[i]:.2f}" if on_left else f"{r[i]:.2f}  {methods[i]}"
        axes.annotate(
            text,
            (end, y),
            xytext=(-4 if on_left else 4, 0),
            textcoords="offset points",
            ha="right" if on_left else "left",
            va="center",
            fontsize=TEXT,
            color=colour,
            annotation_clip=False,
        )
    tell(axes, r, np.zeros(k), [f"{methods[i]}\nmean rank {amount(float(r[i]))}, n = {n}" for i in range(k)])
    for level, group in enumerate(groups):
        a, b = float(min(r[list(group)])), float(max(r[list(group)]))
        axes.hlines(-0.35 - 0.32 * level, a - margin / 2, b + margin / 2, color=INK, linewidth=3.0, zorder=5)
    if title:
        axes.set_title(title, fontsize=TEXT + 1.5, color=INK, loc="left", pad=8, fontweight="bold")
    rule = "bars join methods that do not differ"
    caption(figure, f"mean rank over n = {n} (1 is best); {rule}" + (f"; {note}" if note else ""))
    return figure
