"""Concepts whose end becomes likelier, or less likely, with age."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from mlopsim.core.registry import register
from mlopsim.core.spec import check_range
from mlopsim.streams.durations.base import Duration


@register("duration", "weibull")
@dataclass(kw_only=True)
class Weibull(Duration):
    r"""Weibull law: the hazard rises for shape > 1, falls for shape < 1, is constant for 1.

    .. math::

        P(D > t) = \exp\left(-(t / \lambda)^{\mathrm{shape}}\right), \qquad
        \lambda = \frac{\mathrm{mean}}{\Gamma(1 + 1 / \mathrm{shape})}

    Parameters
    ----------
    mean : float, default 25.0
        Mean duration in windows.
    shape : float, default 2.0
        Shape, 0.1..50.

    Notes
    -----
    Use it where changes come at about equal distances (shape above 1) or in clusters (below 1).

    References
    ----------
    .. [1] W. Weibull, "A statistical distribution function of wide applicability", Journal of Applied
       Mechanics 18, 1951, 293-297. doi:10.1115/1.4010337

    Examples
    --------
    >>> draws = Weibull(mean=20, shape=0.7).draw(200_000, np.random.default_rng(1))
    >>> bool(abs(draws.mean() - 20) < 0.3)
    True
    """

    shape: float = 2.0

    def __post_init__(self) -> None:
        check_range("weibull.mean", self.mean, 0.0, 1e7, open_low=True)
        check_range("weibull.shape", self.shape, 0.1, 50.0)

    def draw(self, size: int, rng: np.random.Generator) -> np.ndarray:
        """Draw durations in windows, float64 of shape (size,)."""
        scale = self.mean / math.gamma(1.0 + 1.0 / self.shape)
        return scale * rng.weibull(self.shape, size=size)
