"""What tracks share when they resolve tasks and name fits."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from mlopsim.core.errors import ConfigError, nearest
from mlopsim.core.registry import find, names
from mlopsim.core.spec import make
from mlopsim.core.track import Attribute, Cell, FitJob, Method, Outcome


def check_entry(number: int, entry: Any, known: Sequence[str]) -> None:
    """Raise unless a suite's task entry is a mapping of known parts.

    Examples
    --------
    >>> check_entry(0, {"stram": "file"}, ["name", "stream"])
    Traceback (most recent call last):
    ...
    mlopsim.core.errors.ConfigError: task 0 has an unknown part 'stram'; did you mean 'stream'?
      remedy: its parts: name, stream
    """
    if not isinstance(entry, Mapping):
        raise ConfigError(f"task {number} must be a mapping, got {entry!r}")
    for key in entry:
        if key not in known:
            raise ConfigError(
                f"task {number} has an unknown part '{key}'{nearest(str(key), known)}",
                remedy=f"its parts: {', '.join(known)}",
            )


def stream_facts(content: Mapping[str, Any]) -> dict[str, Attribute]:
    """Return the attributes of a task that its stream's part gives: stream, real, and what the stream adds.

    A stream may have ``real`` (bool: rows that were given, not drawn from a known law) and ``facts()``.

    Examples
    --------
    >>> from mlopsim.core.spec import canonical
    >>> stream_facts(canonical("stream", {"corrupted": {"rate": 0.1}}))
    {'stream': 'corrupted', 'real': False, 'base': 'synthetic', 'scenario': 'missing', ..., 'strength': 0.1}
    """
    source = make("stream", content)
    facts = getattr(source, "facts", dict)
    return {"stream": source.name, "real": bool(getattr(source, "real", False)), **facts()}


def always_listed(kind: str) -> list[str]:
    """Return the names of the components that stand in every table, as their own class says.

    What derives from such a class does not inherit it.

    Examples
    --------
    >>> always_listed("selector")
    ['never']
    """
    return [name for name in names(kind) if vars(find(kind, name)).get("always_listed", False)]


def distinct(methods: Iterable[Method]) -> list[Method]:
    """Return the methods of a table, each with a name of its own.

    Raises
    ------
    ConfigError
        If a method is listed twice, or two that differ would have one name.

    Examples
    --------
    >>> one = Method(name="a", part={"rate": 1})
    >>> distinct([one, replace(one, name="b")])
    Traceback (most recent call last):
    ...
    mlopsim.core.errors.ConfigError: the method b is listed twice
      remedy: keep one of them
    >>> distinct([one, replace(one, part={"rate": 2})])
    Traceback (most recent call last):
    ...
    mlopsim.core.errors.ConfigError: two different methods would be called a
    """
    chosen: dict[str, Method] = {}
    digests: set[str] = set()
    for method in methods:
        if method.digest in digests:
            raise ConfigError(f"the method {method.name} is listed twice", remedy="keep one of them")
        if method.name in chosen:
            raise ConfigError(f"two different methods would be called {method.name}")
        chosen[method.name] = method
        digests.add(method.digest)
    return list(chosen.values())


def name_fits(
    cells: Sequence[Cell], job_of: Callable[[Cell], FitJob | None]
) -> tuple[list[Cell], list[FitJob]]:
    """Return the cells with their fits filled in, and the jobs of these, each once.

    Thousands of cells share a few fits, and completing a part costs milliseconds: ``job_of`` is asked once
    for each method, task and root.
    """
    known: dict[tuple[str, str, int], FitJob | None] = {}
    done: list[Cell] = []
    for cell in cells:
        place = cell.method.digest, cell.task.digest, cell.root
        if place not in known:
            known[place] = job_of(cell)
        job = known[place]
        done.append(cell if job is None else replace(cell, fit=job.key))
    return done, list({job.key: job for job in known.values() if job is not None}.values())


def run_by_setting(
    cells: Sequence[Cell],
    setting: Callable[[Cell], Hashable],
    run: Callable[[Sequence[Cell], Any], list[Outcome]],
) -> list[Outcome]:
    """Run cells whose keys hold different settings of their track, those of one setting together.

    Parameters
    ----------
    cells : sequence of Cell
        Of one bundle; a sweep may have put cells of several settings into it.
    setting : callable
        What a cell's parts say of the settings.
    run : callable
        Cells and their setting to outcomes.

    Returns
    -------
    list of Outcome
        In the order of the cells.
    """
    places: dict[Hashable, list[int]] = {}
    for place, cell in enumerate(cells):
        places.setdefault(setting(cell), []).append(place)
    outcomes: dict[int, Outcome] = {}
    for value, found in places.items():
        outcomes.update(zip(found, run([cells[place] for place in found], value), strict=True))
    return [outcomes[place] for place in range(len(cells))]
