"""Statistical test of equal proportions."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from statistics import NormalDist
from typing import Any, ClassVar, Self

import numpy as np

from mlopsim.core.registry import register
from mlopsim.core.spec import check_range
from mlopsim.drift.compiled import Compiled, Kernel
from mlopsim.drift.confidence_search import confidence_of
from mlopsim.drift.signal import Side, SignalKind


@register("detector", "stepd")
@dataclass(kw_only=True)
class STEPD(Compiled):
    r"""STEPD: the error rate of the last ``window`` rows differs from that of all rows before them.

    With errors :math:`r_o` in the :math:`n_o` older rows, :math:`r_w` in the w = ``window`` recent ones and p
    their pooled rate,

    .. math:: \frac{r_w / w - r_o / n_o - (1 / n_o + 1 / w) / 2}{\sqrt{p (1 - p) (1 / n_o + 1 / w)}}

    (for ``both`` with the absolute difference) is the test of equal proportions with continuity correction;
    the score is 0 where the correction eats the difference (as it does while all rows are alike); alarm when
    its p-value is below ``alpha``. NaN until there are ``window`` older rows.

    The normal law is far from that of few errors, and ``alpha`` is the level of one look, not of all: of
    20,000 unchanged signals .46, .50, .34 and .16 % had a p-value below .003 at row 1000 with error rates of
    .01, .05, .2 and .5, and 0 to .1 % at row 60.

    Parameters
    ----------
    alpha : float, default 0.003
        Level of significance, in (0, 0.5]; with side ``both``, in (0, 1].
    window : int, default 30
        Recent rows.
    side : Side, default up
        Which changes it looks for. ``up`` is the paper's alternative; MOA's program tests ``both``.

    Notes
    -----
    Use it for abrupt rises of errors within a few dozen rows; not for slow ones, which enter the older rows
    too.

    References
    ----------
    .. [1] K. Nishida and K. Yamauchi, "Detecting concept drift using statistical testing", Discovery Science,
       2007, 264-269. doi:10.1007/978-3-540-75488-6_27

    Examples
    --------
    >>> import numpy as np
    >>> signal = np.r_[np.tile([0.0, 0.0, 0.0, 0.0, 1.0], 40), np.ones(20)]
    >>> STEPD().alarms(signal)
    array([208])
    """

    family: ClassVar[str] = "error rate"
    reads: ClassVar[SignalKind] = SignalKind.ERRORS
    limit: ClassVar[str] = "alpha"
    space: ClassVar[Mapping[str, tuple[Any, ...]]] = {"window": (15, 30, 60, 100)}

    alpha: float = 0.003
    window: int = 30
    side: Side = Side.UP

    def __post_init__(self) -> None:
        check_range("detector/stepd.alpha", self.alpha, 0.0, self._highest, open_low=True)
        check_range("detector/stepd.window", self.window, 1, 10**7)

    @property
    def _highest(self) -> float:
        return 1.0 if self.side is Side.BOTH else 0.5

    @property
    def sides(self) -> Side:
        """Which changes it looks for."""
        return self.side

    @property
    def threshold(self) -> float:
        """What the score must exceed: the quantile of the normal law that leaves ``alpha`` above it."""
        return self._quantile(self.alpha)

    def limited(self, threshold: float) -> Self:
        """Return this detector with the level of significance that gives this threshold."""
        alpha = confidence_of(self._quantile, threshold, "detector/stepd.alpha", self._highest)
        return dataclasses.replace(self, alpha=alpha)

    def _quantile(self, alpha: float) -> float:
        # the lower tail, where small probabilities keep their digits
        return -NormalDist().inv_cdf(0.5 * alpha / self._highest)

    def kernel(self) -> Kernel:
        """Return the compiled loop."""
        from mlopsim.drift.kernels.stepd import run

        return run  # type: ignore[no-any-return]

    def params(self) -> np.ndarray:
        """Return window, up, down."""
        return np.array([self.window, self.side is not Side.DOWN, self.side is not Side.UP], dtype=np.float64)

    def fresh(self) -> np.ndarray:
        """Return zeros."""
        from mlopsim.drift.kernels.stepd import HEAD

        return np.zeros(HEAD + self.window)
