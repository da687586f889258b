"""Answers do not change from one version to the next."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from mlopsim.core.errors import ConfigError
from mlopsim.core.registry import register
from mlopsim.governance.constraint import Charge, Constraint
from mlopsim.governance.loop.truth import Rates


@register("constraint", "churn")
@dataclass(kw_only=True)
class Churn(Constraint):
    r"""Share of the rows of a window whose answer is another one because other versions serve it.

    It is charged in the window in which the traffic moves, on its rows: where all of it moves from version s
    to v, the share of rows that s and v answer differently; in a canary rows are split by one and the same
    lot before and after. A move to the fallback, whose answers are not those of a model, costs nothing; the
    move back is compared with what served before it, so a suspension hides no churn. It is seen as it is and
    at once.

    The cost of a move from version s to v in a window of n rows, with answers :math:`\hat y`, is

    .. math:: \frac{1}{n} \sum_i 1[\hat y_i^{(s)} \ne \hat y_i^{(v)}]

    Parameters
    ----------
    limit, over, weight
        See :class:`mlopsim.governance.constraint.Constraint`.
    charge : Charge, default excess
        The share; ``violation`` is an error, since no share is tolerated.

    Notes
    -----
    Use it where users notice answers that change. It says nothing of whether they change for the better.

    References
    ----------
    .. [1] M. Milani Fard, Q. Cormier, K. Canini and M. Gupta, "Launch and iterate: reducing prediction
       churn", NeurIPS, 2016.

    Examples
    --------
    >>> Churn(limit=0.02).at_switch
    True
    """

    charge: Charge = Charge.EXCESS

    uses_labels: ClassVar[bool] = False
    at_switch: ClassVar[bool] = True

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.charge is not Charge.EXCESS:
            raise ConfigError(
                "constraint/churn charges the share of answers that change", remedy="charge=excess"
            )

    def excess(self, rates: Rates) -> np.ndarray:
        """Return zeros: no version has churn by itself."""
        return np.zeros(rates.accuracy.shape)
