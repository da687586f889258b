"""The finished cells of a grid as a baseline: one Parquet file with the fits that they name."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from mlopsim.bench.baseline_columns import FORMAT
from mlopsim.bench.baseline_rows import Line, write_lines
from mlopsim.bench.cells import read_cells, read_pairs
from mlopsim.bench.ledger import Ledger
from mlopsim.bench.ledgerfile import damaged
from mlopsim.bench.made_by import check_makers, makers_of
from mlopsim.bench.plugins import explained, load_stored
from mlopsim.bench.schema import COMPUTED
from mlopsim.bench.storage import to_json
from mlopsim.core.errors import ConfigError
from mlopsim.core.registry import find
from mlopsim.core.track import Cell, FitJob, Method, Task, compared_curves

#: what is kept of a run: nothing of a person's machine that no number depends on
RECORD = ("git", "code", "versions", "fingerprint", "platform")
TITLE = re.compile(r"(?P<name>.+)-v(?P<version>\d+)(?P<modified> \(modified\))?")


def write_baseline(
    ledger: Ledger, path: str | Path, grid: str | None = None, *, plugins: Sequence[str | Path] = ()
) -> Path:
    """Write the cells of a grid that were computed here, with their fits, as one Parquet file.

    Parameters
    ----------
    ledger : Ledger
        An open ledger; it is only read.
    path : str or Path
        Target, which ends in ``.parquet``.
    grid : str, optional
        (Beginning of) the digest of a grid; the last used by default.
    plugins : sequence of paths
        Files with the track, where it is not ours: it says which series are published
        (:func:`mlopsim.core.track.compared_curves`).

    Returns
    -------
    Path
        The path.

    Raises
    ------
    ConfigError
        For another ending, if a cell is not done, or if cells or their fits were computed by two states of
        the code.
    LedgerError
        If what is stored does not agree with its digests.
    """
    path = Path(path)
    if path.suffix != ".parquet":
        raise ConfigError(
            f"a baseline is no {path.suffix or path.name} file", remedy="end the name in .parquet"
        )
    entry = ledger.grid(grid)
    found = TITLE.fullmatch(str(entry["title"]))
    if found is None:
        raise ConfigError(
            f"'{entry['title']}' is no suite with a version, and gives no baseline",
            remedy="give the suite a name and a suite_version",
        )
    rows = [row for piece in read_cells(ledger, entry) for row in piece]
    undone = [row for row in rows if row.status != "done"]
    if undone:
        raise ConfigError(
            f"{len(undone)} of {len(rows)} cells of {entry['title']} are not done: "
            "no baseline is made of a part",
            remedy=f"run the suite again: mlopsim bench results={ledger.folder}",
        )
    rows = [row for row in rows if row.origin == COMPUTED]
    if not rows:
        raise ConfigError(
            f"no cell of {entry['title']} was computed in {ledger.folder}: all are of a baseline",
            remedy="take that file",
        )
    check_makers(makers_of(ledger, entry["digest"]))
    with explained(load_stored(entry["plugins"], plugins)):
        compared = compared_curves(find("track", entry["track"]["name"]))
    pairs = read_pairs(ledger, entry)
    used = [pairs[number] for number in sorted({row.pair for row in rows})]
    tasks, methods = _named(ledger, "task", used), _named(ledger, "method", used)
    common = {name: {pair[name] for pair in used} for name in ("track", "split", "root")}
    for name, values in common.items():
        if len(values) != 1:
            raise ConfigError(
                f"{entry['title']} has cells of several values of {name}: no baseline holds them",
                remedy="run one of them, in a folder of its own",
            )
    track, split, root = (next(iter(common[name])) for name in ("track", "split", "root"))
    fits = _Fits(ledger)
    brought = [fits.of(row.fit) for row in rows]
    for row in rows:
        # what the reader will do: a key that is not made again from the parts is an error now
        pair = pairs[row.pair]
        again = Cell(
            track=track,
            task=_task(tasks[pair["task"]]),
            method=_method(methods[pair["method"]]),
            seed=row.seed,
            split=split,
            root=root,
            fit=row.fit,
        )
        if again.key != row.member or (row.fit is not None and fits.jobs[row.fit].key != row.fit):
            raise damaged(ledger.folder, f"the parts of cell {row.member} do not give its key")
    lines = [
        Line(
            task=pairs[row.pair]["task"],
            method=pairs[row.pair]["method"],
            seed=row.seed,
            fit=None if row.fit is None else fits.numbers[row.fit],
            metrics=json.loads(row.metrics or "{}"),
            curves={} if row.curves in (None, "[]") else ledger.curves(row.member, compared),
            reasons=row.reasons,
            attributes=row.attributes,
            seconds=row.seconds,
            fingerprint=row.fingerprint,
            run=row.run,
            fits=several,
        )
        for row, several in zip(rows, brought, strict=True)
    ]
    runs = {run["id"]: run["record"] for run in ledger.runs()}
    named = {row.run for row in rows} | {fit["run"] for several in brought for fit in several or ()}
    header = {
        "format": FORMAT,
        "suite": {
            "name": found["name"],
            "version": int(found["version"]),
            "modified": found["modified"] is not None,
        },
        "track": entry["track"],
        "track_version": track,
        "split": split,
        "root": root,
        "metrics": [asdict(metric) for metric in entry["metrics"]],
        "config": entry["config"],
        "plugins": [{"name": Path(p["path"]).name, "digest": p.get("digest")} for p in entry["plugins"]],
        "tasks": list(tasks.values()),
        "methods": list(methods.values()),
        "runs": {
            run: {name: runs[run][name] for name in RECORD if name in runs.get(run, {})}
            for run in sorted(str(name) for name in named if name in runs)
        },
    }
    return write_lines(path, header, lines)


def _task(entry: Mapping[str, Any]) -> Task:
    return Task(name=entry["name"], part=entry["part"], attributes=entry["attributes"])


def _method(entry: Mapping[str, Any]) -> Method:
    return Method(name=entry["name"], part=entry["part"], attributes=entry["attributes"])


def _named(ledger: Ledger, kind: str, pairs: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Return the tasks or methods of pairs by name, with part and attributes."""
    found: dict[str, dict[str, Any]] = {}
    digests: dict[str, tuple[str, str]] = {}
    for pair in pairs:
        name, what = pair[kind], (pair[f"{kind}_digest"], pair[f"{kind}_attributes"])
        if digests.setdefault(name, what) != what:
            raise ConfigError(
                f"two {kind}s are called '{name}': no baseline is made of them",
                remedy="give them names that differ",
            )
        if name not in found:
            found[name] = {"name": name, "part": ledger.spec(what[0]), "attributes": json.loads(what[1])}
    return found


