"""What a detector is set before: one scenario's signal with the truth about it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from mlopsim.core.errors import ConfigError
from mlopsim.core.seeds import Axis, Split, seed_sequence
from mlopsim.core.track import Attribute
from mlopsim.drift.direction import Direction
from mlopsim.drift.law import Law
from mlopsim.drift.positions import positions
from mlopsim.drift.signal import Signal, SignalKind

#: what a task may offer, in the order in which a detector takes the first that it reads
CHANNELS: dict[str, SignalKind] = {
    "errors": SignalKind.ERRORS,
    "outputs": SignalKind.VALUES,
    "inputs": SignalKind.INPUTS,
}
#: channels whose ticks are made of labels
LABELLED = ("errors",)


@dataclass(frozen=True, kw_only=True)
class Place:
    """Which scenario: stream and learner of the task, and the seed.

    Parameters
    ----------
    stream, learner : mapping
        Canonical parts.
    split : str
        ``train``, ``validation`` or ``test``.
    index, root : int
        Number of the seed and root entropy.
    """

    stream: Mapping[str, Any]
    learner: Mapping[str, Any]
    split: str = "test"
    index: int = 0
    root: int = 0

    def seed(self, axis: Axis) -> np.random.SeedSequence:
        """Return the seed of an axis."""
        return seed_sequence(axis, Split.parse(self.split), self.index, root=self.root)


@dataclass(frozen=True, kw_only=True)
class Channel:
    """A signal and when its ticks arrive.

    Parameters
    ----------
    signal : Signal
        The ticks.
    rows : int, default 1
        Rows that a tick is made of (windows of inputs: the window's rows).
    lag : int, default 0
        Rows between the last row of a tick and its arrival (a label delay).

    Examples
    --------
    >>> signal = Signal(kind=SignalKind.VALUES, data=np.zeros(4))
    >>> Channel(signal=signal, rows=10, lag=5).times(np.array([0, 2]))
    array([14, 34])
    """

    signal: Signal
    rows: int = 1
    lag: int = 0

    def times(self, ticks: np.ndarray) -> np.ndarray:
        """Return the row that was newest when each tick arrived, int64."""
        times: np.ndarray = (positions(ticks, "ticks") + 1) * self.rows - 1 + self.lag
        return times

    def ticks_within(self, rows: int) -> int:
        """Return how many ticks have arrived once ``rows`` rows have.

        Examples
        --------
        >>> signal = Signal(kind=SignalKind.VALUES, data=np.zeros(4))
        >>> Channel(signal=signal, rows=10, lag=5).ticks_within(34), Channel(signal=signal).ticks_within(3)
        (2, 3)
        """
        return max(0, (rows - self.lag) // self.rows)


@dataclass(frozen=True, kw_only=True)
class Scenario:
    """One scenario as a detector meets it; row 0 is the first monitored one.

    Parameters
    ----------
    rows : int
        Monitored rows n.
    channel : Channel
        What the detector reads.
    harmful : tuple of (int, int)
        First and last row of each change that a detector should find.
    harmless : tuple of (int, int)
        Changes that the task declares to need no answer.
    laws : tuple of (Law, Law) or None
        Laws of independent ticks before and after the change, where they are known.
    risk_change : float
        Mean error of the model from the first change on less that before it; NaN where there is no model or
        no change.
    directions : tuple of Direction
        What each harmful change does to the error of a model that does not change, or to the mean of the
        ticks where there is no model; empty where nobody knows.
    harmful_risk, harmless_risk : tuple of float
        Measured for each of these changes: mean error of the model between its end and the next change, less
        that between the change before and its start. NaN where no row is left; empty where there is no model.
    """

    rows: int
    channel: Channel
    harmful: tuple[tuple[int, int], ...] = ()
    harmless: tuple[tuple[int, int], ...] = ()
    laws: tuple[Law, Law] | None = None
    risk_change: float = float("nan")
    directions: tuple[Direction, ...] = ()
    harmful_risk: tuple[float, ...] = ()
    harmless_risk: tuple[float, ...] = ()


class Source:
    """Base of the sources of signals (kind ``signal``).

    Attributes
    ----------
    reads_stream : bool
        Whether the task's stream and learner matter.
    """

    kind: str
    name: str
    full_name: str
    reads_stream: bool = False

    def offered(self) -> tuple[str, ...]:
        """Return the channels that it has, a part of :data:`CHANNELS`, the preferred one first."""
        raise NotImplementedError

    def facts(self) -> dict[str, Attribute]:
        """Return what it adds to the attributes of a task."""
        return {}

    def scenario(self, place: Place, channel: str) -> Scenario:
        """Draw the scenario of a task and a seed, seen through a channel."""
        raise NotImplementedError

    def quiet(self, place: Place, channel: str, rows: int) -> Channel:
        """Draw ``rows`` rows of the same law without any change."""
        raise NotImplementedError

    def null(
        self, stream: Mapping[str, Any], learner: Mapping[str, Any], channel: str, rows: int
    ) -> dict[str, Any]:
        """Return the drift-free law of a channel as parts ``signal``, ``stream`` and ``learner``.

        Tasks that share the law have equal parts: what the channel does not depend on is left out.
        :meth:`quiet` of that signal on that stream draws it.
        """
        raise NotImplementedError


def check_channels(where: str, chosen: list[str]) -> None:
    """Raise ConfigError unless these are different names of :data:`CHANNELS`, at least one.

    Examples
    --------
    >>> check_channels("signal/model.channels", ["errors", "error"])
    Traceback (most recent call last):
    ...
    mlopsim.core.errors.ConfigError: signal/model.channels names 'error'...
    """
    from mlopsim.core.errors import nearest

    for name in chosen:
        if name not in CHANNELS:
            raise ConfigError(
                f"{where} names '{name}'{nearest(name, CHANNELS)}", remedy=f"some of: {', '.join(CHANNELS)}"
            )
    if not chosen or len(set(chosen)) < len(chosen):
        raise ConfigError(f"{where} must name channels once each, at least one, got {chosen}")
