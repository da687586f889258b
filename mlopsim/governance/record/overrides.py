"""Decisions that people take instead of the method: an override replaces an answer, and is on record."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from mlopsim.core.errors import ConfigError
from mlopsim.delivery.selector import Interface, View

#: what an overseer may decide
WORDS = ("keep", "retrain", "suspend", "deploy VERSION")


@dataclass(frozen=True, kw_only=True)
class Override:
    """A decision that was replaced.

    Parameters
    ----------
    window : int
        Decision time.
    decision : str
        ``keep``, ``retrain``, ``suspend`` or ``deploy VERSION``.
    by : str
        Who decided.
    reason : str
        Why.

    Examples
    --------
    >>> read_override("41=deploy 12", by="A. Reviewer", reason="complaints").decision
    'deploy 12'
    """

    window: int
    decision: str
    by: str
    reason: str

    def __post_init__(self) -> None:
        """Check the decision, and that it says who and why."""
        verb, _, version = self.decision.partition(" ")
        fits = (
            version.isascii() and version.isdigit()
            if verb == "deploy"
            else self.decision in ("keep", "retrain", "suspend")
        )
        if not fits:
            raise ConfigError(
                f"'{self.decision}' is no decision", remedy=f"one of: {', '.join(WORDS)}, e.g. deploy 12"
            )
        if not self.by.strip() or not self.reason.strip():
            raise ConfigError("an override must say who decided and why", remedy="--by NAME --reason TEXT")


def read_override(text: str, *, by: str, reason: str) -> Override:
    """Read ``WINDOW=DECISION``.

    Raises
    ------
    ConfigError
        If it is not of that form.
    """
    window, sign, decision = text.partition("=")
    if not sign or not (window.strip().isascii() and window.strip().isdigit()):
        raise ConfigError(f"'{text}' is no override", remedy="WINDOW=DECISION, e.g. 41=keep")
    return Override(window=int(window), decision=decision.strip(), by=by, reason=reason)


class Overruled:
    """Hands everything on to a selector, keeps what it answers, and replaces some of it.

    The selector is asked at every decision, so that it observes along and would go on as it did.

    Parameters
    ----------
    selector : Selector
    overrides : sequence of Override
        By window, each at most once.
    taken : mapping of int to int, optional
        Actions by window that are followed instead of the answer (listed ties of another platform).
    margins : bool, default True
        Whether margins are kept: a selector may have to work for them.

    Attributes
    ----------
    answers : list of int
        What the selector itself said, by decision, in the one roll-out that there is.
    alarms : list of bool
        Whether it alarmed, if it tells (``alarmed``).
    margins : list of float
        How far its answer was from another one, if it tells (``tie_margin``).

    Raises
    ------
    ConfigError
        If a window is overruled twice.
    """

    def __init__(
        self,
        selector: Any,
        overrides: Sequence[Override] = (),
        taken: Mapping[int, int] | None = None,
        *,
        margins: bool = True,
    ) -> None:
        self.selector = selector
        self.full_name: str = selector.full_name
        self.uses_errors = bool(getattr(selector, "uses_errors", True))
        self.uses_inputs = bool(getattr(selector, "uses_inputs", False))
        # people may suspend what the selector does not know can be
        self.can_suspend = True
        self._with_margins = margins
        self._can_suspend = bool(getattr(selector, "can_suspend", False))
        self.overrides = {entry.window: entry for entry in overrides}
        if len(self.overrides) != len(overrides):
            raise ConfigError("a window is overruled twice", remedy="one override a window")
        self.taken = dict(taken or {})
        self.answers: list[int] = []
        self.alarms: list[bool] = []
        self.margins: list[float] = []

    def reset(self, n: int, interface: Interface, seeds: Sequence[np.random.SeedSequence]) -> None:
        """Start the selector; of one roll-out only."""
        if n != 1:
            raise ConfigError(f"overrides are of one deployment, got {n}")
        self.selector.reset(n, interface, seeds)

    def act(self, view: View) -> np.ndarray:
        """Return the selector's action, or what replaces it."""
        usual, shown = view.interface.slots + 2, view
        if view.mask.shape[1] > usual and not self._can_suspend:
            shown = replace(view, mask=view.mask[:, :usual])
        actions: np.ndarray = self.selector.act(shown)
        self.answers.append(int(actions[0]))
        alarmed = getattr(self.selector, "alarmed", None)
        margin = getattr(self.selector, "tie_margin", None) if self._with_margins else None
        if alarmed is not None:
            self.alarms.append(bool(alarmed[0]))
        if margin is not None:
            self.margins.append(float(margin[0]))
        t = int(view.t[0])
        if t in self.overrides:
            return np.array([action_of(self.overrides[t].decision, view)], dtype=np.int64)
        if t in self.taken:
            return np.array([self.taken[t]], dtype=np.int64)
        return actions


def action_of(decision: str, view: View) -> int:
    """Return the action that a decision is at the time of a view of one deployment.

    Raises
    ------
    ConfigError
        If the version is not in the registry, or there is nothing to suspend to.
    """
    slots, t = view.interface.slots, int(view.t[0])
    if decision == "keep":
        return 0
    if decision == "retrain":
        return view.interface.retrain
    if decision == "suspend":
        if view.mask.shape[1] <= slots + 2:
            raise ConfigError(
                f"the override at window {t} suspends, and the deployment has no fallback",
                remedy="give the deployment a fallback, or decide otherwise",
            )
        return slots + 2
    version = int(decision.split()[1])
    held = [int(v) for v in view.versions[0] if v >= 0]
    if version not in held:
        raise ConfigError(
            f"the override at window {t} deploys version {version}, which is not in the registry",
            remedy=f"it holds then: {', '.join(map(str, held))}",
        )
    return 1 + int(view.versions[0].tolist().index(version))
