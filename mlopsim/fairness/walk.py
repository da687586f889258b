"""What serves when an audit or an arm decides which versions may."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, kw_only=True)
class Walk:
    """What serves in each of T windows.

    Parameters
    ----------
    version : ndarray of int64, shape (T,)
        Window of the model that serves; -1: what served before.
    kind : ndarray of int64, shape (T,)
        0: as it was trained; 1: reweighed.
    """

    version: np.ndarray
    kind: np.ndarray


def guard(blocked: np.ndarray, mended: np.ndarray) -> Walk:
    """Serve the newest model that passed its audit; after a block the reweighed one, if it passes.

    The model of window t is audited on the rows of window t and serves from window t + 1 on. If it is blocked
    the model that is trained on reweighed rows of the same windows is audited; if that is blocked, too, what
    serves stays.

    Parameters
    ----------
    blocked, mended : ndarray of bool, shape (T,)
        Whether the audit blocks the model of each window, and the reweighed one.

    Examples
    --------
    >>> walk = guard(np.array([False, True, True, False]), np.array([True, False, True, True]))
    >>> walk.version.tolist(), walk.kind.tolist()
    ([-1, 0, 1, 1], [0, 0, 1, 1])
    """
    windows = len(blocked)
    version, kind = np.full(windows, -1, dtype=np.int64), np.zeros(windows, dtype=np.int64)
    for t in range(windows - 1):
        if not blocked[t]:
            version[t + 1], kind[t + 1] = t, 0
        elif not mended[t]:
            version[t + 1], kind[t + 1] = t, 1
        else:
            version[t + 1], kind[t + 1] = version[t], kind[t]
    return Walk(version=version, kind=kind)
