"""Two-sample tests of windows, feature by feature, with a correction for their number."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass
from enum import Enum
from typing import Any, ClassVar, Self

import numpy as np

from mlopsim.core.errors import ConfigError
from mlopsim.core.spec import check_range
from mlopsim.drift.windowed import Windowed


class Correction(Enum):
    """How the p-values of d features become that of "no feature has changed".

    ``bonferroni``: ``d min p``, valid whatever the dependence of the features. ``simes``: the smallest of
    ``d p_(i) / i`` over the sorted p-values, never larger, valid for independent and for positively dependent
    features (Simes 1986). ``none``: ``min p``, which is no p-value if d > 1; for comparison. Holm's
    procedure is not listed: it names more features, but its smallest corrected p-value is Bonferroni's.
    """

    BONFERRONI = "bonferroni"
    SIMES = "simes"
    NONE = "none"


def columns(rows: np.ndarray) -> np.ndarray:
    """Return rows (..., r, d) as sorted columns, float64 (..., d, r), contiguous.

    Examples
    --------
    >>> columns(np.array([[3.0, 0.0], [1.0, 2.0]])).tolist()
    [[1.0, 3.0], [0.0, 2.0]]
    """
    turned: np.ndarray = np.array(np.swapaxes(rows, -1, -2), order="C")
    turned.sort(axis=-1)
    return turned


def alpha_of(threshold: float) -> float:
    """Return the level alpha whose score ``-log10(alpha)`` is the threshold, or the next above it.

    Never below: a score that equals the threshold is not to become an alarm by rounding.

    Raises
    ------
    ConfigError
        If the threshold is negative: no score of a p-value is.

    Examples
    --------
    >>> alpha_of(2.0)
    0.01
    """
    if not threshold >= 0.0:
        raise ConfigError(f"-log10 of a level is never {threshold}", remedy="a threshold of 0 or more")
    alpha = 10.0**-threshold if threshold < 400.0 else 0.0
    while alpha > 0.0 and -math.log10(alpha) < threshold:
        alpha = math.nextafter(alpha, 0.0)
    return alpha


def threshold_of(alpha: float) -> float:
    """Return ``-log10(alpha)``, infinite for 0.

    Examples
    --------
    >>> threshold_of(0.001)
    3.0
    """
    return abs(math.log10(alpha)) if alpha > 0.0 else math.inf


@dataclass(kw_only=True)
class TwoSample(Windowed):
    """Tests each window's features against the reference's; the score is ``-log10`` of the corrected p-value.

    Parameters
    ----------
    alpha : float, default 0.01
        Level: alarm where the corrected p-value is below it.
    correction : Correction, default bonferroni
        For the number of features, see :class:`Correction`; not for the number of windows, which is what
        calibration is for.
    reference
        See :class:`mlopsim.drift.windowed.Windowed`.

    Notes
    -----
    p-values below 2.2e-308 count as that, so that scores end at 307.7. The reference is sorted once. A
    window or reference of fewer rows than the test needs has the score NaN.

    The p-values are those of continuous features. Equal values take the level away: of 50,000 windows of 100
    rows of an unchanged feature against 1000 reference rows, so many in a thousand had a p-value below .01
    (10 are asked; the standard error is .4 to 1)

    ========================================  ====  ====  ====  ======
    values of the feature                       ks   cvm    ad  kuiper
    ========================================  ====  ====  ====  ======
    continuous                                 9.8   9.6   9.9    10.3
    ten, equally likely                        3.1  10.3  17.2      .8
    three, with .6, .3 and .1                   .9  26.5  39.8      0
    two, with .5 each                          1.3  14.3  49.2      .1
    two, with .95 and .05                      0      .3  45.9      0
    one in half of the rows, else continuous   5.6  41.8  26.4     1.6
    ========================================  ====  ====  ====  ======

    so that ``ks`` and ``kuiper`` are careful, and ``cvm`` and ``ad`` alarm up to 4 and 5 times as often as
    asked (at .001 up to 10 and 14 times). Of 15 against 15 rows ``ks`` and ``kuiper`` have steps: 8.7 and 3.9
    of continuous features. A calibrated limit makes up for all of it where the drift-free signals have the
    same ties.
    """

    family: ClassVar[str] = "two-sample test"
    limit: ClassVar[str] = "alpha"
    limits: ClassVar[tuple[float, float] | None] = (1e-30, 0.2)
    #: rows that each sample must have
    least: ClassVar[int] = 1

    alpha: float = 0.01
    correction: Correction = Correction.BONFERRONI

    def __post_init__(self) -> None:
        super().__post_init__()
        check_range(f"detector/{self.name}.alpha", self.alpha, 0.0, 1.0)

    # -- what such a detector must define --------------------------------------------------------------

    def statistics(self, reference: np.ndarray, windows: np.ndarray) -> np.ndarray:
        """Return the statistics (k, d) of sorted windows (k, d, r) against the sorted reference (d, n)."""
        raise NotImplementedError

    def pvalues(self, n1: int, n2: int, found: np.ndarray) -> np.ndarray:
        """Return the p-values of statistics (m,) of samples of n1 and n2 rows, falling in the statistic."""
        raise NotImplementedError

    # -- what follows ------------------------------------------------------------------------------------

    @property
    def threshold(self) -> float:
        """What the score must exceed: ``-log10(alpha)``."""
        return threshold_of(self.alpha)

    def limited(self, threshold: float) -> Self:
        """Return this detector with the level that gives this threshold."""
        return dataclasses.replace(self, alpha=alpha_of(threshold))

    def learn(self, rows: np.ndarray) -> Any:
        """Return the sorted columns of the reference, float64 (d, n)."""
        return columns(rows)

    def compare(self, reference: Any, windows: np.ndarray) -> np.ndarray:
        """Return the scores of windows."""
        from mlopsim.numerics.multiple_testing import simes, smallest

        score = np.full(len(windows), np.nan)
        (features, n1), n2 = reference.shape, windows.shape[1]
        if min(n1, n2) < self.least:
            return score
        found = self.statistics(reference, columns(windows))
        if self.correction is Correction.SIMES:
            simes(self.pvalues(n1, n2, found.ravel()).reshape(found.shape), score)
        else:
            # the largest statistic has the smallest p-value
            count = 1.0 if self.correction is Correction.NONE else float(features)
            smallest(self.pvalues(n1, n2, found.max(axis=1)), count, score)
        return score
