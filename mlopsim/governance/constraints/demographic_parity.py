"""Groups are accepted equally often."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from mlopsim.core.registry import register
from mlopsim.core.spec import check_range
from mlopsim.governance.constraint import Constraint, Shown, spread
from mlopsim.governance.loop.truth import Rates


@register("constraint", "demographic_parity")
@dataclass(kw_only=True)
class DemographicParity(Constraint):
    r"""Largest less smallest acceptance rate of a group, of at most ``tolerance``. It needs no labels.

    The cost of a window is :math:`1[e > 0]` (``violation``) or :math:`\min(1, \max(0, e))` (``excess``) of
    the excess

    .. math:: e = \max_g \frac{k_g}{n_g} - \min_g \frac{k_g}{n_g} - \mathrm{tolerance}

    with :math:`k_g` of the :math:`n_g` rows of group g accepted.

    Parameters
    ----------
    tolerance : float, default 0.1
        Gap that is no violation.
    limit, over, weight, charge
        See :class:`mlopsim.governance.constraint.Constraint`.

    Notes
    -----
    Use it where groups must be accepted equally often, without waiting for labels.

    References
    ----------
    .. [1] C. Dwork, M. Hardt, T. Pitassi, O. Reingold and R. Zemel, "Fairness through awareness", ITCS, 2012,
       214-226. doi:10.1145/2090236.2090255

    Examples
    --------
    >>> from mlopsim.governance.loop.truth import rates_of
    >>> rates = rates_of(np.array([[[[[6, 2], [1, 3]], [[2, 2], [1, 1]]]]]), 0)
    >>> DemographicParity(tolerance=0.05).costs(rates), DemographicParity().costs(rates)
    (array([[1.]]), array([[0.]]))
    """

    tolerance: float = 0.1

    uses_labels: ClassVar[bool] = False
    two_classes: ClassVar[bool] = True

    def __post_init__(self) -> None:
        super().__post_init__()
        check_range("demographic_parity.tolerance", self.tolerance, 0.0, 1.0)

    def excess(self, rates: Rates) -> np.ndarray:
        """Return the gap beyond the tolerance."""
        return spread(rates.accepted) - self.tolerance

    def shown(self, rates: Rates) -> Shown:
        """Return the acceptance rates."""
        return Shown(name="share accepted", values=rates.accepted, gap=self.tolerance)
