"""Control charts: detectors of standardised ticks, whose reference is given or estimated."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np

from mlopsim.core.errors import ConfigError
from mlopsim.core.spec import check_range
from mlopsim.drift.compiled import Compiled
from mlopsim.drift.law import Law
from mlopsim.drift.signal import Known


@dataclass(kw_only=True)
class Chart(Compiled):
    """Reads ``z = (x - mean) / sd``; mean and sd are given, or estimated from the first ``learn`` ticks.

    Parameters
    ----------
    told : Known, default nothing
        ``p0``: mean and sd before a change are known, from the fields or from whoever runs the chart;
        ``nothing``: they are estimated from the first ``learn`` ticks, again after each alarm.
    mean, sd : float or None
        Known mean and standard deviation of a tick before a change (only with ``told=p0``).
    learn : int, default 100
        Ticks that the estimate takes.

    Notes
    -----
    The state of a kernel begins with: ticks learnt, mean, spread (the sum of squares while learning); see
    :func:`mlopsim.drift.kernels.standardised_ticks.learn_from`.
    """

    known_by: ClassVar[tuple[str, ...]] = ("mean", "sd")

    told: Known = Known.NOTHING
    mean: float | None = None
    sd: float | None = None
    learn: int = 100

    def __post_init__(self) -> None:
        check_range(f"detector/{self.name}.learn", self.learn, 2, 10**9)
        if self.told is Known.P0P1:
            raise ConfigError(f"detector/{self.name} has no use for p1", remedy="told=p0 or told=nothing")
        if self.told is Known.NOTHING and (self.mean is not None or self.sd is not None):
            raise ConfigError(
                f"detector/{self.name} knows nothing beforehand, yet mean or sd is given",
                remedy="add told=p0",
            )
        if self.sd is not None:
            check_range(f"detector/{self.name}.sd", self.sd, 0.0, 1e300, open_low=True)

    @property
    def known(self) -> Known:
        """What it knows beforehand."""
        return self.told

    def informed(self, before: Law, after: Law | None = None) -> Self:
        """Return the chart with its known parameters filled in from the laws before and after the change."""
        if self.told is Known.NOTHING:
            return self
        return dataclasses.replace(self, mean=before.mean, sd=before.sd)

    def reference(self) -> list[float]:
        """Return the first three numbers of the fresh state.

        Raises
        ------
        ConfigError
            If mean and sd should be known but are not.
        """
        if self.told is Known.NOTHING:
            return [0.0, 0.0, 0.0]
        if self.mean is None or self.sd is None:
            raise ConfigError(
                f"detector/{self.name} knows p0 (told=p0), but mean or sd is missing",
                remedy="give mean and sd, or told=nothing to estimate them",
            )
        return [float(self.learn), self.mean, self.sd]

    def fresh(self) -> np.ndarray:
        """Return the reference and the chart's own zeros."""
        return np.array([*self.reference(), *self.zeros()], dtype=np.float64)

    def zeros(self) -> list[float]:
        """Return the fresh state of the chart itself, after the reference."""
        raise NotImplementedError
