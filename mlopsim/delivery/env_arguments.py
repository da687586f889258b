"""What callers of the environments ask: options of a reset, scenarios, actions, seeds; nothing is rounded."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from mlopsim.core.errors import ConfigError, nearest


def whole_numbers(values: Any, shape: tuple[int, ...], limit: int, what: str) -> np.ndarray:
    """Return whole numbers in 0..limit - 1 as they are.

    Parameters
    ----------
    values : array_like of int
    shape : tuple of int
        That they must have.
    limit : int
        The first number that there is not.
    what : str
        What they are, in the plural.

    Returns
    -------
    ndarray of int64

    Raises
    ------
    ConfigError
        For another shape, numbers out of range, and what is no whole number by its type: floats (also those
        that happen to be whole), NaN, booleans, texts.

    Examples
    --------
    >>> whole_numbers([0, 2], (2,), 3, "actions")
    array([0, 2])
    >>> whole_numbers(1.5, (), 3, "actions")
    Traceback (most recent call last):
    mlopsim.core.errors.ConfigError: actions must be a whole number in 0..2, got 1.5
      remedy: pass an integer
    """
    wanted = "a whole number" if shape == () else f"{shape[0]} whole numbers"
    try:
        found = np.asarray(values)
    except (TypeError, ValueError, OverflowError):
        found = np.empty(0, dtype=object)
    # numpy would make numbers of booleans beside numbers
    mixed = isinstance(values, list | tuple) and any(isinstance(v, bool | np.bool_) for v in values)
    problem = mixed or found.dtype.kind not in "iu" or found.shape != shape
    if problem or (found.size and (found.min() < 0 or found.max() >= limit)):
        raise ConfigError(
            f"{what} must be {wanted} in 0..{limit - 1}, got {values!r}",
            remedy="pass an integer" if shape == () else f"pass an integer array of shape {shape}",
        )
    return np.ascontiguousarray(found, dtype=np.int64).reshape(shape)


def check_options(options: Any, known: Sequence[str]) -> dict[str, Any]:
    """Return the options of a reset as a dictionary of their own.

    Raises
    ------
    ConfigError
        If they are no mapping, or have a key that is not known.

    Examples
    --------
    >>> check_options(None, ["scenario"]), check_options({"scenario": 3}, ["scenario"])
    ({}, {'scenario': 3})
    >>> check_options({"scenarios": 3}, ["scenario"])
    Traceback (most recent call last):
    mlopsim.core.errors.ConfigError: unknown option 'scenarios' of a reset; did you mean 'scenario'?
      remedy: known here: scenario
    """
    if options is None:
        return {}
    if not isinstance(options, Mapping):
        raise ConfigError(
            f"options of a reset must be a dictionary, got {options!r}", remedy=f"known: {', '.join(known)}"
        )
    for key in options:
        if key not in known:
            raise ConfigError(
                f"unknown option '{key}' of a reset{nearest(str(key), known)}",
                remedy=f"known here: {', '.join(known)}",
            )
    return dict(options)


def check_seed(seed: Any) -> None:
    """Refuse a seed that is neither None nor a whole number of at least 0.

    Examples
    --------
    >>> check_seed(7)
    >>> check_seed(-1)
    Traceback (most recent call last):
    mlopsim.core.errors.ConfigError: a seed must be a whole number of at least 0, got -1
      remedy: reset(seed=0)
    """
    fine = isinstance(seed, int | np.integer) and not isinstance(seed, bool) and seed >= 0
    if seed is not None and not fine:
        raise ConfigError(
            f"a seed must be a whole number of at least 0, got {seed!r}", remedy="reset(seed=0)"
        )


def reset_rows(mask: Any, n: int) -> np.ndarray:
    """Return which of n environments begin anew, from Gymnasium's ``options["reset_mask"]``.

    Raises
    ------
    ConfigError
        If it is no array of n booleans of which at least one is true.

    Examples
    --------
    >>> reset_rows(np.array([True, False, True]), 3)
    array([0, 2])
    """
    if not isinstance(mask, np.ndarray) or mask.dtype != np.bool_ or mask.shape != (n,) or not mask.any():
        raise ConfigError(
            f"reset_mask must be a numpy array of {n} booleans, one of them true at least, got {mask!r}",
            remedy='reset(options={"reset_mask": numpy.array([True, ...])})',
        )
    return np.flatnonzero(mask)
