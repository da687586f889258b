"""What the tests of records share: small deployments, computed again as often as one likes."""

from __future__ import annotations

from typing import Any

from mlopsim.core.spec import make
from mlopsim.core.track import Cell
from mlopsim.governance.record.making import make_record

STREAM = {"synthetic": {"windows": 24, "rows": 30, "warmup": 5, "schedule": "abrupt"}}


def cell_of(method: Any, seed: int = 0, **deployment: Any) -> tuple[Any, Cell]:
    """Return the delivery track, and a cell of it."""
    track = make("track", "delivery", steps=0, record=True)
    entry = {"stream": STREAM, "learner": "ridge", "deployment": {"standard": deployment}}
    part = next(m for m in track.methods([method]) if m.name not in ("never", "oracle") or m.name == method)
    return track, Cell(track="delivery/1", task=track.tasks([entry])[0], method=part, seed=seed)


def deployed(method: Any, seed: int = 0, overrides: Any = (), **deployment: Any) -> Any:
    """Compute a deployment."""
    track, cell = cell_of(method, seed, **deployment)
    return track.redeploy(cell, {}, overrides=overrides)


def again_of(method: Any, seed: int = 0, **deployment: Any) -> Any:
    """Return what makes the record of a deployment anew."""
    track, cell = cell_of(method, seed, **deployment)
    return lambda overrides, taken: make_record(track.redeploy(cell, {}, overrides=overrides, taken=taken))
