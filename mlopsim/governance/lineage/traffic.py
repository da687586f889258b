"""What served when: the intervals between the moves of traffic that are on record."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from mlopsim.core.errors import ConfigError
from mlopsim.governance.record.events import DEPLOYMENT, FALLBACK, Event


@dataclass(frozen=True, kw_only=True)
class Interval:
    """Windows in which the traffic stood still.

    Parameters
    ----------
    first, last : int
        Windows, both included.
    version : int
        What served, the base of a canary; -2: the fallback.
    canary : int or None
        The version beside it.
    moved_by : str
        Who or what moved the traffic at its start.
    """

    first: int
    last: int
    version: int
    canary: int | None
    moved_by: str

    @property
    def windows(self) -> int:
        """How many."""
        return self.last - self.first + 1


@dataclass(frozen=True, kw_only=True)
class Traffic:
    """The intervals of a deployment, without gaps.

    Parameters
    ----------
    intervals : sequence of Interval
        In the order of time; at least one.
    """

    intervals: Sequence[Interval]

    @property
    def first(self) -> int:
        """First window that was served."""
        return self.intervals[0].first

    @property
    def last(self) -> int:
        """Last window."""
        return self.intervals[-1].last

    def at(self, window: int) -> Interval:
        """Return the interval of a window.

        Raises
        ------
        ConfigError
            If nothing served that window.
        """
        for interval in self.intervals:
            if interval.first <= window <= interval.last:
                return interval
        raise ConfigError(
            f"nothing served window {window} of this deployment",
            remedy=f"windows {self.first} to {self.last} were served",
        )

    def arrays(self, windows: int) -> tuple[np.ndarray, np.ndarray]:
        """Return what served each window and the canary beside it, as a roll-out has them.

        Parameters
        ----------
        windows : int
            T.

        Returns
        -------
        served, candidate : ndarray of int64, shape (T,)
            -1: none, -2: the fallback.
        """
        served, candidate = np.full(windows, -1, dtype=np.int64), np.full(windows, -1, dtype=np.int64)
        for interval in self.intervals:
            part = slice(interval.first, interval.last + 1)
            served[part] = interval.version
            candidate[part] = -1 if interval.canary is None else interval.canary
        return served, candidate


def traffic_of(events: Sequence[Event], *, first: int, last: int, initial: int) -> Traffic:
    """Derive the intervals from the moves of traffic.

    Parameters
    ----------
    events : sequence of Event
        Of one deployment; only those of the kind ``switch`` are looked at.
    first, last : int
        First and last window that are served.
    initial : int
        The version that serves at the start.

    Examples
    --------
    >>> move = Event(window=7, kind="switch", trigger="selector/ks", served=6, since=7,
    ...              content={"to": 6, "from": 4, "canary": None, "canary_before": None})
    >>> traffic = traffic_of([move], first=5, last=9, initial=4)
    >>> [(i.first, i.last, i.version, i.moved_by) for i in traffic.intervals]
    [(5, 6, 4, 'deployment'), (7, 9, 6, 'selector/ks')]
    >>> traffic.at(8).version, traffic.arrays(10)[0].tolist()
    (6, [-1, -1, -1, -1, -1, 4, 4, 6, 6, 6])
    """
    found = [Interval(first=first, last=last, version=initial, canary=None, moved_by=DEPLOYMENT)]
    for event in events:
        if event.kind != "switch":
            continue
        moved = Interval(
            first=event.window,
            last=last,
            version=int(event.content["to"]),
            canary=event.content["canary"],
            moved_by=event.trigger,
        )
        if event.window == first:
            found = [moved]
        else:
            found[-1] = replace(found[-1], last=event.window - 1)
            found.append(moved)
    return Traffic(intervals=tuple(found))


def named(version: int | None) -> str:
    """Return a version in words.

    Examples
    --------
    >>> named(33), named(-2), named(None)
    ('33', 'fallback', '–')
    """
    if version is None or version == -1:
        return "–"
    return "fallback" if version == FALLBACK else str(version)
