"""Recompute one stored cell, or its fits too, and compare exactly."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, cast

import numpy as np

from mlopsim.bench.executors import Local
from mlopsim.bench.grid import describe
from mlopsim.bench.identity import current, foreign_parts, proof
from mlopsim.bench.ledger import Ledger
from mlopsim.bench.plugins import explained, load_stored
from mlopsim.bench.schema import COMPUTED
from mlopsim.bench.worker import Context, Job, Reply
from mlopsim.core.errors import LedgerError, MlopsimError
from mlopsim.core.spec import make, part_of
from mlopsim.core.track import Attribute, Cell, FitResult, Track

#: what is promised between machines that differ
TOLERANCE = 1e-9


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """One number or array, stored and computed again. ``difference`` is the largest relative one."""

    name: str
    stored: str
    again: str
    equal: bool
    difference: float


@dataclass(kw_only=True)
class RerunReport:
    """What came out of a rerun.

    ``promise`` is ``bit-identical`` on the platform that the cell came from, ``1e-9 relative`` on
    another one, and ``none`` if a component has another version now (``changed`` names them).
    """

    key: str
    label: str
    promise: str
    changed: list[str] = field(default_factory=list)
    comparisons: list[Comparison] = field(default_factory=list)

    @property
    def identical(self) -> bool:
        """Whether everything is equal to the bit."""
        return all(item.equal for item in self.comparisons)

    @property
    def kept(self) -> bool:
        """Whether the promise that applies was kept (no promise is never broken)."""
        if self.promise == "bit-identical":
            return self.identical
        return self.promise == "none" or all(item.difference <= TOLERANCE for item in self.comparisons)

    def text(self) -> str:
        """Return the comparison, for people."""
        lines = [f"{self.label} ({self.key})", f"  promise: {self.promise}"]
        lines += [f"  changed since: {name}" for name in self.changed]
        for item in self.comparisons:
            verdict = "equal" if item.equal else f"DIFFERENT (relative {item.difference:.3g})"
            lines.append(f"  {item.name}: {item.stored} -> {item.again}  {verdict}")
        kept = "kept" if self.kept else "BROKEN"
        lines.append(f"  {'identical to the bit' if self.identical else 'not identical'}; promise {kept}")
        return "\n".join(lines)


def rerun(
    results_dir: str | Path,
    key: str,
    *,
    deep: bool = False,
    plugins: Sequence[str | Path] = (),
    trust: bool = False,
    worker: Local | None = None,
) -> RerunReport:
    """Recompute a stored cell in a fresh worker and compare it exactly.

    Parameters
    ----------
    results_dir : str or Path
        The results folder; it is only read.
    key : str
        (Beginning of) the cell's key.
    deep : bool, default False
        Remake the fits that the cell names too, and compare them.
    plugins : sequence of paths
        Plug-in files to load; those that the folder names are not loaded for being named.
    trust : bool, default False
        Consent to load plug-ins that lie where the folder says and have the digest that it says.
    worker : Local, optional
        A worker of one's own for several cells in turn, which stays open; else a fresh one.

    Returns
    -------
    RerunReport
        Per metric, curve and fit: stored, again, equal or not; and the promise that applied.

    Raises
    ------
    LedgerError
        If the cell is unknown or not done.
    MlopsimError
        If the computation fails now.
    """
    with Ledger.read(results_dir) as ledger:
        cell = ledger.find_cell(key)
        stored = ledger.outcome(cell.key)
        with_facts = ledger.knows_attributes("cell", cell.key)
        entry = ledger.grid_of(cell.key)
        loaded = load_stored(entry["plugins"], plugins, trust=trust)
        with explained(loaded):
            track = cast(Track, make("track", current(entry["track"])))
            # looks every component up: one of a plug-in that was not loaded is named here
            foreign_parts([cell.task.part, cell.method.part])
        # the track's own version may have changed: then the report says so
        context = Context(track=part_of(track), plugins=loaded.files, proof=proof())
        select = "SELECT fingerprint, origin FROM cell WHERE key=?"
        fingerprint, origin = ledger.rows(select, (cell.key,))[0]
        fingerprints = {fingerprint}
        parts: list[Any] = [entry["track"], cell.task.part, cell.method.part]
        backend = Local(1) if worker is None else worker
        comparisons: list[Comparison] = []
        try:
            made: dict[str, FitResult] = {}
            _check_fit_is_here(ledger, cell, origin)
            if cell.fit is not None and not deep:
                made[cell.fit] = ledger.fit_result(cell.fit)
            for fit in _chain(ledger, cell.fit) if deep else []:
                job = ledger.fit_job(fit)
                parts.append(job.part)
                fingerprints.update(
                    row[0] for row in ledger.rows("SELECT fingerprint FROM fit WHERE key=?", (fit,))
                )
                reply = _perform(
                    backend,
                    context,
                    Job(
                        make=(replace(job, part=current(job.part)),),
                        fits={need: made[need] for need in job.needs},
                    ),
                    job.label,
                )
                made[fit] = reply.made[0]
                facts = ledger.knows_attributes("fit", fit)
                comparisons += _compare_fit(job.label, ledger.fit_result(fit), made[fit], facts)
            fits = {cell.fit: made[cell.fit]} if cell.fit is not None else {}
            reply = _perform(backend, context, Job(cells=(_current_cell(cell),), fits=fits), describe(cell))
        finally:
            if worker is None:
                backend.close(kill=True)
    again = reply.outcomes[0]
    for name in sorted({*stored.metrics, *again.metrics}):
        comparisons.append(_compare(name, stored.metrics.get(name), again.metrics.get(name)))
    # a baseline holds those series that its track publishes
    series = {*stored.curves, *(again.curves if origin == COMPUTED else ())}
    for name in sorted(series):
        comparisons.append(_compare(f"curve {name}", stored.curves.get(name), again.curves.get(name)))
    if with_facts:
        comparisons += _compare_attributes(
            "", stored.attributes, again.attributes, getattr(track, "per_platform", ())
        )
    changed = foreign_parts(parts)
    promise = "bit-identical" if fingerprints == {reply.fingerprint} else f"{TOLERANCE:g} relative"
    return RerunReport(
        key=cell.key,
        label=describe(cell),
        promise="none" if changed else promise,
        changed=changed,
        comparisons=comparisons,
    )


def _check_fit_is_here(ledger: Ledger, cell: Cell, origin: str) -> None:
    if origin != COMPUTED and cell.fit is not None and cell.fit not in ledger.fit_statuses():
        raise LedgerError(
            f"cell {cell.key} was taken from the baseline {origin}, which brings no fits",
            remedy="compute it in a folder of its own: results=DIR",
        )


def _chain(ledger: Ledger, fit: str | None) -> list[str]:
    """Return the fits that a fit stands on and itself, needs first."""
    done: dict[str, None] = {}
    stack = [] if fit is None else [fit]
    while stack:
        missing = [need for need in ledger.fit_job(stack[-1]).needs if need not in done]
        if missing:
            stack.extend(missing)
        else:
            done[stack.pop()] = None
    return list(done)


def _current_cell(cell: Cell) -> Cell:
    """Return the cell with today's versions of its components; the report names what changed."""
    task, method = current(cell.task.part), current(cell.method.part)
    return replace(cell, task=replace(cell.task, part=task), method=replace(cell.method, part=method))


