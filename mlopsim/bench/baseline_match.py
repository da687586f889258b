"""Which cells of a baseline may stand beside those of a grid, and why others may not.

Cells are matched by the names of task and method and by their seed; then what is behind the names is compared
field by field. What differs is named: a key that is not found would say nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from mlopsim.bench.baseline import Baseline
from mlopsim.bench.grid import Grid, ordered
from mlopsim.bench.identity import SHOWN, foreign_parts
from mlopsim.core.digest import addressed, plain
from mlopsim.core.errors import ConfigError
from mlopsim.core.fingerprint import NUMERIC, fingerprint
from mlopsim.core.track import Cell

#: what a refusal asks for
REMEDY = "take a baseline of this mlopsim and suite, or leave baseline= out and compute all methods"


@dataclass(frozen=True, kw_only=True)
class Joined:
    """A grid with the cells of a baseline beside its own; ``places`` are their rows, by key."""

    grid: Grid
    baseline: Baseline
    places: Mapping[str, int]


def fields_differing(here: Any, there: Any, where: str = "") -> Iterator[str]:
    """Yield what differs between two parts: the place, what the baseline has, and what is here.

    Examples
    --------
    >>> list(fields_differing({"a": {"n": 1}, "b": 2}, {"a": {"n": 3}, "b": 2}))
    ['a.n is 3 in the baseline and 1 here']
    """
    if isinstance(here, Mapping) and isinstance(there, Mapping):
        for name in sorted({*here, *there}):
            inner = f"{where}.{name}" if where else str(name)
            if name not in here or name not in there:
                yield f"{inner} is only {'here' if name in here else 'in the baseline'}"
            else:
                yield from fields_differing(here[name], there[name], inner)
    elif isinstance(here, list) and isinstance(there, list) and len(here) == len(there):
        for place, (own, other) in enumerate(zip(here, there, strict=True)):
            yield from fields_differing(own, other, f"{where}[{place}]")
    elif type(here) is not type(there) or here != there:
        yield f"{where or 'it'} is {there!r} in the baseline and {here!r} here"


def series_of_release(version: str) -> str:
    """Return the part of a version that names its series: up to the first number that is not 0.

    Examples
    --------
    >>> series_of_release("2.4.6"), series_of_release("0.68.1"), series_of_release("2.13.0+cpu")
    ('2', '0.68', '2')
    """
    kept: list[str] = []
    for number in version.partition("+")[0].split("."):
        kept.append(number)
        if number != "0":
            break
    return ".".join(kept)


def platforms_differing(here: Mapping[str, Any], there: Mapping[str, Any]) -> list[str]:
    """Say what lies beyond the promise between platforms: another kind of machine, other series of libraries.

    Parameters
    ----------
    here, there : mapping
        As of :func:`mlopsim.core.fingerprint.fingerprint`: of this process, and of a run of the baseline.
        Processors, BLAS cores and releases of one series may differ: floats are promised to 1e-9 then.

    Examples
    --------
    >>> platforms_differing({"machine": "arm64"}, {"machine": "x86_64", "versions": {}})
    ['machine is x86_64 in the baseline and arm64 here']
    """
    found = []
    if here.get("machine") != there.get("machine"):
        found.append(f"machine is {there.get('machine')} in the baseline and {here.get('machine')} here")
    own, other = here.get("versions", {}), there.get("versions", {})
    # what is missing at one side computed nothing that is compared
    both = [name for name in NUMERIC if name in own and name in other]
    found += [
        f"{name} is {other[name]} in the baseline and {own[name]} here"
        for name in both
        if series_of_release(own[name]) != series_of_release(other[name])
    ]
    return found


def join(grid: Grid, baseline: Baseline, *, suite: str, version: int) -> Joined:
    """Return the grid with those cells of a baseline that its tasks and seeds pair with.

    Parameters
    ----------
    grid : Grid
        What is to be compared with the baseline.
    baseline : Baseline
        That was read.
    suite : str
        Name of the grid's suite.
    version : int
        And its version.

    Returns
    -------
    Joined
        The grid's cells in their order, then those of the baseline that it does not have.

    Raises
    ------
    ConfigError
        If anything cannot be compared; names each thing that differs, with both values.
    """
    _check_suite(grid, baseline, suite, version)
    cells = _paired(grid, baseline)
    _check_parts(grid, baseline, [cell for _, cell in cells])
    _check_fits(grid, baseline, [cell for _, cell in cells])
    _check_platform(baseline)
    own = {cell.key for cell in grid.cells}
    added = [cell for _, cell in cells if cell.key not in own]
    places = {cell.key: place for place, cell in cells}
    jobs = {job.key: job for job in (*grid.fits, *(fit.job for fit in baseline.fits))}
    named = [*grid.cells, *added]
    needed = _needed(named, jobs)
    fits = [job for job in ordered(list(jobs.values()), named) if job.key in needed]
    note = (
        f"{len(cells)} cells are of the baseline {baseline.path.name} ({baseline.digest}) of "
        f"{baseline.suite}-v{baseline.version}{' (modified)' if baseline.modified else ''}"
    )
    whole = replace(grid, cells=tuple(named), fits=tuple(fits), notes=(*grid.notes, note))
    whole.columns()
    return Joined(grid=whole, baseline=baseline, places=places)


def _needed(cells: Sequence[Cell], jobs: Mapping[str, Any]) -> set[str]:
    needed: set[str] = set()
    stack = [cell.fit for cell in cells if cell.fit is not None]
    while stack:
        key = stack.pop()
        if key not in needed:
            needed.add(key)
            stack.extend(jobs[key].needs)
    return needed


def _refuse(baseline: Baseline, found: Sequence[str], remedy: str = REMEDY) -> None:
    if found:
        distinct = list(dict.fromkeys(found))
        more = f"; and {len(distinct) - SHOWN} more" if len(distinct) > SHOWN else ""
        raise ConfigError(
            f"the baseline {baseline.path} cannot be compared with: {'; '.join(distinct[:SHOWN])}{more}",
            remedy=remedy,
        )


def _check_suite(grid: Grid, baseline: Baseline, suite: str, version: int) -> None:
    found = []
    if baseline.suite != suite:
        found.append(f"suite is {baseline.suite} in the baseline and {suite} here")
    elif baseline.version != version:
        found.append(f"{suite} has version {baseline.version} in the baseline and {version} here")
    first = grid.cells[0]
    for name, there, here in (
        ("track", baseline.header["track_version"], first.track),
        ("split", baseline.header["split"], first.split),
        ("root", baseline.header["root"], first.root),
    ):
        if there != here:
            found.append(f"{name} is {there} in the baseline and {here} here")
    _refuse(baseline, found)
    settings = fields_differing(
        addressed(plain(grid.track)), addressed(plain(baseline.header["track"])), first.track
    )
    own = {metric.name: metric for metric in grid.metrics}
    other = {metric.name: metric for metric in baseline.metrics}
    metrics = [
        f"metric {name} is not the same"
        for name in sorted({*own, *other})
        if own.get(name) != other.get(name)
    ]
    _refuse(baseline, [*settings, *metrics])


def _paired(grid: Grid, baseline: Baseline) -> list[tuple[int, Cell]]:
    """Return the baseline's cells, with their rows, of those tasks and seeds that the grid has."""
    points = {(cell.task.name, cell.seed) for cell in grid.cells}
    found = [
        (place, cell) for place, cell in enumerate(baseline.cells) if (cell.task.name, cell.seed) in points
    ]
    if not found:
        tasks = ", ".join(list(dict.fromkeys(cell.task.name for cell in baseline.cells))[:SHOWN])
        raise ConfigError(
            f"the baseline {baseline.path} has no cell of the tasks and seeds that are asked for",
            remedy=f"tasks of the baseline: {tasks}",
        )
    return found


