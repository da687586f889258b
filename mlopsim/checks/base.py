"""What contract checks are made of."""

from __future__ import annotations

import dataclasses
import random
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np

from mlopsim.core.errors import MlopsimError


class ContractError(MlopsimError):
    """A component breaks its contract."""


@dataclass(frozen=True, kw_only=True)
class Check:
    """One contract test.

    Parameters
    ----------
    name : str
        Short name.
    text : str
        What is required.
    run : callable
        Takes the class and raises :class:`ContractError` if it fails.
    """

    name: str
    text: str
    run: Callable[[type[Any]], None]


def require(condition: bool, message: str, *, remedy: str | None = None) -> None:
    """Raise :class:`ContractError` unless the condition holds."""
    if not condition:
        raise ContractError(message, remedy=remedy)


@contextmanager
def own_randomness() -> Iterator[None]:
    """Raise :class:`ContractError` if the global random numbers of numpy or Python are used inside.

    Examples
    --------
    >>> with own_randomness():
    ...     np.random.default_rng(0).random()
    0.63...
    """

    def state() -> str:
        return repr((np.random.get_state(legacy=False), random.getstate()))  # noqa: NPY002 - only looked at

    before = state()
    yield
    require(
        state() == before,
        "uses the global random numbers",
        remedy="draw from a numpy Generator made from the seed that is given",
    )


def identical(one: Any, other: Any) -> bool:
    """Say whether two results are equal to the bit: arrays with their types, NaN equal to NaN.

    Parameters
    ----------
    one, other : object
        Arrays, numbers, texts, sequences, mappings and dataclasses of them.

    Examples
    --------
    >>> identical({"a": np.array([np.nan])}, {"a": np.array([np.nan])})
    True
    >>> identical(np.zeros(2), np.zeros(2, dtype=int))
    False
    """
    if isinstance(one, np.ndarray) and isinstance(other, np.ndarray):
        same_type = one.dtype == other.dtype and one.shape == other.shape
        return same_type and np.array_equal(one, other, equal_nan=one.dtype.kind in "fc")
    if type(one) is not type(other):
        return False
    if dataclasses.is_dataclass(one):
        return all(identical(getattr(one, f.name), getattr(other, f.name)) for f in dataclasses.fields(one))
    if isinstance(one, Mapping):
        return list(one) == list(other) and all(identical(one[key], other[key]) for key in one)
    if isinstance(one, list | tuple):
        return len(one) == len(other) and all(map(identical, one, other))
    return bool(one == other or (one != one and other != other))


def generator(seed: int = 0) -> np.random.Generator:
    """Return a seeded generator.

    Examples
    --------
    >>> generator(1).random() == generator(1).random() != generator(2).random()
    True
    """
    return np.random.default_rng(seed)


def repeats(what: str, draw: Callable[[int], Any], *, varies: bool = True) -> Any:
    """Raise unless the seed decides everything; return what seed 0 gives.

    Parameters
    ----------
    what : str
        What is drawn, for the message.
    draw : callable
        Takes a seed.
    varies : bool, default True
        Whether another seed must give something else.

    Examples
    --------
    >>> repeats("a number", lambda seed: generator(seed).random()) == generator(0).random()
    True
    """
    with own_randomness():
        one, again = draw(0), draw(0)
    require(
        identical(one, again),
        f"{what} differs although the seed is the same",
        remedy="take all randomness from what is given, and keep no state from call to call",
    )
    if varies:
        require(
            not all(identical(one, draw(seed)) for seed in (1, 2, 3)),
            f"{what} is the same for every seed",
        )
    return one


def refused(action: Callable[[], Any], message: str) -> None:
    """Raise unless the action ends in an error that names its cause.

    Examples
    --------
    >>> refused(lambda: require(False, "no rows"), "takes no rows")
    """
    try:
        action()
    except MlopsimError:
        return
    require(False, message, remedy="raise ConfigError")
