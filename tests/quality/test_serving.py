"""What serves: equal to the deployment's dynamics with the selector ``periodic``, with and without stops."""

from __future__ import annotations

import functools
import itertools
from typing import Any

import numpy as np
import pytest

from mlopsim.core.spec import make
from mlopsim.delivery.pool import WorldPool
from mlopsim.delivery.walk import walk
from mlopsim.quality.serving import Arrival, serve
from mlopsim.world.build import build_world
from mlopsim.world.spec import WorldSpec

SETTINGS = list(itertools.product((1, 2, 3, 7), (0, 1, 3), (0, 2), (0, 4)))


@functools.cache
def pool_of(windows: int, warmup: int, size: int) -> WorldPool:
    stream = {"synthetic": {"windows": windows, "rows": 20, "warmup": warmup}}
    return WorldPool([build_world(WorldSpec.of(stream, "ridge", "last", index=i)) for i in range(size)])


def walked(
    windows: int, warmup: int, every: int, blocked: np.ndarray | None = None, **setting: Any
) -> np.ndarray:
    """Return what serves by the roll-out of the dynamics, int64 (M, T)."""
    pool = pool_of(windows, warmup, 1 if blocked is None else len(blocked))
    deployment = make("deployment", "standard", **setting)
    return walk(make("selector", "periodic", every=every), pool, deployment, blocked=blocked).served


@pytest.mark.parametrize(("every", "label_delay", "latency", "cooldown"), SETTINGS)
def test_what_serves_is_that_of_the_dynamics(
    every: int, label_delay: int, latency: int, cooldown: int
) -> None:
    setting = {"label_delay": label_delay, "latency": latency, "cooldown": cooldown}
    for windows, warmup in ((25, 3), (14, 1), (9, 7)):
        found, arrivals = serve(windows, warmup, every=every, **setting)
        expected = walked(windows, warmup, every, **setting)[0]
        assert found.dtype == np.int64 and np.array_equal(found, expected)
        assert not any(a.blocked for a in arrivals)
        changes = np.flatnonzero(np.diff(expected[warmup:])) + warmup + 1
        assert [a.window for a in arrivals] == changes.tolist()
        assert [a.version for a in arrivals] == expected[changes].tolist()


@pytest.mark.parametrize(("every", "label_delay", "latency", "cooldown"), SETTINGS[::2])
def test_stops_are_those_of_the_dynamics(every: int, label_delay: int, latency: int, cooldown: int) -> None:
    setting = {"label_delay": label_delay, "latency": latency, "cooldown": cooldown}
    rng = np.random.default_rng(every)
    blocked = rng.random((5, 30)) < 0.5
    expected = walked(30, 4, every, blocked, **setting)
    for which, served in zip(blocked, expected, strict=True):
        found, arrivals = serve(
            30, 4, every=every, **setting, stops=lambda version, serving, window, w=which: bool(w[version])
        )
        assert np.array_equal(found, served)
        stopped = [a.version for a in arrivals if a.blocked]
        assert stopped == [a.version for a in arrivals if which[a.version]]
        assert not set(stopped) & set(found.tolist())


def test_stops_are_asked_on_arrival_with_what_serves_then() -> None:
    asked: list[tuple[int, int, int]] = []

    def stops(version: int, serving: int, window: int) -> bool:
        asked.append((version, serving, window))
        return version == 4

    served, arrivals = serve(12, 3, every=2, label_delay=0, latency=1, stops=stops)
    # decisions after windows 4, 6 and 8; of window 10 the retrain would be there after the end
    assert asked == [(4, 2, 6), (6, 2, 8), (8, 6, 10)]
    assert served.tolist() == [-1, -1, -1, 2, 2, 2, 2, 2, 6, 6, 8, 8]
    assert arrivals == [
        Arrival(version=4, window=6, serving=2, blocked=True),
        Arrival(version=6, window=8, serving=2, blocked=False),
        Arrival(version=8, window=10, serving=6, blocked=False),
    ]


def test_all_versions_stopped_leave_the_first_one() -> None:
    served, arrivals = serve(20, 5, every=1, label_delay=1, latency=0, stops=lambda *_: True)
    assert served.tolist() == [-1] * 5 + [4] * 15
    assert arrivals and all(a.blocked and a.serving == 4 for a in arrivals)
    # a stopped version is not trained again: each is newer than the one before
    assert (np.diff([a.version for a in arrivals]) > 0).all()


def test_labels_that_come_too_late_train_nothing() -> None:
    served, arrivals = serve(10, 3, every=2, label_delay=7, latency=0)
    assert arrivals == [] and served.tolist() == [-1] * 3 + [2] * 7
