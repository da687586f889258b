from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from brute_governed import best, ends, tiny

from mlopsim.core.errors import ConfigError
from mlopsim.governance.optimum.bound import constrained_bound
from mlopsim.governance.optimum.exhaustive import exhaustive

KINDS = [("mean",), ("mean", "window"), ("mean", "run"), ("mean",)]


def check_tiny(index: int) -> None:
    """Compare the exact front and every bound with all walks of a tiny World."""
    rules, case = tiny(index, KINDS[index % 4])
    walks = ends(rules)
    if not walks:
        with pytest.raises(ConfigError, match="nothing that this deployment can do meets the limit"):
            exhaustive(case)
        return
    front = exhaustive(case)
    steps = case.pool.steps
    for allowance in [0.0, *front.cost.tolist(), 0.37 * steps, float(steps)]:
        optimum = best(walks, allowance)
        limited = replace(case.constrained, limit=allowance / steps)
        if optimum == -np.inf:
            with pytest.raises(ConfigError, match="nothing"):
                front.at(allowance)
        else:
            assert front.value[front.at(allowance)] == pytest.approx(optimum, abs=1e-9), index
            assert constrained_bound(limited).bound >= optimum - 1e-9, (index, allowance)


@pytest.mark.parametrize("block", range(2))
def test_every_walk_of_tiny_worlds(block: int) -> None:
    # 7 has no factor 2: all switches are met in many combinations
    for index in range(block * 7, 512, 73):
        check_tiny(index)


@pytest.mark.slow
@pytest.mark.parametrize("block", range(8))
def test_every_walk_of_500_tiny_worlds(block: int) -> None:
    for index in range(64 * block, 64 * block + 64):
        check_tiny(index)
