"""Exact Shapley values of groups of features: which part of what a policy saw its answer hangs on.

What is attributed is the **behaviour** (Beechey et al., ICML 2023, tell it from outcome and prediction): the
share of decisions at which the policy answers as it did here, when the features of some groups are those of
this decision and the others those of another decision of the same deployment. Neither a value nor a
belief is attributed. Mixtures of two observations need not be possible ones, and the policy is asked about
them all the same: that is what such an attribution is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mlopsim.delivery.features import OF_INPUTS, OF_LABELS
from mlopsim.governance.explained.history import History
from mlopsim.numerics.shapley_values import coalitions, shapley_values

#: decisions that the features of this one are mixed with
BACKGROUND = 32
#: names of the groups in their order
GROUPS = (
    "accuracy of what serves",
    "shift of what serves",
    "shift of the newest data",
    "version on its way",
    "clocks, budget, canary",
    "registry: which versions",
    "registry: accuracies",
    "registry: shifts",
    "guards",
)
_CLOCKS = (
    *("cooldown_left", "can_retrain", "budget_left", "canary", "canary_left"),
    *("since_retrain", "since_switch"),
)
_WHICH = ("filled", "serving", "candidate", "age")


@dataclass(frozen=True, kw_only=True)
class Attribution:
    """Shapley values of groups of features.

    Parameters
    ----------
    groups : tuple of str
        The groups that have features here.
    values : ndarray of float64, shape (G,)
        Share of agreement that each brings; they add up to ``whole - none``.
    whole, none : float
        Share of agreement with all features as they were (1 for a policy that does not draw), and with none.
    decisions : int
        Decisions that were mixed in.
    """

    groups: tuple[str, ...]
    values: np.ndarray
    whole: float
    none: float
    decisions: int


def group_of(name: str) -> str:
    """Return the group of a feature; what a governed deployment adds is ``guards``.

    Examples
    --------
    >>> group_of("serving_ks"), group_of("slot2_accuracy"), group_of("since_switch")
    ('shift of what serves', 'registry: accuracies', 'clocks, budget, canary')
    """
    head, _, tail = name.partition("_")
    if head.startswith("slot") and head[4:].isdigit():
        if tail in _WHICH:
            return GROUPS[5]
        if tail in OF_LABELS:
            return GROUPS[6]
        if tail in OF_INPUTS:
            return GROUPS[7]
    if name in OF_LABELS:
        return GROUPS[0]
    if head == "serving":
        return GROUPS[1]
    if head == "newest":
        return GROUPS[2]
    if head == "flight" or name in ("in_flight", "arrives_in"):
        return GROUPS[3]
    return GROUPS[4] if name in _CLOCKS else GROUPS[8]


def attribution(history: History, step: int, background: int = BACKGROUND) -> Attribution:
    """Attribute the answer at one decision to groups of features.

    Parameters
    ----------
    history : History
        The deployment as the policy met it.
    step : int
        Number of the decision.
    background : int
        Decisions of the same deployment that are mixed in, evenly spread, this one excepted.

    Returns
    -------
    Attribution
        Exact for these decisions: all coalitions are asked about.
    """
    obs = history.views[step].obs[0]
    owner = [group_of(name) for name in history.interface.names]
    groups = tuple(group for group in GROUPS if group in owner)
    belongs = np.array([[name == group for name in owner] for group in groups])
    steps = [s for s in range(len(history.views)) if s != step]
    spread = np.unique(np.linspace(0, len(steps) - 1, min(background, len(steps))).astype(np.int64))
    others = history.observations[[steps[i] for i in spread]]
    own = history.ask(step, obs[None, :])[0][0]

    def worth(members: np.ndarray) -> np.ndarray:
        as_here = members.astype(np.int64) @ belongs > 0
        mixed = np.where(as_here[:, None, :], obs, others[None, :, :]).reshape(-1, len(obs))
        same = history.ask(step, mixed)[0] == own
        found: np.ndarray = same.reshape(len(members), len(others)).mean(axis=1)
        return found

    ends = worth(np.array([[True] * len(groups), [False] * len(groups)]))
    return Attribution(
        groups=groups,
        values=shapley_values(worth(coalitions(len(groups)))),
        whole=float(ends[0]),
        none=float(ends[1]),
        decisions=len(others),
    )


def ordered(found: Attribution) -> Sequence[tuple[str, float]]:
    """Return groups and values, those that matter most first."""
    order = np.argsort(-np.abs(found.values), kind="stable")
    return [(found.groups[i], float(found.values[i])) for i in order]
