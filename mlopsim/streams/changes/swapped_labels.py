"""Labels change their meaning."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mlopsim.core.registry import register
from mlopsim.core.spec import check_range
from mlopsim.streams.changes.base import Change, Changed
from mlopsim.streams.stream import Stream


@register("change", "swapped_labels")
@dataclass(kw_only=True)
class SwappedLabels(Change):
    r"""Each class is called the next one, the last the first: P(y | x) changes, P(x) does not.

    :math:`y' = (y + 1) \bmod C` of C classes, of a changed row with probability ``share``.

    Parameters
    ----------
    share : float, default 1.0
        Share of the changed rows, drawn one by one, whose label is swapped: how hard the change is.

    Notes
    -----
    Use it for a change that no detector of inputs can see.

    Examples
    --------
    >>> from mlopsim import make
    >>> base = {"bundled": {"dataset": "breast_cancer"}}
    >>> source = make("stream", "injected", base=base, change="swapped_labels", at=30)
    >>> stream = source.generate(np.random.SeedSequence(0))
    >>> stream.events[0].start, stream.events[0].detail
    (300, 'labels swapped: benign to malignant, malignant to benign')
    """

    share: float = 1.0

    def __post_init__(self) -> None:
        check_range("change/swapped_labels.share", self.share, 0.0, 1.0, open_low=True)

    def apply(self, stream: Stream, moved: np.ndarray, rng: np.random.Generator) -> Changed:
        """Swap the labels of the moved rows."""
        hit = moved & (rng.random(len(moved)) < self.share)
        y = np.where(hit, (stream.y + 1) % stream.n_classes, stream.y)
        names = stream.classes
        pairs = ", ".join(f"{a} to {b}" for a, b in zip(names, (*names[1:], names[0]), strict=True))
        return Changed(X=stream.X, y=y, g=stream.g, magnitude=self.share, detail=f"labels swapped: {pairs}")
