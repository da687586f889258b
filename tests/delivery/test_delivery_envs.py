"""Gymnasium's and stable-baselines3's own checks, registration, the adapter."""

from __future__ import annotations

import pickle
import subprocess
import sys
import warnings

import gymnasium
import numpy as np
import pytest
from delivery_fakes import fake_pool

from mlopsim.core.errors import ConfigError
from mlopsim.core.spec import make
from mlopsim.delivery.env import DeliveryEnv
from mlopsim.delivery.registration import ENV_ID, register_envs
from mlopsim.delivery.vector import DeliveryVectorEnv

register_envs()
POOL = fake_pool(0, 5, windows=20)
DEPLOYMENT = make("deployment", "standard", latency=1, canary_share=0.4, canary_windows=2)


def test_gymnasium_checker() -> None:
    from gymnasium.utils.env_checker import check_env

    env = gymnasium.make(ENV_ID, pool=POOL, deployment=DEPLOYMENT)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        check_env(env.unwrapped, skip_render_check=True)


def test_stable_baselines_checker() -> None:
    from stable_baselines3.common.env_checker import check_env

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        check_env(DeliveryEnv(pool=POOL, deployment=DEPLOYMENT))


def test_make_and_make_vec() -> None:
    register_envs()
    env = gymnasium.make(ENV_ID, pool=POOL, deployment=DEPLOYMENT)
    obs, info = env.reset(seed=3)
    assert env.observation_space.contains(obs) and 0 <= info["scenario"] < 5
    vec = gymnasium.make_vec(ENV_ID, num_envs=3, pool=POOL, deployment=DEPLOYMENT)
    assert isinstance(vec, DeliveryVectorEnv) and vec.num_envs == 3
    assert vec.metadata["autoreset_mode"] is gymnasium.vector.AutoresetMode.SAME_STEP
    obs, info = vec.reset(seed=3)
    assert vec.observation_space.contains(obs)
    again, _ = vec.reset(seed=3)
    assert (obs == again).all()
    sync = gymnasium.make_vec(ENV_ID, num_envs=2, vectorization_mode="sync", pool=POOL, deployment=DEPLOYMENT)
    assert sync.reset(seed=0)[0].shape == (2, len(vec.feature_names))


def test_an_episode_has_t_minus_w_steps_and_truncates() -> None:
    env = DeliveryEnv(pool=POOL, deployment=DEPLOYMENT)
    with pytest.raises(ConfigError, match="episode is over"):
        env.step(0)
    _, info = env.reset(seed=1)
    total = 0.0
    for s in range(17):
        _, reward, terminated, truncated, info = env.step(0)
        total += reward
        assert not terminated and truncated == (s == 16)
    with pytest.raises(ConfigError, match="episode is over"):
        env.step(0)
    assert set(info) == {"quality", "switch", "retrain", "shadow", "executed", "invalid"}
    with pytest.raises(ConfigError, match="must be a whole number in"):
        DeliveryEnv(pool=POOL, deployment=DEPLOYMENT).step(6)


def test_vector_env_draws_from_a_generator_of_its_own_per_env() -> None:
    small = DeliveryVectorEnv(3, pool=POOL, deployment=DEPLOYMENT)
    large = DeliveryVectorEnv(6, pool=POOL, deployment=DEPLOYMENT)
    drawn = []
    for env in (small, large):
        _, info = env.reset(seed=11)
        seen = [info["scenario"][:3].tolist()]
        for _ in range(3):
            for _ in range(17):
                *_, info = env.step(np.zeros(env.num_envs, dtype=int))
            seen.append(info["scenario"][:3].tolist())
        drawn.append(seen)
    assert drawn[0] == drawn[1]
    with pytest.raises(ConfigError, match="one seed"):
        small.reset(seed=[1, 2, 3])
    with pytest.raises(ConfigError, match="actions must be"):
        small.step(np.array([0, 0, 9]))


def test_returned_arrays_belong_to_the_caller() -> None:
    env = DeliveryVectorEnv(2, pool=POOL, deployment=DEPLOYMENT)
    first, _ = env.reset(seed=0)
    copy = first.copy()
    env.step(np.array([0, 0]))
    assert (first == copy).all()


def test_sb3_adapter_equals_the_vector_env() -> None:
    from stable_baselines3.common.vec_env import VecEnv

    from mlopsim.delivery.sb3 import make_sb3_vec_env

    env = make_sb3_vec_env(POOL, DEPLOYMENT, 4, seed=9, scale=2.0)
    assert isinstance(env, VecEnv)
    twin = DeliveryVectorEnv(4, pool=POOL, deployment=DEPLOYMENT)
    obs = env.reset()
    want, _ = twin.reset(seed=9)
    assert (obs == want).all() and obs.dtype == np.float32
    rng = np.random.default_rng(0)
    total = np.zeros(4)
    for s in range(17):
        masks = env.env_method("action_masks")
        assert isinstance(masks, np.ndarray) and masks.shape == (4, 6)
        assert (masks == twin.action_masks()).all()
        assert (env.env_method("action_masks", indices=[2]) == masks[2:3]).all()
        actions = rng.integers(0, 6, size=4)
        obs, rewards, dones, infos = env.step(actions)
        want, r, _, truncated, info = twin.step(actions)
        total += r
        assert (obs == want).all() and (dones == truncated).all()
        assert rewards.dtype == np.float32 and (rewards == (2 * r).astype(np.float32)).all()
        if s < 16:
            assert infos == [{}] * 4
    for i, one in enumerate(infos):
        assert one["TimeLimit.truncated"] is True
        assert (one["terminal_observation"] == info["final_obs"][i]).all()
        assert one["return_"] == pytest.approx(total[i])
        assert one["episode"]["l"] == 17
    assert env.get_attr("render_mode") == [None] * 4 and env.has_attr("action_masks")
    assert not env.has_attr("no_such_thing") and env.env_is_wrapped(object) == [False] * 4
    env.close()


def test_ppo_and_maskable_ppo_learn_on_it() -> None:
    from sb3_contrib import MaskablePPO
    from stable_baselines3 import PPO

    from mlopsim.delivery.sb3 import make_sb3_vec_env

    env = make_sb3_vec_env(POOL, DEPLOYMENT, 8, seed=0, centre=True, stagger=True)
    for algorithm in (PPO, MaskablePPO):
        model = algorithm("MlpPolicy", env, n_steps=8, batch_size=32, n_epochs=1, seed=0, device="cpu")
        model.learn(128)
        assert model.num_timesteps == 128


def test_a_pool_is_shared_not_copied() -> None:
    env = gymnasium.make(ENV_ID, pool=POOL, deployment=DEPLOYMENT)
    assert env.unwrapped.pool is POOL  # type: ignore[attr-defined]
    assert pickle.loads(pickle.dumps(POOL)).digest() == POOL.digest()


def test_registering_imports_nothing_heavy() -> None:
    code = (
        "import sys; from mlopsim.delivery.registration import register_envs as f; f(); f();"
        "print([m for m in ('numba', 'torch', 'sklearn', 'stable_baselines3') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
