"""The attributes of a stored grid as typed columns of its cell table."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from mlopsim.bench.attributes import OWNERS, Columns, Owner
from mlopsim.bench.cells import Row
from mlopsim.bench.ledger import Ledger
from mlopsim.bench.ledgerfile import damaged
from mlopsim.bench.schema import is_sealed
from mlopsim.core.errors import ConfigError, LedgerError
from mlopsim.core.track import Attribute

if TYPE_CHECKING:
    import polars as pl


class Facts:
    """The attributes of a grid: of tasks, methods and fits at once, of cells as they are read.

    Parameters
    ----------
    ledger : Ledger
        An open ledger.
    entry, pairs
        A stored grid and its pairs.
    """

    def __init__(self, ledger: Ledger, entry: dict[str, Any], pairs: Sequence[dict[str, Any]]) -> None:
        self._folder = ledger.folder
        self._columns = Columns(metric.name for metric in entry["metrics"])
        tasks = [json.loads(pair["task_attributes"]) for pair in pairs]
        methods = [json.loads(pair["method_attributes"]) for pair in pairs]
        for pair, task, method in zip(pairs, tasks, methods, strict=True):
            self._add("task", f"task '{pair['task']}'", task)
            self._add("method", f"method '{pair['method']}'", method)
        fits: list[Mapping[str, Attribute]] = [{}]
        self._place: dict[str | None, int] = {None: 0}
        for key, attributes in _fit_attributes(ledger, entry["id"]):
            self._add("fit", f"the fit {key[:12]}", attributes)
            self._place[key] = len(fits)
            fits.append(attributes)
        self._of_pair = [
            *(column_of(name, [task.get(name) for task in tasks]) for name in self._columns.names("task")),
            *(column_of(name, [m.get(name) for m in methods]) for name in self._columns.names("method")),
        ]
        self._of_fit = [column_of(name, [f.get(name) for f in fits]) for name in self._columns.names("fit")]

    def _add(self, owner: Owner, where: str, attributes: Mapping[str, Attribute]) -> None:
        try:
            self._columns.add(owner, where, attributes)
        except ConfigError as error:
            raise LedgerError(
                f"the attributes in {self._folder} do not agree: {error.message}",
                remedy="run the suite in another folder: results=DIR",
            ) from error

    def of(self, rows: Sequence[Row], pair: pl.Series) -> list[pl.Series]:
        """Return the columns of some rows; of cells those that they give."""
        import polars as pl

        found = [column.gather(pair) for column in self._of_pair]
        if self._of_fit:
            # a fit that is not made yet has no attributes, as no fit has none
            fit = pl.Series([self._place.get(row.fit, 0) for row in rows], dtype=pl.UInt32)
            found += [column.gather(fit) for column in self._of_fit]
        parsed: dict[str | None, dict[str, Attribute]] = {None: {}, "{}": {}}
        own = []
        for row in rows:
            attributes = parsed.get(row.attributes)
            if attributes is None:
                attributes = parsed[row.attributes] = json.loads(row.attributes or "{}")
                self._add("cell", f"the cell {row.member[:12]}", attributes)
            own.append(attributes)
        names = dict.fromkeys(name for attributes in parsed.values() for name in attributes)
        return found + [column_of(name, [a.get(name) for a in own]) for name in names]

    def joined(self, pieces: Sequence[pl.DataFrame], first: Sequence[str]) -> pl.DataFrame:
        """Return the pieces as one table, the attributes after the first columns, owner by owner.

        A column of cells is missing in pieces whose cells do not give it.
        """
        import polars as pl

        names = [name for owner in OWNERS for name in self._columns.names(owner)]
        frame = pl.concat(pieces, how="diagonal_relaxed" if self._columns.names("cell") else "vertical")
        # by subscript: names are names here, not patterns
        frame = frame[list(dict.fromkeys([*first, *names, *frame.columns]))]
        # a name without any value has no type: as text it can be written anywhere
        return frame.with_columns(pl.col(pl.Null).cast(pl.String))


def _fit_attributes(ledger: Ledger, grid: int) -> Iterator[tuple[str, dict[str, Attribute]]]:
    """Yield keys and attributes of the finished fits that the cells of a grid name, each row checked."""
    query = "SELECT * FROM fit WHERE key IN (SELECT fit FROM member WHERE grid=?) ORDER BY rowid"
    for row in ledger.stream(query, (grid,)):
        if not is_sealed("fit", row):
            raise damaged(ledger.folder, f"a row of table fit has changed ({str(row[0])[:24]})")
        if row[5] == "done":
            yield row[0], json.loads(row[6] or "{}")


def column_of(name: str, values: Sequence[Attribute]) -> pl.Series:
    """Return attributes of one type as a column: text, bool, whole or real numbers; no type without values.

    Examples
    --------
    >>> [str(column_of("a", values).dtype) for values in (["x", None], [True], [1, None], [1, 0.5], [None])]
    ['String', 'Boolean', 'Int64', 'Float64', 'Null']
    """
    import polars as pl

    types = {type(value) for value in values} - {type(None)}
    if types == {str}:
        return text_column(name, values)
    if types <= {bool}:
        return pl.Series(name, values, dtype=pl.Boolean if types else pl.Null)
    if types == {int}:
        return pl.Series(name, values, dtype=pl.Int64)
    return pl.Series(name, [None if value is None else float(value) for value in values], dtype=pl.Float64)


def text_column(name: str, values: Iterable[Any]) -> pl.Series:
    """Return texts as a column in which equal ones are stored once."""
    import polars as pl

    codes: dict[Any, int] = {}
    places = [codes.setdefault(value, len(codes)) for value in values]
    return pl.Series(name, list(codes), dtype=pl.String).gather(pl.Series(places, dtype=pl.UInt32))
