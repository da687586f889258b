"""Compiled search for feasible plans: serving for a fixed set of retrains, and moves on that set.

Imported inside functions only. Trained versions are numbered 0 (initial), 1, 2, ... in the order of training.
"""

from __future__ import annotations

import numba
import numpy as np

from mlopsim.delivery.oracle.retrain_sets import moved

NOWHERE = -1e300


@numba.njit(cache=True)
def _enter(old: np.ndarray, new: np.ndarray, version: int, keep_a: int, keep_b: int) -> None:
    """Write to ``new`` the registry ``old`` (newest first, -1 empty) with a version added."""
    K = len(old)
    last = K - 1
    while last >= 0 and old[last] == -1:
        last -= 1
    if last == K - 1:
        while last >= 0 and (old[last] == keep_a or old[last] == keep_b):
            last -= 1
        for s in range(K):
            new[s] = old[s]
    else:
        for s in range(K):
            new[s] = old[s]
        last += 1
    for s in range(last, 0, -1):
        new[s] = new[s - 1]
    new[0] = version


@numba.njit(cache=True)
def schedule(
    q: np.ndarray, decision: np.ndarray, arrival: np.ndarray, W: int, K: int, m: int, c: float, s: float,
    price: float, on_arrival: bool, trace: np.ndarray,
) -> tuple[float, float, int]:  # fmt: skip
    """Best serving for given retrains; exact without canaries where arrival deploys, else feasible.

    ``q`` (n, T) rewards of the trained versions; ``decision``, ``arrival`` (n,), entry 0 unused. A
    voluntary switch counts with ``price`` in the search and with ``s`` in the value. ``trace`` (T, 2) gets
    (version deployed by decision or -1, 1 if the decision aborts a canary). Returns the value (without
    retrain costs), its value at search prices, and the number of voluntary switches. Each state
    (decision time, version that serves alone) keeps one registry, that of its best path. A canary that
    meets an arrival is left out.
    """
    n, T = q.shape
    val = np.full((T, n), NOWHERE)
    real = np.zeros((T, n))
    extra = np.zeros((T, n), dtype=np.int64)
    reg = np.full((T, n, K), -1, dtype=np.int16)
    # how a state was reached: time, version, deployed version (-1 none), windows before an abort (0)
    back = np.full((T, n, 4), -1, dtype=np.int16)
    busy = np.zeros(T, dtype=np.bool_)
    lands = np.zeros(T, dtype=np.int64)
    for k in range(1, n):
        busy[decision[k]] = True
        lands[arrival[k]] = k
    start = W - 1
    val[start, 0] = 0.0
    reg[start, 0, 0] = 0
    after = np.empty(K, dtype=np.int16)
    for t in range(start, T - 1):
        w = t + 1
        k = lands[w]
        for i in range(n):
            if val[t, i] < NOWHERE / 2:
                continue
            # targets: -1 keeps; otherwise a slot, or the arrival that deploys itself
            for slot in range(-1, K):
                if slot == -1:
                    j = k if (k > 0 and on_arrival) else i
                else:
                    if busy[t] or (k > 0 and on_arrival):
                        break
                    j = reg[t, i, slot]
                    if j == -1:
                        break
                    if j == i:
                        continue
                if k > 0:
                    base = i if m > 0 else j
                    _enter(reg[t, i], after, k, base, j)
                else:
                    for x in range(K):
                        after[x] = reg[t, i, x]
                voluntary = 1 if slot >= 0 else 0
                unit = price if slot >= 0 else s
                if j == i or m == 0:
                    moved = 0.0 if j == i else 1.0
                    new = val[t, i] + q[j, w] - moved * unit
                    if new > val[w, j]:
                        val[w, j] = new
                        real[w, j] = real[t, i] + q[j, w] - moved * s
                        extra[w, j] = extra[t, i] + voluntary
                        reg[w, j] = after
                        back[w, j, 0], back[w, j, 1], back[w, j, 2], back[w, j, 3] = (
                            t,
                            i,
                            (j if slot >= 0 else -1),
                            0,
                        )
                    continue
                mixed = 0.0
                for h in range(1, m + 1):
                    last = w + h - 1
                    mixed += (1 - c) * q[i, last] + c * q[j, last]
                    end = last == T - 1
                    if end:
                        # the roll-out ends before the promotion
                        new, true = val[t, i] + mixed - c * unit, real[t, i] + mixed - c * s
                        if new > val[last, j]:
                            val[last, j], real[last, j], extra[last, j] = new, true, extra[t, i] + voluntary
                            reg[last, j] = after
                            back[last, j, 0], back[last, j, 1] = t, i
                            back[last, j, 2], back[last, j, 3] = (j if slot >= 0 else -1), 0
                        break
                    if busy[last] or lands[last + 1] > 0:
                        break
                    # abort by the decision at ``last``: the base serves alone from the next window on
                    new = val[t, i] + mixed + q[i, last + 1] - c * unit - c * price
                    if new > val[last + 1, i]:
                        val[last + 1, i] = new
                        real[last + 1, i] = real[t, i] + mixed + q[i, last + 1] - 2 * c * s
                        # an abort can cost more than the promotion that a deploy reserves
                        extra[last + 1, i] = extra[t, i] + voluntary + (1 if c > 0.5 else 0)
                        reg[last + 1, i] = after
                        back[last + 1, i, 0], back[last + 1, i, 1] = t, i
                        back[last + 1, i, 2], back[last + 1, i, 3] = (j if slot >= 0 else -1), h
                    if h == m:
                        new = val[t, i] + mixed + q[j, last + 1] - unit
                        if new > val[last + 1, j]:
                            val[last + 1, j] = new
                            real[last + 1, j] = real[t, i] + mixed + q[j, last + 1] - s
                            extra[last + 1, j] = extra[t, i] + voluntary
                            reg[last + 1, j] = after
                            back[last + 1, j, 0], back[last + 1, j, 1] = t, i
                            back[last + 1, j, 2], back[last + 1, j, 3] = (j if slot >= 0 else -1), 0
    i = int(np.argmax(val[T - 1]))
    top = val[T - 1, i]
    value, switches = real[T - 1, i], extra[T - 1, i]
    trace[:, 0] = -1
    trace[:, 1] = 0
    if top < NOWHERE / 2:
        return NOWHERE, NOWHERE, 0
    t = T - 1
    while t > start:
        before, served, deployed, h = back[t, i, 0], back[t, i, 1], back[t, i, 2], back[t, i, 3]
        if deployed >= 0:
            trace[before, 0] = deployed
        if h > 0:
            trace[before + h, 0] = i
            trace[before + h, 1] = 1
        t, i = before, served
    return value, top, switches


