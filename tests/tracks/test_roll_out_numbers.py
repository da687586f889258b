"""What moved in a roll-out."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np

from mlopsim.delivery.mechanisms import FALLBACK
from mlopsim.tracks.roll_out_numbers import moves_of


def rollbacks(served: list[int], deploys: list[int]) -> list[int]:
    """Return the windows of rollbacks; version 2 serves first, after a warm-up of 3 windows."""
    steps = len(served)
    whole = np.array([[-1] * 3 + served])
    executed = np.zeros((1, steps), dtype=np.int64)
    executed[0, deploys] = 1
    rolled: Any = SimpleNamespace(
        candidate=np.full_like(whole, -1),
        served=whole,
        executed=executed,
        retrained=np.zeros((1, steps), dtype=bool),
    )
    world: Any = SimpleNamespace(warmup=3, v0=2)
    return np.flatnonzero(moves_of(world, rolled).rollback).tolist()


def test_an_older_version_from_the_fallback_is_a_rollback() -> None:
    off = FALLBACK
    # against the last that served, however long ago; what resumes itself, or is newer, is none
    assert rollbacks([2, 4, off, off, 2], [4]) == [4]
    assert rollbacks([2, 4, off, off, 4], [4]) == [] == rollbacks([2, 4, off, off, 5], [4])
    assert rollbacks([off, off, 2, off, 3, 2], [2, 4, 5]) == [5]
    # by a decision only, and as ever without a fallback
    assert rollbacks([2, 4, off, off, 2], [2]) == [] and rollbacks([2, 4, 2], [1, 2]) == [2]
