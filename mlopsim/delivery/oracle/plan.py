"""Plans by version number, and their translation to the actions of the dynamics."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from mlopsim.core.errors import MlopsimError
from mlopsim.delivery.oracle.problem import Problem

KEEP, RETRAIN = -1, -2


@dataclass(frozen=True)
class Plan:
    """One intent per decision.

    Parameters
    ----------
    intents : ndarray of int64, shape (T - W,)
        For the decision times W-1..T-2: ``KEEP`` (-1), ``RETRAIN`` (-2) or the version to deploy (>= 0).
    """

    intents: np.ndarray

    @classmethod
    def of(cls, problem: Problem, retrains: Iterable[int], deploys: Iterable[tuple[int, int]] = ()) -> Plan:
        """Build a plan from decision times of retrains and from (decision time, version) of deploys.

        Examples
        --------
        >>> p = Problem(reward=np.zeros((8, 8)), warmup=2)
        >>> Plan.of(p, [3], [(5, 1)]).intents
        array([-1, -1, -2, -1,  1, -1])
        """
        intents = np.full(problem.T - problem.warmup, KEEP, dtype=np.int64)
        start = problem.warmup - 1
        for t in retrains:
            intents[t - start] = RETRAIN
        for t, version in deploys:
            if intents[t - start] != KEEP:
                raise MlopsimError(f"two actions at decision time {t}")
            intents[t - start] = version
        return cls(intents)

    @property
    def retrains(self) -> int:
        """Number of retrain decisions."""
        return int((self.intents == RETRAIN).sum())

    def actions(self, problem: Problem) -> np.ndarray:
        """Translate to actions: 0 keep, 1..K deploy a slot (newest version first), K + 1 retrain.

        Only the contents of the registry are followed here; whether an action is possible and what it
        earns is for the dynamics to say.

        Returns
        -------
        ndarray of int64, shape (T - W,)

        Raises
        ------
        MlopsimError
            If a version is deployed that the registry does not hold.
        """
        W, K, m = problem.warmup, problem.slots, problem.canary_windows
        registry, base, candidate, left = [problem.v0], problem.v0, -1, 0
        job, job_arrival = -1, -1
        actions = np.zeros(len(self.intents), dtype=np.int64)
        for i, intent in enumerate(self.intents):
            t = W - 1 + i
            started = False
            if intent == RETRAIN:
                actions[i] = K + 1
                job = t - problem.label_delay
                job_arrival = problem.arrival(job)
            elif intent != KEEP:
                if intent not in registry:
                    raise MlopsimError(f"version {intent} is not in the registry at decision time {t}")
                actions[i] = 1 + registry.index(int(intent))
                if candidate >= 0:
                    candidate, left = -1, 0
                elif m:
                    candidate, left, started = int(intent), m, True
                else:
                    base = int(intent)
            if candidate >= 0 and not started:
                left -= 1
                if left == 0:
                    base, candidate = candidate, -1
            if job >= 0 and job_arrival == t + 1:
                registry.insert(0, job)
                if problem.on_arrival:
                    if m:
                        candidate, left = job, m
                    else:
                        base = job
                if len(registry) > K:
                    registry.remove(min(v for v in registry if v not in (base, candidate)))
                job = -1
        return actions
