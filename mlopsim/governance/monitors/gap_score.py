"""Chart of a gap between groups that may be as large as a margin."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

import numpy as np

from mlopsim.core.registry import register
from mlopsim.core.spec import check_range
from mlopsim.governance.monitoring.gaps import GapChart, Pair, restricted
from mlopsim.governance.monitoring.normal_scores import standardised
from mlopsim.governance.monitoring.rates import share


class Variance(Enum):
    """The variance of a gap: as it is, or times N / (N - 1) for N rows in all."""

    FARRINGTON_MANNING = "farrington_manning"
    MIETTINEN_NURMINEN = "miettinen_nurminen"


@register("monitor", "gap_score")
@dataclass(kw_only=True)
class GapScore(GapChart):
    r"""Score test of "the gap is at most the margin", window by window.

    With the gap d and the likeliest rates :math:`p_1 - p_2 = \mathrm{margin}` of two groups of :math:`n_1`
    and :math:`n_2` rows,

    .. math::

        \frac{|d| - \mathrm{margin}}{s}, \qquad s^2 = \frac{p_1 (1 - p_1)}{n_1} + \frac{p_2 (1 - p_2)}{n_2}

    the score is below 0 within the margin. With margin 0 it is the test of two pooled proportions. Correlated
    rows count as fewer: :math:`n / (1 + (n - 1) \rho)`.

    Parameters
    ----------
    margin : float, default 0.05
        Largest gap in control, in [0, 1).
    variance : Variance, default farrington_manning
        Or Miettinen and Nurminen's, which is larger by N / (N - 1).
    rate, impact
        See :class:`mlopsim.governance.monitoring.gaps.GapChart`.

    Notes
    -----
    Use it where small gaps are tolerated; not for groups of a few rows, where the normal law is far off
    (``gap_exact``).

    References
    ----------
    .. [1] C. P. Farrington and G. Manning, "Test statistics and sample size formulae for comparative binomial
       trials with null hypothesis of non-zero risk difference or non-unity relative risk", Statistics in
       Medicine 9, 1990, 1447-1454. doi:10.1002/sim.4780091208
    .. [2] O. Miettinen and M. Nurminen, "Comparative analysis of two rates", Statistics in Medicine 4, 1985,
       213-226. doi:10.1002/sim.4780040211
    .. [3] J. N. K. Rao and A. J. Scott, "A simple method for the analysis of clustered binary data",
       Biometrics 48, 1992, 577-585. doi:10.2307/2532311

    Examples
    --------
    >>> from mlopsim.governance.monitoring.in_control import law
    >>> fair = law(base=(0.5, 0.5), recall=(0.8, 0.8), false_positive_rate=(0.2, 0.2), rows=(100, 100))
    >>> counts = np.array([[[40, 10], [10, 40]], [[50, 20], [10, 20]]])[None, None]
    >>> [GapScore(margin=m).scores(counts, fair.reference()).round(3).item() for m in (0.0, 0.05, 0.1)]
    [1.421, 0.712, 0.0]
    """

    margin: float = 0.05
    variance: Variance = Variance.FARRINGTON_MANNING

    def __post_init__(self) -> None:
        super().__post_init__()
        check_range("monitor/gap_score.margin", self.margin, 0.0, 1.0 - 1e-9)

    def test(self, pair: Pair) -> np.ndarray:
        """Return the scores."""
        n, m = (
            rows / (1.0 + np.maximum(rows - 1.0, 0.0) * rho)
            for rows, rho in ((pair.n, pair.rho), (pair.others_n, pair.others_rho))
        )
        p, q = share(pair.k, pair.n), share(pair.others_k, pair.others_n)
        told = (pair.n > 0) & (pair.others_n > 0)
        one, other = np.where(told, n, 1.0), np.where(told, m, 1.0)
        # the larger rate first: the score is that of the side on which the gap is
        high, low = np.maximum(p, q), np.minimum(p, q)
        of_high, of_low = np.where(p >= q, one, other), np.where(p >= q, other, one)
        first = restricted(high, low, of_high, of_low, self.margin)
        second = first - self.margin
        spread = first * (1.0 - first) / of_high + second * (1.0 - second) / of_low
        if self.variance is Variance.MIETTINEN_NURMINEN:
            rows = one + other
            spread = spread * rows / np.maximum(rows - 1.0, 1.0)
        beyond = high - low - self.margin
        # a gap of .1 is not beyond a margin of .1, whatever rounding makes of it
        beyond = np.where(np.abs(beyond) <= 1e-12, 0.0, beyond)
        return standardised(beyond, np.sqrt(np.maximum(spread, 0.0)))
