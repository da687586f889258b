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
    """A reference: whether it always joins the table, what it is."""

    always: bool
    text: str


CONTROLS: dict[str, Control] = {
    "oracle": Control(always=True, text="the clairvoyant optimum: a feasible plan and the bound"),
    "latest-oracle": Control(always=False, text="the exact optimum without rollback"),
    "knows-changes": Control(
        always=False,
        text="retrains a fixed time after every true change, the time chosen afterwards",
    ),
    "hindsight-period": Control(always=False, text="the best fixed period, chosen afterwards"),
}


def drift_spans(world: World) -> np.ndarray:
    """First and last window of each true drift event in the deployed windows, int64 of shape (events, 2)."""
    rows = np.array([(event.start, event.end) for event in world.events or ()], dtype=np.int64).reshape(-1, 2)
    windows = np.searchsorted(world.bounds, rows, side="right") - 1
    spans: np.ndarray = windows[(windows[:, 0] >= world.warmup) & (windows[:, 0] < world.windows)]
    return spans


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
        changes = drift_spans(world)[:, 0].tolist()
        actions = knows_changes(reward, world.warmup, deployment, changes).actions
    else:
        both = bracket(reward, world.warmup, deployment)
        actions = both.lower_plan if name == "oracle" else both.latest_plan
        if name == "oracle":
            extra["upper"] = both.upper / pool.steps
    return replay(actions[None, :], pool, deployment, np.zeros(1, np.int64)), extra
