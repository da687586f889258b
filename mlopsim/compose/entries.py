"""Task entries of a suite: own ones by name, and what is said of a part in every task, merged in once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from mlopsim.core.errors import ConfigError, nearest
from mlopsim.core.spec import Spec, make, split_spec

#: the key of a pin that holds parameters to be merged into a part, instead of a spec that replaces it
MERGED = ""


def by_name(entries: Sequence[Any], own: Sequence[Any], suite: str) -> list[dict[str, Any]]:
    """Return task entries; a text stands for the suite's own task of that name.

    Raises
    ------
    ConfigError
        For a name that the suite does not have, or an entry that is no mapping.

    Examples
    --------
    >>> by_name(["a", {"name": "b"}], [{"name": "a", "learner": "lda"}], "quick")
    [{'name': 'a', 'learner': 'lda'}, {'name': 'b'}]
    """
    named = {str(e["name"]): e for e in own if isinstance(e, Mapping) and "name" in e}
    found: list[dict[str, Any]] = []
    for entry in entries:
        if isinstance(entry, str):
            if entry not in named:
                raise ConfigError(
                    f"the suite {suite} has no task '{entry}'{nearest(entry, named)}",
                    remedy=f"one of: {', '.join(named)}",
                )
            entry = named[entry]
        if not isinstance(entry, Mapping):
            raise ConfigError(f"a task must be a mapping or a name, got {entry!r}")
        found.append(dict(entry))
    return found


def merged(
    entries: Sequence[Mapping[str, Any]], pins: Mapping[str, Any], parts: Mapping[str, Spec]
) -> list[dict[str, Any]]:
    """Return task entries after what is said of a part in every task.

    Parameters
    ----------
    entries : sequence of mappings
        Of a suite.
    pins : mapping
        Part name to a spec that replaces the part in every task, or to ``{"": {parameter: value}}``: single
        parameters of whatever part a task has.
    parts : mapping
        The parts that tasks of the track have, with their defaults (see :class:`mlopsim.core.track.Track`).

    Returns
    -------
    list of dict
        A task that lost a part of its own, or its stream, loses its name, too: it might speak of them.

    Raises
    ------
    ConfigError
        For a pin without an effect on any task.

    Examples
    --------
    >>> parts = {"learner": "ridge", "deployment": "standard"}
    >>> merged([{"name": "a", "learner": "tree"}], {"deployment": {"": {"latency": 2}}}, parts)
    [{'name': 'a', 'learner': 'tree', 'deployment': {'standard': {'latency': 2}}}]
    >>> merged([{"name": "a", "learner": "tree"}], {"learner": "lda"}, parts)
    [{'learner': 'lda'}]
    """
    whole = {part: pin for part, pin in pins.items() if not _is_merged(pin)}
    idle = set(pins)
    found = []
    for entry in entries:
        gone = {part for part in whole if part in entry}
        # a task without a stream or signal of its own has the default one
        if gone or not {"signal", "stream"}.isdisjoint(whole):
            gone.add("name")
        kept = {key: value for key, value in entry.items() if key not in gone}
        signal = whole.get("signal", entry.get("signal", parts.get("signal")))
        if "signal" in parts and signal is not None and not make("signal", signal).reads_stream:
            if "signal" not in whole:
                # nothing else that is pinned is a part of such a task
                found.append(kept)
                continue
            # it takes the place of the task's stream, too
            kept = {key: value for key, value in kept.items() if key not in parts}
        for part, pin in pins.items():
            if part not in parts:
                continue
            if part in whole:
                kept[part] = pin
            else:
                spec = kept.get(part, parts[part])
                if spec is None:
                    continue
                name, params = split_spec(part, spec)
                kept[part] = {name: {**params, **pin[MERGED]}}
            idle.discard(part)
        found.append(kept)
    for part in pins if found else ():
        if part in idle:
            raise ConfigError(
                f"'{part}' has no effect: no task of this suite has a {part}",
                remedy=f"leave it out; its tasks have: {', '.join(parts)}",
            )
    return found


def _is_merged(pin: Any) -> bool:
    return isinstance(pin, Mapping) and MERGED in pin
