"""Contract tests: what every component must fulfil, ours and a third party's alike.

A room adds checks for its kinds in a module named in :data:`MODULES` that defines ``CHECKS``, a list of
:class:`Check`. ``mlopsim check kind/name`` and the test-suite run the same list.
"""

from __future__ import annotations

import dataclasses
import importlib
import importlib.util
import random
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np

from mlopsim.core.digest import canonical_json
from mlopsim.core.errors import ConfigError, MlopsimError
from mlopsim.core.spec import field_hints, make, params_of

#: kind to the module with the checks of its room
MODULES: dict[str, str] = {
    "concept": "mlopsim.checks.stream",
    "schedule": "mlopsim.checks.stream",
    "duration": "mlopsim.checks.stream",
    "shift": "mlopsim.checks.stream",
    "stream": "mlopsim.checks.stream",
    "learner": "mlopsim.checks.learner",
    "training": "mlopsim.checks.learner",
    "selector": "mlopsim.checks.selector",
    "detector": "mlopsim.checks.detector",
    "change": "mlopsim.checks.stream",
    "injector": "mlopsim.checks.stream",
    "mechanism": "mlopsim.checks.stream",
    "timing": "mlopsim.checks.stream",
    "bias": "mlopsim.checks.stream",
    "gate": "mlopsim.checks.gate",
    "explainer": "mlopsim.checks.explainer",
    "audit": "mlopsim.checks.audit",
}


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
    kinds : tuple of str
        The kinds that it applies to; empty for all.
    """

    name: str
    text: str
    run: Callable[[type[Any]], None]
    kinds: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """Result of one check: ``problem`` is empty where it passed."""

    check: str
    text: str
    problem: str


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


def _defaults_build(cls: type[Any]) -> None:
    make(cls.kind, cls.name)


def _keyword_only(cls: type[Any]) -> None:
    for entry in dataclasses.fields(cls):
        if entry.init:
            require(
                entry.kw_only is True,
                f"field '{entry.name}' can be positional",
                remedy="@dataclass(kw_only=True)",
            )


def _typed(cls: type[Any]) -> None:
    hints = field_hints(cls)
    for entry in dataclasses.fields(cls):
        require(entry.name in hints, f"field '{entry.name}' has no type")


def _documented(cls: type[Any]) -> None:
    text = cls.__doc__ or ""
    require(len(text.split()) >= 5, "no docstring", remedy="a numpydoc docstring, with the source")
    missing = [entry.name for entry in dataclasses.fields(cls) if entry.init and entry.name not in text]
    require(not missing, f"parameters missing in the docstring: {', '.join(missing)}")


def _round_trip(cls: type[Any]) -> None:
    # without content: the data of a stream need not be on this machine
    first = params_of(cls())
    again = params_of(make(cls.kind, {cls.name: first}))
    require(
        canonical_json(first) == canonical_json(again), "building from its own part changes the parameters"
    )


def _refuses_unknown(cls: type[Any]) -> None:
    try:
        make(cls.kind, cls.name, no_such_parameter_=1)
    except ConfigError:
        return
    raise ContractError("an unknown parameter is accepted")


GENERAL = [
    Check(name="defaults", text="builds with its defaults", run=_defaults_build),
    Check(name="keyword-only", text="all fields are keyword-only", run=_keyword_only),
    Check(name="typed", text="all fields are typed", run=_typed),
    Check(name="documented", text="the docstring names every parameter", run=_documented),
    Check(name="round trip", text="its part builds the same component", run=_round_trip),
    Check(name="unknown parameter", text="an unknown parameter is an error", run=_refuses_unknown),
]


def checks_for(kind: str) -> list[Check]:
    """Return the checks for a kind: the general ones, then those of its room."""
    special: list[Check] = []
    name = MODULES.get(kind)
    if name is not None:
        room = name.rpartition(".")[0]
        if importlib.util.find_spec(room) is not None and importlib.util.find_spec(name) is not None:
            special = [c for c in importlib.import_module(name).CHECKS if not c.kinds or kind in c.kinds]
    return [*GENERAL, *special]


def check_component(cls: type[Any]) -> list[Verdict]:
    """Run all checks on a registered component.

    Parameters
    ----------
    cls : type
        A registered class.

    Returns
    -------
    list of Verdict
        One per check, in order. An unexpected exception counts as a failure and is named.

    Examples
    --------
    >>> from mlopsim.core.registry import find
    >>> [v.problem for v in check_component(find("selector", "never")) if v.problem]
    []
    """
    verdicts = []
    for check in checks_for(cls.kind):
        problem = ""
        try:
            check.run(cls)
        except MlopsimError as error:
            problem = str(error)
        except Exception as error:  # noqa: BLE001 - a third party's code may raise anything; it is reported
            problem = f"{type(error).__name__}: {error}"
        verdicts.append(Verdict(check=check.name, text=check.text, problem=problem))
    return verdicts
