"""The ratchet: every release loses a little, less than a relative gate or a re-based chart can see."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

import numpy as np

from mlopsim.core.errors import ConfigError
from mlopsim.core.spec import check_range


@dataclass(frozen=True, kw_only=True)
class Ratchet:
    """Releases 0, 1, 2, ... whose true accuracy falls by ``delta`` each; the truth is exact.

    Numbers are decimal as they are written: .9 - 5 x .02 is .8, not a little more or less.

    Parameters
    ----------
    q0 : float
        Accuracy of release 0.
    delta : float
        Loss a release, above 0.
    floor : float
        Lowest accuracy allowed, at most q0.
    releases : int
        How many there are after release 0.
    windows : int
        Windows that each serves.
    rows : int
        Rows of a window.

    Examples
    --------
    >>> ratchet = Ratchet(q0=0.9, delta=0.02, floor=0.8, releases=8, windows=5, rows=500)
    >>> ratchet.found, ratchet.levels[[4, 5, 6]].round(3), ratchet.relative(margin=0.02)
    (6, array([0.82, 0.8 , 0.78]), None)
    """

    q0: float
    delta: float
    floor: float
    releases: int
    windows: int
    rows: int

    def __post_init__(self) -> None:
        check_range("ratchet.q0", self.q0, 0.0, 1.0)
        check_range("ratchet.delta", self.delta, 0.0, 1.0, open_low=True)
        check_range("ratchet.floor", self.floor, 0.0, self.q0)
        check_range("ratchet.releases", self.releases, 0, 10**6)
        check_range("ratchet.windows", self.windows, 1, 10**6)
        check_range("ratchet.rows", self.rows, 1, 10**9)
        if self._level(self.releases) < 0:
            raise ConfigError(
                f"accuracy would fall below 0 by release {self.releases}", remedy="fewer releases"
            )

    def _level(self, release: int) -> Fraction:
        return _exact(self.q0) - release * _exact(self.delta)

    @property
    def levels(self) -> np.ndarray:
        """True accuracy of each release, float64 (releases + 1,)."""
        return np.array([float(self._level(release)) for release in range(self.releases + 1)])

    @property
    def found(self) -> int | None:
        """The first release below the floor: ``floor((q0 - floor) / delta) + 1``; None: none of these."""
        first = (_exact(self.q0) - _exact(self.floor)) // _exact(self.delta) + 1
        return int(first) if first <= self.releases else None

    def relative(self, margin: float) -> int | None:
        """Return the first release that loses more than a margin to the one before; None: none ever."""
        return 1 if self.releases and _exact(self.delta) > _exact(margin) else None

    @property
    def versions(self) -> np.ndarray:
        """What serves each window, int64 (T,)."""
        return np.repeat(np.arange(self.releases + 1), self.windows)

    def draw(self, deployments: int, rng: np.random.Generator) -> np.ndarray:
        """Return counts of one group, half of whose rows are positive, int64 (N, T, 1, 2, 2)."""
        level = self.levels[self.versions][:, None]
        cells = np.concatenate([level, 1.0 - level, 1.0 - level, level], axis=1) / 2.0
        shape = (deployments, len(cells))
        found: np.ndarray = rng.multinomial(np.full(shape, self.rows), cells)
        return found.astype(np.int64).reshape(*shape, 1, 2, 2)


def _exact(number: float) -> Fraction:
    """Return a decimal number as it is written."""
    return Fraction(Decimal(repr(float(number))))
