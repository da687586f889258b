"""Training of a policy under limits with stable-baselines3; what comes out is arrays and JSON only."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, ClassVar, Protocol

import numpy as np

from mlopsim.core.errors import ConfigError, MissingExtraError
from mlopsim.core.seeds import seed_int
from mlopsim.core.threads import one_thread
from mlopsim.core.track import FitResult
from mlopsim.delivery.agents.network import Network
from mlopsim.delivery.agents.train import PILOT_STEPS, extract, scaling_of, untouched_randomness
from mlopsim.governance.agents.arena import Arena, Lanes
from mlopsim.governance.agents.choice import Chosen, choose
from mlopsim.governance.agents.mixture import Mixture
from mlopsim.governance.agents.prices import Prices
from mlopsim.governance.agents.pricing import ByContext, PerEpisode

#: share of the updates that snapshots, and the mean and spread of the prices that are told, are of
LAST = 0.2
#: of the upper limits of costs on validation scenarios, one-sided
LEVEL = 0.95
#: points of the curve that is kept
POINTS = 200


class Learning(Protocol):
    """What training reads of an agent."""

    name: ClassVar[str]
    activation: ClassVar[str]
    hidden: list[int]
    n_envs: int
    reward_scale: float
    learning_rate: float
    last_rate: float
    snapshots: int
    validation: float
    highest: float
    slack: float

    def settings(self) -> dict[str, Any]:
        """Return the keywords of the algorithm, without the learning rate."""
        ...

    def rule(self, shape: tuple[int, int]) -> Prices | None:
        """Return what the prices (contexts, constraints) follow; None: every episode draws its own."""
        ...

    @property
    def chooses(self) -> bool:
        """Whether the number of snapshots is chosen by the limits; else all of them are stored."""
        ...

    def sees(self, name: str) -> bool:
        """Say whether its policy reads a column of the observation."""
        ...

    def algorithm(self) -> Any:
        """Return the class of the algorithm."""
        ...

    @classmethod
    def modules(cls, policy: Any) -> list[Any]:
        """Return the modules of a policy through which an observation gets to the outputs, in order."""
        ...

    def load(self, fit: FitResult) -> None:
        """Take a finished training."""
        ...


def price_names(constraints: Sequence[str]) -> tuple[str, ...]:
    """Return the names of the inputs of a policy that sees prices.

    Examples
    --------
    >>> price_names(["parity"])
    ('price_parity',)
    """
    return tuple(f"price_{name}" for name in constraints)


def snapshot_places(updates: int, snapshots: int) -> list[int]:
    """Return after which updates (counted from 1) snapshots are taken: evenly over the last fifth.

    Examples
    --------
    >>> snapshot_places(100, 5)
    [81, 86, 90, 95, 100]
    >>> snapshot_places(4, 16)
    [4]
    """
    first = min(int((1.0 - LAST) * updates) + 1, updates)
    return sorted({int(place) for place in np.linspace(first, updates, snapshots).round()})


def train_constrained(
    agent: Learning,
    arena: Arena,
    steps: int,
    seed: np.random.SeedSequence,
    watch: Callable[[Network, np.ndarray, np.ndarray], None] | None = None,
) -> FitResult:
    """Train one agent under the limits of an arena.

    Parameters
    ----------
    agent : Learning
        The algorithm with its settings.
    arena : Arena
        Training deployments, and those for the choice.
    steps : int
        Environment steps in all: the pilot roll-out for the scaling, training, and the choice.
    seed : SeedSequence
        Of everything random.
    watch : callable, optional
        Called after every update with the policy as it is now, the prices and the mean costs (NaN: no episode
        ended) of the roll-out, each (contexts, constraints).

    Returns
    -------
    FitResult
        Arrays of the :class:`Mixture` of all snapshots. In its info: ``members``, those that are drawn from;
        ``price``, mean, spread and end of the prices over the last fifth of the updates; ``validation``, what
        the choice saw, by snapshot and context, and by context and scenario; ``steps`` by what they were
        used for, ``steps_used`` in all; ``curve``, mean return a window and costs of the episodes that ended,
        by steps.

    Raises
    ------
    ConfigError
        If the steps do not suffice for one update.
    MissingExtraError
        If stable-baselines3 is not installed.
    """
    with untouched_randomness(), one_thread():
        return _Training(agent, arena, steps, seed, watch).run()


class _Walked:
    """Lanes as a random walk takes them."""

    def __init__(self, lanes: Lanes, columns: np.ndarray) -> None:
        self.num_envs, self.action_masks = lanes.num_envs, lanes.action_masks
        self._lanes, self._columns = lanes, columns

    def reset(self, *, seed: int) -> tuple[np.ndarray, None]:
        return self._lanes.reset(seed)[:, self._columns], None

    def step(self, actions: np.ndarray) -> tuple[np.ndarray, None, None, None, None]:
        return self._lanes.step(actions).obs[:, self._columns], None, None, None, None


class _Training:
    def __init__(
        self,
        agent: Learning,
        arena: Arena,
        steps: int,
        seed: np.random.SeedSequence,
        watch: Callable[[Network, np.ndarray, np.ndarray], None] | None,
    ) -> None:
        self.agent, self.arena, self.watch = agent, arena, watch
        self.pilot_seed, self.env_seed, self.model_seed, self.choice_seed, self.price_seed = seed.spawn(5)
        self.settings = agent.settings()
        contexts, count = arena.limits.shape
        self.rule = agent.rule((contexts, count))
        seen = tuple(name for name in arena.reads if agent.sees(name))
        self.columns = np.array([arena.names.index(name) for name in seen], dtype=np.int64)
        self.names = seen + (price_names(arena.constraints) if self.rule is None else ())
        # the choice takes its share first, in whole scenarios for every snapshot in every context
        share = int(agent.validation * steps)
        within = [n for n in range(arena.validation + 1) if agent.snapshots * arena.judging(n) <= share]
        # one scenario alone has no interval
        self.judged = within[-1] if within[-1] >= 2 and count else 0
        choosing = agent.snapshots * arena.judging(self.judged)
        self.pilot = min(PILOT_STEPS, steps // 10)
        self.rollout = agent.n_envs * int(self.settings["n_steps"])
        left = steps - choosing - self.pilot
        self.updates = left // self.rollout
        if self.updates < 1:
            raise ConfigError(
                f"{agent.name} collects {self.rollout} steps before it learns, and of the budget of {steps} "
                f"{max(left, 0)} are left for that",
                remedy="raise the steps",
            )
        self.snapshots: list[Network] = []
        self.prices: list[np.ndarray] = []
        self.curve: list[list[Any]] = []

    def run(self) -> FitResult:
        used = self._scale()
        self._learn()
        mixture = Mixture(networks=self.snapshots)
        members = tuple(range(len(mixture)))
        info = {
            **mixture.info(),
            "algorithm": self.agent.name,
            "constraints": list(self.arena.constraints),
            "limits": self.arena.limits.tolist(),
            "members": list(members),
            "updates": self.updates,
            "price": self._price(),
            "curve": self.curve,
        }
        fit = FitResult(arrays=mixture.arrays(), info=info)
        judged = 0
        if self.judged:
            returns, costs = self._validate(fit)
            judged = len(returns) * self.arena.judging(self.judged)
            info["validation"] = {
                "scenarios": self.judged,
                "returns": returns.mean(axis=2).tolist(),
                "costs": costs.mean(axis=2).tolist(),
                # of the mixture of all snapshots, by context and scenario
                "each": {"returns": returns.mean(axis=0).tolist(), "costs": costs.mean(axis=0).tolist()},
            }
            if self.agent.chooses:
                chosen = choose(returns, costs, self.arena.limits, LEVEL)
                info["members"] = list(chosen.members)
                info["choice"] = _told(chosen)
        training = self.updates * self.rollout
        info["steps"] = {"pilot": used, "training": training, "choice": judged}
        info["steps_used"] = used + training + judged
        return fit

    def _scale(self) -> int:
        """Measure the scaling of what a policy sees; returns the steps used."""
        n = max(min(64, self.pilot // (2 * self.arena.horizon)), 1)
        walked = _Walked(self.arena.lanes(n, stagger=False), self.columns)
        shift, scale, used = scaling_of(walked, self.pilot, self.pilot_seed)
        more = len(self.names) - len(self.columns)
        # uniform on 0..highest
        highest = self.agent.highest
        self.shift = np.concatenate([shift, np.full(more, highest / 2.0)])
        self.scale = np.concatenate([scale, np.full(more, np.sqrt(12.0) / highest)])
        return used

    def _transform(self, obs: np.ndarray) -> np.ndarray:
        """Scale observations exactly as the stored network does."""
        wide = np.clip((obs.astype(np.float64) - self.shift) * self.scale, -Network.clip, Network.clip)
        return np.asarray(wide, dtype=np.float32)

    def _learn(self) -> None:
        agent, arena = self.agent, self.arena
        try:
            algorithm = agent.algorithm()
        except ImportError as error:
            raise MissingExtraError(f"training {agent.name}", "rl") from error
        import torch
        from stable_baselines3.common.callbacks import BaseCallback
        from stable_baselines3.common.logger import Logger

        from mlopsim.governance.agents._priced_env import PricedVecEnv

        contexts, count = arena.limits.shape
        rng = np.random.Generator(np.random.PCG64(self.price_seed))
        pricing: ByContext | PerEpisode = (
            PerEpisode(agent.n_envs, count, agent.highest, rng)
            if self.rule is None
            else ByContext(self.rule, agent.n_envs)
        )
        env = PricedVecEnv(
            arena.lanes(agent.n_envs, stagger=True),
            self.columns,
            pricing,
            contexts,
            count,
            agent.reward_scale,
            self._transform,
            arena.actions,
            seed_int(self.env_seed),
        )
        everywhere = np.zeros(agent.n_envs, dtype=np.int64)
        places = set(snapshot_places(self.updates, agent.snapshots))
        training = self
        aims = arena.limits * (1.0 - agent.slack)

        class Watch(BaseCallback):  # type: ignore[misc]
            """Moves the prices after each roll-out, keeps the policy after each update."""

            done = -1
            costs = np.zeros((contexts, count))

            def _on_step(self) -> bool:
                return True

            def _on_rollout_end(self) -> None:
                ended = env.ended
                self.costs = ended.mean_costs()
                if ended.episodes:
                    training.point(self.num_timesteps, float(ended.returns.sum()), ended.windows, ended.costs)
                pricing.update(self.costs - aims)
                if training.rule is not None:
                    training.prices.append(training.rule.value.copy())
                ended.clear()

            def _on_rollout_start(self) -> None:
                # the policy after so many updates
                self.done += 1
                self.kept()

            def kept(self) -> None:
                if self.done in places or (training.watch is not None and self.done > 0):
                    network = extract(agent, self.model, training.names, training.shift, training.scale)
                    if self.done in places:
                        training.snapshots.append(network)
                    if training.watch is not None:
                        training.watch(network, pricing.prices(everywhere), self.costs)

        rate, last = agent.learning_rate, agent.last_rate
        model = algorithm(
            "MlpPolicy",
            env,
            # not down to 0: a policy that stands still cannot follow a price that does not
            learning_rate=lambda left: rate * (last + (1.0 - last) * left),
            seed=seed_int(self.model_seed),
            device="cpu",
            # advantages of one size would hide that the Lagrangian is flat where the price is right
            normalize_advantage=False,
            policy_kwargs={
                "net_arch": list(agent.hidden),
                "activation_fn": {"relu": torch.nn.ReLU, "tanh": torch.nn.Tanh}[agent.activation],
            },
            **self.settings,
        )
        # its default logger leaves a folder behind
        model.set_logger(Logger(folder=None, output_formats=[]))
        callback = Watch()
        model.learn(self.updates * self.rollout, callback=callback)
        callback.done += 1
        callback.kept()

    def point(self, steps: int, returns: float, windows: np.ndarray, costs: np.ndarray) -> None:
        """Keep a point of the curve, at most about POINTS of them."""
        every = max(self.updates // POINTS, 1)
        if (steps // self.rollout) % every == 0:
            total = int(windows.sum())
            self.curve.append([steps, returns / total, (costs.sum(axis=0) / total).tolist()])

    def _price(self) -> dict[str, Any] | None:
        if self.rule is None:
            return None
        last = np.stack(self.prices[-max(int(LAST * len(self.prices)), 1) :])
        return {
            "mean": last.mean(axis=0).tolist(),
            "sd": last.std(axis=0).tolist(),
            "last": last[-1].tolist(),
        }

    def _validate(self, fit: FitResult) -> tuple[np.ndarray, np.ndarray]:
        """Roll every snapshot out; returns (S, contexts, n) and (S, contexts, n, C)."""
        contexts, count = self.arena.limits.shape
        size = len(self.snapshots)
        returns = np.zeros((size, contexts, self.judged))
        costs = np.zeros((size, contexts, self.judged, count))
        which = np.arange(self.judged)
        # the same scenarios, but draws of its own: the same ones would favour or hurt all of them alike
        for i, own in enumerate(self.choice_seed.spawn(size)):
            seeds = own.spawn(self.judged)
            self.agent.load(FitResult(arrays=fit.arrays, info={**fit.info, "members": [i]}))
            for context in range(contexts):
                found = self.arena.evaluate(self.agent, context, which, seeds)
                returns[i, context], costs[i, context] = found
        return returns, costs


def _told(chosen: Chosen) -> dict[str, Any]:
    return {
        "met": chosen.met,
        "returns": chosen.returns,
        "cost": chosen.cost.tolist(),
        "upper": chosen.upper.tolist(),
        "level": LEVEL,
    }
