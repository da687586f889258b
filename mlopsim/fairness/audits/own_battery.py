"""A battery of one's own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from mlopsim.core.registry import register
from mlopsim.core.spec import part
from mlopsim.fairness.batteries import Battery


@register("audit", "arm")
@dataclass(kw_only=True)
class OwnBattery(Battery):
    r"""Any audits together.

    A window's position is the largest of those of its audits, each on its own chart: :math:`\max_a s_a`,
    those without one left out.

    Parameters
    ----------
    audits : list of specs of audits, default accuracy and demographic_parity
        At least one; none a battery, none twice.
    label : str, default ""
        What it is called in tables.

    Notes
    -----
    Use it for a battery of your own.

    Examples
    --------
    >>> import numpy as np
    >>> battery = OwnBattery(audits=["flip", {"calibration_gap": {"strata": 10}}])
    >>> battery.combine(np.array([[0.2, 1.3, np.nan], [0.4, np.nan, np.nan]]))
    array([0.4, 1.3, nan])
    """

    audits: list[Any] = part("audit", ["accuracy", "demographic_parity"], many=True)
    label: str = ""

    def __post_init__(self) -> None:
        self.checked()

    def members(self) -> list[Any]:
        """Return the specs of the audits."""
        return list(self.audits)
