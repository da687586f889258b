"""Who computes: a process proves that its code, versions and platform are the coordinator's.

Keys hold the versions of components and nothing of the process that computes them. A worker with another
mlopsim, another plug-in or another numpy would therefore write other numbers under the same key.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from mlopsim.bench.provenance import host
from mlopsim.core.digest import canonical_json, plain
from mlopsim.core.errors import ConfigError, DataError, MlopsimError
from mlopsim.core.fingerprint import fingerprint, library_versions
from mlopsim.core.registry import PACKAGES, find
from mlopsim.core.spec import make
from mlopsim.core.versions import VERSIONS, changed_versions

PACKAGE = Path(__file__).resolve().parents[1]
#: what the digest of a room is called in a proof, before its name
CODE = "code of mlopsim/"
#: differences that an error names before it counts the rest
SHOWN = 8


class WorkerRefused(ConfigError):
    """A worker that would compute something else than the coordinator; nothing of it is stored."""


def code_digests(package: Path = PACKAGE) -> dict[str, str]:
    """Return the digest of the source files of each room of a package (``.`` for those beside the rooms).

    Examples
    --------
    >>> "bench" in code_digests() and "core" in code_digests()
    True
    """
    states: dict[str, Any] = {}
    for path in sorted(package.rglob("*.py")):
        place = path.relative_to(package)
        room = place.parts[0] if len(place.parts) > 1 else "."
        state = states.setdefault(room, hashlib.blake2b(digest_size=12))
        content = path.read_bytes()
        state.update(f"{place.as_posix()}|{len(content)}|".encode())
        state.update(content)
    return {room: state.hexdigest() for room, state in states.items()}


@cache
def proof() -> Mapping[str, str]:
    """Return what must be equal in the coordinator and in every worker, computed once a process.

    The version and the code of mlopsim (a digest a room), the versions of engines, the versions of numeric
    libraries, and the platform.

    Examples
    --------
    >>> sorted(proof())[0], "numpy" in proof()
    ('blas', True)
    """
    platform = fingerprint()
    found = {name: canonical_json(platform[name]) for name in platform if name != "versions"}
    found.update(library_versions())
    found.update({f"engine {name}": str(number) for name, number in VERSIONS.items()})
    found.update({f"{CODE}{room}": value for room, value in code_digests().items()})
    return found


def differences(here: Mapping[str, str], there: Mapping[str, str]) -> list[str]:
    """Say what differs between a worker (``here``) and its coordinator (``there``).

    Examples
    --------
    >>> differences({"numpy": "2.0"}, {"numpy": "2.4", "river": "0.23"})
    ['numpy is 2.0 (coordinator: 2.4)', 'river is (missing) (coordinator: 0.23)']
    """
    missing = "(missing)"
    return [
        f"{name} is {here.get(name, missing)} (coordinator: {there.get(name, missing)})"
        for name in sorted({*here, *there})
        if here.get(name) != there.get(name)
    ]


def place() -> str:
    """Return where this process runs, for people."""
    return f"{host()}, process {os.getpid()}"


def check_proof(there: Mapping[str, str]) -> None:
    """Raise unless this process is what the coordinator is.

    Raises
    ------
    WorkerRefused
        Names each difference, both values and this process.
    """
    here = proof()
    if here != there:
        found = differences(here, there)
        more = f"; and {len(found) - SHOWN} more" if len(found) > SHOWN else ""
        raise WorkerRefused(
            f"the worker on {place()} is not what the coordinator is: {'; '.join(found[:SHOWN])}{more}",
            remedy="install the same mlopsim and libraries there, on the same type of machine",
        )


def foreign_parts(parts: Any) -> list[str]:
    """Name what stored parts were made with and has another version here: components, engines, controls.

    Parameters
    ----------
    parts : nested mappings and lists
        Parts (see :func:`mlopsim.core.spec.part_of`) anywhere in them.

    Examples
    --------
    >>> foreign_parts([{"kind": "selector", "name": "never", "version": "0", "params": {}}])
    ['selector/never version 0 -> 1']
    """
    changed: dict[str, None] = {}
    for value in _mappings(parts):
        # a track may compare things of kinds of its own, which no registry knows
        if {"kind", "name", "version", "params"} <= set(value) and value["kind"] in PACKAGES:
            now = find(str(value["kind"]), str(value["name"])).version
            if str(now) != str(value["version"]):
                changed[f"{value['kind']}/{value['name']} version {value['version']} -> {now}"] = None
        if isinstance(value.get("versions"), Mapping):
            changed.update(dict.fromkeys(changed_versions(value["versions"])))
    return sorted(changed)


def current(value: Any) -> Any:
    """Return stored parts with today's versions: for readers that want what exists now, and say so.

    Examples
    --------
    >>> current({"kind": "selector", "name": "never", "version": "0", "params": {}})["version"]
    '1'
    """
    if isinstance(value, Mapping):
        result = {key: current(item) for key, item in value.items()}
        # a track may compare things of kinds of its own, which no registry knows
        if {"kind", "name", "version", "params"} <= set(result) and result["kind"] in PACKAGES:
            result["version"] = str(find(str(result["kind"]), str(result["name"])).version)
        return result
    if isinstance(value, list | tuple):
        return [current(item) for item in value]
    return value


def _mappings(value: Any) -> Iterable[Mapping[str, Any]]:
    stack = [value]
    while stack:
        item = stack.pop()
        if isinstance(item, Mapping):
            yield item
            stack.extend(item.values())
        elif isinstance(item, list | tuple):
            stack.extend(item)


#: parts that this process has compared with what it has
_known: set[str] = set()


def check_parts(parts: Iterable[Any]) -> None:
    """Raise unless the components and files that parts name are here the coordinator's; once for each part.

    Raises
    ------
    WorkerRefused
        Names the component with both versions, or the file that is not here or holds something else.
    """
    # tasks and methods are shared by the cells of a bundle
    for part in {id(part): part for part in parts}.values():
        text = canonical_json(part)
        name = hashlib.blake2b(text.encode(), digest_size=16).hexdigest()
        if name in _known:
            continue
        if changed := foreign_parts(part):
            raise WorkerRefused(
                f"the worker on {place()} has other components than the coordinator: {'; '.join(changed)}",
                remedy="install the same mlopsim and plug-ins there, and start the worker again",
            )
        for value in _mappings(part):
            if {"kind", "name", "params", "content"} <= set(value) and value["kind"] in PACKAGES:
                _check_content(value)
        _known.add(name)


def _check_content(part: Mapping[str, Any]) -> None:
    component = make(str(part["kind"]), part)
    remedy = "give every worker the same files at the same absolute paths"
    try:
        # a component may check more when it is addressed; here the digest is enough
        content = plain(getattr(component, "identity", component.content)())
    except (DataError, OSError) as error:
        cause = error.message if isinstance(error, MlopsimError) else str(error)
        raise WorkerRefused(f"the worker on {place()} cannot see the data: {cause}", remedy=remedy) from error
    if content != part["content"]:
        names = part["content"].get("replaces", []) if isinstance(part["content"], Mapping) else []
        files = ", ".join(str(part["params"].get(name)) for name in names)
        raise WorkerRefused(
            f"the worker on {place()} has other data for {component.full_name} {files}".rstrip()
            + f": {content} (coordinator: {part['content']})",
            remedy=remedy,
        )