@numba.njit(cache=True)
def evaluate(
    values: np.ndarray,
    chosen: np.ndarray,
    shape: np.ndarray,
    money: np.ndarray,
    trace: np.ndarray,
    target: float,
) -> float:
    """Value of a set of retrains (indices into ``values``, ascending) with its best affordable serving.

    Without a budget that binds, all that is possible counts; where it is clear early that the value does not
    exceed ``target``, the search for an affordable serving is left out and "impossible" returned.

    ``shape``: W, L, latency, K, canary windows, on_arrival. ``money``: share, switch cost, retrain cost,
    budget (with its tolerance).
    """
    W, L, latency, K, m, on_arrival = shape[0], shape[1], shape[2], shape[3], shape[4], shape[5] == 1
    c, s, r, budget = money[0], money[1], money[2], money[3]
    n = len(chosen) + 1
    q = np.empty((n, values.shape[1]))
    decision = np.zeros(n, dtype=np.int64)
    arrival = np.zeros(n, dtype=np.int64)
    q[0] = values[0]
    for k in range(1, n):
        q[k] = values[chosen[k - 1]]
        decision[k] = W - 1 + chosen[k - 1] + L
        arrival[k] = decision[k] + 1 + latency
    fixed = (n - 1) * (r + (s if on_arrival else 0.0))
    if fixed > budget:
        return NOWHERE
    value, _, extra = schedule(q, decision, arrival, W, K, m, c, s, s, on_arrival, trace)
    if fixed + extra * s > budget:
        if value - (n - 1) * r <= target:
            return NOWHERE
        # raise the price of voluntary switches until they can be paid
        low, high = s, s + 2.0 * values.shape[1] * (np.abs(values).max() + s)
        for _ in range(25):
            middle = 0.5 * (low + high)
            _, _, extra = schedule(q, decision, arrival, W, K, m, c, s, middle, on_arrival, trace)
            if fixed + extra * s > budget:
                low = middle
            else:
                high = middle
            if high - low < 1e-4 * (s + 1e-3):
                break
        value, _, extra = schedule(q, decision, arrival, W, K, m, c, s, high, on_arrival, trace)
        if fixed + extra * s > budget:
            return NOWHERE
    if value < NOWHERE / 2:
        return NOWHERE
    return float(value - (n - 1) * r)


@numba.njit(cache=True)
def climb(
    values: np.ndarray, begin: np.ndarray, usable: np.ndarray, spacing: int, reach: int, limit: int,
    shape: np.ndarray, money: np.ndarray,
) -> tuple[float, np.ndarray]:  # fmt: skip
    """Local search: add, drop or shift (up to ``reach``) a retrain while it helps.

    It stops after ``limit`` evaluations.

    A version can be added if ``usable``; what is nearer to it than ``spacing`` is dropped.
    """
    n = len(values)
    trace = np.zeros((values.shape[1], 2), dtype=np.int64)
    gaps = np.full(n, spacing, dtype=np.int64)
    chosen = begin.copy()
    best = evaluate(values, chosen, shape, money, trace, NOWHERE)
    used, improved = 1, True
    while improved and used < limit:
        improved = False
        # every version in turn: shift or drop it if it is in the set, add it if it is not
        for v in range(1, n):
            if used >= limit:
                break
            place = -1
            for k in range(len(chosen)):
                if chosen[k] == v:
                    place = k
            if place < 0:
                if not usable[v]:
                    continue
                other = moved(chosen, -1, v, gaps)
                value = evaluate(values, other, shape, money, trace, best)
                used += 1
                if value > best + 1e-12:
                    best, chosen, improved = value, other, True
                continue
            found, winner = best, chosen
            for new in range(v - reach, v + reach + 1):
                if new == v:
                    other = moved(chosen, place, -1, gaps)
                elif 1 <= new < n and usable[new]:
                    other = moved(chosen, place, new, gaps)
                else:
                    continue
                value = evaluate(values, other, shape, money, trace, found)
                used += 1
                if value > found + 1e-12:
                    found, winner = value, other
            if found > best + 1e-12:
                best, chosen, improved = found, winner, True
    return best, chosen
