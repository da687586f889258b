"""What the tests of lineage share: small deployments of all kinds, computed again as often as one likes."""

from __future__ import annotations

from typing import Any

import numpy as np

from mlopsim.core.digest import digest
from mlopsim.core.seeds import Axis, Split, seed_sequence
from mlopsim.core.spec import make
from mlopsim.delivery.scenarios import pool_of
from mlopsim.delivery.walk import walk
from mlopsim.governance.record.deployed import Deployed
from mlopsim.world.cache import default_cache
from mlopsim.world.spec import WorldSpec

STREAM = {"synthetic": {"windows": 24, "rows": 40, "warmup": 5, "schedule": "abrupt"}}
RESTLESS = {"random": {"retrain": 0.5, "deploy": 0.3}}


def deploy(
    method: Any = RESTLESS,
    seed: int = 0,
    *,
    stream: Any = STREAM,
    learner: Any = "ridge",
    training: Any = "last",
    kind: str = "standard",
    **deployment: Any,
) -> Deployed:
    """Roll a method out over a small World, as a track would, and return it as what records derive from."""
    spec = WorldSpec.of(stream, learner, training, index=seed)
    setting = make("deployment", kind, **deployment)
    pool = pool_of([default_cache().open(spec)], setting)
    draws = seed_sequence(Axis.METHOD, Split.TEST, seed)
    selector = make("selector", method)
    trajectory = walk(selector, pool, setting, np.zeros(1, np.int64), [draws])
    cell = digest([spec.as_dict(), kind, deployment, str(method)])
    return Deployed(
        cell=cell,
        method=selector.full_name,
        pool=pool,
        deployment=setting,
        trajectory=trajectory,
        policy=selector,
        seed=draws,
    )