class _Fits:
    """Numbers fits in the order in which cells need them; each is brought by the first row that needs it."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self.numbers: dict[str, int] = {}
        self.jobs: dict[str, FitJob] = {}

    def of(self, key: str | None) -> list[dict[str, Any]] | None:
        """Return the fits that a cell is the first to need, needs first."""
        if key is None or key in self.numbers:
            return None
        brought: list[dict[str, Any]] = []
        stack = [key]
        while stack:
            top = stack[-1]
            if top in self.numbers:
                stack.pop()
                continue
            job = self.jobs.setdefault(top, self._ledger.fit_job(top))
            if waiting := [need for need in job.needs if need not in self.numbers]:
                stack.extend(waiting)
                continue
            stack.pop()
            row = self._ledger.sealed_rows("fit", "WHERE key=?", (top,))[0]
            if row[5] != "done":
                raise ConfigError(
                    f"the fit {job.label} is {row[5]}, and cells name it", remedy="run the suite again"
                )
            self.numbers[top] = len(self.numbers)
            brought.append(
                {
                    "number": self.numbers[top],
                    "label": job.label,
                    "part": to_json(job.part),
                    "needs": [self.numbers[need] for need in job.needs],
                    "attributes": row[6],
                    "info": row[7],
                    "arrays": row[8],
                    "seconds": row[10],
                    "fingerprint": row[12],
                    "run": row[13],
                }
            )
        return brought
