"""Kolmogorov-Smirnov windowing."""

from __future__ import annotations

import dataclasses
import functools
import math
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np

from mlopsim.core.registry import register
from mlopsim.core.spec import check_range
from mlopsim.drift.compiled import Compiled, Kernel
from mlopsim.drift.confidence_search import confidence_of


@register("detector", "kswin")
@dataclass(kw_only=True)
class KSWIN(Compiled):
    r"""KSWIN: the newest rows of a window differ from as many rows drawn from the rest of it.

    The score is ``-log10`` of the p-value of the two-sample KS test, 0 where the distance is at most 0.1
    (river's second condition); alarm when the p-value is at most ``alpha``. NaN until the window is full; it
    is emptied by an alarm.

    With the ``recent`` newest rows G and as many rows F drawn without replacement from the rest of the
    window, :math:`D = \sup_x |F(x) - G(x)|`, and the score is :math:`-\log_{10} p(D)`.

    Parameters
    ----------
    alpha : float, default 0.005
        Level of significance, in (0, 1).
    window : int, default 100
        Rows in the window.
    recent : int, default 30
        Newest rows that are compared, at most half of the window.

    Notes
    -----
    The p-value is exact for values that never repeat, in steps of the distance, and too large for others: of
    20,000 unchanged full windows .29 % of continuous values had one of at most .005, .02 % of three values
    with .6, .3 and .1, and none of errors with a rate of .05. It is the level of one look, not of all.

    It draws at random: alarms have the law of river's, which draws from another generator (and, given a
    seed, draws the same numbers again after each alarm; this one goes on).

    Use it for values with a changing law of any shape. Not for errors of a small rate, where it hardly ever
    alarms at its defaults.

    References
    ----------
    .. [1] C. Raab, M. Heusinger and F.-M. Schleif, "Reactive soft prototype computing for concept drift
       streams", Neurocomputing 416, 2020, 340-351. doi:10.1016/j.neucom.2019.11.111

    Examples
    --------
    >>> import numpy as np
    >>> KSWIN(alpha=1e-4).alarms(np.r_[np.zeros(200), np.ones(50)])
    array([216])
    """

    family: ClassVar[str] = "sliding window"
    limit: ClassVar[str] = "alpha"
    space: ClassVar[Mapping[str, tuple[Any, ...]]] = {"window": (100, 200, 400), "recent": (15, 30, 50)}
    effort: ClassVar[float] = 1.2
    random: ClassVar[bool] = True

    alpha: float = 0.005
    window: int = 100
    recent: int = 30

    def __post_init__(self) -> None:
        # 1 would be an alarm at equal samples
        check_range("detector/kswin.alpha", self.alpha, 0.0, 1.0 - 1e-9, open_low=True)
        check_range("detector/kswin.window", self.window, 2, 10**6)
        check_range("detector/kswin.recent", self.recent, 1, min(self.window // 2, 10**4))

    @property
    def threshold(self) -> float:
        """What the score must exceed; just below ``-log10(alpha)``, as a p-value of ``alpha`` is an alarm."""
        return _level(self.alpha)

    def limited(self, threshold: float) -> Self:
        """Return this detector with the level of significance that gives this threshold."""
        alpha = confidence_of(_level, threshold, "detector/kswin.alpha", 1.0 - 1e-9)
        return dataclasses.replace(self, alpha=alpha)

    def kernel(self) -> Kernel:
        """Return the compiled loop."""
        from mlopsim.drift.kernels.kswin import run

        return run  # type: ignore[no-any-return]

    def params(self) -> np.ndarray:
        """Return window, recent and the score of every distance."""
        return np.array([self.window, self.recent, *_scores(self.recent)], dtype=np.float64)

    def fresh(self) -> np.ndarray:
        """Return an empty window and a random word."""
        from mlopsim.drift.kernels.kswin import HEAD

        state = np.zeros(HEAD + self.window)
        state[2:4] = self.rng.integers(0, 2**32, 2)
        return state


def _level(alpha: float) -> float:
    return float(np.nextafter(-math.log10(alpha), -np.inf))


@functools.lru_cache(maxsize=64)
def _scores(size: int) -> tuple[float, ...]:
    """Return ``-log10 p`` of the KS distances 0, 1/size, ..., 1 between two samples of one size."""
    from scipy.stats import ks_2samp

    first = np.arange(size)
    with warnings.catch_warnings():
        # scipy says so when it takes the limiting law for a p-value that is about 1
        warnings.filterwarnings("ignore", "ks_2samp: Exact calculation unsuccessful", RuntimeWarning)
        p = [1.0] + [float(ks_2samp(first, first + (gap - 0.5)).pvalue) for gap in range(1, size + 1)]
    return tuple(-math.log10(value) if value < 1.0 else 0.0 for value in p)
