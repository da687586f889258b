"""Run the contract checks of a component: the general ones, then those of its kind."""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any

from mlopsim.checks import general
from mlopsim.checks.base import Check
from mlopsim.core.errors import ConfigError, MlopsimError, nearest
from mlopsim.core.registry import PACKAGES


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """Result of one check: ``problem`` is empty where it passed."""

    check: str
    text: str
    problem: str


def checks_for(kind: str) -> list[Check]:
    """Return the checks of a kind: the general ones, then those in ``mlopsim/checks/<kind>.py``.

    Parameters
    ----------
    kind : str
        One of :data:`mlopsim.core.registry.PACKAGES`.

    Raises
    ------
    ConfigError
        If there is no such kind.

    Examples
    --------
    >>> [check.name for check in checks_for("timing")][-2:]
    ['unknown parameter', 'timing']
    """
    if kind not in PACKAGES:
        raise ConfigError(f"unknown kind '{kind}'{nearest(kind, PACKAGES)}")
    own = f"mlopsim.checks.{kind}"
    special = importlib.import_module(own).CHECKS if find_spec(own) is not None else []
    return [*general.CHECKS, *special]


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
