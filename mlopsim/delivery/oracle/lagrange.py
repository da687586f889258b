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
    use : ndarray of float64, shape (m, T)
        Of ``y[v, t] <= k[v, t] p[v, t]``: traffic only for a version in the registry. One row for each of
        :attr:`mlopsim.delivery.oracle.problem.Problem.servable`; that of a fallback is never read.
    room : ndarray of float64, shape (T,)
        Of ``sum p[:, t] <= K``.
    budget : float
        Of ``cost <= B``.
    count : float
        Of ``sum x <= N``.
    """

    use: np.ndarray
    room: np.ndarray
    budget: float = 0.0
    count: float = 0.0

    @classmethod
    def zero(cls, problem: Problem) -> Multipliers:
        """Return prices of 0."""
        return cls(use=np.zeros(problem.servable[0].shape), room=np.zeros(problem.T))


@dataclass(frozen=True, kw_only=True)
class Dual:
    """The Lagrangian dual at some multipliers.

    Parameters
    ----------
    bound : float
        In total reward: no roll-out earns more.
    serve : tuple of ndarray
        Tables of :func:`mlopsim.delivery.oracle._paths.fill_tables`.
    credit : ndarray of float64, shape (T + 1, n)
        What the prices pay a version from window t on.
    worth : ndarray of float64, shape (n,)
        What training a version pays; not of the initial one.
    switch_cost : float
        With the price of the budget.
    """

    bound: float
    serve: tuple[np.ndarray, ...]
    credit: np.ndarray
    worth: np.ndarray
    switch_cost: float


@dataclass(frozen=True, kw_only=True)
class Rows:
    """The relaxed rows of a problem, time first.

    Parameters
    ----------
    values, k : ndarray of float64, shape (T, n)
        Rewards, and :func:`coupling`.
    equal : ndarray of bool, shape (T, n)
        See :func:`forced`.
    firsts : ndarray of int64, shape (n,)
        First windows of the versions.
    limit : int or None
        See :func:`most_retrains`.
    """

    values: np.ndarray
    k: np.ndarray
    equal: np.ndarray
    firsts: np.ndarray
    limit: int | None

    @classmethod
    def of(cls, problem: Problem) -> Rows:
        """Write the rows of a problem down."""
        first, (values, firsts) = np.ascontiguousarray, problem.servable
        return cls(
            values=first(values.T), k=first(coupling(problem).T), equal=first(forced(problem).T),
            firsts=firsts, limit=most_retrains(problem),
        )  # fmt: skip

    def valid(self, problem: Problem, prices: Multipliers) -> Multipliers:
        """Return prices (``use`` time first) with what is no price of its row set to 0."""
        use = np.where(self.equal, prices.use.T, np.maximum(prices.use.T, 0.0))
        use[self.k == 0.0] = 0.0
        use[:, len(problem.versions) :] = 0.0
        return Multipliers(
            use=use,
            room=np.maximum(prices.room, 0.0),
            budget=0.0 if math.isinf(problem.budget) else max(prices.budget, 0.0),
            count=0.0 if self.limit is None else max(prices.count, 0.0),
        )


def coupling(problem: Problem) -> np.ndarray:
    """Return k in ``y[v, t] <= k[v, t] p[v, t]``, float64 of shape (m, T).

    1 where v can serve; during the first ``canary_windows`` windows after v becomes available no traffic
    share above c is possible (where there is no fallback, which may be left at once); 0 before.
    """
    since = np.arange(problem.T)[None, :] - problem.servable[1][:, None]
    k = np.where((since < problem.canary_windows) & (problem.fallback is None), problem.share, 1.0)
    k[since < 0] = 0.0
    k[0] = since[0] >= 0
    return k


def forced(problem: Problem) -> np.ndarray:
    """Return where ``y = k p``: at the arrival of a version that deploys itself; bool (m, T).

    Beside a fallback f the row is ``y <= k p`` there, and ``y + y[f] >= p``: a suspension may begin in that
    window, or last. Its price counts as a negative one of the former.
    """
    out = np.zeros(problem.servable[0].shape, dtype=bool)
    if problem.lands:
        index = np.flatnonzero(problem.firsts < problem.T)[1:]
        out[index, problem.firsts[index]] = True
    return out


def most_retrains(problem: Problem) -> int | None:
    """Return how many retrains the budget can pay, None if it sets no limit.

    Each pays its own cost and, where its arrival moves the whole traffic to it or to a fallback, a switch.
    """
    unit = problem.retrain_cost
    if problem.lands and problem.share == 1 and (problem.fallback is None or problem.resumes):
        unit += problem.switch_cost
    if math.isinf(problem.budget) or unit == 0:
        return None
    return int((problem.budget + MONEY) / unit)


def gains(rows: Rows, prices: Multipliers, versions: int) -> np.ndarray:
    """Return rewards less prices, time first: float64 (T, m). A fallback is paid what an arrival is not."""
    gain: np.ndarray = rows.values - prices.use
    gain[:, versions:] += np.maximum(-prices.use, 0.0).sum(axis=1, keepdims=True)
    return gain


def shared_windows(problem: Problem) -> int:
    """Return for how many windows the dual shares traffic as canaries do.

    0 beside a fallback: traffic is then divided as one likes, which no canary beats, since every move of
    traffic is charged by its share.
    """
    return problem.canary_windows if problem.fallback is None else 0


def dual_bound(problem: Problem, multipliers: Multipliers) -> Dual:
    r"""Evaluate the Lagrangian dual: an upper bound of the roll-out's optimum for any multipliers.

    Parameters
    ----------
    problem : Problem
        The roll-out.
    multipliers : Multipliers
        Any; negative prices of inequalities are replaced by 0.

    Returns
    -------
    Dual

    Notes
    -----
    p[v, t] says whether version v is in the registry in window t: a version leaves it once and for all. With
    :math:`\mu \ge 0` (free where arrival deploys, an equality), :math:`\lambda, \beta, \gamma \ge 0`,

    .. math:: U = \beta B + \gamma N + K \sum_t \lambda_t
              + \max_{y, z} \sum_{v,t} (q_{v,t} - \mu_{v,t}) y_{v,t} - (1 + \beta) s \sum_{v,t} z_{v,t}
              + \max_{x} \sum_v x_v \Big(\max_p \sum_t p_{v,t} (k_{v,t} \mu_{v,t} - \lambda_t)
              - (1 + \beta) r - \gamma\Big).

    The first maximum is a longest path over (window, version); with canaries it shares its traffic as they do
    (c for some windows, then promoted, aborted, or replaced by an arrival). The second one is over versions
    that are ``spacing`` apart (the initial one costs nothing), each of which leaves when that is best. All
    are solved exactly, so nothing depends on the tolerance of a solver. Without canaries and with
    :math:`\lambda = 0` the best multipliers give the value of the linear program.
    """
    rows = Rows.of(problem)
    return _evaluate(problem, rows, rows.valid(problem, multipliers))


def _evaluate(problem: Problem, rows: Rows, prices: Multipliers) -> Dual:
    """Evaluate the dual at valid prices, time first."""
    from mlopsim.delivery.oracle import _paths

    cost, (T, n) = (1 + prices.budget) * problem.switch_cost, rows.values.shape
    m = shared_windows(problem)
    serve, reach = _paths.tables_for(T, n, m), _paths.reach_of(rows.firsts, T)
    _paths.fill_tables(
        gains(rows, prices, len(problem.versions)), rows.firsts, reach, problem.warmup, cost, problem.share,
        m, serve,
    )  # fmt: skip
    credit = np.zeros((T + 1, n))
    _paths.stays(rows.k, prices.use, prices.room, rows.firsts, reach, problem.on_arrival, credit)
    trainable = len(problem.versions)
    worth = credit[0, :trainable] - (1 + prices.budget) * problem.retrain_cost - prices.count
    chosen = np.zeros(trainable, dtype=np.bool_)
    bound = float(serve[0][problem.warmup, 0]) + float(credit[0, 0])
    bound += _paths.train(worth, problem.gaps, chosen) + problem.slots * float(prices.room.sum())
    if prices.budget:
        bound += prices.budget * (problem.budget + MONEY)
    if prices.count and rows.limit is not None:
        bound += prices.count * rows.limit
    return Dual(bound=bound + MARGIN, serve=serve, credit=credit, worth=worth, switch_cost=cost)


def lagrangian_bound(
    problem: Problem,
    lower: float,
    *,
    iterations: int = 600,
    start: Multipliers | None = None,
    capacity: bool = True,
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
    capacity : bool, default True
        Whether places in the registry have prices, too; without, the bound of the linear program is
        approached.

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
    from mlopsim.delivery.oracle import _paths

    rows = Rows.of(problem)
    now = rows.valid(problem, Multipliers.zero(problem) if start is None else start)
    scalars = np.array([now.budget, now.count])
    best = _paths.descend(
        rows.values, rows.k, rows.equal, rows.firsts, problem.warmup, problem.gaps, problem.slots,
        problem.on_arrival, problem.switch_cost, problem.retrain_cost, problem.share,
        shared_windows(problem), problem.budget, MONEY, -1 if rows.limit is None else rows.limit, lower,
        iterations, capacity, now.use, now.room, scalars,
    )  # fmt: skip
    found = Multipliers(
        use=np.ascontiguousarray(now.use.T),
        room=now.room,
        budget=float(scalars[0]),
        count=float(scalars[1]),
    )
    return float(best) + MARGIN, found
