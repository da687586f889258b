"""Closing the bracket: all plans that the bound does not rule out, walked together through the dynamics."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from mlopsim.delivery.oracle.lagrange import MARGIN, Multipliers, Rows, dual_bound, most_retrains
from mlopsim.delivery.oracle.problem import MONEY, Problem

#: states that are kept at each decision time
STATES = 4000


@dataclass(frozen=True, kw_only=True)
class Found:
    """What the search leaves.

    Parameters
    ----------
    upper : float
        No plan earns more.
    value : float
        What ``actions`` earns, shadow costs aside; -inf if nothing better than the known plan was found.
    actions : ndarray of int64, shape (T - W,), or None
        The best plan found.
    widest : int
        Most states at one decision time before any was left out.
    """

    upper: float
    value: float
    actions: np.ndarray | None
    widest: int


def search(problem: Problem, multipliers: Multipliers, lower: float, *, states: int = STATES) -> Found:
    r"""Search all plans, decision by decision, keeping what may still beat a known plan.

    Parameters
    ----------
    problem : Problem
        The roll-out.
    multipliers : Multipliers
        Of the Lagrangian dual: any give a valid answer, good ones a narrow one.
    lower : float
        What a known plan earns.
    states : int, default 4000
        How many states to keep at one decision time.

    Returns
    -------
    Found

    Notes
    -----
    A state is all that the future depends on: the registry, what has traffic, the job, and with a budget what
    is spent; of several ways to one state the best remains (dynamic programming). Its bound is what it has
    earned plus the Lagrangian dual of what is left, with the versions of its registry as trained and those
    that were evicted as gone: capacity and canaries, which the linear program does not know, enter here.
    States whose bound does not exceed the known plan are dropped. Of the others at most ``states`` are kept,
    those with the highest bounds; the highest bound of one left out is remembered. So

    .. math:: U = \max(\text{known plan}, \text{best plan found}, \text{highest bound left out})

    holds for any number of states, and is the optimum where none was left out. This is a relaxed and a
    restricted decision diagram in one.

    References
    ----------
    D. Bergman, A. A. Cire, W.-J. van Hoeve and J. N. Hooker, "Discrete optimization with decision diagrams",
    INFORMS Journal on Computing 28 (2016).

    Examples
    --------
    >>> reward = np.where(np.arange(8)[:, None] >= 4, 1.0, 0.25) * np.ones((8, 8))
    >>> problem = Problem(reward=reward, warmup=2, retrain_cost=0.5)
    >>> found = search(problem, Multipliers.zero(problem), lower=0.0)
    >>> round(found.upper, 6), found.actions
    (3.25, array([0, 0, 0, 5, 0, 0]))
    """
    from mlopsim.delivery import dynamics as d
    from mlopsim.delivery.oracle import _search

    tables = _bounds(problem, multipliers)
    steps, width = problem.T - problem.warmup, d.SLOTS_I + problem.slots * d.WIDTH_I
    p = np.array(
        [problem.slots, problem.label_delay, problem.latency, problem.cooldown, problem.share < 1,
         problem.canary_windows, d.DEPLOYED, problem.on_arrival, problem.T - 1, problem.warmup],
        dtype=np.int64,
    )  # fmt: skip
    q = np.array([problem.switch_cost, problem.retrain_cost, problem.budget, problem.share, 0.0])
    nodes = np.empty((1, width), dtype=np.int32)
    d.start(0, 0, problem.T - 1, nodes, np.zeros((1, d.SLOTS_F + problem.slots * d.WIDTH_F)), p)
    spent, values = np.zeros(1), np.zeros(1)
    blocked = np.zeros((0, 0), dtype=bool) if problem.blocked is None else problem.blocked[None]
    usable = problem.firsts < problem.T
    usable[0] = False
    kept = np.triu_indices(steps + 1)
    reward = np.ascontiguousarray(problem.reward[problem.v0 :, problem.v0 :][kept])[None]
    trail: list[tuple[np.ndarray, np.ndarray]] = []
    left_out, widest = -math.inf, 1
    for _ in range(steps):
        # a bound that equals what is known is round-off
        found = _search.layer(
            nodes, spent, values, reward, blocked, p, q, usable, *tables, lower + 2 * MARGIN
        )
        nodes, spent, values, bounds, parents, actions = (part[: found[6]] for part in found[:6])
        widest = max(widest, len(nodes))
        if len(nodes) > states:
            order = np.argpartition(-bounds, states)
            left_out = max(left_out, float(bounds[order[states:]].max()))
            keep = np.sort(order[:states])
            nodes, spent, values = nodes[keep], spent[keep], values[keep]
            parents, actions = parents[keep], actions[keep]
        trail.append((parents.copy(), actions.copy()))
        if not len(nodes):
            break
    if not len(nodes):
        return Found(upper=max(lower, left_out) + MARGIN, value=-math.inf, actions=None, widest=widest)
    place = int(np.argmax(values))
    value = float(values[place])
    plan = np.zeros(steps, dtype=np.int64)
    for step in range(steps - 1, -1, -1):
        parents, actions = trail[step]
        plan[step] = actions[place]
        place = int(parents[place])
    return Found(upper=max(lower, value, left_out) + MARGIN, value=value, actions=plan, widest=widest)


def _bounds(problem: Problem, multipliers: Multipliers) -> tuple[object, ...]:
    """Return the tables of which the bound of a state is made, in the order in which they are passed on."""
    dual, limit = dual_bound(problem, multipliers), most_retrains(problem)
    prices = Rows.of(problem).valid(problem, multipliers)
    alone, begun, prefix, _, _ = dual.serve
    train = np.zeros(problem.T + 1)
    for t in range(problem.T - 2, problem.warmup - 2, -1):
        # version that a retrain at decision time t trains
        i = t - problem.label_delay - problem.v0
        train[t] = train[t + 1]
        if 0 < i < len(dual.worth):
            train[t] = max(train[t], dual.worth[i] + train[min(t + problem.spacing, problem.T)])
    # what the places from the next window on are paid for
    rent = np.concatenate([np.cumsum(prices.room[::-1])[::-1], [0.0]]) * problem.slots
    unit = problem.retrain_cost + (problem.switch_cost if problem.on_arrival and problem.share == 1 else 0.0)
    budget = 0.0 if math.isinf(problem.budget) else problem.budget + MONEY
    scalars = np.array([prices.budget, prices.count if limit is not None else 0.0, budget, unit])
    shape = (dual.switch_cost, problem.share, problem.T - 1)
    return shape, alone, begun, prefix, dual.credit, train, rent, scalars
