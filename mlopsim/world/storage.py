"""One World, one file: a JSON header and the raw arrays behind it, under one checksum.

Layout: 8 bytes magic; 4 bytes CRC-32 of everything that follows; 4 bytes length h of the
header (both little-endian); h bytes of JSON; then the arrays, each at a multiple of 64 bytes.
Nothing is ever unpickled.
"""

from __future__ import annotations

import json
import math
import mmap
import struct
import sys
import weakref
import zlib
from pathlib import Path
from typing import Any

import numpy as np

from mlopsim.core.digest import canonical_json
from mlopsim.core.errors import CacheError
from mlopsim.core.files import atomic_path
from mlopsim.streams.stream import DriftEvent, DriftKind
from mlopsim.world.spec import WorldSpec
from mlopsim.world.world import ARRAYS, World

MAGIC = b"MLOPSIMW"
ALIGNMENT = 64
_HEAD = struct.Struct("<8sII")
#: the checksum covers the bytes from here on
_COVERED = 12

_maps: weakref.WeakSet[mmap.mmap] = weakref.WeakSet()


def _aligned(size: int) -> int:
    return -(-size // ALIGNMENT) * ALIGNMENT


def write_world(world: World, path: Path) -> int:
    """Write a World with an address, atomically, and return the number of bytes.

    Raises
    ------
    MlopsimError
        If the folder cannot be written to.
    """
    if world.spec is None:
        raise CacheError("a World without an address cannot be stored", remedy="build it from a WorldSpec")
    arrays = {name: np.ascontiguousarray(array) for name, array in world.arrays.items()}
    table: dict[str, Any] = {}
    offset = 0  # from the end of the padded header
    for name, array in arrays.items():
        table[name] = {"dtype": array.dtype.str, "shape": array.shape, "offset": offset}
        offset += _aligned(array.nbytes)
    events = None
    if world.events is not None:
        events = [
            [event.kind, event.start, event.end, event.magnitude, event.detail] for event in world.events
        ]
    header = canonical_json(
        {
            "key": world.spec.key,
            "spec": world.spec.as_dict(),
            "warmup": world.warmup,
            "classes": world.classes,
            "features": world.features,
            "groups": world.groups,
            "events": events,
            "arrays": table,
            "bytes": offset,
        }
    ).encode()
    start = _aligned(_HEAD.size + len(header))
    content = bytearray(start + offset)
    content[_HEAD.size : _HEAD.size + len(header)] = header
    for name, array in arrays.items():
        at = start + table[name]["offset"]
        content[at : at + array.nbytes] = array.tobytes()
    _HEAD.pack_into(content, 0, MAGIC, 0, len(header))
    struct.pack_into("<I", content, _COVERED - 4, zlib.crc32(memoryview(content)[_COVERED:]))
    with atomic_path(path) as temporary:
        temporary.write_bytes(content)
    return len(content)


def read_world(path: Path, spec: WorldSpec | None = None) -> World:
    """Open a stored World: verified, memory-mapped, read-only.

    Every map holds a file descriptor, so beyond a quarter of the descriptors that the process may have, the
    arrays are read into memory instead.

    Parameters
    ----------
    path : Path
        The file.
    spec : WorldSpec, optional
        What it must have been made from.

    Raises
    ------
    CacheError
        If the file is damaged or holds another World.
    FileNotFoundError
        If there is none.
    """
    content = _load(path)
    if len(content) < _HEAD.size:
        raise CacheError(f"{path} is truncated: {len(content)} bytes")
    magic, checksum, length = _HEAD.unpack_from(content, 0)
    if magic != MAGIC:
        raise CacheError(f"{path} is not a stored World")
    if zlib.crc32(memoryview(content)[_COVERED:]) != checksum:
        raise CacheError(f"{path} is damaged: its checksum does not fit its {len(content)} bytes")
    header = json.loads(content[_HEAD.size : _HEAD.size + length])
    found = WorldSpec.from_dict(header["spec"]) if spec is None else spec
    if header["key"] != found.key:
        raise CacheError(f"{path} holds another World: {header['key']}")
    start = _aligned(_HEAD.size + length)
    if len(content) != start + header["bytes"]:
        raise CacheError(f"{path} is damaged: {len(content)} bytes instead of {start + header['bytes']}")
    arrays: dict[str, np.ndarray] = {}
    for name in ARRAYS:
        entry = header["arrays"][name]
        shape = tuple(entry["shape"])
        dtype = np.dtype(entry["dtype"])
        count = math.prod(shape)
        arrays[name] = np.frombuffer(content, dtype, count, start + entry["offset"]).reshape(shape)
    events = None
    if header["events"] is not None:
        events = tuple(
            DriftEvent(kind=DriftKind(kind), start=first, end=last, magnitude=float(magnitude), detail=detail)
            for kind, first, last, magnitude, detail in header["events"]
        )
    return World(
        spec=found,
        arrays=arrays,
        warmup=header["warmup"],
        classes=tuple(header["classes"]),
        features=tuple(header["features"]),
        groups=tuple(header["groups"]),
        events=events,
    )


def _load(path: Path) -> bytes | mmap.mmap:
    with path.open("rb") as handle:
        if len(_maps) >= _map_limit() or not path.stat().st_size:
            return handle.read()
        mapped = mmap.mmap(handle.fileno(), 0, access=mmap.ACCESS_READ)
    _maps.add(mapped)
    return mapped


def _map_limit() -> int:
    if sys.platform == "win32":
        return 1 << 30
    import resource

    soft = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    return 1 << 30 if soft == resource.RLIM_INFINITY else soft // 4
