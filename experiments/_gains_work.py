"""One training of the experiment constrained_gains: what its price did, and what became of its limit.

All of it on training scenarios: of the first, agents learn and choose; on others, which no training of
constrained_agents sees, it is judged.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import _constrained_work as work
import numpy as np

from mlopsim.core.identity import identity_words
from mlopsim.core.seeds import Axis, Split, seed_sequence
from mlopsim.core.spec import canonical, make
from mlopsim.governance.agents.closed_loop import ClosedLoop
from mlopsim.governance.agents.train import train_constrained

if TYPE_CHECKING:
    from mlopsim.delivery.agents.network import Network


def train(settings: Mapping[str, Any], spec: Mapping[str, Any], limit: float, seed: int) -> dict[str, Any]:
    """Train an agent under a limit; returns its fit's info, its price and cost by update, and its judgement.

    ``price``, ``cost``: of every update, the latter the mean of the episodes that ended in it (null: none).
    ``judged``: mean reward and mean cost of a window in each scenario that it is judged on.
    """
    ((name, params),) = spec.items()
    given = {name: {**params, "train_seed": seed}}
    agent = make("selector", given)
    words = identity_words(canonical("selector", given))
    sequence = seed_sequence(Axis.REPETITION, Split.TRAIN, seed, *words, root=settings["root"])
    stream, count = settings["stream"], settings["train_scenarios"]
    whole = work.pool(settings, stream, "train", 0, count)
    prices: list[float] = []
    costs: list[float | None] = []

    def watch(network: Network, price: np.ndarray, cost: np.ndarray) -> None:
        prices.append(float(price[0, 0]))
        costs.append(float(cost[0, 0]) if np.isfinite(cost[0, 0]) else None)

    began = time.process_time()
    fit = train_constrained(
        agent, ClosedLoop(whole, work.deployment(settings, limit)), settings["steps"], sequence, watch
    )
    seconds = time.process_time() - began
    agent.load(fit)
    others = work.pool(settings, stream, "train", *settings["judged"])
    returns, cost = work.walked(settings, agent, others, Split.TRAIN, limit, seed)
    return {
        "info": fit.info,
        "price": prices,
        "cost": costs,
        "judged": {"returns": returns.tolist(), "costs": cost.tolist()},
        "cpu_seconds": seconds,
    }
