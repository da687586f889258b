"""Hellinger distance drift detection method."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np

from mlopsim.core.registry import register
from mlopsim.core.spec import check_range
from mlopsim.drift.windowed import Windowed

#: smallest standard deviation of the steps, for steps that are all equal
SMALLEST = 1e-12


@dataclass(kw_only=True)
class _Baseline:
    """All windows since the last alarm, their histogram, and the steps of the distance so far."""

    parts: list[np.ndarray]
    low: np.ndarray
    high: np.ndarray
    counts: np.ndarray
    last: float = 0.0
    steps: list[float] = field(default_factory=list)

    def recount(self, low: np.ndarray, high: np.ndarray, bins: int) -> None:
        """Make the histogram one of these ranges and bins; only a range that grew costs anything."""
        from mlopsim.drift.kernels.hellinger import add

        wanted = (low != self.low) | (high != self.high) | (self.counts.shape[1] != bins)
        if wanted.any():
            if self.counts.shape[1] != bins:
                self.counts = np.zeros((len(low), bins), dtype=np.int64)
            self.counts[wanted] = 0
            for part in self.parts:
                add(part, low, high, wanted, self.counts)
        self.low, self.high = low, high


@register("detector", "hdddm")
@dataclass(kw_only=True)
class HDDDM(Windowed):
    r"""HDDDM: an unusual step of the Hellinger distance of a window from all windows since the last alarm.

    After each window the distance (mean over features, histograms of equal widths over the range of both
    samples) is compared with the one before; ``eps`` is the absolute difference, the first distance being a
    step from 0. The paper alarms if ``eps > mean + gamma sd`` of the steps since the last alarm. A window
    without an alarm joins the baseline; one with an alarm is the first of the next.

    With shares :math:`p_{fb}` of the baseline and :math:`q_{fb}` of window t in bin b of d features, the
    score is

    .. math::

        \frac{\varepsilon_t - \bar\varepsilon}{\mathrm{sd}(\varepsilon)}, \qquad
        \varepsilon_t = |H_t - H_{t-1}|, \qquad
        H_t = \frac{1}{d} \sum_f \sqrt{\sum_b \left(\sqrt{p_{fb}} - \sqrt{q_{fb}}\right)^2}

    Parameters
    ----------
    gamma : float, default 1.0
        Limit, in standard deviations of the steps.
    bins : int or None, default None
        Bins of a histogram; None: the root of the rows in the window, rounded down (the paper's rule).
    reference : int, default 1
        Windows of the first baseline, after an alarm with that of the alarm.

    Notes
    -----
    The standard deviation divides by the number of steps, as in the paper. It needs two steps: the score is
    NaN for the first two windows after the baseline (the paper's of a single step is 0, so that any larger
    one would be an alarm). It is at least 1e-12. Empty bins need no care: the roots of their shares are 0.

    Use it for abrupt changes of inputs in windows. Not for slow ones, whose steps are all alike.

    References
    ----------
    .. [1] G. Ditzler and R. Polikar, "Hellinger distance based drift detection for nonstationary
       environments", IEEE Symposium on Computational Intelligence in Dynamic and Uncertain Environments,
       2011, 41-48. doi:10.1109/CIDUE.2011.5948491

    Examples
    --------
    >>> windows = np.random.default_rng(0).normal(size=(30, 100, 3))
    >>> windows[20:, :, 1] += 2.0
    >>> HDDDM(gamma=4.0).alarms(windows)
    array([20])
    """

    family: ClassVar[str] = "distance"
    limit: ClassVar[str] = "gamma"
    sequential: ClassVar[bool] = True

    gamma: float = 1.0
    bins: int | None = None
    reference: int = 1

    def __post_init__(self) -> None:
        super().__post_init__()
        check_range("detector/hdddm.gamma", self.gamma, -math.inf, math.inf)
        if self.bins is not None:
            check_range("detector/hdddm.bins", self.bins, 1, 10**6)

    def begin(self) -> None:
        """Forget the window of the last alarm, too."""
        self._latest: np.ndarray | None = None
        super().begin()

    def restart(self) -> None:
        """Forget the baseline; the next one begins with the latest window."""
        super().restart()
        if self._latest is not None:
            self._rows = [self._latest]
            if self.reference == 1:
                self._reference, self._rows = self.learn(self._latest), []

    def learn(self, rows: np.ndarray) -> Any:
        """Return the baseline of the first windows."""
        # a quarter, which is exact, so that no range overflows
        rows = 0.25 * rows
        d = rows.shape[1]
        return _Baseline(
            parts=[rows],
            low=rows.min(axis=0),
            high=rows.max(axis=0),
            counts=np.zeros((d, 0), dtype=np.int64),
        )

    def compare(self, reference: Any, windows: np.ndarray) -> np.ndarray:
        """Return the score of a window (1, r, d), which joins the baseline."""
        from mlopsim.drift.kernels.hellinger import add, distance

        self._latest = np.array(windows[0])
        rows = 0.25 * windows[0]
        bins = math.isqrt(len(rows)) if self.bins is None else self.bins
        low = np.minimum(reference.low, rows.min(axis=0))
        high = np.maximum(reference.high, rows.max(axis=0))
        reference.recount(low, high, bins)
        counts = np.zeros_like(reference.counts)
        add(rows, low, high, np.ones(len(low), dtype=np.bool_), counts)
        found = distance(reference.counts, counts)
        step = abs(found - reference.last)
        score = math.nan
        if (n := len(reference.steps)) >= 2:
            mean = math.fsum(reference.steps) / n
            sd = math.sqrt(math.fsum((s - mean) ** 2 for s in reference.steps) / n)
            score = (step - mean) / max(sd, SMALLEST)
        reference.steps.append(step)
        reference.last = found
        reference.parts.append(rows)
        reference.counts += counts
        return np.array([score])
