"""EWMA for concept drift detection."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from mlopsim.core.registry import register
from mlopsim.core.spec import added, check_range
from mlopsim.drift.compiled import Compiled, Kernel
from mlopsim.drift.signal import Side, SignalKind


@register("detector", "ecdd")
@dataclass(kw_only=True)
class ECDD(Compiled):
    r"""ECDD: an EWMA of errors against their running rate p, in standard deviations of the EWMA.

    The published limit depends on p so that the run length without drift does not: it is meant for a mean of
    400 rows at ``lam = 0.2``.

    With :math:`\lambda` = ``lam`` and the running error rate :math:`p_t`, the score is

    .. math::

        \frac{e_t - p_t}{L(p_t) \sigma_t}, \quad e_t = (1 - \lambda) e_{t-1} + \lambda x_t, \quad
        \sigma_t^2 = p_t (1 - p_t) \frac{\lambda}{2 - \lambda} \left(1 - (1 - \lambda)^{2t}\right)

    .. math:: L(p) = 3.97 - 6.56 p + 48.73 p^3 - 330.13 p^5 + 848.18 p^7

    p above one half counting as one half in L.

    Parameters
    ----------
    scale : float, default 1.0
        Limit of the score; 1: as published.
    lam : float, default 0.2
        Weight of the newest error.
    warm_start : int, default 30
        Rows before the score is defined.
    side : Side, default up
        Which changes it looks for; ``up`` is published. ``both`` is the two-sided EWMA chart (Roberts 1959):
        the distance of e from p either way. The published width was fitted to one side: the mean of 400 rows
        holds for ``up`` only.

    Notes
    -----
    While there was no error yet the score is 0.

    Use it for errors when little is known beforehand. Not for a run length other than 400 rows without
    calibration: L was fitted to that one.

    References
    ----------
    .. [1] G. J. Ross, N. M. Adams, D. K. Tasoulis and D. J. Hand, "Exponentially weighted moving average
       charts for detecting concept drift", Pattern Recognition Letters 33, 2012, 191-198.
       doi:10.1016/j.patrec.2011.08.019
    .. [2] S. W. Roberts, "Control chart tests based on geometric moving averages", Technometrics 1, 1959,
       239-250. doi:10.1080/00401706.1959.10489860

    Examples
    --------
    >>> ECDD().alarms(np.r_[np.tile([0.0, 0.0, 0.0, 0.0, 1.0], 20), np.ones(10)])
    array([102])
    """

    family: ClassVar[str] = "chart"
    reads: ClassVar[SignalKind] = SignalKind.ERRORS
    limit: ClassVar[str] = "scale"
    space: ClassVar[Mapping[str, tuple[Any, ...]]] = {"lam": (0.02, 0.05, 0.1, 0.2), "warm_start": (30, 100)}

    scale: float = 1.0
    lam: float = 0.2
    warm_start: int = 30
    side: Side = added(Side.UP)

    def __post_init__(self) -> None:
        check_range("detector/ecdd.scale", self.scale, 0.0, np.inf)
        check_range("detector/ecdd.lam", self.lam, 0.0, 1.0, open_low=True)
        check_range("detector/ecdd.warm_start", self.warm_start, 1, 10**9)

    @property
    def sides(self) -> Side:
        """Which changes it looks for."""
        return self.side

    def kernel(self) -> Kernel:
        """Return the compiled loop."""
        from mlopsim.drift.kernels.ecdd import run

        return run  # type: ignore[no-any-return]

    def params(self) -> np.ndarray:
        """Return lam, warm_start, up, down."""
        up, down = self.side is not Side.DOWN, self.side is not Side.UP
        return np.array([self.lam, self.warm_start, up, down], dtype=np.float64)

    def fresh(self) -> np.ndarray:
        """Return n, rate, average, variance's factor."""
        return np.zeros(4)
