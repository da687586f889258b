"""The costs of constraints over a pool: by the truth, and as a deployment measures them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from mlopsim.core.spec import part_of
from mlopsim.delivery.mechanisms import Costs
from mlopsim.governance.constraint import Constraint, need_two_classes
from mlopsim.governance.loop.memo import once
from mlopsim.governance.loop.truth import Rates, law_of, measured

if TYPE_CHECKING:
    from mlopsim.delivery.pool import WorldPool


def laws(pool: WorldPool) -> list[Rates]:
    """Return the true rates of every World of a pool, each computed once."""

    def make() -> list[Rates]:
        found = []
        for i in range(len(pool)):
            world = pool.world(i)
            found.append(law_of(world))
            world.forget()
        return found

    return once(pool, "laws", make)


def costs_of(pool: WorldPool, constraint: Constraint, label_delay: int) -> Costs:
    """Return what it costs to break a constraint in every cell of a pool.

    Parameters
    ----------
    pool : WorldPool
    constraint : Constraint
    label_delay : int
        Windows until what is measured with labels is known.

    Raises
    ------
    ConfigError
        If the constraint needs two classes and there are more.
    """
    need_two_classes(constraint, pool.n_classes)
    shape = (len(pool), pool.reward.shape[1])
    true, seen = np.zeros(shape), np.zeros(shape, dtype=np.float32)
    if not constraint.at_switch:
        for i, law in enumerate(laws(pool)):
            true[i] = pool.flat(constraint.costs(law))
            seen[i] = pool.flat(constraint.costs(measured(pool.world(i))))
    return Costs(
        name=constraint.name,
        true=true,
        seen=seen,
        lag=label_delay if constraint.uses_labels else 0,
        limit=constraint.limit,
        weight=constraint.weight,
        at_switch=constraint.at_switch,
        bar=constraint.bar,
    )


def all_costs(pool: WorldPool, constraints: Sequence[Constraint], label_delay: int) -> tuple[Costs, ...]:
    """Return the costs of several constraints, see :func:`costs_of`; each is computed once for a pool."""

    def one(constraint: Constraint) -> Costs:
        key = ["costs", part_of(constraint), label_delay]
        return once(pool, key, lambda: costs_of(pool, constraint, label_delay))

    return tuple(one(constraint) for constraint in constraints)


def cost_square(pool: WorldPool, cost: Costs, i: int) -> np.ndarray:
    """Return the true costs of World i as float64 (T, T), ``[version, window]``, 0 where there is no cell."""
    out = np.zeros((pool.windows, pool.windows))
    v, t = np.triu_indices(pool.windows - pool.warmup + 1)
    out[v + pool.warmup - 1, t + pool.warmup - 1] = cost.true[i]
    return out
