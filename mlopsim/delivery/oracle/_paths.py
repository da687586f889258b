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
def value_tables(
    gain: np.ndarray, firsts: np.ndarray, W: int, s: float, c: float, m: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """What the windows from t on are worth at most, by the version that has the whole traffic before t.

    Returns
    -------
    alone, begun : ndarray of float64, shape (T + 1, n)
        Whatever is done from window t on; where a canary has to start in window t (NOWHERE without canaries).
    prefix : ndarray of float64, shape (T + 1, n)
        Sums of ``gain`` over the windows before t.
    to, other : ndarray of int64, shape (T + 1,) and (T + 1, m + 1)
        Without canaries ``to[t]`` is the best version to switch to for window t. With them it is the best
        one to promote after a canary that starts in window t, and ``other[t, h]`` the best canary of h
        windows that is not promoted.
    """
    T, n = gain.shape
    prefix = np.zeros((T + 1, n))
    for t in range(T):
        for i in range(n):
            prefix[t + 1, i] = prefix[t, i] + gain[t, i]
    alone = np.zeros((T + 1, n))
    begun = np.full((T + 1, n), NOWHERE)
    to = np.full(T + 1, -1, dtype=np.int64)
    other = np.full((T + 1, m + 1), -1, dtype=np.int64)
    part = np.empty(m + 1)
    for t in range(T - 1, W - 1, -1):
        if m == 0:
            top = NOWHERE
            for i in range(n):
                alone[t, i] = gain[t, i] + alone[t + 1, i]
                if firsts[i] <= t and alone[t, i] > top:
                    top, to[t] = alone[t, i], i
            for i in range(n):
                if top - s > alone[t, i]:
                    alone[t, i] = top - s
            continue
        promoted = NOWHERE
        if t + m <= T - 1:
            for j in range(n):
                if firsts[j] <= t:
                    x = c * (prefix[t + m, j] - prefix[t, j]) + alone[t + m, j]
                    if x > promoted:
                        promoted, to[t] = x, j
        most = min(m, T - t)
        for h in range(1, most + 1):
            part[h] = NOWHERE
            for j in range(n):
                if firsts[j] <= t:
                    x = c * (prefix[t + h, j] - prefix[t, j])
                    if x > part[h]:
                        part[h], other[t, h] = x, j
        for i in range(n):
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
    return alone, begun, prefix, to, other


@numba.njit(cache=True)
def shares_of(
    gain: np.ndarray,
    tables: tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray],
    W: int, s: float, c: float, m: int, shares: np.ndarray,
) -> float:  # fmt: skip
    """Follow :func:`value_tables`: write the ``shares`` (T, n) of the best serving, return its switches.

    Switches are counted in whole traffics.
    """
    T = gain.shape[0]
    alone, begun, prefix, to, other = tables
    shares[:, :] = 0.0
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
def stays(pay: np.ndarray, room: np.ndarray, firsts: np.ndarray, held: bool) -> np.ndarray:
    """What a version is paid from window t on, if it leaves the registry when that is best.

    Parameters
    ----------
    pay : ndarray of float64, shape (T, n)
        By window; it may be negative where a version arrives.
    room : ndarray of float64, shape (T,)
        Price of a place.
    firsts : ndarray of int64, shape (n,)
        First window of each version.
    held : bool
        Whether it is there in its first window whatever that pays.

    Returns
    -------
    ndarray of float64, shape (T + 1, n)
        Up to its first window the whole of it.
    """
    T, n = pay.shape
    out = np.zeros((T + 1, n))
    for t in range(T - 1, -1, -1):
        for i in range(n):
            if t < firsts[i]:
                out[t, i] = out[t + 1, i]
                continue
            worth = pay[t, i] - room[t] + out[t + 1, i]
            out[t, i] = worth if worth > 0.0 or (held and t == firsts[i]) else 0.0
    return out


@numba.njit(cache=True)
def present(
    credit: np.ndarray, firsts: np.ndarray, chosen: np.ndarray, held: bool, where: np.ndarray,
    number: np.ndarray,
) -> None:  # fmt: skip
    """Write where the chosen versions stay (T, n), and how many there are in each window (T,)."""
    T, n = where.shape
    where[:, :] = 0.0
    number[:] = 0.0
    for i in range(n):
        if not chosen[i]:
            continue
        for t in range(firsts[i], T):
            if credit[t, i] <= 0.0 and not (held and t == firsts[i]):
                break
            where[t, i] = 1.0
            number[t] += 1.0
