"""Forks: what every action at a decision would have been worth, exactly, by walking it.

A walk hangs on scenario, seeds and actions only. So ``Q(s_t, a)``, take a at t and follow the policy from
then on, is one more walk with the same first actions; nothing is estimated. It is **hindsight**: the value in
the one future that this scenario has, which nobody knew at t, and one draw of the value that the policy could
have expected.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from mlopsim.core.errors import ConfigError
from mlopsim.delivery.selector import Selector
from mlopsim.delivery.walk import Trajectory
from mlopsim.governance.explained.exact_sums import on_grid, unit_for
from mlopsim.governance.explained.scene import Scene, Watched

#: roll-outs that are walked side by side
TOGETHER = 4096


@dataclass(frozen=True, kw_only=True)
class Forks:
    """D decisions with the exact value of each of A actions; what is impossible has NaN.

    Parameters
    ----------
    row, step : ndarray of int64, shape (D,)
        Deployment and number of the decision.
    answer : ndarray of int64, shape (D,)
        What the policy answers there.
    chosen : ndarray of int64, shape (D,)
        What that comes to: 0 where it is impossible.
    done : ndarray of int64, shape (D,)
        What was done in the walk: differs where another policy took the actions.
    mask : ndarray of bool, shape (D, A)
        Possible actions.
    parts : dict of str to ndarray of float64, shape (D, A)
        Parts of the value: the sum over all windows after the decision, multiples of ``unit``.
    costs : dict of str to ndarray of float64, shape (D, A)
        The same of the costs of the constraints, by name; empty where a deployment has none.
    unit : float
        Power of two; sums of its multiples are exact.
    steps_used : int
        Environment steps that were taken.
    """

    row: np.ndarray
    step: np.ndarray
    answer: np.ndarray
    chosen: np.ndarray
    done: np.ndarray
    mask: np.ndarray
    parts: dict[str, np.ndarray]
    costs: dict[str, np.ndarray]
    unit: float
    steps_used: int

    @property
    def values(self) -> np.ndarray:
        """Hindsight value of every action: its parts added up, exactly; float64 (D, A)."""
        total: np.ndarray = sum(self.parts.values(), np.zeros(self.mask.shape))
        return total

    @property
    def of_chosen(self) -> np.ndarray:
        """Value of the policy's own action, float64 (D,)."""
        return np.asarray(self.values[np.arange(len(self.row)), self.chosen])

    @property
    def gap(self) -> np.ndarray:
        """What the worst possible action would lose against the policy's, float64 (D,): VIPER's weight.

        In hindsight, and so noisy: a minimum over actions of one draw of each value is too low on average.
        """
        return np.asarray(self.of_chosen - np.nanmin(self.values, axis=1))

    @property
    def regret(self) -> np.ndarray:
        """What the best possible action would have gained, float64 (D,)."""
        return np.asarray(np.nanmax(self.values, axis=1) - self.of_chosen)

    @property
    def lost_by_done(self) -> np.ndarray:
        """Value of what was done less that of what the policy answers, float64 (D,).

        Summed over all decisions of a walk this is the difference of two returns (performance difference
        lemma, Kakade and Langford 2002): that of who walked less that of the policy. Exactly, on the grid.
        """
        return np.asarray(self.values[np.arange(len(self.row)), self.done] - self.of_chosen)


def unit_of(scene: Scene) -> float:
    """Return the grid on which all sums of rewards of a scene's deployments are exact."""
    deployment = scene.deployment
    most = float(np.abs(scene.pool.reward).max()) + 2.0 * deployment.switch_cost + deployment.retrain_cost
    most += deployment.shadow_cost * deployment.slots
    # a fallback may be better than every version; a difference of two sums is twice as large
    return unit_for(8.0 * scene.steps * max(most, 1.0))


