"""Early Drift Detection Method."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np

from mlopsim.core.registry import register
from mlopsim.core.spec import check_range
from mlopsim.drift.compiled import Kernel
from mlopsim.drift.mirrored import Mirrored
from mlopsim.drift.signal import SignalKind


@register("detector", "eddm")
@dataclass(kw_only=True)
class EDDM(Mirrored):
    r"""Early Drift Detection Method: errors follow each other faster than they did.

    With mean :math:`m` and standard deviation :math:`s` (divisor: errors less one) of the distances between
    errors, the score is minus

    .. math:: \frac{m + 2 s}{\max (m + 2 s)}

    with the maximum so far; alarm when the ratio falls below ``beta``. The score lies in [-1, 0); it changes
    at errors only and is NaN up to ``warm_start`` errors.

    Parameters
    ----------
    beta : float, default 0.9
        Smallest ratio that is no drift, in [0, 1].
    warm_start : int, default 30
        Errors before the score is defined, again after each alarm.
    side : Side, default up
        Which changes it looks for; ``up`` is published. ``down`` reads the distances between right answers
        (:class:`mlopsim.drift.mirrored.Mirrored`): where few rows are wrong these are nearly always 1, and a
        fall of the error rate hardly shortens them.

    Notes
    -----
    Use it for rises of a small error rate that come slowly. Its run length without drift depends on the error
    rate, so calibrate it; not for falls (see ``side``). Alarms equal river's.

    References
    ----------
    .. [1] M. Baena-García, J. del Campo-Ávila, R. Fidalgo, A. Bifet, R. Gavaldà and R. Morales-Bueno, "Early
       drift detection method", Fourth International Workshop on Knowledge Discovery from Data Streams,
       2006.

    Examples
    --------
    >>> import numpy as np
    >>> signal = np.r_[np.tile([0.0, 0.0, 0.0, 0.0, 1.0], 40), np.ones(60)]
    >>> EDDM().alarms(signal)
    array([250])
    """

    family: ClassVar[str] = "error rate"
    reads: ClassVar[SignalKind] = SignalKind.ERRORS
    limit: ClassVar[str] = "beta"
    space: ClassVar[Mapping[str, tuple[Any, ...]]] = {"warm_start": (15, 30, 60, 100)}

    beta: float = 0.9
    warm_start: int = 30

    def __post_init__(self) -> None:
        check_range("detector/eddm.beta", self.beta, 0.0, 1.0)
        check_range("detector/eddm.warm_start", self.warm_start, 1, 10**9)

    @property
    def threshold(self) -> float:
        """What the score must exceed: ``-beta``."""
        return -self.beta

    def limited(self, threshold: float) -> Self:
        """Return this detector with ``beta = -threshold``."""
        return dataclasses.replace(self, beta=-threshold)

    def kernels(self) -> tuple[Kernel, Kernel]:
        """Return the compiled loops for rises and for any sides."""
        from mlopsim.drift.kernels.eddm import run, sided

        return run, sided

    def numbers(self) -> list[float]:
        """Return warm_start."""
        return [float(self.warm_start)]

    def start(self) -> np.ndarray:
        """Return ticks, last error, errors, mean, squares, largest level, score."""
        return np.array([0.0, 0.0, 0.0, 0.0, 0.0, -1.0, np.nan])
