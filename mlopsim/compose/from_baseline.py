"""What tables, figures and pages say of cells that were taken from a baseline: one mechanism for all.

Tracks, sections and figures know nothing of it. What they made is marked where results are shown: a table
with a row a method gets the column ``from``, a figure a line in its caption, a section a sentence.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from mlopsim.bench.schema import COMPUTED
from mlopsim.core.text import code_span, visible
from mlopsim.core.track import Front, Section

if TYPE_CHECKING:
    import polars as pl

#: column of a table that says where the numbers of a row come from
COLUMN = "from"
HERE, TAKEN, BOTH = "computed here", "baseline", "both"
#: methods that are named before the rest is counted
NAMED = 4


def origins(cells: pl.DataFrame) -> dict[str, str]:
    """Return where the finished cells of each method come from, if any come from a baseline; else nothing.

    Examples
    --------
    >>> import polars as pl
    >>> origins(pl.DataFrame({"method": ["a", "b", "b"], "origin": ["0f", "0f", "computed"]}))
    {'a': 'baseline', 'b': 'both'}
    >>> origins(pl.DataFrame({"method": ["a"], "origin": ["computed"]}))
    {}
    """
    found: dict[str, set[bool]] = {}
    for method, origin in cells.select("method", "origin").drop_nulls().unique().sort("method").iter_rows():
        found.setdefault(method, set()).add(origin != COMPUTED)
    if not any(True in several for several in found.values()):
        return {}
    return {
        method: BOTH if len(several) == 2 else TAKEN if True in several else HERE
        for method, several in found.items()
    }


def marked(board: pl.DataFrame, cells: pl.DataFrame) -> pl.DataFrame:
    """Return a table with a column ``from`` after the method where cells come from a baseline.

    Examples
    --------
    >>> import polars as pl
    >>> cells = pl.DataFrame({"method": ["a", "b"], "origin": ["0f", "computed"]})
    >>> marked(pl.DataFrame({"method": ["b", "a"], "score": [2.0, 1.0]}), cells)["from"].to_list()
    ['computed here', 'baseline']
    """
    import polars as pl

    found = origins(cells)
    if not found or "method" not in board.columns or COLUMN in board.columns:
        return board
    column = pl.Series(COLUMN, [found.get(name) for name in board["method"].to_list()], dtype=pl.String)
    # a new table: the one that was given may be the maker's own
    return board.clone().insert_column(board.columns.index("method") + 1, column)


def whose(cells: pl.DataFrame, *, code: bool = False) -> str:
    """Say in words which methods come from a baseline; nothing if none does.

    Parameters
    ----------
    cells : polars.DataFrame
        With ``method`` and ``origin``.
    code : bool, default False
        Whether names stand in backticks, as in the text of a section.

    Examples
    --------
    >>> import polars as pl
    >>> cells = pl.DataFrame({"method": ["a", "b", "mine"], "origin": ["0f", "0f", "computed"]})
    >>> whose(cells), whose(cells[:1]), whose(cells[2:])
    ('all methods but mine are of a baseline', 'all methods are of a baseline', '')
    >>> whose(pl.DataFrame({"method": ["a", "a"], "origin": ["0f", "computed"]}))
    'a in part is of a baseline'
    """
    found = origins(cells)
    if not found:
        return ""
    here = [name for name, where in found.items() if where == HERE]
    taken = [name for name, where in found.items() if where == TAKEN]
    mixed = [name for name, where in found.items() if where == BOTH]
    shown = code_span if code else visible
    said = []
    if not mixed and not here:
        return "all methods are of a baseline"
    if not mixed and len(here) <= NAMED:
        return f"all methods but {', '.join(map(shown, here))} are of a baseline"
    for several, part in ((taken, ""), (mixed, " in part")):
        if several:
            more = f" and {len(several) - NAMED} more" if len(several) > NAMED else ""
            said.append(f"{', '.join(map(shown, several[:NAMED]))}{more}{part}")
    verb = "is" if len(taken) + len(mixed) == 1 else "are"
    return f"{'; '.join(said)} {verb} of a baseline"


def marked_sections(sections: Sequence[Section], cells: pl.DataFrame) -> list[Section]:
    """Return sections whose tables, figures and texts say which methods come from a baseline.

    Figures are changed in place.
    """
    if not (words := whose(cells, code=True)):
        return list(sections)
    found = []
    for section in sections:
        shows = section.table is not None or bool(section.figures)
        for figure in section.figures.values():
            mark_figure(figure, cells)
        found.append(
            replace(
                section,
                text=f"{section.text}\n\nNot computed here: {words}." if shows else section.text,
                table=None if section.table is None else marked(section.table, cells),
            )
        )
    return found


def mark_figure(figure: object, cells: pl.DataFrame) -> None:
    """Write into the caption of a figure which methods come from a baseline, if any do."""
    from matplotlib.figure import Figure

    from mlopsim.plots.style import add_to_caption

    words = whose(cells)
    if words and isinstance(figure, Figure):
        add_to_caption(figure, f"not computed here: {words}")


def compared_from(table: pl.DataFrame, cells: pl.DataFrame, a: str, b: str) -> pl.DataFrame:
    """Return the comparison of two methods with a column that says where the cells of both come from.

    Examples
    --------
    >>> import polars as pl
    >>> cells = pl.DataFrame({"method": ["a", "b"], "origin": ["0f", "computed"]})
    >>> compared_from(pl.DataFrame({"difference": [0.1]}), cells, "a", "b")["from"].to_list()
    ['a: baseline, b: computed here']
    """
    import polars as pl

    found = origins(cells.filter(pl.col("method").is_in([a, b])))
    if not found:
        return table
    words = ", ".join(f"{name}: {found[name]}" for name in (a, b) if name in found)
    return table.with_columns(pl.lit(words).alias(COLUMN))


def marked_front(front: Front, cells: pl.DataFrame) -> Front:
    """Return a front whose table and figures say which methods come from a baseline."""
    for figure in front.figures.values():
        mark_figure(figure, cells)
    return replace(front, places=marked(front.places, cells))


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
        more = f" and {len(names) - NAMED} more methods" if len(names) > NAMED else ""
        methods = f"{', '.join(names[:NAMED])}{more}"
        said.append(
            f"{len(taken)} of {len(done)} finished cells were not computed here but taken from the baseline "
            f"file {origin}: {methods}."
        )
    return said
