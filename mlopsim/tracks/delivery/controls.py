"""References with hindsight that stand beside the methods."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from mlopsim.core.track import Attribute
from mlopsim.tracks.roll_out_numbers import drift_spans

if TYPE_CHECKING:
    from mlopsim.delivery.pool import WorldPool
    from mlopsim.delivery.walk import Trajectory
    from mlopsim.world.world import World


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What a reference would do.

    Parameters
    ----------
    actions : ndarray of int64, shape (decisions,)
    upper : float or None
        A bound on the sum of rewards that nobody exceeds, if the reference gives one.
    """

    actions: np.ndarray
    upper: float | None = None


class Reference(ABC):
    """A policy with hindsight.

    Attributes
    ----------
    name : str
        As in tables.
    always_listed : bool
        Whether it stands in every table; others join with ``ladder``.
    known : str
        What it knows that a deployment does not show.
    """

    name: ClassVar[str]
    always_listed: ClassVar[bool] = False
    known: ClassVar[str] = "the whole scenario"

    def facts(self) -> dict[str, Attribute]:
        """Return its attributes."""
        return {
            "family": "reference",
            "role": "control",
            "reads": "everything",
            "needs": "hindsight",
            "known": self.known,
        }

    def undefined(self, world: World) -> str:
        """Say why there is no plan for a scenario; empty: there is one."""
        return ""

    @abstractmethod
    def plan(self, world: World, reward: np.ndarray, deployment: Any) -> Plan:
        """Return its plan.

        Parameters
        ----------
        world : World
            The scenario.
        reward : ndarray of float64, shape (T, T)
            Quality of each version in each window.
        deployment : component
            The deployment.
        """


class Oracle(Reference):
    """The clairvoyant optimum: a feasible plan and the bound."""

    name = "oracle"
    always_listed = True

    def plan(self, world: World, reward: np.ndarray, deployment: Any) -> Plan:
        """Return the best plan that was found, and the bound."""
        from mlopsim.delivery.oracle.bracket import bracket

        both = bracket(reward, world.warmup, deployment)
        return Plan(actions=both.lower_plan, upper=both.upper)


class LatestOracle(Reference):
    """The exact optimum without rollback."""

    name = "latest-oracle"

    def plan(self, world: World, reward: np.ndarray, deployment: Any) -> Plan:
        """Return the plan."""
        from mlopsim.delivery.oracle.problem import Problem
        from mlopsim.delivery.oracle.without_rollback import latest_only

        problem = Problem.of(reward, world.warmup, deployment)
        return Plan(actions=latest_only(problem).plan.actions(problem))


class KnowsChanges(Reference):
    """Retrains a fixed time after every true change, the time chosen afterwards."""

    name = "knows-changes"
    known = "every change"

    def undefined(self, world: World) -> str:
        """Without known events there is no plan."""
        return "the drift events of this stream are not known" if world.events is None else ""

    def plan(self, world: World, reward: np.ndarray, deployment: Any) -> Plan:
        """Return the plan."""
        from mlopsim.delivery.oracle.hindsight_ladder import knows_changes

        changes = drift_spans(world)[:, 0].tolist()
        return Plan(actions=knows_changes(reward, world.warmup, deployment, changes).actions)


class HindsightPeriod(Reference):
    """The best fixed period, chosen afterwards."""

    name = "hindsight-period"

    def plan(self, world: World, reward: np.ndarray, deployment: Any) -> Plan:
        """Return the plan."""
        from mlopsim.delivery.oracle.hindsight_ladder import best_period

        return Plan(actions=best_period(reward, world.warmup, deployment).actions)


#: by name, in the order of the table
CONTROLS: Mapping[str, Reference] = {
    reference.name: reference for reference in (Oracle(), LatestOracle(), KnowsChanges(), HindsightPeriod())
}


def run_control(
    reference: Reference, world: World, pool: WorldPool, deployment: Any
) -> tuple[Trajectory, dict[str, float]]:
    """Replay a reference's plan through the dynamics.

    Parameters
    ----------
    reference : Reference
    world : World
        The scenario.
    pool : WorldPool
        The same World, stacked alone.
    deployment : component
        The deployment.

    Returns
    -------
    Trajectory
        Of the plan.
    dict of str to float
        ``upper`` where the reference gives one: the bound U, in reward a window.
    """
    from mlopsim.delivery.walk import replay

    plan = reference.plan(world, pool.square("reward", 0), deployment)
    extra = {} if plan.upper is None else {"upper": plan.upper / pool.steps}
    return replay(plan.actions[None, :], pool, deployment, np.zeros(1, np.int64)), extra
