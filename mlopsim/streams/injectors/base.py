"""The contract of injectors: errors that are put into rows, with the truth about them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np

from mlopsim.core.errors import ConfigError, DataError
from mlopsim.core.spec import check_range
from mlopsim.streams.mechanisms.base import Mechanism
from mlopsim.streams.resolution import Resolution
from mlopsim.streams.stream import Received, Stream


@dataclass(frozen=True, kw_only=True)
class Corrupted:
    """Rows as they are received, and what is wrong with them.

    Parameters
    ----------
    X : ndarray of float64, shape (n, d)
    y : ndarray of int64, shape (n,)
        Rows as they are received; what is not marked below is as it was, to the bit.
    rows : ndarray of bool, shape (n,)
        Rows that the injector was aimed at: their share of those that it can be aimed at is the asked rate.
    cells : ndarray of bool, shape (n, d)
        Cells that differ from the clean ones.
    labels : ndarray of bool, shape (n,)
        Labels that differ from the clean ones.
    received : dict of int to Received
        Windows whose columns have other names, types or another order than was agreed.
    categories : dict of int to tuple of str
        Names of the categories of a feature where some were added at the end.
    source : ndarray of int64, shape (n,)
        Clean row that stands in each place: another one where a row was replaced as a whole, and with it
        everything that belongs to a row, such as its group.
    """

    X: np.ndarray
    y: np.ndarray
    rows: np.ndarray
    cells: np.ndarray
    labels: np.ndarray
    received: dict[int, Received] = field(default_factory=dict)
    categories: dict[int, tuple[str, ...]] = field(default_factory=dict)
    source: np.ndarray = field(default_factory=lambda: np.empty(0, dtype=np.int64))

    def __post_init__(self) -> None:
        if not len(self.source):
            object.__setattr__(self, "source", np.arange(len(self.y), dtype=np.int64))

    @classmethod
    def of(
        cls,
        clean: Stream,
        X: np.ndarray,
        y: np.ndarray,
        rows: np.ndarray,
        received: dict[int, Received] | None = None,
        categories: dict[int, tuple[str, ...]] | None = None,
        source: np.ndarray | None = None,
    ) -> Corrupted:
        """Compare rows with the clean ones: a cell is wrong if its value is another one, or gone.

        Numbers that are put in become those next to them that their column can hold, by
        :class:`mlopsim.streams.resolution.Resolution`; a cell that then has the value that it had is as it
        was, to the bit, and not wrong. ``source`` are the rows that stand in the places of others.
        """
        X = X.copy()
        for j in np.flatnonzero((_other(clean.X, X)).any(axis=0)).tolist():
            if j not in clean.categories:
                put = _other(clean.X[:, j], X[:, j])
                X[put, j] = Resolution.of(clean.X[:, j]).nearest(X[put, j])
        cells = _other(clean.X, X)
        return cls(
            X=np.where(cells, X, clean.X),
            y=y,
            rows=rows,
            cells=cells,
            labels=clean.y != y,
            received=received or {},
            categories=categories or {},
            source=np.arange(len(y), dtype=np.int64) if source is None else source,
        )


@dataclass(frozen=True, kw_only=True)
class Aim:
    """Where errors may go.

    Parameters
    ----------
    share : ndarray of float64, shape (T,)
        Asked share of corrupted rows by window, 0 in the warm-up.
    mechanism : Mechanism
        Which rows errors prefer.
    rng : Generator
        For all that is drawn.
    """

    share: np.ndarray
    mechanism: Mechanism
    rng: np.random.Generator

    def rows(
        self,
        stream: Stream,
        column: int | None = None,
        eligible: np.ndarray | None = None,
        *,
        of_all: bool = False,
    ) -> np.ndarray:
        """Draw the rows that are corrupted.

        In each window the asked share of the eligible rows, rounded up or down at random so that it is met
        on average: those that the mechanism prefers, equal ones in a random order.

        Parameters
        ----------
        stream : Stream
            Clean rows.
        column : int or None
            Feature that is corrupted; None: whole rows or labels are.
        eligible : ndarray of bool, shape (n,), optional
            Rows that can be corrupted; all by default.
        of_all : bool, default False
            Whether the share is one of all rows of the window, as far as there are eligible ones.

        Returns
        -------
        ndarray of bool, shape (n,)
        """
        drive = self.mechanism.drive(stream, column, self.rng)
        tie = self.rng.random(len(stream.y))
        whole = self.rng.random(stream.windows)
        chosen = np.zeros(len(stream.y), dtype=np.bool_)
        for t in np.flatnonzero(self.share > 0.0):
            places = np.arange(stream.bounds[t], stream.bounds[t + 1])
            size = len(places)
            if eligible is not None:
                places = places[eligible[places]]
            count = int(self.share[t] * (size if of_all else len(places)) + whole[t])
            order = np.lexsort((tie[places], -drive[places]))
            chosen[places[order[:count]]] = True
        return chosen

    def windows(self) -> np.ndarray:
        """Draw windows that are corrupted as a whole, each with the asked share as its probability.

        Returns
        -------
        ndarray of int64, shape (k,)
        """
        return np.flatnonzero(self.rng.random(len(self.share)) < self.share)


@dataclass(kw_only=True)
class Injector:
    """Base of all injectors (kind ``injector``): what goes wrong, not where or when.

    Attributes
    ----------
    whole_windows : bool
        Whether it corrupts windows as a whole: the asked rate is then the probability that a window is.
    own_order : bool
        Whether it says itself which rows are hit (a run of them, say), so that only the mechanism ``random``
        makes sense.
    of_all : bool
        Whether the rate is a share of all rows and not of those that can be hit.
    """

    whole_windows: ClassVar[bool] = False
    own_order: ClassVar[bool] = False
    of_all: ClassVar[bool] = False
    full_name: ClassVar[str]

    def eligible(self, stream: Stream) -> np.ndarray:
        """Return the rows that it can corrupt, bool (n,): all unless an injector says otherwise."""
        return np.ones(len(stream.y), dtype=np.bool_)

    def apply(self, stream: Stream, aim: Aim) -> Corrupted:
        """Return the rows as they are received.

        Parameters
        ----------
        stream : Stream
            Clean rows; not changed.
        aim : Aim
            Which rows, and the random numbers.

        Raises
        ------
        DataError
            If the rows do not allow this error.
        """
        raise NotImplementedError


@dataclass(kw_only=True)
class ColumnInjector(Injector):
    """Base of injectors that corrupt some columns, each in rows of its own.

    Parameters
    ----------
    features : list of str
        Columns that are corrupted; empty: drawn by the seed.
    count : int, default 1
        How many are drawn where ``features`` is empty.
    """

    #: kinds of columns that can be drawn: ``numeric``, ``categorical``, ``any``
    takes: ClassVar[str] = "numeric"

    features: list[str] = field(default_factory=list)
    count: int = 1

    def __post_init__(self) -> None:
        check_range(f"{self.full_name}.count", self.count, 1, 10**6)

    def columns(self, stream: Stream, rng: np.random.Generator) -> list[int]:
        """Return the numbers of the columns that are corrupted, rising.

        Raises
        ------
        ConfigError
            If a named column does not exist or is of the wrong kind.
        DataError
            If the stream has fewer columns of that kind.
        """
        possible = [
            j
            for j in range(len(stream.features))
            if self.takes == "any" or (j in stream.categories) == (self.takes == "categorical")
        ]
        if self.features:
            return sorted(self._named(stream, name, possible) for name in self.features)
        if len(possible) < self.count:
            kind = "" if self.takes == "any" else f"{self.takes} "
            raise DataError(
                f"{self.full_name} needs {self.count} {kind}column(s), the stream has {len(possible)}",
                remedy="use another stream or another injector",
            )
        return sorted(int(j) for j in rng.permutation(possible)[: self.count])

    def _named(self, stream: Stream, name: str, possible: list[int]) -> int:
        if name not in stream.features:
            raise ConfigError(
                f"{self.full_name}.features: the stream has no column '{name}'",
                remedy=f"it has: {', '.join(stream.features)}",
            )
        column = stream.features.index(name)
        if column not in possible:
            raise ConfigError(
                f"{self.full_name} corrupts {self.takes} columns, '{name}' is none",
                remedy="leave features empty, or name columns of that kind",
            )
        return column

    def apply(self, stream: Stream, aim: Aim) -> Corrupted:
        """Corrupt each column in rows of its own."""
        columns = self.columns(stream, aim.rng)
        X = stream.X.copy()
        rows = np.zeros(len(stream.y), dtype=np.bool_)
        categories = {}
        for column in columns:
            chosen = aim.rows(stream, column, self.usable(stream, column))
            X[chosen, column] = self.spoilt(stream, column, chosen, aim.rng)
            rows |= chosen
            if added := self.added(stream, column):
                categories[column] = (*stream.categories[column], *added)
        return Corrupted.of(stream, X, stream.y, rows, categories=categories)

    def usable(self, stream: Stream, column: int) -> np.ndarray:
        """Return the rows whose value in a column can be corrupted, bool (n,): those that have one."""
        found: np.ndarray = ~np.isnan(stream.X[:, column])
        return found

    def added(self, stream: Stream, column: int) -> tuple[str, ...]:
        """Return the names of categories that it adds to a column, whose codes follow the last one."""
        return ()

    def spoilt(self, stream: Stream, column: int, chosen: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Return the values (k,) of a column in the k chosen rows as they are received.

        Numbers are brought to those next to them that the column can hold.
        """
        raise NotImplementedError


