"""The contract of timings: when errors happen."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from mlopsim.core.errors import ConfigError
from mlopsim.core.spec import check_range


@dataclass(kw_only=True)
class Timing:
    """Base of all timings (kind ``timing``).

    Parameters
    ----------
    at : int, default 20
        Window in which errors begin, after the warm-up.
    """

    full_name: ClassVar[str]

    at: int = 20

    def __post_init__(self) -> None:
        check_range(f"{self.full_name}.at", self.at, 1, 10**7)

    def strength(self, windows: int, warmup: int) -> np.ndarray:
        """Return the share of the asked rate in each window, from 0 to 1; 0 before ``at``.

        Parameters
        ----------
        windows, warmup : int
            Of the stream.

        Returns
        -------
        ndarray of float64, shape (windows,)

        Raises
        ------
        ConfigError
            If errors begin in the warm-up or after the end.
        """
        if not warmup <= self.at < windows:
            raise ConfigError(
                f"{self.full_name}: errors begin in window {self.at}, the stream has {windows} windows of "
                f"which {warmup} are warm-up",
                remedy=f"at: {warmup}..{windows - 1}",
            )
        found = np.zeros(windows)
        found[self.at :] = self.course(np.arange(windows - self.at))
        return found

    def course(self, since: np.ndarray) -> np.ndarray:
        """Return the share of the rate at so many windows (k,) since errors began."""
        raise NotImplementedError
