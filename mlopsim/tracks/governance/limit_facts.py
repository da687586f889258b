"""Limits of a task as its attributes."""

from __future__ import annotations

from typing import Any

from mlopsim.core.spec import make
from mlopsim.core.track import Attribute

#: in front of the name of a constraint: its limit, what that is on, its weight in the cost
LIMIT, ON, WEIGHT = "limit_", "limit_on_", "weight_"


def limit_facts(deployment: Any) -> dict[str, Attribute]:
    """Return the attributes of a task that say what its deployment is asked.

    Examples
    --------
    >>> from mlopsim.core.spec import make
    >>> asked = [{"accuracy_floor": {"limit": 0.2}}]
    >>> limit_facts(make("deployment", {"governed": {"constraints": asked}}))
    {'limit_accuracy_floor': 0.2, 'limit_on_accuracy_floor': 'mean', 'weight_accuracy_floor': 1.0}
    """
    found: dict[str, Attribute] = {}
    for spec in deployment.constraints:
        one = make("constraint", spec)
        found |= {LIMIT + one.name: float(one.limit), ON + one.name: one.over.value}
        found[WEIGHT + one.name] = float(one.weight)
    return found
