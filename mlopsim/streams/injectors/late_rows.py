"""Rows that come late."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mlopsim.core.registry import register
from mlopsim.core.spec import check_range
from mlopsim.streams.injectors.base import Aim, Corrupted, Injector
from mlopsim.streams.stream import Stream


@register("injector", "late_rows", version=2)
@dataclass(kw_only=True)
class LateRows(Injector):
    r"""Rows come some windows late, and those of the past stand in their place.

    In each window the rows that are hit are rows of ``lag`` windows before, drawn by the seed, label and
    group included, in the place of rows that are still on their way. Without drift the law of the rows stays:
    late rows hurt where the world moves.

    In window t, :math:`(x_i, y_i) \leftarrow (x_{s(i)}, y_{s(i)})` with :math:`s(i)` drawn without
    replacement from window :math:`\max(t - \mathrm{lag}, 0)`.

    Parameters
    ----------
    lag : int, default 5
        Windows that they are late.

    Notes
    -----
    It stands for a queue that lags. Without drift it does no harm.

    Examples
    --------
    >>> from mlopsim import make
    >>> source = make("stream", "corrupted", base={"bundled": {"dataset": "wine"}}, rate=0.3,
    ...               injector="late_rows", timing={"step": {"at": 10}})
    >>> stream = source.generate(np.random.SeedSequence(0))
    >>> int(stream.corrupted.any(axis=1).sum())
    21
    """

    lag: int = 5

    def __post_init__(self) -> None:
        check_range("injector/late_rows.lag", self.lag, 1, 10**6)

    def apply(self, stream: Stream, aim: Aim) -> Corrupted:
        """Put rows of the past in the place of those that are hit."""
        rows = aim.rows(stream)
        source = np.arange(len(stream.y))
        for t in range(stream.windows):
            window = np.arange(stream.bounds[t], stream.bounds[t + 1])
            hit = window[rows[window]]
            old = max(t - self.lag, 0)
            past = np.arange(stream.bounds[old], stream.bounds[old + 1])
            # without replacement as long as there are enough: late rows come once
            for start in range(0, len(hit), len(past)):
                late = hit[start : start + len(past)]
                source[late] = aim.rng.permutation(past)[: len(late)]
        return Corrupted.of(stream, stream.X[source], stream.y[source], rows, source=source)
