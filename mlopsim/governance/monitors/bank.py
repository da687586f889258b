"""A bank of monitors with one family-wise limit."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Any

import numpy as np

from mlopsim.core.errors import ConfigError
from mlopsim.core.registry import register
from mlopsim.core.spec import canonical, check_range, make, part
from mlopsim.governance.monitor import Chart, Monitor
from mlopsim.governance.monitoring.in_control import Law
from mlopsim.governance.monitoring.limits import Limits, conservative, simulated
from mlopsim.governance.monitoring.reference import Reference, Spread

#: accuracy, precision, recall and F1 of all rows and of each group, and two gaps
USUAL: tuple[dict[str, dict[str, str]], ...] = (
    {"p_chart": {"rate": "accuracy", "by": "both"}},
    {"p_chart": {"rate": "precision", "by": "both"}},
    {"p_chart": {"rate": "recall", "by": "both"}},
    {"f1_chart": {"rate": "f1", "by": "both"}},
    {"gap_exact": {"rate": "acceptance"}},
    {"gap_exact": {"rate": "recall"}},
)


class How(Enum):
    """How the limit is found: by simulation of windows in control, or conservatively in closed form."""

    SIMULATED = "simulated"
    CONSERVATIVE = "conservative"


@register("monitor", "bank")
@dataclass(kw_only=True)
class Bank(Monitor):
    r"""Several monitors, of whose charts together a share of alpha deployments in control has any alarm.

    Its charts are those of its monitors, in order; the common limit is of the largest of their positions over
    the horizon (:mod:`mlopsim.governance.monitoring.limits`). Shewhart charts beside EWMA, charts that are
    based anew beside absolute floors: all fit, as positions are scores by the chart's own limit.

    With the positions :math:`s_{kt}` of chart k in window t, in control, the common limit h solves
    (``conservative``: has at most)

    .. math:: P\left(\max_{k} \max_{t \le \mathrm{horizon}} s_{kt} > h\right) = \alpha

    Parameters
    ----------
    monitors : list of monitors
        By default the fourteen charts of two groups: accuracy, precision, recall and F1 of all rows and of
        both groups, exact gaps of acceptance and of recall.
    alpha : float, default 0.05
        Share of deployments in control that may have an alarm.
    horizon : int, default 50
        Windows over which that is so.
    limit : How, default simulated
        How the limit is found; the conservative one needs normal scores, and independent rows.
    runs : int, default 20,000
        Deployments that a simulated limit is read from.

    Notes
    -----
    Use it where several charts of one deployment are looked at together; one chart alone finds its own kind
    of change sooner.

    Examples
    --------
    >>> bank = Bank()
    >>> charts = bank.charts(("a", "b"))
    >>> len(charts), charts[1].name, charts[-1].name
    (14, 'accuracy of a', 'gap of recall, a less b')
    """

    monitors: list[Any] = part("monitor", USUAL, many=True)
    alpha: float = 0.05
    horizon: int = 50
    limit: How = How.SIMULATED
    runs: int = 20_000

    def __post_init__(self) -> None:
        check_range("monitor/bank.alpha", self.alpha, 0.0, 1.0, open_low=True)
        check_range("monitor/bank.horizon", self.horizon, 1, 10**6)
        check_range("monitor/bank.runs", self.runs, 1, 10**9)

    def members(self) -> list[Monitor]:
        """Return its monitors.

        Raises
        ------
        ConfigError
            If there is none, one is listed twice, or one is a bank.
        """
        found: list[Monitor] = []
        parts: list[dict[str, Any]] = []
        for spec in self.monitors:
            content = canonical("monitor", spec)
            monitor: Monitor = make("monitor", content)
            if isinstance(monitor, Bank):
                raise ConfigError("monitor/bank holds a bank", remedy="list the monitors of both")
            if content in parts:
                raise ConfigError(f"monitor/bank lists {monitor.full_name} twice", remedy="keep one of them")
            parts.append(content)
            found.append(monitor)
        if not found:
            raise ConfigError("monitor/bank has no monitors", remedy="list at least one")
        return found

    @property
    def is_normal(self) -> bool:
        """Whether all its scores are normal."""
        return all(monitor.is_normal for monitor in self.members())

    @property
    def remembers(self) -> bool:
        """Whether any of its charts has a memory."""
        return any(monitor.remembers for monitor in self.members())

    def charts(self, groups: tuple[str, ...]) -> list[Chart]:
        """Return the charts of its monitors, in order."""
        return [chart for monitor in self.members() for chart in monitor.charts(groups)]

    def on(self, counts: np.ndarray) -> Callable[[Reference], np.ndarray]:
        """Return what gives the scores on these counts: that of each monitor, together."""
        each = [monitor.on(counts) for monitor in self.members()]
        return lambda reference: np.concatenate([scores(reference) for scores in each], axis=1)

    def scores(self, counts: np.ndarray, reference: Reference) -> np.ndarray:
        """Return the scores of all charts, (N, K, T)."""
        return self.on(counts)(reference)

    def limits(
        self,
        law: Law,
        rng: np.random.Generator,
        *,
        learn: int = 0,
        spread: Spread = Spread.BINOMIAL,
    ) -> Limits:
        """Return the common limit.

        Parameters
        ----------
        law : Law
            In control; of a conservative limit only its groups matter.
        rng : Generator
            For the simulation.
        learn : int, default 0
            Windows of phase I of each simulated deployment; 0: levels are told.
        spread : Spread, default binomial
            How phase I estimates it.
        """
        if self.limit is How.CONSERVATIVE:
            return conservative(self, len(law.rows), alpha=self.alpha, windows=self.horizon)
        return simulated(
            self,
            law,
            rng,
            alpha=self.alpha,
            windows=self.horizon,
            runs=self.runs,
            learn=learn,
            spread=spread,
        )
