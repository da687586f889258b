"""The base rate changes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from mlopsim.core.errors import ConfigError, DataError, nearest
from mlopsim.core.registry import register
from mlopsim.core.spec import check_range
from mlopsim.streams.changes.base import Change, Changed, redrawn
from mlopsim.streams.stream import DriftKind, Stream


@register("change", "prior")
@dataclass(kw_only=True)
class PriorChange(Change):
    r"""A class becomes more or less frequent; P(x | y) stays.

    Moved rows are drawn anew from the rows of their window, those of the class with ``odds`` times the weight
    of the others, so that its odds are multiplied by that. A window without the class stays without it. Rows
    are drawn with replacement: some stand twice, and a window's means vary about twice as much as those of
    other rows, which tests of the inputs may notice, too.

    With w = ``odds`` and the share :math:`p` of the class in its window,

    .. math:: P'(y = \mathrm{label}) = \frac{w p}{w p + 1 - p}

    Parameters
    ----------
    odds : float, default 4.0
        Factor of the odds of the class.
    label : str
        The class; empty: the last one.

    Notes
    -----
    Use it for classes that become frequent or rare in real rows.

    References
    ----------
    .. [1] J. G. Moreno-Torres, T. Raeder, R. Alaiz-Rodríguez, N. V. Chawla and F. Herrera, "A unifying view
       on dataset shift in classification", Pattern Recognition 45, 2012, 521-530.
       doi:10.1016/j.patcog.2011.06.019

    Examples
    --------
    >>> from mlopsim import make
    >>> source = make("stream", "injected", base="bundled", change={"prior": {"odds": 9.0}}, at=30)
    >>> stream = source.generate(np.random.SeedSequence(0))
    >>> bool(stream.y[:300].mean() + 0.2 < stream.y[300:].mean()), stream.events[0].kind.value
    (True, 'prior')
    """

    moves: ClassVar[DriftKind] = DriftKind.PRIOR

    odds: float = 4.0
    label: str = ""

    def __post_init__(self) -> None:
        check_range("change/prior.odds", self.odds, 0.0, 1e9, open_low=True)
        if self.odds == 1.0:
            raise ConfigError("change/prior.odds of 1 changes no law", remedy="use another factor")

    def apply(self, stream: Stream, moved: np.ndarray, rng: np.random.Generator) -> Changed:
        """Draw the moved rows anew."""
        name = self.label or stream.classes[-1]
        if name not in stream.classes:
            raise DataError(
                f"change/prior: no class '{name}'{nearest(name, stream.classes)}",
                remedy=f"classes: {', '.join(stream.classes)}",
            )
        weights = np.where(stream.y == stream.classes.index(name), self.odds, 1.0)
        rows, _ = redrawn(stream, moved, weights, rng)
        return Changed(
            X=stream.X[rows],
            y=stream.y[rows],
            g=stream.g[rows],
            magnitude=self.odds,
            detail=f"odds of '{name}' times {self.odds:g}",
        )
