"""Drift alarms of the inputs, looked up by the version that serves and the window."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from mlopsim.core.errors import ConfigError
from mlopsim.core.spec import Spec, make
from mlopsim.core.threads import one_thread
from mlopsim.drift.signal import SignalKind

if TYPE_CHECKING:
    from mlopsim.delivery.pool import WorldPool


def check_trigger(detector: Spec) -> None:
    """Raise unless a detector compares each window of inputs by itself.

    Raises
    ------
    ConfigError
    """
    found = make("detector", detector)
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
        That compares each window by itself (:func:`check_trigger`).

    Returns
    -------
    ndarray of bool, shape (M, cells)
    """
    check_trigger(detector)
    built = make("detector", detector)
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
