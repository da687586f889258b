"""Asking a policy again at one decision, with another observation in place of the one that it saw."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from mlopsim.delivery.selector import Interface, View
from mlopsim.governance.explained.scene import Scene, Watched, narrowed

#: variants that a policy with a memory is asked side by side
TOGETHER = 4096


@dataclass(frozen=True, kw_only=True)
class History:
    """One deployment as a policy met it, step by step, up to its end.

    Parameters
    ----------
    policy : Selector
        It is asked again; its state is set anew each time.
    interface : Interface
        Names and sizes.
    seed : SeedSequence
        Of the policy's draws.
    views : sequence of View
        Of one deployment each.
    answers : ndarray of int64, shape (S,)
        What it answered.
    believed : ndarray of float64, shape (S, A), or None
        By which numbers it chose.
    alarmed : ndarray of bool, shape (S,), or None
        Where it had an alarm.
    """

    policy: Any
    interface: Interface
    seed: np.random.SeedSequence
    views: Sequence[View]
    answers: np.ndarray
    believed: np.ndarray | None
    alarmed: np.ndarray | None

    @property
    def observations(self) -> np.ndarray:
        """All observations, float32 (S, F)."""
        return np.concatenate([view.obs for view in self.views])

    def ask(self, step: int, obs: np.ndarray) -> tuple[np.ndarray, np.ndarray | None]:
        """Ask at one decision, after the true past, with changed observations.

        Parameters
        ----------
        step : int
            Number of the decision.
        obs : ndarray of float32, shape (V, F)
            What it is shown instead; all else of the view stays.

        Returns
        -------
        answers : ndarray of int64, shape (V,)
            What it would answer, 0 where that is impossible.
        believed : ndarray of float64, shape (V, A), or None
            By which numbers.
        """
        found = [self._ask(step, obs[at : at + TOGETHER]) for at in range(0, len(obs), TOGETHER)]
        if not found:
            return np.zeros(0, np.int64), None
        believed = [part for _, part in found if part is not None]
        return np.concatenate([part for part, _ in found]), np.concatenate(believed) if believed else None

    def _ask(self, step: int, obs: np.ndarray) -> tuple[np.ndarray, np.ndarray | None]:
        again = np.zeros(len(obs), dtype=np.int64)
        self.policy.reset(len(obs), self.interface, [self.seed] * len(obs))
        if not getattr(self.policy, "memoryless", False):
            for view in self.views[:step]:
                self.policy.act(narrowed(view.rows(again), self.policy))
        view = narrowed(replace(self.views[step].rows(again), obs=obs), self.policy)
        answers = self.policy.act(view)
        done = np.where(view.mask[np.arange(len(obs)), answers], answers, 0)
        believes = bool(getattr(self.policy, "believes", ""))
        return done, np.array(self.policy.believed, dtype=np.float64) if believes else None


def history_of(scene: Scene, policy: Any, row: int = 0) -> History:
    """Walk one deployment of a scene and keep what the policy saw."""
    watched = Watched(policy)
    scene.walk(watched, rows=np.array([row]))
    return History(
        policy=policy,
        interface=watched.interface,
        seed=scene.seeds[row],
        views=watched.views,
        answers=np.concatenate(watched.answers),
        believed=np.concatenate(watched.believed) if watched.believed else None,
        alarmed=np.concatenate(watched.alarmed) if watched.alarmed else None,
    )
