"""Adaptive windowing."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np

from mlopsim.core.registry import register
from mlopsim.core.spec import added, check_range
from mlopsim.drift.compiled import Compiled, Kernel
from mlopsim.drift.confidence_search import confidence_of
from mlopsim.drift.signal import Side

#: above 1 delta bounds no probability any more, but the limit goes on: a signal of few rows may need it
LARGEST = 1e6


@register("detector", "adwin")
@dataclass(kw_only=True)
class ADWIN(Compiled):
    r"""ADWIN: some cut of the window leaves two parts whose means differ by more than a bound.

    The score is minus the log of the largest ``delta`` at which no cut does; it changes every ``clock`` rows,
    when cuts are tested, and is NaN before the first test. As in river the window starts anew after an alarm.

    At each cut of the window into parts of :math:`n_0` and :math:`n_1` rows with means :math:`\hat\mu_0`,
    :math:`\hat\mu_1` it alarms if

    .. math::

        |\hat\mu_0 - \hat\mu_1| > \sqrt{2 m v D} + \tfrac{2}{3} m D, \quad
        D = \log \frac{2 \log n}{\delta}, \quad m = \frac{1}{n_0 - w + 1} + \frac{1}{n_1 - w + 1}

    with the n rows and the variance v of the whole window, w = ``min_window`` and :math:`\delta` = ``delta``.

    Parameters
    ----------
    delta : float, default 0.002
        Confidence of the bound, in (0, 1].
    clock : int, default 32
        Rows between tests.
    max_buckets : int, default 5
        Buckets of one size that are kept before two are merged, at least 2.
    min_window : int, default 5
        Shortest part that is compared.
    grace : int, default 10
        Rows before the first test.
    side : Side, default both
        Which changes it looks for; ``both`` is published. With ``up`` a cut counts only if the newer part is
        higher, so that the window is not cut where the mean fell.

    Notes
    -----
    The window does not depend on ``delta`` before the first alarm, so that one run gives the alarms at every
    ``delta``: river's comparison of each cut, ``gap > epsilon(delta)``, is solved for ``delta``. Alarms equal
    river's but for a ``gap`` that equals ``epsilon`` up to rounding. ``rose`` tells the direction of the last
    alarm.

    Use it for errors or values whose change is of unknown size; nothing needs to be learnt before. Not where
    a stated rate of false alarms is needed without calibration: ``delta`` bounds one test, not the run
    length.

    References
    ----------
    .. [1] A. Bifet and R. Gavaldà, "Learning from time-changing data with adaptive windowing", SIAM
       International Conference on Data Mining, 2007, 443-448. doi:10.1137/1.9781611972771.42

    Examples
    --------
    >>> import numpy as np
    >>> adwin = ADWIN()
    >>> adwin.alarms(np.r_[np.zeros(500), np.ones(100)])
    array([511])
    >>> adwin.rose
    True
    """

    family: ClassVar[str] = "sliding window"
    limit: ClassVar[str] = "delta"
    space: ClassVar[Mapping[str, tuple[Any, ...]]] = {"clock": (4, 8, 16, 32)}

    delta: float = 0.002
    clock: int = 32
    max_buckets: int = 5
    min_window: int = 5
    grace: int = 10
    side: Side = added(Side.BOTH)

    def __post_init__(self) -> None:
        check_range("detector/adwin.delta", self.delta, 0.0, LARGEST, open_low=True)
        check_range("detector/adwin.clock", self.clock, 1, 10**9)
        check_range("detector/adwin.max_buckets", self.max_buckets, 2, 10**4)
        check_range("detector/adwin.min_window", self.min_window, 1, 10**9)
        check_range("detector/adwin.grace", self.grace, 0, 10**9)

    @property
    def sides(self) -> Side:
        """Which changes it looks for."""
        return self.side

    @property
    def threshold(self) -> float:
        """What the score must exceed: ``-log(delta)``."""
        return _log(self.delta)

    def limited(self, threshold: float) -> Self:
        """Return this detector with the confidence that gives this threshold."""
        return dataclasses.replace(
            self, delta=confidence_of(_log, threshold, "detector/adwin.delta", LARGEST)
        )

    @property
    def rose(self) -> bool | None:
        """Whether the newer part was higher at the last alarm of the stream read so far; None: no alarm."""
        from mlopsim.drift.kernels.adwin import DIRECTION

        state = getattr(self, "_state", None)
        if state is None or state[DIRECTION] == 0.0:
            return None
        return bool(state[DIRECTION] > 0.0)

    def kernel(self) -> Kernel:
        """Return the compiled loop."""
        from mlopsim.drift.kernels.adwin import run

        return run  # type: ignore[no-any-return]

    def params(self) -> np.ndarray:
        """Return clock, max_buckets, min_window, grace, up, down."""
        up, down = self.side is not Side.DOWN, self.side is not Side.UP
        values = [self.clock, self.max_buckets, self.min_window, self.grace, up, down]
        return np.array(values, dtype=np.float64)

    def fresh(self) -> np.ndarray:
        """Return an empty window."""
        from mlopsim.drift.kernels.adwin import LEVELS, SCORE, TOTALS

        state = np.zeros(TOTALS + LEVELS * (self.max_buckets + 1))
        state[SCORE] = np.nan
        return state


def _log(delta: float) -> float:
    return -math.log(delta)
