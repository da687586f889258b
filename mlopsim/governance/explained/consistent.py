"""Which observations can be: identities between features, and what may change while all else stays.

The features of an observation hang together (an F1 follows from precision and recall, an accuracy is at most
the best one, what serves is shown twice), so most of them cannot move alone. A counterfactual that moves one
of those speaks of a deployment that cannot exist. Here a *quantity* is one measured number with all columns
that show it; :func:`quantities` lists those that can change by themselves, and the values that they can have;
:func:`violations` is the rule that every observation, real or changed, must pass.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from mlopsim.delivery.deployments.standard import Feedback
from mlopsim.delivery.features import CAP, SLOT, UNIT, of_inputs

#: statistics of input shift with their largest values
SHIFTS = {"ks": 1.0, "psi": CAP, "mean": CAP}
#: admissible values lie this far apart
STEP = 1e-3
#: windows that an average over the newest, or the first, observed ones has
AVERAGED = 3
#: equal in float32
CLOSE = 2e-6


@dataclass(frozen=True, kw_only=True)
class Quantity:
    """One number that can change while everything else in an observation stays.

    Parameters
    ----------
    name : str
        Of the feature that shows it (the first of several).
    columns : tuple of (int, float, float)
        Column, offset and factor: the column shows ``offset + factor * value``.
    value : float
        What it is now.
    low, high : float
        Ends of what it can be.
    of_labels : bool
        Whether it is made of labels (else of inputs).
    """

    name: str
    columns: tuple[tuple[int, float, float], ...]
    value: float
    low: float
    high: float
    of_labels: bool

    def grid(self) -> np.ndarray:
        """Return the admissible values other than the present one, ascending, float64."""
        first, last = np.ceil(self.low / STEP - 1e-9), np.floor(self.high / STEP + 1e-9)
        values = np.arange(first, last + 1) * STEP
        return np.asarray(values[np.abs(values - self.value) > CLOSE])

    def change(self, obs: np.ndarray, values: np.ndarray) -> np.ndarray:
        """Return one changed observation for each value, float32 (V, F)."""
        changed = np.repeat(obs[None, :], len(values), axis=0)
        for column, offset, factor in self.columns:
            changed[:, column] = offset + factor * values
        return changed


class _Shown:
    """One observation by the names of its features, numbers of windows as such."""

    def __init__(self, names: Sequence[str], obs: np.ndarray) -> None:
        self.column = {name: i for i, name in enumerate(names)}
        self.obs = obs.astype(np.float64)
        self.slots = sum(name.startswith("slot") and name.endswith("_filled") for name in names)
        self.filled = [i for i in range(self.slots) if self[f"slot{i}_filled"] == 1.0]
        serving = [i for i in self.filled if self[f"slot{i}_serving"] == 1.0]
        #: slot of what serves; -1 where nothing does or more than one slot says so
        self.serving = serving[0] if len(serving) == 1 else -1

    def __getitem__(self, name: str) -> float:
        return float(self.obs[self.column[name]])

    def windows(self, name: str) -> int | None:
        """Return a number of windows; None where it is capped and so not known."""
        value = self[name]
        return None if value >= CAP - CLOSE else round(value * UNIT)

    def has_newest(self, delay: int, more: int = 0) -> bool:
        """Return whether version t - L - more exists: some version in the registry is not younger."""
        ages = [self.windows(f"slot{i}_age") for i in self.filled]
        return any(age is None or age >= delay + more for age in ages)


def _observed(shown: _Shown, slot: int, deployment: Any) -> tuple[int, int | None]:
    """Return the least and the largest number of windows that a slot can have been observed in."""
    if shown[f"slot{slot}_known"] == 0.0:
        return 0, 0
    age = shown.windows(f"slot{slot}_age")
    since = None if age is None else age - int(deployment.label_delay)
    if deployment.feedback is Feedback.FULL:
        # each window after its own whose labels are known
        return (1, None) if since is None else (since, since)
    return 1, since


def quantities(names: Sequence[str], obs: np.ndarray, deployment: Any) -> list[Quantity]:
    """Return what can change by itself in an observation.

    Parameters
    ----------
    names : sequence of str, length F
        Features.
    obs : ndarray of float32, shape (F,)
        The observation.
    deployment : component of kind ``deployment``
        Label delay and feedback say what hangs together.

    Returns
    -------
    list of Quantity
        Shift of each version that is shown (none where the trigger is switched off); accuracies only where
        another history of windows that are not shown otherwise could have led to them. Never: what served
        lately (its accuracy, precision, recall and F1 are made of the same rows), clocks, flags, the budget:
        they follow from what was done.

    Examples
    --------
    >>> from mlopsim.core.spec import make
    >>> from mlopsim.delivery.features import feature_names
    >>> names = feature_names(1)
    >>> obs = np.zeros(len(names), np.float32)
    >>> for name in ("slot0_filled", "slot0_serving"):
    ...     obs[names.index(name)] = 1.0
    >>> [q.name for q in quantities(names, obs, make("deployment", "standard"))]
    ['serving_ks', 'serving_psi', 'serving_mean', 'slot0_fit']
    """
    shown = _Shown(names, obs)
    found = [] if _hidden(shown, deployment) else _shift_quantities(shown, deployment)
    found += _label_quantities(shown, deployment)
    return [quantity for quantity in found if len(quantity.grid())]


def _hidden(shown: _Shown, deployment: Any) -> bool:
    """Return whether the shift of inputs is not observed: there is a trigger, and it is switched off."""
    has = getattr(deployment, "trigger", None) is not None
    return has and "has_trigger" in shown.column and shown["has_trigger"] == 0.0


def _make(shown: _Shown, names: Sequence[str], low: float, high: float, of_labels: bool) -> Quantity:
    columns = tuple((shown.column[name], 0.0, 1.0) for name in names)
    return Quantity(
        name=names[0], columns=columns, value=shown[names[0]], low=low, high=high, of_labels=of_labels
    )


def _shift_quantities(shown: _Shown, deployment: Any) -> list[Quantity]:
    delay = int(deployment.label_delay)
    newest = shown.has_newest(delay)
    found: list[Quantity] = []
    for kind, high in SHIFTS.items():
        groups: list[list[str]] = []
        newest_is_shown = False
        for i in shown.filled:
            same = [f"serving_{kind}"] if i == shown.serving else []
            same.append(f"slot{i}_{kind}")
            if newest and shown.windows(f"slot{i}_age") == delay:
                same.append(f"newest_{kind}")
                newest_is_shown = True
            groups.append(same)
        if newest and not newest_is_shown:
            groups.append([f"newest_{kind}"])
        if shown["in_flight"] == 1.0:
            groups.append([f"flight_{kind}"])
        found += [_make(shown, same, 0.0, high, False) for same in groups]
    for i in shown.filled:
        age = shown.windows(f"slot{i}_age")
        # at least two of the windows that it averages over came after the version
        if age is None or age > 2:
            same = ["serving_ks_past"] if i == shown.serving else []
            found.append(_make(shown, [*same, f"slot{i}_ks_past"], 0.0, 1.0, False))
    if shown.has_newest(delay, more=1):
        found.append(_make(shown, ["newest_ks_past"], 0.0, 1.0, False))
    return found


def _label_quantities(shown: _Shown, deployment: Any) -> list[Quantity]:
    delay = int(deployment.label_delay)
    found: list[Quantity] = []
    if deployment.feedback is Feedback.FULL:
        found += [_make(shown, [f"slot{i}_fit"], 0.0, 1.0, True) for i in shown.filled]
    switched = shown.windows("since_switch")
    # else seen_accuracy and the three before it may be those of another version in the registry
    apart = shown["canary"] == 0.0 and (switched is None or switched > delay + AVERAGED)
    for i in shown.filled if apart else []:
        _, most = _observed(shown, i, deployment)
        if i == shown.serving or most == 0 or most == 1:
            # one window: what is newest is best
            continue
        accuracy, best = shown[f"slot{i}_accuracy"], shown[f"slot{i}_best"]
        few = most is not None and most <= AVERAGED
        lowest = best / most if few and most else 0.0
        highest = min(1.0, accuracy * most) if few and most else 1.0
        found.append(_make(shown, [f"slot{i}_accuracy"], lowest, best, True))
        found.append(_make(shown, [f"slot{i}_best"], accuracy, highest, True))
    if shown.serving >= 0 and shown["canary"] == 0.0:
        found += _serving_quantities(shown)
    return found


def _serving_quantities(shown: _Shown) -> list[Quantity]:
    """Early and best accuracy of what serves, where their windows are none of those that are shown."""
    observed = shown.windows("served_seen")
    # the newest four windows are shown one by one, and the first three are averaged
    if observed is not None and observed <= 2 * AVERAGED:
        return []
    best, recent = shown[f"slot{shown.serving}_best"], shown["recent_accuracy"]
    early = Quantity(
        name="early_accuracy",
        columns=((shown.column["early_accuracy"], 0.0, 1.0), (shown.column["accuracy_drop"], -recent, 1.0)),
        value=shown["early_accuracy"],
        low=0.0,
        high=best,
        of_labels=True,
    )
    if observed is not None and observed <= 2 * AVERAGED + 1:
        return [early]
    past = ("seen_accuracy", *(f"seen_accuracy_{back}" for back in range(1, 4)))
    low = max(recent, shown["early_accuracy"], *(shown[name] for name in past))
    return [early, _make(shown, [f"slot{shown.serving}_best"], low, 1.0, True)]


def violations(names: Sequence[str], obs: np.ndarray, deployment: Any, classes: int = 2) -> list[str]:
    """Name the identities that an observation breaks.

    Parameters
    ----------
    names : sequence of str, length F
        Features.
    obs : ndarray of float32, shape (F,)
        The observation.
    deployment : component of kind ``deployment``
        Of the deployment that it is of.
    classes : int
        Number of classes; with two the F1 follows from precision and recall.

    Returns
    -------
    list of str
        None for what a deployment can show.

    Examples
    --------
    >>> from mlopsim.core.spec import make
    >>> from mlopsim.delivery.features import feature_names
    >>> names = feature_names(1)
    >>> obs = np.zeros(len(names), np.float32)
    >>> obs[names.index("seen_accuracy")] = 0.9
    >>> violations(names, obs, make("deployment", "standard"))
    ['not exactly one slot serves', 'seen_accuracy without seen']
    """
    shown = _Shown(names, obs)
    found = [] if shown.serving >= 0 else ["not exactly one slot serves"]
    found += _absent(shown, names)
    if _hidden(shown, deployment):
        found += [f"{name} without has_trigger" for name in names if of_inputs(name) and shown[name] != 0.0]
    found += _what_served(shown, classes)
    if shown.serving >= 0:
        found += _copies(shown)
    for i in shown.filled:
        found += _slot(shown, i, deployment)
    return found


def _absent(shown: _Shown, names: Sequence[str]) -> list[str]:
    """What is undefined shows 0."""
    flagged: Mapping[str, tuple[str, ...]] = {
        "seen": ("seen_accuracy", "seen_precision", "seen_recall", "seen_f1"),
        "served_seen": ("recent_accuracy", "early_accuracy", "accuracy_drop"),
        "in_flight": ("arrives_in", "flight_age", "flight_ks", "flight_psi", "flight_mean"),
        "canary": ("canary_left",),
        **{
            f"slot{i}_filled": tuple(f"slot{i}_{name}" for name in SLOT if name != "filled")
            for i in range(shown.slots)
        },
        **{
            f"slot{i}_known": tuple(f"slot{i}_{name}" for name in ("accuracy", "best", "since_seen"))
            for i in range(shown.slots)
        },
    }
    found = [
        f"{name} without {flag}"
        for flag, below in flagged.items()
        if shown[flag] == 0.0
        for name in below
        if shown[name] != 0.0
    ]
    if shown["can_retrain"] == 1.0 and any(
        shown[name] != 0.0 for name in ("in_flight", "canary", "cooldown_left")
    ):
        found.append("can_retrain while in_flight, canary or cooldown_left")
    return found


def _what_served(shown: _Shown, classes: int) -> list[str]:
    precision, recall, f1 = (shown[f"seen_{name}"] for name in ("precision", "recall", "f1"))
    wanted = 2 * precision * recall / (precision + recall) if precision + recall > 0 else 0.0
    if classes == 2 and abs(f1 - wanted) > 10 * CLOSE:
        return ["seen_f1 is not that of seen_precision and seen_recall"]
    return []


def _copies(shown: _Shown) -> list[str]:
    found = [
        f"serving_{name} is not that of the slot that serves"
        for name in ("age", "ks", "psi", "mean", "ks_past")
        if shown[f"serving_{name}"] != shown[f"slot{shown.serving}_{name}"]
    ]
    if shown["served_seen"] > 0.0:
        if shown["recent_accuracy"] != shown[f"slot{shown.serving}_accuracy"]:
            found.append("recent_accuracy is not that of the slot that serves")
        drop = shown["early_accuracy"] - shown["recent_accuracy"]
        if abs(shown["accuracy_drop"] - drop) > CLOSE:
            found.append("accuracy_drop is not early_accuracy - recent_accuracy")
        if shown["early_accuracy"] > shown[f"slot{shown.serving}_best"] + CLOSE:
            found.append("early_accuracy is above the best")
    return found


def _slot(shown: _Shown, i: int, deployment: Any) -> list[str]:
    found = []
    accuracy, best = shown[f"slot{i}_accuracy"], shown[f"slot{i}_best"]
    _, most = _observed(shown, i, deployment)
    if accuracy > best + CLOSE:
        found.append(f"slot{i}_accuracy is above the best")
    if most == 1 and abs(accuracy - best) > CLOSE:
        found.append(f"slot{i}_best is not its accuracy, though it was observed once")
    if most is not None and 1 < most <= AVERAGED and best > most * accuracy + 10 * CLOSE:
        found.append(f"slot{i}_best is more than {most} windows of slot{i}_accuracy allow")
    age = shown.windows(f"slot{i}_age")
    after = age is None or age > int(deployment.label_delay)
    if deployment.feedback is Feedback.FULL and after != (shown[f"slot{i}_known"] == 1.0):
        found.append(f"slot{i}_known does not follow from its age")
    if deployment.feedback is not Feedback.FULL and shown[f"slot{i}_fit"] != 0.0:
        found.append(f"slot{i}_fit without a backtest")
    delay = int(deployment.label_delay)
    if shown.has_newest(delay) and shown.windows(f"slot{i}_age") == delay:
        found += [
            f"newest_{kind} is not that of slot{i}, which is the same version"
            for kind in SHIFTS
            if shown[f"newest_{kind}"] != shown[f"slot{i}_{kind}"]
        ]
    for kind, high in {**SHIFTS, "ks_past": 1.0}.items():
        if not 0.0 <= shown[f"slot{i}_{kind}"] <= high:
            found.append(f"slot{i}_{kind} lies outside of 0..{high:g}")
    if i + 1 in shown.filled:
        ages = [shown.windows(f"slot{j}_age") for j in (i, i + 1)]
        if None not in ages and not ages[0] < ages[1]:  # type: ignore[operator]
            found.append(f"slot{i + 1} is not older than slot{i}")
    return found
