"""How numbers are written into the ledger: JSON text and npy/npz bytes, never pickles."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from enum import Enum
from pathlib import Path
from typing import Any

import numpy as np

from mlopsim.core.errors import DataError


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
