"""Features change places."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mlopsim.core.errors import DataError
from mlopsim.core.registry import register
from mlopsim.core.spec import check_range
from mlopsim.streams.changes.base import Change, Changed
from mlopsim.streams.resolution import Resolution
from mlopsim.streams.stream import Stream


@register("change", "permuted_features", version=2)
@dataclass(kw_only=True)
class PermutedFeatures(Change):
    r"""Some numeric features change places in a ring, as after a mistaken join: P(x) and P(y | x) change.

    Each of the drawn columns takes the values of the next one, so that none keeps its own. Values are first
    brought to the mean and standard deviation that the column has in the warm-up, then to the number next to
    them that the column can hold: otherwise units or digits alone would give the change away.

    Around the ring :math:`\pi`, with means m and standard deviations s of the warm-up,

    .. math:: x_j' = m_j + s_j \, \frac{x_{\pi(j)} - m_{\pi(j)}}{s_{\pi(j)}}

    Parameters
    ----------
    count : int, default 0
        How many numeric features change places, at least 2; 0: all of them.
    keep_scale : bool, default True
        Whether values are brought to the mean and spread of their new column.

    Notes
    -----
    Use it for a mistaken join; with ``keep_scale`` each column keeps its mean and spread.

    Examples
    --------
    >>> from mlopsim import make
    >>> base = {"bundled": {"dataset": "wine"}}
    >>> ring = {"permuted_features": {"count": 2}}
    >>> stream = make("stream", "injected", base=base, change=ring, at=12).generate(np.random.SeedSequence(0))
    >>> stream.events[0].kind.value, stream.events[0].magnitude
    ('concept', 2.0)
    """

    count: int = 0
    keep_scale: bool = True

    def __post_init__(self) -> None:
        check_range("change/permuted_features.count", self.count, 0, 10**6)
        check_range("change/permuted_features.count", 2 if self.count == 0 else self.count, 2, 10**6)

    def apply(self, stream: Stream, moved: np.ndarray, rng: np.random.Generator) -> Changed:
        """Permute the columns of the moved rows."""
        numeric = [j for j in range(len(stream.features)) if j not in stream.categories]
        count = self.count or len(numeric)
        if not 2 <= count <= len(numeric):
            raise DataError(
                f"{count} numeric features cannot change places: the stream has {len(numeric)}",
                remedy="set count, or use another change",
            )
        ring = rng.permutation(numeric)[:count]
        source = np.roll(ring, -1)
        values = stream.X[moved][:, source]
        if self.keep_scale:
            history = stream.X[: int(stream.bounds[stream.warmup])]
            mean, spread = np.nanmean(history, axis=0), np.nanstd(history, axis=0)
            spread = np.where(spread > 0.0, spread, 1.0)
            values = (values - mean[source]) / spread[source] * spread[ring] + mean[ring]
        X = stream.X.copy()
        for j, put in zip(ring.tolist(), values.T, strict=True):
            X[moved, j] = Resolution.of(stream.X[:, j]).nearest(put)
        names = ", ".join(stream.features[j] for j in ring)
        return Changed(
            X=X, y=stream.y, g=stream.g, magnitude=float(count), detail=f"features in a ring: {names}"
        )
