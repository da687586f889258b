"""How a run ended."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from mlopsim.bench.ledger import Status
from mlopsim.bench.progress import Counts


@dataclass(frozen=True, kw_only=True)
class Failure:
    """A cell or fit that did not end well: its key, label, status and traceback."""

    key: str
    label: str
    status: Status
    error: str

    @property
    def last_line(self) -> str:
        """The line that says most: the last of a traceback, the first of a crash or timeout."""
        return telling_line(self.error, self.status)


def telling_line(error: str, status: str) -> str:
    """Return the line of a stored error that says most, with the remedy if it names one.

    Examples
    --------
    >>> telling_line("Traceback ...\\n  x\\nDataError: no rows\\n  remedy: use more", "failed")
    'DataError: no rows (remedy: use more)'
    """
    lines = [line.strip() for line in error.splitlines() if line.strip()]
    if not lines:
        return status
    if status != "failed":
        return lines[0]
    if lines[-1].startswith("remedy: ") and len(lines) > 1:
        return f"{lines[-2]} ({lines[-1]})"
    return lines[-1]


@dataclass(kw_only=True)
class Summary:
    """How a run ended; ``counts`` as in :class:`mlopsim.bench.progress.Counts`."""

    grid: str
    title: str
    run: str
    folder: Path
    counts: Counts
    seconds: float = 0.0
    stopped: bool = False
    failures: list[Failure] = field(default_factory=list)
    notes: tuple[str, ...] = ()

    @property
    def complete(self) -> bool:
        """Whether every cell of the grid is done."""
        return self.counts.cached + self.counts.done == self.counts.total
