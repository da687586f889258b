"""A deployment that was computed again: Worlds, dynamics, decisions, what the registry held."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from mlopsim.governance.record.overrides import Override

if TYPE_CHECKING:
    from mlopsim.delivery.pool import WorldPool
    from mlopsim.delivery.walk import Trajectory


@dataclass(frozen=True, kw_only=True)
class Deployed:
    """One deployment of a roll-out: what records, forks and pages are derived from.

    Parameters
    ----------
    cell : str
        Key of its cell: the origin of its record.
    method : str
        Full name of who decides, ``selector/ks``.
    pool : WorldPool
        The Worlds of the roll-out.
    deployment : component of kind ``deployment``
    trajectory : Trajectory
        What happened.
    row : int, default 0
        Its row of the trajectory.
    world : int, default 0
        Its World, as a number in the pool.
    blocked, mechanisms, switches : optional
        As of the walk; by default the mechanisms are those of the deployment.
    answers : ndarray of int64, shape (S,), optional
        What the method itself said where it was overruled; by default what was asked.
    alarms : ndarray of bool, shape (S,), optional
        Whether the method alarmed at each decision, where it tells.
    margins : ndarray of float64, shape (S,), optional
        How far its answer was from another one, relative to the values that it compared, where it tells.
    overrides : sequence of Override
        Decisions that were replaced.
    policy : Selector, optional
        Who decided, ready to walk again; None for a plan with hindsight, which has no observation.
    seed : SeedSequence, optional
        Of the policy's draws.
    facts : mapping
        What the first record says of it (integers, texts).
    evidence : mapping
        What stands beside it (floats, what depends on the platform).
    """

    cell: str
    method: str
    pool: WorldPool
    deployment: Any
    trajectory: Trajectory
    row: int = 0
    world: int = 0
    blocked: np.ndarray | None = None
    mechanisms: Any = None
    switches: int | None = None
    answers: np.ndarray | None = None
    alarms: np.ndarray | None = None
    margins: np.ndarray | None = None
    overrides: Sequence[Override] = ()
    policy: Any = None
    seed: np.random.SeedSequence | None = None
    facts: Mapping[str, Any] = field(default_factory=dict)
    evidence: Mapping[str, Any] = field(default_factory=dict)
