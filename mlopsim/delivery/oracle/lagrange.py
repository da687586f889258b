"""The Lagrangian bound of a roll-out with a registry: valid for any multipliers."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from mlopsim.delivery.oracle.problem import MONEY, Problem

#: added to every bound: far above the round-off of its sums, far below anything that matters
MARGIN = 1e-10


@dataclass(kw_only=True)
class Multipliers:
    """Prices of the relaxed rows (see :func:`dual_bound`).

    Parameters
    ----------
    use : ndarray of float64, shape (n, T)
        Of ``y[v, t] <= k[v, t] x[v]``; row 0 (the initial version, always trained) is not used.
    budget : float
        Of ``cost <= B``.
    count : float
        Of ``sum x <= N``.
    """

    use: np.ndarray
    budget: float = 0.0
    count: float = 0.0


def coupling(problem: Problem) -> np.ndarray:
    """Return k in ``y[v, t] <= k[v, t] x[v]``, float64 of shape (n, T).

    1 where v can serve; during the first ``canary_windows`` windows after v becomes available no traffic
    share above c is possible; 0 before.
    """
    since = np.arange(problem.T)[None, :] - problem.firsts[:, None]
    k = np.where(since < problem.canary_windows, problem.share, 1.0)
    k[since < 0] = 0.0
    k[0] = 0.0
    return k


def forced(problem: Problem) -> np.ndarray:
    """Return where ``y = k x``: at the arrival of a version that deploys itself; bool (n, T)."""
    out = np.zeros((len(problem.versions), problem.T), dtype=bool)
    if problem.on_arrival:
        index = np.flatnonzero(problem.firsts < problem.T)[1:]
        out[index, problem.firsts[index]] = True
    return out


def most_retrains(problem: Problem) -> int | None:
    """Return how many retrains the budget can pay, None if it sets no limit.

    Each pays its own cost and, if it deploys itself at once, a whole switch.
    """
    unit = problem.retrain_cost
    if problem.on_arrival and problem.share == 1:
        unit += problem.switch_cost
    if math.isinf(problem.budget) or unit == 0:
        return None
    return int((problem.budget + MONEY) / unit)


def dual_bound(problem: Problem, multipliers: Multipliers) -> tuple[float, np.ndarray, np.ndarray]:
    r"""Evaluate the Lagrangian dual: an upper bound of the roll-out's optimum for any multipliers.

    Parameters
    ----------
    problem : Problem
        The roll-out.
    multipliers : Multipliers
        Any; negative prices of inequalities are replaced by 0.

    Returns
    -------
    bound : float
        In total reward.
    path : ndarray of int64, shape (T,)
        Index of the version that serves in the inner optimum, by window.
    chosen : ndarray of bool, shape (n,)
        Versions that are trained in the inner optimum.

    Notes
    -----
    With :math:`\mu \ge 0` (free where arrival deploys, an equality), :math:`\beta, \gamma \ge 0`,

    .. math:: U = \beta B + \gamma N
              + \max_{y, z} \sum_{v,t} (q_{v,t} - \mu_{v,t}) y_{v,t} - (1 + \beta) s \sum_{v,t} z_{v,t}
              + \max_{x} \sum_v x_v \Big(\sum_t k_{v,t} \mu_{v,t} - (1 + \beta) r - \gamma\Big).

    The first maximum is a longest path over (window, version), the second one over versions that are
    ``spacing`` apart; both are solved exactly, so nothing depends on the tolerance of a solver. Both
    polytopes are integral, hence the best multipliers give the value of the linear program.
    """
    from mlopsim.delivery.oracle import _kernels

    k, equal = coupling(problem), forced(problem)
    use = np.where(equal, multipliers.use, np.maximum(multipliers.use, 0.0))
    use[k == 0.0] = 0.0
    limit = most_retrains(problem)
    beta = 0.0 if math.isinf(problem.budget) else max(multipliers.budget, 0.0)
    gamma = 0.0 if limit is None else max(multipliers.count, 0.0)
    path = np.zeros(problem.T, dtype=np.int64)
    chosen = np.zeros(len(k), dtype=np.bool_)
    bound = _kernels.serve(
        problem.values - use, problem.firsts, problem.warmup, (1 + beta) * problem.switch_cost, path
    )
    worth = (k * use).sum(axis=1) - (1 + beta) * problem.retrain_cost - gamma
    bound += _kernels.train(worth, problem.spacing, chosen)
    if beta:
        bound += beta * (problem.budget + MONEY)
    if gamma and limit is not None:
        bound += gamma * limit
    return float(bound) + MARGIN, path, chosen


def lagrangian_bound(
    problem: Problem, lower: float, *, iterations: int = 600, start: Multipliers | None = None
) -> tuple[float, Multipliers]:
    """Improve the Lagrangian bound by a deflected subgradient method with Polyak steps.

    Parameters
    ----------
    problem : Problem
        The roll-out.
    lower : float
        Reward of a feasible plan: the target of the step length.
    iterations : int, default 600
        Evaluations of the dual.
    start : Multipliers, optional
        Where to begin.

    Returns
    -------
    bound : float
        The best bound found; valid whatever the number of iterations.
    multipliers : Multipliers
        What gave it.

    References
    ----------
    P. M. Camerini, L. Fratta and F. Maffioli, "On improving relaxation methods by modified gradient
    techniques", Mathematical Programming Study 3 (1975).
    """
    k, equal = coupling(problem), forced(problem)
    limit = most_retrains(problem)
    q, n = problem.values, len(problem.versions)
    s, r = problem.switch_cost, problem.retrain_cost
    use = np.zeros_like(k) if start is None else start.use.copy()
    beta, gamma = (0.0, 0.0) if start is None else (start.budget, start.count)
    best, at = math.inf, Multipliers(use=use.copy(), budget=beta, count=gamma)
    direction = np.zeros_like(k)
    d_beta = d_gamma = 0.0
    scale, stalled = 1.0, 0
    index = np.arange(problem.warmup, problem.T)
    for _ in range(iterations):
        value, path, chosen = dual_bound(problem, Multipliers(use=use, budget=beta, count=gamma))
        if value < best - 1e-7 * max(abs(best), 1.0) or math.isinf(best):
            stalled = 0
        else:
            stalled += 1
            if stalled == 15:
                scale, stalled = scale / 2, 0
                use, beta, gamma = at.use.copy(), at.budget, at.count
                direction[:] = 0.0
        if value < best:
            best, at = value, Multipliers(use=use.copy(), budget=beta, count=gamma)
        if best - lower <= 1e-9 or scale < 1e-5:
            break
        # subgradient of the dual: what the relaxed rows are violated by in the inner optimum
        gradient = np.where(chosen[:, None], k, 0.0)
        gradient[path[index], index] -= 1.0
        gradient[0] = 0.0
        switches = float((np.diff(np.concatenate([[0], path[index]])) != 0).sum())
        g_beta = 0.0 if math.isinf(problem.budget) else problem.budget - r * chosen.sum() - s * switches
        g_gamma = 0.0 if limit is None else limit - float(chosen.sum())
        # an inequality at price 0 that is slack cannot be improved by lowering its price
        gradient[(use <= 0) & (gradient > 0) & ~equal] = 0.0
        if beta <= 0 and g_beta > 0:
            g_beta = 0.0
        if gamma <= 0 and g_gamma > 0:
            g_gamma = 0.0
        inner = float((direction * gradient).sum()) + d_beta * g_beta + d_gamma * g_gamma
        length = float((direction**2).sum()) + d_beta**2 + d_gamma**2
        turn = max(0.0, -1.5 * inner / length) if length > 0 else 0.0
        direction = gradient + turn * direction
        d_beta, d_gamma = g_beta + turn * d_beta, g_gamma + turn * d_gamma
        length = float((direction**2).sum()) + d_beta**2 + d_gamma**2
        if length == 0.0:
            break
        step = scale * max(value - lower, 1e-9) / length
        use = use - step * direction
        use[~equal] = np.maximum(use[~equal], 0.0)
        beta, gamma = max(beta - step * d_beta, 0.0), max(gamma - step * d_gamma, 0.0)
    assert q.shape == (n, problem.T)
    return best, at
