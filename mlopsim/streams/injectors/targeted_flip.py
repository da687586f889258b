"""Labels that are wrong where it hurts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from mlopsim.core.errors import ConfigError
from mlopsim.core.registry import register
from mlopsim.core.spec import check_range
from mlopsim.streams.injectors.base import Aim, Corrupted, Injector, location_and_spread
from mlopsim.streams.stream import Stream


@register("injector", "targeted_flip")
@dataclass(kw_only=True)
class TargetedFlip(Injector):
    r"""Rows above a limit in one column get one label: flips that all push the same way.

    The rate is a share of all rows; the rows that are hit lie above the limit and have another label. Where
    they are too few, all of them are hit.

    With the warm-up's mean m and standard deviation s of the column, :math:`y_i \leftarrow \mathrm{label}`
    for rows with :math:`x_i > m + \mathrm{above} \cdot s` and :math:`y_i \ne \mathrm{label}`.

    Parameters
    ----------
    feature : str
        The column; empty: the first numeric one.
    above : float, default 1.0
        Limit, in standard deviations of the warm-up above its mean.
    label : str
        The label that they get; empty: the first class.

    Notes
    -----
    It stands for labels that are wrong by a rule: few flips move a boundary.

    Examples
    --------
    >>> from mlopsim import make
    >>> source = make("stream", "corrupted", base={"synthetic": {"concept": "linear_gaussian"}}, rate=0.05,
    ...               injector="targeted_flip")
    >>> stream = source.generate(np.random.SeedSequence(0))
    >>> set(stream.y[stream.biased].tolist()), float(stream.X[stream.biased, 0].min()) > 0.9
    ({0}, True)
    """

    of_all: ClassVar[bool] = True

    feature: str = ""
    above: float = 1.0
    label: str = ""

    def __post_init__(self) -> None:
        check_range("injector/targeted_flip.above", self.above, -1e6, 1e6)

    def eligible(self, stream: Stream) -> np.ndarray:
        """Return the rows above the limit with another label."""
        column, target = self._column(stream), self._target(stream)
        mean, spread = location_and_spread(stream, column)
        eligible: np.ndarray = (stream.X[:, column] > mean + self.above * spread) & (stream.y != target)
        return eligible

    def apply(self, stream: Stream, aim: Aim) -> Corrupted:
        """Give the rows that are hit the label."""
        rows = aim.rows(stream, self._column(stream), self.eligible(stream), of_all=True)
        y = stream.y.copy()
        y[rows] = self._target(stream)
        return Corrupted.of(stream, stream.X.copy(), y, rows)

    def _column(self, stream: Stream) -> int:
        numeric = [j for j in range(len(stream.features)) if j not in stream.categories]
        names = [stream.features[j] for j in numeric]
        if not names or (self.feature and self.feature not in names):
            raise ConfigError(
                f"injector/targeted_flip.feature: the stream has no numeric column '{self.feature}'",
                remedy=f"it has: {', '.join(names) or 'none'}",
            )
        return numeric[names.index(self.feature)] if self.feature else numeric[0]

    def _target(self, stream: Stream) -> int:
        if self.label and self.label not in stream.classes:
            raise ConfigError(
                f"injector/targeted_flip.label: the stream has no class '{self.label}'",
                remedy=f"it has: {', '.join(stream.classes)}",
            )
        return stream.classes.index(self.label) if self.label else 0
