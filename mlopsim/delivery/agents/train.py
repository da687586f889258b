"""Training with stable-baselines3; what comes out is arrays and JSON only."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, ClassVar, Protocol

import numpy as np

from mlopsim.core.errors import ConfigError, MissingExtraError
from mlopsim.core.seeds import seed_int
from mlopsim.core.threads import one_thread
from mlopsim.core.track import FitResult
from mlopsim.delivery.agents.network import Network
from mlopsim.delivery.pool import WorldPool
from mlopsim.delivery.sb3 import make_sb3_vec_env
from mlopsim.delivery.vector import DeliveryVectorEnv

#: environment steps of the random walk that the scaling of observations is measured on
PILOT_STEPS = 20_000


class Extracted(Protocol):
    """What is known of an agent's policy: its modules, and what stands between its layers."""

    #: ``tanh`` or ``relu``
    activation: ClassVar[str]

    @classmethod
    def modules(cls, policy: Any) -> list[Any]:
        """Return the modules of a policy through which an observation gets to the outputs, in order."""
        ...


class Learning(Protocol):
    """What training reads of an agent: an algorithm of stable-baselines3 with its settings."""

    name: ClassVar[str]
    #: between the layers: ``tanh`` or ``relu``
    activation: ClassVar[str]
    hidden: list[int]
    n_envs: int
    reward_scale: float

    def settings(self) -> dict[str, Any]:
        """Return the keywords of the algorithm; ``learning_rate`` falls linearly to 0."""
        ...

    @classmethod
    def algorithm(cls) -> Any:
        """Return the class of the algorithm."""
        ...

    @classmethod
    def modules(cls, policy: Any) -> list[Any]:
        """Return the modules of a policy through which an observation gets to the outputs, in order."""
        ...


@contextmanager
def untouched_randomness() -> Iterator[None]:
    """Give back all global random states as they were."""
    # before the first import: loading some libraries draws from Python's own generator
    python, legacy = random.getstate(), np.random.get_state()  # noqa: NPY002 - saved, not drawn from
    try:
        import torch
    except ImportError as error:
        raise MissingExtraError("training an agent", "rl") from error

    state = torch.get_rng_state()
    try:
        yield
    finally:
        random.setstate(python)
        np.random.set_state(legacy)  # noqa: NPY002
        torch.set_rng_state(state)


