"""What explainers are given, checked: shapes that go together, a class that the model has."""

from __future__ import annotations

import numpy as np

from mlopsim.core.errors import ConfigError, DataError


def check_shapes(coef: np.ndarray, X: np.ndarray, mean: np.ndarray) -> None:
    """Raise DataError unless coefficients (..., d), rows (..., n, d) and means (..., d) go together."""
    wide = X.shape[-1:]
    try:
        np.broadcast_shapes(coef.shape[:-1], X.shape[:-2], mean.shape[:-1])
        fine = X.ndim >= 2 and coef.shape[-1:] == wide and mean.shape[-1:] == wide
    except ValueError:
        fine = False
    if not fine:
        raise DataError(
            f"shapes disagree: coef {coef.shape}, X {X.shape}, mean {mean.shape}",
            remedy="coef (..., d), X (..., n, d) and mean (..., d), whose leading axes can be broadcast",
        )


def check_label(label: int, n_classes: int) -> None:
    """Raise ConfigError unless a model of that many classes has the class."""
    if not 0 <= label < n_classes:
        raise ConfigError(
            f"class {label} cannot be explained: the model has {n_classes} classes",
            remedy=f"a label in 0..{n_classes - 1}",
        )
