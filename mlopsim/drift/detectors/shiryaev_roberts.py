"""Shiryaev-Roberts procedure."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np

from mlopsim.core.errors import ConfigError
from mlopsim.core.registry import register
from mlopsim.core.spec import check_range
from mlopsim.drift.compiled import Compiled, Kernel
from mlopsim.drift.forms import LogShiryaevRoberts
from mlopsim.drift.law import Law
from mlopsim.drift.signal import Known, Side


@register("detector", "shiryaev_roberts")
@dataclass(kw_only=True)
class ShiryaevRoberts(Compiled):
    r"""Shiryaev-Roberts procedure for a known shift of a normal mean.

    With :math:`z_t = (x_t - \mu) / \sigma`, :math:`\theta` = ``shift`` and :math:`R_0 = 0`, the score is
    :math:`\log R_t`:

    .. math:: R_t = (1 + R_{t-1}) \exp\left(\theta z_t - \theta^2 / 2\right)

    Parameters
    ----------
    mean, sd : float
        Of a tick before the change, known.
    shift : float, default 1.0
        Change of the mean in standard deviations, known; its sign is the side.
    h : float, default 6.0
        Limit of log R.

    Notes
    -----
    Use it where both laws are known: it finds changes that come late about as soon as any procedure with its
    run length can. Not where the shift is a guess.

    References
    ----------
    .. [1] S. W. Roberts, "A comparison of some control chart procedures", Technometrics 8, 1966, 411-430.
       doi:10.1080/00401706.1966.10490374
    .. [2] M. Pollak, "Optimal detection of a change in distribution", Annals of Statistics 13, 1985, 206-227.
       doi:10.1214/aos/1176346587

    Examples
    --------
    >>> ShiryaevRoberts().alarms(np.r_[np.zeros(20), np.full(20, 2.0)])
    array([23, 27, 31, 35, 39])
    """

    family: ClassVar[str] = "chart"
    limit: ClassVar[str] = "h"
    known_by: ClassVar[tuple[str, ...]] = ("mean", "sd", "shift")

    mean: float = 0.0
    sd: float = 1.0
    shift: float = 1.0
    h: float = 6.0

    def __post_init__(self) -> None:
        check_range("detector/shiryaev_roberts.sd", self.sd, 0.0, 1e300, open_low=True)
        check_range("detector/shiryaev_roberts.mean", self.mean, -1e300, 1e300)
        check_range("detector/shiryaev_roberts.shift", self.shift, -1e300, 1e300)
        if self.shift == 0.0:
            raise ConfigError("detector/shiryaev_roberts.shift is 0: nothing changes then")
        check_range("detector/shiryaev_roberts.h", self.h, -np.inf, np.inf)

    @property
    def sides(self) -> Side:
        """Which changes it looks for."""
        return Side.UP if self.shift > 0.0 else Side.DOWN

    @property
    def known(self) -> Known:
        """The law before the change and the shift."""
        return Known.P0P1

    def informed(self, before: Law, after: Law | None = None) -> Self:
        """Return the procedure for two laws with their means this far apart."""
        if after is None or before.sd == 0.0:
            raise ConfigError("detector/shiryaev_roberts needs two laws")
        shift = (after.mean - before.mean) / before.sd
        return dataclasses.replace(self, mean=before.mean, sd=before.sd, shift=shift)

    def form(self) -> LogShiryaevRoberts:
        """Return what it computes, for exact run lengths."""
        return LogShiryaevRoberts(shift=self.shift, h=self.h)

    def kernel(self) -> Kernel:
        """Return the compiled loop."""
        from mlopsim.drift.kernels.shiryaev_roberts import run

        return run  # type: ignore[no-any-return]

    def params(self) -> np.ndarray:
        """Return mean, sd, shift."""
        return np.array([self.mean, self.sd, self.shift])

    def fresh(self) -> np.ndarray:
        """Return log R."""
        return np.array([-np.inf])
