"""What the tests of compliance share: governed deployments over a small population."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any

import numpy as np

from mlopsim.core.spec import make
from mlopsim.delivery.pool import WorldPool
from mlopsim.delivery.walk import walk
from mlopsim.governance.compliance.case import Case
from mlopsim.governance.record.deployed import Deployed
from mlopsim.governance.record.heads import heads_of
from mlopsim.governance.record.log import Record
from mlopsim.governance.record.making import make_record
from mlopsim.governance.record.overrides import Override, Overruled
from mlopsim.governance.record.store import stored_of
from mlopsim.governance.record.verify import verify
from mlopsim.world.build import build_world
from mlopsim.world.spec import WorldSpec

STREAM: dict[str, Any] = {
    "windows": 30, "warmup": 5, "per_group": 60, "bias": "proxy", "strength": 1.5,
    "timing": {"step": {"at": 12}},
}  # fmt: skip
#: everything that guards a deployment
GUARDED: dict[str, Any] = {
    "slots": 3,
    "label_delay": 1,
    "latency": 1,
    "fallback": 0.6,
    "audits": ["demographic_parity"],
    "release": ["accuracy_drop"],
    "reviewer": {"fallible": {"delay": 1}},
    "trigger": "ks",
    "constraints": [{"demographic_parity": {"tolerance": 0.1}}, {"accuracy_floor": {"floor": 0.8}}, "churn"],
}
RANDOM = {"random": {"retrain": 0.25, "deploy": 0.15}}
CELL = "c0ffee00" * 4


@functools.cache
def pool(index: int = 0, per_group: int = 60, windows: int = 30) -> WorldPool:
    """Return a pool of one World."""
    stream = {"population": {**STREAM, "per_group": per_group, "windows": windows}}
    world = build_world(WorldSpec.of(stream, "ridge", {"last": {"windows": 4}}, index=index))
    return WorldPool([world], canary=True)


def deployed(
    method: Any = RANDOM,
    overrides: Sequence[Override] = (),
    *,
    seed: int = 0,
    over: WorldPool | None = None,
    **changed: Any,
) -> Deployed:
    """Roll a method out; ``changed`` are fields of the deployment other than GUARDED."""
    deployment = make("deployment", "governed", **{**GUARDED, **changed})
    selector = make("selector", method)
    recorder = Overruled(selector, overrides)
    over = pool() if over is None else over
    sequence = np.random.SeedSequence(seed)
    trajectory = walk(recorder, over, deployment, [0], [sequence])
    return Deployed(
        cell=CELL,
        method=str(selector.full_name),
        pool=over,
        deployment=deployment,
        trajectory=trajectory,
        answers=np.array(recorder.answers),
        alarms=np.array(recorder.alarms, dtype=bool) if recorder.alarms else None,
        overrides=tuple(overrides),
        policy=selector,
        seed=sequence,
    )


def case_of(
    method: Any = RANDOM,
    overrides: Sequence[Override] = (),
    *,
    record: Record | None = None,
    stored: bool = True,
    keep: int | None = None,
    **changed: Any,
) -> Case:
    """Return a deployment with its record; ``record`` lies there instead of the true one."""
    made = deployed(method, overrides, **changed)

    def again(more: Sequence[Override]) -> Deployed:
        return deployed(method, more, **changed)

    true = make_record(made)
    lies = true if record is None else record
    kept = verify(
        stored_of(lies),
        CELL,
        level="replayed",
        anchors=heads_of(true).anchors("git"),
        again=lambda some, _: make_record(again(some)),
        keep=keep,
    )
    return Case(deployed=made, record=lies, again=again, kept=kept if stored else None, keep=keep)