def measure_scaling(
    pool: WorldPool, deployment: Any, steps: int, seed: np.random.SeedSequence
) -> tuple[np.ndarray, np.ndarray, int]:
    """Measure mean and spread of the observations on a random walk over possible actions.

    Parameters
    ----------
    pool : WorldPool
        Training scenarios.
    deployment : component
        The deployment.
    steps : int
        Environment steps, at most.
    seed : SeedSequence
        Of scenarios and actions.

    Returns
    -------
    shift, scale : ndarray of float64, shape (F,)
        Scaled observations are ``(obs - shift) * scale``; a constant column has scale 1.
    used : int
        Environment steps used.
    """
    n = max(min(64, steps // (2 * pool.steps)), 1)
    return scaling_of(DeliveryVectorEnv(n, pool=pool, deployment=deployment), steps, seed)


class Walked(Protocol):
    """What a random walk needs: environments side by side, as of Gymnasium, with masks."""

    num_envs: int

    def reset(self, *, seed: int) -> tuple[np.ndarray, Any]:
        """Begin all episodes; returns the observations (N, F) first."""
        ...

    def step(self, actions: np.ndarray) -> tuple[np.ndarray, Any, Any, Any, Any]:
        """Step everywhere; returns the observations (N, F) first."""
        ...

    def action_masks(self) -> np.ndarray:
        """Return which actions are possible now, bool of shape (N, A)."""
        ...


def scaling_of(env: Walked, steps: int, seed: np.random.SeedSequence) -> tuple[np.ndarray, np.ndarray, int]:
    """Measure mean and spread of the observations of an environment, see :func:`measure_scaling`."""
    n = env.num_envs
    rng = np.random.Generator(np.random.PCG64(seed))
    obs, _ = env.reset(seed=seed_int(seed))
    total, square, count = np.zeros(obs.shape[1]), np.zeros(obs.shape[1]), 0
    rounds = max(steps // n, 1)
    for _ in range(rounds):
        wide = obs.astype(np.float64)
        total += wide.sum(axis=0)
        square += (wide * wide).sum(axis=0)
        count += n
        keys = rng.random(env.action_masks().shape) * env.action_masks()
        # keep half of the time: a deployment that changes at every step shows little of what comes later
        keys[:, 0] = np.where(rng.random(n) < 0.5, 2.0, keys[:, 0])
        obs = env.step(keys.argmax(axis=1))[0]
    mean = total / count
    spread = np.sqrt(np.maximum(square / count - mean * mean, 0.0))
    scale = np.where(spread > 1e-6, 1.0 / np.maximum(spread, 1e-6), 1.0)
    return mean, scale, rounds * n


def _scaled(env: Any, shift: np.ndarray, scale: np.ndarray, clip: float) -> Any:
    from stable_baselines3.common.vec_env import VecEnvWrapper

    class Scaled(VecEnvWrapper):  # type: ignore[misc]
        """Scales observations exactly as the stored network does."""

        def _transform(self, obs: np.ndarray) -> np.ndarray:
            wide = np.clip((obs.astype(np.float64) - shift) * scale, -clip, clip)
            scaled: np.ndarray = wide.astype(np.float32)
            return scaled

        def reset(self) -> np.ndarray:
            return self._transform(self.venv.reset())

        def step_wait(self) -> Any:
            obs, rewards, dones, infos = self.venv.step_wait()
            for i in np.flatnonzero(dones):
                last = infos[i]["terminal_observation"]
                infos[i]["terminal_observation"] = self._transform(last[None, :])[0]
            return self._transform(obs), rewards, dones, infos

    return Scaled(env)


def _layers(module: Any) -> list[tuple[np.ndarray, np.ndarray]]:
    import torch

    return [
        (layer.weight.detach().numpy().T.astype(np.float64), layer.bias.detach().numpy().astype(np.float64))
        for layer in module.modules()
        if isinstance(layer, torch.nn.Linear)
    ]


def extract(
    agent: Extracted, model: Any, names: tuple[str, ...], shift: np.ndarray, scale: np.ndarray
) -> Network:
    """Take the deterministic policy out of a trained model.

    Parameters
    ----------
    agent : Extracted
        Knows where the policy is.
    model : stable_baselines3 algorithm
        After training.
    names : tuple of str
        Names of the observation's columns.
    shift, scale : ndarray of float64, shape (F,)
        Scaling of the observations.
    """
    layers = [layer for module in agent.modules(model.policy) for layer in _layers(module)]
    return Network(
        names=names,
        shift=shift,
        scale=scale,
        weights=[weight for weight, _ in layers],
        biases=[bias for _, bias in layers],
        activation=agent.activation,
    )


def train_agent(
    agent: Learning,
    pool: WorldPool,
    deployment: Any,
    steps: int,
    seed: np.random.SeedSequence,
    progress: Callable[[int], None] | None = None,
) -> FitResult:
    """Train one agent on training scenarios.

    Parameters
    ----------
    agent : Learning
        The algorithm with its settings.
    pool : WorldPool
        Training scenarios.
    deployment : component
        The deployment.
    steps : int
        Environment steps in all, the pilot roll-out for the scaling included.
    seed : SeedSequence
        Of everything random.
    progress : callable, optional
        Called with the number of steps done.

    Returns
    -------
    FitResult
        Arrays and info of the :class:`Network`; ``info["steps_used"]``, ``info["curve"]``: mean return a
        window of the training episodes that ended, by steps.

    Raises
    ------
    ConfigError
        If the steps do not suffice for the pilot and one update.
    MissingExtraError
        If stable-baselines3 is not installed.
    """
    with untouched_randomness(), one_thread():
        return _train(agent, pool, deployment, steps, seed, progress)


def _train(
    agent: Learning,
    pool: WorldPool,
    deployment: Any,
    steps: int,
    seed: np.random.SeedSequence,
    progress: Callable[[int], None] | None,
) -> FitResult:
    try:
        algorithm = agent.algorithm()
    except ImportError as error:
        raise MissingExtraError(f"training {agent.name}", "rl") from error
    import torch
    from stable_baselines3.common.callbacks import BaseCallback
    from stable_baselines3.common.logger import Logger

    n_envs, settings = agent.n_envs, agent.settings()

    pilot_seed, env_seed, model_seed = seed.spawn(3)
    pilot = min(PILOT_STEPS, steps // 10)
    rollout = n_envs * int(settings.get("n_steps", settings.get("train_freq", 1)))
    if steps - pilot < rollout:
        raise ConfigError(
            f"{agent.name} collects {rollout} steps before it learns, the budget is {steps}",
            remedy="raise the steps",
        )
    shift, scale, used = measure_scaling(pool, deployment, pilot, pilot_seed)
    # whole roll-outs only, so that the budget is never exceeded
    budget = (steps - used) // rollout * rollout
    curve: list[tuple[int, float]] = []
    window: list[float] = []

    class Watch(BaseCallback):  # type: ignore[misc]
        """Collects the plain returns of finished training episodes."""

        def _on_step(self) -> bool:
            window.extend(info["return_"] for info in self.locals["infos"] if "return_" in info)
            if len(window) >= 512:
                curve.append((used + self.num_timesteps, float(np.mean(window)) / pool.steps))
                window.clear()
                if progress is not None:
                    progress(used + self.num_timesteps)
            return True

    rate = float(settings.pop("learning_rate"))
    env = make_sb3_vec_env(
        pool,
        deployment,
        n_envs,
        seed_int(env_seed),
        centre=True,
        scale=agent.reward_scale,
        stagger=True,
        monitor=False,
    )
    model = algorithm(
        "MlpPolicy",
        _scaled(env, shift, scale, Network.clip),
        learning_rate=lambda left: rate * left,
        seed=seed_int(model_seed),
        device="cpu",
        policy_kwargs={
            "net_arch": list(agent.hidden),
            "activation_fn": {"relu": torch.nn.ReLU, "tanh": torch.nn.Tanh}[agent.activation],
        },
        **settings,
    )
    # its default logger leaves a folder behind
    model.set_logger(Logger(folder=None, output_formats=[]))
    model.learn(budget, callback=Watch())
    network = extract(agent, model, env.core.feature_names, shift, scale)
    info = {
        "steps_used": used + int(model.num_timesteps),
        "algorithm": agent.name,
        "curve": curve,
        **network.info(),
    }
    return FitResult(arrays=network.arrays(), info=info)
