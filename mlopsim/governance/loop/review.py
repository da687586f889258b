"""Which versions a reviewer should deny, by the truth."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from mlopsim.delivery.mechanisms import Costs
from mlopsim.governance.loop.compliance import cost_square

if TYPE_CHECKING:
    from mlopsim.delivery.pool import WorldPool


def bad_versions(pool: WorldPool, costs: Sequence[Costs], deployment: Any) -> np.ndarray:
    """Return which versions break a constraint, or do harm, in the first window that they could serve.

    A version does harm if an older one would earn more than ``deployment.harm`` more there. The window is
    that at whose start it would serve without any review.

    Parameters
    ----------
    pool : WorldPool
    costs : sequence of Costs
        Of the constraints, by the truth.
    deployment : component of kind ``deployment``
        Fields ``label_delay, latency, harm``.

    Returns
    -------
    ndarray of bool, shape (M, T)
        False for v0 and for versions that come after the end.
    """
    bad = np.zeros((len(pool), pool.windows), dtype=np.bool_)
    v0 = pool.warmup - 1
    for i in range(len(pool)):
        reward = pool.square("reward", i)
        squares = [cost_square(pool, cost, i) for cost in costs]
        for v in range(pool.warmup, pool.windows):
            w = v + deployment.label_delay + 1 + deployment.latency
            if w >= pool.windows:
                break
            breaks = any(square[v, w] > 0.0 for square in squares)
            bad[i, v] = breaks or reward[v0:v, w].max() > reward[v, w] + deployment.harm
    return bad
