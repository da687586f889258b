"""Compiled layers of the search in :mod:`mlopsim.delivery.oracle.search`; imported inside functions only.

A node is a state of a deployment at a decision time: integers (1, .) as of
:mod:`mlopsim.delivery.dynamics`. Children are made by the dynamics themselves.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from mlopsim.delivery import dynamics as d
from mlopsim.delivery.kernels import stamp_of
from mlopsim.delivery.oracle._paths import NOWHERE


@njit
def _rest(
    ints: np.ndarray, spent: float, k: int, v0: int, shape: tuple[float, float, int],
    alone: np.ndarray, begun: np.ndarray, prefix: np.ndarray, credit: np.ndarray, train: np.ndarray,
    rent: np.ndarray, prices: np.ndarray,
) -> float:  # fmt: skip
    """Return what a state can earn from its decision on, at most: the dual with what it has already trained.

    ``shape``: switch cost with its price, share, last window. ``prices``: of the budget and of the count, the
    budget, the cost of a retrain (0: no count).
    """
    s, c, last = shape
    t = ints[d.TIME]
    w = t + 1
    if t == last:
        return 0.0
    base, candidate = ints[d.STABLE] - v0, ints[d.CANDIDATE] - v0
    if ints[d.CANDIDATE] < 0:
        total = alone[w, base]
    else:
        total = NOWHERE
        end = ints[d.PROMOTE]
        for x in range(w, min(end, last + 1) + 1):
            mixed = (1 - c) * (prefix[x, base] - prefix[w, base]) + c * (
                prefix[x, candidate] - prefix[w, candidate]
            )
            if x == last + 1:
                total = max(total, mixed)
                continue
            # aborted by the decision before window x, replaced by an arrival, promoted
            if x > t:
                total = max(total, mixed - c * s + alone[x, base])
            if x < end:
                total = max(total, mixed + begun[x, base])
            if x == end:
                total = max(total, mixed - (1 - c) * s + alone[x, candidate])
    for slot in range(k):
        version = ints[d.SLOTS_I + slot * d.WIDTH_I + d.VERSION]
        if version >= v0:
            total += credit[w, version - v0]
    if ints[d.FLIGHT] > v0:
        total += credit[w, ints[d.FLIGHT] - v0]
    total += rent[w] + train[min(max(ints[d.NEXT], t), last)]
    if prices[0] > 0.0:
        total += prices[0] * max(prices[2] - spent, 0.0)
    if prices[1] > 0.0 and prices[3] > 0.0:
        total += prices[1] * np.floor(max(prices[2] - spent, 0.0) / prices[3])
    return float(total)


@njit
def _same(a: np.ndarray, b: np.ndarray) -> bool:
    equal = True
    for x in range(len(a)):
        equal &= a[x] == b[x]
    return equal


@njit
def _hash(a: np.ndarray, spent: int) -> np.int64:
    h = np.uint64(1469598103934665603) ^ np.uint64(spent)
    for x in range(len(a)):
        h = (h ^ np.uint64(a[x] + 7)) * np.uint64(1099511628211)
        h ^= h >> np.uint64(29)
    return np.int64(h >> np.uint64(2))


def _compile(stamp: int) -> Any:
    @njit(cache=True)
    def layer(
        nodes: np.ndarray, spents: np.ndarray, values: np.ndarray, reward: np.ndarray, blocked: np.ndarray,
        p: np.ndarray, q: np.ndarray, usable: np.ndarray, shape: tuple[float, float, int],
        alone: np.ndarray, begun: np.ndarray, prefix: np.ndarray, credit: np.ndarray, train: np.ndarray,
        rent: np.ndarray, prices: np.ndarray, target: float,
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray, int]:  # fmt: skip
        """Expand all nodes of one decision time.

        Returns the states, money spent, values, bounds, parents and actions of the children whose bound
        exceeds ``target``, the best way to each state only, and their number: the first so many rows.
        """
        n, width = nodes.shape
        k = p[d.K]
        v0 = p[d.WARMUP] - 1
        room = n * (k + 2) if stamp >= 0 else 0
        states = np.empty((room, width), dtype=np.int32)
        spent_out = np.empty(room)
        value_out, bound_out = np.empty(room), np.empty(room)
        parents, actions = np.empty(room, dtype=np.int32), np.empty(room, dtype=np.int8)
        size = 16
        while size < 2 * room:
            size *= 2
        table = np.full(size, -1, dtype=np.int32)
        ints = np.empty((1, width), dtype=np.int32)
        floats = np.zeros((1, d.SLOTS_F + k * d.WIDTH_F))
        served = np.zeros((1, p[d.LAST_T] + 1, 3), dtype=np.int32)
        allowed, mask = np.zeros((1, k + 2), dtype=np.bool_), np.zeros((1, k + 2), dtype=np.bool_)
        parts, executed = np.zeros((1, 4)), np.zeros(1, dtype=np.int64)
        count = 0
        for i in range(n):
            ints[0] = nodes[i]
            floats[0, d.SPENT] = spents[i]
            d.write_mask(0, ints, floats, p, q, allowed)
            for action in range(k + 2):
                if not allowed[0, action]:
                    continue
                if action == k + 1:
                    version = ints[0, d.TIME] - p[d.DELAY] - v0
                    if version >= len(usable) or not usable[version]:
                        continue
                ints[0] = nodes[i]
                floats[0, d.SPENT] = spents[i]
                mask[0] = allowed[0]
                d.advance(0, action, ints, floats, served, reward, blocked, p, q, mask, parts, executed)
                value = values[i] + ((parts[0, 0] + parts[0, 1]) + parts[0, 2])
                spent = floats[0, d.SPENT]
                # what no decision depends on any more
                t = ints[0, d.TIME]
                ints[0, d.NEXT] = max(ints[0, d.NEXT], t)
                ints[0, d.RETRAINED] = ints[0, d.SWITCHED] = -1
                if ints[0, d.FLIGHT] < 0:
                    ints[0, d.ARRIVAL] = -1
                if ints[0, d.CANDIDATE] < 0:
                    ints[0, d.PROMOTE] = -1
                for slot in range(k):
                    ints[0, d.SLOTS_I + slot * d.WIDTH_I + d.ENTERED] = -1
                ints[0, d.NEWEST] = max(ints[0, d.NEWEST], t - p[d.DELAY] - 1)
                if q[d.BUDGET] == np.inf:
                    spent = 0.0
                bound = value + _rest(
                    ints[0], spent, k, v0, shape, alone, begun, prefix, credit, train, rent, prices
                )
                if bound <= target:
                    ints[0] = nodes[i]
                    floats[0, d.SPENT] = spents[i]
                    continue
                place = _hash(ints[0], np.int64(spent * 1e9)) & (size - 1)
                while True:
                    other = table[place]
                    if other < 0:
                        table[place] = count
                        other = count
                        states[other] = ints[0]
                        spent_out[other] = spent
                        value_out[other] = NOWHERE
                        count += 1
                        break
                    if spent_out[other] == spent and _same(states[other], ints[0]):
                        break
                    place = (place + 1) & (size - 1)
                if value > value_out[other]:
                    value_out[other], bound_out[other] = value, bound
                    parents[other], actions[other] = i, action
                ints[0] = nodes[i]
                floats[0, d.SPENT] = spents[i]
        return states, spent_out, value_out, bound_out, parents, actions, count

    return layer


layer: Any = _compile(stamp_of(__file__))