def exact_return(trajectory: Trajectory, unit: float) -> np.ndarray:
    """Return the sum of all parts of all windows of each roll-out, exactly on the grid; float64 (N,)."""
    return np.asarray(sum(on_grid(part, unit).sum(axis=1) for part in trajectory.parts.values()))


def costs_of(trajectory: Trajectory) -> dict[str, np.ndarray]:
    """Return the costs of the constraints of a walk by name, (N, S) each; none without constraints."""
    costs: dict[str, np.ndarray] = getattr(trajectory, "costs", None) or {}
    return costs


def fork(
    scene: Scene,
    policy: Selector,
    decisions: Sequence[tuple[int, int]] | np.ndarray | None = None,
    *,
    forced: np.ndarray | None = None,
    together: int = TOGETHER,
) -> Forks:
    """Walk every possible action at some decisions, the policy following after each.

    Parameters
    ----------
    scene : Scene
        The deployments.
    policy : Selector
        The policy Q is of.
    decisions : array_like of int, shape (D, 2), optional
        Deployment and number of each decision; all of them by default.
    forced : ndarray of int64, shape (N, S), optional
        Actions of another policy whose walk the decisions are on (its ``executed``); this policy observes
        along. By default the policy walks itself.
    together : int
        Roll-outs that are walked side by side: memory, not numbers, hangs on it.

    Returns
    -------
    Forks

    Raises
    ------
    ConfigError
        If there is no such decision.

    Notes
    -----
    A policy with a memory is asked from the start in each fork, along the same first actions, and is not told
    that its own answer was replaced. A policy that draws must draw by seed and step, else forks that share a
    past would not.
    """
    watched = Watched(policy)
    base = scene.walk(watched, forced=forced)
    answers = np.stack(watched.answers, axis=1)
    masks = np.stack([view.mask for view in watched.views], axis=1)
    if decisions is None:
        decisions = np.argwhere(np.ones(answers.shape, dtype=bool))
    places = np.asarray(decisions, dtype=np.int64).reshape(-1, 2)
    if len(places) and not ((places >= 0) & (places < answers.shape)).all():
        raise ConfigError(
            f"decisions are of the deployments 0..{len(scene) - 1} at the steps 0..{scene.steps - 1}"
        )
    row, step = places.T
    mask = masks[row, step]
    answer = answers[row, step]
    chosen = np.where(mask[np.arange(len(row)), answer], answer, 0)
    unit = unit_of(scene)
    which, action = np.nonzero(mask)
    parts = {name: np.full(mask.shape, np.nan) for name in base.parts}
    costs = {name: np.full(mask.shape, np.nan) for name in costs_of(base)}
    before = np.arange(scene.steps)
    for start in range(0, len(which), together):
        take, act = which[start : start + together], action[start : start + together]
        here = step[take, None]
        past = np.where(before < here, base.executed[row[take]], -1)
        walked = scene.walk(policy, rows=row[take], forced=np.where(before == here, act[:, None], past))
        for found, of in ((parts, walked.parts), (costs, costs_of(walked))):
            for name, series in of.items():
                after = np.where(before >= here, on_grid(series, unit), 0.0)
                found[name][take, act] = after.sum(axis=1)
    return Forks(
        row=row,
        step=step,
        answer=answer,
        chosen=chosen,
        done=base.executed[row, step],
        mask=mask,
        parts=parts,
        costs=costs,
        unit=unit,
        steps_used=(len(scene) + len(which)) * scene.steps,
    )


def follow(scene: Scene, policy: Any, row: int, step: int, actions: Sequence[int]) -> Trajectory:
    """Walk one deployment once for each of some actions at one decision, the policy before and after it."""
    own = scene.walk(policy, rows=np.array([row]))
    forced = np.full((len(actions), scene.steps), -1, dtype=np.int64)
    forced[:, :step] = own.executed[0, :step]
    forced[:, step] = list(actions)
    return scene.walk(policy, rows=np.full(len(actions), row), forced=forced)
