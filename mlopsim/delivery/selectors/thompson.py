"""A bandit that samples from forgetting beliefs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from mlopsim.core.registry import register
from mlopsim.core.spec import check_range
from mlopsim.delivery.search_space import Choice, Range
from mlopsim.delivery.selector import View
from mlopsim.delivery.selectors._bandit import Arms
from mlopsim.delivery.selectors.base import generators


@register("selector", "thompson")
@dataclass(kw_only=True)
class Thompson(Arms):
    r"""Discounted Thompson sampling over the versions in the registry and "a new one".

    The index of an arm is drawn from a normal belief on its accuracy, with its discounted mean :math:`\bar a`
    (shrunk by a prior) and weight w:

    .. math:: N\left(\bar a, \mathrm{noise}^2 / w\right)

    Parameters
    ----------
    discount : float, default 0.95
        Factor on old evidence per window.
    noise : float, default 0.03
        Standard deviation of the accuracy of one window.
    block, payoff, young, prior
        Windows between changes; over which costs are spread; first ones of a version that are
        evidence on new versions; weight of the mean over everything.

    Notes
    -----
    Use it where versions must be tried to be known; its tries are by chance, so that two runs differ.

    References
    ----------
    .. [1] V. Raj and S. Kalyani, "Taming non-stationary bandits: a Bayesian approach", 2017. arXiv:1707.09727
    .. [2] W. R. Thompson, "On the likelihood that one unknown probability exceeds another in view of the
       evidence of two samples", Biometrika 25, 1933, 285-294. doi:10.1093/biomet/25.3-4.285

    Examples
    --------
    >>> from mlopsim.checks.toy_deployment import play
    >>> play(Thompson(block=2), 12, error=lambda version, t: 0.5 if version < 5 <= t else 0.1)
    'kkkRkk1kkkk0'
    """

    discount: float = 0.95
    noise: float = 0.03

    space: ClassVar[dict[str, Choice]] = {
        "discount": Range(0.5, 1.0),
        "noise": Range(0.0005, 0.5, log=True),
        "block": Range(1, 30, log=True, integer=True),
        "payoff": Range(1.0, 100.0, log=True),
        "young": Range(1, 10, integer=True),
        "prior": Range(0.05, 10.0, log=True),
    }

    def __post_init__(self) -> None:
        super().__post_init__()
        check_range("selector/thompson.discount", self.discount, 0.0, 1.0, open_low=True)
        check_range("selector/thompson.noise", self.noise, 0.0, 1e6)

    def begin(self, seeds: Sequence[np.random.SeedSequence]) -> None:
        """Draw all normal deviates, one roll-out at a time."""
        shape = (self.interface.horizon + 1, self.interface.slots + 1)
        self._normal = np.stack([rng.standard_normal(shape) for rng in generators(seeds)])

    def forget(self, known: int) -> None:
        """Discount."""
        self.weight *= self.discount
        self.total *= self.discount

    def index(self, view: View, mean: np.ndarray, weight: np.ndarray) -> np.ndarray:
        """Sample from the beliefs."""
        return np.asarray(mean + self.noise / np.sqrt(weight) * self._normal[:, self.step])
