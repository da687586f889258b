"""From a roll-out to what tracks of deployments count in it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mlopsim.core.digest import digest, digest_arrays
from mlopsim.delivery.walk import Trajectory
from mlopsim.world.world import World

#: hexadecimal digits that tell sources of rows apart
ID_LENGTH = 16


def stream_id(world: World) -> str:
    """Identify the source of the rows.

    Seeds of a real stream (its true events are not known) thin or shuffle the same rows: one source. A
    synthetic stream is another one for every seed.
    """
    if world.events is None and world.spec is not None:
        return digest(world.spec.stream)[:ID_LENGTH]
    return digest_arrays({"y": world.y, "bounds": world.bounds})[:ID_LENGTH]


def drift_spans(world: World) -> np.ndarray:
    """First and last window of each true drift event in the deployed windows, int64 of shape (events, 2)."""
    rows = np.array([(event.start, event.end) for event in world.events or ()], dtype=np.int64).reshape(-1, 2)
    windows = np.searchsorted(world.bounds, rows, side="right") - 1
    spans: np.ndarray = windows[(windows[:, 0] >= world.warmup) & (windows[:, 0] < world.windows)]
    return spans


@dataclass(frozen=True, kw_only=True)
class Moves:
    """What moved in one deployment of S decisions.

    Parameters
    ----------
    changed : ndarray of bool, shape (S,)
        Where what serves (the canary, if there is one) is another one than in the window before.
    rollback : ndarray of bool, shape (S,)
        Where that is an older version than the last one that served, by a decision: also one that takes over
        from the fallback. Who resumes what was suspended goes back to nothing.
    retrained : ndarray of bool, shape (S,)
        Where a retrain was decided.
    """

    changed: np.ndarray
    rollback: np.ndarray
    retrained: np.ndarray


def moves_of(world: World, trajectory: Trajectory) -> Moves:
    """Return what moved in a roll-out of one deployment (first axis of length 1)."""
    leading = np.where(trajectory.candidate[0] >= 0, trajectory.candidate[0], trajectory.served[0])
    first = world.warmup
    before = np.concatenate([[world.v0], leading[first:-1]])
    changed = leading[first:] != before
    deploys = (trajectory.executed[0] > 0) & ~trajectory.retrained[0]
    # the fallback is no version, and so neither older nor newer: what served before it counts
    place = np.maximum.accumulate(np.where(before >= 0, np.arange(len(before)), 0))
    older = (leading[first:] >= 0) & (leading[first:] < before[place])
    return Moves(changed=changed, rollback=changed & older & deploys, retrained=trajectory.retrained[0])


def common_metrics(trajectory: Trajectory, moves: Moves) -> dict[str, float]:
    """Return return, accuracy and counts of a roll-out of one deployment, means of a window."""
    return {
        "return": float(np.mean(trajectory.reward[0])),
        "accuracy": float(np.mean(trajectory.parts["quality"][0])),
        "retrains": float(moves.retrained.sum()),
        "switches": float(moves.changed.sum()),
        "rollbacks": float(moves.rollback.sum()),
        "impossible": float(trajectory.invalid[0].sum()),
    }


def common_curves(world: World, trajectory: Trajectory, moves: Moves) -> dict[str, np.ndarray]:
    """Return the series of a roll-out of one deployment: windows, true drifts, quality, what served."""
    first = world.warmup
    return {
        "windows": np.arange(first, world.windows, dtype=np.int32),
        "drifts": drift_spans(world),
        "quality": trajectory.parts["quality"][0].astype(np.float32),
        "served": trajectory.served[0, first:].astype(np.int16),
        "retrained": moves.retrained,
        "rollback": moves.rollback,
    }
