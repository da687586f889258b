"""Labels beside what they name, without overlaps."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from numpy.typing import ArrayLike

from mlopsim.core.text import visible
from mlopsim.plots.style import MUTED, SMALL

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

#: left, bottom, right, top, in pixels
Box: TypeAlias = tuple[float, float, float, float]


def spread(positions: ArrayLike, gap: float, low: float, high: float) -> np.ndarray:
    """Move positions as little as possible so that neighbours are at least ``gap`` apart.

    Parameters
    ----------
    positions : array_like of float, shape (n,)
    gap : float
        Smallest distance; shrunk if n of them do not fit between ``low`` and ``high``.
    low, high : float
        Bounds of the result.

    Returns
    -------
    ndarray of float64, shape (n,)
        In the order of the input: isotonic regression of the positions minus their rank times ``gap``.

    Examples
    --------
    >>> spread([0., 0., 1.], .2, -1., 2.)
    array([-0.1,  0.1,  1. ])
    """
    p = np.asarray(positions, dtype=np.float64)
    n = len(p)
    if n == 0:
        return p
    gap = min(gap, (high - low) / max(n - 1, 1))
    order = np.argsort(p, kind="stable")
    wanted = p[order] - gap * np.arange(n)
    # pool adjacent violators: blocks of (mean, size)
    pools: list[tuple[float, int]] = []
    for value in wanted:
        mean, size = float(value), 1
        while pools and pools[-1][0] > mean:
            m, s = pools.pop()
            mean, size = (mean * size + m * s) / (size + s), size + s
        pools.append((mean, size))
    flat = np.concatenate([np.full(s, m) for m, s in pools])
    placed = np.clip(flat, low, high - gap * (n - 1)) + gap * np.arange(n)
    out = np.empty(n)
    out[order] = placed
    return out


def _figure(axes: Axes) -> Figure:
    figure = axes.get_figure(root=True)
    if figure is None:
        raise ValueError("labels need axes that belong to a figure")
    return figure


def label_ends(
    axes: Axes,
    xs: ArrayLike,
    ys: ArrayLike,
    texts: Sequence[str],
    colours: Sequence[str],
    size: float = SMALL,
) -> None:
    """Write labels to the right of the axes at the height where lines end, spread apart.

    The limits of the axes must be final. ``xs``, ``ys`` are the lines' last points in data units; a line
    without one gets its label at the bottom.
    """
    figure = _figure(axes)
    figure.draw_without_rendering()
    x, y = np.broadcast_arrays(np.asarray(xs, dtype=np.float64), np.asarray(ys, dtype=np.float64))
    frame = axes.get_window_extent()
    gap = size * 1.3 / 72 * figure.get_dpi() / frame.height
    # heights as fractions of the axes, so that any scale works
    pixels = axes.transData.transform(np.column_stack([x, y]))
    heights = (pixels[:, 1] - frame.y0) / frame.height
    places = spread(np.clip(np.where(np.isfinite(heights), heights, 0.0), 0.0, 1.0), gap, 0.0, 1.0)
    for text, colour, a, b, place in zip(texts, colours, x, y, places, strict=True):
        known = bool(np.isfinite(a) and np.isfinite(b))
        axes.annotate(
            visible(text),
            xy=(a, b) if known else (1.0, place),
            xytext=(1.03, place),
            xycoords="data" if known else "axes fraction",
            textcoords="axes fraction",
            fontsize=size,
            color=colour,
            va="center",
            ha="left",
            annotation_clip=False,
            arrowprops={"arrowstyle": "-", "color": colour, "linewidth": 0.6, "alpha": 0.7, "shrinkB": 1}
            | {"relpos": (0.0, 0.5)},
        )


def label_points(
    axes: Axes,
    x: ArrayLike,
    y: ArrayLike,
    texts: Sequence[str],
    size: float = SMALL,
    avoid: Sequence[tuple[float, float, float, float]] = (),
) -> None:
    """Write a label beside each point, away from the other labels and points.

    Greedy: points in the order given; each tries eight directions at growing distance and takes the first
    free one, with a thin leader line from the second ring on that crosses no label. Call it last, when
    the limits are final.
    ``avoid`` are segments (x0, y0, x1, y1) in data units that labels should not cross.
    """
    figure = _figure(axes)
    figure.draw_without_rendering()
    points = axes.transData.transform(np.column_stack([np.asarray(x, float), np.asarray(y, float)]))
    frame = axes.get_window_extent()
    px = figure.get_dpi() / 72
    taken: list[Box] = [(a - 5 * px, b - 5 * px, a + 5 * px, b + 5 * px) for a, b in points]
    for x0, y0, x1, y1 in avoid:
        (a, b), (c, d) = axes.transData.transform([(x0, y0), (x1, y1)])
        taken += _pieces(a, b, c, d, px)
    labels: list[Box] = []
    directions = [(1, 0), (0, 1), (0, -1), (-1, 0), (1, 1), (1, -1), (-1, 1), (-1, -1)]
    for (a, b), text in zip(points, texts, strict=True):
        if not (np.isfinite(a) and np.isfinite(b)):
            continue
        probe = axes.text(0, 0, visible(text), fontsize=size, parse_math=False)
        extent = probe.get_window_extent()
        probe.remove()
        w, h = extent.width, extent.height
        best: tuple[float, float, float, float, int] | None = None
        least = np.inf
        for ring in range(1, 9):
            reach = (4 + 7 * ring) * px
            for dx, dy in directions:
                cx = a + dx * (reach * (0.75 if dy else 1.0) + w / 2) if dx else a
                cy = b + dy * (reach * 0.75 + h / 2) if dy else b
                box = (cx - w / 2 - px, cy - h / 2 - px, cx + w / 2 + px, cy + h / 2 + px)
                outside = box[0] < frame.x0 or box[2] > frame.x1 or box[1] < frame.y0 or box[3] > frame.y1
                cost = sum(_overlap(box, other) for other in taken) + (1e6 if outside else 0.0)
                leader = _pieces(a, b, cx, cy, px) if ring > 1 and labels else []
                cost += sum(_overlap(piece, other) for piece in leader for other in labels)
                if cost < least:
                    least, best = cost, (*box, ring)
                if cost == 0.0:
                    break
            if least == 0.0:
                break
        assert best is not None
        x0, y0, x1, y1, ring = best
        labels.append((x0, y0, x1, y1))
        taken.append(labels[-1])
        if ring > 1:
            taken += _pieces(a, b, (x0 + x1) / 2, (y0 + y1) / 2, px)
        axes.annotate(
            visible(text),
            xy=tuple(axes.transData.inverted().transform((a, b))),
            xytext=(((x0 + x1) / 2 - a) / px, ((y0 + y1) / 2 - b) / px),
            xycoords="data",
            textcoords="offset points",
            fontsize=size,
            color="#1f2328",
            ha="center",
            va="center",
            annotation_clip=False,
            arrowprops={"arrowstyle": "-", "color": MUTED, "linewidth": 0.5, "shrinkA": 0, "shrinkB": 2}
            if ring > 1
            else None,
        )


def _pieces(a: float, b: float, c: float, d: float, margin: float) -> list[Box]:
    """Cover a segment with boxes; a slanted one is cut, so that its box does not block a whole rectangle."""
    cuts = 1 if a == c or b == d else 12
    xs, ys = np.linspace(a, c, cuts + 1).tolist(), np.linspace(b, d, cuts + 1).tolist()
    return [
        (min(p, r) - margin, min(q, s) - margin, max(p, r) + margin, max(q, s) + margin)
        for p, q, r, s in zip(xs, ys, xs[1:], ys[1:], strict=False)
    ]


def _overlap(a: Box, b: Box) -> float:
    width = min(a[2], b[2]) - max(a[0], b[0])
    height = min(a[3], b[3]) - max(a[1], b[1])
    return width * height if width > 0 and height > 0 else 0.0
