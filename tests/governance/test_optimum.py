from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from brute_governed import best, ends, tiny

from mlopsim.core.errors import ConfigError
from mlopsim.governance.optimum.bound import constrained_bound
from mlopsim.governance.optimum.case import Case
from mlopsim.governance.optimum.exhaustive import exhaustive
from mlopsim.governance.optimum.serving import Server

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
    if not case.deployment.has_canary:
        check_counter(index, case, walks)


def check_counter(index: int, case: Case, walks: list[tuple[float, float, tuple[int, ...]]]) -> None:
    """Compare plans for given retrains with all walks that train these versions."""
    steps, v0 = case.pool.steps, case.constrained.problem.v0
    whole = set(np.unique(case.constrained.cost)) <= {0.0, 1.0}
    sets = sorted({trained for _, _, trained in walks})
    # of all and of few, some of which may never enter the registry
    for trained in {sets[0], sets[len(sets) // 2], max(sets, key=len)}:
        for allowance in (0.0, 2.0, float(steps)):
            limited = replace(case.constrained, limit=allowance / steps)
            server = Server(constrained=limited)
            wanted = np.array(trained, dtype=np.int64) - v0
            if len(server.tidy(wanted)) < len(wanted):
                continue
            optimum = best([walk for walk in walks if walk[2] == trained], allowance)
            served = server.serve(wanted)
            assert served.value <= optimum + 1e-9, (index, trained)
            if served.value > -np.inf:
                played = case.play(served.intents[None])
                assert played.value[0] == pytest.approx(served.value, abs=1e-9)
                assert played.within[0] and played.cost[0] <= allowance + 1e-9
            room = len(trained) < case.deployment.slots or (
                case.deployment.deploy_on_arrival
                and case.mechanisms.refused.size == 0
                and not case.can_suspend
            )
            if whole and room and case.deployment.budget is None:
                assert served.value == pytest.approx(optimum, abs=1e-9), (index, trained, allowance)


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
