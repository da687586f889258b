"""The size of a synthetic stream, and seeds for its parts."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mlopsim.core.errors import ConfigError
from mlopsim.core.spec import check_range


@dataclass(frozen=True, kw_only=True)
class Layout:
    """Equal windows: how many, how long, and how many of them are history.

    Parameters
    ----------
    windows : int
        Number of windows T, at least 2.
    rows : int
        Rows a window.
    warmup : int
        Windows of history, 1..T-1: nothing changes during them.

    Examples
    --------
    >>> layout = Layout(windows=5, rows=10, warmup=2)
    >>> layout.n, layout.first
    (50, 20)
    """

    windows: int
    rows: int
    warmup: int

    def __post_init__(self) -> None:
        check_range("windows", self.windows, 2, 10**7)
        check_range("rows", self.rows, 1, 10**8)
        check_range("warmup", self.warmup, 1, self.windows - 1)
        if self.n > 2 * 10**9:
            raise ConfigError(f"{self.n} rows are too many", remedy="use fewer windows or rows a window")

    @property
    def n(self) -> int:
        """Number of rows."""
        return self.windows * self.rows

    @property
    def first(self) -> int:
        """First row of the deployment: the first that may follow another law."""
        return self.warmup * self.rows

    @property
    def bounds(self) -> np.ndarray:
        """Window bounds, int64 of shape (T + 1,)."""
        return np.arange(self.windows + 1, dtype=np.int64) * self.rows

    def ramp(self, start: int, end: int) -> np.ndarray:
        """Return how far a change from ``start`` to ``end`` has come at each row, float64 of shape (n,).

        0 before ``start``, 1 from ``end`` on, linear between (row ``start`` has already moved a little).

        Examples
        --------
        >>> Layout(windows=4, rows=2, warmup=1).ramp(3, 6).round(2).tolist()
        [0.0, 0.0, 0.0, 0.25, 0.5, 0.75, 1.0, 1.0]
        """
        row = np.arange(self.n, dtype=np.float64)
        return np.clip((row - start + 1.0) / (end - start + 1.0), 0.0, 1.0)


def branch(seed: np.random.SeedSequence, *key: int) -> np.random.SeedSequence:
    """Return a child seed by number; unlike ``spawn`` it does not depend on what was spawned before.

    Examples
    --------
    >>> root = np.random.SeedSequence(1)
    >>> branch(root, 2).spawn_key
    (2,)
    """
    return np.random.SeedSequence(seed.entropy, spawn_key=(*seed.spawn_key, *key), pool_size=seed.pool_size)
