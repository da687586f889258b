"""What to run next: retries, then fits whose needs are done, then bundles of cells."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from mlopsim.core.track import Cell, FitJob, Track


@dataclass(frozen=True, kw_only=True)
class Work:
    """One unit to dispatch: a fit or cells; ``strikes`` counts the crashes it was in."""

    fit: FitJob | None = None
    cells: tuple[Cell, ...] = ()
    strikes: int = 0


class Schedule:
    """Cells and fits of a run that are still to be done, in dependency order.

    Fits come first; a worker that finds none that can start takes cells whose fits are done, so
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
        Most cells in one job.
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

    def next(self) -> Work | None:
        """Return the next unit, or None if there is none that can start now."""
        if self._retries:
            return self._retries.popleft()
        for number, job in enumerate(self._fits):
            if self._done.issuperset(job.needs):
                return Work(fit=self._fits.pop(number))
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
        """Put the cells of a bundle back one by one: the culprit is then alone."""
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