def _other(before: np.ndarray, after: np.ndarray) -> np.ndarray:
    """Return where values differ, bool of the same shape; NaN does not differ from NaN."""
    found: np.ndarray = ~((before == after) | (np.isnan(before) & np.isnan(after)))
    return found


def changed(stream: Stream, column: int, values: np.ndarray) -> np.ndarray:
    """Return the rows in which a column that can hold what is next to ``values`` (n,) would have another one.

    Returns
    -------
    ndarray of bool, shape (n,)
        False where the column has no value.
    """
    known = stream.X[:, column]
    put = Resolution.of(known).nearest(values)
    found: np.ndarray = ~np.isnan(known) & (put != known)
    return found


def history(stream: Stream) -> np.ndarray:
    """Return the features of the warm-up rows (m, d), which no injector touches."""
    return stream.X[: int(stream.bounds[stream.warmup])]


def location_and_spread(stream: Stream, column: int) -> tuple[float, float]:
    """Return mean and standard deviation of a column in the warm-up; 1 where it does not vary."""
    values = history(stream)[:, column]
    values = values[~np.isnan(values)]
    if not len(values):
        raise DataError(f"column '{stream.features[column]}' has no value in the warm-up")
    spread = float(values.std())
    return float(values.mean()), spread if spread > 0.0 else 1.0
