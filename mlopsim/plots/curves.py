"""Lines with bands."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from mlopsim.core.errors import ConfigError
from mlopsim.plots.labels import label_ends
from mlopsim.plots.style import INK, MUTED, SMALL, Mark, caption, dress, legend_label, marks_for, new_figure
from mlopsim.plots.told import amount, tell

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

#: abscissae that are ticks themselves on a logarithmic axis
FEW = 8


@dataclass(frozen=True, kw_only=True)
class Curve:
    """A line with an optional band.

    Parameters
    ----------
    x, y : ndarray of float64, shape (k,)
        NaN breaks the line.
    low, high : ndarray of float64, shape (k,), optional
        Ends of a pointwise interval.
    """

    x: np.ndarray
    y: np.ndarray
    low: np.ndarray | None = None
    high: np.ndarray | None = None

    def __post_init__(self) -> None:
        shapes = {np.shape(v) for v in (self.x, self.y, self.low, self.high) if v is not None}
        if len(shapes) != 1 or np.ndim(self.x) != 1:
            raise ConfigError(f"a curve needs arrays of one length, got {sorted(shapes)}")


def curves(
    lines: Mapping[str, Curve],
    *,
    xlabel: str = "",
    ylabel: str = "",
    title: str = "",
    note: str = "",
    marks: Mapping[str, Mark] | None = None,
    references: Mapping[str, float] | None = None,
    xscale: str = "linear",
    yscale: str = "linear",
    ylim: tuple[float, float] | None = None,
    step: bool = False,
    legend: bool | None = None,
) -> Figure:
    """Draw lines with bands, each labelled at its right end or in a legend beside.

    Parameters
    ----------
    lines : mapping of str to Curve
    note : str
        Small line under the figure; say there what the bands are and their n.
    marks : mapping of str to Mark, optional
        From `marks_for`.
    references : mapping of str to float, optional
        Named horizontal lines.
    xscale, yscale : str
        Scales of matplotlib (``linear``, ``log``, ``symlog``).
    ylim : tuple of float, optional
    step : bool, default False
        Draw as right-continuous steps.
    legend : bool, optional
        Name the lines in a legend at the right, highest mean first, instead of at their ends; by default
        from 9 lines on.

    Examples
    --------
    >>> x = np.arange(3.)
    >>> len(curves({"a": Curve(x=x, y=x)}).axes)
    1
    """
    looks = marks or marks_for(list(lines))
    figure = new_figure(7.2, 3.7 + 0.14 * max(0, len(lines) - 20))
    axes = figure.add_subplot()
    axes.set_xscale(xscale)
    axes.set_yscale(yscale)
    banded = sum(curve.low is not None for curve in lines.values())
    for name, curve in lines.items():
        look = looks[name]
        style = "steps-post" if step else "default"
        if curve.low is not None and curve.high is not None:
            axes.fill_between(
                curve.x,
                curve.low,
                curve.high,
                color=look.colour,
                # many fills over each other would turn to mud: there thin edges tell them apart
                alpha=0.14 if banded <= 3 else 0.05,
                linewidth=0,
                step="post" if step else None,
            )
            for edge in (curve.low, curve.high) if banded > 3 else ():
                axes.plot(
                    curve.x, edge, color=look.colour, linewidth=0.5, alpha=0.35, drawstyle=style, zorder=2
                )
        axes.plot(
            curve.x, curve.y, color=look.colour, linestyle=look.dash, linewidth=1.6, drawstyle=style, zorder=3
        )
        low = curve.low if curve.low is not None else np.full(len(curve.x), np.nan)
        high = curve.high if curve.high is not None else np.full(len(curve.x), np.nan)
        told = [
            f"{name}\n{xlabel or 'at'}: {amount(float(at))}\n{ylabel or 'value'}: {amount(*map(float, ends))}"
            for at, *ends in zip(curve.x, curve.y, low, high, strict=True)
        ]
        tell(axes, curve.x, curve.y, told)
    dress(axes, xlabel=xlabel, ylabel=ylabel, title=title)
    axes.margins(x=0.0)
    places = np.unique(np.concatenate([curve.x for curve in lines.values()])) if lines else np.empty(0)
    if xscale == "log" and len(places) <= FEW:
        # powers of ten may be none or one of them
        axes.set_xticks(places, [f"{x:,g}" for x in places], minor=False)
        axes.set_xticks([], minor=True)
    if ylim is not None:
        axes.set_ylim(*ylim)
    for name, at in (references or {}).items():
        axes.axhline(at, color=MUTED, linewidth=0.9, linestyle=(0, (3, 2)), zorder=1)
        axes.annotate(
            name,
            (0.0, at),
            xycoords=axes.get_yaxis_transform(),
            xytext=(3, 2),
            textcoords="offset points",
            fontsize=SMALL,
            color=MUTED,
            va="bottom",
        )
    caption(figure, note)
    axes.set_xlim(axes.get_xlim())
    axes.set_ylim(axes.get_ylim())
    if legend is None:
        legend = len(lines) > 8
    if legend:
        _legend(axes, lines, looks)
    elif len(lines) > 1:
        last = {name: _last(curve) for name, curve in lines.items()}
        label_ends(
            axes,
            [x for x, _ in last.values()],
            [y for _, y in last.values()],
            list(lines),
            [looks[name].colour for name in lines],
        )
    return figure


def _legend(axes: Axes, lines: Mapping[str, Curve], looks: Mapping[str, Mark]) -> None:
    from matplotlib.lines import Line2D

    means = {
        n: float(np.mean(c.y[np.isfinite(c.y)])) if np.isfinite(c.y).any() else -np.inf
        for n, c in lines.items()
    }
    axes.legend(
        handles=[
            Line2D(
                [],
                [],
                color=looks[name].colour,
                linestyle=looks[name].dash,
                linewidth=1.6,
                label=legend_label(name),
            )
            for name in sorted(lines, key=lambda name: -means[name])
        ],
        loc="upper left",
        bbox_to_anchor=(1.01, 1.02),
        borderaxespad=0.0,
        frameon=False,
        fontsize=SMALL,
        labelcolor=INK,
        handlelength=2.6,
    )


def _last(curve: Curve) -> tuple[float, float]:
    """Return the last defined point."""
    known = np.flatnonzero(np.isfinite(curve.x) & np.isfinite(curve.y))
    return (float(curve.x[known[-1]]), float(curve.y[known[-1]])) if len(known) else (np.nan, np.nan)
