"""Which training scenarios are kept back to choose snapshots by: whole scenarios, as many of each family.

Worlds of one scenario (such as one with a data gate and one without) have the same rows: they go together,
and what is found in them is one observation, not two.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from mlopsim.core.digest import canonical_json
from mlopsim.core.spec import make

if TYPE_CHECKING:
    from mlopsim.delivery.pool import WorldPool


@dataclass(frozen=True, kw_only=True)
class HeldBack:
    """Worlds of a pool, by number.

    Parameters
    ----------
    training : ndarray of int64, shape (n,)
        Those that are trained on.
    judges : tuple of ndarray of int64
        Those that are kept back, scenario by scenario, families taking turns: the first ones of them are
        about as many of each family, too.
    """

    training: np.ndarray
    judges: tuple[np.ndarray, ...]


def held_back(pool: WorldPool, share: float) -> HeldBack:
    """Choose the scenarios of a pool that are kept back.

    Parameters
    ----------
    pool : WorldPool
    share : float
        Of the scenarios; at least one where there are two.

    Returns
    -------
    HeldBack
        Of each family the last scenarios, as many as of the others (at most half of its own, as long as other
        families have more).
    """
    scenarios = scenarios_of(pool)
    number = max(round(share * len(scenarios)), 1) if len(scenarios) > 1 else 0
    families = families_of(pool, scenarios)
    taken = turns(families, number)
    kept = set(taken)
    left = [worlds for place, worlds in enumerate(scenarios) if place not in kept]
    return HeldBack(training=np.sort(np.concatenate(left)), judges=tuple(scenarios[place] for place in taken))


def scenarios_of(pool: WorldPool) -> list[np.ndarray]:
    """Return the Worlds of each scenario by number, in order: those of one stream and seed are one scenario.

    A World whose spec is not known is a scenario of its own.
    """
    # hundreds of Worlds have one and the same stream: it is written out once
    written: dict[int, str] = {}
    places: dict[object, list[int]] = {}
    for i in range(len(pool)):
        spec = pool.spec(i)
        rows: object = i
        if spec is not None:
            if id(spec.stream) not in written:
                written[id(spec.stream)] = canonical_json(spec.stream)
            rows = (written[id(spec.stream)], spec.split, spec.index, spec.root)
        places.setdefault(rows, []).append(i)
    return [np.array(worlds, dtype=np.int64) for worlds in places.values()]


def families_of(pool: WorldPool, scenarios: Sequence[np.ndarray]) -> list[int]:
    """Return which of the streams that a seed may draw each scenario is of; 0 where there is one."""
    made: dict[int, Any] = {}
    found = []
    for worlds in scenarios:
        spec = pool.spec(int(worlds[0]))
        if spec is None:
            found.append(0)
            continue
        if id(spec.stream) not in made:
            made[id(spec.stream)] = make("stream", spec.stream)
        source = made[id(spec.stream)]
        found.append(source.which(spec.scenario_seed) if hasattr(source, "which") else 0)
    return found


def turns(families: Sequence[int], number: int) -> list[int]:
    """Choose places, the last ones of each family, about as many of each, in turns.

    Parameters
    ----------
    families : sequence of int
        Of each place.
    number : int
        How many places to choose, at most all.

    Examples
    --------
    >>> turns([0, 0, 0, 0, 0], 2), turns([1, 0, 0, 1, 0, 0], 4)
    ([3, 4], [2, 3, 4, 5])
    """
    places: dict[int, list[int]] = {}
    for place, family in enumerate(families):
        places.setdefault(family, []).append(place)
    names = sorted(places)
    sizes = {name: len(places[name]) for name in names}
    quota = dict.fromkeys(names, 0)
    # at most half of a family at first, then all but one, all of it only where that is not enough
    for most in ({k: size // 2 for k, size in sizes.items()}, {k: n - 1 for k, n in sizes.items()}, sizes):
        while sum(quota.values()) < number:
            free = [name for name in names if quota[name] < most[name]]
            if not free:
                break
            quota[min(free, key=lambda name: quota[name])] += 1
    chosen = {name: places[name][len(places[name]) - quota[name] :] for name in names}
    longest = max(quota.values(), default=0)
    return [chosen[name][turn] for turn in range(longest) for name in names if turn < quota[name]]
