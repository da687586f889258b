"""What is done about bias once it is found."""

from __future__ import annotations

import numpy as np


def reweighing(group: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Return what rows count so that group and label are independent: ``P(g) P(y) / P(g, y)``.

    Parameters
    ----------
    group, y : ndarray of int64, shape (n,)

    Returns
    -------
    ndarray of float64, shape (n,)
        Above 0, with mean 1 unless some group lacks some label.

    References
    ----------
    Kamiran and Calders (2012), *Data preprocessing techniques for classification without discrimination*,
    Knowledge and Information Systems 33, 1-33.

    Examples
    --------
    >>> reweighing(np.array([0, 0, 1, 1]), np.array([1, 1, 1, 0])).tolist()
    [0.75, 0.75, 1.5, 0.5]
    """
    n, classes = len(y), int(y.max(initial=0)) + 1
    cell = group * classes + y
    both = np.bincount(cell)[cell]
    found: np.ndarray = np.bincount(group)[group] * np.bincount(y)[y] / (n * both)
    return found
