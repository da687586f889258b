"""What tables, figures and pages say of cells that were taken from a baseline: one mechanism for all.

Tracks, sections and figures know nothing of it. What they made is marked where results are shown: a table
with a row a method gets the column ``from``, a figure a line in its caption, a section a sentence.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from mlopsim.bench.baseline_union import STANDING, SUBMITTED, VERIFIED
from mlopsim.bench.schema import COMPUTED
from mlopsim.core.text import code_span, visible
from mlopsim.core.track import Front, Section

if TYPE_CHECKING:
    import polars as pl

#: column of a table that says where the numbers of a row come from
COLUMN = "from"
HERE, TAKEN, SEVERAL = "computed here", "baseline", "several"
#: methods that are named before the rest is counted
NAMED = 4


@dataclass(frozen=True, kw_only=True)
class Marks:
    """Where the finished cells of methods come from; nothing is marked where none comes from a baseline.

    Parameters
    ----------
    sources : mapping
        Of each method: ``computed here``, ``baseline``, ``submitted`` or ``verified`` (a third party's in a
        baseline, see :mod:`mlopsim.bench.baseline_union`), or ``several`` of them. Empty: nothing to mark.

    Examples
    --------
    >>> import polars as pl
    >>> cells = pl.DataFrame({"method": ["a", "b"], "origin": ["0f", "computed"], "run": ["1", "2"]})
    >>> marks = Marks.of(cells)
    >>> marks.table(pl.DataFrame({"method": ["b", "a"], "score": [2.0, 1.0]}))["from"].to_list()
    ['computed here', 'baseline']
    >>> marks.words(), marks.between("a", "b")
    ('all methods but b are of a baseline', 'a: baseline, b: computed here')
    """

    sources: Mapping[str, str]

    @classmethod
    def of(cls, cells: pl.DataFrame, runs: Sequence[Mapping[str, Any]] = ()) -> Marks:
        """Read them off the cells; ``runs`` of the ledger tell which of a baseline a third party computed.

        Examples
        --------
        >>> import polars as pl
        >>> cells = pl.DataFrame({"method": ["a", "b", "b"], "origin": ["0f", "0f", "computed"]})
        >>> cells = cells.with_columns(run=pl.Series(["x", "y", "z"]))
        >>> dict(Marks.of(cells, [{"id": "x", "record": {"standing": "submitted"}}]).sources)
        {'a': 'submitted', 'b': 'several'}
        >>> dict(Marks.of(cells[2:]).sources)
        {}
        """
        standing = {str(run["id"]): str(run["record"].get(STANDING, TAKEN)) for run in runs}
        found: dict[str, set[str]] = {}
        rows = cells.select("method", "origin", "run").drop_nulls("origin").unique().sort("method", "run")
        for method, origin, run in rows.iter_rows():
            where = HERE if origin == COMPUTED else standing.get(str(run), TAKEN)
            found.setdefault(method, set()).add(where)
        if all(several == {HERE} for several in found.values()):
            return cls(sources={})
        return cls(
            sources={name: next(iter(all_)) if len(all_) == 1 else SEVERAL for name, all_ in found.items()}
        )

    def table(self, board: pl.DataFrame) -> pl.DataFrame:
        """Return a table with the column ``from`` after the method, if it has a row a method."""
        import polars as pl

        if not self.sources or "method" not in board.columns or COLUMN in board.columns:
            return board
        names = [self.sources.get(name) for name in board["method"].to_list()]
        # a new table: the one that was given may be its maker's own
        return board.clone().insert_column(
            board.columns.index("method") + 1, pl.Series(COLUMN, names, dtype=pl.String)
        )

    def between(self, a: str, b: str) -> str:
        """Say where the cells of two methods come from."""
        return ", ".join(f"{name}: {self.sources[name]}" for name in (a, b) if name in self.sources)

    def words(self, shown: Callable[[str], str] = visible) -> str:
        """Say in words which methods come from a baseline; nothing if none does.

        Parameters
        ----------
        shown : callable
            How a name is written.

        Examples
        --------
        >>> Marks(sources={"a": "baseline", "b": "submitted"}).words()
        'all methods are of a baseline; b is submitted'
        >>> Marks(sources={"a": "several", "b": "computed here"}).words()
        'a in part is of a baseline'
        """
        if not self.sources:
            return ""
        here = self._those(HERE)
        mixed = self._those(SEVERAL)
        whole = [name for name in self.sources if name not in here and name not in mixed]
        if mixed or len(here) > NAMED:
            parts = [(whole, ""), (mixed, " in part")]
            which = "; ".join(f"{_listed(names, shown)}{part}" for names, part in parts if names)
            verb = "is" if len(whole) + len(mixed) == 1 else "are"
        else:
            which = f"all methods but {_listed(here, shown)}" if here else "all methods"
            verb = "are"
        others = [
            f"{_listed(names, shown)} {'is' if len(names) == 1 else 'are'} {standing}"
            for standing in (SUBMITTED, VERIFIED)
            if (names := self._those(standing))
        ]
        return "; ".join([f"{which} {verb} of a baseline", *others])

    def _those(self, where: str) -> list[str]:
        return [name for name, source in self.sources.items() if source == where]

    def sections(self, sections: Sequence[Section]) -> list[Section]:
        """Return sections whose tables, figures and texts say which methods come from a baseline.

        Figures are changed in place.
        """
        if not (words := self.words(code_span)):
            return list(sections)
        found = []
        for section in sections:
            shows = section.table is not None or bool(section.figures)
            for figure in section.figures.values():
                self.figure(figure)
            found.append(
                replace(
                    section,
                    text=f"{section.text}\n\nWhere cells come from: {words}." if shows else section.text,
                    table=None if section.table is None else self.table(section.table),
                )
            )
        return found

    def figure(self, figure: object) -> None:
        """Write into the caption of a figure which methods come from a baseline, if any do."""
        from matplotlib.figure import Figure

        from mlopsim.plots.style import add_to_caption

        words = self.words()
        if words and isinstance(figure, Figure):
            add_to_caption(figure, f"where cells come from: {words}")

    def front(self, front: Front) -> Front:
        """Return a front whose table and figures say which methods come from a baseline."""
        for figure in front.figures.values():
            self.figure(figure)
        return replace(front, places=self.table(front.places))


def _listed(names: Sequence[str], shown: Callable[[str], str]) -> str:
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return f"{', '.join(map(shown, names[:NAMED]))}{more}"


def baseline_notes(cells: pl.DataFrame) -> list[str]:
    """Return what a page says of cells from baselines: how many of which file and which methods.

    Examples
    --------
    >>> import polars as pl
    >>> baseline_notes(pl.DataFrame({"method": ["a", "b"], "origin": ["0f", "computed"]}))
    ['1 of 2 finished cells were not computed here but taken from the baseline file 0f: a.']
    """
    done = cells.select("method", "origin").drop_nulls()
    said = []
    for origin in sorted(set(done["origin"].to_list()) - {COMPUTED}):
        taken = done.filter(done["origin"] == origin)
        names = list(dict.fromkeys(taken["method"].to_list()))
        said.append(
            f"{len(taken)} of {len(done)} finished cells were not computed here but taken from the baseline "
            f"file {origin}: {_listed(names, str)}."
        )
    return said
