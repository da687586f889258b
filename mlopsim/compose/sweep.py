"""Sweeps: one study over several values of keys of its tasks, its track or its methods.

A key is what an override would name: ``deployment.latency`` (a parameter of that part in every task),
``learner`` (the part itself), ``tasks.every`` (another entry of the tasks), ``delivery.reaction`` (a setting
of the track) or ``methods.periodic.every`` (a parameter of the methods of that name). Every point of the
sweep is the study as if its values had been given as overrides, so that its cells have the same keys. What a
value changes (tasks, methods or only their fits) carries it as an attribute that is named by the key; what it
does not change is there once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import numpy as np

from mlopsim.bench.grid import Grid, expand, ordered
from mlopsim.bench.suite import Suite
from mlopsim.compose.entries import MERGED, merged
from mlopsim.core.combinations import combinations
from mlopsim.core.digest import canonical_json, plain
from mlopsim.core.errors import ConfigError, nearest
from mlopsim.core.registry import find
from mlopsim.core.spec import Spec, label, make, part_of, split_spec
from mlopsim.core.track import Attribute, Cell, FitJob, Method, Task, Track

#: the word beside the keys that pairs their values instead of multiplying them
ZIP = "zip"
#: keys that no attribute stands for
NOT_SWEPT = ("seeds", "split", "root", "cells", "track", "suite")
Point = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Sweep:
    """Keys and their values.

    Parameters
    ----------
    values : mapping of str to list
        Two different values or more of each key.
    zipped : bool, default False
        Whether the first value of one key goes with the first of the others, and so on; otherwise every
        combination is a point.

    Examples
    --------
    >>> len(Sweep(values={"deployment.latency": [1, 2, 4], "deployment.label_delay": [0, 5]}).points())
    6
    >>> Sweep(values={"learner": ["ridge", "tree"]}).attribute("learner", {"tree": {"max_depth": 3}})
    'tree(max_depth=3)'
    """

    values: Mapping[str, Sequence[Any]] = field(default_factory=dict)
    zipped: bool = False

    def __post_init__(self) -> None:
        for key, values in self.values.items():
            if isinstance(values, str) or not isinstance(values, Sequence):
                raise ConfigError(
                    f"sweep.{key} must be a list of values, got {values!r}", remedy=f"write sweep.{key}=[a,b]"
                )
            distinct = {canonical_json(value) for value in values}
            if len(distinct) < len(values):
                raise ConfigError(f"sweep.{key} has a value twice", remedy="keep one of them")
            if len(values) < 2:
                count = "one value" if values else "no values"
                raise ConfigError(
                    f"sweep.{key} has {count}: there is nothing to compare",
                    remedy=f"name two values or more, or write {key}=VALUE",
                )
            if key.split(".")[0] in NOT_SWEPT:
                raise ConfigError(
                    f"'{key}' cannot be swept",
                    remedy="seeds pair all tasks and methods: seeds=[0,1,2] runs each of them"
                    if key == "seeds"
                    else "run the command once for each value",
                )
        if self.zipped and not self.values:
            raise ConfigError(
                "sweep.zip pairs the values of keys, but no key is swept",
                remedy="add sweep.KEY=[a,b] for two keys or more, or leave zip out",
            )
        lengths = {key: len(values) for key, values in self.values.items()}
        if self.zipped and len(set(lengths.values())) > 1:
            shown = ", ".join(f"{key} {count}" for key, count in lengths.items())
            raise ConfigError(
                f"sweep.zip pairs lists of one length, got {shown}",
                remedy="give each key as many values as the others, or leave zip out for every combination",
            )

    def points(self) -> list[Point]:
        """Return the points, each a value for every key."""
        return list(combinations(self.values, zipped=self.zipped))

    def attribute(self, key: str, value: Any) -> Attribute:
        """Return what stands for a value in the column of its key: of one type a key."""
        kinds = {
            "bool" if isinstance(v, bool) else "number" if isinstance(v, int | float) else "text"
            for v in self.values[key]
        }
        if kinds in ({"bool"}, {"number"}):
            found: Attribute = plain(value)
            return found
        return value if isinstance(value, str) else _text(value)

    def attributes(self, key: str) -> list[Attribute]:
        """Return the column's values of a key, in order."""
        return [self.attribute(key, value) for value in self.values[key]]

    def words(self) -> dict[str, Any]:
        """Return it as it stands in a config; empty where nothing is swept."""
        found = {key: plain(list(values)) for key, values in self.values.items()}
        return {**found, ZIP: True} if self.zipped else found


