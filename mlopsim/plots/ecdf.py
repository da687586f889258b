"""Two empirical distribution functions and their Kolmogorov-Smirnov distance."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from mlopsim.core.errors import ConfigError
from mlopsim.plots.style import INK, PALETTE, SMALL, TEXT, caption, dress, new_figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def ks_distance(a: ArrayLike, b: ArrayLike) -> tuple[float, float]:
    """Return the largest distance of two empirical distribution functions and where it is first reached.

    Examples
    --------
    >>> ks_distance([1., 2., 3.], [2.5, 3., 4.])
    (0.666..., 2.0)
    """
    x, y = np.sort(np.asarray(a, dtype=np.float64)), np.sort(np.asarray(b, dtype=np.float64))
    points = np.concatenate([x, y])
    points.sort()
    below_x = np.searchsorted(x, points, side="right") / len(x)
    below_y = np.searchsorted(y, points, side="right") / len(y)
    gaps = np.abs(below_x - below_y)
    at = int(np.argmax(gaps))
    return float(gaps[at]), float(points[at])


def ecdf(
    reference: ArrayLike,
    current: ArrayLike,
    *,
    names: tuple[str, str] = ("reference", "current"),
    level: float = 0.95,
    xlabel: str = "value",
    title: str = "",
    note: str = "",
) -> Figure:
    """Draw two empirical distribution functions, the KS distance between them and the reference's band.

    Parameters
    ----------
    reference, current : array_like of float
        Samples; NaN is left out and counted.
    names : (str, str)
    level : float, default 0.95
        Of the Dvoretzky-Kiefer-Wolfowitz band around the reference:
        half width sqrt(log(2 / (1 - level)) / (2 n)) (Massart 1990).

    Examples
    --------
    >>> figure = ecdf([1., 2., 3.], [2., 3., 4.])
    >>> figure.axes[0].get_ylabel()
    'share at or below'
    """
    raw = [np.asarray(v, dtype=np.float64).ravel() for v in (reference, current)]
    x, y = (np.sort(v[np.isfinite(v)]) for v in raw)
    missing = sum(len(v) for v in raw) - len(x) - len(y)
    if not len(x) or not len(y):
        raise ConfigError("both samples need at least one defined value")
    if not 0.0 < level < 1.0:
        raise ConfigError(f"a confidence level must lie between 0 and 1, got {level}")
    distance, at = ks_distance(x, y)
    half = math.sqrt(math.log(2 / (1 - level)) / (2 * len(x)))
    low, high = min(x[0], y[0]), max(x[-1], y[-1])
    pad = 0.04 * (high - low or 1.0)
    figure = new_figure(7.2, 3.6)
    axes = figure.add_subplot()
    steps = []
    for sample, colour in ((x, PALETTE[0]), (y, PALETTE[1])):
        at_x = np.concatenate([[low - pad], sample, [high + pad]])
        at_y = np.concatenate([[0.0], np.arange(1, len(sample) + 1) / len(sample), [1.0]])
        axes.plot(at_x, at_y, drawstyle="steps-post", color=colour, linewidth=1.7, zorder=3)
        steps.append((at_x, at_y))
    axes.fill_between(
        steps[0][0],
        np.clip(steps[0][1] - half, 0, 1),
        np.clip(steps[0][1] + half, 0, 1),
        step="post",
        color=PALETTE[0],
        alpha=0.14,
        linewidth=0,
    )
    ends = sorted(float(np.searchsorted(s, at, side="right") / len(s)) for s in (x, y))
    axes.annotate(
        "", (at, ends[1]), (at, ends[0]), arrowprops={"arrowstyle": "<->", "color": INK, "linewidth": 1.3}
    )
    # both functions rise to 1, so that the lower right corner is always free
    axes.text(
        0.985,
        0.05,
        f"↕ KS distance {distance:.3f} at {at:.3g}",
        transform=axes.transAxes,
        ha="right",
        va="bottom",
        fontsize=TEXT,
        color=INK,
    )
    dress(axes, xlabel=xlabel, ylabel="share at or below", title=title)
    axes.set_xlim(low - pad, high + pad)
    axes.set_ylim(-0.02, 1.02)
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    figure.legend(
        handles=[
            Line2D([], [], color=PALETTE[0], linewidth=1.7, label=f"{names[0]} (n = {len(x)})"),
            Line2D([], [], color=PALETTE[1], linewidth=1.7, label=f"{names[1]} (n = {len(y)})"),
            Patch(facecolor=PALETTE[0], alpha=0.14, label=f"{level:.0%} band of {names[0]}"),
        ],
        loc="outside upper right",
        ncols=3,
        frameon=False,
        fontsize=SMALL,
        labelcolor=INK,
    )
    caption(
        figure, "; ".join(t for t in (note, f"{missing} undefined values left out" if missing else "") if t)
    )
    return figure
