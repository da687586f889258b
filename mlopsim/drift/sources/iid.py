"""Independent ticks of a known law."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

import numpy as np

from mlopsim.core.errors import ConfigError
from mlopsim.core.registry import register
from mlopsim.core.seeds import Axis
from mlopsim.core.spec import check_range, part_of
from mlopsim.drift.direction import direction_of_laws
from mlopsim.drift.law import Bernoulli, Law, Normal
from mlopsim.drift.scenario import Channel, Place, Scenario, Source
from mlopsim.drift.signal import Signal, SignalKind


class LawName(Enum):
    """Law of a tick."""

    NORMAL = "normal"
    BERNOULLI = "bernoulli"


@register("signal", "iid")
@dataclass(kw_only=True)
class Iid(Source):
    r"""Independent ticks whose law changes once: the setting in which exact floors are known.

    ``bernoulli``: :math:`P(x_t = 1) = p` for t < change and :math:`p_1` from there on. ``normal``:
    :math:`x_t \sim N(0, 1)`, then :math:`N(\mathrm{shift}, 1)`.

    Parameters
    ----------
    law : LawName, default bernoulli
        ``normal`` (standard before the change) or ``bernoulli`` errors.
    p, p1 : float
        Probability of an error before and after the change (bernoulli).
    shift : float
        Change of the mean, in standard deviations (normal).
    ticks : int
        Length.
    change : int or None
        First tick of the new law; None: no change.

    Notes
    -----
    Use it for detectors of errors or values in the setting of their theory; a model's errors are seldom
    independent.

    Examples
    --------
    >>> place = Place(stream={}, learner={})
    >>> scenario = Iid(p=0.1, p1=0.9, ticks=1000, change=500).scenario(place, "errors")
    >>> scenario.channel.signal.data[:500].mean() < 0.2 < 0.8 < scenario.channel.signal.data[500:].mean()
    np.True_
    """

    law: LawName = LawName.BERNOULLI
    p: float = 0.1
    p1: float = 0.2
    shift: float = 1.0
    ticks: int = 5000
    change: int | None = 2500

    def __post_init__(self) -> None:
        check_range("signal/iid.p", self.p, 0.0, 1.0)
        check_range("signal/iid.p1", self.p1, 0.0, 1.0)
        check_range("signal/iid.shift", self.shift, -1e6, 1e6)
        check_range("signal/iid.ticks", self.ticks, 1, 10**9)
        if self.change is not None and not 0 < self.change < self.ticks:
            raise ConfigError(
                f"signal/iid.change must lie within the {self.ticks} ticks, got {self.change}",
                remedy="use null for no change",
            )

    @property
    def laws(self) -> tuple[Law, Law]:
        """The laws before and after the change."""
        if self.law is LawName.NORMAL:
            return Normal(), Normal().shifted(self.shift)
        return Bernoulli(p=self.p), Bernoulli(p=self.p1)

    def offered(self) -> tuple[str, ...]:
        """Return the one channel: errors, or values."""
        return ("errors",) if self.law is LawName.BERNOULLI else ("outputs",)

    def scenario(self, place: Place, channel: str) -> Scenario:
        """Draw the ticks."""
        data, before, after = self._draw(place, self.ticks), *self.laws
        if self.change is None:
            return Scenario(rows=self.ticks, channel=self._channel(data), laws=(before, before))
        rng = np.random.default_rng(place.seed(Axis.REPETITION))
        data[self.change :] = after.sample(rng, self.ticks - self.change)
        span = (self.change, self.change)
        return Scenario(
            rows=self.ticks,
            channel=self._channel(data),
            harmful=(span,),
            laws=(before, after),
            directions=(direction_of_laws(before, after),),
        )

    def quiet(self, place: Place, channel: str, rows: int) -> Channel:
        """Draw ticks of the first law."""
        return self._channel(self._draw(place, rows))

    def null(
        self, stream: Mapping[str, Any], learner: Mapping[str, Any], channel: str, rows: int
    ) -> dict[str, Any]:
        """Return the first law alone."""
        alone = Iid(law=self.law) if self.law is LawName.NORMAL else Iid(law=self.law, p=self.p)
        return {"signal": part_of(alone), "stream": {}, "learner": {}}

    def _draw(self, place: Place, rows: int) -> np.ndarray:
        return self.laws[0].sample(np.random.default_rng(place.seed(Axis.SCENARIO)), rows)

    def _channel(self, data: np.ndarray) -> Channel:
        kind = SignalKind.ERRORS if self.law is LawName.BERNOULLI else SignalKind.VALUES
        return Channel(signal=Signal(kind=kind, data=data))
