"""What a chart computes, as far as its run length is known exactly: a chart says so of itself.

Exact run lengths (:mod:`mlopsim.drift.run_length`) are of forms, not of names: a chart of a third party that
returns one of these from :meth:`mlopsim.drift.detector.Detector.form` has them, too.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar, TypeAlias

from mlopsim.drift.signal import Side


@dataclass(frozen=True, kw_only=True)
class Individual:
    """Alarm when a standardised tick lies beyond ``width``."""

    width: float
    side: Side
    #: where the search of a limit begins
    lowest: ClassVar[float] = 1e-6


@dataclass(frozen=True, kw_only=True)
class Cusum:
    """Alarm when the sum of ``z - k``, never below 0, exceeds ``h``; two such sums for both sides."""

    k: float
    h: float
    side: Side
    lowest: ClassVar[float] = 1e-6


@dataclass(frozen=True, kw_only=True)
class Ewma:
    """Alarm when the average ``(1 - lam) a + lam z`` lies beyond ``width`` of its settled deviations."""

    lam: float
    width: float
    side: Side
    lowest: ClassVar[float] = 1e-6


@dataclass(frozen=True, kw_only=True)
class LogShiryaevRoberts:
    """Alarm when ``log R`` exceeds ``h``; ``log R' = log(1 + R) + shift (z - shift / 2)``."""

    shift: float
    h: float
    #: the limit of log R may lie below zero
    lowest: ClassVar[float] = -20.0


@dataclass(frozen=True, kw_only=True)
class Batches:
    """Alarm when the standardised share of errors in ``size`` ticks lies beyond ``width``."""

    size: int
    width: float
    side: Side
    #: known share of errors; None: that of the law
    mean: float | None


@dataclass(frozen=True, kw_only=True)
class ErrorSum:
    """Alarm when a sum of log-likelihood ratios of errors, never below 0, exceeds ``h``."""

    p0: float
    p1: float
    h: float

    @property
    def steps(self) -> tuple[float, float, bool]:
        """Steps up and down, and whether it is a right answer that goes up.

        Examples
        --------
        >>> up, down, flip = ErrorSum(p0=0.1, p1=0.2, h=4.0).steps
        >>> round(up, 3), round(down, 3), flip
        (0.693, 0.118, False)
        """
        wrong, right = math.log(self.p1 / self.p0), math.log((1.0 - self.p1) / (1.0 - self.p0))
        return (wrong, -right, False) if wrong > 0.0 else (right, -wrong, True)


#: forms whose ticks are standardised by a known mean and spread
Standardised: TypeAlias = Individual | Cusum | Ewma | LogShiryaevRoberts
Form: TypeAlias = Standardised | Batches | ErrorSum
