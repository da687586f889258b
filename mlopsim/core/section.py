"""Sections of a report as components: what they read, and who makes them."""

from __future__ import annotations

import inspect
import traceback
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

import numpy as np

from mlopsim.core.errors import ConfigError, MlopsimError, SectionError, nearest
from mlopsim.core.registry import find, names
from mlopsim.core.text import published
from mlopsim.core.track import Attribute, Section, Track

if TYPE_CHECKING:
    import polars as pl


class Unavailable(MlopsimError):
    """A section cannot be made of these results; the message says why, and stands in the report."""


class Results(Protocol):
    """What a section reads: the results of one grid."""

    @property
    def track(self) -> Track:
        """The track with its settings."""
        ...

    @property
    def cells(self) -> pl.DataFrame:
        """One row a cell: its metrics, and the attributes of task, method, fit and cell as typed columns."""
        ...

    @property
    def leaderboard(self) -> pl.DataFrame:
        """One row a method, as the track sums it up; computed once."""
        ...

    @property
    def sweep(self) -> Mapping[str, Sequence[Attribute]]:
        """Swept keys, which are columns of the cells, with their values; empty where nothing is swept."""
        ...

    @property
    def sweep_points(self) -> Sequence[Mapping[str, Attribute]]:
        """The combinations of these values that are compared: all of them, or the pairs of a zipped sweep."""
        ...

    def curves(self, key: str) -> Mapping[str, np.ndarray]:
        """Return the stored series of a cell."""
        ...


@dataclass(kw_only=True)
class SectionMaker(ABC):
    """Base of components of kind ``section``: one file each, also in a plug-in file.

    A section enters no key: adding or changing one never changes a number.

    Attributes
    ----------
    track : str
        Name of the track whose reports it belongs to; empty for all.
    title : str
        Its heading, also where it cannot be made.
    order : float
        Sections stand in this order; those of the package have 10, 20, ...
    needs : tuple of str
        Columns of the cell table (metrics and attributes) without which it cannot be made.
    """

    track: ClassVar[str] = ""
    title: ClassVar[str] = ""
    order: ClassVar[float] = 1000.0
    needs: ClassVar[tuple[str, ...]] = ()
    # set by the registry
    kind: ClassVar[str]
    name: ClassVar[str]
    version: ClassVar[str]
    full_name: ClassVar[str]

    @abstractmethod
    def make(self, results: Results) -> Section | None:
        """Make the section.

        Returns
        -------
        Section or None
            None where these results do not ask for it (one task only, say).

        Raises
        ------
        Unavailable
            If it cannot be made; with the reason.
        """


@dataclass(frozen=True, kw_only=True)
class Unmade:
    """A section that a report does not have, and why.

    Attributes
    ----------
    title : str
        Its heading.
    reason : str
        Why, as the page says it.
    error : Exception or None
        The fault of a section that failed; None where the results do not allow it.
    place : str
        File and line of the fault.
    """

    title: str
    reason: str
    error: Exception | None = None
    place: str = ""


def makers(track: str) -> list[type[SectionMaker]]:
    """Return the sections that reports of a track have, in their order.

    Raises
    ------
    ConfigError
        If a registered class is no :class:`SectionMaker`, belongs to no track, or its ``needs`` are no names.
    """
    found: list[type[SectionMaker]] = []
    tracks = names("track")
    for name in names("section"):
        cls = find("section", name)
        if not issubclass(cls, SectionMaker):
            raise ConfigError(
                f"{cls.full_name} is no section ({_source(cls)})",
                remedy="derive it from mlopsim.core.section.SectionMaker",
            )
        if cls.track not in ("", *tracks):
            raise ConfigError(
                f"{cls.full_name} belongs to the unknown track '{cls.track}'"
                f"{nearest(str(cls.track), tracks)} ({_source(cls)})",
                remedy=f"one of: {', '.join(tracks)}; of a plug-in: load its file, too",
            )
        needs: Any = cls.needs
        # a text is a sequence of letters, too
        if not isinstance(needs, tuple | list) or not all(isinstance(each, str) for each in needs):
            raise ConfigError(
                f"{cls.full_name} needs {needs!r}, which are no names of columns ({_source(cls)})",
                remedy="a tuple of texts, such as needs = ('retrains',)",
            )
        if cls.track in ("", track):
            found.append(cls)
    return sorted(found, key=lambda cls: (cls.order, cls.name))


