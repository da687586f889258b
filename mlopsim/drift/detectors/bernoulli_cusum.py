"""CUSUM of errors between two error rates."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np

from mlopsim.core.errors import ConfigError
from mlopsim.core.registry import register
from mlopsim.core.spec import check_range
from mlopsim.drift.compiled import Compiled, Kernel
from mlopsim.drift.forms import ErrorSum
from mlopsim.drift.law import Bernoulli, Law
from mlopsim.drift.signal import Known, Side, SignalKind


@register("detector", "bernoulli_cusum")
@dataclass(kw_only=True)
class BernoulliCUSUM(Compiled):
    r"""Bernoulli CUSUM: the sum of log-likelihood ratios of error rate p1 against p0, never below zero.

    With :math:`x_t = 1` for an error, alarm when :math:`S_t > h`:

    .. math::

        S_t = \max\left(0, S_{t-1} + x_t \log \frac{p_1}{p_0} + (1 - x_t) \log \frac{1 - p_1}{1 - p_0}\right)

    Parameters
    ----------
    p0, p1 : float
        Error rates before and after the change, both known.
    h : float, default 4.0
        Limit.

    Notes
    -----
    The sum moves by ``log(p1 / p0)`` at an error and by ``log((1 - p1) / (1 - p0))`` at a right answer, so
    that it lives on few values: calibration randomises between two limits.

    Use it where both rates are known or stated. It is the chart that the other detectors of errors can be
    measured against; not where ``p0`` is a guess: the run length depends on it.

    References
    ----------
    .. [1] M. R. Reynolds and Z. G. Stoumbos, "A CUSUM chart for monitoring a proportion when inspecting
       continuously", Journal of Quality Technology 31, 1999, 87-108. doi:10.1080/00224065.1999.11979900
    .. [2] E. S. Page, "Continuous inspection schemes", Biometrika 41, 1954, 100-115.
       doi:10.1093/biomet/41.1-2.100

    Examples
    --------
    >>> BernoulliCUSUM(p0=0.1, p1=0.3).alarms(np.ones(10))
    array([3, 7])
    """

    family: ClassVar[str] = "chart"
    reads: ClassVar[SignalKind] = SignalKind.ERRORS
    limit: ClassVar[str] = "h"
    known_by: ClassVar[tuple[str, ...]] = ("p0", "p1")

    p0: float = 0.1
    p1: float = 0.2
    h: float = 4.0

    def __post_init__(self) -> None:
        for name in ("p0", "p1"):
            if not 0.0 < getattr(self, name) < 1.0:
                raise ConfigError(
                    f"detector/bernoulli_cusum.{name} must be in (0, 1), got {getattr(self, name)}"
                )
        if self.p0 == self.p1:
            raise ConfigError(
                "detector/bernoulli_cusum: p0 and p1 are the same", remedy="nothing changes then"
            )
        check_range("detector/bernoulli_cusum.h", self.h, 0.0, np.inf)

    @property
    def sides(self) -> Side:
        """Which changes it looks for."""
        return Side.UP if self.p1 > self.p0 else Side.DOWN

    @property
    def known(self) -> Known:
        """Both error rates."""
        return Known.P0P1

    def informed(self, before: Law, after: Law | None = None) -> Self:
        """Return the chart of two error rates."""
        if not isinstance(before, Bernoulli) or not isinstance(after, Bernoulli):
            raise ConfigError("detector/bernoulli_cusum needs two error rates")
        return dataclasses.replace(self, p0=before.p, p1=after.p)

    def form(self) -> ErrorSum:
        """Return what it computes, for exact run lengths."""
        return ErrorSum(p0=self.p0, p1=self.p1, h=self.h)

    def kernel(self) -> Kernel:
        """Return the compiled loop."""
        from mlopsim.drift.kernels.bernoulli_cusum import run

        return run  # type: ignore[no-any-return]

    def params(self) -> np.ndarray:
        """Return the steps of an error and of a right answer."""
        return np.array([math.log(self.p1 / self.p0), math.log((1.0 - self.p1) / (1.0 - self.p0))])

    def fresh(self) -> np.ndarray:
        """Return the sum."""
        return np.zeros(1)
