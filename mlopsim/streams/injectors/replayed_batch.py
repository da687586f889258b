"""Windows that come again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from mlopsim.core.registry import register
from mlopsim.core.spec import check_range
from mlopsim.streams.injectors.base import Aim, Corrupted, Injector
from mlopsim.streams.stream import Stream


@register("injector", "replayed_batch", version=2)
@dataclass(kw_only=True)
class ReplayedBatch(Injector):
    r"""A whole window is that of some windows before, labels and groups included: a job that ran on old data.

    Rows are repeated from the front where the window is longer than the old one. A rate is the probability
    that a window is hit.

    With first row :math:`a_t` of window t and n rows in the old one, :math:`o = \max(t - \mathrm{lag}, 0)`:
    :math:`(x, y)_{a_t + i} \leftarrow (x, y)_{a_o + (i \bmod n)}`.

    Parameters
    ----------
    lag : int, default 1
        Windows between the old one and the one that it replaces. It is the clean old one that comes again.

    Notes
    -----
    It stands for a job that ran on old data; the gate ``repeated`` is made for it.

    Examples
    --------
    >>> from mlopsim import make
    >>> source = make("stream", "corrupted", base={"bundled": {"dataset": "wine"}}, rate=1.0,
    ...               injector="replayed_batch", timing={"burst": {"at": 10, "length": 1}})
    >>> stream = source.generate(np.random.SeedSequence(0))
    >>> bool((stream.X[100:110] == stream.X[90:100]).all())
    True
    """

    whole_windows: ClassVar[bool] = True

    lag: int = 1

    def __post_init__(self) -> None:
        check_range("injector/replayed_batch.lag", self.lag, 1, 10**6)

    def apply(self, stream: Stream, aim: Aim) -> Corrupted:
        """Put old windows in the place of those that are hit."""
        source = np.arange(len(stream.y))
        rows = np.zeros(len(stream.y), dtype=np.bool_)
        for t in aim.windows():
            old = max(int(t) - self.lag, 0)
            start, stop = int(stream.bounds[old]), int(stream.bounds[old + 1])
            place = np.arange(stream.bounds[t], stream.bounds[t + 1])
            source[place] = start + np.arange(len(place)) % (stop - start)
            rows[place] = True
        return Corrupted.of(stream, stream.X[source], stream.y[source], rows, source=source)
