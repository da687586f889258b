"""Contract checks of sections, on results of the smallest instance of their track."""

from __future__ import annotations

import math
from typing import Any

from mlopsim.checks.base import Check, identical, own_randomness, require
from mlopsim.checks.small_run import SmallResults, small_run
from mlopsim.core.registry import find, names
from mlopsim.core.section import SectionMaker, Unavailable
from mlopsim.core.track import Section


def _form(cls: type[Any]) -> None:
    require(
        issubclass(cls, SectionMaker),
        "is no SectionMaker",
        remedy="derive it from mlopsim.core.section.SectionMaker",
    )
    known = names("track")
    require(
        cls.track in ("", *known), f"belongs to the track '{cls.track}'", remedy=f"one of {', '.join(known)}"
    )
    require(isinstance(cls.title, str) and bool(cls.title.strip()), "has no title", remedy="title = '...'")
    require(math.isfinite(cls.order), f"order is {cls.order!r}", remedy="a number")
    require(
        isinstance(cls.needs, tuple) and all(isinstance(name, str) for name in cls.needs),
        f"needs is {cls.needs!r}",
        remedy="a tuple of columns of the cell table",
    )


def _results(cls: type[Any]) -> list[SmallResults]:
    tracks = [cls.track] if cls.track else names("track")[:1]
    return [small_run(find("track", track)).results for track in tracks]


def _made(maker: SectionMaker, results: SmallResults) -> Section | str | None:
    """Return what is made, or why not."""
    try:
        return maker.make(results)
    except Unavailable as reason:
        require(bool(str(reason).strip()), "cannot be made, and does not say why")
        return str(reason)


def _make(cls: type[Any]) -> None:
    import polars as pl
    from matplotlib.figure import Figure

    for results in _results(cls):
        missing = [name for name in cls.needs if name not in results.cells.columns]
        require(not missing, f"needs columns that its track does not have: {', '.join(missing)}")
        with own_randomness():
            made = _made(cls(), results)
        if made is None or isinstance(made, str):
            continue
        require(isinstance(made, Section), f"make() gives {type(made).__name__}", remedy="a Section, or None")
        require(bool(made.title.strip()), "a section without a title")
        require(
            made.table is None or isinstance(made.table, pl.DataFrame), "its table is no polars DataFrame"
        )
        require(
            all(isinstance(figure, Figure) for figure in made.figures.values()),
            "a figure is no matplotlib Figure",
        )


def _said(made: Section | str | None) -> Any:
    """Return what a reader sees, but for the curves of figures."""
    if not isinstance(made, Section):
        return made
    rows = None if made.table is None else made.table.to_dict(as_series=False)
    return made.title, made.text, list(made.figures), rows


def _same(cls: type[Any]) -> None:
    for results in _results(cls):
        cells, board = results.cells.clone(), results.leaderboard.clone()
        first, second = (_made(cls(), results) for _ in range(2))
        require(
            cells.equals(results.cells) and board.equals(results.leaderboard),
            "changes the results that it reads",
        )
        require(
            identical(_said(first), _said(second)),
            "made again of the same results it says something else",
            remedy="default_rng(0) per call",
        )


CHECKS = [
    Check(name="form", text="says whose it is, its title, order and what it needs", run=_form),
    Check(name="make", text="makes a section with a title of a small run, or says why not", run=_make),
    Check(name="same", text="the same results give the same section, and stay as they are", run=_same),
]
