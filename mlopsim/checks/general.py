"""Contract checks of components of all kinds."""

from __future__ import annotations

import dataclasses
from typing import Any

from mlopsim.checks.base import Check, ContractError, require
from mlopsim.core.digest import canonical_json
from mlopsim.core.errors import ConfigError
from mlopsim.core.spec import field_hints, make, params_of


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


CHECKS = [
    Check(name="defaults", text="builds with its defaults", run=_defaults_build),
    Check(name="keyword-only", text="all fields are keyword-only", run=_keyword_only),
    Check(name="typed", text="all fields are typed", run=_typed),
    Check(name="documented", text="the docstring names every parameter", run=_documented),
    Check(name="round trip", text="its part builds the same component", run=_round_trip),
    Check(name="unknown parameter", text="an unknown parameter is an error", run=_refuses_unknown),
]
