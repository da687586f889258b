"""What the constrained agents share: training in the closed loop, a mixture of policies, sampled actions."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from mlopsim.core.errors import CacheError, ConfigError
from mlopsim.core.spec import check_range
from mlopsim.core.track import FitResult
from mlopsim.delivery.agents.selector import TrainedAgent, random_network
from mlopsim.delivery.selector import Interface, View
from mlopsim.governance.agents.arena import Arena

if TYPE_CHECKING:
    from mlopsim.governance.agents.mixture import Mixture
    from mlopsim.governance.agents.prices import Prices

#: keywords of PPO that are parameters by the same name
OF_PPO = ("gamma", "n_steps", "batch_size", "n_epochs", "gae_lambda", "clip_range", "ent_coef")
#: where the draw of a deployment's snapshot stands among those of its windows
SNAPSHOT = -1


@dataclass(kw_only=True)
class ConstrainedAgent(TrainedAgent):
    """PPO at prices of costs; stores snapshots, of which every deployment gets one, and samples its actions.

    Parameters
    ----------
    train_seed, gamma, learning_rate, hidden, n_envs
        As in :class:`mlopsim.delivery.agents.selector.TrainedAgent`; the rate falls to ``last_rate``.
    n_steps, batch_size, n_epochs, gae_lambda, clip_range, ent_coef, reward_scale
        As in :class:`mlopsim.delivery.selectors.ppo.PPO`. Advantages are not normalised.
    last_rate : float
        Share of the learning rate that is left at the end.
    highest : float
        Largest price, in units of reward for a window of cost 1.
    snapshots : int
        Number of policies that are stored, evenly over the last fifth of the updates.
    validation : float
        Share of the steps in which the snapshots are rolled out on scenarios that training has not seen.
    mask : bool
        Whether impossible actions are masked, in training and after it (sb3-contrib).
    shield : bool
        Whether actions that could break a limit are masked, too, see
        :mod:`mlopsim.governance.agents.shield`.
    limits : list of float
        Limits of the only constraint that training draws one of for each episode, and shows; none: that of
        the deployment.
    arms : list of int
        Sets of switches (:class:`mlopsim.delivery.mechanisms.Switch`) that training draws one of for each
        episode, and shows; none: those that are on in the deployment.
    """

    learning_rate: float = 1e-3
    n_envs: int = 64
    n_steps: int = 32
    batch_size: int = 512
    n_epochs: int = 4
    gae_lambda: float = 0.9
    clip_range: float = 0.2
    ent_coef: float = 0.001
    reward_scale: float = 10.0
    last_rate: float = 0.2
    highest: float = 10.0
    snapshots: int = 16
    validation: float = 0.1
    mask: bool = True
    shield: bool = False
    limits: list[float] = field(default_factory=list)
    arms: list[int] = field(default_factory=list)

    #: it decides on the action *suspend*, too
    can_suspend: ClassVar[bool] = True
    #: share of the limit that training keeps in reserve
    slack: float = dataclasses.field(default=0.0, init=False, repr=False)
    #: step of multipliers that run where it is deployed; 0: none do
    running: float = dataclasses.field(default=0.0, init=False, repr=False)

    def __post_init__(self) -> None:
        super().__post_init__()
        where = self.name
        for name in ("n_steps", "n_epochs", "snapshots"):
            check_range(f"{where}.{name}", getattr(self, name), 1, 100_000)
        check_range(f"{where}.batch_size", self.batch_size, 2, 10**7)
        for name in ("gae_lambda", "last_rate", "validation"):
            check_range(f"{where}.{name}", getattr(self, name), 0.0, 1.0)
        check_range(f"{where}.clip_range", self.clip_range, 0.0, 100.0, open_low=True)
        check_range(f"{where}.ent_coef", self.ent_coef, 0.0, 1000.0)
        check_range(f"{where}.reward_scale", self.reward_scale, 0.0, 1e9, open_low=True)
        check_range(f"{where}.highest", self.highest, 0.0, 1e6, open_low=True)
        for limit in self.limits:
            check_range(f"{where}.limits", limit, 0.0, 1.0)
        if len(set(self.limits)) < len(self.limits) or len(set(self.arms)) < len(self.arms):
            raise ConfigError(f"{where}: a limit or an arm stands there twice", remedy="name each once")
        if self.shield and not self.mask:
            raise ConfigError(f"{where}.shield is a mask", remedy="mask=true")
        self._mixture: Mixture | None = None

    # -- training ----------------------------------------------------------------------------------

    @property
    def chooses(self) -> bool:
        """Whether the number of snapshots is chosen by the limits; else all of them are stored."""
        return True

    def sees(self, name: str) -> bool:
        """Say whether its policy reads a column of the observation: all of them."""
        return True

    def rule(self, shape: tuple[int, int]) -> Prices | None:
        """Return what the prices (contexts, constraints) follow; None: every episode draws its own."""
        raise NotImplementedError

    def algorithm(self) -> Any:  # type: ignore[override] # which one it is depends on the parameters
        """Return the algorithm's class."""
        if self.mask:
            import sb3_contrib

            return sb3_contrib.MaskablePPO
        import stable_baselines3

        return stable_baselines3.PPO

    def settings(self) -> dict[str, Any]:
        """Return the keywords of PPO, without the learning rate."""
        return {name: getattr(self, name) for name in OF_PPO}

    def train(self, pool: Any, deployment: Any, steps: int, seed: np.random.SeedSequence) -> FitResult:
        """Train on a pool of training Worlds, a fifth of which is kept for the choice of what is stored."""
        from mlopsim.governance.agents.closed_loop import ClosedLoop

        arena = ClosedLoop(pool, deployment, limits=self.limits, arms=self.arms, shield=self.shield)
        return self.train_in(arena, steps, seed)

    def train_in(self, arena: Arena, steps: int, seed: np.random.SeedSequence) -> FitResult:
        """Train in any arena, see :func:`mlopsim.governance.agents.train.train_constrained`."""
        from mlopsim.governance.agents.train import train_constrained

        return train_constrained(self, arena, steps, seed)

    # -- what is stored ----------------------------------------------------------------------------

    @classmethod
    def untrained(cls, interface: Interface, rng: np.random.Generator) -> FitResult:
        """Return a fit with small random networks: what the contract is checked with."""
        from mlopsim.governance.agents.mixture import Mixture

        outputs = interface.slots + 2 + interface.suspends
        mixture = Mixture(networks=[random_network(interface.names, outputs, rng) for _ in range(3)])
        info = {**mixture.info(), "members": [0, 1, 2], "constraints": []}
        return FitResult(arrays=mixture.arrays(), info=info)

    def load(self, fit: FitResult) -> None:
        """Take the mixture of a finished training."""
        from mlopsim.governance.agents.mixture import Mixture

        self._mixture = Mixture.read(fit.arrays, fit.info)
        try:
            self._members = np.array(fit.info["members"], dtype=np.int64)
            self._constraints = tuple(fit.info["constraints"])
        except KeyError as error:
            raise CacheError(f"the stored agent lacks {error}", remedy="train it again") from error

    # -- acting ------------------------------------------------------------------------------------

    def reset(self, n: int, interface: Interface, seeds: Sequence[np.random.SeedSequence]) -> None:
        """Check that the policies fit the deployment; draw one for each roll-out."""
        from mlopsim.governance.agents.draws import keys_of, uniforms
        from mlopsim.governance.agents.shield import Shield

        if self._mixture is None:
            raise ConfigError(f"{self.full_name} has not been trained", remedy="train() it, or load() a fit")
        priced = self._priced()
        reads = self._mixture.names[: len(self._mixture.names) - len(priced)]
        if not set(reads) <= set(interface.names) or self._mixture.names[len(reads) :] != priced:
            raise CacheError(
                f"{self.full_name} was trained on other observations",
                remedy="train it for a deployment with as many slots and the same constraints",
            )
        if self._mixture.outputs != interface.slots + 2 + interface.suspends:
            raise CacheError(
                f"{self.full_name} was trained with other actions",
                remedy="train it for a deployment with as many slots, and a fallback if this one has one",
            )
        self._columns = np.array([interface.column(name) for name in reads], dtype=np.int64)
        self._keys = keys_of(seeds)
        drawn = uniforms(self._keys, np.full(n, SNAPSHOT, dtype=np.int64))
        self._which = self._members[(drawn * len(self._members)).astype(np.int64)]
        self._step = -1
        self._delay = int(interface.deployment.label_delay)
        self._price = np.zeros((n, len(priced)))
        self._shield = Shield.of(interface, self._constraints) if self.shield else None

    def _priced(self) -> tuple[str, ...]:
        """Names of the inputs that are prices."""
        from mlopsim.governance.agents.train import price_names

        return price_names(self._constraints) if self.running > 0 else ()

    def act(self, view: View) -> np.ndarray:
        """Sample an action of each roll-out's policy, of the possible ones if the agent is masked.

        The draw depends on the seed of the roll-out and the window alone. The answer of an agent without a
        mask may be impossible: it is carried out as keep, and counted.
        """
        from mlopsim.governance.agents.draws import draw_actions, uniforms

        assert self._mixture is not None
        self._step += 1
        obs = view.obs[:, self._columns]
        if self.running > 0:
            self._run_prices(view)
            obs = np.concatenate([obs, self._price], axis=1)
        logits = self._mixture.forward(obs, self._which)
        mask = view.mask if self.mask else np.ones_like(view.mask)
        if self._shield is not None:
            mask = self._shield.masked(mask, view.obs)
        return np.asarray(draw_actions(logits, mask, uniforms(self._keys, view.t)), dtype=np.int64)

    def _run_prices(self, view: View) -> None:
        """Let the prices follow the measured costs, from when the first one is known."""
        if self._step <= self._delay:
            return
        for k, name in enumerate(self._constraints):
            aim = view[f"cost_{name}_limit"] * (1.0 - self.slack)
            price = self._price[:, k] + self.running * (view[f"cost_{name}_last"] - aim)
            self._price[:, k] = np.clip(price, 0.0, self.highest)
