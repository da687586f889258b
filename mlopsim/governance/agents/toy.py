"""A constrained problem with one state and a closed form, to try methods on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from mlopsim.core.spec import check_range
from mlopsim.delivery.deployments.standard import Standard
from mlopsim.delivery.selector import Interface, View
from mlopsim.governance.agents.arena import Step

#: arm A: reward 1, cost 1; arm B: nothing
A, B = 0, 1
COLUMNS = ("one", "cost_toy_last", "cost_toy_limit")


@dataclass(kw_only=True)
class OneState:
    """Arm A brings 1 and costs 1, arm B neither; at most ``limit`` may be spent a window.

    The optimum plays A with probability ``limit``, earns ``limit``, and its price is exactly 1. Every policy
    that plays one arm alone misses it: the optimum is stochastic.

    Parameters
    ----------
    limit : float, default 0.3
        Mean cost of a window that is allowed.
    horizon : int, default 8
        Windows of an episode.
    validation : int, default 1000
        Number of deployments for the choice.

    Examples
    --------
    >>> toy = OneState()
    >>> lanes = toy.lanes(2, stagger=False)
    >>> lanes.reset(0).shape
    (2, 3)
    >>> lanes.step(np.array([A, B])).cost.ravel()
    array([1., 0.])
    """

    limit: float = 0.3
    horizon: int = 8
    validation: int = 1000
    names: tuple[str, ...] = field(default=COLUMNS, init=False)
    #: one state: a policy is not told what it did
    reads: tuple[str, ...] = field(default=COLUMNS[:1], init=False)
    actions: int = field(default=2, init=False)
    constraints: tuple[str, ...] = field(default=("toy",), init=False)

    def __post_init__(self) -> None:
        check_range("toy.limit", self.limit, 0.0, 1.0)
        check_range("toy.horizon", self.horizon, 1, 10**6)
        check_range("toy.validation", self.validation, 1, 10**6)

    @property
    def limits(self) -> np.ndarray:
        """What is allowed in a window, float64 of shape (1, 1)."""
        return np.array([[self.limit]])

    def lanes(self, n: int, *, stagger: bool) -> ToyLanes:
        """Return n deployments side by side."""
        return ToyLanes(self, n, stagger)

    def judging(self, n: int) -> int:
        """Return the steps of rolling n deployments out."""
        return n * self.horizon

    def interface(self) -> Interface:
        """Return what a selector is told: no slots; of its two actions *keep* is A and *retrain* is B."""
        deployment = Standard(label_delay=0)
        return Interface(names=self.names, slots=0, horizon=self.horizon, deployment=deployment)

    def evaluate(
        self, selector: Any, context: int, which: np.ndarray, seeds: Sequence[np.random.SeedSequence]
    ) -> tuple[np.ndarray, np.ndarray]:
        """Roll a selector out; returns mean reward (n,) and mean cost (n, 1) of a window."""
        n = len(which)
        interface = self.interface()
        selector.reset(n, interface, seeds)
        total, last = np.zeros(n), np.zeros(n)
        for t in range(self.horizon):
            view = View(
                interface=interface,
                t=np.full(n, t, dtype=np.int64),
                obs=observed(last, self.limit),
                mask=np.ones((n, 2), dtype=bool),
                versions=np.zeros((n, 0), dtype=np.int64),
                serving=np.zeros(n, dtype=np.int64),
                errors=np.zeros((n, 0), dtype=np.int8),
            )
            last = (selector.act(view) == A).astype(np.float64)
            total += last
        mean = total / self.horizon
        return mean, mean[:, None]


def observed(last: np.ndarray, limit: float) -> np.ndarray:
    """Return the columns of an observation after windows of these costs (n,), float32 of shape (n, 3)."""
    return np.stack([np.ones(len(last)), last, np.full(len(last), limit)], axis=1).astype(np.float32)


class ToyLanes:
    """N deployments of :class:`OneState` side by side."""

    def __init__(self, toy: OneState, n: int, stagger: bool) -> None:
        self.num_envs = n
        self.context = np.zeros(n, dtype=np.int64)
        self._horizon, self._limit, self._stagger = toy.horizon, toy.limit, stagger
        self._time = np.zeros(n, dtype=np.int64)

    def reset(self, seed: int) -> np.ndarray:
        """Begin all episodes; nothing in it is random."""
        n = self.num_envs
        self._time[:] = (np.arange(n) * self._horizon) // n if self._stagger else 0
        return self._obs(np.zeros(n))

    def step(self, actions: np.ndarray) -> Step:
        """Play an arm everywhere."""
        cost = (np.asarray(actions) == A).astype(np.float64)
        self._time += 1
        ended = self._time >= self._horizon
        self._time[ended] = 0
        last = self._obs(cost)
        zeros = np.zeros(self.num_envs)
        return Step(
            obs=np.where(ended[:, None], self._obs(zeros), last),
            reward=cost.copy(),
            cost=cost[:, None],
            reward_baseline=zeros,
            cost_baseline=zeros[:, None],
            ended=ended,
            last_obs=last,
        )

    def action_masks(self) -> np.ndarray:
        """Both arms can always be played."""
        return np.ones((self.num_envs, 2), dtype=bool)

    def _obs(self, cost: np.ndarray) -> np.ndarray:
        return observed(cost, self._limit)
