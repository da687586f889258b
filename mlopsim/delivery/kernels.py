"""The compiled entry points: begin, step, observe, write_errors over N deployments.

numba keys a cached function by its own file and by what it closes over, not by the files of the functions
that it calls. So the entry points close over a digest of those files, ``stamp``: an edit there compiles anew.
(A name that is never read would be no closure, so ``stamp``, which is never negative, is compared with 0.)
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numba import njit

from mlopsim.core.digest import digest
from mlopsim.delivery import canary as sampling
from mlopsim.delivery import dynamics as d
from mlopsim.delivery import features, mechanisms, observation
from mlopsim.delivery import guards as packed
from mlopsim.delivery.dynamics import Out, State, Tables
from mlopsim.delivery.guards import Guards


def stamp_of(*files: str) -> int:
    """Return a number >= 0 that stands for the source of everything the entry points call, and ``files``."""
    modules = [module.__file__ or "" for module in (d, sampling, observation, features, mechanisms, packed)]
    sources = [Path(file).read_text() for file in (*modules, *files)]
    return int(digest(sources)[:15], 16)


def _compile(stamp: int) -> tuple[Callable[..., Any], ...]:
    @njit(cache=True)
    def begin(
        rows: np.ndarray,
        worlds: np.ndarray,
        ends: np.ndarray,
        switches: np.ndarray,
        state: State,
        tables: Tables,
        guards: Guards | None,
        p: np.ndarray,
        q: np.ndarray,
        out: Out,
    ) -> None:
        """Start deployments ``rows`` (R,) on ``worlds`` (R,) until ``ends`` (R,); write what they see.

        ``switches`` (R,) says what is on in them; it is not read without ``guards``.
        """
        # arrays are taken out of the tuples once: inside the loop it would cost a reference count each
        ints, floats, served = state.ints, state.floats, state.served
        shift, newest, quality = tables.shift, tables.newest, tables.quality
        obs, mask = out.obs, out.mask
        for j in range(len(rows) if stamp >= 0 else 0):
            d.start(rows[j], worlds[j], ends[j], ints, floats, p)
            for t in range(served.shape[1]):
                served[rows[j], t, d.STABLE_AT] = -1
                served[rows[j], t, d.CANDIDATE_AT] = -1
                served[rows[j], t, d.SHADOWED_AT] = 0
            if guards is None:
                observation.write_obs(rows[j], ints, floats, shift, newest, quality, p, q, obs, mask)
        if guards is not None:
            g, alarm, guarded, limit = guards.g, guards.alarm, guards.guarded, guards.limit
            for j in range(len(rows)):
                i = rows[j]
                d.start_guarded(i, switches[j], ints, p)
                observation.write_obs(
                    i, ints, floats, shift, newest, quality, p, q, obs, mask, g, alarm, guarded, limit
                )

    @njit(cache=True)
    def step(
        actions: np.ndarray,
        state: State,
        tables: Tables,
        guards: Guards | None,
        p: np.ndarray,
        q: np.ndarray,
        out: Out,
    ) -> int:
        """Advance all deployments by one window; return 1 if any ended, 0 if none, -1 if one already had."""
        ints, floats, served = state.ints, state.floats, state.served
        reward, quality, shift, newest = tables.reward, tables.quality, tables.shift, tables.newest
        counts, seeds, blocked = tables.counts, tables.seeds, tables.blocked
        obs, mask, parts, executed, costs = out.obs, out.mask, out.parts, out.executed, out.costs
        for i in range(len(actions)):
            if ints[i, d.TIME] >= ints[i, d.END] or stamp < 0:
                return -1
        done = 0
        if guards is None:
            for i in range(len(actions)):
                d.advance(i, actions[i], ints, floats, served, reward, blocked, p, q, mask, parts, executed)
                d.learn(i, ints, floats, served, quality, counts, seeds, p, q)
                observation.write_obs(i, ints, floats, shift, newest, quality, p, q, obs, mask)
        else:
            g, refused, delay, denied = guards.g, guards.refused, guards.delay, guards.denied
            fallback, cost, bits, places = guards.fallback, guards.cost, guards.bits, guards.places
            bounds, lag, seen, limit = guards.bounds, guards.lag, guards.seen, guards.limit
            alarm, guarded = guards.alarm, guards.guarded
            for i in range(len(actions)):
                d.advance(
                    i, actions[i], ints, floats, served, reward, blocked, p, q, mask, parts, executed,
                    costs, g, refused, delay, denied, fallback, cost, bits, places, bounds,
                )  # fmt: skip
                d.learn(i, ints, floats, served, quality, counts, seeds, p, q, g)
                d.learn_costs(i, ints, floats, served, p, q, costs, g, lag, seen)
                observation.write_obs(
                    i, ints, floats, shift, newest, quality, p, q, obs, mask, g, alarm, guarded, limit
                )
        for i in range(len(actions)):
            if ints[i, d.TIME] == ints[i, d.END]:
                done = 1
        return done

    @njit(cache=True)
    def observe(
        rows: np.ndarray,
        state: State,
        tables: Tables,
        guards: Guards | None,
        p: np.ndarray,
        q: np.ndarray,
        out: Out,
    ) -> None:
        """Write again what deployments ``rows`` (R,) see."""
        ints, floats = state.ints, state.floats
        shift, newest, quality = tables.shift, tables.newest, tables.quality
        obs, mask = out.obs, out.mask
        for j in range(len(rows) if stamp >= 0 else 0):
            if guards is None:
                observation.write_obs(rows[j], ints, floats, shift, newest, quality, p, q, obs, mask)
            else:
                g, alarm, guarded, limit = guards.g, guards.alarm, guards.guarded, guards.limit
                observation.write_obs(
                    rows[j], ints, floats, shift, newest, quality, p, q, obs, mask, g, alarm, guarded, limit
                )

    @njit(cache=True)
    def write_errors(
        state: State,
        tables: Tables,
        bits: np.ndarray,
        places: np.ndarray,
        labels: np.ndarray,
        bounds: np.ndarray,
        p: np.ndarray,
        q: np.ndarray,
        out: np.ndarray,
    ) -> None:
        """Write the row-wise errors of what served in the window whose labels became known.

        ``bits`` (total,) uint8 holds the packed correctness of all Worlds, ``places`` (M, T) where the bytes
        of a version would begin, were none left out, ``labels`` (M, n) the true classes (read in canary
        windows only), ``bounds`` (M, T+1). In a canary window only the sampled rows of the stable version
        appear, the very rows that its counts are made of.
        """
        ints, served, counts, seeds = state.ints, state.served, tables.counts, tables.seeds
        n_classes = counts.shape[2]
        number = np.zeros((n_classes, 2), np.int64)
        base = np.zeros((n_classes, 2), np.int64)
        out[:, :] = -1
        for i in range(out.shape[0] if stamp >= 0 else 0):
            m, u = ints[i, d.WORLD], ints[i, d.TIME] - p[d.DELAY]
            if u < p[d.WARMUP]:
                continue
            v = served[i, u, d.STABLE_AT]
            if v < 0:
                # the fallback served
                continue
            canary = served[i, u, d.CANDIDATE_AT] >= 0
            key = np.uint64(0)
            if canary:
                key = sampling.canary_key(seeds[m], v, u)
                at = d.cell(v, u, p)
                unit = 0
                for y in range(n_classes):
                    rows = 0
                    for yhat in range(n_classes):
                        rows += counts[m, at, y, yhat]
                    base[y, 0] = unit
                    base[y, 1] = unit + counts[m, at, y, y]
                    unit += rows
                number[:, :] = 0
            first = places[m, v]
            shown = 0
            for row in range(bounds[m, u], bounds[m, u + 1]):
                wrong = 1 - ((bits[first + (row >> 3)] >> (7 - (row & 7))) & 1)
                if canary:
                    y = labels[m, row]
                    unit = base[y, wrong] + number[y, wrong]
                    number[y, wrong] += 1
                    if not sampling.unit_seen(key, unit, 1.0 - q[d.SHARE]):
                        continue
                out[i, shown] = wrong
                shown += 1

    return begin, step, observe, write_errors


begin, step, observe, write_errors = _compile(stamp_of())
