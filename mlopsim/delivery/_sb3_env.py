"""The ``VecEnv`` itself; imports stable-baselines3, so it is imported by :mod:`mlopsim.delivery.sb3` only."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from stable_baselines3.common.vec_env import VecEnv

from mlopsim.core.errors import ConfigError
from mlopsim.delivery.env_arguments import check_options
from mlopsim.delivery.vector import DeliveryVectorEnv


class DeliveryVecEnv(VecEnv):  # type: ignore[misc]
    """A :class:`DeliveryVectorEnv` behind the interface of stable-baselines3."""

    def __init__(self, core: DeliveryVectorEnv, scale: float = 1.0) -> None:
        self.core = core
        self.scale = scale
        self._actions = np.zeros(core.num_envs, dtype=np.int64)
        self._returns = np.zeros(core.num_envs)
        self._scenario = np.zeros(core.num_envs, dtype=np.int64)
        super().__init__(core.num_envs, core.single_observation_space, core.single_action_space)

    def reset(self) -> np.ndarray:
        """Start all episodes; the seed of ``seed()`` and the options of ``set_options()`` are used once."""
        obs, info = self.core.reset(seed=self._seeds[0], options=self._asked())
        self._reset_seeds()
        self._reset_options()
        self._returns[:] = 0.0
        self._scenario = info["scenario"]
        self.reset_infos = [{"scenario": int(scenario)} for scenario in self._scenario]
        return obs

    def _asked(self) -> dict[str, Any] | None:
        """Return the options of all environments as the vector environment takes them."""
        given: Any = self._options
        if not isinstance(given, list) or len(given) != self.num_envs:
            raise ConfigError(
                f"options must be one dictionary, or a list of {self.num_envs}", remedy="set_options({...})"
            )
        found = [check_options(options, ("scenario",)) for options in given]
        if not any(found):
            return None
        if not all(found):
            raise ConfigError("only some environments are told their scenario", remedy="tell all, or none")
        return {"scenario": [options["scenario"] for options in found]}

    def step_async(self, actions: np.ndarray) -> None:
        """Keep the actions for :meth:`step_wait`."""
        self._actions = actions

    def step_wait(self) -> tuple[np.ndarray, np.ndarray, np.ndarray, list[dict[str, Any]]]:
        """Serve one window everywhere."""
        obs, rewards, _, done, info = self.core.step(self._actions)
        self._returns += self.core.engine.reward
        infos: list[dict[str, Any]] = [{} for _ in range(self.num_envs)]
        if "final_obs" in info:
            for i in np.flatnonzero(done):
                infos[i] = {
                    "terminal_observation": info["final_obs"][i],
                    "TimeLimit.truncated": True,
                    "scenario": int(self._scenario[i]),
                    "return_": float(self._returns[i]),
                }
            self._returns[done] = 0.0
            self._scenario = np.where(done, info["scenario"], self._scenario)
        return obs, (rewards * self.scale).astype(np.float32), done, infos

    def close(self) -> None:
        """Nothing to free."""

    def get_attr(self, attr_name: str, indices: Any = None) -> list[Any]:
        """Return an attribute of the environments, which all share it."""
        if attr_name == "render_mode":
            value: Any = None
        else:
            value = getattr(self.core, attr_name)
        return [value for _ in self._get_indices(indices)]

    def set_attr(self, attr_name: str, value: Any, indices: Any = None) -> None:
        """Set an attribute of all environments at once; a part of them has none of its own."""
        if indices is not None and len(list(self._get_indices(indices))) != self.num_envs:
            raise ValueError("the environments share their attributes: set them for all")
        setattr(self.core, attr_name, value)

    def env_method(
        self, method_name: str, *method_args: Any, indices: Any = None, **method_kwargs: Any
    ) -> Any:
        """Call ``action_masks``: bool array (N, K + 2); other methods have no per-environment form."""
        if method_name != "action_masks":
            raise AttributeError(f"the delivery environment has no method {method_name} for one of many")
        masks = self.core.action_masks()
        return masks if indices is None else masks[list(self._get_indices(indices))]

    def env_is_wrapped(self, wrapper_class: Any, indices: Any = None) -> list[bool]:
        """No environment is wrapped."""
        which: Iterable[int] = self._get_indices(indices)
        return [False for _ in which]
