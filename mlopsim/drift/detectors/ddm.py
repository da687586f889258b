"""Drift Detection Method."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from mlopsim.core.registry import register
from mlopsim.core.spec import check_range
from mlopsim.drift.compiled import Kernel
from mlopsim.drift.mirrored import Mirrored
from mlopsim.drift.signal import SignalKind


@register("detector", "ddm")
@dataclass(kw_only=True)
class DDM(Mirrored):
    """Drift Detection Method: the error rate has risen above its best by ``level`` standard deviations.

    With the running error rate p, ``s = sqrt(p (1 - p) / n)`` and both at the lowest ``p + s`` so far, the
    score is ``(p + s - p_min) / s_min``. After rows without any error, ``s_min = 0``, the next error scores
    infinity; a signal of errors only never alarms.

    Parameters
    ----------
    level : float, default 3.0
        Drift level in standard deviations.
    warm_start : int, default 30
        Rows before the score is defined, again after each alarm.
    side : Side, default up
        Which changes it looks for; ``up`` is published, the others are its mirror image
        (:class:`mlopsim.drift.mirrored.Mirrored`).

    Notes
    -----
    Alarms equal river's, which compares ``p + s`` with ``p_min + level * s_min``: that is the same but for
    sides that are equal up to rounding.

    References
    ----------
    Gama, Medas, Castillo, Rodrigues (2004), *Learning with drift detection*, SBIA, 286-295.

    Examples
    --------
    >>> import numpy as np
    >>> signal = np.r_[np.tile([0.0, 0.0, 0.0, 0.0, 1.0], 40), np.ones(20)]
    >>> DDM().alarms(signal)
    array([213])
    """

    family: ClassVar[str] = "error rate"
    reads: ClassVar[SignalKind] = SignalKind.ERRORS
    limit: ClassVar[str] = "level"
    space: ClassVar[Mapping[str, tuple[Any, ...]]] = {"warm_start": (30, 60, 100, 300)}

    level: float = 3.0
    warm_start: int = 30

    def __post_init__(self) -> None:
        check_range("detector/ddm.level", self.level, 0.0, np.inf)
        check_range("detector/ddm.warm_start", self.warm_start, 1, 10**9)

    def kernels(self) -> tuple[Kernel, Kernel]:
        """Return the compiled loops for rises and for any sides."""
        from mlopsim.drift.kernels.ddm import run, sided

        return run, sided

    def numbers(self) -> list[float]:
        """Return warm_start."""
        return [float(self.warm_start)]

    def start(self) -> np.ndarray:
        """Return n, p, p_min, s_min."""
        return np.array([0.0, 0.0, np.inf, np.inf])
