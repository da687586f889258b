"""Upper bounds under constraints: the linear program with more rows, and prices on the dual of the oracle."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from mlopsim.core.errors import MlopsimError
from mlopsim.delivery.oracle.lagrange import MARGIN, Multipliers, dual_bound
from mlopsim.delivery.oracle.linear_program import prices_of, program
from mlopsim.delivery.oracle.problem import Problem
from mlopsim.governance.optimum.constrained import Constrained, nothing_meets
from mlopsim.governance.optimum.rows import Row, rows_of


@dataclass(frozen=True, kw_only=True)
class Bound:
    """What the linear program with the rows of the limits says.

    Parameters
    ----------
    bound : float
        Safe upper bound: no plan within the limits earns more.
    value : float
        Optimal value that the solver reports.
    prices : ndarray of float64, shape (R,)
        Price of each row, >= 0: of the mean's row what one more window out of compliance is worth.
    trained : ndarray of float64, shape (n,)
        x by candidate version.
    multipliers : Multipliers
        Prices of the oracle's own rows.
    """

    bound: float
    value: float
    prices: np.ndarray
    trained: np.ndarray
    multipliers: Multipliers


def with_prices(problem: Problem, rows: Sequence[Row], prices: np.ndarray) -> tuple[Problem, float]:
    """Return the problem whose rewards are less what the rows cost, and what their limits are worth.

    A row's weights of the fallback change its quality.
    """
    n = len(problem.versions)
    charge = np.zeros(problem.servable[0].shape)
    for price, row in zip(prices, rows, strict=True):
        charge += price * row.weights
    reward = problem.reward.copy()
    reward[problem.versions] -= charge[:n]
    fallback = None if problem.fallback is None else problem.fallback - charge[n]
    worth = float(sum(price * row.limit for price, row in zip(prices, rows, strict=True)))
    return replace(problem, reward=reward, fallback=fallback), worth


def constrained_bound(constrained: Constrained, more: Sequence[Row] = ()) -> Bound:
    r"""Bound the optimum under the limits of a problem and further rows.

    Parameters
    ----------
    constrained : Constrained
        The problem with its own limits.
    more : sequence of Row, optional
        Further rows, as of :func:`mlopsim.governance.optimum.rows.floor_row`.

    Returns
    -------
    Bound

    Raises
    ------
    ConfigError
        If no plan meets the limits.
    MlopsimError
        If the solver fails.

    Notes
    -----
    The rows are added to the program of :func:`mlopsim.delivery.oracle.linear_program.program`, and y is 0
    where a version must not serve. The prices of the rows that the solver returns are then only used: with
    :math:`\pi \ge 0`,

    .. math:: U \le \sum_r \pi_r b_r + D\Big(q - \sum_r \pi_r a_r\Big),

    where D is the oracle's Lagrangian dual, whose inner problems are solved exactly.
    """
    from scipy import sparse
    from scipy.optimize import linprog

    rows = [*rows_of(constrained), *more]
    problem = constrained.problem
    lp = program(problem)
    p, total = lp.pairs.shape[1], len(lp.c)
    i, t = lp.pairs
    weights = np.array([row.weights[i, t] for row in rows]).reshape(len(rows), p)
    extra = sparse.hstack([sparse.csr_matrix(weights), sparse.csr_matrix((len(rows), total - p))])
    top = np.ones(total)
    top[:p][constrained.barred[i, t]] = 0.0
    done = linprog(
        -lp.c,
        A_ub=sparse.vstack([lp.A, extra]).tocsr(),
        b_ub=np.concatenate([lp.b, [row.limit for row in rows]]),
        A_eq=lp.E,
        b_eq=lp.e,
        bounds=np.stack([np.zeros(total), top], axis=1),
        method="highs-ds",
    )
    if done.status == 2:
        raise nothing_meets(_named(constrained))
    if done.status != 0:
        raise MlopsimError(f"the linear program was not solved: {done.message}")
    upper = -done.ineqlin.marginals
    prices = np.maximum(upper[len(lp.b) :], 0.0)
    multipliers = prices_of(problem, lp, upper[: len(lp.b)], -done.eqlin.marginals)
    changed, worth = with_prices(constrained.priced(0.0), rows, prices)
    # sums with penalties have a coarser last digit
    coarse = 0.0 if constrained.forbidden is None else MARGIN * constrained.penalty
    bound = worth + dual_bound(changed, multipliers).bound + coarse
    trained = np.concatenate([[1.0], done.x[2 * p :]])
    return Bound(bound=bound, value=float(-done.fun), prices=prices, trained=trained, multipliers=multipliers)


def _named(constrained: Constrained) -> str:
    parts = []
    if np.isfinite(constrained.limit):
        parts.append(f"{constrained.limit:g} on the mean cost of a window")
    if constrained.forbidden is not None:
        parts.append("on the cost of each window")
    if constrained.run is not None:
        parts.append(f"of {constrained.run} successive windows")
    return " and ".join(parts)


def bound_by_price(
    constrained: Constrained, free: Callable[[Problem], float], *, most: float, rounds: int = 20
) -> tuple[float, float]:
    r"""Bound the optimum under a limit on the mean by the best price, found by golden section.

    Parameters
    ----------
    constrained : Constrained
        The problem; a longest run is left out.
    free : callable
        Returns an upper bound of a problem without limits, such as one of the oracle's.
    most : float
        Largest price that is tried.
    rounds : int, default 20
        Prices tried, beside 0 and ``most``.

    Returns
    -------
    bound : float
        Of the total reward.
    price : float
        That gave it, >= 0.

    Notes
    -----
    For every price :math:`\lambda \ge 0`, :math:`U(d) \le \lambda d (T - W) + U(q - \lambda c)`, which is
    convex in :math:`\lambda`. Where ``free`` is not exact the function need not be convex to the last digit:
    every value is a bound all the same, and the smallest one seen is returned.

    Examples
    --------
    >>> from mlopsim.delivery.oracle.linear_program import lp_bound
    >>> problem = Problem(reward=np.full((12, 12), 0.9), warmup=2, fallback=np.full(12, 0.4))
    >>> one = Constrained(problem=problem, cost=np.ones((12, 12)), limit=0.25)
    >>> bound, price = bound_by_price(one, lambda free: lp_bound(free).bound, most=2.0)
    >>> round(bound, 6), round(price, 6)
    (5.25, 0.5)
    """
    seen: dict[float, float] = {}

    def at(price: float) -> float:
        if price not in seen:
            spent = price * constrained.allowance if price > 0.0 else 0.0
            seen[price] = spent + free(constrained.priced(price)) + MARGIN
        return seen[price]

    low, high = 0.0, most
    ratio = (5**0.5 - 1) / 2
    left, right = high - ratio * (high - low), low + ratio * (high - low)
    at(low), at(high)
    for _ in range(rounds):
        if at(left) <= at(right):
            high, right = right, left
            left = high - ratio * (high - low)
        else:
            low, left = left, right
            right = low + ratio * (high - low)
    for _ in range(2):
        # the function is made of straight lines: where those on both sides of the best price meet
        tried = sorted(seen)
        place = tried.index(min(seen, key=lambda x: (seen[x], x)))
        if not 2 <= place <= len(tried) - 3:
            break
        (a, b), (c, d) = tried[place - 2 : place], tried[place + 1 : place + 3]
        falling, rising = (seen[b] - seen[a]) / (b - a), (seen[d] - seen[c]) / (d - c)
        if falling >= rising:
            break
        at(min(max((seen[c] - seen[b] + falling * b - rising * c) / (falling - rising), b), c))
    price = min(seen, key=lambda x: (seen[x], x))
    return seen[price], price
