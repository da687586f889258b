"""Rungs between *never retrain* and the oracle: what single pieces of hindsight are worth."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from mlopsim.delivery.oracle.replay import replay_rewards


@dataclass(frozen=True, kw_only=True)
class Rung:
    """Total reward of a hindsight policy, its actions, its parameter (0: never retrains)."""

    value: float
    actions: np.ndarray
    setting: int


def _retrain_actions(deployment: Any, decisions: np.ndarray, warmup: int, T: int) -> np.ndarray:
    """Turn wished retrain decision times into actions; new versions deploy as soon as they can.

    A wish that comes too early (a job in flight, cool-down, canary) waits until a retrain is possible. Where
    arrivals do not deploy themselves, the newest version (slot 0) is deployed at the first decision after
    its arrival.
    """
    from mlopsim.delivery.oracle.problem import Problem

    problem = Problem.of(np.zeros((T, T)), warmup, deployment)
    busy = 1 + problem.latency + problem.canary_windows
    if not problem.on_arrival and problem.canary_windows:
        busy += 1
    gap = max(busy, problem.cooldown)
    actions = np.zeros(T - warmup, dtype=np.int64)
    free = warmup - 1
    for wish in np.sort(decisions):
        t = max(int(wish), free, warmup + problem.label_delay)
        if t > T - 2 - problem.latency - (not problem.on_arrival):
            break
        actions[t - (warmup - 1)] = problem.slots + 1
        free = t + gap
        if not problem.on_arrival:
            actions[t + problem.latency + 1 - (warmup - 1)] = 1
            free = max(free, t + problem.latency + 2)
    return actions


def best_period(
    reward: np.ndarray, warmup: int, deployment: Any, *, blocked: np.ndarray | None = None
) -> Rung:
    """Return the best fixed retraining period in hindsight, never included.

    Period p retrains at the decision times W-1+p, W-1+2p, ...; all periods 1..T-W are replayed.

    Parameters
    ----------
    reward, warmup, deployment, blocked
        See :func:`mlopsim.delivery.oracle.bracket.bracket`.

    Returns
    -------
    Rung
        ``setting`` is the period, 0 if never retraining is best.
    """
    T = len(reward)
    plans = [np.zeros(T - warmup, dtype=np.int64)]
    plans += [
        _retrain_actions(deployment, np.arange(warmup - 1 + p, T - 1, p), warmup, T)
        for p in range(1, T - warmup + 1)
    ]
    returns = replay_rewards(np.array(plans), reward, warmup, deployment, blocked=blocked).returns
    best = int(np.argmax(returns))
    return Rung(value=float(returns[best]), actions=plans[best], setting=best)


def knows_changes(
    reward: np.ndarray,
    warmup: int,
    deployment: Any,
    changes: Sequence[int],
    *,
    blocked: np.ndarray | None = None,
) -> Rung:
    """Return the best rule *retrain when d windows of labels after each true change are known*.

    It knows every change point, nothing else; d is one number for the roll-out, the best in hindsight
    out of 1, 2, 3, 4, 6, 8, 12, 16: the first version trained on d windows after a change at window u is
    ``v = u + d - 1``, decided at ``v + L``. Never retraining is no option here.

    Parameters
    ----------
    reward, warmup, deployment, blocked
        See :func:`mlopsim.delivery.oracle.bracket.bracket`.
    changes : sequence of int
        First window of the new law, by change.

    Returns
    -------
    Rung
        ``setting`` is d (0 without any change).
    """
    T = len(reward)
    after = np.array(sorted({int(u) for u in changes if warmup <= u < T}), dtype=np.int64)
    if len(after) == 0:
        nothing = np.zeros((1, T - warmup), dtype=np.int64)
        value = replay_rewards(nothing, reward, warmup, deployment, blocked=blocked).returns[0]
        return Rung(value=float(value), actions=nothing[0], setting=0)
    waits = [1, 2, 3, 4, 6, 8, 12, 16]
    plans = [_retrain_actions(deployment, after + d - 1 + deployment.label_delay, warmup, T) for d in waits]
    returns = replay_rewards(np.array(plans), reward, warmup, deployment, blocked=blocked).returns
    best = int(np.argmax(returns))
    return Rung(value=float(returns[best]), actions=plans[best], setting=waits[best])
