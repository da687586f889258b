"""References with hindsight that stand beside the methods."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from mlopsim.delivery.pool import WorldPool
    from mlopsim.delivery.walk import Trajectory
    from mlopsim.world.world import World


@dataclass(frozen=True, kw_only=True)
class Control:
    """A reference: its version, whether it always joins the table, what it is."""

    version: str
    always: bool
    text: str


CONTROLS: dict[str, Control] = {
    "oracle": Control(
        version="1", always=True, text="the clairvoyant optimum: a feasible plan and the bound"
    ),
    "latest-oracle": Control(version="1", always=False, text="the exact optimum without rollback"),
    "knows-changes": Control(
        version="1",
        always=False,
        text="retrains a fixed time after every true change, the time chosen afterwards",
    ),
    "hindsight-period": Control(version="1", always=False, text="the best fixed period, chosen afterwards"),
}


def run_control(
    name: str, world: World, pool: WorldPool, deployment: Any
) -> tuple[Trajectory, dict[str, float]]:
    """Replay a reference's plan through the dynamics.

    Parameters
    ----------
    name : str
        One of :data:`CONTROLS`.
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
        For the oracle ``upper``: the bound U, in reward a window.
    """
    from mlopsim.delivery.oracle.bracket import bracket
    from mlopsim.delivery.oracle.ladder import best_period, knows_changes
    from mlopsim.delivery.walk import replay

    reward = pool.reward[0]
    extra: dict[str, float] = {}
    if name == "hindsight-period":
        actions = best_period(reward, world.warmup, deployment).actions
    elif name == "knows-changes":
        starts = [event.start for event in world.events or ()]
        changes = [int(np.searchsorted(world.bounds, row, side="right")) - 1 for row in starts]
        actions = knows_changes(reward, world.warmup, deployment, changes).actions
    else:
        both = bracket(reward, world.warmup, deployment)
        actions = both.lower_plan if name == "oracle" else both.latest_plan
        if name == "oracle":
            extra["upper"] = both.upper / pool.steps
    return replay(actions[None, :], pool, deployment, np.zeros(1, np.int64)), extra
