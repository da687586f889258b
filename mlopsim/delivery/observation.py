"""Mask and observation of a deployment, compiled; columns as in :mod:`mlopsim.delivery.features`."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba.extending import register_jitable

from mlopsim.delivery import dynamics as d
from mlopsim.delivery.features import CAP, COST, GLOBAL, GUARDED, SLOT, UNIT, of_inputs

_COLUMN = {name: i for i, name in enumerate(GLOBAL)}
_SEEN = _COLUMN["seen"]
_PAST = _COLUMN["seen_accuracy_1"]
_RECENT = _COLUMN["recent_accuracy"]
_SERVING = _COLUMN["serving_age"]
_NEWEST = _COLUMN["newest_ks"]
_FLIGHT = _COLUMN["in_flight"]
_REST = _COLUMN["cooldown_left"]
_N_GLOBAL, _N_SLOT = len(GLOBAL), len(SLOT)
_N_GUARDED, _N_COST = len(GUARDED), len(COST)
_SWITCHES = tuple(GUARDED).index("has_audits")
#: what a detector of inputs watches: columns, and those within a slot
_INPUTS = np.array([i for i, name in enumerate(GLOBAL) if of_inputs(name)])
_SLOT_INPUTS = np.array([i for i, name in enumerate(SLOT) if of_inputs(name)])


@register_jitable(forceinline=True)
def _windows(number: int) -> float:
    return min(number / UNIT, CAP)


@register_jitable(forceinline=True)
def write_obs(
    i: int,
    ints: np.ndarray,
    floats: np.ndarray,
    shift: np.ndarray,
    newest: np.ndarray,
    quality: np.ndarray,
    p: np.ndarray,
    q: np.ndarray,
    obs: np.ndarray,
    mask: np.ndarray,
    g: Any = None,
    alarm: Any = None,
    guarded: Any = None,
    limit: Any = None,
) -> None:
    """Write mask and observation of deployment i at its decision time."""
    m, t = ints[i, d.WORLD], ints[i, d.TIME]
    stable, candidate = ints[i, d.STABLE], ints[i, d.CANDIDATE]
    d.write_mask(i, ints, floats, p, q, mask, g)
    obs[i, :] = 0.0

    obs[i, _SEEN] = ints[i, d.SEEN]
    for part in range(4):
        obs[i, _SEEN + 1 + part] = floats[i, d.QUALITY + part]
    for back in range(3):
        obs[i, _PAST + back] = floats[i, d.ACCURACY_PAST + back]

    for part in range(4):
        obs[i, _NEWEST + part] = newest[m, t, part]

    flight = ints[i, d.FLIGHT]
    if flight >= 0:
        obs[i, _FLIGHT] = 1.0
        obs[i, _FLIGHT + 1] = _windows(ints[i, d.ARRIVAL] - t)
        obs[i, _FLIGHT + 2] = _windows(t - flight)
        for part in range(3):
            obs[i, _FLIGHT + 3 + part] = shift[m, d.cell(flight, t, p), part]

    obs[i, _REST] = _windows(max(ints[i, d.NEXT] - t, 0))
    obs[i, _REST + 1] = 1.0 if mask[i, p[d.K] + 1] else 0.0
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
        for part in range(4):
            obs[i, column + 4 + part] = shift[m, d.cell(version, t, p), part]
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
        if p[d.FEEDBACK] == d.FULL:
            obs[i, column + 12] = quality[m, d.cell(version, version, p), 0]
        if version == stable:
            for part in range(5):
                obs[i, _SERVING + part] = obs[i, column + 3 + part]
            if n > 0:
                early = floats[i, b + d.EARLY] / min(n, 3)
                obs[i, _RECENT] = recent
                obs[i, _RECENT + 1] = early
                obs[i, _RECENT + 2] = early - recent
                obs[i, _RECENT + 3] = _windows(n)
    if g is not None:
        _write_guarded(i, ints, floats, p, obs, mask, g, alarm, guarded, limit)


@register_jitable(forceinline=True)
def _write_guarded(
    i: int,
    ints: np.ndarray,
    floats: np.ndarray,
    p: np.ndarray,
    obs: np.ndarray,
    mask: np.ndarray,
    g: np.ndarray,
    alarm: np.ndarray,
    guarded: np.ndarray,
    limit: np.ndarray,
) -> None:
    """Write what deployment i shows of its mechanisms; what is still to be decided by others stays hidden."""
    m, t = ints[i, d.WORLD], ints[i, d.TIME]
    steps = p[d.LAST_T] + 1 - p[d.WARMUP]
    column = _N_GLOBAL + p[d.K] * _N_SLOT
    since = ints[i, d.more_i(d.SUSPENDED, p)]
    if since >= 0:
        obs[i, column] = 1.0
        obs[i, column + 1] = _windows(t + 1 - since)
        for slot in range(ints[i, d.FILLED]):
            obs[i, _N_GLOBAL + slot * _N_SLOT + 1] = 0.0
    if g[d.SUSPENDS] == 1:
        obs[i, column + 2] = 1.0 if mask[i, p[d.K] + 2] else 0.0
    on = ints[i, d.more_i(d.SWITCHES, p)]
    if ints[i, d.FLIGHT] >= 0 and g[d.REVIEWS] == 1 and on & d.REVIEW:
        # when the approval comes is not known before the decision at which it is there
        trained = ints[i, d.RETRAINED] + 1 + p[d.LATENCY]
        if ints[i, d.ARRIVAL] > t + 1:
            obs[i, _FLIGHT + 1] = _windows(max(trained - t, 0))
        if t + 1 > trained:
            obs[i, column + 3] = 1.0
            obs[i, column + 4] = _windows(t + 1 - trained)
    if alarm.shape[0] > 0:
        if on & d.TRIGGER:
            obs[i, column + 5] = 1.0 if alarm[m, d.cell(ints[i, d.STABLE], t, p)] else 0.0
        else:
            # who could read the shift that alarms are made of would have a detector all the same
            for place in _INPUTS:
                obs[i, place] = 0.0
            for slot in range(p[d.K]):
                for place in _SLOT_INPUTS:
                    obs[i, _N_GLOBAL + slot * _N_SLOT + place] = 0.0
    obs[i, column + 6] = (ints[i, d.END] - t) / steps
    for switch in range(5):
        obs[i, column + _SWITCHES + switch] = (on >> switch) & 1
    if guarded.shape[0] > 0:
        obs[i, column + _SWITCHES + 5] = 1.0 if guarded[m] else 0.0
    column += _N_GUARDED
    for k in range(limit.shape[0]):
        seen = floats[i, d.more_f(k, d.COST_SUM, p)] / steps
        obs[i, column] = seen
        obs[i, column + 1] = floats[i, d.more_f(k, d.COST_LAST, p)]
        obs[i, column + 2] = min(limit[k], CAP)
        obs[i, column + 3] = min(max(limit[k] - seen, -1.0), CAP)
        column += _N_COST
