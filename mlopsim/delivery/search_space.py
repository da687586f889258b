"""What tuning may search: the choices and ranges of a selector's parameters."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, TypeAlias

import numpy as np

from mlopsim.core.digest import plain
from mlopsim.core.errors import ConfigError
from mlopsim.core.registry import find
from mlopsim.core.spec import Spec, as_given, canonical, make, split_spec


@dataclass(frozen=True)
class Range:
    """An interval of numbers.

    Parameters
    ----------
    low, high : float
        Its ends, both included.
    log : bool, default False
        Draw evenly on the logarithm (both ends must be positive).
    integer : bool, default False
        Whole numbers only.

    Examples
    --------
    >>> Range(1, 100, log=True, integer=True).draw(np.random.default_rng(0))
    18
    """

    low: float
    high: float
    log: bool = False
    integer: bool = False

    def __post_init__(self) -> None:
        if not self.low < self.high or (self.log and self.low <= 0):
            raise ConfigError(f"no range from {self.low} to {self.high}{' on the logarithm' * self.log}")

    def draw(self, rng: np.random.Generator) -> float | int:
        """Draw one value."""
        low, high = self._ends()
        return self._value(rng.uniform(low, high))

    def near(self, value: float, width: float, rng: np.random.Generator) -> float | int:
        """Draw a value near another one: a normal step of ``width`` times the length of the range."""
        low, high = self._ends()
        # whole numbers are floors on the logarithm: start in the middle of one
        centre = math.log(value + (0.5 if self.integer else 0.0)) if self.log else value
        return self._value(min(max(centre + width * (high - low) * rng.standard_normal(), low), high))

    def admits(self, value: Any) -> bool:
        """Say whether a value lies in the range and has its type."""
        if isinstance(value, bool) or not isinstance(value, int | float):
            return False
        return self.low <= value <= self.high and not (self.integer and value != int(value))

    def _ends(self) -> tuple[float, float]:
        if self.log:
            # whole numbers are the floor of a real number below high + 1
            return math.log(self.low), math.log(self.high + (0.999 if self.integer else 0.0))
        # half a unit on each side gives the first and the last whole number their full share
        half = 0.5 if self.integer else 0.0
        return self.low - half, self.high + half

    def _value(self, place: float) -> float | int:
        value = math.exp(place) if self.log else place
        if not self.integer:
            return float(min(max(value, self.low), self.high))
        whole = math.floor(value) if self.log else round(value)
        return int(min(max(whole, self.low), self.high))


@dataclass(frozen=True)
class Weights:
    """A list of numbers that is searched as a whole, alone.

    The selector needs a method ``spread(weights)``: weights of shape (n, size), a list for each roll-out, are
    used from the next reset on, so that many lists are walked at once.

    Parameters
    ----------
    size : int
        Its length.
    spread : float, default 1.0
        Standard deviation of the first draws around the default.
    """

    size: int
    spread: float = 1.0

    def admits(self, value: Any) -> bool:
        """Say whether a value is a list of ``size`` numbers."""
        return isinstance(value, list) and len(value) == self.size


@dataclass(frozen=True)
class Each:
    """A number for each of some names that the task knows, such as those of its limits: a mapping.

    Parameters
    ----------
    values : Range
        Of each.
    default : float
        Of a name that a mapping does not have.
    names : tuple of str, default none
        What there is a number for. A selector does not know them: see :func:`named`.

    Examples
    --------
    >>> each = Each(Range(0.1, 10.0, log=True), 1.0, ("churn", "parity"))
    >>> {name: round(value, 3) for name, value in each.draw(np.random.default_rng(0)).items()}
    {'churn': 1.879, 'parity': 0.346}
    >>> each.admits({"churn": 0.5}), each.admits({"churn": 20.0}), each.admits({"speed": 0.5})
    (True, False, False)
    """

    values: Range
    default: float
    names: tuple[str, ...] = ()

    def draw(self, rng: np.random.Generator) -> dict[str, float | int]:
        """Draw a number for each name."""
        return {name: self.values.draw(rng) for name in self.names}

    def near(
        self, value: Mapping[str, float], width: float, rng: np.random.Generator
    ) -> dict[str, float | int]:
        """Draw a number near that of each name."""
        return {name: self.values.near(value.get(name, self.default), width, rng) for name in self.names}

    def admits(self, value: Any) -> bool:
        """Say whether a value is a mapping from some of the names to numbers in the range."""
        if not isinstance(value, Mapping):
            return False
        return set(value) <= set(self.names) and all(self.values.admits(one) for one in value.values())


#: an entry of a selector's ``space``
Choice: TypeAlias = tuple[Any, ...] | Range | Weights | Each


def named(space: Mapping[str, Choice], names: Sequence[str]) -> dict[str, Choice]:
    """Return a space that knows the names of :class:`Each`.

    Examples
    --------
    >>> named({"reserve": Each(Range(0.1, 10.0), 1.0)}, ["churn"])["reserve"].names
    ('churn',)
    """
    return {
        key: replace(choice, names=tuple(names)) if isinstance(choice, Each) else choice
        for key, choice in space.items()
    }


def space_of(selector: Any) -> dict[str, Choice]:
    """Return what tuning may search of a selector with these parameters, by the name of the parameter.

    A parameter of a part of the selector is named ``part.name``.

    Its method ``searchable()`` says it, or the ``space`` of its class.

    Examples
    --------
    >>> from mlopsim.core.spec import make
    >>> sorted(space_of(make("selector", "on_alarm")))
    ['arl0', 'cooldown', 'detector.clock', 'wait']
    >>> sorted(space_of(make("selector", "on_alarm", detector={"adwin": {"delta": 0.1}})))
    ['cooldown', 'detector.clock', 'wait']
    """
    own = getattr(selector, "searchable", None)
    return dict(own() if callable(own) else getattr(selector, "space", {}))


def given_of(kind: str, spec: Spec) -> dict[str, Any]:
    """Return the parameters of a part that were given; these are not searched.

    A completed part names every parameter and no longer says which were given: those that have not their
    defaults were.

    Examples
    --------
    >>> given_of("selector", {"periodic": {"every": 10}})
    {'every': 10}
    >>> given_of("selector", canonical("selector", {"periodic": {"every": 4}}))
    {'every': 4}
    """
    whole = isinstance(spec, Mapping) and "params" in spec
    return split_spec(kind, as_given(kind, spec) if whole else spec)[1]


def space_of_rule(rule: Spec) -> dict[str, Choice]:
    """Return what tuning may search of the rule of a selector that wraps one: what of it is not given.

    Examples
    --------
    >>> sorted(space_of_rule({"periodic": {"every": 4}}))
    ['rule.phase']
    """
    given = given_of("selector", rule)
    return {f"rule.{key}": one for key, one in space_of(make("selector", rule)).items() if key not in given}


def possible(selector: Any) -> bool:
    """Say whether parameters of a selector go together: if not, its method ``ready()`` raises ConfigError.

    Examples
    --------
    >>> from mlopsim.core.spec import make
    >>> possible(make("selector", "never"))
    True
    >>> possible(make("selector", "on_alarm", detector={"ddm": {"warm_start": 5}}, arl0=1e6))
    False
    """
    ready = getattr(selector, "ready", None)
    if callable(ready):
        try:
            ready()
        except ConfigError:
            # tuning and checks draw others instead; whoever walks it is told why
            return False
    return True


def value_of(component: Any, key: str) -> Any:
    """Return a parameter of a component by its name, ``part.name`` for one of a part.

    Examples
    --------
    >>> from mlopsim.core.spec import make
    >>> value_of(make("selector", "on_alarm", detector="cusum"), "detector.k")
    0.5
    """
    name, dot, inner = key.partition(".")
    value = getattr(component, name)
    return value_of(make(_kinds(type(component))[name], value), inner) if dot else value


def _kinds(cls: type[Any]) -> dict[str, str]:
    """Return the kind of component of each parameter that is a part."""
    return {field.name: field.metadata["kind"] for field in fields(cls) if "kind" in field.metadata}


def merged(name: str, params: Mapping[str, Any]) -> dict[str, Any]:
    """Return parameters of a selector with those of its parts (``part.name``) put where they belong.

    Examples
    --------
    >>> found = merged("on_alarm", {"detector": "cusum", "detector.k": 0.25, "wait": 2})
    >>> found["detector"]["params"]["k"], sorted(found)
    (0.25, ['detector', 'wait'])
    >>> found = merged("with_rollback", {"rule.every": 4, "rule.phase": 1})["rule"]
    >>> found["name"], found["params"]
    ('periodic', {'every': 4, 'phase': 1})
    """
    return _merged("selector", name, params)


def _merged(kind: str, name: str, params: Mapping[str, Any]) -> dict[str, Any]:
    whole = {key: value for key, value in params.items() if "." not in key}
    inner: dict[str, dict[str, Any]] = {}
    for key, value in params.items():
        part, dot, rest = key.partition(".")
        if dot:
            inner.setdefault(part, {})[rest] = plain(value)
    cls = find(kind, name)
    for part, values in inner.items():
        of = _kinds(cls)[part]
        spec = canonical(of, whole.get(part, value_of(cls(), part)))
        # a part of a part is completed by its own class
        whole[part] = {**spec, "params": _merged(of, spec["name"], {**spec["params"], **values})}
    return whole


def draw(choice: Choice, rng: np.random.Generator) -> Any:
    """Draw a value of one parameter.

    Examples
    --------
    >>> draw(("a", "b"), np.random.default_rng(0))
    'b'
    """
    if isinstance(choice, tuple):
        return choice[int(rng.integers(len(choice)))]
    if isinstance(choice, Range | Each):
        return choice.draw(rng)
    raise ConfigError(
        "a list of weights is not drawn by itself", remedy="search it with the evolution method"
    )


def near(choice: Choice, value: Any, width: float, rng: np.random.Generator) -> Any:
    """Draw a value near another one; a choice changes with probability ``width``."""
    if isinstance(choice, Range | Each):
        return choice.near(value, width, rng)
    return draw(choice, rng) if rng.random() < width else value


def admits(choice: Choice, value: Any) -> bool:
    """Say whether a value is in the space.

    Examples
    --------
    >>> admits(Range(1, 5, integer=True), 5), admits((1, 2), 3)
    (True, False)
    """
    if isinstance(choice, tuple):
        return any(type(value) is type(item) and value == item for item in choice)
    return choice.admits(value)