def as_list(values: Any) -> Any:
    """Return values in Python's own types: of a 1-d array, or of a sequence with numpy's scalars in it.

    Examples
    --------
    >>> as_list(np.arange(2)), as_list([np.float64(0.5), "a"]), as_list("ab")
    ([0, 1], [0.5, 'a'], 'ab')
    """
    if isinstance(values, np.ndarray) and values.ndim == 1:
        return values.tolist()
    if isinstance(values, Sequence) and not isinstance(values, str):
        return [value.item() if isinstance(value, np.generic) else value for value in values]
    return values


def read_sweep(tree: Mapping[str, Any]) -> Sweep:
    """Read the sweep of a config: keys with points in them, or nested.

    Examples
    --------
    >>> read_sweep({"deployment": {"latency": [1, 2]}, "zip": True})
    Sweep(values={'deployment.latency': [1, 2]}, zipped=True)
    """
    zipped = tree.get(ZIP, False)
    if not isinstance(zipped, bool):
        raise ConfigError(
            f"sweep.zip must be true or false, got {zipped!r}",
            remedy="write sweep.zip=true for pairs, or leave it out for every combination",
        )
    values: dict[str, Any] = {}

    def visit(node: Mapping[str, Any], above: str) -> None:
        for name, item in node.items():
            if isinstance(item, Mapping):
                visit(item, f"{above}{name}.")
            else:
                values[f"{above}{name}"] = item

    visit({key: item for key, item in tree.items() if key != ZIP}, "")
    return Sweep(values=values, zipped=zipped)


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """What a study is made from: track, task entries, method entries."""

    track: Track
    tasks: Sequence[Mapping[str, Any]]
    methods: Sequence[Spec]

    def at(self, point: Point) -> Recipe:
        """Return the recipe with the values of a point."""
        recipe = self
        for key, value in point.items():
            recipe = recipe._with(key, value)
        return recipe

    def _with(self, key: str, value: Any) -> Recipe:
        head, *path = key.split(".")
        track, parts = self.track, self.track.parts
        if head == track.name and path:
            params = _deeper(part_of(track)["params"], path, value)
            return replace(self, track=make("track", {track.name: params}))
        if head == "methods" and len(path) > 1:
            return replace(self, methods=_in_methods(self.methods, key, path, value))
        if head == "tasks" and len(path) == 1:
            return replace(self, tasks=[{**entry, path[0]: value} for entry in self.tasks])
        if head in parts and not path:
            return replace(self, tasks=merged(self.tasks, {head: value}, parts))
        if head in parts and len(path) == 1:
            return replace(self, tasks=merged(self.tasks, {head: {MERGED: {path[0]: value}}}, parts))
        if head in parts:
            return replace(self, tasks=_in_parts(self.tasks, key, parts, value))
        known = [track.name, "methods", "tasks", *parts]
        of_parts = f"{', '.join(parts)} with or without .PARAMETER, " if parts else ""
        raise ConfigError(
            f"'{key}' cannot be swept{'' if head in known else nearest(head, known)}",
            remedy=f"keys: {of_parts}tasks.ENTRY, {track.name}.SETTING, methods.NAME.PARAMETER",
        )


def _in_methods(entries: Sequence[Spec], key: str, path: Sequence[str], value: Any) -> list[Spec]:
    name, *inside = path
    found: list[Spec] = []
    names: list[str] = []
    changed: list[str] = []
    for entry in entries:
        own, params = split_spec("method", entry)
        names.append(own.split("/")[-1])
        if names[-1] != name:
            found.append(entry)
            continue
        found.append({own: _deeper(params, inside, value)})
        changed.append(canonical_json(_deeper(params, inside, value)))
    if len(set(changed)) < len(changed):
        raise ConfigError(
            f"'{key}' sets all {len(changed)} entries of '{name}', and makes them the same method",
            remedy=f"keep one entry of {name} to sweep it, or list it in methods=[...] with each value",
        )
    if name not in names:
        raise ConfigError(
            f"'{key}': the study has no method '{name}'{nearest(name, names)}",
            remedy=f"its methods: {', '.join(names)}",
        )
    return found


