"""Concepts whose end is equally likely in every window."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mlopsim.core.registry import register
from mlopsim.core.spec import check_range
from mlopsim.streams.durations.base import Duration


@register("duration", "geometric")
@dataclass(kw_only=True)
class Geometric(Duration):
    r"""Whole windows with a constant hazard: how long a concept has lasted tells nothing of its end.

    .. math:: P(D = k) = p (1 - p)^{k - 1}, \qquad p = 1 / \mathrm{mean}

    Parameters
    ----------
    mean : float, default 25.0
        Mean duration in windows, at least 1.

    Notes
    -----
    Use it by default: no schedule can know when the next change comes.

    Examples
    --------
    >>> draws = Geometric(mean=20).draw(100_000, np.random.default_rng(1))
    >>> bool(abs(draws.mean() - 20) < 0.3)
    True
    """

    def __post_init__(self) -> None:
        check_range("geometric.mean", self.mean, 1.0, 1e7)

    def draw(self, size: int, rng: np.random.Generator) -> np.ndarray:
        """Draw durations in windows, float64 of shape (size,)."""
        return rng.geometric(1.0 / self.mean, size=size).astype(np.float64)
