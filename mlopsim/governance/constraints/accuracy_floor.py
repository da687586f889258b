"""What serves is accurate enough."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mlopsim.core.registry import register
from mlopsim.core.spec import check_range
from mlopsim.governance.constraint import Constraint, Shown
from mlopsim.governance.loop.truth import Rates


@register("constraint", "accuracy_floor")
@dataclass(kw_only=True)
class AccuracyFloor(Constraint):
    r"""Accuracy of at least ``floor``: the level that was declared.

    The cost of a window is :math:`1[e > 0]` (``violation``) or :math:`\min(1, \max(0, e))` (``excess``) of
    the excess

    .. math:: e = \mathrm{floor} - \mathrm{accuracy}

    Parameters
    ----------
    floor : float, default 0.7
    limit, over, weight, charge
        See :class:`mlopsim.governance.constraint.Constraint`.

    Notes
    -----
    Use it where a lowest accuracy was declared; ``group_accuracy_floor`` where it must hold for each group.

    Examples
    --------
    >>> from mlopsim.governance.loop.truth import rates_of
    >>> rates = rates_of(np.array([[[[[6, 2], [1, 3]], [[2, 2], [1, 1]]]]]), 0)
    >>> AccuracyFloor(charge="excess").costs(rates).round(3)
    array([[0.033]])
    """

    floor: float = 0.7

    def __post_init__(self) -> None:
        super().__post_init__()
        check_range("accuracy_floor.floor", self.floor, 0.0, 1.0)

    def excess(self, rates: Rates) -> np.ndarray:
        """Return what is missing of the floor."""
        missing: np.ndarray = self.floor - rates.accuracy
        return missing

    def shown(self, rates: Rates) -> Shown:
        """Return the accuracy."""
        return Shown(name="accuracy, all rows", values=rates.accuracy[..., None], low=self.floor)
