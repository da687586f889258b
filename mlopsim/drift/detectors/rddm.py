"""Reactive Drift Detection Method."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from mlopsim.core.errors import ConfigError
from mlopsim.core.registry import register
from mlopsim.core.spec import check_range
from mlopsim.drift.compiled import Kernel
from mlopsim.drift.mirrored import Mirrored
from mlopsim.drift.signal import SignalKind


@register("detector", "rddm")
@dataclass(kw_only=True)
class RDDM(Mirrored):
    r"""Reactive DDM: DDM that forgets old rows of a long concept and ends a long warning with an alarm.

    The score is DDM's (``detector/ddm``):

    .. math:: \frac{p + s - p_{\min}}{s_{\min}}, \qquad s = \sqrt{p (1 - p) / n}

    Above ``warning`` a warning begins. If it lasts longer than ``patience`` rows the score is infinite, which
    is an alarm at any level. A concept that reaches ``longest`` rows outside a warning goes on with p of its
    last ``stable`` rows only.

    After an alarm the statistics are those of the rows since the warning began (of the last row, if there was
    no warning, or if the warning lasted too long): unlike other detectors it does not start from nothing.

    Parameters
    ----------
    level : float, default 2.258
        Drift level in standard deviations.
    warning : float, default 1.773
        Warning level in standard deviations.
    warm_start : int, default 129
        Rows before the score is defined.
    patience : int, default 1400
        Rows that a warning may last.
    longest : int, default 40000
        Rows of a concept after which old ones are forgotten.
    stable : int, default 7000
        Rows that are kept then; below ``longest``.
    side : Side, default up
        Which changes it looks for; ``up`` is published, the others are its mirror image
        (:class:`mlopsim.drift.mirrored.Mirrored`). With ``both`` the side that did not alarm starts from
        nothing.

    Notes
    -----
    Use it in place of DDM on long streams, where DDM grows deaf; not where alarms must have a cause: a long
    warning ends in one by itself.

    References
    ----------
    .. [1] R. S. M. Barros, D. R. L. Cabral, P. M. Gonçalves and S. G. T. C. Santos, "RDDM: Reactive drift
       detection method", Expert Systems with Applications 90, 2017, 344-355.
       doi:10.1016/j.eswa.2017.08.023 (with the order of steps of the authors' program in MOA).
    .. [2] J. Gama, P. Medas, G. Castillo and P. Rodrigues, "Learning with drift detection", SBIA, 2004,
       286-295. doi:10.1007/978-3-540-28645-5_29

    Examples
    --------
    >>> import numpy as np
    >>> signal = np.r_[np.tile([0.0, 0.0, 0.0, 0.0, 1.0], 40), np.ones(20)]
    >>> RDDM().alarms(signal)
    array([207])
    """

    family: ClassVar[str] = "error rate"
    reads: ClassVar[SignalKind] = SignalKind.ERRORS
    limit: ClassVar[str] = "level"
    space: ClassVar[Mapping[str, tuple[Any, ...]]] = {
        "warm_start": (30, 129, 300),
        "patience": (700, 1400, 2800),
    }

    level: float = 2.258
    warning: float = 1.773
    warm_start: int = 129
    patience: int = 1400
    longest: int = 40000
    stable: int = 7000

    def __post_init__(self) -> None:
        check_range("detector/rddm.level", self.level, 0.0, np.inf)
        check_range("detector/rddm.warning", self.warning, 0.0, np.inf)
        check_range("detector/rddm.warm_start", self.warm_start, 1, 10**9)
        check_range("detector/rddm.patience", self.patience, 1, 10**9)
        check_range("detector/rddm.stable", self.stable, 1, 10**7)
        check_range("detector/rddm.longest", self.longest, 1, 10**9)
        if self.stable >= self.longest:
            raise ConfigError(
                f"detector/rddm.stable must be below longest, got {self.stable} and {self.longest}"
            )

    def kernels(self) -> tuple[Kernel, Kernel]:
        """Return the compiled loops for rises and for any sides."""
        from mlopsim.drift.kernels.rddm import run, sided

        return run, sided

    def numbers(self) -> list[float]:
        """Return warm_start, warning, patience, longest, stable."""
        values = [self.warm_start, self.warning, self.patience, self.longest, self.stable]
        return [float(value) for value in values]

    def start(self) -> np.ndarray:
        """Return n, p, p_min, s_min, warning, rows in the ring, its place, and the ring."""
        from mlopsim.drift.kernels.rddm import HEAD

        state = np.zeros(HEAD + self.stable)
        state[1:4] = 1.0, np.inf, np.inf
        return state
