"""The delivery environment for stable-baselines3."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from mlopsim.core.errors import MissingExtraError
from mlopsim.core.spec import Spec

if TYPE_CHECKING:
    from mlopsim.delivery.pool import WorldPool


def make_sb3_vec_env(
    pool: WorldPool,
    deployment: Spec,
    n_envs: int,
    seed: int,
    *,
    centre: bool = False,
    scale: float = 1.0,
    stagger: bool = False,
    monitor: bool = True,
    blocked: np.ndarray | None = None,
) -> Any:
    """Return N delivery environments as one ``VecEnv``, with masks for ``MaskablePPO``.

    Parameters
    ----------
    pool : WorldPool
        Scenarios; each episode draws one.
    deployment : spec
        The deployment.
    n_envs : int
        Number of environments N.
    seed : int
        Seed of the scenario draws.
    centre : bool, default False
        For training: subtract from each reward the mean reward over the versions that could serve in
        that window, which no action changes (a control variate).
    scale : float, default 1.0
        For training: factor of the reward, after centring.
    stagger : bool, default False
        For training: spread the environments over the times of an episode by cutting their first ones.
    monitor : bool, default True
        Whether to wrap it in ``VecMonitor`` (episode returns there are of the reward as trained on).
    blocked : ndarray of bool, shape (M, T), optional
        Versions that a gate blocks on arrival.

    Returns
    -------
    stable_baselines3.common.vec_env.VecEnv
        Rewards are float32. Where an episode ended the info holds ``terminal_observation``,
        ``TimeLimit.truncated``, ``scenario``, and ``return_``: the plain sum of rewards, not centred, not
        scaled. ``env_method("action_masks")`` is a bool array (N, K + 2).

    Raises
    ------
    MissingExtraError
        If stable-baselines3 is not installed.
    """
    try:
        from stable_baselines3.common.vec_env import VecMonitor
    except ImportError as error:
        raise MissingExtraError("training with stable-baselines3", "rl") from error
    from mlopsim.delivery._sb3_env import DeliveryVecEnv
    from mlopsim.delivery.vector import DeliveryVectorEnv

    core = DeliveryVectorEnv(
        n_envs, deployment=deployment, pool=pool, centre=centre, stagger=stagger, blocked=blocked
    )
    env = DeliveryVecEnv(core, scale=scale)
    env.seed(seed)
    return VecMonitor(env) if monitor else env
