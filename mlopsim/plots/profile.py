"""Performance profiles: the share of scenarios above a score."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from mlopsim.plots.curves import Curve, curves
from mlopsim.plots.style import Mark

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def profile(
    taus: ArrayLike,
    shares: Mapping[str, ArrayLike],
    *,
    bands: Mapping[str, tuple[ArrayLike, ArrayLike]] | None = None,
    n: int,
    excluded: int,
    marks: Mapping[str, Mark] | None = None,
    title: str = "",
    xlabel: str = "normalised score τ",
    note: str = "",
) -> Figure:
    """Draw the share of scenarios whose score exceeds tau, one line a method.

    Parameters
    ----------
    taus : array_like of float, shape (k,)
    shares : mapping of str to array_like, shape (k,)
    bands : mapping of str to (low, high), optional
        Pointwise intervals of the methods that have one, drawn as light fills.
    n, excluded : int
        Scenarios that entered, and those left out (below the floor or undefined); both are printed.
    marks : mapping of str to Mark, optional
        From `marks_for`.
    note : str
        Put after the counts in the small line under the figure; say there what the bands are.

    Examples
    --------
    >>> figure = profile([0., .5, 1.], {"a": [1., .5, 0.], "b": [1., 1., .2]}, n=30, excluded=2)
    >>> figure.axes[0].get_ylabel()
    'share of scenarios above τ'
    """
    x = np.asarray(taus, dtype=np.float64)
    lines = {}
    for name, share in shares.items():
        low, high = (bands or {}).get(name, (None, None))
        lines[name] = Curve(
            x=x,
            y=np.asarray(share, dtype=np.float64),
            low=None if low is None else np.asarray(low, dtype=np.float64),
            high=None if high is None else np.asarray(high, dtype=np.float64),
        )
    counts = f"n = {n} scenarios; {excluded} left out (too little to gain, or undefined)"
    return curves(
        lines,
        xlabel=xlabel,
        ylabel="share of scenarios above τ",
        title=title,
        marks=marks,
        ylim=(-0.02, 1.02),
        # all lines end near 0, where labels could not be told apart
        legend=True,
        note=f"{counts}\n{note}" if note else counts,
    )
