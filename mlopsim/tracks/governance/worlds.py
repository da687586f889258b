"""The Worlds of an arm: versions trained behind the task's data gate, or on all rows as they are received."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mlopsim.core.spec import canonical

#: parameters of a deployment that no seed hangs on: what differs between two reviewers is what they decide,
#: not the luck of two searches or of drawn actions
PAIRED = ("feedback", "reviewer")


def trained(part: Mapping[str, Any], gated: bool) -> dict[str, Any]:
    """Return the training policy of the versions.

    Both are :class:`mlopsim.governance.training.guarded.Guarded`, so that both are judged on clean rows.

    Parameters
    ----------
    part : mapping
        Of a task: ``training`` and ``gate``.
    gated : bool
        Whether the data gate is on; without one in the task that makes no difference.

    Examples
    --------
    >>> part = {"training": canonical("training", "last"), "gate": canonical("gate", "iqr")}
    >>> [trained(part, gated)["params"]["gate"]["name"] for gated in (True, False)]
    ['iqr', 'none']
    """
    gate = part["gate"] if gated and part["gate"] is not None else "none"
    return canonical("training", {"guarded": {"gate": gate, "base": part["training"]}})
