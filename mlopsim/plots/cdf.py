"""Two empirical distribution functions and their Kolmogorov-Smirnov distance."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import numpy as np

from mlopsim.core.errors import ConfigError
from mlopsim.plots.style import INK, PALETTE, SMALL, caption, dress, legend_label, new_figure
from mlopsim.plots.told import amount, tell
from mlopsim.stats.interval import Interval

if TYPE_CHECKING:
    from matplotlib.figure import Figure


class Comparison(Protocol):
    """What is drawn; :func:`mlopsim.numerics.ecdf.two_cdfs` makes one, and says what the fields are."""

    @property
    def x(self) -> np.ndarray: ...  # noqa: D102
    @property
    def reference(self) -> np.ndarray: ...  # noqa: D102
    @property
    def window(self) -> np.ndarray: ...  # noqa: D102
    @property
    def n_reference(self) -> int: ...  # noqa: D102
    @property
    def n_window(self) -> int: ...  # noqa: D102
    @property
    def at(self) -> float: ...  # noqa: D102
    @property
    def distance(self) -> Interval: ...  # noqa: D102
    @property
    def pvalue(self) -> float: ...  # noqa: D102
    @property
    def half_reference(self) -> float: ...  # noqa: D102
    @property
    def half_window(self) -> float: ...  # noqa: D102
    @property
    def level(self) -> float: ...  # noqa: D102


def cdf(
    shown: Comparison,
    *,
    names: tuple[str, str] = ("reference", "window"),
    xlabel: str = "value",
    title: str = "",
    note: str = "",
) -> Figure:
    """Draw two empirical distribution functions with their bands, and a line where they differ most.

    Parameters
    ----------
    shown : Comparison
        The two functions, as :func:`mlopsim.numerics.ecdf.two_cdfs` returns them.
    names : (str, str)
        Of the samples.
    xlabel, title, note : str
        Texts; the note stands below the figure.

    Returns
    -------
    Figure

    Raises
    ------
    ConfigError
        If a value is beyond 1e300, which matplotlib cannot draw.

    Examples
    --------
    >>> from types import SimpleNamespace
    >>> shown = SimpleNamespace(
    ...     x=np.array([1.0, 2.0]), reference=np.array([0.5, 1.0]), window=np.array([0.0, 1.0]),
    ...     n_reference=2, n_window=1, at=1.0, distance=Interval(value=0.5, low=0.0, high=1.0, n=3),
    ...     pvalue=1.0, half_reference=0.9, half_window=1.0, level=0.95)
    >>> cdf(shown).axes[0].get_ylabel()
    'share at or below'
    """
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    low, high = float(shown.x[0]), float(shown.x[-1])
    if max(abs(low), abs(high)) > 1e300:
        raise ConfigError("values beyond 1e300 cannot be drawn", remedy="use another unit")
    # a single value gets room as well
    pad = 0.04 * (high - low) or 0.04 * max(abs(high), 1.0)
    figure = new_figure(7.2, 3.8)
    axes = figure.add_subplot()
    at_x = np.concatenate([[low - pad], shown.x, [high + pad]])
    handles: list[Line2D | Patch] = []
    samples = (
        (shown.reference, shown.half_reference, shown.n_reference),
        (shown.window, shown.half_window, shown.n_window),
    )
    for name, (share, half, n), colour in zip(names, samples, PALETTE[:2], strict=True):
        at_y = np.concatenate([[0.0], share, [1.0]])
        axes.fill_between(
            at_x,
            np.clip(at_y - half, 0.0, 1.0),
            np.clip(at_y + half, 0.0, 1.0),
            step="post",
            color=colour,
            alpha=0.14,
            linewidth=0,
        )
        told = [f"{name}\n{amount(float(a))}: {amount(float(b))}" for a, b in zip(at_x, at_y, strict=True)]
        tell(axes, at_x, at_y, told)
        axes.plot(at_x, at_y, drawstyle="steps-post", color=colour, linewidth=1.7, zorder=3)
        handles.append(Line2D([], [], color=colour, linewidth=1.7, label=legend_label(f"{name} (n = {n:,})")))
        handles.append(Patch(facecolor=colour, alpha=0.14, label=f"{shown.level:.0%} band (±{half:.3f})"))
    place = int(np.searchsorted(shown.x, shown.at))
    ends = [float(shown.reference[place]), float(shown.window[place])]
    axes.plot([shown.at] * 2, ends, color=INK, linewidth=1.8, marker="_", markersize=9, zorder=4)
    axes.axvline(shown.at, color=INK, linewidth=0.8, linestyle=(0, (2, 3)), zorder=1)
    # in the legend: no place within the axes is free of curves whatever the samples are
    distance = shown.distance
    chance = "p < 1e-99" if shown.pvalue < 1e-99 else f"p = {shown.pvalue:.2g}"
    where = f"KS distance {distance.value:.3f} [{distance.low:.3f}, {distance.high:.3f}]"
    handles.append(Line2D([], [], color=INK, linewidth=1.8, label=where))
    handles.append(Line2D([], [], linestyle="", label=f"at {shown.at:.3g}, {chance}"))
    dress(axes, xlabel=xlabel, ylabel="share at or below", title=title)
    axes.set_xlim(low - pad, high + pad)
    axes.set_ylim(-0.02, 1.02)
    figure.legend(
        handles=handles, loc="outside upper right", ncols=3, frameon=False, fontsize=SMALL, labelcolor=INK
    )
    basis = f"bands (Dvoretzky-Kiefer-Wolfowitz) and interval: {shown.level:.0%}"
    caption(figure, "; ".join(t for t in (note, basis) if t))
    return figure
