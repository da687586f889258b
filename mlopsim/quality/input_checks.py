"""Checks of what gates are given, before they look at it."""

from __future__ import annotations

import numpy as np

from mlopsim.core.errors import DataError
from mlopsim.streams.stream import Stream


def check_numbers(X: np.ndarray, features: tuple[str, ...]) -> None:
    """Raise unless an array of features holds numbers.

    Parameters
    ----------
    X : ndarray, shape (n, d)
    features : tuple of str
        Names of the d columns.

    Raises
    ------
    DataError
        Names the first column that holds something else.

    Examples
    --------
    >>> check_numbers(np.array([[1.5, "n/a"]], dtype=object), ("age", "job"))
    Traceback (most recent call last):
    ...
    mlopsim.core.errors.DataError: feature 'job' holds 'n/a', which is no number
      remedy: give categories as codes, missing values as NaN, and X as float64
    """
    if X.dtype == np.float64:
        return
    remedy = "give categories as codes, missing values as NaN, and X as float64"
    for name, column in zip(features, X.T, strict=False):
        for value in column.tolist():
            if not isinstance(value, int | float):
                raise DataError(f"feature '{name}' holds {value!r}, which is no number", remedy=remedy)
    raise DataError(f"X must be float64, got {X.dtype}", remedy=remedy)


def check_streams(clean: Stream, seen: Stream) -> None:
    """Raise unless a stream with errors fits the clean one.

    Parameters
    ----------
    clean, seen : Stream

    Raises
    ------
    DataError
        If rows, windows or masks of the truth have other shapes, values are no numbers, or the warm-ups
        differ, from which limits come.
    """
    for stream in (clean, seen):
        check_numbers(stream.X, stream.features)
    shape = clean.X.shape
    if seen.X.shape != shape or not np.array_equal(seen.bounds, clean.bounds) or seen.warmup != clean.warmup:
        raise DataError(
            f"the stream with errors has {seen.windows} windows of rows {seen.X.shape} and a warm-up of "
            f"{seen.warmup}, the clean one {clean.windows} of {shape} and {clean.warmup}"
        )
    masks = ("corrupted cells", seen.corrupted, shape), ("biased labels", seen.biased, shape[:1])
    for name, mask, expected in masks:
        if mask is not None and (mask.shape != expected or mask.dtype != np.bool_):
            raise DataError(
                f"the mask of {name} is {mask.dtype} of shape {mask.shape}, the rows need bool of {expected}",
                remedy="mark every row (cell) of the stream, windows without errors as well",
            )
    size = int(clean.bounds[clean.warmup])
    same = np.array_equal(clean.X[:size], seen.X[:size], equal_nan=True)
    if not same or not np.array_equal(clean.y[:size], seen.y[:size]):
        raise DataError(
            "the warm-up of the stream with errors is not clean", remedy="let errors begin after the warm-up"
        )
