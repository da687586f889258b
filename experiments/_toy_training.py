"""One training of the experiment constrained_toy, and what becomes of it when it is stored."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from mlopsim.core.seeds import Axis, Split, seed_sequence
from mlopsim.core.spec import make
from mlopsim.governance.agents.mixture import Mixture
from mlopsim.governance.agents.prices import Halted, Prices
from mlopsim.governance.agents.toy import OneState
from mlopsim.governance.agents.train import train_constrained
from mlopsim.governance.selectors.ppo_lagrangian import PPOLagrangian

if TYPE_CHECKING:
    from mlopsim.delivery.agents.network import Network


@dataclasses.dataclass(kw_only=True)
class FrozenLagrangian(PPOLagrangian):
    """The agent whose price stays after some updates: what the notes of the package warn of."""

    updates: int = 0

    def rule(self, shape: tuple[int, int]) -> Prices | None:
        """Return a price that stays after so many updates."""
        inner = super().rule(shape)
        assert inner is not None
        return Halted(inner=inner, updates=self.updates)


def chance_of(network: Network) -> float:
    """Return the probability of arm A; of a policy that sees prices, at the price 1."""
    seen = np.ones((1, len(network.names)), dtype=np.float32)
    logits = network.forward(seen)[0]
    return float(1.0 / (1.0 + np.exp(logits[1] - logits[0])))


def train(settings: Mapping[str, Any], params: Mapping[str, Any], seed: int, name: str) -> dict[str, Any]:
    """Train once and roll out what is stored; everything of a :class:`Run` but its name, as JSON types."""
    given = dict(params)
    frozen = given.pop("frozen", None)
    agent = make("selector", name, **settings["agent"], **given)
    toy, steps = OneState(limit=settings["limit"]), settings["steps"]
    if frozen is not None:
        rollout = agent.n_envs * agent.n_steps
        fields = {f.name: getattr(agent, f.name) for f in dataclasses.fields(agent) if f.init}
        agent = FrozenLagrangian(**fields, updates=int(frozen * (1.0 - agent.validation) * steps) // rollout)
    chance: list[float] = []

    def watch(network: Network, prices: np.ndarray, costs: np.ndarray) -> None:
        chance.append(chance_of(network))

    began = time.process_time()
    fit = train_constrained(agent, toy, steps, seed_sequence(Axis.REPETITION, Split.TRAIN, seed), watch)
    seconds = time.process_time() - began
    agent.load(fit)
    count = settings["deployments"]
    seeds = seed_sequence(Axis.METHOD, Split.TEST, seed).spawn(count)
    long = OneState(limit=toy.limit, horizon=settings["windows"])
    _, cost = long.evaluate(agent, 0, np.arange(count), seeds)
    networks = Mixture.read(fit.arrays, fit.info).networks
    price = fit.info["price"]
    return {
        "snapshots": len(fit.info["members"]),
        "price": float("nan") if price is None else price["mean"][0][0],
        "steps": fit.info["steps_used"],
        "chance": [round(value, 6) for value in chance],
        "cost": float(cost.mean()),
        "argmax": float(np.mean([chance_of(networks[i]) > 0.5 for i in fit.info["members"]])),
        "seconds": seconds,
    }
