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
    r"""Fast Hoeffding Drift Detection Method: the accuracy over a window fell below its best by the bound.

    With the accuracy :math:`a_t` over the last w = ``window`` rows, alarm when the score exceeds
    :math:`\log(1 / \delta)`:

    .. math:: 2 w \left(\max_{s \le t} a_s - a_t\right)^2

    minus the log of the confidence at which Hoeffding's inequality makes the fall significant; with a short
    window, the larger of both (stacking FHDDM).

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

    Use it for abrupt rises of errors. Changes within less than ``window`` rows are blurred, and the maximum
    over time is not in the bound: ``delta`` is no rate of false alarms.

    References
    ----------
    .. [1] A. Pesaranghader and H. L. Viktor, "Fast Hoeffding drift detection method for evolving data
       streams", ECML PKDD, 2016, 96-111. doi:10.1007/978-3-319-46227-1_7
    .. [2] A. Pesaranghader, H. Viktor and E. Paquet, "Reservoir of diverse adaptive learners and stacking
       fast Hoeffding drift detection methods for evolving data streams", Machine Learning 107, 2018,
       1711-1743. doi:10.1007/s10994-018-5719-z (the short window).

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
