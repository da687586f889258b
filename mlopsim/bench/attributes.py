"""Attributes as columns of the cell table: what they may be, whose they are, of which type."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from enum import Enum
from typing import Any, Literal

import numpy as np

from mlopsim.core.errors import ConfigError
from mlopsim.core.track import Attribute

#: columns of the cell table that are ours: neither a metric nor an attribute can take one of these names
RESERVED = frozenset(
    {"key", "track", "task", "method", "seed", "status", "split", "root", "fit", "reasons", "error"}
    | {
        "seconds",
        "fit_seconds",
        "host",
        "run",
        "grid",
        "finished",
        "attempts",
        "bundle",
        "versions",
        "fingerprint",
    }
    | {"git", "task_digest", "method_digest", "position", "origin", "curves", "fit_numbers"}
)
#: who gives an attribute, in the order of their columns
Owner = Literal["task", "method", "fit", "cell"]
OWNERS: tuple[Owner, ...] = ("task", "method", "fit", "cell")
#: what a column holds; whole and real numbers are of one type
Kind = Literal["text", "number", "bool"]


def check_attributes(where: str, given: Mapping[str, Any]) -> dict[str, Attribute]:
    """Return attributes in plain types of Python.

    Parameters
    ----------
    where : str
        Whose they are, for the error.
    given : mapping
        Values by name; a scalar of numpy is taken as the number or text that it is.

    Raises
    ------
    ConfigError
        For a value that is no text, whole number of 64 bits, finite number, bool or None, or a name that is
        no text.

    Examples
    --------
    >>> check_attributes("method m", {"family": "agent", "steps": np.int64(3), "exact": None})
    {'family': 'agent', 'steps': 3, 'exact': None}
    >>> check_attributes("method m", {"limits": [1, 2]})
    Traceback (most recent call last):
    ...
    mlopsim.core.errors.ConfigError: method m: the attribute 'limits' is [1, 2] (list)
      remedy: an attribute is a text, whole number, finite number, bool or None
    """
    if not isinstance(given, Mapping):
        raise ConfigError(
            f"{where}: attributes are a {type(given).__name__}", remedy="give a mapping of names to values"
        )
    found: dict[str, Attribute] = {}
    for name, value in given.items():
        if not isinstance(name, str) or not name or not _storable(name):
            raise ConfigError(
                f"{where}: {name!r} cannot name an attribute", remedy="name a column: a text with letters"
            )
        own = value.item() if isinstance(value, np.generic) else value
        if not _is_attribute(own):
            raise ConfigError(
                f"{where}: the attribute '{name}' is {value!r:.60} ({type(value).__name__})",
                remedy="an attribute is a text, whole number, finite number, bool or None",
            )
        found[name] = own
    return found


def _is_attribute(value: Any) -> bool:
    if isinstance(value, Enum):
        return False
    if isinstance(value, str):
        return _storable(value)
    if isinstance(value, float):
        return math.isfinite(value)
    if isinstance(value, int):
        return -(2**63) <= value < 2**63
    return value is None


def _storable(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:  # half of a pair of surrogates: no database stores it
        return False
    return True


def kind_of(value: Attribute) -> Kind | None:
    """Return the type of column that a value asks for; None fits into any.

    Examples
    --------
    >>> [kind_of(value) for value in ("a", 1, 0.5, True, None)]
    ['text', 'number', 'number', 'bool', None]
    """
    if value is None:
        return None
    if isinstance(value, bool):
        return "bool"
    return "text" if isinstance(value, str) else "number"


class Columns:
    """The attribute columns of a grid: each name is given by one kind of owner, in values of one type.

    Parameters
    ----------
    metrics : iterable of str
        Names that belong to metrics.

    Examples
    --------
    >>> columns = Columns(["accuracy"])
    >>> columns.add("method", "method a", {"reads": "errors"})
    >>> columns.add("method", "method b", {"reads": 3})
    Traceback (most recent call last):
    ...
    mlopsim.core.errors.ConfigError: method b: the attribute 'reads' is 3, and text for method a
      remedy: an attribute has values of one type in all of a grid
    """

    def __init__(self, metrics: Iterable[str]) -> None:
        self._metrics = frozenset(metrics)
        self._owners: dict[str, tuple[Owner, str]] = {}
        self._kinds: dict[str, tuple[Kind, str]] = {}

    def names(self, owner: Owner) -> list[str]:
        """Return the names that an owner gives, in the order in which they were met."""
        return [name for name, (own, _) in self._owners.items() if own == owner]

    def add(self, owner: Owner, where: str, attributes: Mapping[str, Attribute]) -> None:
        """Take in the attributes of one task, method, fit or cell; nothing is taken where one is wrong.

        Raises
        ------
        ConfigError
            If a name is a column of ours, a metric, or given by another kind of owner, or a value is of
            another type than those before.
        """
        for name, value in attributes.items():
            if name not in self._owners:
                self._check_name(where, name)
            elif self._owners[name][0] != owner:
                raise ConfigError(
                    f"{where}: the attribute '{name}' is given by {self._owners[name][1]}, too",
                    remedy=f"give it to one of them: {', '.join(OWNERS[:-1])} or {OWNERS[-1]}",
                )
            kind = kind_of(value)
            if kind is not None and name in self._kinds and self._kinds[name][0] != kind:
                before, who = self._kinds[name]
                raise ConfigError(
                    f"{where}: the attribute '{name}' is {value!r:.60}, and {before} for {who}",
                    remedy="an attribute has values of one type in all of a grid",
                )
        for name, value in attributes.items():
            self._owners.setdefault(name, (owner, where))
            if (kind := kind_of(value)) is not None:
                self._kinds.setdefault(name, (kind, where))

    def _check_name(self, where: str, name: str) -> None:
        if name in RESERVED:
            raise ConfigError(
                f"{where}: '{name}' cannot name an attribute, it is a column", remedy="name it otherwise"
            )
        if name in self._metrics:
            raise ConfigError(
                f"{where}: '{name}' cannot name an attribute, it is a metric",
                remedy="a fact is an attribute, a measurement a metric: keep one of them",
            )
