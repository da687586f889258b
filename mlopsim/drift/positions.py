"""Positions on a signal: whole numbers, or an error that says which one is not."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from mlopsim.core.errors import DataError

#: beyond it float64 does not hold every whole number
LARGEST = 2**53


def positions(values: Sequence[int] | np.ndarray, what: str) -> np.ndarray:
    """Return positions (ticks, rows, windows) as int64; nothing is cut off or rounded.

    Parameters
    ----------
    values : sequence of int or ndarray
        Whole numbers of any type (``5.0`` is one).
    what : str
        What they are, for the error: ``alarms``.

    Raises
    ------
    DataError
        If one of them is no number, NaN, infinite or no whole number, or they are no plain sequence (spans
        are no positions).

    Examples
    --------
    >>> positions([3.0, 7], "alarms")
    array([3, 7])
    >>> positions([3.5], "alarms")
    Traceback (most recent call last):
    ...
    mlopsim.core.errors.DataError: alarms must be at whole numbers, got 3.5
      remedy: count ticks or rows from 0; round, or leave out what is undefined, before scoring
    """
    found = _whole(values, what)
    if found.size == 0:
        return np.zeros(0, dtype=np.int64)
    if found.ndim != 1:
        raise DataError(
            f"{what} must be a plain sequence of whole numbers, got an array of shape {found.shape}",
            remedy="of spans (start, end) give the starts",
        )
    return found


def _whole(values: Sequence[int] | np.ndarray, what: str) -> np.ndarray:
    """Return whole numbers as int64, in the shape that they have."""
    try:
        found = np.asarray(values)
    except ValueError:
        found = np.array(["lists of different lengths"])
    if found.size == 0:
        return np.zeros(found.shape, dtype=np.int64)
    if found.dtype.kind in "iu":
        whole, wrong = found, found > LARGEST
    elif found.dtype.kind == "f":
        whole = found
        # NaN equals nothing
        wrong = ~((np.trunc(found) == found) & (np.abs(found) <= LARGEST))
    else:
        whole, wrong = found, np.ones(found.shape, dtype=bool)
    if wrong.any():
        raise DataError(
            f"{what} must be at whole numbers, got {found[wrong][0]}",
            remedy="count ticks or rows from 0; round, or leave out what is undefined, before scoring",
        )
    return whole.astype(np.int64)


def pairs(values: Sequence[tuple[int, int]] | np.ndarray, what: str) -> np.ndarray:
    """Return spans ``(start, end)`` as int64 (m, 2); see :func:`positions`.

    Raises
    ------
    DataError
        If they are no pairs of whole numbers, or one ends before it starts.

    Examples
    --------
    >>> pairs([(5, 9)], "changes"), pairs([], "changes").shape
    (array([[5, 9]]), (0, 2))
    """
    found = _whole(values, what)  # type: ignore[arg-type]
    if found.size == 0:
        return np.zeros((0, 2), dtype=np.int64)
    if found.ndim != 2 or found.shape[1] != 2:
        raise DataError(
            f"{what} must be pairs (start, end), got an array of shape {found.shape}",
            remedy="an abrupt change at tick t is (t, t)",
        )
    if (found[:, 1] < found[:, 0]).any():
        start, end = found[found[:, 1] < found[:, 0]][0].tolist()
        raise DataError(
            f"{what}: one ends before it starts, ({start}, {end})",
            remedy="give (start, end) with start <= end",
        )
    return found
