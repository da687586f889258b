"""Whether anything that a deployment can do meets its limits."""

from __future__ import annotations

from typing import Any

import numpy as np

from mlopsim.core.spec import make
from mlopsim.delivery.mechanisms import Switch
from mlopsim.delivery.pool import WorldPool
from mlopsim.governance.constraint import Over
from mlopsim.governance.optimum.constrained import COST, nothing_meets


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
    for one, spec in zip(deployment.mechanisms(pool).costs, deployment.constraints, strict=True):
        constraint = make("constraint", spec)
        if one.at_switch or constraint.over is Over.RUN:
            continue
        least = cheapest(pool, one.true, deployment.label_delay + deployment.latency + 1)
        reached = least.mean() if constraint.over is Over.MEAN else least.max(axis=1).min()
        if reached > one.limit + COST:
            raise nothing_meets(
                f"{one.limit:g} of {constraint.full_name} (the cheapest version of every window costs "
                f"{reached:.3g})"
            )


def cheapest(pool: WorldPool, cells: np.ndarray, lag: int) -> np.ndarray:
    """Return the least entry of a table over the versions that could serve, by World and window.

    Parameters
    ----------
    pool : WorldPool
    cells : ndarray of float64, shape (M, cells)
        The table, laid out as those of the pool.
    lag : int
        Version v can serve from window v + lag on.

    Returns
    -------
    ndarray of float64, shape (M, T - W)
    """
    v0 = pool.warmup - 1
    least = [
        cells[:, pool.cell(np.append(v0, np.arange(v0 + 1, t - lag + 1)), t)].min(axis=1)
        for t in range(pool.warmup, pool.windows)
    ]
    return np.stack(least, axis=1)
