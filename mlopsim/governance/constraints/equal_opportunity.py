"""Those who deserve it are accepted equally often in every group."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from mlopsim.core.registry import register
from mlopsim.core.spec import check_range
from mlopsim.governance.constraint import Constraint, Shown, spread
from mlopsim.governance.loop.truth import Rates


@register("constraint", "equal_opportunity")
@dataclass(kw_only=True)
class EqualOpportunity(Constraint):
    r"""Largest less smallest true-positive rate of a group, of at most ``tolerance``.

    The cost of a window is :math:`1[e > 0]` (``violation``) or :math:`\min(1, \max(0, e))` (``excess``) of
    the excess

    .. math:: e = \max_g \mathrm{TPR}_g - \min_g \mathrm{TPR}_g - \mathrm{tolerance}

    with the true-positive rate :math:`\mathrm{TPR}_g` of group g.

    Parameters
    ----------
    tolerance : float, default 0.1
        Gap that is no violation.
    limit, over, weight, charge
        See :class:`mlopsim.governance.constraint.Constraint`.

    Notes
    -----
    Use it where those who deserve acceptance must get it equally often; it waits for labels.

    References
    ----------
    .. [1] M. Hardt, E. Price and N. Srebro, "Equality of opportunity in supervised learning", NeurIPS, 2016.
       arXiv:1610.02413

    Examples
    --------
    >>> from mlopsim.governance.loop.truth import rates_of
    >>> rates = rates_of(np.array([[[[[6, 2], [1, 3]], [[2, 2], [1, 1]]]]]), 0)
    >>> EqualOpportunity(charge="excess").costs(rates), EqualOpportunity(tolerance=0.25).costs(rates)
    (array([[0.15]]), array([[0.]]))
    """

    tolerance: float = 0.1

    two_classes: ClassVar[bool] = True

    def __post_init__(self) -> None:
        super().__post_init__()
        check_range("equal_opportunity.tolerance", self.tolerance, 0.0, 1.0)

    def excess(self, rates: Rates) -> np.ndarray:
        """Return the gap beyond the tolerance."""
        return spread(rates.hit) - self.tolerance

    def shown(self, rates: Rates) -> Shown:
        """Return the true-positive rates."""
        return Shown(name="true-positive rate", values=rates.hit, gap=self.tolerance)
