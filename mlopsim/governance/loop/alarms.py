"""Drift alarms of the inputs, looked up by the version that serves and the window."""

from __future__ import annotations

from copy import copy
from typing import TYPE_CHECKING

import numpy as np

from mlopsim.core.errors import ConfigError
from mlopsim.core.spec import Spec, make
from mlopsim.core.threads import one_thread
from mlopsim.drift.control import Control
from mlopsim.drift.signal import SignalKind

if TYPE_CHECKING:
    from mlopsim.delivery.pool import WorldPool
    from mlopsim.world.world import World


def check_trigger(detector: Spec) -> None:
    """Raise unless a detector compares each window of inputs by itself, or is a control.

    Raises
    ------
    ConfigError
    """
    found = make("detector", detector)
    if isinstance(found, Control):
        return
    if found.reads is not SignalKind.INPUTS or found.sequential:
        raise ConfigError(
            f"{found.full_name} does not compare each window of inputs by itself, so its alarms depend on "
            "when a version began to serve",
            remedy="ks, cvm, ad, kuiper, psi, ...; others as methods: on_alarm",
        )


def alarms_of(pool: WorldPool, detector: Spec) -> np.ndarray:
    """Return where a detector of inputs alarms in window t against what version v was trained on.

    Parameters
    ----------
    pool : WorldPool
    detector : spec of a detector
        That compares each window by itself (:func:`check_trigger`), or a control, which looks at no rows: its
        ticks are the windows after the warm-up, the same for all versions, and what it draws hangs on the
        World. One that knows the changes alarms from the first change on that comes after what a version was
        trained on.

    Returns
    -------
    ndarray of bool, shape (M, cells)

    Raises
    ------
    ConfigError
        If the detector cannot be a trigger, or knows changes that nobody knows: those of real streams.
    """
    check_trigger(detector)
    built = make("detector", detector)
    if isinstance(built, Control):
        return np.stack([pool.flat(_of_control(pool, i, built)) for i in range(len(pool))])
    alarm = np.zeros((len(pool), pool.windows, pool.windows), dtype=np.bool_)
    v0 = pool.warmup - 1
    with one_thread():
        for i, rows in enumerate(pool.inputs):
            for v in range(v0, pool.windows):
                t = v + 1
                while t < pool.windows:
                    scores = rows.scores(built, v, v + 1, t)
                    alarm[i, v, t : t + len(scores)] = scores > built.threshold
                    t += len(scores)
            # of hundreds of Worlds the rows would fill the memory
            rows.forget()
    return np.stack([pool.flat(one) for one in alarm])


def _of_control(pool: WorldPool, i: int, control: Control) -> np.ndarray:
    """Return the alarms of a control in World i, bool (T, T): ``[v, t]``."""
    first, windows = pool.warmup, pool.windows
    alarm = np.zeros((windows, windows), dtype=np.bool_)
    if control.knows_changes:
        changes = _changes(pool.world(i))
        for v in range(first - 1, windows):
            later = changes[changes > v]
            if len(later):
                alarm[v, later.min() :] = True
        return alarm
    run = copy(control)
    run.reset(np.random.default_rng([int(pool.seeds[i]), 4]))
    run.begin()
    alarm[:, first:] = run.scores(windows - first, run.threshold) > run.threshold
    return np.triu(alarm, 1)


def _changes(world: World) -> np.ndarray:
    """Return the windows after the warm-up in which the law starts to change, int64."""
    if world.events is None:
        raise ConfigError(
            "the changes of a real stream are not known, so no trigger can know them",
            remedy="trigger: ks, or a stream with a truth",
        )
    rows = np.array([event.start for event in world.events], dtype=np.int64)
    windows: np.ndarray = np.searchsorted(world.bounds, rows, side="right") - 1
    return windows[(windows >= world.warmup) & (windows < world.windows)]
