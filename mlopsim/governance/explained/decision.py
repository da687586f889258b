"""One decision, explained: its alternatives, what the policy went by, what would have changed the answer."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from mlopsim.core.errors import ConfigError
from mlopsim.delivery.selector import View
from mlopsim.delivery.walk import Trajectory
from mlopsim.governance.explained.attribution import Attribution, attribution
from mlopsim.governance.explained.counterfactuals import Counterfactual, counterfactuals
from mlopsim.governance.explained.forks import Forks, follow, fork
from mlopsim.governance.explained.history import History, history_of
from mlopsim.governance.explained.reasons import Reasons, reasons
from mlopsim.governance.explained.scene import Scene

#: what a policy chose by, of which a softmax is the probability that it was trained to choose with
LOGITS = "logits"


@dataclass(frozen=True, kw_only=True)
class Explained:
    """A decision and all that explains it.

    Parameters
    ----------
    scene : Scene
        Of the one deployment.
    policy : Selector
        Who decided.
    window : int
        Time t of the decision, after that window.
    actions : tuple of str
        Actions by number, in words.
    forks : Forks
        Of this decision: exact values in hindsight.
    history : History
        The deployment as the policy met it.
    followed : dict of int to int
        Possible action to its row of ``walks``.
    walks : Trajectory
        What came of each possible action.
    counterfactuals : list of Counterfactual
        The smallest change first.
    attribution : Attribution
        Of the answer to groups of features.
    """

    scene: Scene
    policy: Any
    window: int
    actions: tuple[str, ...]
    forks: Forks
    history: History
    followed: dict[int, int]
    walks: Trajectory
    counterfactuals: list[Counterfactual]
    attribution: Attribution

    @property
    def step(self) -> int:
        """Number of the decision."""
        return int(self.forks.step[0])

    @property
    def answer(self) -> int:
        """What the policy answered."""
        return int(self.forks.answer[0])

    @property
    def chosen(self) -> int:
        """What was done: 0 where the answer was impossible."""
        return int(self.forks.chosen[0])

    @property
    def possible(self) -> list[int]:
        """Possible actions, the best in hindsight first."""
        values = self.forks.values[0]
        order = np.argsort(-np.where(np.isnan(values), -np.inf, values), kind="stable")
        return [int(action) for action in order if self.forks.mask[0, action]]

    def parts(self, action: int) -> dict[str, float]:
        """Return the parts of an action's value."""
        return {name: float(part[0, action]) for name, part in self.forks.parts.items()}

    @property
    def rival(self) -> int | None:
        """The best other action in hindsight; None if nothing else was possible."""
        return next((action for action in self.possible if action != self.chosen), None)

    @property
    def reasons(self) -> Reasons | None:
        """What was done against its rival."""
        rival = self.rival
        return None if rival is None else reasons(self.parts(self.chosen), self.parts(rival))

    @property
    def believed(self) -> np.ndarray | None:
        """By which numbers the policy chose, float64 (A,); None for one that has none."""
        return None if self.history.believed is None else self.history.believed[self.step]

    @property
    def took_largest(self) -> bool:
        """Whether it answered with the largest number, of all or of the possible actions."""
        believed = self.believed
        if believed is None:
            return True
        mask = self.forks.mask[0, : len(believed)]
        possible = np.where(mask, believed, -np.inf)
        return bool(believed[self.answer] in (believed.max(), possible.max()))

    @property
    def probabilities(self) -> np.ndarray | None:
        """Softmax over the possible actions, float64 (A,), of a policy that keeps logits; else None."""
        believed = self.believed
        if believed is None or self.policy.believes != LOGITS:
            return None
        masked = bool(getattr(self.policy, "masked", False))
        logits = np.where(self.forks.mask[0, : len(believed)] | (not masked), believed, -np.inf)
        weight = np.exp(logits - logits.max())
        return np.asarray(weight / weight.sum())

    @property
    def alarmed(self) -> bool | None:
        """Whether the policy had an alarm; None for one that knows none."""
        return None if self.history.alarmed is None else bool(self.history.alarmed[self.step])

    @property
    def rules(self) -> list[str]:
        """The conditions that led a tree to its leaf; empty for another policy."""
        tree = getattr(self.policy, "tree", None)
        return [] if tree is None else list(tree.path(self.history.views[self.step].obs[0]))


