"""Deployments side by side for stable-baselines3, at prices; imports it, so only training imports this."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Protocol

import gymnasium
import numpy as np
from stable_baselines3.common.vec_env import VecEnv

from mlopsim.governance.agents.arena import Lanes


class Pricing(Protocol):
    """Which prices hold in the episodes, and whether a policy sees them."""

    def begin(self, rows: np.ndarray, context: np.ndarray) -> None:
        """Episodes of these environments (R,) begin, in these contexts (R,)."""
        ...

    def prices(self, context: np.ndarray) -> np.ndarray:
        """Return the prices of every environment's episode now, float64 of shape (N, C)."""
        ...

    def seen(self) -> np.ndarray:
        """Return what a policy sees of them, float64 of shape (N, 0) or (N, C)."""
        ...


class Ended:
    """Costs, returns and lengths of the episodes that ended since it was last asked.

    Parameters
    ----------
    n, contexts, constraints : int
        Environments, contexts, constraints.
    """

    def __init__(self, n: int, contexts: int, constraints: int) -> None:
        self.shape = (contexts, constraints)
        self._cost, self._return = np.zeros((n, constraints)), np.zeros(n)
        self._length = np.zeros(n, dtype=np.int64)
        self.clear()

    def clear(self) -> None:
        """Forget the episodes that ended."""
        self.costs, self.returns = np.zeros(self.shape), np.zeros(self.shape[0])
        self.windows = np.zeros(self.shape[0], dtype=np.int64)
        self.episodes = 0

    def begin(self) -> None:
        """Begin all episodes."""
        self._cost[:], self._return[:], self._length[:] = 0.0, 0.0, 0

    def add(self, reward: np.ndarray, cost: np.ndarray, ended: np.ndarray, context: np.ndarray) -> None:
        """Take one window of every environment."""
        self._cost += cost
        self._return += reward
        self._length += 1
        for i in np.flatnonzero(ended):
            self.costs[context[i]] += self._cost[i]
            self.returns[context[i]] += self._return[i]
            self.windows[context[i]] += self._length[i]
            self._cost[i], self._return[i], self._length[i] = 0.0, 0.0, 0
            self.episodes += 1

    def mean_costs(self) -> np.ndarray:
        """Return the mean cost of a window, (contexts, constraints); NaN where no episode ended."""
        none = self.windows == 0
        means: np.ndarray = self.costs / np.where(none, 1, self.windows)[:, None]
        means[none] = np.nan
        return means


class PricedVecEnv(VecEnv):  # type: ignore[misc]
    """The reward is ``scale (r - sum of price x cost) / (1 + sum of prices)``, both less their baselines.

    So the reward stays in its range at any price (Tessler, Mankowitz and Mannor 2019, arXiv:1805.11074).

    Parameters
    ----------
    lanes : Lanes
        The deployments.
    columns : ndarray of int64, shape (G,)
        Columns of the observation that a policy sees; what it sees of the prices comes behind them.
    pricing : Pricing
        The prices.
    contexts : int
        Number of contexts.
    scale : float
        Factor of the reward.
    transform : callable
        From (N, G + ...) as it is to what the network gets, float32.
    actions : int
        Number of actions.
    seed : int
        Of the first reset.
    """

    def __init__(
        self,
        lanes: Lanes,
        columns: np.ndarray,
        pricing: Pricing,
        contexts: int,
        constraints: int,
        scale: float,
        transform: Callable[[np.ndarray], np.ndarray],
        actions: int,
        seed: int,
    ) -> None:
        self.lanes, self.columns, self.pricing = lanes, columns, pricing
        self.scale, self.transform = scale, transform
        self.ended = Ended(lanes.num_envs, contexts, constraints)
        self._seed = seed
        self._actions = np.zeros(lanes.num_envs, dtype=np.int64)
        self._rows = np.arange(lanes.num_envs)
        self.pricing.begin(self._rows, np.zeros(lanes.num_envs, dtype=np.int64))
        width = len(columns) + self.pricing.seen().shape[1]
        space = gymnasium.spaces.Box(-np.inf, np.inf, shape=(width,), dtype=np.float32)
        super().__init__(lanes.num_envs, space, gymnasium.spaces.Discrete(actions))

    def reset(self) -> np.ndarray:
        """Begin all episodes."""
        obs = self.lanes.reset(self._seed)
        self.pricing.begin(self._rows, self.lanes.context)
        self.ended.begin()
        return self._shown(obs)

    def _shown(self, obs: np.ndarray) -> np.ndarray:
        return self.transform(np.concatenate([obs[:, self.columns], self.pricing.seen()], axis=1))

    def step_async(self, actions: np.ndarray) -> None:
        """Keep the actions for :meth:`step_wait`."""
        self._actions = actions

    def step_wait(self) -> tuple[np.ndarray, np.ndarray, np.ndarray, list[dict[str, Any]]]:
        """Serve one window everywhere."""
        # the episode that this window belongs to
        context = self.lanes.context.copy()
        found = self.lanes.step(self._actions)
        prices = self.pricing.prices(context)
        charged = (prices * (found.cost - found.cost_baseline)).sum(axis=1)
        reward = (found.reward - found.reward_baseline - charged) / (1.0 + prices.sum(axis=1))
        self.ended.add(found.reward, found.cost, found.ended, context)
        infos: list[dict[str, Any]] = [{} for _ in range(self.num_envs)]
        rows = np.flatnonzero(found.ended)
        if len(rows):
            last = self._shown(found.last_obs)
            for i in rows:
                infos[i] = {"terminal_observation": last[i], "TimeLimit.truncated": True}
            self.pricing.begin(rows, self.lanes.context[rows])
        return self._shown(found.obs), (reward * self.scale).astype(np.float32), found.ended, infos

    def close(self) -> None:
        """Nothing to free."""

    def get_attr(self, attr_name: str, indices: Any = None) -> list[Any]:
        """Return an attribute of the environments, which all share it."""
        value: Any = None if attr_name == "render_mode" else getattr(self.lanes, attr_name)
        return [value for _ in self._get_indices(indices)]

    def set_attr(self, attr_name: str, value: Any, indices: Any = None) -> None:
        """Refused: nothing here is set from outside."""
        raise AttributeError(f"{attr_name} cannot be set")

    def env_method(
        self, method_name: str, *method_args: Any, indices: Any = None, **method_kwargs: Any
    ) -> Any:
        """Call ``action_masks``: bool array (N, A); other methods have no per-environment form."""
        if method_name != "action_masks":
            raise AttributeError(f"there is no method {method_name} for one of many")
        masks = self.lanes.action_masks()
        return masks if indices is None else masks[list(self._get_indices(indices))]

    def env_is_wrapped(self, wrapper_class: Any, indices: Any = None) -> list[bool]:
        """No environment is wrapped."""
        which: Iterable[int] = self._get_indices(indices)
        return [False for _ in which]
