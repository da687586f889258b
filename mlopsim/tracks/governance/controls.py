"""The reference of the governance track: the optimum at a grid of prices of cost."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from mlopsim.core.track import Attribute

if TYPE_CHECKING:
    from mlopsim.delivery.mechanisms import Mechanisms
    from mlopsim.delivery.walk import Trajectory
    from mlopsim.governance.optimum.case import Case
    from mlopsim.tracks.rolling import Scene

#: search for plans at one price: servings from one start, and how often the winner is disturbed
EFFORT, KICKS = 300, 1
#: steps that tighten the bound at one price
ITERATIONS = 100


@dataclass(frozen=True, kw_only=True)
class Found:
    """What a reference does.

    Parameters
    ----------
    actions : ndarray of int64, shape (S,)
        Its plan.
    extra : mapping
        Metrics that only it has.
    curves : mapping
        Series that only it has.
    """

    actions: np.ndarray
    extra: Mapping[str, float] = field(default_factory=dict)
    curves: Mapping[str, np.ndarray] = field(default_factory=dict)


class Control(ABC):
    """A policy with hindsight; it has all that the task has.

    Attributes
    ----------
    name : str
        As in tables.
    reads, needs, known : str
        As of methods.
    """

    name: ClassVar[str]
    reads: ClassVar[str] = "everything"
    needs: ClassVar[str] = "hindsight"
    known: ClassVar[str] = "the whole scenario"

    def facts(self) -> dict[str, Attribute]:
        """Return its attributes."""
        return {
            "family": "reference",
            "role": "control",
            "reads": self.reads,
            "needs": self.needs,
            "known": self.known,
        }

    def params(self, prices: Sequence[float]) -> dict[str, Any]:
        """Return what of the track's settings its cells hang on; by default nothing.

        Parameters
        ----------
        prices : sequence of float
            Of cost, ascending from 0.
        """
        return {}

    @abstractmethod
    def find(self, scene: Scene, prices: Sequence[float]) -> Found:
        """Return what it does.

        Parameters
        ----------
        scene : Scene
            Of one World.
        prices : sequence of float
            Of cost, ascending from 0.
        """


class Optimum(Control):
    """The clairvoyant at each price: a plan that can be carried out, and a bound that nobody exceeds."""

    name = "optimum"

    def params(self, prices: Sequence[float]) -> dict[str, Any]:
        """Return the prices."""
        return {"prices": list(prices)}

    def find(self, scene: Scene, prices: Sequence[float]) -> Found:
        """Return the best plan at price 0; bounds and plans at all prices as curves.

        Notes
        -----
        ``bound[i]`` is not below the return less ``price[i]`` times the cost, both means of a window, of any
        way of acting in this World with these switches. What is charged at switches (churn) is not negative,
        and left out of the bound; the plans are charged for it.
        """
        from mlopsim.delivery.walk import replay
        from mlopsim.governance.optimum.priced import Large

        case, weight = priced_case(scene)
        solver = Large(case=case, effort=EFFORT, kicks=KICKS, iterations=ITERATIONS)
        bounds, plans = [], []
        for price in prices:
            answer = solver.at(price * weight)
            worth = answer.played.value - price * weight * answer.played.cost
            plans.append(answer.played.actions[int(np.argmax(worth))])
            bounds.append(answer.upper)
        switches = None if scene.switches is None else np.full(len(plans), scene.switches, dtype=np.int64)
        which = np.zeros(len(plans), np.int64)
        played = replay(np.stack(plans), scene.pool, scene.deployment, which, switches=switches)
        steps = scene.pool.steps
        spent = weighted(played.costs, scene.deployment.mechanisms(scene.pool), len(plans), steps)
        curves = {
            "price": np.array(prices, dtype=np.float64),
            "bound": np.array(bounds) / steps,
            "plan_return": played.reward.mean(axis=1),
            "plan_cost": spent.mean(axis=1),
        }
        upper = float(curves["bound"][0])
        return Found(actions=plans[0], extra={"upper": upper}, curves=curves)


#: by name, in the order of the table
CONTROLS: Mapping[str, Control] = {one.name: one for one in (Optimum(),)}


def weighted(costs: Mapping[str, np.ndarray], mechanisms: Mechanisms, n: int, steps: int) -> np.ndarray:
    """Return the weighted sum of the costs of the constraints, float64 (n, steps)."""
    total = np.zeros((n, steps))
    for one in mechanisms.costs:
        total += one.weight * costs[one.name]
    return total


def priced_case(scene: Scene) -> tuple[Case, float]:
    """Return a scene with the weighted mean of its costs as its only cost, and the sum of the weights.

    No limit is left: how much cost is allowed is a question of its price.
    """
    from mlopsim.delivery.mechanisms import Costs
    from mlopsim.governance.optimum.case import Case

    mechanisms = scene.deployment.mechanisms(scene.pool)
    tables = [one for one in mechanisms.costs if not one.at_switch and one.weight > 0.0]
    weight = float(sum(one.weight for one in tables))
    costs: tuple[Costs, ...] = ()
    if tables:
        true = np.minimum(sum(one.weight / weight * one.true for one in tables), 1.0)
        seen = true.astype(np.float32)
        costs = (Costs(name="cost", true=true, seen=seen, lag=0, limit=1.0),)
    case = Case(
        pool=scene.pool,
        deployment=scene.deployment,
        mechanisms=replace(mechanisms, costs=costs),
        over=("mean",) * len(costs),
        switches=scene.switches,
    )
    return case, weight


def play(control: Control, scene: Scene, prices: Sequence[float]) -> tuple[Trajectory, Found]:
    """Carry out what a reference does, in one deployment."""
    from mlopsim.delivery.walk import replay

    found = control.find(scene, prices)
    switches = None if scene.switches is None else np.array([scene.switches], dtype=np.int64)
    which = np.zeros(1, np.int64)
    return replay(found.actions[None], scene.pool, scene.deployment, which, switches=switches), found
