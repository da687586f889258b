"""The points of a grid of values: every combination, or the values in pairs."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping, Sequence
from typing import TypeVar

V = TypeVar("V")


def combinations(values: Mapping[str, Sequence[V]], *, zipped: bool = False) -> list[dict[str, V]]:
    """Return the points, each a value for every key.

    Parameters
    ----------
    values : mapping of str to sequence
        Values of each key.
    zipped : bool, default False
        Whether the first value of one key goes with the first of the others, and so on (lists of one length);
        otherwise every combination is a point, the last key's values changing fastest.

    Returns
    -------
    list of dict
        Empty without keys.

    Raises
    ------
    ValueError
        If lists of different lengths are zipped.

    Examples
    --------
    >>> combinations({"a": [1, 2], "b": [3, 4]})
    [{'a': 1, 'b': 3}, {'a': 1, 'b': 4}, {'a': 2, 'b': 3}, {'a': 2, 'b': 4}]
    >>> combinations({"a": [1, 2], "b": [3, 4]}, zipped=True)
    [{'a': 1, 'b': 3}, {'a': 2, 'b': 4}]
    """
    if not values:
        return []
    lists = list(values.values())
    found: Iterable[tuple[V, ...]] = zip(*lists, strict=True) if zipped else itertools.product(*lists)
    return [dict(zip(values, point, strict=True)) for point in found]
