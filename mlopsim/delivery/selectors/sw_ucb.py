"""A sliding-window bandit over the versions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from mlopsim.core.registry import register
from mlopsim.core.spec import check_range
from mlopsim.delivery.search_space import Choice, Range
from mlopsim.delivery.selector import View
from mlopsim.delivery.selectors._bandit import Arms


@register("selector", "sw_ucb")
@dataclass(kw_only=True)
class SwUcb(Arms):
    r"""Sliding-window UCB over the versions in the registry and "a new one".

    The index of an arm with mean :math:`\bar a` and weight w over the last n windows, at most ``window``, is

    .. math:: \bar a + \mathrm{explore} \sqrt{\log(1 + n) / w}

    Other than in the paper, the mean is shrunk by a prior, so that an arm without evidence has a finite
    index.

    Parameters
    ----------
    window : int, default 40
        Known windows that count.
    explore : float, default 0.03
        Size of the bonus, in accuracy.
    block, payoff, young, prior
        Windows between changes; over which costs are spread; first ones of a version that are
        evidence on new versions; weight of the mean over everything.

    Notes
    -----
    Use it where versions must be tried to be known and what is older than ``window`` no longer holds.

    References
    ----------
    .. [1] A. Garivier and E. Moulines, "On upper-confidence bound policies for switching bandit problems",
       ALT, 2011, 174-188. doi:10.1007/978-3-642-24412-4_16

    Examples
    --------
    >>> from mlopsim.checks.toy_deployment import play
    >>> cheap = {"retrain_cost": 0.02, "switch_cost": 0.005}
    >>> play(SwUcb(block=2), 12, error=lambda version, t: 0.5 if version < 5 <= t else 0.1, **cheap)
    'kkkRkk1kkkkk'
    """

    window: int = 40
    explore: float = 0.03

    space: ClassVar[dict[str, Choice]] = {
        "window": Range(3, 120, log=True, integer=True),
        "explore": Range(0.0005, 0.5, log=True),
        "block": Range(1, 30, log=True, integer=True),
        "payoff": Range(1.0, 100.0, log=True),
        "young": Range(1, 10, integer=True),
        "prior": Range(0.05, 10.0, log=True),
    }

    def __post_init__(self) -> None:
        super().__post_init__()
        check_range("selector/sw_ucb.window", self.window, 1, 1_000_000)
        check_range("selector/sw_ucb.explore", self.explore, 0.0, 1e6)

    def forget(self, known: int) -> None:
        """Take away what leaves the window."""
        if known >= self.window:
            self.add(known - self.window, -1.0)

    def index(self, view: View, mean: np.ndarray, weight: np.ndarray) -> np.ndarray:
        """Add the bonus."""
        count = min(self.window, max(self.step - self.delay, 1))
        return np.asarray(mean + self.explore * np.sqrt(np.log(1.0 + count) / weight))
