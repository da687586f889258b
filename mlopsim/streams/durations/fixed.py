"""Concepts that all last equally long."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mlopsim.core.registry import register
from mlopsim.streams.durations.base import Duration


@register("duration", "fixed")
@dataclass(kw_only=True)
class Fixed(Duration):
    r"""Every concept lasts ``mean`` windows.

    :math:`D = \mathrm{mean}`.

    Parameters
    ----------
    mean : float, default 25.0
        The duration in windows.

    Notes
    -----
    Use it for tests; a period that is tuned to it looks better than it is.

    Examples
    --------
    >>> Fixed(mean=10).draw(3, np.random.default_rng(1))
    array([10., 10., 10.])
    """

    def draw(self, size: int, rng: np.random.Generator) -> np.ndarray:
        """Draw durations in windows, float64 of shape (size,)."""
        return np.full(size, float(self.mean))
