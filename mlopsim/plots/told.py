"""What a figure says of a point when it is pointed at: names and numbers in full, beside the drawing."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from mlopsim.core.errors import ConfigError

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

#: of a longer line so many points are told
MOST = 150


@dataclass(frozen=True, kw_only=True)
class Told:
    """Points of an axes and what is said of them.

    Parameters
    ----------
    axes : matplotlib.axes.Axes
    x, y : ndarray of float64, shape (k,)
        In the units of the axes.
    texts : sequence of str, length k
        Lines, plain.
    """

    axes: Axes
    x: np.ndarray
    y: np.ndarray
    texts: Sequence[str]


def amount(value: float, low: float = math.nan, high: float = math.nan) -> str:
    """Return a number in four significant digits, with its interval where there is one.

    Examples
    --------
    >>> amount(0.83491, 0.79, 0.87), amount(12345.6), amount(math.nan)
    ('0.8349 [0.79, 0.87]', '1.235e+04', 'undefined')
    """
    if not math.isfinite(value):
        return "undefined"
    ends = f" [{low:.4g}, {high:.4g}]" if math.isfinite(low) and math.isfinite(high) else ""
    return f"{value:.4g}{ends}"


def tell(axes: Axes, x: ArrayLike, y: ArrayLike, texts: Sequence[str]) -> None:
    """Say something of points; the drawing stays as it is, a page shows it where one points at them.

    Parameters
    ----------
    axes : matplotlib.axes.Axes
        Of a figure of :func:`mlopsim.plots.style.new_figure`; of other figures nothing is told.
    x, y : array_like of float, shape (k,)
        Points that are undefined are left out; of more than :data:`MOST` evenly many are kept.
    texts : sequence of str, length k

    Raises
    ------
    ConfigError
        If there are not as many texts as points.
    """
    across, up = np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64)
    if not across.shape == up.shape == (len(texts),):
        raise ConfigError(f"{len(texts)} texts need as many points, got {across.shape} and {up.shape}")
    kept = np.flatnonzero(np.isfinite(across) & np.isfinite(up))
    if len(kept) > MOST:
        kept = kept[np.unique(np.linspace(0, len(kept) - 1, MOST).round().astype(np.int64))]
    found = getattr(axes.get_figure(root=True), "told", None)
    if found is not None and len(kept):
        found.append(Told(axes=axes, x=across[kept], y=up[kept], texts=[texts[i] for i in kept.tolist()]))


def places(figure: Figure) -> list[tuple[float, float, str]]:
    """Return what is told of a figure whose layout is settled: places as shares of it from below left.

    Points outside of their axes are left out.

    Examples
    --------
    >>> from mlopsim.plots.style import new_figure
    >>> figure = new_figure(2, 2)
    >>> axes = figure.add_axes((0, 0, 1, 1), xlim=(0, 4), ylim=(0, 1))
    >>> tell(axes, [1, 9], [0.5, 0.5], ["a", "b"])
    >>> places(figure)
    [(0.25, 0.5, 'a')]
    """
    found: list[tuple[float, float, str]] = []
    for told in getattr(figure, "told", ()):
        shown = told.axes.transData.transform(np.column_stack([told.x, told.y]))
        shares = figure.transFigure.inverted().transform(shown)
        box = told.axes.get_position()
        inside = (
            (shares[:, 0] > box.x0 - 0.01)
            & (shares[:, 0] < box.x1 + 0.01)
            & (shares[:, 1] > box.y0 - 0.01)
            & (shares[:, 1] < box.y1 + 0.01)
        )
        found += [
            (round(float(a), 4), round(float(b), 4), text)
            for (a, b), text, there in zip(shares, told.texts, inside, strict=True)
            if there
        ]
    return found
