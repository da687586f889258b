"""The exact optimum of deployments without rollback."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mlopsim.delivery.oracle.plan import Plan
from mlopsim.delivery.oracle.problem import MONEY, Problem


@dataclass(frozen=True)
class Latest:
    """Optimum of the latest-version-only problem: its value and a plan that attains it."""

    value: float
    plan: Plan


def latest_only(problem: Problem) -> Latest:
    r"""Solve the latest-version-only problem exactly.

    Only the newest version is ever deployed: there is no rollback, no canary is aborted, and the number of
    slots does not matter. With ``on_arrival`` every arrival deploys, so a plan is a set of retrain times.
    Without it, the newest version of the registry may be deployed at any later decision until a newer
    one arrives.

    Parameters
    ----------
    problem : Problem
        The roll-out.

    Returns
    -------
    Latest
        Total reward over the windows W..T-1 and an optimal plan (with the fewest retrains if several are).

    Notes
    -----
    On arrival, with :math:`Q_v(i, j) = \sum_{i \le t < j} q_{v,t}`, arrival :math:`a_v = v + L + 1 + l`,
    canary windows m (0 without) and :math:`b_v = a_v + m` the first window that v serves alone,

    .. math:: V(v) = \max\Big\{Q_v(b_v, T),\ \max_{v' \ge v + D} Q_v(b_v, a_{v'}) + M(v, v')
              - r - s\,\kappa_{v'} + V(v')\Big\}

    with the spacing :math:`D = \max(1 + l + m, \text{cooldown})` (no retrain decision while a canary runs),
    the canary's mixture :math:`M = \sum_{t=a_{v'}}^{b_{v'}-1} (1-c) q_{v,t} + c\,q_{v',t}`, and
    :math:`\kappa = 1`, or c if the end comes before the promotion. Each retrain uses up r + s of the budget
    (the switch is reserved when the retrain is decided), so a budget is a limit on the number of
    retrains and becomes a second index of V.

    Without ``on_arrival`` the state is (version, window of its deployment, lost decision times): see
    the comments in the code. A version that is never deployed is never worth training.

    Examples
    --------
    A concept change at window 4; labels known at once, no latency:

    >>> reward = np.where(np.arange(8)[:, None] >= 4, 1.0, 0.25) * np.ones((8, 8))
    >>> best = latest_only(Problem(reward=reward, warmup=2, retrain_cost=0.5))
    >>> best.value, best.plan.intents
    (3.25, array([-1, -1, -1, -2, -1, -1]))
    """
    solve = _solve_on_arrival if problem.on_arrival else _solve_on_demand
    value, chain = solve(problem, None)
    unit = problem.retrain_cost + problem.switch_cost
    if len(chain) * unit > problem.budget + MONEY:
        value, chain = solve(problem, int((problem.budget + MONEY) / unit))
    L = problem.label_delay
    deploys = [] if problem.on_arrival else [(e - 1, v) for v, e in chain]
    return Latest(value, Plan.of(problem, [v + L for v, _ in chain], deploys))


def _prefix(problem: Problem) -> np.ndarray:
    """Return P with ``Q_v(i, j) = P[v - v0, j] - P[v - v0, i]``."""
    values = problem.values
    out = np.zeros((len(values), problem.T + 1))
    np.cumsum(values, axis=1, out=out[:, 1:])
    return out


def _charge(problem: Problem, start: np.ndarray) -> np.ndarray:
    """Return what a switch that starts at a window costs until the end of the roll-out."""
    promoted = start + problem.canary_windows <= problem.T - 1
    return problem.switch_cost * np.where(promoted, 1.0, problem.share)


def _solve_on_arrival(problem: Problem, limit: int | None) -> tuple[float, list[tuple[int, int]]]:
    P, versions = _prefix(problem), problem.versions
    n, T, c, m = len(versions), problem.T, problem.share, problem.canary_windows
    a = problem.firsts
    b = np.minimum(a + m, T)
    b[0] = problem.warmup
    spacing = max(1 + problem.latency + m, problem.cooldown)
    cost = problem.retrain_cost + _charge(problem, a)
    index = np.arange(n)
    # a version that a gate rejects is never worth training
    own = np.where(a < T, c * (P[index, b] - P[index, a]), -np.inf)
    layers = 1 if limit is None else limit + 1
    V = np.zeros((layers, n))
    pick = np.full((layers, n), -1, dtype=np.int64)
    for k in range(layers):
        below = V[0] if limit is None else V[k - 1]
        for i in range(n - 1, -1, -1):
            V[k, i] = P[i, T] - P[i, b[i]]
            j = 1 if i == 0 else i + spacing
            if j >= n or (limit is not None and k == 0):
                continue
            gain = (
                P[i, a[j:]]
                - P[i, b[i]]
                + (1 - c) * (P[i, b[j:]] - P[i, a[j:]])
                + own[j:]
                - cost[j:]
                + below[j:]
            )
            best = int(np.argmax(gain))
            if gain[best] > V[k, i]:
                V[k, i], pick[k, i] = gain[best], j + best
    chain, k, i = [], layers - 1, 0
    while pick[k, i] >= 0:
        i = int(pick[k, i])
        chain.append((int(versions[i]), int(a[i])))
        k = k if limit is None else k - 1
    return float(V[layers - 1, 0]), chain


def _solve_on_demand(problem: Problem, limit: int | None) -> tuple[float, list[tuple[int, int]]]:
    """Solve without ``on_arrival``; the chain holds (version, first window it gets traffic)."""
    from mlopsim.delivery.oracle._kernels import on_demand

    P, versions = _prefix(problem), problem.versions
    layers = 1 if limit is None else limit + 1
    cost = problem.retrain_cost + _charge(problem, np.arange(problem.T + 1))
    V, pick = on_demand(
        P,
        problem.firsts < problem.T,
        problem.warmup,
        problem.label_delay,
        problem.latency,
        max(1 + problem.latency, problem.cooldown),
        problem.canary_windows,
        problem.share,
        cost,
        layers,
        limit is None,
    )
    k, i, e, lost = layers - 1, 0, problem.warmup, 0
    value, chain = float(V[k, 0, e, 0]), []
    while pick[k, i, e, lost, 0] >= 0:
        j, f, lost = (int(x) for x in pick[k, i, e, lost])
        i, e = j, f
        chain.append((int(versions[i]), e))
        k = k if limit is None else k - 1
    return value, chain
