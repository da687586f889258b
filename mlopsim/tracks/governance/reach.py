"""Whether anything that a deployment can do meets its limits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from mlopsim.core.errors import ConfigError
from mlopsim.core.spec import make
from mlopsim.core.threads import one_thread
from mlopsim.delivery.mechanisms import Costs, Switch
from mlopsim.delivery.pool import WorldPool
from mlopsim.governance.constraint import Over, spent
from mlopsim.governance.optimum.constrained import TOLERANCE, nothing_meets
from mlopsim.tracks.governance.arms import arm_of

if TYPE_CHECKING:
    from mlopsim.core.track import Cell

#: scenarios of a task that are looked at before work starts, at most: the first that meets its limits ends it
LOOKED = 5
#: what is said of a least cost, by what the limit is on
SAID = {
    Over.MEAN: "the cheapest version of every window costs",
    Over.WINDOW: "in its worst window the cheapest version costs",
    Over.RUN: "windows in which every version costs something come in runs of",
}


def check_reachable(pool: WorldPool, deployment: Any, switches: int) -> None:
    """Raise if a limit is below what the cheapest version of every window costs on average.

    Each window is looked at by itself, as if every version that could be there served it for nothing: a limit
    that fails here fails whatever is decided; one that passes may still be out of reach together with
    others, or of what a registry can hold. With a fallback, which costs nothing, every limit can be met.

    Parameters
    ----------
    pool : WorldPool
    deployment : component of kind ``deployment``
        Such as :class:`mlopsim.governance.deployments.governed.Governed`.
    switches : int
        What is on.

    Raises
    ------
    ConfigError
        Names the limit and the remedy.
    """
    if Switch.SUSPEND in Switch(switches) and deployment.fallback is not None:
        return
    for text in beyond_reach(pool, deployment).values():
        raise nothing_meets(text)


@dataclass(frozen=True, kw_only=True)
class Least:
    """What a constraint costs at the least, by World, whatever is decided.

    Parameters
    ----------
    name : str
        Of the constraint.
    over : Over
        What the limit is on.
    limit : float
    values : ndarray of float64, shape (M,)
        In the unit of the limit.
    """

    name: str
    over: Over
    limit: float
    values: np.ndarray

    def text(self, value: float) -> str:
        """Say what is out of reach."""
        return f"{self.limit:g} of {self.name} over {self.over.value} ({SAID[self.over]} {value:.3g})"


def least_costs(pool: WorldPool, deployment: Any) -> list[Least]:
    """Return what the cheapest version of every window costs; without those whose cost is at a switch.

    Who never switches pays nothing there.
    """
    found = []
    for one, spec in zip(deployment.mechanisms(pool).costs, deployment.constraints, strict=True):
        if one.at_switch:
            continue
        constraint = make("constraint", spec)
        least = cheapest(pool, one, deployment.label_delay + deployment.latency + 1)
        values = spent(least, constraint.over)
        found.append(Least(name=constraint.full_name, over=constraint.over, limit=one.limit, values=values))
    return found


def beyond_reach(pool: WorldPool, deployment: Any) -> dict[str, str]:
    """Return the limits that nothing meets without a fallback, with what is wrong, by constraint.

    A limit on the mean is out of reach if the cheapest versions cost more on average over the Worlds; one on
    each window or on the longest run, which each deployment has for itself, if that is so in every World.
    """
    found = {}
    for least in least_costs(pool, deployment):
        reached = float(least.values.mean() if least.over is Over.MEAN else least.values.min())
        if reached > least.limit + TOLERANCE:
            found[least.name] = least.text(reached)
    return found


def refuse_unreachable(cells: Sequence[Cell]) -> None:
    """Raise if a task without fallback has a limit that nothing meets.

    Before work starts, whether anything is tuned or not: scenarios are built (and kept in the cache), one
    after the other until each limit was met in one of them. A limit on the mean is refused once the least
    costs of those looked at are too much for all scenarios of the task together, so never for the first
    scenarios alone; one that each deployment has for itself if it is out of reach in :data:`LOOKED` of them.

    Parameters
    ----------
    cells : sequence of Cell
        All cells of a grid.

    Raises
    ------
    ConfigError
        Names the task, the limit and the remedy.
    """
    from mlopsim.delivery.scenarios import pool_of
    from mlopsim.tracks.governance.rolling import spec_of
    from mlopsim.world.cache import default_cache

    scenarios: dict[tuple[str, bool], dict[int, Cell]] = {}
    for cell in cells:
        place = cell.task.digest, arm_of(cell.method.part).gate
        scenarios.setdefault(place, {}).setdefault(cell.seed, cell)
    for by_seed in scenarios.values():
        task = next(iter(by_seed.values())).task
        deployment = make("deployment", task.part["deployment"])
        if deployment.fallback is not None or not deployment.constraints:
            continue
        met: set[str] = set()
        sums: dict[str, float] = {}
        for looked, cell in enumerate(by_seed.values(), start=1):
            # of one thread, as in workers: what is cached here is read there
            with one_thread():
                leasts = least_costs(pool_of([default_cache().open(spec_of(cell))], deployment), deployment)
            for least in leasts:
                value = float(least.values[0])
                sums[least.name] = sums.get(least.name, 0.0) + value
                if value <= least.limit + TOLERANCE:
                    met.add(least.name)
                if least.name in met:
                    continue
                if least.over is Over.MEAN and sums[least.name] / len(by_seed) > least.limit + TOLERANCE:
                    said = least.text(sums[least.name] / len(by_seed))
                    raise _refused(
                        task.name, said, f"over its {len(by_seed)} scenarios, in {looked} of them alone"
                    )
                if least.over is not Over.MEAN and looked == min(LOOKED, len(by_seed)):
                    raise _refused(
                        task.name, least.text(value), f"in each of {looked} scenarios that were looked at"
                    )
            if len(met) == len(leasts):
                break


def _refused(task: str, what: str, where: str) -> ConfigError:
    error = nothing_meets(what)
    return ConfigError(f"the task '{task}': {error.message}, {where}", remedy=error.remedy)


def cheapest(pool: WorldPool, cost: Costs, lag: int) -> np.ndarray:
    """Return the least cost over the versions that could serve, by World and window.

    Parameters
    ----------
    pool : WorldPool
    cost : Costs
        Of a constraint.
    lag : int
        Version v can serve from window v + lag on.

    Returns
    -------
    ndarray of float64, shape (M, T - W)
    """
    v0 = pool.warmup - 1
    least = [
        cost.true[:, pool.cell(np.append(v0, np.arange(v0 + 1, t - lag + 1)), t)].min(axis=1)
        for t in range(pool.warmup, pool.windows)
    ]
    return np.stack(least, axis=1)
