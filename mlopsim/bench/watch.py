"""How a run goes, of this or another process: read from its ledger, which is never written."""

from __future__ import annotations

import datetime
import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mlopsim.bench.ledger import Ledger
from mlopsim.bench.progress import clock, pace
from mlopsim.bench.provenance import host

#: the last that ended, by which the rate is known
RECENT = 200


@dataclass(frozen=True, kw_only=True)
class Ended:
    """A cell or a fit that ended: what it is, how, and after how many processor seconds."""

    label: str
    status: str
    seconds: float


@dataclass(kw_only=True)
class Look:
    """Where a run stands at one moment.

    Parameters
    ----------
    title, grid : str
        Of the grid that was used last.
    total : int
        Cells: of a shard those that were dealt to it.
    cells, fits : Counter
        By status; fits that the cells name.
    fits_total : int
    running : bool
        Whether a process works on it.
    run : str
        How the last run ended, ``running`` or ``killed``; empty before the first.
    rate, fit_rate : float
        Cells and fits that ended in a second, by the last 200 of this run; NaN before the first.
    last_cell, last_fit : Ended, optional
        What ended last in this run.
    """

    title: str
    grid: str
    total: int
    fits_total: int
    cells: Counter[str] = field(default_factory=Counter)
    fits: Counter[str] = field(default_factory=Counter)
    running: bool = False
    run: str = ""
    rate: float = math.nan
    fit_rate: float = math.nan
    last_cell: Ended | None = None
    last_fit: Ended | None = None

    @property
    def done(self) -> int:
        """Cells that are done."""
        return self.cells["done"]

    @property
    def failed(self) -> int:
        """Cells that ended otherwise."""
        return self.cells.total() - self.done

    @property
    def waiting(self) -> int:
        """Cells that have not ended."""
        return max(0, self.total - self.cells.total())

    @property
    def complete(self) -> bool:
        """Whether every cell is done."""
        return self.done >= self.total

    def lines(self) -> list[str]:
        """Return what is shown: cells, fits, what ended last.

        Examples
        --------
        >>> look = Look(title="quick-v3", grid="0f", total=10, fits_total=0, running=True, rate=0.5)
        >>> look.cells["done"] = 4
        >>> look.lines()
        ['cells: 4 of 10 done, 6 to come; 30.0/min, about 12 s left']
        """
        said = [f"{self.done} of {self.total} done"]
        said += [f"{count} {status}" for status, count in sorted(self.cells.items()) if status != "done"]
        said += [f"{self.waiting} to come"] * bool(self.waiting)
        lines = ["cells: " + ", ".join(said) + self._left(self.waiting, self.rate)]
        if self.fits_total:
            made = self.fits.total()
            said = [f"{self.fits['done']} of {self.fits_total} done"]
            said += [f"{count} {status}" for status, count in sorted(self.fits.items()) if status != "done"]
            lines.append("fits: " + ", ".join(said) + self._left(self.fits_total - made, self.fit_rate))
        for what, last in (("cell", self.last_cell), ("fit", self.last_fit)):
            if last is not None:
                lines.append(f"last {what}: {last.label}: {last.status}, {clock(last.seconds)}")
        return lines

    def _left(self, waiting: int, rate: float) -> str:
        if not self.running or not waiting or math.isnan(rate):
            return ""
        return f"; {pace(rate)}, about {clock(waiting / rate)} left"


def look(folder: str | Path, grid: str | None = None) -> Look:
    """Look where the last run of a results folder stands; nothing is locked and nothing written.

    Counts only: what is stored is not checked by its seals (``mlopsim status`` does), so that looking again
    and again costs a large run nothing.

    Parameters
    ----------
    folder : str or Path
    grid : str, optional
        (Beginning of) the digest of a grid; the last used by default.

    Raises
    ------
    LedgerError
        If there is no such ledger or grid.
    """
    with Ledger.read(folder) as ledger:
        entry = ledger.grid(grid)
        number = (entry["id"],)
        runs = [run for run in ledger.runs() if run["grid"] == entry["digest"]]
        last = runs[-1] if runs else None
        named = "SELECT DISTINCT fit FROM member WHERE grid = ? AND fit IS NOT NULL"
        found = Look(
            title=entry["title"],
            grid=entry["digest"],
            total=entry["cells"],
            fits_total=len(ledger.rows(named, number)),
        )
        by_cell = (
            "SELECT c.status, count(*) FROM member m JOIN cell c ON c.key = m.key WHERE m.grid = ? GROUP BY 1"
        )
        found.cells.update(dict(ledger.rows(by_cell, number)))
        by_fit = f"SELECT status, count(*) FROM fit WHERE key IN ({named}) GROUP BY 1"
        found.fits.update(dict(ledger.rows(by_fit, number)))
        if last is None:
            return found
        if (dealt := last["record"].get("dealt")) is not None:
            # a folder may hold several shards, one run after another
            several = {run["record"].get("shard"): run["record"].get("dealt", 0) for run in runs}
            found.total = min(entry["cells"], sum(several.values()) if None not in several else dealt)
        found.running = last["status"] == "running" and _lives(last["record"], last["started"])
        found.run = "killed" if last["status"] == "running" and not found.running else last["status"]
        found.rate, found.fit_rate = (_rate(ledger, table, last) for table in ("cell", "fit"))
        cells = ledger.rows(
            "SELECT p.task || ' / ' || p.method || ' / seed ' || m.seed, c.status, c.seconds FROM cell c "
            "JOIN member m ON m.key = c.key JOIN pair p ON p.grid = m.grid AND p.number = m.pair "
            "WHERE c.rowid = (SELECT max(rowid) FROM cell WHERE run = ?) AND m.grid = ?",
            (last["id"], *number),
        )
        fits = ledger.rows(
            "SELECT label, status, seconds FROM fit WHERE rowid = (SELECT max(rowid) FROM fit WHERE run = ?)",
            (last["id"],),
        )
        ended = [[Ended(label=a, status=b, seconds=c or 0.0) for a, b, c in rows] for rows in (cells, fits)]
        found.last_cell, found.last_fit = (rows[0] if rows else None for rows in ended)
    return found


def _rate(ledger: Ledger, table: str, run: Mapping[str, Any]) -> float:
    """Return how many rows of a run came in a second, by the last of them."""
    # a row that is written again gets a new rowid: they are in the order of their end
    query = f"SELECT finished FROM {table} WHERE run = ? ORDER BY rowid DESC LIMIT {RECENT + 1}"
    times = [_moment(row[0]) for row in ledger.rows(query, (run["id"],))]
    if not times:
        return math.nan
    began = times[-1] if len(times) > RECENT else _moment(run["started"])
    # of a run that ended, or whose clock is ahead of ours, time stops with its last row
    until = max(times[0], _now()) if run["status"] == "running" else times[0]
    passed = (until - began).total_seconds()
    return min(len(times), RECENT) / passed if passed > 0.0 else math.nan


def _moment(text: str) -> datetime.datetime:
    return datetime.datetime.fromisoformat(text)


def _now() -> datetime.datetime:
    return datetime.datetime.now(datetime.UTC)


def _lives(record: Mapping[str, Any], started: str) -> bool:
    """Tell whether the process of a run still exists; of another machine nobody knows, and it is believed."""
    import psutil

    if record.get("host") != host() or "pid" not in record:
        return True
    try:
        # another process may have got its number since
        return bool(psutil.Process(record["pid"]).create_time() <= _moment(started).timestamp() + 1.0)
    except psutil.NoSuchProcess:
        return False
