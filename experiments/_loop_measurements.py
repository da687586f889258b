"""What the throughput experiment measures of the closed loop: its environment against the delivery's."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from _measurements import Contest, Work, measurement


@measurement
def closed_loop(
    *,
    n: int,
    episodes: int,
    scenarios: int,
    stream: Any,
    learner: Any,
    deployment: Any,
    asked_ratio: float,
) -> Iterator[Contest]:
    """N governed deployments with every mechanism on, against the same without any; random possible actions.

    The reference is the delivery's environment over the same Worlds, with the standard deployment of the same
    delays and costs. Actions are drawn beforehand, of all that there are on each side.
    """
    import dataclasses

    from mlopsim.core.spec import make
    from mlopsim.delivery.deployments.standard import Standard
    from mlopsim.delivery.mechanisms import EVERY_SWITCH
    from mlopsim.delivery.pool import WorldPool
    from mlopsim.delivery.vector import DeliveryVectorEnv
    from mlopsim.governance.env import ClosedLoopVectorEnv
    from mlopsim.world.build import build_world
    from mlopsim.world.spec import WorldSpec

    base = WorldSpec.of(stream, learner, {"guarded": {"gate": "none"}}, split="train")
    pool = WorldPool([build_world(base.at(i)) for i in range(scenarios)])
    governed = make("deployment", deployment)
    plain = Standard(**{f.name: getattr(governed, f.name) for f in dataclasses.fields(Standard)})
    loop = ClosedLoopVectorEnv(n, pool=pool, deployment=governed)
    delivery = DeliveryVectorEnv(n, pool=pool, deployment=plain)
    mechanisms = loop.engine.mechanisms
    if mechanisms is None or mechanisms.switches != EVERY_SWITCH:
        raise RuntimeError(f"{deployment} leaves a mechanism out")
    works = []
    for env in (loop, delivery):
        env.reset(seed=0)
        actions = np.random.default_rng(0).integers(env.engine.actions, size=(pool.steps, n))

        def run(env: DeliveryVectorEnv = env, actions: np.ndarray = actions) -> None:
            for _ in range(episodes):
                for row in actions:
                    env.step(row)

        works.append(Work(run, episodes * actions.size))
    yield Contest(
        name=f"closed loop with every mechanism, N = {n}, against the delivery's environment",
        unit="steps/s",
        ours=works[0],
        reference=works[1],
        ratio=asked_ratio,
    )
