"""From a suite to an ordered list of cells and the fits that they name.

Without ``cells`` a suite is the product of its tasks, methods and seeds. With ``cells`` it is the
union of entries; each entry is a mapping with any of these keys::

    {task: [a, b], method: x, seed: [0, 1]}             # product; a missing axis means all of it
    {zip: {task: [a, b], method: [x, y]}}               # pairs (a, x) and (b, y), for all seeds
    {zip: {method: [x, y], seed: [0, 1]}, task: a}      # pairs (x, 0) and (y, 1), each on task a

Tasks and methods are given by name, seeds as numbers of the suite; a name with ``*`` stands for all that
match it, so ``"* / tree"`` is every task whose name ends so. Cells that come out twice are dropped and
named in ``Grid.notes``; one name for two different things is an error.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Protocol, TypeVar

from mlopsim.bench.attributes import RESERVED, Columns, check_attributes
from mlopsim.bench.plugins import describe_files
from mlopsim.bench.suite import Suite
from mlopsim.core.digest import addressed, canonical_json, digest_bytes, plain
from mlopsim.core.errors import ConfigError, nearest
from mlopsim.core.track import Attribute, Cell, FitJob, Method, Metric, Task, Track

AXES = ("task", "method", "seed")
T = TypeVar("T", bound="_Named")


class _Named(Protocol):
    @property
    def name(self) -> str: ...
    @property
    def digest(self) -> str: ...
    @property
    def attributes(self) -> Mapping[str, Attribute]: ...


@dataclass(frozen=True, kw_only=True)
class Grid:
    """An ordered list of distinct cells and the fits that they need, in dependency order.

    ``digest`` is the content address of the set of cells and the track's settings: names, titles
    and the order of cells do not enter it. ``notes`` names duplicates that were dropped, ``plugins``
    holds path and digest of each plug-in file.
    """

    title: str
    track: Mapping[str, Any]
    metrics: tuple[Metric, ...]
    cells: tuple[Cell, ...]
    fits: tuple[FitJob, ...] = ()
    notes: tuple[str, ...] = ()
    plugins: tuple[Mapping[str, str], ...] = ()
    config: Mapping[str, Any] = field(default_factory=dict)

    @cached_property
    def digest(self) -> str:
        """Content address of the grid."""
        # the canonical JSON of {"cells": [keys], "track": ...}: keys are hexadecimal and need no quoting
        keys = '","'.join(sorted(cell.key for cell in self.cells))
        cells = f'["{keys}"]' if keys else "[]"
        return digest_bytes(f'{{"cells":{cells},"track":{canonical_json(addressed(self.track))}}}'.encode())

    def columns(self) -> Columns:
        """Return the attribute columns that its tasks and methods give.

        Raises
        ------
        ConfigError
            If a value is no attribute or a name has two meanings.
        """
        tasks = {id(cell.task): cell.task for cell in self.cells}
        methods = {id(cell.method): cell.method for cell in self.cells}
        return _columns(self.metrics, tasks.values(), methods.values())


def expand(suite: Suite, track: Track) -> Grid:
    """Expand a suite to its grid.

    Parameters
    ----------
    suite : Suite
        Tasks, methods, seeds and their combinations.
    track : Track
        Names the fits (``Track.fits``).

    Returns
    -------
    Grid
        Distinct cells in the suite's order.

    Raises
    ------
    ConfigError
        For an unknown name, zipped lists of different lengths, one name for two things, a fit
        that nobody makes or a circle of fits, and for attributes that are no columns.
    """
    for metric in track.metrics:
        if metric.name in RESERVED:
            raise ConfigError(f"{track.full_name}: '{metric.name}' cannot name a metric, it is a column")
    _columns(track.metrics, suite.tasks, suite.methods)
    notes: list[str] = []
    tasks, methods = _distinct("task", suite.tasks, notes), _distinct("method", suite.methods, notes)
    seeds = list(dict.fromkeys(suite.seeds))
    if len(seeds) < len(suite.seeds):
        twice = sorted({seed for seed in suite.seeds if suite.seeds.count(seed) > 1})
        notes.append(f"seeds listed more than once, counted once: {', '.join(map(str, twice))}")
    name = f"{track.name}/{track.version}"
    cells: dict[str, Cell] = {}
    repeated: dict[str, None] = {}
    for task, method, seed in _combinations(suite, tasks, methods, seeds):
        cell = Cell(track=name, task=task, method=method, seed=seed, split=suite.split, root=suite.root)
        if cell.key in cells:
            repeated[describe(cell)] = None
        cells[cell.key] = cell
    if repeated:
        notes.append(f"cells listed more than once, counted once: {_some(list(repeated))}")
    with_fits, jobs = track.fits(list(cells.values()))
    final: dict[str, Cell] = {}
    for cell in with_fits:
        if cell.key in final:
            raise ConfigError(f"{track.full_name}.fits returned the cell {describe(cell)} twice")
        final[cell.key] = cell
    return Grid(
        title=suite.title,
        track=plain(suite.track),
        metrics=tuple(track.metrics),
        cells=tuple(final.values()),
        fits=tuple(ordered(jobs, final.values())),
        notes=tuple(notes),
        plugins=describe_files(suite.plugins),
        config=plain(suite.config),
    )


def describe(cell: Cell) -> str:
    """Return a cell's readable label.

    Examples
    --------
    >>> describe(Cell(track="toy/1", task=Task(name="t", part={}), method=Method(name="m", part={}), seed=3))
    't / m / seed 3'
    """
    return f"{cell.task.name} / {cell.method.name} / seed {cell.seed}"


def ordered(jobs: Sequence[FitJob], cells: Any = ()) -> list[FitJob]:
    """Return distinct fits so that each comes after those that it needs.

    Raises
    ------
    ConfigError
        If a fit is named that nobody makes, or fits need each other in a circle.

    Examples
    --------
    >>> first = FitJob(track="toy/1", label="first", part={"a": 1})
    >>> second = FitJob(track="toy/1", label="second", part={"b": 1}, needs=(first.key,))
    >>> [job.label for job in ordered([second, first, second])]
    ['first', 'second']
    """
    by_key = {job.key: job for job in jobs}
    for cell in cells:
        if cell.fit is not None and cell.fit not in by_key:
            raise ConfigError(
                f"cell {describe(cell)} names the fit {cell.fit}, which the track does not make"
            )
    done: dict[str, FitJob] = {}
    for start in by_key:
        # depth first without recursion: chains of fits may be long
        stack: list[tuple[str, Iterator[str]]] = [(start, iter(by_key[start].needs))]
        path = {start}
        while stack:
            key, needs = stack[-1]
            need = next(needs, None)
            if need is None:
                stack.pop()
                path.discard(key)
                done.setdefault(key, by_key[key])
            elif need in path:
                raise ConfigError(
                    f"fits need each other in a circle: {by_key[need].label}, {by_key[key].label}"
                )
            elif need not in by_key:
                raise ConfigError(f"fit {by_key[key].label} needs the fit {need}, which nobody makes")
            elif need not in done:
                stack.append((need, iter(by_key[need].needs)))
                path.add(need)
    return list(done.values())


def _columns(metrics: Iterable[Metric], tasks: Iterable[Task], methods: Iterable[Method]) -> Columns:
    """Return the attribute columns that tasks and methods give.

    Raises
    ------
    ConfigError
        If a value is no attribute or a name has two meanings.
    """
    columns = Columns(metric.name for metric in metrics)
    for task in tasks:
        columns.add("task", f"task '{task.name}'", check_attributes(f"task '{task.name}'", task.attributes))
    for method in methods:
        where = f"method '{method.name}'"
        columns.add("method", where, check_attributes(where, method.attributes))
    return columns


def _distinct(kind: str, items: Sequence[T], notes: list[str]) -> dict[str, T]:
    """Map names to items; equal content under two names is dropped, with a note."""
    named: dict[str, T] = {}
    first: dict[str, str] = {}
    for item in items:
        if item.digest in first:
            kept = named[first[item.digest]]
            other = "" if dict(item.attributes) == dict(kept.attributes) else ", with its attributes"
            notes.append(f"{kind} '{item.name}' is the same as '{kept.name}', counted once{other}")
            named.setdefault(item.name, kept)
            continue
        if item.name in named:
            raise ConfigError(
                f"two different {kind}s are called '{item.name}'",
                remedy=f"give each {kind} a name of its own",
            )
        named[item.name] = item
        first[item.digest] = item.name
    return named


def _combinations(
    suite: Suite, tasks: Mapping[str, Task], methods: Mapping[str, Method], seeds: list[int]
) -> Iterator[tuple[Task, Method, int]]:
    everything: dict[str, list[Any]] = {
        "task": list({task.digest: task for task in tasks.values()}.values()),
        "method": list({method.digest: method for method in methods.values()}.values()),
        "seed": seeds,
    }
    known: dict[str, Mapping[Any, Any]] = {
        "task": tasks,
        "method": methods,
        "seed": {seed: seed for seed in seeds},
    }
    for number, entry in enumerate(suite.cells or [{}]):
        where = f"cells[{number}]"
        if not isinstance(entry, Mapping):
            raise ConfigError(f"{where} must be a mapping of {', '.join(AXES)} or zip, got {entry!r}")
        for key in entry:
            if key not in (*AXES, "zip"):
                raise ConfigError(
                    f"{where} has an unknown key '{key}'{nearest(str(key), (*AXES, 'zip'))}",
                    remedy="keys: task, method, seed, zip",
                )
        zipped = entry.get("zip", {})
        if not isinstance(zipped, Mapping) or any(axis not in AXES for axis in zipped):
            raise ConfigError(f"{where}.zip must map task, method or seed to lists, got {zipped!r}")
        both = [axis for axis in AXES if axis in zipped and axis in entry]
        if both:
            raise ConfigError(f"{where} gives {both[0]} inside and outside of zip")
        lists = {
            axis: _look_up(f"{where}.zip.{axis}", values, known[axis]) for axis, values in zipped.items()
        }
        lengths = {axis: len(values) for axis, values in lists.items()}
        if len(set(lengths.values())) > 1:
            shown = ", ".join(f"{axis} {count}" for axis, count in lengths.items())
            raise ConfigError(f"{where}.zip has lists of different lengths: {shown}")
        free = [
            _look_up(f"{where}.{axis}", entry[axis], known[axis]) if axis in entry else everything[axis]
            for axis in AXES
            if axis not in lists
        ]
        free_axes = [axis for axis in AXES if axis not in lists]
        pairs = list(zip(*lists.values(), strict=True)) if lists else [()]
        for pair in pairs:
            fixed = dict(zip(lists, pair, strict=True))
            for combination in itertools.product(*free):
                point = {**fixed, **dict(zip(free_axes, combination, strict=True))}
                yield point["task"], point["method"], point["seed"]


def narrow(
    cells: Sequence[Any],
    axes: Iterable[str],
    tasks: Sequence[Task],
    methods: Sequence[Method],
    seeds: Sequence[int],
) -> list[Any]:
    """Return the entries of ``cells`` of a suite whose tasks, methods or seeds were replaced by others.

    What entries say of names and seeds that are no more is left out, and so are entries without any left.

    Parameters
    ----------
    cells : sequence
        As they were written for the suite as it is.
    axes : iterable of str
        ``task``, ``method``, ``seed``: what was replaced.
    tasks, methods, seeds : sequence
        What there is now.

    Raises
    ------
    ConfigError
        If an item of a replaced axis is in no entry: what it is to be combined with is not known.

    Examples
    --------
    >>> cells = [{"seed": [0, 1, 2]}, {"zip": {"seed": [1, 7], "method": ["x", "y"]}}, {"seed": 9}]
    >>> narrow(cells, ["seed"], [], [], [0, 1])
    [{'seed': [0, 1]}, {'zip': {'seed': [1], 'method': ['x']}}]
    """
    known: dict[str, dict[Any, Any]] = {
        "task": {task.name: task.name for task in tasks},
        "method": {method.name: method.name for method in methods},
        "seed": {seed: seed for seed in seeds},
    }
    gone = set(axes)

    def left(entry: Mapping[Any, Any]) -> dict[Any, Any] | None:
        out = dict(entry)
        for axis in gone & set(out):
            out[axis] = [value for value in _listed(out[axis]) if _matching(value, known[axis])]
            if not out[axis]:
                return None
        zipped = out.get("zip")
        if isinstance(zipped, Mapping):
            lists = {axis: _listed(values) for axis, values in zipped.items()}
            if len({len(values) for values in lists.values()}) == 1:
                kept = [
                    k
                    for k in range(len(next(iter(lists.values()))))
                    if all(_matching(lists[axis][k], known[axis]) for axis in gone & set(lists))
                ]
                out["zip"] = {axis: [values[k] for k in kept] for axis, values in lists.items()}
                if not kept:
                    return None
        return out

    # what is no mapping is told of where cells are combined
    found = [left(entry) if isinstance(entry, Mapping) else entry for entry in cells]
    entries = [entry for entry in found if entry is not None]
    for axis in AXES:
        if axis not in gone:
            continue
        named: set[Any] = set()
        for entry in entries:
            places = {**entry.get("zip", {}), **entry} if isinstance(entry, Mapping) else {}
            values = _listed(places[axis]) if axis in places else list(known[axis])
            named.update(item for value in values for item in _matching(value, known[axis]))
        # controls are added by the track, asked for or not
        controls = (
            {m.name for m in methods if m.attributes.get("role") == "control"} if axis == "method" else ()
        )
        missing = [item for item in known[axis] if item not in named and item not in controls]
        if missing:
            raise ConfigError(
                f"the suite says by its own 'cells' what is combined, and they say nothing of the "
                f"{axis} '{missing[0]}'",
                remedy="add cells=[] for all combinations, or cells=[...] of your own",
            )
    return entries


def _listed(values: Any) -> list[Any]:
    return [values] if isinstance(values, str) or not isinstance(values, Sequence) else list(values)


def _look_up(where: str, values: Any, known: Mapping[Any, Any]) -> list[Any]:
    found = []
    for value in _listed(values):
        matching = _matching(value, known)
        if not matching:
            names = [str(name) for name in known]
            raise ConfigError(
                f"{where}: the suite has no '{value}'{nearest(str(value), names)}",
                remedy=f"one of: {_some(names)}",
            )
        found += matching
    return found


def _matching(value: Any, known: Mapping[Any, Any]) -> list[Any]:
    """Return what has this name, or all whose names match it where it has a ``*``.

    Examples
    --------
    >>> _matching("* / tree", {"proxy / tree": 1, "no bias / tree": 2, "no bias / ridge": 3})
    [1, 2]
    """
    if value in known:
        return [known[value]]
    if not isinstance(value, str) or "*" not in value:
        return []
    pattern = re.compile(".*".join(re.escape(part) for part in value.split("*")))
    return [item for name, item in known.items() if pattern.fullmatch(str(name))]


def _some(names: Sequence[str], most: int = 12) -> str:
    shown = ", ".join(names[:most])
    return shown if len(names) <= most else f"{shown}, and {len(names) - most} more"