def _perform(backend: Local, context: Context, job: Job, label: str) -> Reply:
    reply = backend.submit(None, context, job).result()
    if reply.error:
        raise MlopsimError(f"{label} fails now:\n{reply.error}")
    return reply


def _compare(name: str, stored: Any, again: Any) -> Comparison:
    if stored is None or again is None:
        missing = "(not there)"
        return Comparison(
            name=name,
            stored=missing if stored is None else "(there)",
            again=missing if again is None else "(there)",
            equal=False,
            difference=math.inf,
        )
    old, new = np.asarray(stored), np.asarray(again)
    same_kind = old.dtype == new.dtype and old.shape == new.shape
    equal = same_kind and old.tobytes() == new.tobytes()
    floats = same_kind and old.dtype.kind in "fc"
    if floats and old.ndim == 0 and np.isnan(old) and np.isnan(new):
        equal = True  # JSON keeps no NaN payload
    difference = 0.0 if equal else math.inf
    if floats and not equal:
        if np.array_equal(np.isnan(old), np.isnan(new)):
            gap = np.abs(np.where(old == new, 0.0, new - old))
            scale = np.maximum(np.abs(old), np.abs(new))
            with np.errstate(invalid="ignore", divide="ignore"):
                relative = np.where(gap == 0, 0.0, gap / scale)
            difference = float(np.nanmax(relative, initial=0.0))
    return Comparison(name=name, stored=_show(old), again=_show(new), equal=equal, difference=difference)


def _compare_attributes(
    whose: str,
    stored: Mapping[str, Attribute],
    again: Mapping[str, Attribute],
    per_platform: Sequence[str] = (),
) -> list[Comparison]:
    """Compare facts: numbers as numbers, all else by what it is.

    Facts ``per_platform`` (hashes of floats) are promised on one platform only: elsewhere they may differ.
    """
    found = []
    for name in sorted({*stored, *again}):
        old, new = stored.get(name), again.get(name)
        if name in stored and name in again and type(old) is float and type(new) is float:
            found.append(_compare(f"{whose}attribute {name}", old, new))
            continue
        both = name in stored and name in again
        equal = both and type(old) is type(new) and old == new
        shown = [repr(given[name]) if name in given else "(not there)" for given in (stored, again)]
        found.append(
            Comparison(
                name=f"{whose}attribute {name}",
                stored=shown[0],
                again=shown[1],
                equal=equal,
                difference=0.0 if equal or (name in per_platform and both) else math.inf,
            )
        )
    return found


def _compare_fit(label: str, stored: FitResult, again: FitResult, facts: bool) -> list[Comparison]:
    from mlopsim.bench.storage import to_json

    found = [
        _compare(f"fit {label} {name}", stored.arrays.get(name), again.arrays.get(name))
        for name in sorted({*stored.arrays, *again.arrays})
    ]
    old, new = to_json(stored.info), to_json(again.info)
    return [
        *found,
        Comparison(
            name=f"fit {label} info",
            stored=old[:60],
            again=new[:60],
            equal=old == new,
            difference=0.0 if old == new else math.inf,
        ),
        *(_compare_attributes(f"fit {label} ", stored.attributes, again.attributes) if facts else ()),
    ]


def _show(array: np.ndarray) -> str:
    return repr(array.item()) if array.ndim == 0 else f"{array.dtype}{array.shape}"
