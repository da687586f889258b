"""Sections of a report as components: what they read, and who makes them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Protocol

import numpy as np

from mlopsim.core.errors import ConfigError, MlopsimError
from mlopsim.core.registry import find, names
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
    """A section that a report does not have, and why."""

    title: str
    reason: str


def makers(track: str) -> list[SectionMaker]:
    """Return the sections that reports of a track have, in their order.

    Raises
    ------
    ConfigError
        If a registered class is no :class:`SectionMaker`.
    """
    found = []
    for name in names("section"):
        cls = find("section", name)
        if not issubclass(cls, SectionMaker):
            raise ConfigError(
                f"{cls.full_name} is no section", remedy="derive it from mlopsim.core.section.SectionMaker"
            )
        if cls.track in ("", track):
            found.append(cls())
    return sorted(found, key=lambda maker: (maker.order, maker.name))


def make_sections(results: Results) -> tuple[list[Section], list[Unmade]]:
    """Make every section of a report.

    Parameters
    ----------
    results : Results
        What they read.

    Returns
    -------
    list of Section
        In their order.
    list of Unmade
        Those that cannot be made of these results.
    """
    made: list[Section] = []
    unmade: list[Unmade] = []
    for maker in makers(results.track.name):
        missing = [name for name in maker.needs if name not in results.cells.columns]
        if missing:
            words = ", ".join(f"'{name}'" for name in missing)
            columns = "column" if len(missing) == 1 else "columns"
            reason = f"it needs the {columns} {words}, which an earlier version did not store"
            unmade.append(Unmade(title=maker.title or maker.name, reason=reason))
            continue
        try:
            section = maker.make(results)
        except Unavailable as reason:
            unmade.append(Unmade(title=maker.title or maker.name, reason=str(reason)))
            continue
        if section is not None:
            made.append(section)
    return made, unmade
