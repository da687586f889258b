"""Resamples of the intervals of tables: every method meets the same ones."""

from __future__ import annotations

import numpy as np

from mlopsim.core.seeds import Axis, Split, seed_sequence


def bootstrap_rng(salt: int) -> np.random.Generator:
    """Return the Generator of one kind of interval: every method meets the same draws.

    Examples
    --------
    >>> bool(bootstrap_rng(1).random() == bootstrap_rng(1).random())
    True
    """
    return np.random.default_rng(seed_sequence(Axis.BOOTSTRAP, Split.TEST, salt))
