"""What the learning agents share: training, loading, acting."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from mlopsim.core.errors import CacheError, ConfigError
from mlopsim.core.spec import check_range
from mlopsim.core.track import FitResult
from mlopsim.delivery.selector import Interface, View

if TYPE_CHECKING:
    from mlopsim.delivery.agents.network import Network


class Agent:
    """Base of the agents: a network that is trained by :meth:`train` or brought by :meth:`load`."""

    full_name: ClassVar[str]
    name: ClassVar[str]
    agent: ClassVar[bool] = True
    family: ClassVar[str] = "agent"
    reads: ClassVar[str] = "observation"
    uses_errors: ClassVar[bool] = False
    can_suspend: ClassVar[bool] = True
    memoryless: ClassVar[bool] = True
    believes: ClassVar[str] = "logits"
    #: whether impossible actions are masked, in training and after it
    masked: ClassVar[bool] = False
    #: between the layers of the network: ``tanh`` or ``relu``
    activation: ClassVar[str] = "tanh"
    hidden: list[int]
    n_envs: int
    reward_scale: float
    #: outputs for the observations that were seen last, (n, actions)
    believed: np.ndarray
    _network: Network | None = None
    _values: np.ndarray | None = None

    def __init_subclass__(cls, **more: Any) -> None:
        """Take from a class that answers in a way of its own what is true of :meth:`act` only."""
        super().__init_subclass__(**more)
        if "act" in vars(cls):
            cls.memoryless = bool(vars(cls).get("memoryless", False))
            cls.believes = str(vars(cls).get("believes", ""))

    def settings(self) -> dict[str, Any]:
        """Return the keywords of the algorithm."""
        raise NotImplementedError

    @classmethod
    def algorithm(cls) -> Any:
        """Return the algorithm's class; importing it is left to here."""
        raise NotImplementedError

    @classmethod
    def modules(cls, policy: Any) -> list[Any]:
        """Return the modules of a trained policy that make actions of an observation: those of an actor."""
        return [policy.mlp_extractor.policy_net, policy.action_net]

    def train(self, pool: Any, deployment: Any, steps: int, seed: np.random.SeedSequence) -> FitResult:
        """Train on a pool of training Worlds, in so many environment steps.

        Parameters
        ----------
        pool : WorldPool
            Training scenarios.
        deployment : component
            The deployment.
        steps : int
            Environment steps in all.
        seed : SeedSequence
            Of everything random.

        Returns
        -------
        FitResult
            For :meth:`load`.
        """
        from mlopsim.delivery.agents.train import train_agent

        return train_agent(self, pool, deployment, steps, seed)

    @classmethod
    def untrained(cls, interface: Interface, rng: np.random.Generator) -> FitResult:
        """Return a fit with a small random network: what the contract is checked with."""
        network = random_network(interface.names, interface.slots + 2, rng)
        return FitResult(arrays=network.arrays(), info=network.info())

    def load(self, fit: FitResult) -> None:
        """Take the network of a finished training."""
        from mlopsim.delivery.agents.network import Network

        self._network = Network.read(fit.arrays, fit.info)

    def reset(self, n: int, interface: Interface, seeds: Sequence[np.random.SeedSequence]) -> None:
        """Check that the network fits the deployment."""
        if self._network is None:
            raise ConfigError(f"{self.full_name} has not been trained", remedy="train() it, or load() a fit")
        if self._network.names != interface.names:
            raise CacheError(
                f"{self.full_name} was trained on other observations",
                remedy="train it for a deployment with as many slots",
            )

    def act(self, view: View) -> np.ndarray:
        """Return the action with the largest output, of the possible ones if the agent is masked.

        The answer of an agent without a mask may be impossible: it is carried out as keep, and counted.
        """
        assert self._network is not None
        values = self._network.forward(view.obs)
        self.believed = values
        if self.masked:
            values = np.where(view.mask, values, -np.inf)
        self._values = values
        return np.asarray(values.argmax(axis=1), dtype=np.int64)

    @property
    def tie_margin(self) -> np.ndarray | None:
        """How far the largest output of the last answer was above the next, relative to the larger of both.

        float64 (N,); infinite where there was no other; None before the first answer. On another platform the
        answer may be another one where this is below what floats are promised to.
        """
        if self._values is None:
            return None
        best = np.sort(self._values, axis=1)[:, :-3:-1]
        scale = np.abs(best).max(axis=1)
        only = ~np.isfinite(best[:, 1])
        scale[only | (scale == 0.0)] = 1.0
        return np.asarray((best[:, 0] - best[:, 1]) / scale)


def random_network(names: tuple[str, ...], outputs: int, rng: np.random.Generator) -> Network:
    """Return a network of one hidden layer with normal weights, for checks."""
    from mlopsim.delivery.agents.network import Network

    sizes = (len(names), 8, outputs)
    return Network(
        names=names,
        shift=np.zeros(sizes[0]),
        scale=np.ones(sizes[0]),
        weights=[rng.normal(size=shape) for shape in itertools.pairwise(sizes)],
        biases=[rng.normal(size=size) for size in sizes[1:]],
        activation="tanh",
    )


@dataclass(kw_only=True)
class TrainedAgent(Agent):
    """An algorithm of stable-baselines3, with the parameters that all of them have.

    Trained on training scenarios with a centred reward; acts greedily. Each algorithm adds its own
    parameters, ``reward_scale`` last.

    Parameters
    ----------
    train_seed : int
        Number of the training run: the repetition axis.
    gamma : float
        Discount a window; 0 makes it a contextual bandit.
    learning_rate : float
        At the start; falls linearly to 0.
    hidden : list of int
        Sizes of the hidden layers.
    n_envs : int
        Parallel environments.
    """

    train_seed: int = 0
    gamma: float = 0.97
    learning_rate: float = 1e-3
    hidden: list[int] = field(default_factory=lambda: [128, 128])
    n_envs: int = 64

    def __post_init__(self) -> None:
        check_range(f"{self.name}.train_seed", self.train_seed, 0, 2**31)
        check_range(f"{self.name}.gamma", self.gamma, 0.0, 1.0)
        check_range(f"{self.name}.learning_rate", self.learning_rate, 0.0, 1.0, open_low=True)
        check_range(f"{self.name}.n_envs", self.n_envs, 1, 4096)

    def settings(self) -> dict[str, Any]:
        """Return the keywords of the algorithm: all parameters but those that :meth:`train` reads itself."""
        read = ("train_seed", "hidden", "n_envs", "reward_scale")
        names = [entry.name for entry in dataclasses.fields(self) if entry.name not in read]
        return {name: getattr(self, name) for name in names}
