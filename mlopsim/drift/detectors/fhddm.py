"""Fast Hoeffding Drift Detection Method."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np

from mlopsim.core.registry import register
from mlopsim.core.spec import check_range
from mlopsim.drift.compiled import Kernel
from mlopsim.drift.confidence_search import confidence_of
from mlopsim.drift.mirrored import Mirrored
from mlopsim.drift.signal import SignalKind


@register("detector", "fhddm")
@dataclass(kw_only=True)
class FHDDM(Mirrored):
    """Fast Hoeffding Drift Detection Method: the accuracy over a window fell below its best by the bound.

    The score is ``2 w (best - now)^2``, minus the log of the confidence at which Hoeffding's inequality makes
    the fall significant; with a short window, the larger of both (stacking FHDDM).

    Parameters
    ----------
    delta : float, default 1e-6
        Confidence of the bound, in (0, 1].
    window : int, default 100
        Rows in the window.
    short : int or None
        Rows in the short window, at most ``window``; None: there is none.
    side : Side, default up
        Which changes it looks for; ``up`` is published. ``down`` reads right answers as errors
        (:class:`mlopsim.drift.mirrored.Mirrored`): the accuracy over the window rose above its worst.

    Notes
    -----
    It reads errors, like every detector of errors here. The published method, and river's ``FHDDM``, reads
    right answers and alarms when they become fewer: river's has these alarms if it is fed ``1 - error``; fed
    errors, as its documentation says, it alarms when the error rate *falls*.

    References
    ----------
    Pesaranghader and Viktor (2016), *Fast Hoeffding drift detection method for evolving data streams*,
    ECML-PKDD; Pesaranghader, Viktor and Paquet (2018), *Reservoir of diverse adaptive learners and stacking
    fast Hoeffding drift detection methods*, Machine Learning 107, for the short window.

    Examples
    --------
    >>> import numpy as np
    >>> FHDDM().alarms(np.r_[np.zeros(200), np.ones(100)])
    array([226])
    """

    family: ClassVar[str] = "error rate"
    reads: ClassVar[SignalKind] = SignalKind.ERRORS
    limit: ClassVar[str] = "delta"
    space: ClassVar[Mapping[str, tuple[Any, ...]]] = {"window": (25, 50, 100, 200)}

    delta: float = 1e-6
    window: int = 100
    short: int | None = None

    def __post_init__(self) -> None:
        check_range("detector/fhddm.delta", self.delta, 0.0, 1.0, open_low=True)
        check_range("detector/fhddm.window", self.window, 1, 10**7)
        if self.short is not None:
            check_range("detector/fhddm.short", self.short, 1, self.window)

    @property
    def threshold(self) -> float:
        """What the score must exceed: ``log(1 / delta)``."""
        return _log(self.delta)

    def limited(self, threshold: float) -> Self:
        """Return this detector with the confidence that gives this threshold."""
        return dataclasses.replace(self, delta=confidence_of(_log, threshold, "detector/fhddm.delta"))

    def kernels(self) -> tuple[Kernel, Kernel]:
        """Return the compiled loops for rises and for any sides."""
        from mlopsim.drift.kernels.fhddm import run, sided

        return run, sided

    def numbers(self) -> list[float]:
        """Return window and short window."""
        return [float(self.window), float(self.short or 0)]

    def start(self) -> np.ndarray:
        """Return zeros."""
        from mlopsim.drift.kernels.fhddm import HEAD

        return np.zeros(HEAD + self.window)


def _log(delta: float) -> float:
    return math.log(1.0 / delta)
