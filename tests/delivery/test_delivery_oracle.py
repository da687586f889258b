from __future__ import annotations

import numpy as np
import pytest
from brute_force import all_actions, best_of_all, latest_actions, tiny

from mlopsim.delivery.oracle.bracket import bracket
from mlopsim.delivery.oracle.lagrange import lagrangian_bound
from mlopsim.delivery.oracle.latest import latest_only
from mlopsim.delivery.oracle.problem import Problem

TINY = 320


@pytest.mark.parametrize("block", range(8))
def test_brute_force(block: int) -> None:
    for index in range(block * TINY // 8, (block + 1) * TINY // 8):
        rng = np.random.default_rng([7, index])
        reward, warmup, deployment, blocked = tiny(rng, index)
        found = bracket(reward, warmup, deployment, blocked=blocked)
        optimum = best_of_all(reward, warmup, deployment, all_actions(deployment), blocked)
        assert found.lower <= optimum + 1e-9, (index, deployment)
        assert optimum <= found.upper + 1e-12, (index, deployment)
        latest = best_of_all(reward, warmup, deployment, latest_actions(deployment), blocked)
        value = latest_only(Problem.of(reward, warmup, deployment, blocked=blocked)).value
        assert abs(value - latest) <= 1e-9, (index, deployment, value, latest)
        assert abs(found.latest - latest) <= 1e-9
