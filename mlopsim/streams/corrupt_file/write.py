"""Errors put into a data file: its own columns and values, only the wrong cells changed, and the truth."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from mlopsim.core.errors import ConfigError, DataError
from mlopsim.streams.corrupt_file.columns import as_read, misspelt, typed, with_names, with_numbers, with_rows
from mlopsim.streams.corrupt_file.files import spliced, write_form, write_frame
from mlopsim.streams.corrupt_file.resolution import held
from mlopsim.streams.files.columns import MISSING, option, tidy
from mlopsim.streams.files.moments import time_order
from mlopsim.streams.files.readers import USUAL, find_file, form_read, read_bytes, read_frame
from mlopsim.streams.files.tables import Table
from mlopsim.streams.injectors.base import Corrupted
from mlopsim.streams.sources.file import FileStream
from mlopsim.streams.stream import Stream

if TYPE_CHECKING:
    import polars as pl

#: columns of the truth beside those of the features
TRUTH = ("row", "window", "row_wrong", "label_wrong")


@dataclass(frozen=True, kw_only=True)
class FileRows:
    """The rows of a file as they were read, and where each row of the stream stands among them.

    Parameters
    ----------
    path : Path
        The file.
    frame : polars.DataFrame
        The n rows in the order of the file.
    table : Table
        The same rows in time order, as a stream has them.
    order : ndarray of int64, shape (n,)
        Row of the frame of each row of the table.
    label : str
        Column of the labels.
    missing : tuple of str
        Texts that stand for a missing value.
    keep : bool
        Whether columns must keep their types, as from Parquet to Parquet.
    group : str
        Column of the protected group where it is no feature; empty: there is none.

    Raises
    ------
    DataError
        If the numbers of rows disagree, or a feature has the name of a column of the truth.

    Examples
    --------
    >>> import tempfile
    >>> from mlopsim import make
    >>> path = Path(tempfile.mkdtemp()) / "small.csv"
    >>> _ = path.write_text("x,label\\n" + "1.50,no\\n2,yes\\n" * 60)
    >>> source = make("stream", "corrupted", base={"file": {"path": str(path), "rows": 20, "warmup": 2}},
    ...               injector="unit_scale", rate=0.1, timing={"step": {"at": 5}})
    >>> seed = np.random.SeedSequence(0)
    >>> clean = source.clean(seed)
    >>> found = source.corrupt(clean, seed)
    >>> rows = FileRows.of(make("stream", source.base))
    >>> rows.dirty(found)["x"].unique().sort().to_list(), rows.truth(clean, found)["x"].sum()
    (['1.50', '150.0', '2', '200.0'], 2)
    """

    path: Path
    frame: pl.DataFrame
    table: Table
    order: np.ndarray
    label: str
    missing: tuple[str, ...] = field(default=MISSING)
    keep: bool = False
    group: str = ""

    def __post_init__(self) -> None:
        n = len(self.frame)
        if self.table.y.shape != (n,) or not np.array_equal(np.sort(self.order), np.arange(n)):
            raise DataError(f"{self.path.name} has {n} rows, its table {len(self.table.y)}")
        for name in (*self.table.features, self.group):
            what = "feature" if name in self.table.features else "group column"
            if name in TRUTH:
                raise DataError(
                    f"the {what} '{name}' has the name of a column of the truth",
                    remedy=f"rename it or leave it out: {option('drop', name)}",
                )

    @classmethod
    def of(cls, source: FileStream, form: str = ".csv") -> FileRows:
        """Read the file of a stream.

        Parameters
        ----------
        source : FileStream
        form : str
            How the rows will be written: text becomes typed for a format that has types.

        Raises
        ------
        ConfigError
            If the stream draws or shuffles rows: these have no place in the file.
        DataError
            If the file cannot be read or used.
        """
        if source.thin < 1.0 or source.shuffle or source.max_rows:
            raise ConfigError(
                "rows that are drawn, shuffled or cut have no place in their file",
                remedy="leave thin, shuffle and max_rows as they are",
            )
        path = find_file(source.path)
        frame, table = read_frame(path), source.table()
        order = np.arange(len(frame), dtype=np.int64)
        if source.time:
            order = time_order(tidy(frame[source.time], source.missing), path.name)
        text = form_read(path)[0] != ".parquet"
        if form == ".parquet" and text:
            frame = typed(frame, source.missing)
        return cls(
            path=path,
            frame=frame,
            table=table,
            order=order,
            label=source.label,
            missing=tuple(source.missing),
            keep=form == ".parquet" and not text,
            group=source.group if source.group not in (*table.features, source.label) else "",
        )

    def settled(self, found: Corrupted) -> Corrupted:
        """Return the errors as the columns of the file can hold them.

        Whole numbers stay whole, decimals and floats have the digits of their type. A cell that is then as
        it was is not wrong.

        Raises
        ------
        DataError
            If the masks do not fit the file.
        """
        self._check(found)
        X, cells = found.X.copy(), found.cells.copy()
        for j in np.flatnonzero(cells.any(axis=0)).tolist():
            if j not in self.table.categories:
                place = np.flatnonzero(cells[:, j])
                clean = self.table.X[:, j]
                series = tidy(self.frame[self.table.features[j]], self.missing)
                X[place, j] = held(series, clean, X[place, j])
                cells[place, j] = X[place, j] != clean[place]
        still = cells.any(axis=1) | found.labels | ~found.cells.any(axis=1)
        return dataclasses.replace(found, X=X, cells=cells, rows=found.rows & still)

    def dirty(self, found: Corrupted, slips: np.random.Generator | None = None) -> pl.DataFrame:
        """Return the rows of the file with the wrong cells and labels changed, and nothing else.

        Values that the column has elsewhere are written as they stand there. Missing is empty. Columns keep
        their types where these hold the new values, from Parquet to Parquet always.

        Parameters
        ----------
        found : Corrupted
            Errors of the first rows of the table (those that fill windows).
        slips : Generator, optional
            Spell each new category as a slip of the name that stood there; by default new categories have
            the name that they were given.

        Raises
        ------
        DataError
            If the masks do not fit the file, or a value cannot be written into its column.
        """
        found = self.settled(found)
        changed = []
        for j in np.flatnonzero(found.cells.any(axis=0)).tolist():
            place = np.flatnonzero(found.cells[:, j])
            series, rows, values = self.frame[self.table.features[j]], self.order[place], found.X[place, j]
            source = self._elsewhere(self.table.X[:, j], values)
            known = (source >= 0) | np.isnan(values)
            series = with_rows(series, rows[known], source[known])
            if known.all():
                pass
            elif j in self.table.categories:
                names = self._new_names(found, j, place[~known], slips)
                series = with_names(series, rows[~known], names, keep=self.keep)
            else:
                series = with_numbers(series, rows[~known], values[~known], self.missing, keep=self.keep)
            changed.append(series)
        if found.labels.any():
            place = np.flatnonzero(found.labels)
            source = self._elsewhere(self.table.y, found.y[place])
            changed.append(with_rows(self.frame[self.label], self.order[place], source))
        place = np.flatnonzero(self._groups(found))
        if len(place):
            changed.append(
                with_rows(self.frame[self.group], self.order[place], self.order[found.source[place]])
            )
        return self.frame.with_columns(changed)

    def truth(self, clean: Stream, found: Corrupted) -> pl.DataFrame:
        """Return what is wrong, one row for each of the file.

        Columns: ``row`` (from 0), ``window`` (empty for rows behind the last one), ``row_wrong`` (a cell, the
        label or the group), ``label_wrong``, one for each feature: whether its cell is wrong, and one for the
        group where it is no feature: whether it is that of another row, which stands in this place.

        Raises
        ------
        DataError
            If the masks do not fit the file.
        """
        import polars as pl

        found = self.settled(found)
        n, used = len(self.frame), self.order[: len(found.y)]
        window = np.full(n, -1, dtype=np.int64)
        window[used] = np.repeat(np.arange(clean.windows), np.diff(clean.bounds))
        labels = np.zeros(n, dtype=np.bool_)
        labels[used] = found.labels
        cells = np.zeros((n, len(self.table.features)), dtype=np.bool_)
        cells[used] = found.cells
        groups = np.zeros(n, dtype=np.bool_)
        groups[used] = self._groups(found)
        columns = {
            "row": np.arange(n, dtype=np.int64),
            "window": pl.Series(window).set(pl.Series(window < 0), None),
            "row_wrong": cells.any(axis=1) | labels | groups,
            "label_wrong": labels,
            **{name: cells[:, j] for j, name in enumerate(self.table.features)},
            **({self.group: groups} if self.group else {}),
        }
        return pl.DataFrame(columns)

    def _groups(self, found: Corrupted) -> np.ndarray:
        """Return the rows that get another group, where it is no feature, bool (r,)."""
        g = self.table.g[: len(found.y)]
        moved: np.ndarray = g[found.source] != g
        return moved if self.group else np.zeros(len(g), dtype=np.bool_)

    def write(self, dirty: pl.DataFrame, truth: pl.DataFrame, path: Path, form: str) -> None:
        """Write the rows with errors.

        From CSV to CSV all bytes but those of the wrong cells stay as they are.

        Parameters
        ----------
        dirty, truth : polars.DataFrame
            As :meth:`dirty` and :meth:`truth` give them.
        path : Path
            The file, of any name.
        form : str
            One of :data:`mlopsim.streams.corrupt_file.files.WRITABLE`.

        Raises
        ------
        DataError
            If the format cannot hold a column.
        """
        source = form_read(self.path)[0]
        if form == ".parquet" or source != ".csv":
            write_frame(dirty, path, form)
            return
        named = [*self.table.features, *([self.group] if self.group else [])]
        wrong = {name: truth[name].arg_true().to_numpy() for name in named}
        wrong[self.label] = truth["label_wrong"].arg_true().to_numpy()
        write_form(spliced(read_bytes(self.path), dirty, wrong, USUAL[source]), path, form)

    def _check(self, found: Corrupted) -> None:
        n, d = self.table.X.shape
        rows = len(found.y)
        if rows > n or found.cells.shape != (rows, d) or found.labels.shape != (rows,):
            raise DataError(
                f"the masks do not fit the file: cells {found.cells.shape} and labels {found.labels.shape} "
                f"for {rows} rows, the file has {n} rows and {d} features",
                remedy="make the errors from a stream of this very file",
            )

    def _elsewhere(self, column: np.ndarray, values: np.ndarray) -> np.ndarray:
        """Return a row of the file with each value in a column of the table, -1 where there is none."""
        known, first = np.unique(column, return_index=True)
        where = np.searchsorted(known, values).clip(max=len(known) - 1)
        found: np.ndarray = np.where(known[where] == values, self.order[first[where]], -1)
        return found

    def _new_names(
        self, found: Corrupted, j: int, place: np.ndarray, slips: np.random.Generator | None
    ) -> list[str]:
        """Return the names of cells whose category is a new one."""
        known = self.table.categories[j]
        taken = {*known, *self.missing}
        if slips is not None:
            old = [known[int(code)] for code in self.table.X[place, j]]
            return misspelt(old, taken, slips)
        names = [found.categories[j][int(code)] for code in found.X[place, j]]
        read = {as_read(name) for name in taken}
        for name in dict.fromkeys(names):
            if as_read(name) in read:
                raise DataError(
                    f"'{name}' as a new category of '{self.table.features[j]}' reads as one that is known "
                    "or as a missing value",
                    remedy="give the new category another name",
                )
        return names
