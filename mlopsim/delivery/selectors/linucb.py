"""A contextual bandit over the versions."""

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

#: one, input shift x 5, age in tens of windows, accuracy so far
CONTEXT = 4


@register("selector", "linucb")
@dataclass(kw_only=True)
class LinUcb(Arms):
    r"""LinUCB with one model for all arms over the versions in the registry and "a new one".

    The index of an arm with context x is

    .. math::

        \theta^\top x + \mathrm{explore} \sqrt{x^\top A^{-1} x}, \qquad
        A = \mathrm{ridge} \cdot I + \sum_s \mathrm{discount}^{t - s} x_s x_s^\top

    The context x of a version is (1, its input shift x 5, its age / 10, its accuracy so far as in the other
    bandits); the reward is the accuracy of a window that it served. The ridge prior believes that accuracy
    stays; old evidence is discounted.

    Parameters
    ----------
    explore : float, default 0.03
        Size of the bonus, in accuracy.
    ridge : float, default 1.0
        Weight of the prior.
    discount : float, default 0.97
        Factor on old evidence per window.
    block, payoff, young, prior
        Windows between changes; over which costs are spread; first ones of a version that are
        evidence on new versions; weight of the mean over everything.

    Notes
    -----
    Use it where versions must be tried to be known (``feedback=deployed``); not for few windows: each trial
    is a window that is served.

    References
    ----------
    .. [1] L. Li, W. Chu, J. Langford and R. E. Schapire, "A contextual-bandit approach to personalized news
       article recommendation", WWW, 2010, 661-670. doi:10.1145/1772690.1772758

    Examples
    --------
    >>> from mlopsim.checks.toy_deployment import play
    >>> play(LinUcb(block=2), 12, error=lambda version, t: 0.5 if version < 5 <= t else 0.1)
    'kkkkkRkkRkkR'
    """

    explore: float = 0.03
    ridge: float = 1.0
    discount: float = 0.97

    space: ClassVar[dict[str, Choice]] = {
        "explore": Range(0.0005, 0.5, log=True),
        "ridge": Range(0.01, 30.0, log=True),
        "discount": Range(0.7, 1.0),
        "block": Range(1, 30, log=True, integer=True),
        "payoff": Range(1.0, 100.0, log=True),
        "young": Range(1, 10, integer=True),
        "prior": Range(0.05, 10.0, log=True),
    }
    reads: ClassVar[str] = "errors and inputs"

    def __post_init__(self) -> None:
        super().__post_init__()
        check_range("selector/linucb.explore", self.explore, 0.0, 1e6)
        check_range("selector/linucb.ridge", self.ridge, 0.0, 1e9, open_low=True)
        check_range("selector/linucb.discount", self.discount, 0.0, 1.0, open_low=True)

    def begin(self, seeds: Sequence[np.random.SeedSequence]) -> None:
        """Start from the prior."""
        self._gram = np.zeros((self.n, CONTEXT, CONTEXT))
        self._moment = np.zeros((self.n, CONTEXT))
        self._contexts = np.zeros((self.n, self.interface.horizon + 1, CONTEXT))

    def forget(self, known: int) -> None:
        """Discount, then learn from the window that became known."""
        self.weight *= self.discount
        self.total *= self.discount
        if known < self.step:
            self._learn(self._contexts[:, known], known)

    def _learn(self, x: np.ndarray, known: int) -> None:
        seen = (self.rows[:, known] > 0) & (known > 0)
        x = np.where(seen[:, None], x, 0.0)
        reward = np.where(seen, 1.0 - self.rate[:, known], 0.0)
        self._gram = self.discount * self._gram + x[:, :, None] * x[:, None, :]
        self._moment = self.discount * self._moment + reward[:, None] * x

    def index(self, view: View, mean: np.ndarray, weight: np.ndarray) -> np.ndarray:
        """Predict and add the bonus."""
        setting = self.interface.deployment
        contexts = np.ones((self.n, self.interface.slots + 1, CONTEXT))
        contexts[:, :-1, 1] = 5.0 * view.slots("ks")
        contexts[:, -1, 1] = 5.0 * view["newest_ks"]
        contexts[:, :-1, 2] = view.slots("age")
        contexts[:, -1, 2] = (self.delay + setting.latency + 1) / 10.0
        contexts[:, :, 3] = mean
        self._contexts[:, self.step] = contexts[self.walk, view.serving]
        if self.delay == 0:
            # the context of a window is only complete here
            self._learn(self._contexts[:, self.step], self.step)
        gram = self._gram + self.ridge * np.eye(CONTEXT)
        moment = self._moment.copy()
        moment[:, 3] += self.ridge
        inverse = np.linalg.inv(gram)
        value = np.zeros(mean.shape)
        spread = np.zeros(mean.shape)
        # sums term by term: a product of matrices may round differently for other numbers of roll-outs
        for a in range(CONTEXT):
            theta = np.zeros(self.n)
            for b in range(CONTEXT):
                theta += inverse[:, a, b] * moment[:, b]
                spread += contexts[:, :, a] * inverse[:, a, b][:, None] * contexts[:, :, b]
            value += contexts[:, :, a] * theta[:, None]
        return np.asarray(value + self.explore * np.sqrt(np.maximum(spread, 0.0)))
