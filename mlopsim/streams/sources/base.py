"""What streams from tables share: cutting rows into windows, thinning, the memory of parsed tables."""

from __future__ import annotations

import dataclasses
from abc import ABC, abstractmethod
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from mlopsim.core.digest import digest
from mlopsim.core.errors import DataError
from mlopsim.core.spec import check_range
from mlopsim.streams.files.columns import MISSING
from mlopsim.streams.files.tables import Table, table_of
from mlopsim.streams.stream import Stream, even_bounds

if TYPE_CHECKING:
    import polars as pl

#: rows a window at least where the number of rows is chosen automatically
FEWEST_ROWS = 10
#: parsed tables kept in memory, by content: scenarios of one file parse it once
KEPT = 4

_tables: OrderedDict[str, Table] = OrderedDict()
#: data and parameters that gave a stream
_checked: set[str] = set()


@dataclass(kw_only=True)
class TableStream(ABC):
    """Fields and behaviour of all streams that are made from a table of given rows.

    Parameters
    ----------
    rows : int, default 0
        Rows a window; 0: as many as give about ``windows`` windows, at least 10. Rows that fill no
        window at the end are left out.
    windows : int, default 120
        Number of windows to aim at where ``rows`` is 0; not used otherwise.
    warmup : int, default 10
        Windows of history.
    max_rows : int, default 0
        Use the first so many rows only; 0: all.
    thin : float, default 1.0
        Share of the rows of each window to keep, drawn by the scenario seed (at least one row): several
        scenarios from one file. With 1.0 (and no shuffling) all scenarios are equal.
    shuffle : bool, default False
        Shuffle all rows first, by the scenario seed: for data without an order in time.
    """

    rows: int = 0
    windows: int = 120
    warmup: int = 10
    max_rows: int = 0
    thin: float = 1.0
    shuffle: bool = False

    full_name: ClassVar[str]
    #: rows that were given, not drawn from a known law
    real: ClassVar[bool] = True

    def __post_init__(self) -> None:
        where = self.full_name.partition("/")[2]
        check_range(f"{where}.rows", self.rows, 0, 10**9)
        check_range(f"{where}.windows", self.windows, 2, 10**7)
        check_range(f"{where}.warmup", self.warmup, 1, 10**7)
        check_range(f"{where}.max_rows", self.max_rows, 0, 10**12)
        check_range(f"{where}.thin", self.thin, 0.0, 1.0, open_low=True)

    @abstractmethod
    def content(self) -> dict[str, Any]:
        """Return what identifies the data themselves; it enters keys."""

    def identity(self) -> dict[str, Any]:
        """Return what identifies the data, without a look at whether they can be used."""
        return self.content()

    @abstractmethod
    def load(self) -> Table:
        """Parse the data (called once a process and content)."""

    def table(self) -> Table:
        """Return the parsed data, from memory if they were parsed before."""
        cutting = {item.name for item in dataclasses.fields(TableStream)}
        params = {item.name: getattr(self, item.name) for item in dataclasses.fields(self)}
        reading = {name: value for name, value in params.items() if name not in cutting}
        key = digest([self.full_name, reading, self.identity()])
        if key not in _tables:
            _tables[key] = self.load()
            while len(_tables) > KEPT:
                _tables.popitem(last=False)
        _tables.move_to_end(key)
        return _tables[key]

    def check(self) -> None:
        """See that the data can be cut into windows, once a process and parameters.

        Raises
        ------
        DataError
            As :meth:`generate`.
        """
        params = {item.name: getattr(self, item.name) for item in dataclasses.fields(self)}
        key = digest([self.full_name, params, self.identity()])
        if key not in _checked:
            self.generate(np.random.SeedSequence(0))
            _checked.add(key)

    def generate(self, seed: np.random.SeedSequence) -> Stream:
        """Cut the rows into windows.

        Parameters
        ----------
        seed : numpy.random.SeedSequence
            Draws what ``thin`` keeps and the order of ``shuffle``.

        Returns
        -------
        Stream
            With ``events=None``: nothing is known about its drift.

        Raises
        ------
        DataError
            If the data cannot be used as they are, or are too few for the warm-up and one window.
        """
        table = self.table()
        rng = np.random.default_rng(seed)
        order = rng.permutation(len(table.y)) if self.shuffle else np.arange(len(table.y))
        order = order[: self.max_rows or None]
        rows = self.rows or max(FEWEST_ROWS, len(order) // self.windows)
        bounds = even_bounds(len(order), rows)
        if len(bounds) - 1 <= self.warmup:
            raise DataError(
                f"{len(order)} rows are too few: they make {len(bounds) - 1} window(s) of {rows} rows, and "
                f"{self.warmup} windows of warm-up and at least one more are needed",
                remedy="use more rows, fewer rows a window (rows=...) or a shorter warm-up (warmup=...)",
            )
        order = order[: bounds[-1]]
        if self.thin < 1.0:
            keep = max(1, round(self.thin * rows))
            keys = rng.random((len(bounds) - 1, rows))
            drawn = np.sort(np.argpartition(keys, keep - 1, axis=1)[:, :keep], axis=1)
            order = np.take_along_axis(order.reshape(-1, rows), drawn, axis=1).ravel()
            bounds = even_bounds(len(order), keep)
        y = table.y[order]
        if (y == y[0]).all():
            raise DataError(
                f"the {len(y)} rows that are used all have the label '{table.classes[int(y[0])]}'",
                remedy="use more rows (max_rows, thin) or shuffle them if they have no order in time",
            )
        return Stream(
            X=table.X[order],
            y=y,
            g=table.g[order],
            bounds=bounds,
            warmup=self.warmup,
            classes=table.classes,
            features=table.features,
            groups=table.groups,
            categories=dict(table.categories),
            events=None,
        )


@dataclass(kw_only=True)
class ColumnStream(TableStream):
    """A table whose columns the user may choose; see :func:`mlopsim.streams.files.tables.table_of`.

    Parameters
    ----------
    time : str
        Column to sort by (stably); empty: the order of the source is the order in time.
    group : str
        Protected group column; it stays a feature unless dropped.
    drop : list of str
        Columns that are no features.
    categorical : list of str
        Numeric columns that are categories.
    positive : str
        This label against all others.
    """

    time: str = ""
    group: str = ""
    drop: list[str] = field(default_factory=list)
    categorical: list[str] = field(default_factory=list)
    positive: str = ""

    def table_of(
        self, frame: pl.DataFrame, *, source: str, label: str, missing: Sequence[str] = MISSING
    ) -> Table:
        """Turn a frame into a table with the columns that were chosen."""
        return table_of(
            frame,
            source=source,
            label=label,
            time=self.time,
            group=self.group,
            drop=self.drop,
            categorical=self.categorical,
            positive=self.positive,
            missing=missing,
        )
