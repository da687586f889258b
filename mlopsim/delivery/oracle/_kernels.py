"""Compiled loops of the oracle; imported inside functions only."""

from __future__ import annotations

import numba
import numpy as np

NOWHERE = -1e300


@numba.njit(cache=True)
def on_demand(
    P: np.ndarray, usable: np.ndarray, W: int, L: int, latency: int, spacing: int, m: int, c: float,
    cost: np.ndarray, layers: int, free: bool,
) -> tuple[np.ndarray, np.ndarray]:  # fmt: skip
    """Latest-only programme where versions deploy when chosen.

    ``V[k, i, e, d]``: best reward of the windows from ``e + m`` on, with version i (index) deployed so that
    it gets traffic from window e on, at most k retrains to come (no limit if ``free``), and the d decision
    times from i's arrival on lost to the canary of i's predecessor, which may still have run then. ``pick``
    holds the next (index, window, d), -1 for none. Constraints on the successor (j, f), with decision times
    t and arrivals a: ``t_j >= t_i + spacing``, ``t_j >= a_i + d``; t_j neither the deploy decision e - 1
    nor while the canary runs, e..e+m-1; ``a_j >= e`` (at decision e - 1 version i was the newest);
    ``f >= a_j + 1``, ``f >= e + m + 1``.
    """
    n, T = P.shape[0], P.shape[1] - 1
    V = np.full((layers, n, T + 1, m + 1), NOWHERE)
    pick = np.full((layers, n, T + 1, m + 1, 3), -1, dtype=np.int32)
    # best[j, d, x]: best continuation through (j, f, d) with f >= x, for the current version i
    best = np.empty((n, m + 1, T + 2))
    where = np.empty((n, m + 1, T + 2), dtype=np.int32)
    for k in range(layers):
        source = k if free else k - 1
        for i in range(n - 1, -1, -1):
            t_i = W - 1 + i + L
            a_i = t_i + 1 + latency
            for j in range(i + 1, n):
                for d in range(m + 1):
                    best[j, d, T] = NOWHERE
                    where[j, d, T] = -1
                    for f in range(T - 1, -1, -1):
                        best[j, d, f] = best[j, d, f + 1]
                        where[j, d, f] = where[j, d, f + 1]
                        if source >= 0 and V[source, j, f, d] > NOWHERE / 2:
                            end = min(f + m, T)
                            gain = (
                                P[i, f] + (1 - c) * (P[i, end] - P[i, f]) + c * (P[j, end] - P[j, f])
                                - cost[f] + V[source, j, f, d]
                            )  # fmt: skip
                            if gain >= best[j, d, f]:
                                best[j, d, f] = gain
                                where[j, d, f] = f
            low = W if i == 0 else a_i + 1
            high = W + 1 if i == 0 else T
            for e in range(low, high):
                # the initial version serves alone from W on, without a deploy decision or canary
                run = 0 if i == 0 else m
                alone = min(e + run, T)
                for d in range(m + 1):
                    value = P[i, T] - P[i, alone]
                    for j in range(i + 1, n):
                        if not usable[j]:
                            continue
                        t_j = W - 1 + j + L
                        a_j = t_j + 1 + latency
                        if i > 0:
                            if t_j < t_i + spacing or t_j < a_i + d or a_j < e:
                                continue
                            if e - 1 <= t_j <= e + m - 1:
                                continue
                        f = max(a_j + 1, e + run + 1)
                        if f >= T:
                            continue
                        lost = min(max(e + run - a_j, 0), m)
                        gain = best[j, lost, f] - P[i, alone]
                        if gain > value:
                            value = gain
                            pick[k, i, e, d, 0] = j
                            pick[k, i, e, d, 1] = where[j, lost, f]
                            pick[k, i, e, d, 2] = lost
                    V[k, i, e, d] = value
    return V, pick
