"""Whether anything that a deployment can do meets its limits."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from mlopsim.core.errors import ConfigError
from mlopsim.core.spec import make
from mlopsim.core.threads import one_thread
from mlopsim.delivery.mechanisms import Costs, Switch
from mlopsim.delivery.pool import WorldPool
from mlopsim.governance.constraint import Over, longest_run
from mlopsim.governance.optimum.constrained import COST, nothing_meets
from mlopsim.tracks.governance.arms import arm_of

if TYPE_CHECKING:
    from mlopsim.core.track import Cell

#: scenarios of a task that are looked at before work starts, at most: the first that meets its limits ends it
LOOKED = 5


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


def beyond_reach(pool: WorldPool, deployment: Any) -> dict[str, str]:
    """Return the limits that nothing meets without a fallback, with what is wrong, by constraint.

    A limit on the mean is out of reach if the cheapest versions cost more on average over the Worlds; one on
    each window or on the longest run, which each deployment has for itself, if that is so in every World.
    """
    found = {}
    for one, spec in zip(deployment.mechanisms(pool).costs, deployment.constraints, strict=True):
        constraint = make("constraint", spec)
        # who never switches pays nothing there
        if one.at_switch:
            continue
        least = cheapest(pool, one, deployment.label_delay + deployment.latency + 1)
        if constraint.over is Over.MEAN:
            reached, what = float(least.mean()), "the cheapest version of every window costs"
        elif constraint.over is Over.WINDOW:
            reached, what = float(least.max(axis=1).min()), "in its worst window the cheapest version costs"
        else:
            reached = float(min(longest_run(row) for row in least))
            what = "windows in which every version costs something come in runs of"
        if reached > one.limit + COST:
            found[constraint.full_name] = (
                f"{one.limit:g} of {constraint.full_name} over {constraint.over.value} ({what} {reached:.3g})"
            )
    return found


def refuse_unreachable(cells: Sequence[Cell]) -> None:
    """Raise if a task without fallback has a limit that nothing meets in its first scenarios.

    Before work starts, whether anything is tuned or not: the first :data:`LOOKED` scenarios are built (and
    kept in the cache), one after the other until one of them can meet every limit. A limit that is out of
    reach in each of them, looked at by itself, is refused.

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
        some = list(by_seed.values())[:LOOKED]
        deployment = make("deployment", some[0].task.part["deployment"])
        if deployment.fallback is not None or not deployment.constraints:
            continue
        left: dict[str, str] | None = None
        for cell in some:
            # of one thread, as in workers: what is cached here is read there
            with one_thread():
                pool = pool_of([default_cache().open(spec_of(cell))], deployment)
                found = beyond_reach(pool, deployment)
            left = {name: text for name, text in found.items() if left is None or name in left}
            if not left:
                break
        for text in (left or {}).values():
            error = nothing_meets(text)
            raise ConfigError(
                f"the task '{some[0].task.name}': {error.message}, in any of its first {len(some)} scenarios",
                remedy=error.remedy,
            )


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
