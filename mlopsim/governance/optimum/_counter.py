"""Compiled: the best serving for given retrains, with what it has cost in the state; moves on these retrains.

Imported inside functions only. Versions of a set are numbered 0 (initial), 1, 2, ... in the order of
training.
"""

from __future__ import annotations

from typing import NamedTuple

import numba
import numpy as np

from mlopsim.delivery.oracle.retrain_sets import moved

NOWHERE = -1e300
#: actions of a trace, beside the number of a version to deploy
KEEP, SUSPEND = -1, -3
# integers of a Setup
WARMUP, SLOTS, ON_ARRIVAL, RESUMES, ROLLBACK, MOST, RUN = range(7)
# floats of a Setup
SWITCH, RETRAIN, BUDGET = range(3)


class Setup(NamedTuple):
    """A problem by candidate version (N): what the kernels read.

    ``values`` (N, T) rewards, ``fallback`` (T,) or (0,), ``units`` (N, T) costs as whole numbers, ``barred``
    and ``counting`` (N, T), ``refused`` (N, N), ``decision`` and ``arrival`` (N,) windows, ``gaps`` (N,) to
    the next retrain, ``usable`` (N,), ``shape`` integers, ``money`` floats. ``MOST`` units are allowed;
    ``RUN`` is the longest run, -1 for none.
    """

    values: np.ndarray
    fallback: np.ndarray
    units: np.ndarray
    barred: np.ndarray
    counting: np.ndarray
    refused: np.ndarray
    decision: np.ndarray
    arrival: np.ndarray
    gaps: np.ndarray
    usable: np.ndarray
    shape: np.ndarray
    money: np.ndarray


@numba.njit(cache=True)
def _enter(registry: np.ndarray, version: int, stable: int) -> None:
    """Put a version in front of a registry (newest first, -1 empty); drop the oldest that does not serve."""
    last = len(registry) - 1
    if registry[last] >= 0:
        while last > 0 and registry[last] == stable:
            last -= 1
    else:
        while last > 0 and registry[last - 1] < 0:
            last -= 1
    for slot in range(last, 0, -1):
        registry[slot] = registry[slot - 1]
    registry[0] = version


@numba.njit(cache=True)
def schedule(
    setup: Setup, chosen: np.ndarray, price: float, trace: np.ndarray, best: np.ndarray
) -> tuple[float, float, int]:  # fmt: skip
    """Best serving for given retrains, by dynamic programming over (window, what serves, cost so far, run).

    A state ``i`` is version i of the set serving, ``n + i`` the fallback after version i. A voluntary move of
    traffic counts with ``price`` in the search and with the switch cost in the value. ``trace`` (T,) gets the
    decisions, ``best`` (MOST + 1,) the best value at search prices of each total cost. Returns the value
    without retrain costs, its value at search prices, and the number of voluntary moves. Each state keeps one
    registry, that of its best path.
    """
    n, T = len(chosen) + 1, setup.values.shape[1]
    W, K, most, run = setup.shape[WARMUP], setup.shape[SLOTS], setup.shape[MOST], setup.shape[RUN]
    on_arrival, resumes = setup.shape[ON_ARRIVAL] == 1, setup.shape[RESUMES] == 1
    rollback, s = setup.shape[ROLLBACK] == 1, setup.money[SWITCH]
    has_fallback, depth = len(setup.fallback) > 0, max(run, 0) + 1
    ids = np.zeros(n, dtype=np.int64)
    busy, lands = np.zeros(T, dtype=np.bool_), np.zeros(T, dtype=np.int64)
    for k in range(1, n):
        ids[k] = chosen[k - 1]
        busy[setup.decision[ids[k]]] = True
        if setup.arrival[ids[k]] < T:
            lands[setup.arrival[ids[k]]] = k
    now = np.full((2 * n, most + 1, depth), NOWHERE)
    then = np.full((2 * n, most + 1, depth), NOWHERE)
    held = np.full((2 * n, most + 1, depth, K), -1, dtype=np.int16)
    other = np.full((2 * n, most + 1, depth, K), -1, dtype=np.int16)
    # how a state was reached: state, decision, run
    back = np.empty((T, 2 * n, most + 1, depth, 3), dtype=np.int16)
    now[0, 0, 0] = 0.0
    held[0, 0, 0, 0] = 0
    arrived = 1
    for t in range(W - 1, T - 1):
        w = t + 1
        k = lands[w]
        then[:] = NOWHERE
        for x in range(2 * n):
            suspended = x >= n
            i = x - n if suspended else x
            if i >= arrived or (suspended and not has_fallback):
                continue
            for cost in range(most + 1):
                for r in range(depth):
                    value = now[x, cost, r]
                    if value < NOWHERE / 2:
                        continue
                    for option in range(-2, K):
                        j, fallback, moved, unit = i, suspended, 0.0, s
                        decision = KEEP
                        if option == -1:
                            enters = k > 0 and not setup.refused[ids[k], ids[i]]
                            if enters and on_arrival and (resumes or not suspended):
                                j, fallback, moved = k, False, 1.0
                        elif option == -2:
                            if not has_fallback or suspended or busy[t]:
                                continue
                            fallback, moved, unit, decision = True, 1.0, price, SUSPEND
                            enters = k > 0 and not setup.refused[ids[k], ids[i]]
                        else:
                            if busy[t] or (k > 0 and on_arrival):
                                break
                            j = held[x, cost, r, option]
                            if j < 0:
                                break
                            if (j == i and not suspended) or (not rollback and option > 0 and j != i):
                                continue
                            fallback, moved, unit, decision = False, 1.0, price, j
                            enters = k > 0 and not setup.refused[ids[k], ids[j]]
                        gain, spent, out = 0.0, 0, False
                        if fallback:
                            gain = setup.fallback[w]
                        else:
                            if setup.barred[ids[j], w]:
                                continue
                            gain, spent = setup.values[ids[j], w], setup.units[ids[j], w]
                            out = setup.counting[ids[j], w]
                        if cost + spent > most:
                            continue
                        length = r + 1 if (run >= 0 and out) else 0
                        if length > max(run, 0):
                            continue
                        new, y = value + gain - moved * unit, j + n if fallback else j
                        if new > then[y, cost + spent, length]:
                            then[y, cost + spent, length] = new
                            registry = other[y, cost + spent, length]
                            for slot in range(len(registry)):
                                registry[slot] = held[x, cost, r, slot]
                            if enters:
                                _enter(registry, k, j)
                            way = back[w, y, cost + spent, length]
                            way[0], way[1], way[2] = x, decision, r
        now, then = then, now
        held, other = other, held
        if k > 0:
            arrived = k + 1
    top, x, cost, r = NOWHERE, 0, 0, 0
    for c in range(most + 1):
        best[c] = NOWHERE
        for y in range(2 * n):
            for length in range(depth):
                best[c] = max(best[c], now[y, c, length])
                if now[y, c, length] > top:
                    top, x, cost, r = now[y, c, length], y, c, length
    trace[:] = KEEP
    if top < NOWHERE / 2:
        return NOWHERE, NOWHERE, 0
    real, voluntary = 0.0, 0
    for w in range(T - 1, W - 1, -1):
        way = back[w, x, cost, r]
        before, decision, r_before = way[0], way[1], way[2]
        trace[w - 1] = decision
        if x < n:
            real += setup.values[ids[x], w]
            cost -= setup.units[ids[x], w]
        else:
            real += setup.fallback[w]
        if decision != KEEP:
            voluntary += 1
        if before != x:
            real -= s
        x, r = before, r_before
    return real, top, voluntary