def make_sections(results: Results) -> tuple[list[Section], list[Unmade]]:
    """Make every section of a report; one that fails takes no other with it.

    Parameters
    ----------
    results : Results
        What they read.

    Returns
    -------
    list of Section
        In their order.
    list of Unmade
        Those that cannot be made of these results, and those that failed: see :func:`fault`.
    """
    made: list[Section] = []
    unmade: list[Unmade] = []
    for cls in makers(results.track.name):
        title = cls.title or cls.name
        if lacking := [name for name in cls.needs if name not in results.cells.columns]:
            unmade.append(Unmade(title=title, reason=_lacks(lacking, results.cells.columns)))
            continue
        try:
            section: Any = cls().make(results)
            if section is not None:
                _check(section)
                made.append(section)
        except Unavailable as reason:
            unmade.append(Unmade(title=title, reason=str(reason)))
        except Exception as error:  # noqa: BLE001 (whatever its author did)
            # not swallowed: whoever makes a page of the others raises `fault` when it is written
            unmade.append(_failed(cls, title, error))
    return made, unmade


def fault(unmade: Sequence[Unmade], page: Path | None = None) -> SectionError | None:
    """Return the error to raise for those sections that failed; None if none did.

    Parameters
    ----------
    unmade : sequence of Unmade
        As :func:`make_sections` returns them.
    page : Path, optional
        Of the report that has the other sections.

    Examples
    --------
    >>> fault([Unmade(title="Ranks", reason="it needs 3 methods")]) is None
    True
    >>> print(fault([Unmade(title="Mine", reason="KeyError: 'x'", error=KeyError("x"), place="mine.py:7")]))
    the section 'Mine' failed: KeyError: 'x' (mine.py:7)
      remedy: mend the section; `mlopsim check` tries it, --traceback shows where it failed
    """
    failed = [entry for entry in unmade if entry.error is not None]
    if not failed:
        return None
    lines = [f"the section '{entry.title}' failed: {_words(entry.error)} ({entry.place})" for entry in failed]
    if page is not None:
        lines.append(f"the report has the others: {page}")
    error = SectionError(
        "\n  ".join(lines),
        remedy="mend the section; `mlopsim check` tries it, --traceback shows where it failed",
        page=page,
    )
    causes = [entry.error for entry in failed if entry.error is not None]
    error.__cause__ = causes[0] if len(causes) == 1 else ExceptionGroup("sections that failed", causes)
    return error


def _check(section: Any) -> None:
    """Refuse what is no section, or holds what no page can show."""
    if not isinstance(section, Section):
        raise TypeError(f"make() returned {type(section).__name__}, not a Section or None")
    if section.table is not None:
        import polars as pl

        if not isinstance(section.table, pl.DataFrame):
            raise TypeError(f"its table is {type(section.table).__name__}, not a polars DataFrame")
    if section.figures:
        from matplotlib.figure import Figure

        for name, figure in section.figures.items():
            if not isinstance(figure, Figure):
                raise TypeError(f"its figure '{name}' is {type(figure).__name__}, not a matplotlib Figure")


def _lacks(names: Sequence[str], columns: Sequence[str]) -> str:
    words = ", ".join(f"'{name}'" for name in names)
    # every table of cells says the role of its methods, but those of versions without attributes
    if "role" in columns:
        why = ": this table has no such column"
    else:
        why = ", which an earlier version did not store"
    return f"it needs the column{'s' if len(names) > 1 else ''} {words}{why}"


def _failed(cls: type[SectionMaker], title: str, error: Exception) -> Unmade:
    """Return a section that failed: what is said of it, and where in its file."""
    file = _source(cls)
    frames = traceback.extract_tb(error.__traceback__)
    lines = [frame.lineno for frame in frames if Path(frame.filename) == Path(file)]
    if lines:
        place = f"{file}:{lines[-1]}"
    else:
        # what it returned, or the class itself, is wrong
        place = f"{file}:{_line(cls)}"
    # pages are published: of a file its name only
    reason = published(f"{_words(error)} ({Path(file).name}:{place.rpartition(':')[2]})")
    return Unmade(title=title, reason=str(reason), error=error, place=place)


def _words(error: Exception | None) -> str:
    text = error.message if isinstance(error, MlopsimError) else str(error)
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def _source(cls: type[Any]) -> str:
    """Return the file of a class; of one that was typed in, its module."""
    try:
        return inspect.getfile(cls)
    except (OSError, TypeError):
        return cls.__module__


def _line(cls: type[Any]) -> int:
    """Return the line of a class; the first if its file cannot be read any more."""
    try:
        return inspect.getsourcelines(cls)[1]
    except (OSError, TypeError):
        return 1
