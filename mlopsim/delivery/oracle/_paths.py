"""Compiled: the best serving if every version is free, window by window from the end.

Imported inside functions only. ``gain`` (T, n) is what a version earns in a window, ``firsts`` (n,) the first
window that it can serve, ``c`` the share and ``m`` the windows of a canary (m = 0: none), ``s`` the cost of
moving the whole traffic. Version 0 serves before window W.
"""

from __future__ import annotations

import numba
import numpy as np

NOWHERE = -1e300


@numba.njit(cache=True)
def reach_of(firsts: np.ndarray, T: int) -> np.ndarray:
    """Return for each window one more than the last version that can serve it, int64 (T,)."""
    reach = np.zeros(T, dtype=np.int64)
    for i in range(len(firsts)):
        if firsts[i] < T:
            reach[firsts[i]] = i + 1
    for t in range(1, T):
        reach[t] = max(reach[t], reach[t - 1])
    return reach


@numba.njit(cache=True)
def tables_for(T: int, n: int, m: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Allocate what :func:`fill_tables` fills."""
    rows = T + 1 if m > 0 else 1
    return (
        np.zeros((T + 1, n)),
        np.full((rows, n), NOWHERE),
        np.zeros((rows, n)),
        np.full(T + 1, -1, dtype=np.int64),
        np.full((T + 1, m + 1), -1, dtype=np.int64),
    )


@numba.njit(cache=True)
def fill_tables(
    gain: np.ndarray, firsts: np.ndarray, reach: np.ndarray, W: int, s: float, c: float, m: int,
    tables: tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray],
) -> None:  # fmt: skip
    """Write what the windows from t on are worth at most, by the version that has the whole traffic before t.

    The tables, only for versions that can serve:

    alone, begun : ndarray of float64, shape (T + 1, n)
        Whatever is done from window t on; where a canary has to start in window t (nothing without canaries).
    prefix : ndarray of float64, shape (T + 1, n)
        Sums of ``gain`` over the windows before t (nothing without canaries).
    to, other : ndarray of int64, shape (T + 1,) and (T + 1, m + 1)
        Without canaries ``to[t]`` is the best version to switch to for window t. With them it is the best
        one to promote after a canary that starts in window t, and ``other[t, h]`` the best canary of h
        windows that is not promoted.
    """
    alone, begun, prefix, to, other = tables
    T, n = gain.shape
    if m > 0:
        for t in range(T):
            for i in range(n):
                prefix[t + 1, i] = prefix[t, i] + gain[t, i]
    part = np.empty(m + 1)
    for t in range(T - 1, W - 1, -1):
        if m == 0:
            top = NOWHERE
            for i in range(reach[t]):
                alone[t, i] = gain[t, i] + alone[t + 1, i]
                if alone[t, i] > top and firsts[i] <= t:
                    top, to[t] = alone[t, i], i
            for i in range(reach[t]):
                alone[t, i] = max(alone[t, i], top - s)
            continue
        promoted = NOWHERE
        to[t] = -1
        if t + m <= T - 1:
            for j in range(reach[t]):
                if firsts[j] <= t:
                    x = c * (prefix[t + m, j] - prefix[t, j]) + alone[t + m, j]
                    if x > promoted:
                        promoted, to[t] = x, j
        most = min(m, T - t)
        for h in range(1, most + 1):
            part[h], other[t, h] = NOWHERE, -1
            for j in range(reach[t]):
                if firsts[j] <= t:
                    x = c * (prefix[t + h, j] - prefix[t, j])
                    if x > part[h]:
                        part[h], other[t, h] = x, j
        for i in range(reach[t]):
            best = NOWHERE
            if promoted > NOWHERE / 2:
                best = (1 - c) * (prefix[t + m, i] - prefix[t, i]) + promoted - s
            for h in range(1, most + 1):
                if part[h] < NOWHERE / 2:
                    continue
                mixed = (1 - c) * (prefix[t + h, i] - prefix[t, i]) + part[h]
                if t + h == T:
                    best = max(best, mixed - c * s)
                    continue
                best = max(best, mixed - 2 * c * s + alone[t + h, i])
                if h < m:
                    # a version arrives and takes the place of the canary
                    best = max(best, mixed - c * s + begun[t + h, i])
            begun[t, i] = best
            alone[t, i] = max(gain[t, i] + alone[t + 1, i], best)


@numba.njit(cache=True)
def shares_of(
    gain: np.ndarray,
    tables: tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray],
    W: int, s: float, c: float, m: int, shares: np.ndarray,
) -> float:  # fmt: skip
    """Follow :func:`fill_tables`: write the ``shares`` (T, n) of the best serving, return its switches.

    Switches are counted in whole traffics.
    """
    T = gain.shape[0]
    alone, begun, prefix, to, other = tables
    shares.fill(0.0)
    moved, t, i, forced = 0.0, W, 0, False
    while t < T:
        if m == 0:
            if alone[t, i] > gain[t, i] + alone[t + 1, i]:
                i = to[t]
                moved += 1.0
            shares[t, i] = 1.0
            t += 1
            continue
        if not forced and gain[t, i] + alone[t + 1, i] >= begun[t, i]:
            shares[t, i] = 1.0
            t += 1
            continue
        best, windows, kind = NOWHERE, m, 0
        if t + m <= T - 1:
            j = to[t]
            best = (
                (1 - c) * (prefix[t + m, i] - prefix[t, i])
                + c * (prefix[t + m, j] - prefix[t, j])
                + alone[t + m, j]
                - s
            )
        for h in range(1, min(m, T - t) + 1):
            j = other[t, h]
            if j < 0:
                continue
            mixed = (1 - c) * (prefix[t + h, i] - prefix[t, i]) + c * (prefix[t + h, j] - prefix[t, j])
            if t + h == T:
                if mixed - c * s > best:
                    best, windows, kind = mixed - c * s, h, 1
                continue
            x = mixed - 2 * c * s + alone[t + h, i]
            if x > best:
                best, windows, kind = x, h, 2
            if h < m and mixed - c * s + begun[t + h, i] > best:
                best, windows, kind = mixed - c * s + begun[t + h, i], h, 3
        j = to[t] if kind == 0 else other[t, windows]
        for x in range(t, t + windows):
            shares[x, i] += 1 - c
            shares[x, j] += c
        if j != i:
            moved += (1.0, c, 2 * c, c)[kind]
        t += windows
        forced = kind == 3
        if kind == 0:
            i = j
    return moved


@numba.njit(cache=True)
def stays(
    k: np.ndarray, use: np.ndarray, room: np.ndarray, firsts: np.ndarray, reach: np.ndarray, held: bool,
    out: np.ndarray,
) -> None:  # fmt: skip
    """Write what a version is paid from window t on, if it leaves the registry when that is best.

    Parameters
    ----------
    k, use : ndarray of float64, shape (T, n)
        A window pays ``k use``; that may be negative where a version arrives.
    room : ndarray of float64, shape (T,)
        Price of a place.
    firsts : ndarray of int64, shape (n,)
        First window of each version.
    reach : ndarray of int64, shape (T,)
        See :func:`reach_of`.
    held : bool
        Whether it is there in its first window whatever that pays.
    out : ndarray of float64, shape (T + 1, n)
        Up to its first window the whole of it.
    """
    T, n = use.shape
    for i in range(n):
        out[T, i] = 0.0
    for t in range(T - 1, -1, -1):
        for i in range(reach[t]):
            worth = k[t, i] * use[t, i] - room[t] + out[t + 1, i]
            out[t, i] = max(worth, 0.0)
            if t <= firsts[i]:
                out[t, i] = out[t + 1, i]
                if t == firsts[i] and (held or worth > 0.0):
                    out[t, i] = worth
                elif t == firsts[i]:
                    out[t, i] = 0.0
        for i in range(reach[t], n):
            out[t, i] = out[t + 1, i]


@numba.njit(cache=True)
def train(worth: np.ndarray, gaps: np.ndarray, chosen: np.ndarray) -> float:
    """Best set of versions, each at least its entry of ``gaps`` (n,) before the next one; index 0 is free.

    ``chosen`` (n,) is filled.
    """
    n, spacing = len(worth), gaps[0]
    if gaps.max() > gaps.min():
        ahead = np.zeros(n + 1)
        for i in range(n - 1, 0, -1):
            ahead[i] = max(ahead[i + 1], worth[i] + ahead[min(i + gaps[i], n)])
        chosen[:] = False
        i = 1
        while i < n:
            if ahead[i] > ahead[i + 1]:
                chosen[i] = True
                i += gaps[i]
            else:
                i += 1
        return float(ahead[1])
    best = np.zeros(n + 1)
    for i in range(1, n):
        best[i] = best[i - 1]
        before = best[i - spacing] if i > spacing else 0.0
        if worth[i] + before > best[i]:
            best[i] = worth[i] + before
    chosen[:] = False
    i = n - 1
    while i > 0:
        if best[i] > best[i - 1]:
            chosen[i] = True
            i -= spacing
        else:
            i -= 1
    return float(best[n - 1])


@numba.njit(cache=True)
def _put(to_use: np.ndarray, to_room: np.ndarray, use: np.ndarray, room: np.ndarray) -> None:
    """Copy prices; loops, since numba takes a second to compile each assignment of an array."""
    for t in range(len(room)):
        to_room[t] = room[t]
        for i in range(use.shape[1]):
            to_use[t, i] = use[t, i]


@numba.njit(cache=True)
def descend(
    values: np.ndarray, k: np.ndarray, equal: np.ndarray, firsts: np.ndarray, W: int,
    gaps: np.ndarray, K: int, held: bool, s: float, r: float, c: float, m: int, budget: float,
    tolerance: float, limit: int, lower: float, iterations: int, capacity: bool, use: np.ndarray,
    room: np.ndarray, scalars: np.ndarray,
) -> float:  # fmt: skip
    """Deflected subgradient steps on the dual; the best prices are left in ``use``, ``room``, ``scalars``.

    The first ``len(gaps)`` columns are versions; one more is a fallback, which has no price. ``scalars``:
    prices of the budget and of the count. ``limit`` is -1 where there is none.
    """
    T, n = values.shape
    tables, reach = tables_for(T, n, m), reach_of(firsts, T)
    gain, shares, way = np.zeros((T, n)), np.zeros((T, n)), np.zeros((T, n))
    credit = np.zeros((T + 1, n))
    kept_use, kept_room = np.empty_like(use), np.empty_like(room)
    _put(kept_use, kept_room, use, room)
    room_way, number = np.zeros(T), np.zeros(T)
    trainable = len(gaps)
    worth, chosen = np.zeros(trainable), np.zeros(trainable, dtype=np.bool_)
    beta, gamma = scalars
    kept_beta, kept_gamma = beta, gamma
    way_beta = way_gamma = 0.0
    best, scale, stalled = np.inf, 1.0, 0
    for _ in range(iterations):
        for t in range(W, T):
            for i in range(reach[t]):
                gain[t, i] = values[t, i] - use[t, i]
                if i >= trainable:
                    for j in range(trainable):
                        gain[t, i] += max(-use[t, j], 0.0)
        cost = (1 + beta) * s
        fill_tables(gain, firsts, reach, W, cost, c, m, tables)
        stays(k, use, room, firsts, reach, held, credit)
        for i in range(trainable):
            worth[i] = credit[0, i] - (1 + beta) * r - gamma
        value = tables[0][W, 0] + credit[0, 0] + train(worth, gaps, chosen) + K * room.sum()
        if beta > 0.0:
            value += beta * (budget + tolerance)
        if limit >= 0:
            value += gamma * limit
        if value < best - 1e-7 * max(abs(best), 1.0) or best == np.inf:
            stalled = 0
        else:
            stalled += 1
        if value < best:
            best = value
            _put(kept_use, kept_room, use, room)
            kept_beta, kept_gamma = beta, gamma
        if best - lower <= 1e-9 or scale < 1e-5:
            break
        if stalled == 15:
            scale, stalled = scale / 2, 0
            _put(use, room, kept_use, kept_room)
            beta, gamma = kept_beta, kept_gamma
            way.fill(0.0)
            room_way.fill(0.0)
            way_beta = way_gamma = 0.0
            continue
        # subgradient of the dual: what the relaxed rows are violated by in the inner optimum
        moved = shares_of(gain, tables, W, cost, c, m, shares)
        chosen[0] = True
        number.fill(0.0)
        trained = 0
        inner = length = 0.0
        for i in range(trainable):
            there = chosen[i] and firsts[i] < T
            trained += chosen[i] and i > 0
            for t in range(firsts[i], T):
                if there and credit[t, i] <= 0.0 and not (held and t == firsts[i]):
                    there = False
                if there:
                    number[t] += 1.0
                g = (k[t, i] if there else 0.0) - shares[t, i]
                if trainable < n and equal[t, i] and use[t, i] <= 0.0 and (use[t, i] < 0.0 or g > 0.0):
                    # the row with the fallback
                    g -= shares[t, trainable]
                    if use[t, i] == 0.0:
                        g = max(g, 0.0)
                # an inequality at price 0 that is slack cannot be improved by lowering its price
                if use[t, i] <= 0.0 and g > 0.0 and not equal[t, i]:
                    g = 0.0
                shares[t, i] = g
                inner += way[t, i] * g
                length += way[t, i] * way[t, i]
        for t in range(W, T):
            g = K - number[t] if capacity else 0.0
            if room[t] <= 0.0 and g > 0.0:
                g = 0.0
            number[t] = g
            inner += room_way[t] * g
            length += room_way[t] * room_way[t]
        g_beta = budget - r * trained - s * moved if budget < np.inf else 0.0
        g_gamma = float(limit - trained) if limit >= 0 else 0.0
        if beta <= 0.0 and g_beta > 0.0:
            g_beta = 0.0
        if gamma <= 0.0 and g_gamma > 0.0:
            g_gamma = 0.0
        inner += way_beta * g_beta + way_gamma * g_gamma
        length += way_beta**2 + way_gamma**2
        turn = max(0.0, -1.5 * inner / length) if length > 0.0 else 0.0
        way_beta, way_gamma = g_beta + turn * way_beta, g_gamma + turn * way_gamma
        length = way_beta**2 + way_gamma**2
        for t in range(W, T):
            room_way[t] = number[t] + turn * room_way[t]
            length += room_way[t] ** 2
            for i in range(min(reach[t], trainable)):
                way[t, i] = shares[t, i] + turn * way[t, i]
                length += way[t, i] * way[t, i]
        if length == 0.0:
            break
        step = scale * max(value - lower, 1e-9) / length
        for t in range(W, T):
            room[t] = max(room[t] - step * room_way[t], 0.0)
            for i in range(min(reach[t], trainable)):
                use[t, i] -= step * way[t, i]
                if use[t, i] < 0.0 and not equal[t, i]:
                    use[t, i] = 0.0
        beta, gamma = max(beta - step * way_beta, 0.0), max(gamma - step * way_gamma, 0.0)
    _put(use, room, kept_use, kept_room)
    scalars[0], scalars[1] = kept_beta, kept_gamma
    return best