def _in_parts(
    entries: Sequence[Mapping[str, Any]], key: str, parts: Mapping[str, Spec], value: Any
) -> list[Mapping[str, Any]]:
    """Set a parameter of a component inside of a part, e.g. ``stream.base.windows``."""
    part, first, *inside = key.split(".")
    found: list[Mapping[str, Any]] = []
    for entry in entries:
        spec = entry.get(part, parts[part])
        if spec is None:
            found.append(entry)
            continue
        name, params = split_spec(part, spec)
        cls = find(part, name)
        given = params.get(first, getattr(cls(), first, None))
        found.append({**entry, part: {name: {**params, first: _inside(given, inside, value)}}})
    return found


def _deeper(params: Mapping[str, Any], path: Sequence[str], value: Any) -> dict[str, Any]:
    first, *rest = path
    return {**params, first: _inside(params.get(first), rest, value) if rest else value}


def _inside(given: Any, path: Sequence[str], value: Any) -> Any:
    """Set what lies inside of a parameter: of a mapping, or of the component that it names."""
    if isinstance(given, str):
        return {given: _deeper({}, path, value)}
    if isinstance(given, Mapping) and {"kind", "name", "params"} <= set(given):
        return {given["name"]: _deeper(given["params"], path, value)}
    if isinstance(given, Mapping) and len(given) == 1:
        name, params = next(iter(given.items()))
        if params is None or isinstance(params, Mapping):
            return {name: _deeper(params or {}, path, value)}
    return _deeper(given if isinstance(given, Mapping) else {}, path, value)


def swept_grid(
    sweep: Sweep, recipe: Recipe, suite_of: Callable[[Track, list[Task], list[Method]], Suite]
) -> tuple[Grid, list[Task], list[Method]]:
    """Expand a study over the points of its sweep.

    Parameters
    ----------
    sweep : Sweep
    recipe : Recipe
        Of the study without the sweep; the track of the grid is that of the recipe.
    suite_of : callable
        Makes the suite of one point.

    Returns
    -------
    Grid
        The cells of all points, each once.
    list of Task, list of Method
        What they compare, with the swept values as attributes.

    Raises
    ------
    ConfigError
        For a key that changes nothing, and whatever does not fit at one of the points.
    """
    points = sweep.points()
    cells: dict[str, Cell] = {}
    places: dict[str, list[int]] = {}
    tasks: dict[str, list[int]] = {}
    methods: dict[str, list[int]] = {}
    first: dict[str, str] = {}
    shown: dict[str, str] = {}
    fits: list[FitJob] = []
    notes: list[str] = []
    for number, point in enumerate(points):
        there = recipe.at(point)
        own = there.track.methods(there.methods)
        # with the same settings of the track, which may add methods of their own (``delivery.ladder``)
        unswept = own if there.methods is recipe.methods else there.track.methods(recipe.methods)
        if len(unswept) != len(own):
            values = ", ".join(f"{key}={point[key]}" for key in point if key.startswith("methods."))
            raise ConfigError(
                f"{values} makes {len(own)} methods of {len(unswept)}: none is known by its place",
                remedy="list the methods with these values in methods=[...] instead of sweeping them",
            )
        for before, method in zip(unswept, own, strict=True):
            first.setdefault(method.digest, before.name)
            shown.setdefault(method.digest, method.name)
        named = [replace(method, name=before.name) for before, method in zip(unswept, own, strict=True)]
        found = {task.digest: task for task in there.track.tasks(there.tasks)}
        grid = expand(suite_of(there.track, list(found.values()), named), there.track)
        for cell in grid.cells:
            cells.setdefault(cell.key, cell)
            places.setdefault(cell.key, []).append(number)
        for digest in found:
            tasks.setdefault(digest, []).append(number)
        for method in named:
            methods.setdefault(method.digest, []).append(number)
        fits += grid.fits
        notes += [note for note in grid.notes if note not in notes]
    labels = _Labels(
        sweep, points, {name: tuple(at) for name, at in {**tasks, **methods}.items()}, first, shown
    )
    labels.look(cells.values(), places)
    renamed = [labels.of(cell, places[cell.key]) for cell in cells.values()]
    whole = suite_of(recipe.track, [cell.task for cell in renamed], [cell.method for cell in renamed])
    made = Grid(
        title=whole.title,
        track=plain(part_of(recipe.track)),
        metrics=tuple(recipe.track.metrics),
        cells=tuple(renamed),
        fits=tuple(ordered(fits, renamed)),
        notes=tuple(notes),
        plugins=grid.plugins,
        config=plain(whole.config),
    )
    return made, list(labels.tasks.values()), list(labels.methods.values())