def action_names(versions: Sequence[int], serving: int, trained: int, actions: int) -> tuple[str, ...]:
    """Return the actions in words.

    Parameters
    ----------
    versions : sequence of int
        Version by slot, -1 where empty.
    serving : int
        Slot that serves; -1: the fallback does.
    trained : int
        Version that a retrain would train.
    actions : int
        Number of actions: one more than keep, deploy and retrain where a deployment can be suspended.

    Examples
    --------
    >>> action_names([14, 9, -1], 0, 20, 5)
    ('keep 14', 'deploy 14 (slot 0)', 'deploy 9 (slot 1)', 'deploy empty slot 2', 'retrain (version 20)')
    """
    deploys = [
        f"deploy {version} (slot {i})" if version >= 0 else f"deploy empty slot {i}"
        for i, version in enumerate(versions)
    ]
    kept = f"keep {versions[serving]}" if serving >= 0 else "keep the fallback"
    names = (kept, *deploys, f"retrain (version {trained})", "suspend")
    return names[:actions]


@dataclass(frozen=True, kw_only=True)
class Decided:
    """A decision in short.

    Parameters
    ----------
    window : int
        Time of the decision, after that window.
    answer : str
        In words; an impossible one became keep.
    rival : str
        The best other action in hindsight; empty if there was none.
    gain : float
        Value of what was done less that of the rival, exact in hindsight; NaN without a rival.
    """

    window: int
    answer: str
    rival: str
    gain: float


def decided(scene: Scene, policy: Any, row: int = 0) -> list[Decided]:
    """Return the decisions of one deployment at which the policy did not answer keep, in order of time."""
    one = scene.of(np.array([row]))
    history = history_of(one, policy)
    steps = np.flatnonzero(history.answers != 0)
    forks = fork(one, policy, np.stack([np.zeros_like(steps), steps], axis=1))
    found = []
    for i, step in enumerate(steps.tolist()):
        view = history.views[step]
        names = _names(one, view, step, forks.mask.shape[1])
        others = forks.values[i].copy()
        others[forks.chosen[i]] = np.nan
        best = -1 if np.isnan(others).all() else int(np.nanargmax(others))
        impossible = "" if forks.mask[i, forks.answer[i]] else ", impossible: kept"
        found.append(
            Decided(
                window=one.first + step,
                answer=f"{names[forks.answer[i]]}{impossible}",
                rival=names[best] if best >= 0 else "",
                gain=float(forks.of_chosen[i] - others[best]) if best >= 0 else math.nan,
            )
        )
    return found


def _names(scene: Scene, view: View, step: int, actions: int) -> tuple[str, ...]:
    trained = scene.first + step - int(scene.deployment.label_delay)
    # only a deployment that can be suspended says whether it is
    suspended = "suspended" in view.interface.names and bool(view["suspended"][0])
    serving = -1 if suspended else int(view.serving[0])
    return action_names(view.versions[0].tolist(), serving, trained, actions)


def step_of(scene: Scene, window: int) -> int:
    """Return the number of the decision that was taken after a window.

    Raises
    ------
    ConfigError
        If none was: names the windows with one.
    """
    last = scene.first + scene.steps - 1
    if not scene.first <= window <= last:
        raise ConfigError(
            f"nothing was decided after window {window}",
            remedy=f"name a window from {scene.first} to {last}: those after which this deployment decided",
        )
    return window - scene.first


def explain(scene: Scene, policy: Any, window: int, row: int = 0) -> Explained:
    """Explain one decision.

    Parameters
    ----------
    scene : Scene
        Deployments.
    policy : Selector
        Who decides, ready to walk.
    window : int
        Time t of the decision, after that window.
    row : int, default 0
        Which deployment.

    Returns
    -------
    Explained

    Raises
    ------
    ConfigError
        If nothing was decided after that window.
    """
    step = step_of(scene, window)
    one = scene.of(np.array([row]))
    history = history_of(one, policy)
    forks = fork(one, policy, [(0, step)])
    possible = np.flatnonzero(forks.mask[0]).tolist()
    return Explained(
        scene=one,
        policy=policy,
        window=window,
        actions=_names(one, history.views[step], step, forks.mask.shape[1]),
        forks=forks,
        history=history,
        followed={action: i for i, action in enumerate(possible)},
        walks=follow(one, policy, 0, step, possible),
        counterfactuals=counterfactuals(history, step),
        attribution=attribution(history, step),
    )
