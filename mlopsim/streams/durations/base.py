"""The contract of duration laws."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mlopsim.core.spec import check_range


@dataclass(kw_only=True)
class Duration:
    """Base of all laws of how long a concept lasts, in windows.

    Parameters
    ----------
    mean : float, default 25.0
        Mean duration in windows, more than 0.
    """

    mean: float = 25.0

    def __post_init__(self) -> None:
        check_range("duration.mean", self.mean, 0.0, 1e7, open_low=True)

    def draw(self, size: int, rng: np.random.Generator) -> np.ndarray:
        """Draw durations in windows, float64 of shape (size,), none negative."""
        raise NotImplementedError
