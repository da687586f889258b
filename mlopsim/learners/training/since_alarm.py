"""Everything since the last alarm on the inputs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mlopsim.core.errors import ConfigError
from mlopsim.core.registry import register
from mlopsim.core.spec import check_range


@register("training", "since_alarm")
@dataclass(kw_only=True)
class SinceAlarm:
    r"""Train on the windows since the inputs last changed, as a two-sample KS test sees it.

    After window v its rows are compared with the windows from the last alarm up to v - 1, feature
    by feature: the largest distance of the two empirical CDFs at the bin edges (quantiles of the
    warm-up rows), against the Kolmogorov limit for ``level / d`` (Bonferroni over the d features).
    Binning and discrete values only make the test rarer to alarm. So a window without change alarms
    with probability of at most about ``level``; there is no correction over windows: T windows
    without change give up to ``level * T`` alarms on average. Rows are taken as independent: inputs
    that persist over time (weather, prices) alarm in most windows, and ``min_windows`` then is the
    length of the span. An alarm makes v the first window.

    With empirical distribution functions F of n rows and G of m rows of window v, an alarm is

    .. math:: \sqrt{\frac{n m}{n + m}} \max_{f, b} |F_f(b) - G_f(b)| > K^{-1}(\mathrm{level} / d)

    over features f and bin edges b, K being the upper tail of Kolmogorov's limit law.

    Parameters
    ----------
    level : float, default 0.01
        Chance of a false alarm in one window, over all features together.
    min_windows : int, default 5
        Train on at least so many windows, reaching back before the alarm if need be.
    max_windows : int, default 0
        Train on at most so many windows; 0 means no limit.
    bins : int, default 64
        Number of bins of a feature.

    Notes
    -----
    Use it where inputs betray the change; a change of the labels' law alone is not seen.

    References
    ----------
    .. [1] N. V. Smirnov, "On the estimation of the discrepancy between empirical curves of distribution for
       two independent samples", Bulletin Mathématique de l'Université de Moscou 2, 1939.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(800, 2)); X[400:] += 2
    >>> SinceAlarm(min_windows=2).starts(X, np.arange(9) * 100, 3)
    array([0, 0, 0, 0, 3, 4, 4, 4])
    """

    level: float = 0.01
    min_windows: int = 5
    max_windows: int = 0
    bins: int = 64

    def __post_init__(self) -> None:
        check_range("since_alarm.level", self.level, 0.0, 0.5, open_low=True)
        check_range("since_alarm.min_windows", self.min_windows, 1, 1_000_000)
        check_range("since_alarm.bins", self.bins, 2, 4096)
        if self.max_windows and not self.max_windows >= self.min_windows:
            raise ConfigError(
                f"since_alarm.max_windows ({self.max_windows}) is below min_windows ({self.min_windows})",
                remedy="raise it, or set it to 0 for no limit",
            )

    def starts(self, X: np.ndarray, bounds: np.ndarray, warmup: int) -> np.ndarray:
        """Return the first training window of every version.

        Parameters
        ----------
        X : ndarray of float64, shape (n, d)
            Finite rows.
        bounds : ndarray of int64, shape (T + 1,)
            Windows.
        warmup : int
            Number of warm-up windows; their rows give the bin edges.

        Returns
        -------
        ndarray of int64, shape (T,)
            Entry v depends on the warm-up rows and on the windows up to v only.
        """
        counts = self._counts(X, bounds, warmup)
        sizes = np.diff(bounds)
        limit = self._limit(X.shape[1])
        starts = np.zeros(len(sizes), dtype=np.int64)
        alarm = 0
        reference, rows = counts[0].astype(np.int64), int(sizes[0])
        for v in range(1, len(sizes)):
            fresh = int(sizes[v])
            gap = np.cumsum(reference / rows - counts[v] / fresh, axis=1)
            if np.abs(gap).max() * np.sqrt(rows * fresh / (rows + fresh)) > limit:
                alarm, rows = v, 0
                reference = np.zeros_like(reference)
            reference += counts[v]
            rows += fresh
            starts[v] = min(alarm, v - self.min_windows + 1)
            if self.max_windows:
                starts[v] = max(starts[v], v - self.max_windows + 1)
        return np.maximum(starts, 0)

    def _counts(self, X: np.ndarray, bounds: np.ndarray, warmup: int) -> np.ndarray:
        """Return rows per window, feature and bin, int64 of shape (T, d, bins)."""
        windows, d = len(bounds) - 1, X.shape[1]
        window = np.repeat(np.arange(windows), np.diff(bounds))
        rows = X[bounds[0] : bounds[-1]]
        history = X[bounds[0] : bounds[warmup]]
        out = np.zeros((windows, d, self.bins), dtype=np.int64)
        for j in range(d):
            # order statistics, not interpolated quantiles: between two categories there is no value
            edges = np.quantile(history[:, j], np.arange(1, self.bins) / self.bins, method="inverted_cdf")
            code = np.searchsorted(np.unique(edges), rows[:, j], side="left")
            flat = np.bincount(window * self.bins + code, minlength=windows * self.bins)
            out[:, j] = flat.reshape(windows, self.bins)
        return out

    def _limit(self, features: int) -> float:
        """Return the Kolmogorov limit of the scaled distance at ``level / features``."""
        from scipy.special import kolmogi

        return float(kolmogi(self.level / features))
