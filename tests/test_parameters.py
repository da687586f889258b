"""Every number of every component, given wrongly: refused before any work, or it has a meaning."""

from __future__ import annotations

import dataclasses
import math
import types
import typing
from typing import Any

import pytest

from mlopsim.core.errors import ConfigError, DataError
from mlopsim.core.registry import PACKAGES, find, names
from mlopsim.core.spec import field_hints, make, part_of

#: no parameter means anything as one of these
WRONG = (math.nan, "much", [1], {"a": 1}, True)
ODD = (math.inf, -math.inf, -1, 0, 10**12, 1e300, 10**400)


def numbers(cls: type[Any]) -> list[str]:
    """Names of the parameters that take numbers and nothing that any word would fit."""
    found = []
    hints = field_hints(cls)
    for field in dataclasses.fields(cls):
        hint = hints[field.name]
        union = typing.get_origin(hint) in (typing.Union, types.UnionType)
        options = set(typing.get_args(hint) if union else (hint,))
        if options & {int, float} and not options & {str, bool, list, dict}:
            if field.init and "kind" not in field.metadata:
                found.append(field.name)
    return found


def comes_back(kind: str, made: Any) -> bool:
    """Whether workers and ledgers, which know only the part, get the same thing."""
    if made.full_name == "stream/openml":
        return True  # its part holds the digest of a file that would be downloaded
    try:
        part = part_of(made)
    except DataError:
        return True  # no file is named
    return part_of(make(kind, part)) == part


@pytest.mark.parametrize("kind", PACKAGES)
def test_numbers_that_mean_nothing_are_refused(kind: str) -> None:
    faults = []
    for name in names(kind):
        cls = find(kind, name)
        for parameter in numbers(cls):
            # whatever comes through the command line, presets or make
            for value in (*WRONG, *ODD):
                try:
                    made = make(kind, {name: {parameter: value}})
                except ConfigError as error:
                    if not str(error).strip():
                        faults.append((name, parameter, value, "no message"))
                    continue
                if not isinstance(value, float | int) or isinstance(value, bool) or not math.isfinite(value):
                    faults.append((name, parameter, value, "accepted"))
                elif not comes_back(kind, made):
                    faults.append((name, parameter, value, "does not come back from its part"))
            # and from plain Python, where nobody converts
            try:
                cls(**{parameter: math.nan})
            except ConfigError:
                continue
            faults.append((name, parameter, math.nan, "accepted by the class"))
    assert not faults


@pytest.mark.parametrize(
    ("name", "parameter", "value"),
    [
        *(("ppo", "learning_rate", value) for value in (-1e-3, 0.0)),
        *(("maskable_ppo", name, 0) for name in ("n_steps", "n_epochs", "batch_size", "clip_range")),
        *(("a2c", "gamma", value) for value in (-0.1, 2.0)),
        *(("a2c", "gae_lambda", value) for value in (-0.1, 2.0)),
        ("ppo", "ent_coef", -0.1),
        ("dqn", "exploration_fraction", 1.5),
        ("dqn", "exploration_final_eps", -0.5),
        ("dqn", "train_freq", 0),
        ("dqn", "gradient_steps", -1),
        ("dqn", "reward_scale", 0.0),
    ],
)
def test_nonsense_for_an_agent_names_the_parameter(name: str, parameter: str, value: float) -> None:
    with pytest.raises(ConfigError, match=f"{name}.{parameter} must be in"):
        make("selector", {name: {parameter: value}})
