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
        lines = [line.strip() for line in self.error.splitlines() if line.strip()]
        if not lines:
            return self.status
        return lines[-1] if self.status == "failed" else lines[0]


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
