"""What serves is accurate enough in every group."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mlopsim.core.registry import register
from mlopsim.core.spec import check_range
from mlopsim.governance.constraint import Constraint, Shown
from mlopsim.governance.loop.truth import Rates


@register("constraint", "group_accuracy_floor")
@dataclass(kw_only=True)
class GroupAccuracyFloor(Constraint):
    r"""Accuracy of at least ``floor`` in each group that has rows.

    The cost of a window is :math:`1[e > 0]` (``violation``) or :math:`\min(1, \max(0, e))` (``excess``) of
    the excess

    .. math:: e = \mathrm{floor} - \min_g \mathrm{accuracy}_g

    Parameters
    ----------
    floor : float, default 0.6
    limit, over, weight, charge
        See :class:`mlopsim.governance.constraint.Constraint`.

    Notes
    -----
    Use it where nobody may be served worse than a floor. Small groups break it by chance: their accuracy in a
    window varies most.

    Examples
    --------
    >>> from mlopsim.governance.loop.truth import rates_of
    >>> rates = rates_of(np.array([[[[[6, 2], [1, 3]], [[2, 2], [1, 1]]]]]), 0)
    >>> GroupAccuracyFloor().costs(rates), GroupAccuracyFloor(floor=0.5).costs(rates)
    (array([[1.]]), array([[0.]]))
    """

    floor: float = 0.6

    def __post_init__(self) -> None:
        super().__post_init__()
        check_range("group_accuracy_floor.floor", self.floor, 0.0, 1.0)

    def excess(self, rates: Rates) -> np.ndarray:
        """Return what is missing of the floor where most is."""
        worst = np.where(np.isnan(rates.by_group), np.inf, rates.by_group).min(axis=-1)
        missing: np.ndarray = self.floor - worst
        return missing

    def shown(self, rates: Rates) -> Shown:
        """Return the accuracy of each group."""
        return Shown(name="accuracy", values=rates.by_group, low=self.floor)
