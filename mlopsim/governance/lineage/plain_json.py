"""Between nested dataclasses and JSON: what is read back is what was written, or an error says where."""

from __future__ import annotations

import dataclasses
import math
import types
import typing
from collections.abc import Mapping
from typing import Any, TypeVar

from mlopsim.core.errors import DataError

T = TypeVar("T")
_REMEDY = "take the file as it was written: mlopsim export-registry DIR KEY --to versions:FILE.jsonl"


def to_plain(value: Any) -> Any:
    """Return nested dataclasses as JSON types; NaN and infinities are refused.

    Raises
    ------
    ValueError
        If a float is not finite: what is undefined is None, with a reason beside it.

    Examples
    --------
    >>> @dataclasses.dataclass
    ... class Point:
    ...     at: tuple[int, int]
    >>> to_plain(Point(at=(1, 2)))
    {'at': [1, 2]}
    """
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: to_plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return {str(key): to_plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [to_plain(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError(f"{value!r} cannot be written as JSON")
    return value


def from_plain(cls: type[T], value: Any, where: str) -> T:
    """Build a dataclass from JSON types.

    Parameters
    ----------
    cls : type
        A dataclass whose fields are JSON types, mappings, dataclasses, tuples of them, or one of these or
        None.
    value : object
    where : str
        What it is, for errors.

    Raises
    ------
    DataError
        Names the first field that is missing, unknown or of a wrong type.

    Examples
    --------
    >>> @dataclasses.dataclass
    ... class Point:
    ...     at: tuple[int, ...]
    >>> Point.__module__ = "builtins"
    >>> from_plain(Point, {"at": [1, "2"]}, "the point")
    Traceback (most recent call last):
    ...
    mlopsim.core.errors.DataError: the point.at[1] must be int, got '2'
      remedy: take the file as it was written: ...
    """
    found: T = _read(cls, value, where)
    return found


def _read(hint: Any, value: Any, where: str) -> Any:
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if hint is Any:
        return value
    if origin in (types.UnionType, typing.Union):
        if value is None and type(None) in arguments:
            return None
        (inner,) = [one for one in arguments if one is not type(None)]
        return _read(inner, value, where)
    if dataclasses.is_dataclass(hint):
        return _read_fields(hint, value, where)
    if origin is tuple:
        if not isinstance(value, list):
            raise _wrong(where, "a list", value)
        return tuple(_read(arguments[0], item, f"{where}[{i}]") for i, item in enumerate(value))
    if origin is not None and issubclass(origin, Mapping):
        if not isinstance(value, dict):
            raise _wrong(where, "an object", value)
        return {key: _read(arguments[1], item, f"{where}.{key}") for key, item in value.items()}
    # True is an int of Python, and no number of ours; an int is no float that was written
    if type(value) is not hint:
        raise _wrong(where, hint.__name__, value)
    return value


def _read_fields(cls: Any, value: Any, where: str) -> Any:
    if not isinstance(value, dict):
        raise _wrong(where, "an object", value)
    hints = typing.get_type_hints(cls)
    names = [field.name for field in dataclasses.fields(cls)]
    for name in names:
        if name not in value:
            raise DataError(f"{where} has no '{name}'", remedy=_REMEDY)
    for name in value:
        if name not in names:
            raise DataError(f"{where} has a field '{name}' that is not known", remedy=_REMEDY)
    return cls(**{name: _read(hints[name], value[name], f"{where}.{name}") for name in names})


def _wrong(where: str, expected: str, value: Any) -> DataError:
    return DataError(f"{where} must be {expected}, got {value!r:.60}", remedy=_REMEDY)
