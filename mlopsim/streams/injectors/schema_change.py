"""Columns that are not those that were agreed."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import ClassVar

import numpy as np

from mlopsim.core.errors import ConfigError, DataError
from mlopsim.core.registry import register
from mlopsim.streams.injectors.base import Aim, Corrupted, Injector
from mlopsim.streams.stream import Received, Stream


class SchemaChange(Enum):
    """What happens to the columns."""

    RENAMED = "renamed"
    DROPPED = "dropped"
    RETYPED = "retyped"
    REORDERED = "reordered"


@register("injector", "schema_change", version=2)
@dataclass(kw_only=True)
class SchemaChanged(Injector):
    """Windows come with a column renamed, dropped or as text, or with two columns reordered.

    Who reads columns by name finds no values in one that was renamed or dropped, and none in numbers that
    came as text. Reordered columns are read by position: two of them hold each other's values (or the numbers
    next to these that they can hold). Names and
    types as received are in ``Stream.received``. A rate is the probability that a window is hit.

    Parameters
    ----------
    change : SchemaChange, default renamed
        What happens.
    features : list of str
        The column, or the two that are reordered; empty: drawn by the seed.

    Notes
    -----
    It stands for a changed interface; the gate ``schema`` is made for it.

    Examples
    --------
    >>> from mlopsim import make
    >>> source = make("stream", "corrupted", base={"bundled": {"dataset": "wine"}}, rate=1.0,
    ...               injector={"schema_change": {"features": ["ash"]}},
    ...               timing={"burst": {"at": 10, "length": 1}})
    >>> stream = source.generate(np.random.SeedSequence(0))
    >>> stream.received[10].names[1:4], bool(np.isnan(stream.X[100:110, 2]).all())
    (('malic_acid', 'ash_new', 'alcalinity_of_ash'), True)
    """

    whole_windows: ClassVar[bool] = True

    change: SchemaChange = SchemaChange.RENAMED
    features: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        wanted = 2 if self.change is SchemaChange.REORDERED else 1
        if self.features and len(set(self.features)) != wanted:
            raise ConfigError(
                f"injector/schema_change.features must name {wanted} column(s) for '{self.change.value}', "
                f"got {self.features}",
                remedy="or leave it empty",
            )

    def apply(self, stream: Stream, aim: Aim) -> Corrupted:
        """Change the columns of the windows that are hit."""
        columns = self._columns(stream, aim.rng)
        agreed = stream.agreed()
        names, types = list(agreed.names), list(agreed.types)
        X = stream.X.copy()
        rows = np.zeros(len(stream.y), dtype=np.bool_)
        for t in aim.windows():
            rows[stream.bounds[t] : stream.bounds[t + 1]] = True
        first = columns[0]
        if self.change is SchemaChange.REORDERED:
            other = columns[1]
            X[rows, first], X[rows, other] = stream.X[rows, other], stream.X[rows, first]
            for line in (names, types):
                line[first], line[other] = line[other], line[first]
        else:
            X[rows, first] = np.nan
            if self.change is SchemaChange.RENAMED:
                names[first] = f"{names[first]}_new"
            elif self.change is SchemaChange.RETYPED:
                types[first] = "text"
            else:
                del names[first], types[first]
        received = Received(names=tuple(names), types=tuple(types))
        windows = np.flatnonzero(np.add.reduceat(rows, stream.bounds[:-1]) > 0)
        return Corrupted.of(stream, X, stream.y, rows, {int(t): received for t in windows})

    def _columns(self, stream: Stream, rng: np.random.Generator) -> list[int]:
        numeric = [j for j in range(len(stream.features)) if j not in stream.categories]
        possible = numeric if self.change in (SchemaChange.REORDERED, SchemaChange.RETYPED) else None
        possible = list(range(len(stream.features))) if possible is None else possible
        known = [stream.features[j] for j in possible]
        for name in self.features:
            if name not in known:
                raise ConfigError(
                    f"injector/schema_change.features: '{name}' is no column that can be {self.change.value}",
                    remedy=f"these can: {', '.join(known)}",
                )
        if self.features:
            return [stream.features.index(name) for name in self.features]
        wanted = 2 if self.change is SchemaChange.REORDERED else 1
        if len(possible) < wanted:
            raise DataError(
                f"injector/schema_change: {wanted} numeric column(s) are needed to be {self.change.value}",
                remedy="use another change",
            )
        return [int(j) for j in rng.permutation(possible)[:wanted]]
