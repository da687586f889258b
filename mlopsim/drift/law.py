"""Laws of independent ticks: what a detector may know beforehand, is calibrated to and simulated with."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from mlopsim.core.errors import ConfigError
from mlopsim.core.spec import check_range


class NoExactLaw(ConfigError):
    """There is no exact law of this run length: whoever asks may simulate it."""


@dataclass(frozen=True, kw_only=True)
class Normal:
    """Independent normal ticks.

    Parameters
    ----------
    mean, sd : float
        Of a tick.

    Examples
    --------
    >>> Normal().shifted(0.5).mean
    0.5
    """

    mean: float = 0.0
    sd: float = 1.0

    def __post_init__(self) -> None:
        check_range("law.mean", self.mean, -1e300, 1e300)
        check_range("law.sd", self.sd, 0.0, 1e300, open_low=True)

    def shifted(self, shift: float) -> Normal:
        """Return the law with the mean moved by ``shift`` standard deviations."""
        return Normal(mean=self.mean + shift * self.sd, sd=self.sd)

    def sample(self, rng: np.random.Generator, shape: int | tuple[int, ...]) -> np.ndarray:
        """Draw ticks, float64."""
        return self.mean + self.sd * rng.standard_normal(shape)


@dataclass(frozen=True, kw_only=True)
class Bernoulli:
    """Independent errors: 1 with probability p, else 0.

    Parameters
    ----------
    p : float
        Probability of an error.

    Examples
    --------
    >>> Bernoulli(p=0.2).sd
    0.4
    """

    p: float = 0.2

    def __post_init__(self) -> None:
        check_range("law.p", self.p, 0.0, 1.0)

    @property
    def mean(self) -> float:
        """Mean of a tick."""
        return self.p

    @property
    def sd(self) -> float:
        """Standard deviation of a tick."""
        return math.sqrt(self.p * (1.0 - self.p))

    def shifted(self, shift: float) -> Bernoulli:
        """Return the law with p moved by ``shift`` (a difference of probabilities)."""
        return Bernoulli(p=self.p + shift)

    def sample(self, rng: np.random.Generator, shape: int | tuple[int, ...]) -> np.ndarray:
        """Draw ticks, float64."""
        return (rng.random(shape) < self.p).astype(np.float64)


Law: TypeAlias = Normal | Bernoulli


def law_of(content: Mapping[str, float]) -> Law:
    """Return a law from its parameters.

    Examples
    --------
    >>> law_of({"p": 0.1})
    Bernoulli(p=0.1)
    """
    return Bernoulli(**content) if "p" in content else Normal(**content)
