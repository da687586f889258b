"""Which way the error of a frozen model goes at a change: measured, never taken from a name."""

from __future__ import annotations

import math
from collections.abc import Sequence
from enum import Enum

import numpy as np

from mlopsim.drift.law import Law

#: standard errors of the difference of two error rates within which it counts as none
TELLING = 1.96


class Direction(Enum):
    """What a change does to the error rate of the model that does not change: it rises, falls, or neither.

    ``none``: no difference that the rows before and after it could tell from chance.
    """

    RISE = "rise"
    FALL = "fall"
    NONE = "none"


def directions(
    errors: np.ndarray, changes: Sequence[tuple[int, int]], among: Sequence[tuple[int, int]]
) -> tuple[Direction, ...]:
    """Return the direction of each change, from the errors of one frozen model.

    Before a change are the rows from the end of the one before it on, after it those from its own end to the
    start of the next one; of changes that overlap the starts part them. Two error rates that differ by less
    than :data:`TELLING` standard errors of their difference (pooled) are the same.

    Parameters
    ----------
    errors : ndarray of float64, shape (n,)
        1 where the frozen model is wrong about a row, else 0.
    changes : sequence of (int, int)
        First and last row of each change that is asked about.
    among : sequence of (int, int)
        All changes of the signal, these among them.

    Returns
    -------
    tuple of Direction
        One a change, in their order.

    Examples
    --------
    >>> errors = np.repeat([0.0, 1.0, 0.0, 0.0], 50)
    >>> spans = [(50, 50), (100, 100), (150, 150)]
    >>> [found.value for found in directions(errors, spans, spans)]
    ['rise', 'fall', 'none']
    """
    return tuple(_direction(*_around(errors, change, among)) for change in changes)


def _around(
    errors: np.ndarray, change: tuple[int, int], among: Sequence[tuple[int, int]]
) -> tuple[np.ndarray, np.ndarray]:
    """Return the errors before and after a change."""
    start, end = change
    earlier = [span for span in among if span[0] < start]
    first = max((stop for _, stop in earlier), default=0)
    if earlier and first >= start:
        first = max(begin for begin, _ in earlier)
    last = min((begin for begin, _ in among if begin > start), default=len(errors))
    return errors[first:start], errors[end if end < last else start : last]


def _direction(before: np.ndarray, after: np.ndarray) -> Direction:
    if not len(before) or not len(after):
        return Direction.NONE
    change = float(after.mean() - before.mean())
    share = float(before.sum() + after.sum()) / (len(before) + len(after))
    error = math.sqrt(share * (1.0 - share) * (1.0 / len(before) + 1.0 / len(after)))
    if abs(change) <= TELLING * error:
        return Direction.NONE
    return Direction.RISE if change > 0.0 else Direction.FALL


def direction_of_laws(before: Law, after: Law) -> Direction:
    """Return the direction of a change between two known laws: that of the mean of a tick.

    Examples
    --------
    >>> from mlopsim.drift.law import Bernoulli
    >>> direction_of_laws(Bernoulli(p=0.2), Bernoulli(p=0.1)).value
    'fall'
    """
    if after.mean == before.mean:
        return Direction.NONE
    return Direction.RISE if after.mean > before.mean else Direction.FALL


def in_one_word(found: Sequence[Direction]) -> str:
    """Return what a table says of several changes: ``rise``, ``fall``, ``none`` or ``mixed``.

    Changes without a direction do not make a mixture of what has one.

    Examples
    --------
    >>> in_one_word([Direction.RISE, Direction.NONE]), in_one_word([Direction.RISE, Direction.FALL])
    ('rise', 'mixed')
    """
    ways = {one for one in found if one is not Direction.NONE}
    if len(ways) > 1:
        return "mixed"
    return next(iter(ways), Direction.NONE).value
