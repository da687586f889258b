"""The dynamics of a deployment, compiled: one step, the mask, the observation.

This is the only implementation: scalar environment, vector environment, roll-out and replay all call it. The
semantics are those of "Time, exactly" in docs/ARCHITECTURE.md. A deployment is one row of two arrays
(integers, floats) plus its history of what served; the columns are named below. Everything is a look-up in
the stacked arrays of a :class:`mlopsim.delivery.pool.WorldPool`.

Import this module only where numbers are needed: numba is slow to import.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numba.extending import register_jitable

from mlopsim.delivery.canary import canary_key, quality_of, thin
from mlopsim.delivery.guards import flips
from mlopsim.delivery.mechanisms import FALLBACK, Switch

# integer columns of a deployment
WORLD, TIME, END, STABLE, CANDIDATE, PROMOTE, FLIGHT, ARRIVAL = range(8)
NEXT, NEWEST, RETRAINED, SWITCHED, SEEN, FILLED = range(8, 14)
SLOTS_I = 14
#: per slot: version (-1: empty), first window in the registry, number of observed windows, newest of them
VERSION, ENTERED, N_OBS, LAST_OBS = range(4)
WIDTH_I = 4
# float columns: costs charged, seen quality, its accuracy at the last three decisions
SPENT, QUALITY, ACCURACY_PAST = 0, 1, 5
SLOTS_F = 8
#: per slot: accuracy of the last three observed windows, best, sum of the first three
ACC, BEST, EARLY = 0, 3, 4
WIDTH_F = 5
# integer and float parameters
K, DELAY, LATENCY, COOLDOWN, CANARY, CANARY_WINDOWS, FEEDBACK, ON_ARRIVAL, LAST_T, WARMUP = range(10)
SWITCH_COST, RETRAIN_COST, BUDGET, SHARE, SHADOW_COST = range(5)
DEPLOYED, SHADOW, FULL = range(3)
# behind the slots of a deployment with mechanisms, integers: first window that the fallback serves (-1: it
# does not), switches; floats, for each constraint: sum of what was seen of its cost, and the last one
SUSPENDED, SWITCHES = range(2)
MORE_I = 2
COST_SUM, COST_LAST = range(2)
MORE_F = 2
# integer parameters of the mechanisms: which constraint is charged at switches (-1: none), whether an arrival
# ends a suspension, whether there are a fallback, a review, and versions that are refused
CHURN, RESUME, SUSPENDS, REVIEWS, REFUSES = range(5)
AUDITS, REVIEW, ROLLBACK = int(Switch.AUDITS), int(Switch.REVIEW), int(Switch.ROLLBACK)
SUSPEND, TRIGGER = int(Switch.SUSPEND), int(Switch.TRIGGER)
# last axis of the history of what served
STABLE_AT, CANDIDATE_AT, SHADOWED_AT = range(3)

# forceinline below: a call that passes a dozen arrays costs as much as the work it does. register_jitable: no
# wrapper for calls from Python is compiled, where these are plain (and slow) functions
#: names of the parts of the reward, in the order of their columns
PARTS = ("quality", "switch", "retrain", "shadow")
#: two amounts of money that differ by less are equal
TOLERANCE = 1e-9


class State(NamedTuple):
    """N deployments: integers and floats (N, .), what served (N, T, 3): stable, candidate, shadowed."""

    ints: np.ndarray
    floats: np.ndarray
    served: np.ndarray


class Tables(NamedTuple):
    """The arrays of a :class:`mlopsim.delivery.pool.WorldPool`, its ``newest(L)``, and blocked (M, T).

    ``blocked`` is (0, 0) where there is none.
    """

    reward: np.ndarray
    quality: np.ndarray
    shift: np.ndarray
    newest: np.ndarray
    counts: np.ndarray
    seeds: np.ndarray
    blocked: np.ndarray


class Out(NamedTuple):
    """What a step writes: obs (N, F), mask (N, actions), parts (N, 4), executed (N,), costs (N, C)."""

    obs: np.ndarray
    mask: np.ndarray
    parts: np.ndarray
    executed: np.ndarray
    costs: np.ndarray


@register_jitable(forceinline=True)
def more_i(column: int, p: np.ndarray) -> int:
    """Return where an integer of the mechanisms stands."""
    return int(SLOTS_I + p[K] * WIDTH_I + column)


@register_jitable(forceinline=True)
def more_f(constraint: int, column: int, p: np.ndarray) -> int:
    """Return where a float of a constraint stands."""
    return int(SLOTS_F + p[K] * WIDTH_F + constraint * MORE_F + column)


@register_jitable(forceinline=True)
def is_on(i: int, switch: int, ints: np.ndarray, p: np.ndarray) -> bool:
    """Return whether a mechanism is on in deployment i."""
    return bool(ints[i, more_i(SWITCHES, p)] & switch)


@register_jitable(forceinline=True)
def cell(version: int, window: int, p: np.ndarray) -> int:
    """Return where version and window stand in a table, see :meth:`mlopsim.delivery.pool.WorldPool.cell`."""
    i = version - (p[WARMUP] - 1)
    n = p[LAST_T] + 2 - p[WARMUP]
    return int(i * n - i * (i - 1) // 2 + window - version)


@register_jitable(forceinline=True)
def can_retrain(i: int, ints: np.ndarray, floats: np.ndarray, p: np.ndarray, q: np.ndarray) -> bool:
    """Return whether deployment i can retrain now."""
    t = ints[i, TIME]
    if (
        ints[i, FLIGHT] >= 0
        or ints[i, CANDIDATE] >= 0
        or t < ints[i, NEXT]
        or t - p[DELAY] <= ints[i, NEWEST]
    ):
        return False
    need = q[RETRAIN_COST] + (q[SWITCH_COST] if p[ON_ARRIVAL] == 1 else 0.0)
    return bool(floats[i, SPENT] + need <= q[BUDGET] + TOLERANCE)


@register_jitable(forceinline=True)
def write_mask(
    i: int,
    ints: np.ndarray,
    floats: np.ndarray,
    p: np.ndarray,
    q: np.ndarray,
    mask: np.ndarray,
    g: Any = None,
) -> None:
    """Write the possible actions of deployment i."""
    stable, testing = ints[i, STABLE], ints[i, CANDIDATE] >= 0
    flying = ints[i, FLIGHT] >= 0 and p[ON_ARRIVAL] == 1
    # in a canary the only deploy is its abort
    need = q[SHARE] * q[SWITCH_COST] if testing else q[SWITCH_COST]
    if flying:
        need += q[SWITCH_COST]
    free = floats[i, SPENT] + need <= q[BUDGET] + TOLERANCE
    if flying and ints[i, ARRIVAL] == ints[i, TIME] + 1:
        free = False
    mask[i, 0] = True
    for slot in range(p[K]):
        version = ints[i, SLOTS_I + slot * WIDTH_I + VERSION]
        mask[i, 1 + slot] = free and version >= 0 and (version == stable) == testing
    mask[i, 1 + p[K]] = can_retrain(i, ints, floats, p, q)
    if g is not None:
        _guard_mask(i, ints, floats, p, q, mask, free, g)


@register_jitable(forceinline=True)
def _guard_mask(
    i: int,
    ints: np.ndarray,
    floats: np.ndarray,
    p: np.ndarray,
    q: np.ndarray,
    mask: np.ndarray,
    free: bool,
    g: np.ndarray,
) -> None:
    """Let a suspended deployment resume, forbid rollback where it is off, say whether it can be suspended."""
    stable = ints[i, STABLE]
    suspended = ints[i, more_i(SUSPENDED, p)] >= 0
    back = is_on(i, ROLLBACK, ints, p)
    for slot in range(p[K]):
        version = ints[i, SLOTS_I + slot * WIDTH_I + VERSION]
        if suspended:
            # nothing serves, so the version that did can, too
            mask[i, 1 + slot] = free and version >= 0
        if slot > 0 and not back and version != stable:
            mask[i, 1 + slot] = False
    if g[SUSPENDS] == 1:
        need = q[SWITCH_COST]
        if (
            ints[i, FLIGHT] >= 0
            and p[ON_ARRIVAL] == 1
            and g[RESUME] == 1
            and ints[i, ARRIVAL] != ints[i, TIME] + 1
        ):
            # what arrives later ends the suspension by itself
            need += q[SWITCH_COST]
        mask[i, 2 + p[K]] = (
            is_on(i, SUSPEND, ints, p) and not suspended and floats[i, SPENT] + need <= q[BUDGET] + TOLERANCE
        )


@register_jitable(forceinline=True)
def start(i: int, world: int, end: int, ints: np.ndarray, floats: np.ndarray, p: np.ndarray) -> None:
    """Put deployment i at the decision time W-1 of a World; its last step serves window ``end``."""
    first = p[WARMUP] - 1
    ints[i, :] = -1
    floats[i, :] = 0.0
    ints[i, WORLD] = world
    ints[i, TIME] = first
    ints[i, END] = end
    for column in (STABLE, NEXT, NEWEST, RETRAINED, SWITCHED):
        ints[i, column] = first
    ints[i, SEEN] = 0
    ints[i, FILLED] = 1
    ints[i, SLOTS_I + VERSION] = first
    ints[i, SLOTS_I + ENTERED] = p[WARMUP]
    ints[i, SLOTS_I + N_OBS] = 0


@register_jitable(forceinline=True)
def start_guarded(i: int, switches: int, ints: np.ndarray, p: np.ndarray) -> None:
    """Set the switches of a deployment that was started; nothing is suspended."""
    ints[i, more_i(SUSPENDED, p)] = -1
    ints[i, more_i(SWITCHES, p)] = switches


@register_jitable
def _enter(i: int, version: int, window: int, ints: np.ndarray, floats: np.ndarray, k: int) -> None:
    """Put a version into slot 0; if that is one too many, evict the oldest that has no traffic."""
    last = ints[i, FILLED]
    if last == k:
        # there is one: the deployment's check of K rules out that all of them have traffic
        last = k - 1
        while last >= 0:
            old = ints[i, SLOTS_I + last * WIDTH_I + VERSION]
            if old != ints[i, STABLE] and old != ints[i, CANDIDATE]:
                break
            last -= 1
    else:
        ints[i, FILLED] = last + 1
    for slot in range(last, 0, -1):
        for c in range(WIDTH_I):
            ints[i, SLOTS_I + slot * WIDTH_I + c] = ints[i, SLOTS_I + (slot - 1) * WIDTH_I + c]
        for c in range(WIDTH_F):
            floats[i, SLOTS_F + slot * WIDTH_F + c] = floats[i, SLOTS_F + (slot - 1) * WIDTH_F + c]
    ints[i, SLOTS_I + VERSION] = version
    ints[i, SLOTS_I + ENTERED] = window
    ints[i, SLOTS_I + N_OBS] = 0
    ints[i, SLOTS_I + LAST_OBS] = -1
    for c in range(WIDTH_F):
        floats[i, SLOTS_F + c] = 0.0


@register_jitable(forceinline=True)
def _deploy(i: int, version: int, window: int, ints: np.ndarray, p: np.ndarray, q: np.ndarray) -> float:
    """Give a version traffic from ``window`` on; return the share that moves."""
    if p[CANARY] == 1:
        ints[i, CANDIDATE] = version
        ints[i, PROMOTE] = window + p[CANARY_WINDOWS]
        return float(q[SHARE])
    ints[i, STABLE] = version
    return 1.0


@register_jitable(forceinline=True)
def advance(
    i: int,
    action: int,
    ints: np.ndarray,
    floats: np.ndarray,
    served: np.ndarray,
    reward: np.ndarray,
    blocked: np.ndarray,
    p: np.ndarray,
    q: np.ndarray,
    mask: np.ndarray,
    parts: np.ndarray,
    executed: np.ndarray,
    costs: Any = None,
    g: Any = None,
    refused: Any = None,
    delay: Any = None,
    denied: Any = None,
    fallback: Any = None,
    cost: Any = None,
    bits: Any = None,
    places: Any = None,
    bounds: Any = None,
) -> None:
    """Apply a decision of deployment i, serve the next window; write reward parts, costs, what was done."""
    m, t = ints[i, WORLD], ints[i, TIME]
    w = t + 1
    moved, retrain = 0.0, 0.0
    was_stable, was_candidate = ints[i, STABLE], ints[i, CANDIDATE]
    # the mask was written when this decision was observed
    if not mask[i, action]:
        action = 0
    executed[i] = action
    if action == p[K] + 1:
        ints[i, FLIGHT] = ints[i, NEWEST] = t - p[DELAY]
        ints[i, ARRIVAL] = w + p[LATENCY]
        ints[i, NEXT] = t + max(1 + p[LATENCY], p[COOLDOWN])
        ints[i, RETRAINED] = t
        retrain = q[RETRAIN_COST]
        if g is not None:
            if g[REVIEWS] == 1 and is_on(i, REVIEW, ints, p):
                ints[i, ARRIVAL] += delay[m, t - p[DELAY]]
    elif g is not None and action > p[K]:
        moved += _suspend(i, w, ints, p)
    elif action > 0:
        if g is not None and _is_suspended(i, ints, p):
            moved += _resume(i, ints[i, SLOTS_I + (action - 1) * WIDTH_I + VERSION], ints, p)
        elif ints[i, CANDIDATE] >= 0:
            ints[i, CANDIDATE] = -1
            moved += q[SHARE]
        else:
            moved += _deploy(i, ints[i, SLOTS_I + (action - 1) * WIDTH_I + VERSION], w, ints, p, q)
    if ints[i, CANDIDATE] >= 0 and ints[i, PROMOTE] == w:
        ints[i, STABLE] = ints[i, CANDIDATE]
        ints[i, CANDIDATE] = -1
        moved += 1.0 - q[SHARE]
    if ints[i, FLIGHT] >= 0 and ints[i, ARRIVAL] == w:
        version = ints[i, FLIGHT]
        ints[i, FLIGHT] = -1
        stopped = blocked.shape[0] > 0 and blocked[m, version]
        lands = p[ON_ARRIVAL] == 1
        if g is not None:
            stopped = _is_stopped(i, m, version, stopped, ints, p, g, refused, denied)
            if lands and _is_suspended(i, ints, p):
                lands = g[RESUME] == 1 and ints[i, more_i(SUSPENDED, p)] < w
                if lands and not stopped:
                    moved += _resume(i, version, ints, p)
                    lands = False
        if not stopped:
            if lands:
                moved += _deploy(i, version, w, ints, p, q)
            _enter(i, version, w, ints, floats, p[K])
    stable, candidate = ints[i, STABLE], ints[i, CANDIDATE]
    served[i, w, STABLE_AT] = stable
    served[i, w, CANDIDATE_AT] = candidate
    shadow = 0.0
    if p[FEEDBACK] == SHADOW:
        served[i, w, SHADOWED_AT] = 1
        shadow = q[SHADOW_COST] * (ints[i, FILLED] - 1 - (1 if candidate >= 0 else 0))
    quality = reward[m, cell(stable, w, p)]
    if candidate >= 0:
        quality = (1.0 - q[SHARE]) * quality + q[SHARE] * reward[m, cell(candidate, w, p)]
    if g is not None:
        if _is_suspended(i, ints, p):
            served[i, w, STABLE_AT] = FALLBACK
            quality = fallback[m, w]
            if p[FEEDBACK] == SHADOW:
                shadow = q[SHADOW_COST] * ints[i, FILLED]
        _charge(i, was_stable, was_candidate, ints, p, q, costs, g, cost, bits, places, bounds)
    switch = q[SWITCH_COST] * moved
    if moved > 0.0:
        ints[i, SWITCHED] = w
    floats[i, SPENT] += switch + retrain
    parts[i, 0] = quality
    parts[i, 1] = 0.0 - switch
    parts[i, 2] = 0.0 - retrain
    parts[i, 3] = 0.0 - shadow
    ints[i, TIME] = w


@register_jitable(forceinline=True)
def _is_suspended(i: int, ints: np.ndarray, p: np.ndarray) -> bool:
    return bool(ints[i, more_i(SUSPENDED, p)] >= 0)


@register_jitable(forceinline=True)
def _suspend(i: int, window: int, ints: np.ndarray, p: np.ndarray) -> float:
    """Let the fallback serve from ``window`` on; return the share that moves. ``STABLE`` stays as it is."""
    ints[i, CANDIDATE] = -1
    ints[i, more_i(SUSPENDED, p)] = window
    return 1.0


@register_jitable(forceinline=True)
def _resume(i: int, version: int, ints: np.ndarray, p: np.ndarray) -> float:
    """Let a version serve instead of the fallback, the whole traffic at once; return the share that moves."""
    ints[i, STABLE] = version
    ints[i, more_i(SUSPENDED, p)] = -1
    return 1.0


@register_jitable(forceinline=True)
def _is_stopped(
    i: int,
    m: int,
    version: int,
    blocked: bool,
    ints: np.ndarray,
    p: np.ndarray,
    g: np.ndarray,
    refused: np.ndarray,
    denied: np.ndarray,
) -> bool:
    """Return whether a version that arrives is kept out of the registry: by a release gate or its review."""
    if is_on(i, AUDITS, ints, p) and (blocked or (g[REFUSES] == 1 and refused[m, version, ints[i, STABLE]])):
        return True
    return bool(denied.shape[0] > 0 and is_on(i, REVIEW, ints, p) and denied[m, version])


@register_jitable(forceinline=True)
def _charge(
    i: int,
    was_stable: int,
    was_candidate: int,
    ints: np.ndarray,
    p: np.ndarray,
    q: np.ndarray,
    costs: np.ndarray,
    g: np.ndarray,
    cost: np.ndarray,
    bits: np.ndarray,
    places: np.ndarray,
    bounds: np.ndarray,
) -> None:
    """Write what the window that is being served costs by each constraint; the fallback costs nothing."""
    if _is_suspended(i, ints, p):
        costs[i, :] = 0.0
        return
    m, w = ints[i, WORLD], ints[i, TIME] + 1
    stable, candidate = ints[i, STABLE], ints[i, CANDIDATE]
    at = cell(stable, w, p)
    if candidate < 0:
        for k in range(costs.shape[1]):
            costs[i, k] = cost[m, at, k]
    else:
        beside = cell(candidate, w, p)
        for k in range(costs.shape[1]):
            costs[i, k] = (1.0 - q[SHARE]) * cost[m, at, k] + q[SHARE] * cost[m, beside, k]
    if g[CHURN] >= 0 and (stable != was_stable or candidate != was_candidate):
        # rows are split by the same lot before and after, so a share of them moves at a time
        now = candidate if candidate >= 0 else stable
        was = was_candidate if was_candidate >= 0 else was_stable
        moved = flips(m, was, now, w, bits, places, bounds)
        if q[SHARE] < 1.0:
            rest = flips(m, was_stable, stable, w, bits, places, bounds)
            moved = q[SHARE] * moved + (1.0 - q[SHARE]) * rest
        costs[i, g[CHURN]] = moved


@register_jitable(forceinline=True)
def learn_costs(
    i: int,
    ints: np.ndarray,
    floats: np.ndarray,
    served: np.ndarray,
    p: np.ndarray,
    q: np.ndarray,
    costs: np.ndarray,
    g: np.ndarray,
    lag: np.ndarray,
    seen: np.ndarray,
) -> None:
    """Take note of what became known of the costs at deployment i's decision time."""
    m = ints[i, WORLD]
    t = ints[i, TIME]
    for k in range(costs.shape[1]):
        u = t - lag[k]
        if u < p[WARMUP]:
            continue
        value = 0.0
        if k == g[CHURN]:
            value = costs[i, k]
        elif served[i, u, STABLE_AT] != FALLBACK:
            value = float(seen[m, cell(served[i, u, STABLE_AT], u, p), k])
            candidate = served[i, u, CANDIDATE_AT]
            if candidate >= 0:
                beside = float(seen[m, cell(candidate, u, p), k])
                value = (1.0 - q[SHARE]) * value + q[SHARE] * beside
        floats[i, more_f(k, COST_SUM, p)] += value
        floats[i, more_f(k, COST_LAST, p)] = value


