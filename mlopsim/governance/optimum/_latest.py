"""Compiled: the optimum without rollback, beside a fallback; imported inside functions only."""

from __future__ import annotations

import numba
import numpy as np

from mlopsim.governance.optimum._counter import NOWHERE, RESUMES, RETRAIN, SWITCH, WARMUP, Setup


@numba.njit(cache=True)
def _window(
    setup: Setup, w: int, j: int, free: bool, lands: int, now: np.ndarray, origin: np.ndarray,
    then: np.ndarray, origins: np.ndarray,
) -> None:  # fmt: skip
    """Serve window w from states ``now`` (n, 2) of newest version j to states ``then``.

    A state is the version that serves, or served before the fallback does (second index). ``free``: whether
    the decision before it is not a retrain; ``lands``: the version that arrives, -1 for none.
    """
    s, has_fallback = setup.money[SWITCH], len(setup.fallback) > 0
    then[: max(j, lands) + 1] = NOWHERE
    for i in range(j + 1):
        for suspended in range(2):
            value = now[i, suspended]
            if value < NOWHERE / 2:
                continue
            for option in range(4):
                y, down, moved = i, suspended, 0.0
                if option == 0:
                    if lands >= 0 and not setup.refused[lands, i]:
                        if suspended == 0 or setup.shape[RESUMES] == 1:
                            y, down, moved = lands, 0, 1.0
                elif not free:
                    break
                elif option == 1:
                    if not has_fallback or suspended == 1:
                        continue
                    down, moved = 1, 1.0
                elif lands >= 0:
                    break
                elif option == 2:
                    if suspended == 0:
                        continue
                    down, moved = 0, 1.0
                elif i != j:
                    y, down, moved = j, 0, 1.0
                else:
                    continue
                if down == 0 and setup.barred[y, w]:
                    continue
                gain = setup.fallback[w] if down == 1 else setup.values[y, w]
                new = value + gain - moved * s
                if new > then[y, down]:
                    then[y, down] = new
                    origins[y, down] = origin[i, suspended]


@numba.njit(cache=True)
def latest(setup: Setup) -> tuple[float, np.ndarray]:
    """Value and retrained versions (candidate numbers) of the optimum where only the newest can be deployed.

    ``best[k, i, f]`` is the best value up to the window in which version k arrives, if version i serves it
    (or served before the fallback does, f = 1). A version that is refused does not count as having arrived:
    it is never worth training.
    """
    n, T = setup.values.shape
    W = setup.shape[WARMUP]
    best = np.full((n, n, 2), NOWHERE)
    came = np.full((n, n, 2, 2), -1, dtype=np.int64)
    now, then = np.full((n, 2), NOWHERE), np.full((n, 2), NOWHERE)
    origin, origins = np.zeros((n, 2), dtype=np.int64), np.zeros((n, 2), dtype=np.int64)
    a, b = np.full((n, 2), NOWHERE), np.full((n, 2), NOWHERE)
    oa, ob = np.zeros((n, 2), dtype=np.int64), np.zeros((n, 2), dtype=np.int64)
    top, last, last_origin = NOWHERE, 0, 0
    for j in range(n):
        if j > 0 and not setup.usable[j]:
            continue
        now[:] = NOWHERE
        if j == 0:
            now[0, 0] = 0.0
            start = W - 1
        else:
            for i in range(n):
                now[i, 0], now[i, 1] = best[j, i, 0], best[j, i, 1]
            start = setup.arrival[j]
        for i in range(n):
            for f in range(2):
                origin[i, f] = 2 * i + f
        earliest = W - 1 if j == 0 else setup.decision[j] + setup.gaps[j]
        for t in range(start, T):
            if t == T - 1:
                for i in range(j + 1):
                    for f in range(2):
                        if now[i, f] > top:
                            top, last, last_origin = now[i, f], j, origin[i, f]
                break
            if t >= earliest:
                # the version that a retrain decided now trains
                k = t - setup.decision[0]
                if k > j and k < n and setup.usable[k]:
                    for i in range(n):
                        for f in range(2):
                            a[i, f], oa[i, f] = now[i, f], origin[i, f]
                    end = setup.arrival[k]
                    for w in range(t + 1, end + 1):
                        _window(setup, w, j, w > t + 1, k if w == end else -1, a, oa, b, ob)
                        a, b = b, a
                        oa, ob = ob, oa
                    for i in range(k + 1):
                        for f in range(2):
                            entered = i == k or not setup.refused[k, i]
                            value = a[i, f] - setup.money[RETRAIN]
                            if entered and a[i, f] > NOWHERE / 2 and value > best[k, i, f]:
                                best[k, i, f] = value
                                came[k, i, f, 0], came[k, i, f, 1] = j, oa[i, f]
            _window(setup, t + 1, j, True, -1, now, origin, then, origins)
            now, then = then, now
            origin, origins = origins, origin
    chain = np.zeros(n, dtype=np.int64)
    size = 0
    while last > 0:
        chain[size] = last
        size += 1
        step = came[last, last_origin // 2, last_origin % 2]
        last, last_origin = step[0], step[1]
    return top, chain[:size][::-1].copy()
