"""A stream of one's own: `mlopsim bench suite=smoke --plugin stream.py stream=tide`."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

import mlopsim
from mlopsim.streams import DriftEvent, DriftKind, Layout, Stream


@mlopsim.register("stream", "tide")
@dataclass(kw_only=True)
class Tide:
    """What is under water: a level that rises and falls for ever decides the label of a height.

    Parameters
    ----------
    windows, rows, warmup : int
        Number of windows, rows a window, windows of history; nothing changes in these.
    period : float
        Windows from one high tide to the next.
    level : float
        Highest level; heights are standard normal.

    Examples
    --------
    >>> stream = Tide(windows=20, rows=50, warmup=5).generate(np.random.SeedSequence(0))
    >>> stream.X.shape, stream.windows, stream.events[0].start
    ((1000, 2), 20, 250)
    """

    windows: int = 60
    rows: int = 100
    warmup: int = 10
    period: float = 40.0
    level: float = 1.0

    def __post_init__(self) -> None:
        if self.period <= 0.0:
            raise mlopsim.ConfigError(f"tide.period must be above 0, got {self.period}")
        self.layout = Layout(windows=self.windows, rows=self.rows, warmup=self.warmup)

    def generate(self, seed: np.random.SeedSequence) -> Stream:
        """Draw the rows; all that is random hangs on the seed."""
        n, first = self.layout.n, self.layout.first
        X = np.random.default_rng(seed).normal(size=(n, 2))
        since = np.maximum(np.arange(n) - first, 0) / (self.period * self.rows)
        y = (X[:, 0] < self.level * np.sin(2.0 * np.pi * since)).astype(np.int64)
        change = DriftEvent(kind=DriftKind.CONCEPT, start=first, end=n, magnitude=self.level, detail="level")
        return Stream(
            X=X,
            y=y,
            bounds=self.layout.bounds,
            warmup=self.warmup,
            classes=("dry", "wet"),
            features=("height", "nothing"),
            g=np.zeros(n, dtype=np.int64),
            events=(change,),
            true_y=y,
        )
