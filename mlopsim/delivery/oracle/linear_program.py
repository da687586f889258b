"""The upper end of the bracket: a linear program over all versions and windows."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from mlopsim.core.errors import MlopsimError
from mlopsim.delivery.oracle.lagrange import Multipliers, coupling, dual_bound, forced, most_retrains
from mlopsim.delivery.oracle.problem import MONEY, Problem


@dataclass(frozen=True, kw_only=True)
class Relaxation:
    """What the linear program says.

    Parameters
    ----------
    bound : float
        Safe upper bound: the Lagrangian dual evaluated at the program's prices, never below the optimum.
    value : float
        Optimal value that the solver reports (equal to ``bound`` within its tolerance).
    trained : ndarray of float64, shape (n,)
        x by candidate version, in 0..1; 1 for the initial version.
    multipliers : Multipliers
        The prices.
    """

    bound: float
    value: float
    trained: np.ndarray
    multipliers: Multipliers


@dataclass(frozen=True, kw_only=True)
class Program:
    """The program ``max c'u, A u <= b, E u = e, 0 <= u <= 1`` with u = (y, z, x).

    ``pairs`` (2, p): version index and window of each y and z. The rows of A are ``p`` switch rows, the
    ``len(rows)`` coupling rows (``rows`` indexes pairs), the job rows, then budget and count if there are
    any; ``fixed`` are the pairs where arrival deploys, whose coupling rows are the tail of E. A fallback is
    one more version index, without x; ``fixed`` is then empty, and A ends with rows ``x - y - y[f] <= 0`` at
    the ``landing`` pairs.
    """

    c: np.ndarray
    A: object
    b: np.ndarray
    E: object
    e: np.ndarray
    pairs: np.ndarray
    rows: np.ndarray
    fixed: np.ndarray
    landing: np.ndarray
    has_budget: bool
    has_count: bool


def program(problem: Problem) -> Program:
    r"""Write the linear program down.

    Notes
    -----
    Variables, for every candidate version v and window t in which v could serve: y[v,t] the traffic share
    of v, z[v,t] its increase, x[v] whether v is trained.

    .. math::

        \max \sum_{v,t} q_{v,t} y_{v,t} - s \sum_{v,t} z_{v,t} - r \sum_v x_v \quad\text{subject to}

        \textstyle\sum_v y_{v,t} = 1, \qquad z_{v,t} \ge y_{v,t} - y_{v,t-1}, \qquad
        y_{v,t} \le k_{v,t}\, x_v,

        y_{v,a_v} = k_{v,a_v} x_v \ \text{(where arrival deploys)}, \qquad
        \textstyle\sum_{u \le v < u + D} x_v \le 1,

        \textstyle s \sum z + r \sum x \le B, \qquad \sum x \le N,

    with :math:`y_{v_0,W-1} = 1`; k is the canary's share c in the first windows in which v could serve,
    else 1; D is the smallest distance between retrain decisions and N the number of retrains that the
    budget can pay.
    Every feasible roll-out gives a point of this polytope that earns no less: its traffic is y (the
    sum of z is the total variation by which switches are charged; two switches at the start of one
    window, charged one by one, cost no less). Registry capacity and shadow costs are dropped.
    """
    from scipy import sparse

    (values, firsts), T, W = problem.servable, problem.T, problem.warmup
    n = len(problem.versions)
    k, equal = coupling(problem), forced(problem)
    pairs = np.array(np.nonzero(np.arange(T)[None, :] >= firsts[:, None]))
    i, t = pairs
    p = pairs.shape[1]
    total = 2 * p + n - 1
    c = np.concatenate(
        [values[i, t], np.full(p, -problem.switch_cost), np.full(n - 1, -problem.retrain_cost)]
    )
    own = np.arange(p)
    late = own[t > firsts[i]]
    switch = sparse.coo_matrix(
        (
            np.concatenate([np.ones(p), -np.ones(len(late)), -np.ones(p)]),
            (np.concatenate([own, late, own]), np.concatenate([own, late - 1, p + own])),
        ),
        shape=(p, total),
    )
    b_switch = np.zeros(p)
    b_switch[0] = 1.0

    def couple(rows: np.ndarray) -> sparse.coo_matrix:
        """Rows ``y - k x`` for the given pairs."""
        line = np.arange(len(rows))
        return sparse.coo_matrix(
            (
                np.concatenate([np.ones(len(rows)), -k[i[rows], t[rows]]]),
                (np.concatenate([line, line]), np.concatenate([rows, 2 * p + i[rows] - 1])),
            ),
            shape=(len(rows), total),
        )

    fixed, landing = own[(i > 0) & equal[i, t]], np.zeros(0, dtype=np.int64)
    if problem.fallback is not None:
        fixed, landing = landing, fixed
    rows = np.setdiff1d(own[(i > 0) & (i < n)], fixed)
    members = _jobs(problem)
    starts = np.arange(len(members), dtype=np.int64)
    job = sparse.coo_matrix(
        (
            np.ones(sum(map(len, members))),
            (
                np.repeat(starts, [len(m) for m in members]),
                2 * p + np.concatenate([*members, np.zeros(0, dtype=np.int64)]).astype(np.int64),
            ),
        ),
        shape=(len(starts), total),
    )
    blocks = [switch, couple(rows), job]
    b = [b_switch, np.zeros(len(rows)), np.ones(len(starts))]
    if has_budget := not math.isinf(problem.budget):
        line = np.concatenate(
            [np.zeros(p), np.full(p, problem.switch_cost), np.full(n - 1, problem.retrain_cost)]
        )
        blocks.append(sparse.coo_matrix(line[None, :]))
        b.append(np.array([problem.budget + MONEY]))
    limit = most_retrains(problem)
    if has_count := limit is not None:
        line = np.concatenate([np.zeros(2 * p), np.ones(n - 1)])
        blocks.append(sparse.coo_matrix(line[None, :]))
        b.append(np.array([float(limit or 0)]))
    if len(landing):
        # pairs of the fallback are the last ones, from window W on
        beside = p - (T - W) + t[landing] - W
        line = np.arange(len(landing))
        other = sparse.coo_matrix((np.full(len(line), -1.0), (line, beside)), shape=(len(line), total))
        blocks.append(other - couple(landing))
        b.append(np.zeros(len(landing)))
    one = sparse.coo_matrix((np.ones(p), (t - W, own)), shape=(T - W, total))
    return Program(
        c=c,
        A=sparse.vstack(blocks).tocsr(),
        b=np.concatenate(b),
        E=sparse.vstack([one, couple(fixed)]).tocsr(),
        e=np.concatenate([np.ones(T - W), np.zeros(len(fixed))]),
        pairs=pairs,
        rows=rows,
        fixed=fixed,
        landing=landing,
        has_budget=has_budget,
        has_count=has_count,
    )


def _jobs(problem: Problem) -> list[np.ndarray]:
    """Return sets of versions (numbers of x) of which one can be trained, int64 each."""
    n, D = len(problem.versions), problem.spacing
    if problem.delay is None:
        return [np.arange(u, min(u + D, n - 1)) for u in range(max(n - D, 1) if n > 1 else 0)]
    first = np.arange(n - 1)
    last = first + problem.gaps[1:] - 1
    # those whose jobs are still busy when u could be decided
    return [first[(first <= u) & (last >= u)] for u in range(n - 1)]


def prices_of(problem: Problem, lp: Program, upper: np.ndarray, equal: np.ndarray) -> Multipliers:
    """Read the prices of the relaxed rows from those of all rows of A (``upper``) and of E (``equal``)."""
    p, (i, t) = lp.pairs.shape[1], lp.pairs
    use = np.zeros(problem.servable[0].shape)
    use[i[lp.rows], t[lp.rows]] = upper[p : p + len(lp.rows)]
    use[i[lp.fixed], t[lp.fixed]] = equal[problem.T - problem.warmup :]
    last = len(lp.b) - len(lp.landing)
    use[i[lp.landing], t[lp.landing]] -= upper[last : len(lp.b)]
    tail = list(upper[last - lp.has_budget - lp.has_count : last])
    return Multipliers(
        use=use,
        room=np.zeros(problem.T),
        budget=tail[0] if lp.has_budget else 0.0,
        count=tail[-1] if lp.has_count else 0.0,
    )


def lp_bound(problem: Problem) -> Relaxation:
    """Solve the linear program with HiGHS' dual simplex and return a safe bound.

    The prices that the solver returns are only used as multipliers of the Lagrangian dual, whose inner
    problems are solved exactly (:func:`mlopsim.delivery.oracle.lagrange.dual_bound`); so the solver's
    tolerances can make the bound looser, never wrong.

    Raises
    ------
    MlopsimError
        If the solver does not find an optimum.

    Examples
    --------
    >>> reward = np.where(np.arange(8)[:, None] >= 4, 1.0, 0.25) * np.ones((8, 8))
    >>> round(lp_bound(Problem(reward=reward, warmup=2, retrain_cost=0.5)).bound, 6)
    3.25
    """
    from scipy.optimize import linprog

    lp = program(problem)
    done = linprog(-lp.c, A_ub=lp.A, b_ub=lp.b, A_eq=lp.E, b_eq=lp.e, bounds=(0.0, 1.0), method="highs-ds")
    if done.status != 0:
        raise MlopsimError(f"the linear program was not solved: {done.message}")
    p = lp.pairs.shape[1]
    multipliers = prices_of(problem, lp, -done.ineqlin.marginals, -done.eqlin.marginals)
    bound = dual_bound(problem, multipliers).bound
    trained = np.concatenate([[1.0], done.x[2 * p :]])
    return Relaxation(bound=bound, value=float(-done.fun), trained=trained, multipliers=multipliers)
