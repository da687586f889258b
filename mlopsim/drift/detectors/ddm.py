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
    r"""Drift Detection Method: the error rate has risen above its best by ``level`` standard deviations.

    With the error rate p of the n rows so far, the score is (alarm above ``level``)

    .. math:: \frac{p + s - p_{\min}}{s_{\min}}, \qquad s = \sqrt{p (1 - p) / n}

    where :math:`p_{\min}` and :math:`s_{\min}` are p and s where their sum was least. After rows without any
    error, ``s_min = 0``, the next error scores infinity; a signal of errors only never alarms.

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

    Use it as the classical baseline for errors that rise abruptly. Not for an equal rate of false alarms over
    time: old rows weigh as much as new ones, so that late and slow changes are found late.

    References
    ----------
    .. [1] J. Gama, P. Medas, G. Castillo and P. Rodrigues, "Learning with drift detection", SBIA, 2004,
       286-295. doi:10.1007/978-3-540-28645-5_29

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