@register_jitable(forceinline=True)
def _record(i: int, slot: int, window: int, accuracy: float, ints: np.ndarray, floats: np.ndarray) -> None:
    a, b = SLOTS_I + slot * WIDTH_I, SLOTS_F + slot * WIDTH_F
    floats[i, b + 2] = floats[i, b + 1]
    floats[i, b + 1] = floats[i, b]
    floats[i, b] = accuracy
    if ints[i, a + N_OBS] == 0 or accuracy > floats[i, b + BEST]:
        floats[i, b + BEST] = accuracy
    if ints[i, a + N_OBS] < 3:
        floats[i, b + EARLY] += accuracy
    ints[i, a + N_OBS] += 1
    ints[i, a + LAST_OBS] = window


@register_jitable(forceinline=True)
def learn(
    i: int,
    ints: np.ndarray,
    floats: np.ndarray,
    served: np.ndarray,
    quality: np.ndarray,
    counts: np.ndarray,
    seeds: np.ndarray,
    p: np.ndarray,
    q: np.ndarray,
    g: Any = None,
) -> None:
    """Take note of what became known at deployment i's decision time.

    That is the window whose labels are new; with a backtest also the older ones that a version which has just
    entered the registry was not trained on.
    """
    for back in range(2, 0, -1):
        floats[i, ACCURACY_PAST + back] = floats[i, ACCURACY_PAST + back - 1]
    floats[i, ACCURACY_PAST] = floats[i, QUALITY]
    for part in range(4):
        floats[i, QUALITY + part] = 0.0
    ints[i, SEEN] = 0
    m = ints[i, WORLD]
    u = ints[i, TIME] - p[DELAY]
    if u < p[WARMUP]:
        return
    stable, candidate = served[i, u, STABLE_AT], served[i, u, CANDIDATE_AT]
    suspended = g is not None and stable == FALLBACK
    if suspended:
        # nothing of ours answered
        pass
    elif candidate < 0:
        ints[i, SEEN] = 1
        for part in range(4):
            value = quality[m, cell(stable, u, p), part]
            floats[i, QUALITY + part] = value if value == value else 0.0
    else:
        _learn_canary(i, u, ints, floats, stable, candidate, counts, seeds, p, q)
    if p[FEEDBACK] == FULL:
        _backtest(i, u, ints, floats, quality, p)
        return
    for slot in range(ints[i, FILLED]):
        version = ints[i, SLOTS_I + slot * WIDTH_I + VERSION]
        if version == candidate or (version == stable and candidate >= 0):
            continue
        # a version that waits in the registry is observed only where it is shadow-evaluated
        if version == stable or (
            served[i, u, SHADOWED_AT] == 1 and ints[i, SLOTS_I + slot * WIDTH_I + ENTERED] <= u
        ):
            _record(i, slot, u, quality[m, cell(version, u, p), 0], ints, floats)


