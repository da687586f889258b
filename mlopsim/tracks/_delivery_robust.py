"""Robust comparison of the delivery track: IQM of scenario scores, probability of improvement, profiles."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from mlopsim.core.registry import find, names
from mlopsim.core.seeds import Axis, Split, seed_sequence
from mlopsim.stats.interval import Interval
from mlopsim.stats.robust import Band, improvement_interval, iqm_interval, profile_band
from mlopsim.stats.scores import scenario_scores
from mlopsim.stats.table import interval_columns
from mlopsim.tracks._delivery_controls import CONTROLS

if TYPE_CHECKING:
    from mlopsim.tracks._delivery_report import Arena

#: smallest U - R_never (reward a window) at which a scenario enters per-scenario scores
FLOOR = 0.02
#: environment steps below which a trained agent says nothing about its kind
CLAIM_STEPS = 1_000_000
NO_REFERENCE = "no rule with a defined NS to compare with"


def bootstrap_rng(salt: int) -> np.random.Generator:
    """Return the Generator of one kind of interval: every method meets the same draws."""
    return np.random.default_rng(seed_sequence(Axis.BOOTSTRAP, Split.TEST, salt))


def is_control(method: str) -> bool:
    """Say whether a row of the table is a reference with hindsight."""
    return method in CONTROLS


def is_agent(method: str) -> bool | None:
    """Say whether a row of the table is a learning agent; None if its selector is not registered here.

    Examples
    --------
    >>> is_agent("ppo(n_envs=32)"), is_agent("periodic"), is_agent("oracle"), is_agent("of a plug-in")
    (True, False, False, None)
    """
    if is_control(method):
        return False
    name = method.split("(")[0]
    return bool(getattr(find("selector", name), "agent", False)) if name in names("selector") else None


def not_for_claims(methods: Sequence[str], steps: int) -> str:
    """Warn of agents that were trained too shortly for any claim; empty if there are none.

    Parameters
    ----------
    methods : sequence of str
        Rows of the table.
    steps : int
        Environment steps that each fit could use.

    Examples
    --------
    >>> not_for_claims(["never", "ppo"], 100_000)
    'not for claims: ppo was trained with 100,000 steps (below 1,000,000)'
    >>> not_for_claims(["never", "ppo"], 1_000_000), not_for_claims(["never"], 0)
    ('', '')
    """
    agents = [method for method in methods if is_agent(method)]
    if not agents or steps >= CLAIM_STEPS:
        return ""
    named = agents[0] if len(agents) == 1 else f"each of {len(agents)} agents"
    return f"not for claims: {named} was trained with {steps:,} steps (below {CLAIM_STEPS:,})"


def reference_of(ns: Mapping[str, float]) -> str | None:
    """Name the rule that methods are compared with: the one with the highest NS.

    Parameters
    ----------
    ns : mapping of str to float
        NS by method; NaN where undefined.

    Returns
    -------
    str or None
        Neither an agent nor a reference with hindsight; None if no rule has a defined NS.

    Examples
    --------
    >>> reference_of({"oracle": 1.0, "ppo": 0.7, "ks": 0.6, "never": 0.0})
    'ks'
    """
    rules = {
        method: value
        for method, value in ns.items()
        if not is_control(method) and is_agent(method) is False and not math.isnan(value)
    }
    return max(rules, key=lambda method: rules[method]) if rules else None


def robust_columns(arena: Arena, ns: Mapping[str, float]) -> dict[str, list[Any]]:
    """Columns of IQM and probability of improvement, with intervals, n, scenarios and reasons.

    Parameters
    ----------
    arena : Arena
        The paired returns; all of its tasks are pooled.
    ns : mapping of str to float
        NS by method, from which the reference is chosen.

    Returns
    -------
    dict of str to list
        By method of the arena: ``iqm`` and ``p_improvement`` as of
        :func:`mlopsim.stats.table.interval_columns`, with ``_cells`` (scenarios that entered) and
        ``_excluded``; ``p_improvement_reference``.
    """
    tasks = list(range(len(arena.tasks)))
    base, top = arena.grid(arena.never, tasks), arena.grid(arena.upper, tasks)
    reference = reference_of(ns)
    iqms, better = [], []
    for method in arena.methods:
        mine = arena.grid(arena.returns[method], tasks)
        scores = scenario_scores(mine, base, top, floor=FLOOR)
        found = iqm_interval(scores, bootstrap_rng(2))
        if math.isnan(found.value):
            found = replace(found, reason=f"no scenario with a return and U - R_never above {FLOOR}")
        iqms.append(found)
        if reference is None or method == reference:
            reason = (
                "it is the reference itself" if reference else "no rule with a defined NS to compare with"
            )
            better.append(Interval(value=math.nan, n=0, reason=reason))
        else:
            other = arena.grid(arena.returns[reference], tasks)
            better.append(improvement_interval(mine, other, bootstrap_rng(3)))
    columns: dict[str, list[Any]] = {}
    for name, intervals in (("iqm", iqms), ("p_improvement", better)):
        columns |= interval_columns(name, intervals)
        columns[f"{name}_cells"] = [found.cells for found in intervals]
        columns[f"{name}_excluded"] = [found.excluded for found in intervals]
    columns["p_improvement_reference"] = [reference or ""] * len(arena.methods)
    return columns


def profiles(arena: Arena, methods: Sequence[str], taus: np.ndarray) -> dict[str, Band]:
    """Performance profiles of methods over all tasks of the arena, with paired pointwise bands."""
    tasks = list(range(len(arena.tasks)))
    base, top = arena.grid(arena.never, tasks), arena.grid(arena.upper, tasks)
    return {
        name: profile_band(
            arena.grid(arena.returns[name], tasks), base, top, taus, bootstrap_rng(4), floor=FLOOR
        )
        for name in methods
    }
