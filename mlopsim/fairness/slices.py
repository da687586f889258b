"""Slices of the rows of windows: groups, and quarters of features."""

from __future__ import annotations

import numpy as np

from mlopsim.fairness.evidence import Evidence


def quartiles(X: np.ndarray, bounds: np.ndarray) -> np.ndarray:
    """Return the largest values of the first three quarters of each feature of each window.

    The smallest values that have a quarter, half and three quarters of the window's rows at or below them.

    Parameters
    ----------
    X : ndarray of float64, shape (n, d)
    bounds : ndarray of int64, shape (T + 1,)
        First row of each window, and n.

    Returns
    -------
    ndarray of float64, shape (T, d, 3)
        NaN for windows without rows.

    Examples
    --------
    >>> quartiles(np.array([[5.0], [1.0], [3.0], [2.0], [4.0]]), np.array([0, 5]))
    array([[[2., 3., 4.]]])
    """
    from mlopsim.fairness.kernels.segments import cuts

    sizes, d = np.diff(bounds), X.shape[1]
    # shares of the rows, rounded up
    places = -(-np.arange(1, 4) * sizes[:, None] // 4) - 1
    if len(sizes) and sizes[0] > 0 and (sizes == sizes[0]).all():
        # the usual case: one sort of everything is several times faster than one for each window
        turned = np.sort(X.reshape(len(sizes), sizes[0], d).transpose(0, 2, 1), axis=-1)
        found: np.ndarray = turned[:, :, places[0]]
        return found
    out = np.full((len(sizes), d, 3), np.nan)
    cuts(X, bounds, places, out)
    return out


def counted(evidence: Evidence, right: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return rows and hits of each slice, int64 (T, 4 d + G): the quarters of each feature, then the groups.

    Equal values are in one quarter, so that quarters may be empty.

    Parameters
    ----------
    evidence : Evidence
    right : ndarray of bool, shape (n,)
        What counts as a hit.

    Examples
    --------
    >>> from mlopsim.fairness.made_up_evidence import sample
    >>> evidence = sample(windows=1)
    >>> rows, hits = counted(evidence, evidence.decision)
    >>> rows[0, :4].tolist(), hits[0, :4].tolist(), rows[0, -2:].tolist()
    ([100, 100, 100, 100], [3, 18, 38, 69], [200, 200])
    """
    from mlopsim.fairness.kernels.segments import quarters

    windows, d = evidence.windows, evidence.X.shape[1]
    rows, hits = np.zeros((2, windows, d, 4), dtype=np.int64)
    cut = quartiles(evidence.X, evidence.bounds)
    quarters(evidence.X, right, evidence.window, cut, rows, hits)
    size = np.concatenate([rows.reshape(windows, 4 * d), evidence.rows], axis=1)
    return size, np.concatenate([hits.reshape(windows, 4 * d), evidence.count(right)], axis=1)
