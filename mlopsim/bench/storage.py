"""How numbers are written into the ledger: JSON text and npy/npz bytes, never pickles."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from enum import Enum
from pathlib import Path
from typing import Any

import numpy as np

from mlopsim.core.digest import digest, digest_bytes
from mlopsim.core.errors import DataError

#: raised when a table changes; an older ledger is refused, not guessed at
SCHEMA_VERSION = 1
#: "mlop" in ASCII, tells our files from other SQLite databases
APPLICATION_ID = 0x6D6C6F70

SCHEMA = """
CREATE TABLE grid (
  digest TEXT PRIMARY KEY, title TEXT NOT NULL, track TEXT NOT NULL, metrics TEXT NOT NULL,
  notes TEXT NOT NULL, plugins TEXT NOT NULL, config TEXT NOT NULL, cells INTEGER NOT NULL, used TEXT NOT NULL
);
CREATE TABLE member (
  grid TEXT NOT NULL, position INTEGER NOT NULL, key TEXT NOT NULL, track TEXT NOT NULL,
  task TEXT NOT NULL, method TEXT NOT NULL, task_digest TEXT NOT NULL, method_digest TEXT NOT NULL,
  split TEXT NOT NULL, root INTEGER NOT NULL, seed INTEGER NOT NULL, fit TEXT,
  PRIMARY KEY (grid, key)
);
CREATE TABLE run (
  id TEXT PRIMARY KEY, grid TEXT NOT NULL, started TEXT NOT NULL, ended TEXT, status TEXT NOT NULL,
  record TEXT NOT NULL
);
CREATE TABLE spec (digest TEXT PRIMARY KEY, kind TEXT NOT NULL, content TEXT NOT NULL);
CREATE TABLE fit (
  key TEXT PRIMARY KEY, track TEXT NOT NULL, label TEXT NOT NULL, spec TEXT NOT NULL, needs TEXT NOT NULL,
  status TEXT NOT NULL, info TEXT, arrays BLOB, digest TEXT, error TEXT, seconds REAL, host TEXT,
  fingerprint TEXT, run TEXT NOT NULL, finished TEXT NOT NULL, attempts INTEGER NOT NULL
);
CREATE TABLE cell (
  key TEXT PRIMARY KEY, status TEXT NOT NULL, metrics TEXT, reasons TEXT, error TEXT, digest TEXT NOT NULL,
  seconds REAL, bundle INTEGER, host TEXT, fingerprint TEXT, run TEXT NOT NULL, finished TEXT NOT NULL,
  attempts INTEGER NOT NULL
);
CREATE TABLE curve (
  cell TEXT NOT NULL, name TEXT NOT NULL, data BLOB NOT NULL, digest TEXT NOT NULL, PRIMARY KEY (cell, name)
);
"""
TABLES = ("grid", "member", "run", "spec", "fit", "cell", "curve")


def to_json(value: Any) -> str:
    """Write JSON that reads back to the same floats; NaN and infinities as Python writes them.

    Examples
    --------
    >>> to_json({"a": np.float64(0.1), "b": float("nan")})
    '{"a":0.1,"b":NaN}'
    """
    return json.dumps(value, default=_default, separators=(",", ":"), ensure_ascii=False)


def _default(value: Any) -> Any:
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, np.ndarray):
        return value.tolist()
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, Path):
        return str(value)
    if isinstance(value, Mapping):
        return dict(value)
    raise DataError(f"{type(value).__name__} cannot be stored as JSON")


def pack_array(array: np.ndarray) -> bytes:
    """Return an array in npy format.

    Raises
    ------
    DataError
        For an array of Python objects.

    Examples
    --------
    >>> unpack_array(pack_array(np.arange(3)))
    array([0, 1, 2])
    """
    buffer = io.BytesIO()
    _check_dtype("array", array)
    np.lib.format.write_array(buffer, np.asarray(array), allow_pickle=False)
    return buffer.getvalue()


def unpack_array(data: bytes) -> np.ndarray:
    """Read an array in npy format."""
    array: np.ndarray = np.lib.format.read_array(io.BytesIO(data), allow_pickle=False)
    return array


def pack_arrays(arrays: Mapping[str, np.ndarray]) -> bytes:
    """Return named arrays in npz format (uncompressed).

    Examples
    --------
    >>> unpack_arrays(pack_arrays({"w": np.zeros(2)}))
    {'w': array([0., 0.])}
    """
    for name, array in arrays.items():
        _check_dtype(name, array)
    buffer = io.BytesIO()
    np.savez(buffer, allow_pickle=False, **{name: np.asarray(a) for name, a in arrays.items()})
    return buffer.getvalue()


def unpack_arrays(data: bytes) -> dict[str, np.ndarray]:
    """Read named arrays in npz format."""
    with np.load(io.BytesIO(data), allow_pickle=False) as stored:
        return {name: stored[name] for name in stored.files}


def _check_dtype(name: str, array: np.ndarray) -> None:
    if np.asarray(array).dtype.hasobject:
        raise DataError(
            f"{name} holds Python objects and cannot be stored", remedy="use numbers or fixed text"
        )


def row_digest(*values: str | None) -> str:
    """Return the content address of the texts of a row (None and "" differ).

    Examples
    --------
    >>> row_digest("a", None) == row_digest("a", "")
    False
    """
    return digest_bytes(json.dumps(values).encode())


def member_key(
    track: str, task_digest: str, method_digest: str, split: str, root: int, seed: int, fit: str | None
) -> str:
    """Return the key that a stored cell must have: ``Cell.key`` from the digests of its parts."""
    return digest(
        {
            "track": track,
            "task": task_digest,
            "method": method_digest,
            "seed": [root, split, seed],
            "fit": fit,
        }
    )
