"""What a study gave: the table of its cells, its leaderboard, comparisons, the page."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlopsim.bench.ledger import Ledger
from mlopsim.bench.plugins import Loaded, explained, load_stored
from mlopsim.bench.schema import COMPUTED
from mlopsim.bench.summary import Summary
from mlopsim.compose.from_baseline import COLUMN, Marks
from mlopsim.compose.in_words import in_words
from mlopsim.compose.methods_shown import methods_view
from mlopsim.compose.published_series import PublishedSeries
from mlopsim.compose.report_page import (
    BOARD,
    STAMP,
    config_text,
    drawn,
    is_drawn,
    not_loaded,
    read_board,
    report_meta,
    stamp_of,
)
from mlopsim.compose.sweep import read_sweep
from mlopsim.core.errors import ConfigError, nearest
from mlopsim.core.files import write_text
from mlopsim.core.section import fault, make_sections
from mlopsim.core.spec import make
from mlopsim.core.track import Attribute, Front, ReadsCurves, Scored, Track, compared_curves, fronted, sum_up

if TYPE_CHECKING:
    import numpy as np
    import polars as pl


@dataclass(kw_only=True, eq=False)
class Results:
    """The results of one grid in a folder, from :meth:`mlopsim.compose.study.Study.run` or `open_results`.

    What was read is kept: for what a later run added, open the folder again.

    Parameters
    ----------
    folder : Path
        Folder of the ledger.
    entry : mapping
        The stored grid (see :meth:`mlopsim.bench.ledger.Ledger.grid`).
    summary : Summary, optional
        Counts and failures of the run that gave them; None for a folder that was opened.
    plugins : sequence of paths
        Plug-in files that may be loaded.
    trust_plugins : bool, default False
        Whether those that the folder names may be loaded, too, if they are unchanged.
    """

    folder: Path
    entry: Mapping[str, Any]
    summary: Summary | None = None
    plugins: Sequence[str | Path] = ()
    trust_plugins: bool = False
    _open: Ledger | None = field(default=None, init=False, repr=False)
    _board: pl.DataFrame | None = field(default=None, init=False, repr=False)

    @property
    def title(self) -> str:
        """Name and version of the suite, and whether it was changed."""
        return str(self.entry["title"])

    @property
    def grid(self) -> str:
        """Digest of the grid."""
        return str(self.entry["digest"])

    @cached_property
    def _loaded(self) -> Loaded:
        return load_stored(self.entry["plugins"], self.plugins, trust=self.trust_plugins)

    @cached_property
    def track(self) -> Track:
        """The track with its settings, as it is today."""
        from mlopsim.bench.identity import current

        with explained(self._loaded):
            built: Track = make("track", current(self.entry["track"]))
        return built

    @cached_property
    def cells(self) -> pl.DataFrame:
        """One row a cell: metrics, attributes, reasons, provenance (:func:`mlopsim.bench.table.table`)."""
        from mlopsim.bench.table import table

        with self._reading() as ledger:
            return table(ledger, self.grid)

    @cached_property
    def marks(self) -> Marks:
        """Where the cells of methods come from, if some come from a baseline."""
        with self._reading() as ledger:
            return Marks.of(self.cells, ledger.runs())

    @property
    def leaderboard(self) -> pl.DataFrame:
        """One row a method, as the track sums it up, with intervals and n; computed once."""
        if self._board is None:
            with explained(self._loaded), self._reading():
                board = sum_up(self.track, self.cells, self.curves)
            self._board = self.marks.table(board)
        assert self._board is not None
        return self._board

    @property
    def sweep(self) -> Mapping[str, Sequence[Attribute]]:
        """Swept keys, which are columns of the cells, with their values; empty where nothing is swept."""
        found = read_sweep((self.entry["config"] or {}).get("sweep") or {})
        return {key: found.attributes(key) for key in found.values}

    @property
    def sweep_points(self) -> Sequence[Mapping[str, Attribute]]:
        """The combinations of these values that are compared: all of them, or the pairs of a zipped sweep."""
        found = read_sweep((self.entry["config"] or {}).get("sweep") or {})
        if not found.values:
            return []
        return [{key: found.attribute(key, value) for key, value in at.items()} for at in found.points()]

    def curves(self, key: str) -> Mapping[str, np.ndarray]:
        """Return the stored series of a cell.

        Parameters
        ----------
        key : str
            Of the cell, as in the column ``key``.
        """
        with self._reading() as ledger:
            found = ledger.curves(key)
        origin = self._taken.get(key)
        if origin is None or (compared := compared_curves(self.track)) is None:
            return found
        return PublishedSeries(found, compared, cell=f"cell {key}", origin=origin)

    @cached_property
    def _taken(self) -> dict[str, str]:
        """The baseline of each cell that was taken from one."""
        rows = self.cells.select("key", "origin").drop_nulls()
        return dict(rows.filter(rows["origin"] != COMPUTED).iter_rows())

    def front(self) -> Front:
        """Return the front of return against cost of each task, and the places of the methods.

        Raises
        ------
        ConfigError
            If the track has none (:class:`mlopsim.core.track.HasFront`).
        """
        track = fronted(self.track)
        with explained(self._loaded), self._reading():
            return self.marks.front(track.front(self.cells, self.curves))

    def compare(self, a: str, b: str) -> pl.DataFrame:
        """Return the paired difference of the leaderboard's score of two methods, a less b.

        Parameters
        ----------
        a, b : str
            Names of methods, as in the column ``method``.

        Returns
        -------
        polars.DataFrame
            A row for each task and one over those that the leaderboard pools: ``difference`` with ``_low``,
            ``_high``, ``_n`` (seeds, resampled jointly) and ``_reason``; ``from`` where cells of a or b come
            from a baseline.

        Raises
        ------
        ConfigError
            For a method that the results do not have; names the nearest.
        """
        known = list(dict.fromkeys(self.cells["method"].to_list()))
        for name in (a, b):
            if name not in known:
                raise ConfigError(
                    f"these results have no method '{name}'{nearest(name, known)}",
                    remedy=f"one of: {', '.join(known)}",
                )
        if a == b:
            raise ConfigError(f"'{a}' cannot be compared with itself", remedy="name two methods")
        track = self.track
        if not isinstance(track, Scored):
            raise ConfigError(
                f"{track.full_name} does not say how two methods are compared",
                remedy="give it score and compare (see mlopsim.core.track.Scored)",
            )
        given = {"curves": self.curves} if isinstance(track, ReadsCurves) and track.reads_curves else {}
        with explained(self._loaded), self._reading():
            found: pl.DataFrame = track.compare(self.cells, a, b, **given)
        if words := self.marks.between(a, b):
            import polars as pl

            found = found.with_columns(pl.lit(words).alias(COLUMN))
        return found

    def report(self, *, reuse: bool = False) -> Path:
        """Write the page with its figures, ``leaderboard.csv`` and ``config.yaml`` into the folder.

        Parameters
        ----------
        reuse : bool, default False
            Keep the page as it is if it shows the very same cells already.

        Returns
        -------
        Path
            Of the page.

        Raises
        ------
        SectionError
            If a section failed: the page, which is written first, has the others and says why.
        """
        from mlopsim.report.build import write_report

        board_file, stamp_file = self.folder / BOARD, self.folder / STAMP
        stamp = stamp_of(dict(self.entry), self.cells, self._loaded)
        if reuse and is_drawn(stamp, self.folder):
            if self._board is None:
                self._board = read_board(board_file)
            return self.folder / "report.html"
        with self._reading() as ledger:
            with explained(self._loaded):
                board, (sections, unmade) = self.leaderboard, make_sections(self)
            sections = self.marks.sections(sections)
            stamp_file.unlink(missing_ok=True)
            meta = report_meta(ledger, dict(self.entry), self.cells)
            with explained(self._loaded):
                meta["words"], meta["methods"] = in_words(self), methods_view(self)
            page = write_report(self.folder, sections, meta, [*unmade, *not_loaded(self._loaded)])
            write_text(self.folder / "config.yaml", config_text(ledger, dict(self.entry)))
        write_text(board_file, board.write_csv())
        if failed := fault(unmade, page):
            # without a stamp it is drawn, and said, again
            raise failed
        write_text(stamp_file, drawn(stamp, self.folder))
        return page

    def export(self, path: str | Path, *, numbers: bool = False) -> Path:
        """Write the cells, sorted by key, as ``.parquet`` or ``.csv``.

        Parameters
        ----------
        path : str or Path
            Its ending decides the format.
        numbers : bool, default False
            Only the numbers (:attr:`numbers`): equal ones give equal bytes.

        Raises
        ------
        ConfigError
            For another ending.
        """
        from mlopsim.bench.table import check_ending, export, write_table

        check_ending(path)
        if numbers:
            return write_table(self.numbers, path)
        with self._reading() as ledger:
            return export(ledger, path, self.grid)

    @property
    def numbers(self) -> pl.DataFrame:
        """The cells without provenance, in a canonical order (:func:`mlopsim.bench.numbers.numbers`)."""
        from mlopsim.bench.numbers import numbers

        with self._reading() as ledger:
            return numbers(ledger, self.grid)

    @contextmanager
    def _reading(self) -> Iterator[Ledger]:
        """Open the ledger, once for whatever is read inside."""
        if self._open is not None:
            yield self._open
            return
        with Ledger.read(self.folder) as ledger:
            self._open = ledger
            try:
                yield ledger
            finally:
                self._open = None


def open_results(
    folder: str | Path,
    *,
    grid: str | None = None,
    plugins: Sequence[str | Path] = (),
    trust_plugins: bool = False,
) -> Results:
    """Open a results folder.

    Parameters
    ----------
    folder : str or Path
        It is only read, until a report is made.
    grid : str, optional
        (Beginning of) the digest of a grid; the last used by default.
    plugins : sequence of paths
        Plug-in files; those that the folder names are not loaded for being named.
    trust_plugins : bool, default False
        Consent to load plug-ins that lie where the folder says and have the digest that it says.

    Raises
    ------
    LedgerError
        If there is no ledger, or no such grid in it.
    """
    with Ledger.read(folder) as ledger:
        entry = ledger.grid(grid)
    return Results(folder=Path(folder), entry=entry, plugins=tuple(plugins), trust_plugins=trust_plugins)