@register_jitable(forceinline=True)
def _backtest(
    i: int, last: int, ints: np.ndarray, floats: np.ndarray, quality: np.ndarray, p: np.ndarray
) -> None:
    """Score every version in the registry on the labelled rows up to window ``last`` that came after its own.

    The rows are those that train versions, so their labels are known whatever served; a version's own
    training rows are left out (see ``slot*_fit``).
    """
    m = ints[i, WORLD]
    for slot in range(ints[i, FILLED]):
        a = SLOTS_I + slot * WIDTH_I
        version = ints[i, a + VERSION]
        for u in range(max(version, ints[i, a + LAST_OBS]) + 1, last + 1):
            _record(i, slot, u, quality[m, cell(version, u, p), 0], ints, floats)


@register_jitable
def _learn_canary(
    i: int,
    u: int,
    ints: np.ndarray,
    floats: np.ndarray,
    stable: int,
    candidate: int,
    counts: np.ndarray,
    seeds: np.ndarray,
    p: np.ndarray,
    q: np.ndarray,
) -> None:
    """See a window whose traffic was shared: each version on a binomial sample of its rows."""
    m = ints[i, WORLD]
    n_classes = counts.shape[2]
    both = np.zeros((n_classes, n_classes), np.int64)
    found = np.empty(4)
    for side in range(2):
        version = stable if side == 0 else candidate
        share = 1.0 - q[SHARE] if side == 0 else q[SHARE]
        one = np.zeros((n_classes, n_classes), np.int64)
        thin(counts[m, cell(version, u, p)], canary_key(seeds[m], version, u), share, one)
        both += one
        # a backtest scores both versions on all rows of the window
        if p[FEEDBACK] != FULL and quality_of(one, found):
            for slot in range(ints[i, FILLED]):
                if ints[i, SLOTS_I + slot * WIDTH_I + VERSION] == version:
                    _record(i, slot, u, float(np.float32(found[0])), ints, floats)
    if quality_of(both, found):
        ints[i, SEEN] = 1
        for part in range(4):
            floats[i, QUALITY + part] = found[part] if found[part] == found[part] else 0.0
