"""Why one action is better than another, in parts of the reward, and how few of them suffice."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Reasons:
    """The difference of two actions, part by part.

    Parameters
    ----------
    parts : dict of str to float
        Part of the reward to what the first action has more of it than the second (costs are negative, so a
        positive entry speaks for the first action in each part).
    total : float
        Their sum, exact where the parts are of one grid.
    sufficient : tuple of str
        The fewest parts that speak for the better action and outweigh all that speaks against it.
    against : tuple of str
        All parts that speak against it.
    """

    parts: dict[str, float]
    total: float
    sufficient: tuple[str, ...]
    against: tuple[str, ...]


def reasons(first: Mapping[str, float], second: Mapping[str, float]) -> Reasons:
    """Compare two actions part by part (minimal sufficient explanation, Juozapaitis et al. 2019).

    Parameters
    ----------
    first, second : mapping of str to float
        Parts of the value of either.

    Returns
    -------
    Reasons
        Of the fewest that suffice, those that weigh most; none for a difference of 0.

    Examples
    --------
    >>> found = reasons({"quality": 60.0, "retrain": -0.5, "switch": -0.25},
    ...                 {"quality": 58.0, "retrain": 0.0, "switch": 0.0})
    >>> found.total, found.sufficient, found.against
    (1.25, ('quality',), ('retrain', 'switch'))
    """
    parts = {name: first[name] - second[name] for name in first}
    total = sum(parts.values())
    # the better action's side
    sign = 1.0 if total >= 0 else -1.0
    for_it = [name for name, value in parts.items() if sign * value > 0]
    against = tuple(name for name, value in parts.items() if sign * value < 0)
    weight = sum(-sign * parts[name] for name in against)
    for size in range(1, len(for_it) + 1):
        enough = [
            (-sum(sign * parts[name] for name in some), some)
            for some in itertools.combinations(for_it, size)
            if sum(sign * parts[name] for name in some) > weight
        ]
        if enough:
            return Reasons(parts=parts, total=total, sufficient=min(enough)[1], against=against)
    return Reasons(parts=parts, total=total, sufficient=(), against=against)
