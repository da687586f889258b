"""Progress of a run: counts and remaining time, as a bar in a terminal, as log lines elsewhere."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from mlopsim.core.text import visible

if TYPE_CHECKING:
    from rich.console import Console


@dataclass(kw_only=True)
class Counts:
    """Where a run stands. Cells: ``total = cached + kept + done + failed + waiting``.

    ``cached`` were done before, ``done`` and ``failed`` ended in this run, ``kept`` failed before
    and are not tried again. ``fits_*`` count the fits that this run needs.
    """

    total: int = 0
    cached: int = 0
    kept: int = 0
    done: int = 0
    failed: int = 0
    fits_total: int = 0
    fits_cached: int = 0
    fits_done: int = 0
    fits_failed: int = 0
    running: int = 0
    began: float = field(default_factory=time.monotonic)
    cells_began: float | None = None

    @property
    def waiting(self) -> int:
        """Cells that are not finished yet."""
        return self.total - self.cached - self.kept - self.done - self.failed

    @property
    def fits_waiting(self) -> int:
        """Fits that are not finished yet."""
        return self.fits_total - self.fits_cached - self.fits_done - self.fits_failed

    def remaining(self) -> float:
        """Return the seconds that the cells will still take, or NaN before the first ended."""
        rate = self.rate()
        return self.waiting / rate if rate > 0.0 else math.nan

    def rate(self) -> float:
        """Return the cells that ended in a second of this run, or NaN before the first ended."""
        if self.cells_began is None:
            return math.nan
        return _rate(self.done + self.failed, self.cells_began)

    def fit_rate(self) -> float:
        """Return the fits that ended in a second of this run, or NaN before the first ended."""
        return _rate(self.fits_done + self.fits_failed, self.began)

    def fits_remaining(self) -> float:
        """Return the seconds that the fits will still take if they are as long as those before, or NaN."""
        rate = self.fit_rate()
        return self.fits_waiting / rate if rate > 0.0 else math.nan

    def line(self) -> str:
        """Return the counts as one line.

        Examples
        --------
        >>> Counts(total=10, cached=4, done=3, failed=1).line()
        '8/10 cells: 3 done, 4 cached, 1 failed'
        >>> Counts(fits_total=3, fits_done=1, fits_failed=2).line()
        '3/3 fits: 1 done, 0 cached, 2 failed'
        """
        if self.fits_total and not self.total:
            ended = self.fits_total - self.fits_waiting
            parts = [f"{self.fits_done} done", f"{self.fits_cached} cached", f"{self.fits_failed} failed"]
            return f"{ended}/{self.fits_total} fits: {', '.join(parts)}" + self._fits_left()
        parts = [f"{self.done} done", f"{self.cached} cached", f"{self.failed + self.kept} failed"]
        text = f"{self.total - self.waiting}/{self.total} cells: {', '.join(parts)}"
        if self.fits_total > self.fits_cached:
            text += f"; {self.fits_total - self.fits_waiting}/{self.fits_total} fits" + self._fits_left()
        left = self.remaining()
        if not math.isnan(left) and self.waiting:
            text += f"; {pace(self.rate())}, about {clock(left)} left"
        return text

    def _fits_left(self) -> str:
        left = self.fits_remaining()
        if math.isnan(left) or not self.fits_waiting:
            return ""
        return f" ({pace(self.fit_rate())}, about {clock(left)} left)"


def _rate(ended: int, began: float) -> float:
    passed = time.monotonic() - began
    return ended / passed if ended and passed > 0.0 else math.nan


class Progress(Protocol):
    """What the runner tells while it works. All calls come from the coordinator's thread."""

    def start(self, counts: Counts) -> None:
        """Work begins; the counts are those of the plan."""
        ...

    def update(self, counts: Counts, message: str = "") -> None:
        """Something ended, or time passed; ``message`` names a failure or a finished fit."""
        ...

    def finish(self, counts: Counts) -> None:
        """Work is over, also after an error."""
        ...


class Silent:
    """Shows nothing."""

    def start(self, counts: Counts) -> None:
        """Do nothing."""

    def update(self, counts: Counts, message: str = "") -> None:
        """Do nothing."""

    def finish(self, counts: Counts) -> None:
        """Do nothing."""


class RichProgress:
    """A live line in a terminal; without one a log line now and then.

    Parameters
    ----------
    console : rich.console.Console, optional
        Where to; standard error by default.
    every : float, default 10
        Seconds between log lines without a terminal.
    """

    def __init__(self, console: Console | None = None, *, every: float = 10.0) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

        self.console = console or Console(stderr=True)
        self.every = every
        self._last = -math.inf
        self._bar: Progress | None = None
        if self.console.is_terminal:
            self._bar = Progress(
                BarColumn(), TextColumn("{task.description}"), TimeElapsedColumn(), console=self.console
            )
            self._task = self._bar.add_task("")

    def start(self, counts: Counts) -> None:
        """Show the plan."""
        if self._bar is not None:
            self._bar.start()
        self.update(counts)

    def update(self, counts: Counts, message: str = "") -> None:
        """Show the counts; a message is always shown."""
        if message:
            self.console.print(visible(message, lines=True), markup=False, highlight=False, soft_wrap=True)
        if self._bar is not None:
            self._bar.update(
                self._task,
                # fits alone, or cells
                total=counts.total or counts.fits_total,
                completed=counts.total - counts.waiting
                if counts.total
                else counts.fits_total - counts.fits_waiting,
                description=counts.line(),
            )
        elif time.monotonic() - self._last >= self.every:
            self._log(counts)

    def finish(self, counts: Counts) -> None:
        """Show the last counts."""
        if self._bar is not None:
            self.update(counts)
            self._bar.stop()
        else:
            self._log(counts)

    def _log(self, counts: Counts) -> None:
        self._last = time.monotonic()
        self.console.print(counts.line(), markup=False, highlight=False, soft_wrap=True)


def clock(seconds: float) -> str:
    """Return a time as people write it.

    Examples
    --------
    >>> clock(7.2), clock(95), clock(7320)
    ('7 s', '1 min 35 s', '2 h 2 min')
    """
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


def pace(rate: float) -> str:
    """Return a rate as people say it.

    Parameters
    ----------
    rate : float
        In a second.

    Examples
    --------
    >>> pace(123.4), pace(2.345), pace(0.1), pace(0.001)
    ('123/s', '2.3/s', '6.0/min', '3.6/h')
    """
    for unit, seconds in (("s", 1.0), ("min", 60.0), ("h", 3600.0)):
        if rate * seconds >= 0.95 or unit == "h":
            break
    number = rate * seconds
    return f"{number:.0f}/{unit}" if number >= 100.0 else f"{number:.1f}/{unit}"
