"""Retraining when the inputs have shifted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from mlopsim.core.registry import register
from mlopsim.core.spec import check_range
from mlopsim.delivery.selector import View
from mlopsim.delivery.selectors._levels import Against, Statistic, shift_level
from mlopsim.delivery.selectors.trigger import TRIGGER_SPACE, Trigger
from mlopsim.delivery.space import Choice, Range


@register("selector", "ks")
@dataclass(kw_only=True)
class Ks(Trigger):
    """Retrain when the inputs differ from the training data of what serves; needs no labels.

    Parameters
    ----------
    limit : float, default 0.15
        Retrain above this value (KS: mean distance over the features).
    statistic : Statistic, default ks
        ``ks``, ``psi`` or ``mean``.
    against : Against, default zero
        ``zero``: the shift itself; ``newest``: less that of the version that a retrain would train.
    wait, cooldown : int
        Windows between alarm and retrain, and between retrains.

    Examples
    --------
    >>> from mlopsim.checks.toy_deployment import play
    >>> play(Ks(limit=0.2), 9, shift=lambda version, t: 0.5 if version < 5 <= t else 0.1)
    'kkkkkRkkk'
    """

    limit: float = 0.15
    statistic: Statistic = Statistic.KS
    against: Against = Against.ZERO
    cooldown: int = 5

    space: ClassVar[dict[str, Choice]] = {
        **TRIGGER_SPACE,
        "limit": Range(0.005, 3.0, log=True),
        "statistic": (Statistic.KS, Statistic.PSI, Statistic.MEAN),
        "against": (Against.ZERO, Against.NEWEST),
    }
    uses_errors: ClassVar[bool] = False
    reads: ClassVar[str] = "inputs"

    def __post_init__(self) -> None:
        super().__post_init__()
        self.statistic, self.against = Statistic(self.statistic), Against(self.against)
        check_range("selector/ks.limit", self.limit, 0.0, 1e9)

    def alarm(self, view: View) -> np.ndarray:
        """Compare the shift with the limit."""
        return shift_level(view, self.statistic, self.against) > self.limit
