"""Exhaustive enumeration of action sequences through the real dynamics, for tiny walks."""

from __future__ import annotations

from typing import Any

import numpy as np

from mlopsim.core.spec import make
from mlopsim.delivery.engine import Engine
from mlopsim.delivery.oracle.replay import RewardPool


def best_of_all(
    reward: np.ndarray, warmup: int, deployment: Any, actions: list[int], blocked: np.ndarray | None = None
) -> float:
    """Return the largest return over all sequences of the given actions."""
    pool = RewardPool(reward, warmup, deployment)
    gates = None if blocked is None else blocked[None]
    plans = np.zeros((1, 0), dtype=np.int64)
    for step in range(pool.steps + 1):
        engine = Engine(pool, deployment, len(plans), gates)
        engine.begin(np.zeros(len(plans), dtype=np.int64))
        returns = np.zeros(len(plans))
        for s in range(step):
            engine.step(plans[:, s])
            returns += engine.reward
        if step == pool.steps:
            return float(returns.max())
        # what is impossible is executed as keep: only possible actions make different walks
        parents, chosen = np.nonzero(engine.mask[:, actions])
        plans = np.concatenate([plans[parents], np.asarray(actions)[chosen][:, None]], axis=1)
    raise AssertionError


def all_actions(deployment: Any) -> list[int]:
    return list(range(deployment.slots + 2))


def latest_actions(deployment: Any) -> list[int]:
    """Keep, deploy the newest version (where arrivals do not do that themselves), retrain."""
    return [0, deployment.slots + 1] if deployment.deploy_on_arrival else [0, 1, deployment.slots + 1]


def tiny(rng: np.random.Generator, index: int) -> tuple[np.ndarray, int, Any, np.ndarray | None]:
    """Draw a tiny walk; the bits of ``index`` switch canary, self-deployment, budget, cool-down and costs."""
    canary, by_hand, budget, cool, free, gate = ((index >> b) & 1 for b in range(6))
    slots = 1 + by_hand + canary + int(rng.integers(0, 2))
    steps = 7 if slots <= 2 else 6
    warmup = int(rng.integers(1, 3))
    T = steps + warmup
    # versions are good near the concept they were trained on
    concept = np.cumsum(rng.random(T) < 0.35) % 2
    reward = 0.4 + 0.4 * (concept[:, None] == concept[None, :]) + 0.2 * rng.random((T, T))
    if index % 7 == 0:
        reward = rng.normal(size=(T, T))
    switch, retrain = (0.0, 0.0) if free else (float(rng.random() * 0.3), float(rng.random() * 0.3))
    deployment = make(
        "deployment",
        "standard",
        slots=slots,
        label_delay=int(rng.integers(0, 3)),
        latency=int(rng.integers(0, 3)),
        cooldown=int(rng.integers(2, 5)) if cool else 0,
        switch_cost=switch,
        retrain_cost=retrain,
        budget=float(rng.random() * 1.2) if budget else None,
        canary_share=float(rng.choice([0.1, 0.3, 0.5, 0.8])) if canary else 1.0,
        canary_windows=int(rng.integers(1, 4)) if canary else 0,
        deploy_on_arrival=not by_hand,
    )
    blocked = rng.random(T) < 0.3 if gate else None
    return reward, warmup, deployment, blocked
