"""The exact front of a small World: registry and cost so far are in the state."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mlopsim.core.errors import MlopsimError
from mlopsim.governance.constraint import Over
from mlopsim.governance.optimum.case import Case
from mlopsim.governance.optimum.constrained import TOLERANCE, nothing_meets

#: two returns that differ by less are equal
VALUE = 1e-12


@dataclass(frozen=True, kw_only=True)
class Exhaustive:
    """All plans of one roll-out that no other plan beats in both return and cost.

    Parameters
    ----------
    cost, value : ndarray of float64, shape (P,)
        Total cost of the constraint on the mean (0 without one) and total reward; both ascend.
    actions : ndarray of int64, shape (P, S)
        Plans.
    """

    cost: np.ndarray
    value: np.ndarray
    actions: np.ndarray

    def at(self, allowance: float) -> int:
        """Return the number of the best plan of at most this total cost.

        Raises
        ------
        ConfigError
            If there is none.
        """
        found = int(np.searchsorted(self.cost, allowance + TOLERANCE, side="right")) - 1
        if found < 0:
            raise nothing_meets(f"{allowance:g} on the total cost")
        return found


def exhaustive(case: Case, *, labels: int = 200_000) -> Exhaustive:
    """Find the exact front of return against cost of one roll-out.

    Parameters
    ----------
    case : Case
        A small World with its deployment and limits. Limits on windows and runs are kept; of the limit on the
        mean only the cost is used: the front answers for all limits.
    labels : int, default 200 000
        Most plans that are kept at one decision time.

    Returns
    -------
    Exhaustive

    Raises
    ------
    MlopsimError
        If there are more labels.
    ConfigError
        If no plan keeps the limits on windows and runs.

    Notes
    -----
    Dynamic programming over all that the future depends on: registry, what serves, canary, job, suspension,
    with a budget what is spent, and the lengths of runs; the dynamics themselves make the next states. For
    each state all plans remain that no other one beats in both return and cost: where costs are 0 or 1
    that is one a count of windows out of compliance.

    Examples
    --------
    >>> from mlopsim.core.spec import make
    >>> deployment = make("deployment", "standard", switch_cost=0.0, retrain_cost=1.0)
    >>> case = Case.bare(np.full((7, 7), 0.75), 2, deployment, cost=np.ones((7, 7)),
    ...                  fallback=np.full(7, 0.25))
    >>> found = exhaustive(case)
    >>> found.cost, found.value
    (array([0., 1., 2., 3., 4., 5.]), array([1.25, 1.75, 2.25, 2.75, 3.25, 3.75]))
    """
    from mlopsim.delivery import dynamics as d
    from mlopsim.delivery.engine import Engine

    engine = Engine(case.pool, case.deployment, 1, mechanisms=case.mechanisms)
    engine.begin(*case._begin(1))
    rules = [(k, rule, case.mechanisms.costs[k].limit) for k, rule in enumerate(case.rules)]
    runs = [k for k, rule, _ in rules if rule is Over.RUN]
    budget = bool(np.isfinite(engine.q[d.BUDGET]))
    state, mask = engine.state, engine.mask
    cost, value, run = np.zeros(1), np.zeros(1), np.zeros((1, len(runs)), dtype=np.int64)
    trail: list[tuple[np.ndarray, np.ndarray]] = []
    for _ in range(case.pool.steps):
        parents, actions = np.nonzero(mask)
        engine = Engine(case.pool, case.deployment, len(parents), mechanisms=case.mechanisms)
        for new, old in zip(engine.state, state, strict=True):
            new[:] = old[parents]
        engine.mask[:] = mask[parents]
        engine.step(actions)
        value = value[parents] + engine.reward
        cost, run = cost[parents].copy(), run[parents].copy()
        within = np.ones(len(parents), dtype=bool)
        for k, rule, limit in rules:
            if rule is Over.MEAN:
                if k == case.mean:
                    cost += engine.costs[:, k]
            elif rule is Over.WINDOW:
                within &= engine.costs[:, k] <= limit + TOLERANCE
            else:
                column = runs.index(k)
                run[:, column] = np.where(engine.costs[:, k] > 0.0, run[:, column] + 1, 0)
                within &= run[:, column] <= limit
        if not within.any():
            raise nothing_meets("on the cost of each window, or on the longest run")
        left = np.flatnonzero(within)
        keys = np.hstack([_key(engine.state.ints[left], engine.p), run[left]])
        if budget:
            spent = np.round(engine.state.floats[left, d.SPENT] / 1e-10).astype(np.int64)
            keys = np.hstack([keys, spent[:, None]])
        if engine.pool.steps == len(trail) + 1:
            # nothing comes after the last window
            keys = np.zeros((len(left), 1), dtype=np.int64)
        kept = left[_unbeaten(keys, cost[left], value[left])]
        if len(kept) > labels:
            raise MlopsimError(
                f"more than {labels} plans are worth keeping: this World is not small",
                remedy="use the bracket of mlopsim.governance.optimum.per_deployment",
            )
        state = d.State(*(array[kept] for array in engine.state))
        mask, cost, value, run = engine.mask[kept], cost[kept], value[kept], run[kept]
        trail.append((parents[kept], actions[kept]))
    plans = np.zeros((len(cost), len(trail)), dtype=np.int64)
    place = np.arange(len(cost))
    for step in range(len(trail) - 1, -1, -1):
        parents, actions = trail[step]
        plans[:, step] = actions[place]
        place = parents[place]
    return Exhaustive(cost=cost, value=value, actions=plans)


def _key(ints: np.ndarray, p: np.ndarray) -> np.ndarray:
    """Return states without what no decision depends on any more, int64 (N, .)."""
    from mlopsim.delivery import dynamics as d

    key = ints.astype(np.int64)
    t = key[:, d.TIME]
    key[:, d.NEXT] = np.maximum(key[:, d.NEXT], t)
    key[:, d.NEWEST] = np.maximum(key[:, d.NEWEST], t - p[d.DELAY] - 1)
    for column in (d.RETRAINED, d.SWITCHED, d.SEEN):
        key[:, column] = -1
    key[key[:, d.FLIGHT] < 0, d.ARRIVAL] = -1
    key[key[:, d.CANDIDATE] < 0, d.PROMOTE] = -1
    for slot in range(p[d.K]):
        for column in (d.ENTERED, d.N_OBS, d.LAST_OBS):
            key[:, d.SLOTS_I + slot * d.WIDTH_I + column] = -1
    suspended = d.SLOTS_I + p[d.K] * d.WIDTH_I + d.SUSPENDED
    # since when it is suspended matters in that very window only
    key[:, suspended] = np.minimum(key[:, suspended], 0)
    return key


def _unbeaten(keys: np.ndarray, cost: np.ndarray, value: np.ndarray) -> np.ndarray:
    """Return which plans no other one of the same key beats in both return and cost, ascending in cost."""
    _, group = np.unique(keys, axis=0, return_inverse=True)
    group = group.ravel()
    order = np.lexsort((-value, cost, group))
    kept, last, best = [], -1, -np.inf
    for i in order.tolist():
        if group[i] != last:
            last, best = group[i], -np.inf
        if value[i] > best + VALUE:
            kept.append(i)
            best = value[i]
    return np.array(kept, dtype=np.int64)