@numba.njit(cache=True)
def evaluate(
    setup: Setup, chosen: np.ndarray, trace: np.ndarray, best: np.ndarray, target: float
) -> float:  # fmt: skip
    """Value of a set of retrains (candidate numbers, ascending) with its best affordable serving.

    Where it is clear early that the value does not exceed ``target``, the search for an affordable serving is
    left out and "impossible" returned.
    """
    s, retrain, budget = setup.money[SWITCH], setup.money[RETRAIN], setup.money[BUDGET]
    number = len(chosen)
    fixed = number * (retrain + (s if setup.shape[ON_ARRIVAL] == 1 else 0.0))
    if fixed > budget:
        return NOWHERE
    value, _, voluntary = schedule(setup, chosen, s, trace, best)
    if value < NOWHERE / 2 or value - number * retrain <= target:
        return NOWHERE
    if fixed + voluntary * s > budget:
        # raise the price of voluntary moves until they can be paid
        low, high = s, s + 2.0 * setup.values.shape[1] * (np.abs(setup.values).max() + s + 1.0)
        for _ in range(25):
            middle = 0.5 * (low + high)
            _, _, voluntary = schedule(setup, chosen, middle, trace, best)
            if fixed + voluntary * s > budget:
                low = middle
            else:
                high = middle
            if high - low < 1e-4 * (s + 1e-3):
                break
        value, _, voluntary = schedule(setup, chosen, high, trace, best)
        if fixed + voluntary * s > budget:
            return NOWHERE
    return float(value - number * retrain)


@numba.njit(cache=True)
def climb(setup: Setup, begin: np.ndarray, reach: int, limit: int) -> tuple[float, np.ndarray, int]:
    """Local search: add, drop or shift (up to ``reach``) a retrain while it helps.

    It stops after ``limit`` evaluations. Returns the value, the set, and how many evaluations it took.
    """
    n = len(setup.values)
    trace = np.zeros(setup.values.shape[1], dtype=np.int64)
    best = np.zeros(setup.shape[MOST] + 1)
    chosen = begin.copy()
    value = evaluate(setup, chosen, trace, best, NOWHERE)
    used, improved = 1, True
    while improved and used < limit:
        improved = False
        for v in range(1, n):
            if used >= limit:
                break
            place = -1
            for k in range(len(chosen)):
                if chosen[k] == v:
                    place = k
            if place < 0:
                if not setup.usable[v]:
                    continue
                trial = moved(chosen, -1, v, setup.gaps)
                found = evaluate(setup, trial, trace, best, value)
                used += 1
                if found > value + 1e-12:
                    value, chosen, improved = found, trial, True
                continue
            top, winner = value, chosen
            for new in range(v - reach, v + reach + 1):
                if new == v:
                    trial = moved(chosen, place, -1, setup.gaps)
                elif 1 <= new < n and setup.usable[new]:
                    trial = moved(chosen, place, new, setup.gaps)
                else:
                    continue
                found = evaluate(setup, trial, trace, best, top)
                used += 1
                if found > top + 1e-12:
                    top, winner = found, trial
            if top > value + 1e-12:
                value, chosen, improved = top, winner, True
    return value, chosen, used
