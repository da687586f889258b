"""What to run next: retries, then fits whose needs are done, then bundles of cells."""

from __future__ import annotations

import heapq
import math
from collections import Counter, deque
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
        self._done = set(done)
        self._retries: deque[Work] = deque()
        self._bundles: deque[Work] = deque()
        self._cells = dict(enumerate(cells))
        #: places of cells that can start, and of those that wait for a fit; with a place goes the order
        self._ready: list[int] = []
        self._waiting: dict[str, list[int]] = {}
        for place, cell in self._cells.items():
            if cell.fit is None or cell.fit in self._done:
                self._ready.append(place)
            else:
                self._waiting.setdefault(cell.fit, []).append(place)
        self._fits = dict(enumerate(fits))
        self._names = {place: self._bundle_of(job, place) for place, job in self._fits.items()}
        self._left = Counter(self._names.values())
        self._shares: dict[str | int, int] = {}
        self._small = math.ceil(len(fits) / (SMALL * slots))
        #: how many needs of a fit are still to come, and who waits for a fit
        self._lacking: dict[int, int] = {}
        self._dependents: dict[str, list[int]] = {}
        #: fits that can start, all and by bundle: the smallest place is the next one
        self._startable: list[int] = []
        self._startable_of: dict[str | int, list[int]] = {}
        for place, job in self._fits.items():
            missing = set(job.needs) - self._done
            self._lacking[place] = len(missing)
            for need in missing:
                self._dependents.setdefault(need, []).append(place)
            if not missing:
                self._can_start(place)

    def next(self) -> Work | None:
        """Return the next unit, or None if there is none that can start now."""
        if self._retries:
            return self._retries.popleft()
        while self._startable:
            place = heapq.heappop(self._startable)
            if place in self._fits:
                return Work(make=self._together(self._names[place]))
        if not self._bundles and self._ready:
            ready = [self._cells.pop(place) for place in sorted(self._ready)]
            self._ready.clear()
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
        if key in self._done:
            return
        self._done.add(key)
        self._ready.extend(self._waiting.pop(key, ()))
        for place in self._dependents.pop(key, ()):
            self._lacking[place] -= 1
            if not self._lacking[place] and place in self._fits:
                self._can_start(place)

    def fit_failed(self, key: str) -> tuple[list[FitJob], list[Cell]]:
        """Tell that a fit failed; return (and forget) the fits and cells that needed it."""
        stack = [key]
        fits: dict[int, FitJob] = {}
        cells: list[int] = []
        while stack:
            lost = stack.pop()
            cells.extend(self._waiting.pop(lost, ()))
            for place in self._dependents.pop(lost, ()):
                if place in self._fits:
                    fits[place] = self._take(place)
                    stack.append(fits[place].key)
        return [fits[place] for place in sorted(fits)], [self._cells.pop(place) for place in sorted(cells)]

    def _can_start(self, place: int) -> None:
        heapq.heappush(self._startable, place)
        heapq.heappush(self._startable_of.setdefault(self._names[place], []), place)

    def _bundle_of(self, job: FitJob, place: int) -> str | int:
        """Return the name of a fit's bundle; a fit that is made alone has its place for a name."""
        return self._track.fit_bundle(job) if isinstance(self._track, BundlesFits) else place

    def _together(self, name: str | int) -> tuple[FitJob, ...]:
        """Return the next fits of a bundle that can start now, a worker's share of them at most."""
        if name not in self._shares:
            # What the fits of a bundle share is made once for each piece, so few pieces; but where a bundle
            # is large among all fits, pieces for all workers: the last one must not keep them waiting.
            share = max(LEAST_FITS, math.ceil(self._left[name] / self._slots), self._small)
            self._shares[name] = min(self._max_bundle, share)
        startable = self._startable_of[name]
        taken: list[FitJob] = []
        while startable and len(taken) < self._shares[name]:
            place = heapq.heappop(startable)
            if place in self._fits:
                taken.append(self._take(place))
        return tuple(taken)

    def _take(self, place: int) -> FitJob:
        self._left[self._names[place]] -= 1
        return self._fits.pop(place)

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
