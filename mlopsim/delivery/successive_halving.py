"""The plan of successive halving: how many candidates, how many scenarios on each rung."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from mlopsim.core.digest import canonical_json
from mlopsim.delivery.search_space import Choice, Each, Range

#: successive halving: one in ``ETA`` survives a rung; fewest scenarios of a rung
ETA = 4
FEWEST = 24


def distinct(candidates: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the candidates without repetitions, in order."""
    return list({canonical_json(params): params for params in candidates}.values())


def size(space: Mapping[str, Choice]) -> int:
    """Return the number of different candidates (a large number if there is a continuous parameter)."""
    total = 1
    for choice in space.values():
        if isinstance(choice, tuple):
            total *= len(choice)
        elif isinstance(choice, Range) and choice.integer:
            total *= int(choice.high) - int(choice.low) + 1
        elif isinstance(choice, Each) and not choice.names:
            continue
        else:
            return 1 << 30
    return total


def rungs(episodes: int, scenarios: int, most: int) -> tuple[int, list[int]]:
    """Plan successive halving.

    Parameters
    ----------
    episodes : int
        Roll-outs that can be afforded.
    scenarios : int
        Scenarios that there are.
    most : int
        Different candidates that there are.

    Returns
    -------
    candidates : int
        How many start.
    scenarios : list of int
        How many scenarios a candidate has met at the end of each rung; one in four survives each.

    Examples
    --------
    >>> rungs(20_000, 2_000, 10_000)
    (192, [31, 125, 500, 2000])
    >>> rungs(100, 2_000, 10_000)
    (4, [24])
    """
    best: tuple[int, list[int]] = (1, [min(episodes, scenarios)])
    top = min(scenarios, max(episodes // 2, 1))
    # fewer scenarios at the top if the budget cannot bring more than a few candidates there
    top = max(min(top, episodes // (2 * ETA)), min(FEWEST, top))
    for count in range(1 + int(math.log(max(top / FEWEST, 1.0), ETA) + 1e-9)):
        ladder = [max(1, top // ETA ** (count - k)) for k in range(count + 1)]
        low, high = 1, min(most, episodes)
        while low < high:
            middle = (low + high + 1) // 2
            low, high = (middle, high) if cost(middle, ladder) <= episodes else (low, middle - 1)
        if low > best[0]:
            best = (low, ladder)
    return best


def cost(candidates: int, ladder: Sequence[int]) -> int:
    """Walks of a plan: survivors only walk what they have not walked yet."""
    total, before = 0, 0
    for k, count in enumerate(ladder):
        total += -(-candidates // ETA**k) * (count - before)
        before = count
    return total
