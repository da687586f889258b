"""Where a results folder stands: what is done, failed and missing, read row by row."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mlopsim.bench.cells import read_cells, read_pairs
from mlopsim.bench.ledger import Ledger
from mlopsim.bench.schema import COMPUTED, ELSEWHERE
from mlopsim.bench.shards import Shard, of_runs


@dataclass(frozen=True, kw_only=True)
class Wrong:
    """A cell that did not end well: its status, what it is, and the stored error."""

    status: str
    label: str
    error: str


@dataclass(kw_only=True)
class Standing:
    """Counts of one grid of a results folder.

    Parameters
    ----------
    title, digest : str
        Of the grid.
    cells : int
        Cells of the grid.
    by_status : Counter
        Cells by ``done``, ``missing``, ``failed``, ``timeout``, ``crashed``.
    by_method : dict of str to Counter
        The same for each method.
    fits, fits_done : int
        Fits that its cells name, and how many of them are done.
    wrong : list of Wrong
        Cells that did not end well.
    last_run : mapping, optional
        ``status`` and ``started`` of the last run in the folder.
    others : list of mapping
        ``title`` and ``digest`` of the other grids in the folder.
    shards : list of Shard
        Parts of the grid that were run here or merged.
    dealt : int
        Cells that these parts have.
    taken : Counter
        Cells that were taken from a baseline, by the digest of its file.
    """

    title: str
    digest: str
    cells: int
    by_status: Counter[str] = field(default_factory=Counter)
    by_method: dict[str, Counter[str]] = field(default_factory=dict)
    fits: int = 0
    fits_done: int = 0
    wrong: list[Wrong] = field(default_factory=list)
    last_run: Mapping[str, Any] | None = None
    others: list[Mapping[str, Any]] = field(default_factory=list)
    shards: list[Shard] = field(default_factory=list)
    dealt: int = 0
    taken: Counter[str] = field(default_factory=Counter)


def standing(folder: str | Path, grid: str | None = None) -> Standing:
    """Read where a results folder stands; no component is built and no plug-in loaded.

    Parameters
    ----------
    folder : str or Path
        A results folder.
    grid : str, optional
        (Beginning of) the digest of a grid; the last used by default.

    Raises
    ------
    LedgerError
        If there is no such ledger or grid, or a row does not agree with its digest.
    """
    needed: dict[str, None] = {}
    with Ledger.read(folder) as ledger:
        entry = ledger.grid(grid)
        found = Standing(title=entry["title"], digest=entry["digest"], cells=entry["cells"])
        pairs = read_pairs(ledger, entry)
        for rows in read_cells(ledger, entry):
            for row in rows:
                status, pair = row.status or "missing", pairs[row.pair]
                found.by_status[status] += 1
                found.by_method.setdefault(pair["method"], Counter())[status] += 1
                if row.origin not in (None, COMPUTED):
                    found.taken[row.origin] += 1
                if row.fit is not None:
                    needed[row.fit] = None
                if row.error:
                    label = f"{pair['task']} / {pair['method']} / seed {row.seed} ({row.key})"
                    found.wrong.append(Wrong(status=status, label=label, error=row.error))
        fits = ledger.fit_statuses()
        found.fits, found.fits_done = len(needed), sum(fits.get(key) == "done" for key in needed)
        found.others = [
            {name: other[name] for name in ("title", "digest")}
            for other in ledger.grids()
            if other["digest"] != entry["digest"]
        ]
        runs = ledger.runs()
        found.shards = of_runs(runs, entry["digest"])
        dealt = {run["record"].get("shard"): run["record"].get("dealt", 0) for run in runs}
        found.dealt = sum(dealt[str(shard)] for shard in found.shards)
        # those that a baseline tells of took place elsewhere
        if own := [run for run in runs if run["status"] != ELSEWHERE]:
            found.last_run = {name: own[-1][name] for name in ("status", "started")}
    return found
