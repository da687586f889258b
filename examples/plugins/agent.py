"""An agent of one's own: `mlopsim bench suite=smoke --plugin agent.py "methods=[never,small_trpo]"`."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import mlopsim
from mlopsim.delivery.agents.selector import TrainedAgent


@mlopsim.register("selector", "small_trpo")
@dataclass(kw_only=True)
class SmallTrpo(TrainedAgent):
    """Trust region policy optimisation of sb3-contrib, with a small network.

    Parameters
    ----------
    train_seed, gamma, learning_rate, hidden, n_envs
        As in :class:`mlopsim.delivery.agents.selector.TrainedAgent`.
    n_steps : int
        Steps of each environment between updates.
    target_kl : float
        How far an update may move the policy.
    reward_scale : float
        Factor of the reward in training.

    Examples
    --------
    >>> SmallTrpo(gamma=0.5).settings()["gamma"]
    0.5
    """

    hidden: list[int] = field(default_factory=lambda: [32])
    n_envs: int = 16
    n_steps: int = 32
    target_kl: float = 0.02
    reward_scale: float = 10.0

    @classmethod
    def algorithm(cls) -> Any:
        """Return the class of the algorithm; it is imported here, so that a list of methods does not."""
        import sb3_contrib

        return sb3_contrib.TRPO
