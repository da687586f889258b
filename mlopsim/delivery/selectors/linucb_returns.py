"""A contextual bandit whose reward is the return of the next H windows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from mlopsim.core.errors import ConfigError
from mlopsim.core.registry import register
from mlopsim.core.spec import check_range
from mlopsim.core.track import FitResult
from mlopsim.delivery.agents.selector import Agent

#: rounds of decisions between two solutions of the linear models
REFRESH = 8
#: points of the curve of a training
POINTS = 40


@register("selector", "linucb_returns")
@dataclass(kw_only=True)
class LinUcbReturns(Agent):
    r"""LinUCB with disjoint linear models, rewarded by the returns of H windows, trained as agents are.

    The simplest rival of long-term credit: no value of what comes later is learned, but a decision answers
    for more than one window. With H = 1 it is a contextual bandit on the reward of one window, as an agent
    with gamma = 0 is, and where a retrain takes longer than a window to arrive, such a bandit cannot see it
    pay. An arm is an action; its context is the whole observation, scaled. The reward of a decision is the
    mean reward, costs included, of the H windows after it, whatever was decided in these, and it is learned
    from once the labels of the last one have come. It is trained on training scenarios, in as many
    environment steps as every fit, with a centred reward as agents are, and acts greedily without learning on
    after that. In training the index of arm a is

    .. math:: \theta_a^\top x + \mathrm{explore} \sqrt{x^\top A_a^{-1} x}, \qquad \theta_a = A_a^{-1} b_a

    with the discounted moments :math:`A_a = \mathrm{ridge} \cdot I + \sum x x^\top` and
    :math:`b_a = \sum x \bar r` of its decisions, :math:`\bar r` the mean reward of H windows.

    Parameters
    ----------
    horizon : int, default 10
        H.
    train_seed : int, default 0
        Number of the training run: the repetition axis.
    explore : float, default 0.05
        Size of the bonus ``explore * sqrt(x' A^-1 x)`` in training, in reward a window.
    ridge : float, default 1.0
        Weight of the prior, in which every action earns the mean.
    discount : float, default 0.999
        Factor on old evidence a round of decisions: returns depend on what is decided later, which changes
        in training.
    n_envs : int, default 128
        Parallel environments.

    Notes
    -----
    Use it as the rival of agents that plan: what it reaches needs no values of states.

    References
    ----------
    .. [1] L. Li, W. Chu, J. Langford and R. E. Schapire, "A contextual-bandit approach to personalized news
       article recommendation", WWW, 2010, 661-670. doi:10.1145/1772690.1772758

    Examples
    --------
    >>> LinUcbReturns(horizon=5).horizon, LinUcbReturns.family
    (5, 'bandit')
    """

    horizon: int = 10
    train_seed: int = 0
    explore: float = 0.05
    ridge: float = 1.0
    discount: float = 0.999
    n_envs: int = 128

    family: ClassVar[str] = "bandit"
    masked: ClassVar[bool] = True
    believes: ClassVar[str] = "expected mean rewards"

    def __post_init__(self) -> None:
        where = "selector/linucb_returns"
        check_range(f"{where}.horizon", self.horizon, 1, 100_000)
        check_range(f"{where}.train_seed", self.train_seed, 0, 2**31)
        check_range(f"{where}.explore", self.explore, 0.0, 1e6)
        check_range(f"{where}.ridge", self.ridge, 0.0, 1e9, open_low=True)
        check_range(f"{where}.discount", self.discount, 0.0, 1.0, open_low=True)
        check_range(f"{where}.n_envs", self.n_envs, 1, 4096)

    def train(self, pool: Any, deployment: Any, steps: int, seed: np.random.SeedSequence) -> FitResult:
        """Train on a pool of training Worlds, in so many environment steps; see :meth:`Agent.train`.

        Raises
        ------
        ConfigError
            If no return of H windows would ever be known: episodes or steps are too few.
        """
        from mlopsim.core.seeds import seed_int
        from mlopsim.core.threads import one_thread
        from mlopsim.delivery.agents.delayed_credit import DelayedCredit
        from mlopsim.delivery.agents.network import Network
        from mlopsim.delivery.agents.train import PILOT_STEPS, measure_scaling
        from mlopsim.delivery.dynamics import PARTS
        from mlopsim.delivery.vector import DeliveryVectorEnv

        credit = DelayedCredit(horizon=self.horizon, delay=int(deployment.label_delay))
        wait = credit.horizon + credit.delay
        if pool.steps < wait:
            raise ConfigError(
                f"{self.full_name} learns from returns known after {wait} decisions, of {pool.steps}",
                remedy="lower its horizon",
            )
        pilot_seed, env_seed = seed.spawn(2)
        with one_thread():
            pilot = min(PILOT_STEPS, steps // 10)
            shift, scale, used = measure_scaling(pool, deployment, pilot, pilot_seed)
            n = min(self.n_envs, (steps - used) // (2 * wait))
            if n < 1:
                raise ConfigError(
                    f"{self.full_name} learns nothing in {steps} steps", remedy="raise the steps"
                )
            env = DeliveryVectorEnv(n, pool=pool, deployment=deployment, centre=True, stagger=True)
            obs, _ = env.reset(seed=seed_int(env_seed))
            arms = _Arms(int(deployment.slots) + 2, obs.shape[1] + 1, self)
            rounds = (steps - used) // n
            curve: list[tuple[int, float]] = []
            earned = counted = 0.0
            for number in range(1, rounds + 1):
                scaled = np.clip((obs.astype(np.float64) - shift) * scale, -Network.clip, Network.clip)
                x = np.concatenate([np.ones((n, 1)), scaled], axis=1)
                actions = arms.choose(x, env.action_masks())
                obs, rewards, _, ended, info = env.step(actions)
                earned += float(sum(np.sum(info[part]) for part in PARTS))
                counted += n
                arms.learn(*credit.add(x, actions, rewards, ended))
                if number % max(rounds // POINTS, 1) == 0:
                    curve.append((used + number * n, earned / counted))
                    earned = counted = 0.0
            arms.solve()
        network = Network(
            names=env.feature_names,
            shift=shift,
            scale=scale,
            weights=[np.ascontiguousarray(arms.theta[:, 1:].T)],
            biases=[arms.theta[:, 0].copy()],
            activation=self.activation,
        )
        info = {
            "steps_used": used + rounds * n,
            "algorithm": self.full_name.split("/")[-1],
            "curve": curve,
            **network.info(),
        }
        return FitResult(arrays=network.arrays(), info=info)


class _Arms:
    """The evidence on the arms: a ridge regression each, with forgetting."""

    def __init__(self, arms: int, size: int, settings: LinUcbReturns) -> None:
        self.settings = settings
        self.gram = np.zeros((arms, size, size))
        self.moment = np.zeros((arms, size))
        self._rounds = 0
        self.solve()

    def solve(self) -> None:
        """Fit the models to the evidence so far."""
        size = self.gram.shape[1]
        self.inverse = np.linalg.inv(self.gram + self.settings.ridge * np.eye(size))
        self.theta = np.einsum("ade,ae->ad", self.inverse, self.moment)

    def choose(self, x: np.ndarray, mask: np.ndarray) -> np.ndarray:
        """Return the possible action with the highest index, int64 (n,)."""
        index = x @ self.theta.T
        for arm in range(len(self.theta)):
            spread = np.einsum("nd,nd->n", x @ self.inverse[arm], x)
            index[:, arm] += self.settings.explore * np.sqrt(np.maximum(spread, 0.0))
        index[~mask] = -np.inf
        return np.asarray(index.argmax(axis=1), dtype=np.int64)

    def learn(self, x: np.ndarray, actions: np.ndarray, returns: np.ndarray) -> None:
        """Add decisions whose returns are known."""
        self.gram *= self.settings.discount
        self.moment *= self.settings.discount
        mean = returns / self.settings.horizon
        for arm in range(len(self.theta)):
            mine = x[actions == arm]
            self.gram[arm] += mine.T @ mine
            self.moment[arm] += mine.T @ mean[actions == arm]
        self._rounds += 1
        if self._rounds % REFRESH == 0:
            self.solve()
