"""Mask and observation of a deployment, compiled; the columns are those of :mod:`mlopsim.delivery.features`."""

from __future__ import annotations

import numpy as np
from numba import njit

from mlopsim.delivery import dynamics as d
from mlopsim.delivery.dynamics import Out, State, Tables
from mlopsim.delivery.features import CAP, GLOBAL, SLOT, UNIT

_COLUMN = {name: i for i, name in enumerate(GLOBAL)}
_SEEN = _COLUMN["seen"]
_PAST = _COLUMN["seen_accuracy_1"]
_RECENT = _COLUMN["recent_accuracy"]
_SERVING = _COLUMN["serving_age"]
_NEWEST = _COLUMN["newest_ks"]
_FLIGHT = _COLUMN["in_flight"]
_REST = _COLUMN["cooldown_left"]
_N_GLOBAL, _N_SLOT = len(GLOBAL), len(SLOT)


@njit(cache=True)
def _windows(number: int) -> float:
    return min(number / UNIT, CAP)


@njit(cache=True)
def _shift(tab: Tables, m: int, v: int, t: int, obs: np.ndarray, i: int, column: int) -> None:
    """Write KS, PSI and mean shift of the training data of v against window t."""
    obs[i, column] = tab.shift[m, v, t, 0]
    obs[i, column + 1] = min(tab.shift[m, v, t, 1], CAP)
    obs[i, column + 2] = min(tab.shift[m, v, t, 2], CAP)


@njit(cache=True)
def _ks_past(tab: Tables, m: int, v: int, t: int) -> float:
    total, n = 0.0, 0
    for u in range(max(t - d.PAST, v + 1), t):
        total += tab.shift[m, v, u, 0]
        n += 1
    return total / n if n > 0 else 0.0


@njit(cache=True)
def write_mask(i: int, state: State, p: np.ndarray, q: np.ndarray, mask: np.ndarray) -> None:
    """Write the possible actions of deployment i."""
    mask[i, 0] = True
    for slot in range(p[d.K]):
        mask[i, 1 + slot] = d.can_deploy(i, slot, state.ints, state.floats, p, q)
    mask[i, 1 + p[d.K]] = d.can_retrain(i, state.ints, state.floats, p, q)


@njit(cache=True)
def write_obs(i: int, state: State, tab: Tables, p: np.ndarray, q: np.ndarray, out: Out) -> None:
    """Write mask and observation of deployment i at its decision time."""
    ints, floats, obs = state.ints, state.floats, out.obs
    m, t = ints[i, d.WORLD], ints[i, d.TIME]
    stable, candidate = ints[i, d.STABLE], ints[i, d.CANDIDATE]
    write_mask(i, state, p, q, out.mask)
    obs[i, :] = 0.0

    obs[i, _SEEN] = ints[i, d.SEEN]
    for part in range(4):
        obs[i, _SEEN + 1 + part] = floats[i, d.QUALITY + part]
    for back in range(3):
        obs[i, _PAST + back] = floats[i, d.ACCURACY_PAST + back]

    newest = t - p[d.DELAY]
    if newest >= p[d.WARMUP] - 1:
        _shift(tab, m, newest, t, obs, i, _NEWEST)
        n = min(ints[i, d.N_PAST], d.PAST)
        total = 0.0
        for back in range(n):
            total += floats[i, d.KS_PAST + back]
        obs[i, _NEWEST + 3] = total / n if n > 0 else 0.0

    flight = ints[i, d.FLIGHT]
    if flight >= 0:
        obs[i, _FLIGHT] = 1.0
        obs[i, _FLIGHT + 1] = _windows(ints[i, d.ARRIVAL] - t)
        obs[i, _FLIGHT + 2] = _windows(t - flight)
        _shift(tab, m, flight, t, obs, i, _FLIGHT + 3)

    obs[i, _REST] = _windows(max(ints[i, d.NEXT] - t, 0))
    obs[i, _REST + 1] = 1.0 if out.mask[i, p[d.K] + 1] else 0.0
    budget = q[d.BUDGET]
    if budget == np.inf:
        obs[i, _REST + 2] = 1.0
    elif budget > 0.0:
        reserved = q[d.SWITCH_COST] if flight >= 0 and p[d.ON_ARRIVAL] == 1 else 0.0
        if candidate >= 0:
            reserved += (1.0 - q[d.SHARE]) * q[d.SWITCH_COST]
        obs[i, _REST + 2] = max(budget - floats[i, d.SPENT] - reserved, 0.0) / budget
    if candidate >= 0:
        obs[i, _REST + 3] = 1.0
        obs[i, _REST + 4] = _windows(ints[i, d.PROMOTE] - t)
    obs[i, _REST + 5] = _windows(t - ints[i, d.RETRAINED])
    obs[i, _REST + 6] = _windows(t - ints[i, d.SWITCHED])

    for slot in range(ints[i, d.FILLED]):
        a, b = d.SLOTS_I + slot * d.WIDTH_I, d.SLOTS_F + slot * d.WIDTH_F
        column = _N_GLOBAL + slot * _N_SLOT
        version = ints[i, a + d.VERSION]
        obs[i, column] = 1.0
        obs[i, column + 1] = 1.0 if version == stable else 0.0
        obs[i, column + 2] = 1.0 if version == candidate else 0.0
        obs[i, column + 3] = _windows(t - version)
        _shift(tab, m, version, t, obs, i, column + 4)
        obs[i, column + 7] = _ks_past(tab, m, version, t)
        n = ints[i, a + d.N_OBS]
        recent = 0.0
        if n > 0:
            last = min(n, 3)
            for back in range(last):
                recent += floats[i, b + d.ACC + back]
            recent /= last
            obs[i, column + 8] = 1.0
            obs[i, column + 9] = recent
            obs[i, column + 10] = floats[i, b + d.BEST]
            obs[i, column + 11] = _windows(t - ints[i, a + d.LAST_OBS])
        if version == stable:
            for part in range(5):
                obs[i, _SERVING + part] = obs[i, column + 3 + part]
            if n > 0:
                early = floats[i, b + d.EARLY] / min(n, 3)
                obs[i, _RECENT] = recent
                obs[i, _RECENT + 1] = early
                obs[i, _RECENT + 2] = early - recent
                obs[i, _RECENT + 3] = _windows(n)


