"""What serves when an audit or a battery decides which versions may."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, kw_only=True)
class Guarded:
    """What serves in each of T windows.

    Parameters
    ----------
    version : ndarray of int64, shape (T,)
        Window in which the model that serves passed its audit last; -1: what served before any audit.
    kind : ndarray of int64, shape (T,)
        0: as it was trained; 1: reweighed.
    """

    version: np.ndarray
    kind: np.ndarray


def guard(blocked: np.ndarray, mended: np.ndarray, release: np.ndarray) -> Guarded:
    """Serve the newest model while it passes its audits; else the reweighed one, else roll back.

    The newest model of window t is audited on the rows of window t; what comes of it serves in window t + 1.
    If it is blocked, the model that is trained on reweighed rows of the same windows is audited; if that
    is blocked, too, what passed last serves, of all models that were not blocked since: a newest model that
    served and is blocked now does not go on. Older models are not audited again. If there is none, what
    served before any audit does: something must.

    Parameters
    ----------
    blocked, mended : ndarray of bool, shape (T,)
        Whether the audit blocks the newest model of each window, and the reweighed one.
    release : ndarray of int64, shape (T,)
        Which model is the newest, any numbers: equal ones are one model.

    Examples
    --------
    >>> blocked, mended = np.array([False, True, True, False]), np.array([True, False, True, True])
    >>> served = guard(blocked, mended, np.arange(4))
    >>> served.version.tolist(), served.kind.tolist()
    ([-1, 0, 1, 1], [0, 0, 1, 1])

    The model of windows 2 and 3 passes, then it is blocked: back to the one before it.

    >>> blocked = np.array([False, False, False, True, True])
    >>> guard(blocked, np.ones(5, np.bool_), np.array([0, 0, 1, 1, 1])).version.tolist()
    [-1, 0, 1, 2, 1]
    """
    windows = len(blocked)
    version, kind = np.full(windows, -1, dtype=np.int64), np.zeros(windows, dtype=np.int64)
    # models that passed and were not blocked since, the last one that passed at the end
    standing: dict[tuple[int, int], int] = {}
    for t in range(windows - 1):
        for form, stopped in enumerate((blocked[t], mended[t])):
            standing.pop((int(release[t]), form), None)
            if not stopped:
                standing[int(release[t]), form] = t
                break
        if standing:
            (_, kind[t + 1]), version[t + 1] = next(reversed(standing.items()))
    return Guarded(version=version, kind=kind)
