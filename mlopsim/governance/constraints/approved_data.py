"""Versions are trained on right rows only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from mlopsim.core.registry import register
from mlopsim.core.spec import check_range
from mlopsim.governance.constraint import Constraint, Shown
from mlopsim.governance.loop.truth import Rates


@register("constraint", "approved_data")
@dataclass(kw_only=True)
class ApprovedData(Constraint):
    r"""Of the rows that a version was trained on no more are wrong than in the warm-up, and ``tolerance``.

    Wrong are rows with a cell or label that the truth about the stream marks as changed and that no data gate
    has dropped (:func:`mlopsim.governance.loop.truth.wrong_shares`). A deployment does not see it: what it
    measures is 0.

    The cost of a window is :math:`1[e > 0]` (``violation``) or :math:`\min(1, \max(0, e))` (``excess``) of
    the excess

    .. math:: e = w_v - w_0 - \mathrm{tolerance}

    with the share :math:`w_v` of wrong rows that version v was trained on and :math:`w_0` in the warm-up.

    Parameters
    ----------
    tolerance : float, default 0.01
        Share of wrong rows beyond that of the warm-up that is no violation.
    limit, over, weight, charge
        See :class:`mlopsim.governance.constraint.Constraint`.

    Notes
    -----
    Use it in simulations only: it reads the truth.

    Examples
    --------
    >>> from mlopsim.governance.loop.truth import Rates
    >>> nothing = np.zeros((2, 2))
    >>> rates = Rates(accuracy=nothing, by_group=nothing, accepted=nothing, hit=nothing,
    ...               unapproved=np.array([0.02, 0.3]), approved_base=0.02)
    >>> ApprovedData().costs(rates)
    array([[0., 0.],
           [1., 1.]])
    """

    tolerance: float = 0.01

    observable: ClassVar[bool] = False

    def __post_init__(self) -> None:
        super().__post_init__()
        check_range("approved_data.tolerance", self.tolerance, 0.0, 1.0)

    def excess(self, rates: Rates) -> np.ndarray:
        """Return the share of wrong rows beyond what is tolerated, the same in every window."""
        beyond = rates.unapproved - rates.approved_base - self.tolerance
        return np.repeat(beyond[:, None], len(beyond), axis=1)

    def shown(self, rates: Rates) -> Shown:
        """Return the share of wrong rows, the same in every window."""
        share = np.repeat(rates.unapproved[:, None], len(rates.unapproved), axis=1)
        return Shown(
            name="share of wrong rows that it was trained on",
            values=share[..., None],
            high=rates.approved_base + self.tolerance,
        )