@njit(cache=True)
def begin(
    rows: np.ndarray,
    worlds: np.ndarray,
    ends: np.ndarray,
    state: State,
    tab: Tables,
    p: np.ndarray,
    q: np.ndarray,
    out: Out,
) -> None:
    """Start the deployments ``rows`` (R,) on ``worlds`` (R,) until ``ends`` (R,) and write what they see."""
    for j in range(len(rows)):
        d.start(rows[j], worlds[j], state, p, ends[j])
        write_obs(rows[j], state, tab, p, q, out)


@njit(cache=True)
def step(
    actions: np.ndarray, state: State, tab: Tables, p: np.ndarray, q: np.ndarray, out: Out
) -> bool:
    """Advance all deployments by one window; return whether any has reached its end."""
    done = False
    for i in range(len(actions)):
        d.advance(i, actions[i], state, tab, p, q, out)
        d.learn(i, state, tab, p, q)
        write_obs(i, state, tab, p, q, out)
        done |= state.ints[i, d.TIME] == state.ints[i, d.END]
    return done


@njit(cache=True)
def serving_slots(ints: np.ndarray, out: np.ndarray) -> None:
    """Write the slot of the stable version of every deployment."""
    for i in range(len(out)):
        for slot in range(ints[i, d.FILLED]):
            if ints[i, d.SLOTS_I + slot * d.WIDTH_I + d.VERSION] == ints[i, d.STABLE]:
                out[i] = slot


@njit(cache=True)
def write_errors(
    state: State,
    tab: Tables,
    bits: np.ndarray,
    places: np.ndarray,
    labels: np.ndarray,
    bounds: np.ndarray,
    p: np.ndarray,
    q: np.ndarray,
    out: np.ndarray,
) -> None:
    """Write the row-wise errors of what served in the window whose labels became known.

    ``bits`` (total,) uint8 holds the packed correctness of all Worlds, ``places`` (M, 2) the first byte and the
    bytes per version of a World, ``labels`` (M, n) the true classes (read in canary windows only), ``bounds`` (M, T+1).
    In a canary window only the sampled rows of the stable version appear, the very rows that its counts are made of.
    """
    n_classes = tab.counts.shape[3]
    number = np.zeros((n_classes, 2), np.int64)
    base = np.zeros((n_classes, 2), np.int64)
    out[:, :] = -1
    for i in range(out.shape[0]):
        m, u = state.ints[i, d.WORLD], state.ints[i, d.TIME] - p[d.DELAY]
        if u < p[d.WARMUP]:
            continue
        v = state.stable[i, u]
        canary = state.candidate[i, u] >= 0
        key = np.uint64(0)
        if canary:
            key = d.canary_key(tab.seeds[m], v, u)
            unit = 0
            for y in range(n_classes):
                rows = 0
                for yhat in range(n_classes):
                    rows += tab.counts[m, v, u, y, yhat]
                base[y, 0] = unit
                base[y, 1] = unit + tab.counts[m, v, u, y, y]
                unit += rows
            number[:, :] = 0
        first = places[m, 0] + v * places[m, 1]
        shown = 0
        for row in range(bounds[m, u], bounds[m, u + 1]):
            wrong = 1 - ((bits[first + (row >> 3)] >> (7 - (row & 7))) & 1)
            if canary:
                y = labels[m, row]
                unit = base[y, wrong] + number[y, wrong]
                number[y, wrong] += 1
                if not d.unit_seen(key, unit, 1.0 - q[d.SHARE]):
                    continue
            out[i, shown] = wrong
            shown += 1
