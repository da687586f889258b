"""Content addresses: canonical JSON and BLAKE2 digests, never digests of live objects."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from enum import Enum
from pathlib import Path
from typing import Any

import numpy as np

from mlopsim.core.errors import ConfigError

DIGEST_CHARS = 24


def plain(value: Any) -> Any:
    """Reduce to JSON types: mappings with string keys, lists, strings, numbers, booleans, None.

    Parameters
    ----------
    value : object
        Nested mappings, sequences, enums, paths, numpy scalars and arrays of them.

    Returns
    -------
    object
        The same content in JSON types.

    Raises
    ------
    ConfigError
        If something has no canonical form.

    Examples
    --------
    >>> plain({"a": (1, np.float64(0.5))})
    {'a': [1, 0.5]}
    """
    # what most values are is told by their very type: a part is reduced again and again
    exact = type(value)
    if value is None or exact is str or exact is int or exact is bool:
        return value
    if exact is dict:
        return {str(key): plain(item) for key, item in value.items()}
    if exact is list:
        return [plain(item) for item in value]
    if isinstance(value, str):
        return value
    if isinstance(value, Enum):
        return plain(value.value)
    if isinstance(value, np.generic):
        return plain(value.item())
    if isinstance(value, int):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else repr(value)
    if isinstance(value, Path):
        return str(value)
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, np.ndarray):
        return plain(value.tolist())
    if isinstance(value, Sequence):
        return [plain(item) for item in value]
    raise ConfigError(f"{type(value).__name__} has no canonical form: {value!r}")


def canonical_json(value: Any) -> str:
    """Serialise with sorted keys and no spaces, so that equal content gives equal text.

    Examples
    --------
    >>> canonical_json({"b": 1, "a": [True, None]})
    '{"a":[true,null],"b":1}'
    """
    return json.dumps(plain(value), sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def addressed(value: Any) -> Any:
    """Reduce to what a digest depends on: parameters that a part's content stands for are left out.

    A part whose ``content`` names them in ``replaces`` (a file its path) is the same wherever it lies.

    Examples
    --------
    >>> part = {"params": {"path": "a.csv", "label": "y"}, "content": {"blake2b": "0f", "replaces": ["path"]}}
    >>> addressed(part)["params"]
    {'label': 'y'}
    """
    if isinstance(value, Mapping):
        result = {str(key): addressed(item) for key, item in value.items()}
        content, params = result.get("content"), result.get("params")
        if isinstance(content, Mapping) and isinstance(params, Mapping) and "replaces" in content:
            result["params"] = {name: v for name, v in params.items() if name not in content["replaces"]}
        return result
    if isinstance(value, list | tuple):
        return [addressed(item) for item in value]
    return value


def digest(value: Any) -> str:
    """Return the content address of a JSON-like value (24 hexadecimal digits of BLAKE2b).

    See :func:`addressed` for what it leaves out.

    Examples
    --------
    >>> digest({"a": 1}) == digest({"a": 1}) != digest({"a": 2})
    True
    """
    return digest_bytes(canonical_json(addressed(value)).encode())


def digest_bytes(data: bytes) -> str:
    """Return the content address of raw bytes."""
    return hashlib.blake2b(data, digest_size=DIGEST_CHARS // 2).hexdigest()


def digest_file(path: str | Path) -> str:
    """Return the content address of a file's bytes."""
    state = hashlib.blake2b(digest_size=DIGEST_CHARS // 2)
    with Path(path).open("rb") as handle:
        while block := handle.read(1 << 20):
            state.update(block)
    return state.hexdigest()


def digest_arrays(arrays: Mapping[str, np.ndarray]) -> str:
    """Return the content address of named arrays: names, dtypes, shapes and bytes.

    Examples
    --------
    >>> digest_arrays({"a": np.arange(3)}) == digest_arrays({"a": np.arange(3)})
    True
    """
    state = hashlib.blake2b(digest_size=DIGEST_CHARS // 2)
    for name in sorted(arrays):
        array = np.ascontiguousarray(arrays[name])
        state.update(f"{name}|{array.dtype.str}|{array.shape}|".encode())
        state.update(array.tobytes())
    return state.hexdigest()
