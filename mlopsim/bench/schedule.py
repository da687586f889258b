"""What to run next: retries, then fits whose needs are done, then bundles of cells."""

from __future__ import annotations

import itertools
import math
from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from mlopsim.core.track import BundlesFits, Cell, FitJob, Track

#: a bundle of fits is not cut into smaller pieces
LEAST_FITS = 4
#: nor is one that holds less than this part of a worker's share of all fits: 1 / SMALL
SMALL = 2


@dataclass(frozen=True, kw_only=True)
class Work:
    """One unit to dispatch: fits or cells; ``strikes`` counts the crashes it was in."""

    make: tuple[FitJob, ...] = ()
    cells: tuple[Cell, ...] = ()
    strikes: int = 0

    @property
    def size(self) -> int:
        """How many fits or cells it holds."""
        return max(len(self.make), len(self.cells))

    @property
    def key(self) -> str:
        """Key of its first fit or cell."""
        return self.make[0].key if self.make else self.cells[0].key


class Schedule:
    """Cells and fits of a run that are still to be done, in dependency order.

    Fits come first, those of one bundle together where the track can make them so; a worker that
    finds none that can start takes cells whose fits are done, so
    that one long fit does not leave the others idle.

    Parameters
    ----------
    track : Track
        Gives the bundle of a cell.
    cells : sequence of Cell
        Those that are to be run.
    fits : sequence of FitJob
        Those that are to be made, each after its needs.
    done : iterable of str
        Keys of fits that exist already.
    slots : int
        How many jobs run at once.
    max_bundle : int
        Most cells or fits in one job.
    """

    def __init__(
        self,
        track: Track,
        cells: Sequence[Cell],
        fits: Sequence[FitJob],
        done: Iterable[str],
        slots: int,
        max_bundle: int,
    ) -> None:
        self._track = track
        self._slots = slots
        self._max_bundle = max_bundle
        self._cells = list(cells)
        self._fits = list(fits)
        self._done = set(done)
        self._retries: deque[Work] = deque()
        self._bundles: deque[Work] = deque()
        self._shares: dict[str, int] = {}
        self._small = math.ceil(len(fits) / (SMALL * slots))

    def next(self) -> Work | None:
        """Return the next unit, or None if there is none that can start now."""
        if self._retries:
            return self._retries.popleft()
        for job in self._fits:
            if self._done.issuperset(job.needs):
                make = self._together(job)
                self._fits = [other for other in self._fits if other not in make]
                return Work(make=make)
        if not self._bundles:
            ready = [cell for cell in self._cells if cell.fit is None or cell.fit in self._done]
            if ready:
                self._cells = [c for c in self._cells if c.fit is not None and c.fit not in self._done]
                self._bundles.extend(Work(cells=cells) for cells in self._bundle(ready))
        return self._bundles.popleft() if self._bundles else None

    def retry(self, work: Work) -> None:
        """Put a unit back, before everything else."""
        self._retries.append(work)

    def retry_singly(self, work: Work, strikes: int) -> None:
        """Put what is in a bundle back one by one: the culprit is then alone."""
        self._retries.extend(Work(make=(job,), strikes=strikes) for job in work.make)
        self._retries.extend(Work(cells=(cell,), strikes=strikes) for cell in work.cells)

    def fit_done(self, key: str) -> None:
        """Tell that a fit is finished and stored."""
        self._done.add(key)

    def fit_failed(self, key: str) -> tuple[list[FitJob], list[Cell]]:
        """Tell that a fit failed; return (and forget) the fits and cells that needed it."""
        lost = {key}
        fits: list[FitJob] = []
        while more := [job for job in self._fits if lost.intersection(job.needs)]:
            fits.extend(more)
            lost.update(job.key for job in more)
            self._fits = [job for job in self._fits if job.key not in lost]
        cells = [cell for cell in self._cells if cell.fit in lost]
        self._cells = [cell for cell in self._cells if cell.fit not in lost]
        return fits, cells

    def _together(self, job: FitJob) -> tuple[FitJob, ...]:
        """Return a fit and those of its bundle that can start now, a worker's share of them at most."""
        if not isinstance(self._track, BundlesFits):
            return (job,)
        name = self._track.fit_bundle(job)
        if name not in self._shares:
            whole = sum(self._track.fit_bundle(other) == name for other in self._fits)
            # What the fits of a bundle share is made once for each piece, so few pieces; but where a bundle
            # is large among all fits, pieces for all workers: the last one must not keep them waiting.
            share = max(LEAST_FITS, math.ceil(whole / self._slots), self._small)
            self._shares[name] = min(self._max_bundle, share)
        ready = (
            other
            for other in self._fits
            if self._done.issuperset(other.needs) and self._track.fit_bundle(other) == name
        )
        return tuple(itertools.islice(ready, self._shares[name]))

    def _bundle(self, cells: Sequence[Cell]) -> list[tuple[Cell, ...]]:
        groups: dict[str, list[Cell]] = {}
        for cell in cells:
            groups.setdefault(self._track.bundle(cell), []).append(cell)
        # a few bundles per worker at least, so that none waits long for the last one
        size = min(self._max_bundle, max(1, math.ceil(len(cells) / (4 * self._slots))))
        pieces = {
            name: [tuple(group[i : i + size]) for i in range(0, len(group), size)]
            for name, group in groups.items()
        }
        # one piece of each World in turn: two workers rarely build the same World
        longest = max(len(parts) for parts in pieces.values())
        return [parts[turn] for turn in range(longest) for parts in pieces.values() if turn < len(parts)]
