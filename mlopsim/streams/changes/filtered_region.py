"""Rows of a region no longer arrive."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from mlopsim.core.errors import DataError, nearest
from mlopsim.core.registry import register
from mlopsim.core.spec import check_range
from mlopsim.streams.changes.base import Change, Changed, redrawn
from mlopsim.streams.stream import DriftKind, Stream


@register("change", "filtered_region")
@dataclass(kw_only=True)
class FilteredRegion(Change):
    r"""Only rows on one side of a quantile of a feature still arrive: P(x) changes, P(y | x) does not.

    Moved rows are drawn anew from those rows of their window that lie in the region that stays; a missing
    value lies in it.

    :math:`P'(x) \propto P(x) \, 1[x_f \le q]` with the quantile q of the feature in the warm-up
    (:math:`x_f > q` if ``above``).

    Parameters
    ----------
    feature : str
        A numeric feature; empty: the first one.
    quantile : float, default 0.5
        Of its values in the warm-up.
    above : bool, default False
        Whether the rows above the quantile are those that stay.

    Notes
    -----
    Use it for inputs that cease to come; the rule stays.

    References
    ----------
    .. [1] J. G. Moreno-Torres, T. Raeder, R. Alaiz-Rodríguez, N. V. Chawla and F. Herrera, "A unifying view
       on dataset shift in classification", Pattern Recognition 45, 2012, 521-530.
       doi:10.1016/j.patcog.2011.06.019

    Examples
    --------
    >>> from mlopsim import make
    >>> region = {"filtered_region": {"feature": "mean radius", "above": True}}
    >>> source = make("stream", "injected", base="bundled", change=region, at=30)
    >>> stream = source.generate(np.random.SeedSequence(0))
    >>> cut = np.median(stream.X[:100, 0])
    >>> bool(stream.X[300:, 0].min() > cut), stream.events[0].kind.value
    (True, 'covariate')
    """

    moves: ClassVar[DriftKind] = DriftKind.COVARIATE

    feature: str = ""
    quantile: float = 0.5
    above: bool = False

    def __post_init__(self) -> None:
        check_range("change/filtered_region.quantile", self.quantile, 0.0, 1.0)

    def apply(self, stream: Stream, moved: np.ndarray, rng: np.random.Generator) -> Changed:
        """Draw the moved rows anew."""
        numeric = [name for j, name in enumerate(stream.features) if j not in stream.categories]
        name = self.feature or (numeric[0] if numeric else "")
        if name not in numeric:
            raise DataError(
                f"change/filtered_region: no numeric feature '{name}'{nearest(name, numeric)}",
                remedy=f"numeric features: {', '.join(numeric) or 'none'}",
            )
        values = stream.X[:, stream.features.index(name)]
        cut = float(np.nanquantile(values[: int(stream.bounds[stream.warmup])], self.quantile))
        stays = ~(values <= cut) if self.above else ~(values > cut)
        rows, empty = redrawn(stream, moved, stays.astype(np.float64), rng)
        if len(empty):
            raise DataError(
                f"change/filtered_region: window {empty[0]} has no row with {name} "
                f"{'above' if self.above else 'up to'} {cut:g}",
                remedy="use larger windows or another quantile",
            )
        side = "above" if self.above else "up to"
        return Changed(
            X=stream.X[rows],
            y=stream.y[rows],
            g=stream.g[rows],
            magnitude=float(1.0 - stays[~moved].mean()),
            detail=f"only {name} {side} {cut:g} still arrives; share of rows that no longer do",
        )