class _Labels:
    """Names and attributes of what a sweep compares."""

    def __init__(
        self,
        sweep: Sweep,
        points: Sequence[Point],
        at: Mapping[str, tuple[int, ...]],
        first: Mapping[str, str],
        shown: Mapping[str, str],
    ) -> None:
        self.sweep, self.points, self.at, self.first, self.shown = sweep, points, at, first, shown
        last = [key.split(".")[-1] for key in sweep.values]
        self.short = {
            key: name if last.count(name) == 1 else key for key, name in zip(sweep.values, last, strict=True)
        }
        self.owner: dict[str, Literal["task", "method"]] = {}
        self.tasks: dict[tuple[str, str], Task] = {}
        self.methods: dict[tuple[str, str], Method] = {}
        self._known: dict[tuple[int, ...], dict[str, Attribute]] = {}

    def values(self, at: Sequence[int]) -> dict[str, Attribute]:
        """Return the keys that have one value at all of these points."""
        place = tuple(at)
        if place not in self._known:
            found: dict[str, Attribute] = {}
            for key in self.sweep.values:
                distinct = {canonical_json(self.points[n][key]) for n in place}
                if len(distinct) == 1:
                    found[key] = self.sweep.attribute(key, self.points[place[0]][key])
            self._known[place] = found
        return self._known[place]

    def look(self, cells: Iterable[Cell], places: Mapping[str, Sequence[int]]) -> None:
        """Find whose attribute each key is: of tasks if it changes any, else of methods."""
        for cell in cells:
            for key in self.values(places[cell.key]):
                if key in self.values(self.at[cell.task.digest]):
                    self.owner[key] = "task"
                else:
                    self.owner.setdefault(key, "method")
        for key in self.sweep.values:
            if key not in self.owner:
                raise ConfigError(
                    f"'{key}' has no effect on any cell: there is nothing to sweep", remedy="leave it out"
                )

    def of(self, cell: Cell, at: Sequence[int]) -> Cell:
        """Return a cell with names and attributes that say where in the sweep it stands."""
        own, of_task = self.values(at), self.values(self.at[cell.task.digest])
        facts: dict[str, dict[str, Attribute]] = {"task": {}, "method": {}}
        for key, value in own.items():
            facts[self.owner[key]][key] = value
        in_task = [key for key in own if key in of_task]
        in_method = [key for key in own if key not in of_task and not key.startswith("methods.")]
        task_name = self._named(cell.task.name, in_task, own)
        method_name = self._named(self.shown[cell.method.digest], in_method, own)
        task_place = cell.task.digest, canonical_json([task_name, facts["task"]])
        method_place = cell.method.digest, canonical_json([method_name, facts["method"]])
        if task_place not in self.tasks:
            attributes = {**cell.task.attributes, **facts["task"]}
            self.tasks[task_place] = replace(cell.task, name=task_name, attributes=attributes)
        if method_place not in self.methods:
            attributes = {**cell.method.attributes, **facts["method"]}
            attributes["swept_from"] = self.first[cell.method.digest]
            self.methods[method_place] = replace(cell.method, name=method_name, attributes=attributes)
        return replace(cell, task=self.tasks[task_place], method=self.methods[method_place])

    def _named(self, name: str, keys: Sequence[str], values: Mapping[str, Attribute]) -> str:
        return ", ".join([name, *(f"{self.short[key]}={_shown(values[key])}" for key in keys)])


def _shown(value: Attribute) -> str:
    return (
        f"{value:g}"
        if isinstance(value, float)
        else str(value).lower()
        if isinstance(value, bool)
        else str(value)
    )


def _text(value: Any) -> str:
    if isinstance(value, Mapping) and len(value) == 1:
        return label("part", value)
    return "null" if value is None else str(plain(value))