def _check_parts(grid: Grid, baseline: Baseline, cells: Sequence[Cell]) -> None:
    """Refuse tasks and methods of one name that are two things, and components of other versions."""
    found: list[str] = []
    here: dict[str, dict[str, Any]] = {
        "task": {cell.task.name: cell.task for cell in grid.cells},
        "method": {cell.method.name: cell.method for cell in grid.cells},
    }
    there: dict[str, dict[str, Any]] = {
        "task": {cell.task.name: cell.task for cell in cells},
        "method": {cell.method.name: cell.method for cell in cells},
    }
    for kind, named in there.items():
        for name, other in named.items():
            own = here[kind].get(name)
            if own is not None and own.digest != other.digest:
                parts = addressed(plain(own.part)), addressed(plain(other.part))
                found += [f"{kind} '{name}': {text}" for text in fields_differing(*parts)]
            elif own is not None and dict(own.attributes) != dict(other.attributes):
                facts = plain(own.attributes), plain(other.attributes)
                found += [f"{kind} '{name}', attribute {text}" for text in fields_differing(*facts)]
            elif own is None:
                # a component that is not installed raises: its version cannot be compared
                found += [f"{kind} '{name}': {text} (here)" for text in foreign_parts(other.part)]
    _refuse(baseline, found)


def _check_fits(grid: Grid, baseline: Baseline, cells: Sequence[Cell]) -> None:
    """Refuse fits of the same cell that are made otherwise, and components of other versions in them."""
    found: list[str] = []
    stored = {fit.job.key: fit.job for fit in baseline.fits}
    jobs = {job.key: job for job in grid.fits}
    own = {(c.task.name, c.method.name, c.seed): c.fit for c in grid.cells}
    for cell in cells:
        name = (cell.task.name, cell.method.name, cell.seed)
        if name not in own or own[name] == cell.fit:
            continue
        here, there = (
            None if key is None else where[key] for key, where in ((own[name], jobs), (cell.fit, stored))
        )
        label = f"the fit of '{cell.method.name}' on '{cell.task.name}'"
        found += [
            f"{label}: {text}"
            for text in fields_differing(
                None if here is None else {"part": addressed(plain(here.part)), "needs": list(here.needs)},
                None if there is None else {"part": addressed(plain(there.part)), "needs": list(there.needs)},
            )
        ]
    for key in {cell.fit for cell in cells if cell.fit is not None} - set(jobs):
        found += [f"the fit '{stored[key].label}': {text} (here)" for text in foreign_parts(stored[key].part)]
    _refuse(baseline, sorted(set(found)))


def _check_platform(baseline: Baseline) -> None:
    here = fingerprint()
    found: list[str] = []
    named = {str(run) for run in baseline.frame["run"].unique().to_list()}
    for run in sorted(named):
        record = baseline.header["runs"].get(run, {})
        if not record.get("platform"):
            found.append(f"the platform of run {run} is not recorded in the baseline")
        else:
            found += platforms_differing(here, record["platform"])
    _refuse(
        baseline, found, "install the libraries that the baseline was computed with, or compute all methods"
    )
