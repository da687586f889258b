"""Specs: ``name`` or ``{name: {param: value}}``, checked, completed, built and digested.

A *spec* is what a user writes; a *part* is its canonical form with kind, name, version and every
parameter (defaults included), which is what enters digests and the ledger. A parameter that was added later
(:func:`added`) is left out of the part while it has its default, so that nothing changes its address.
"""

from __future__ import annotations

import copy
import dataclasses
import inspect
import sys
import types
import typing
import weakref
from collections.abc import Mapping, Sequence
from enum import Enum
from typing import Any, TypeAlias, TypeVar

from mlopsim.core.digest import canonical_json, plain
from mlopsim.core.errors import ConfigError, nearest
from mlopsim.core.registry import PACKAGES, find

#: what a user may write for a component: a name, ``{name: {param: value}}``, a part, an instance
Spec: TypeAlias = Any
S = TypeVar("S")

#: what is known of a class while it has these fields
_Fields: TypeAlias = tuple[dataclasses.Field[Any], ...]
_Known: TypeAlias = weakref.WeakKeyDictionary[type[Any], tuple[_Fields, dict[str, Any]]]
#: types of parameters, whose annotations are texts, and defaults: a grid asks for them again and again
_hints: _Known = weakref.WeakKeyDictionary()
_usual: _Known = weakref.WeakKeyDictionary()


def added(default: Any) -> Any:
    """Declare a dataclass field that a component did not have from the start.

    With its default the component must give the numbers that it gave without the field. The field is left out
    of parts, and so of digests, keys and identities, while it has this value: what was computed before stays
    found. Code that reads parts must not expect it there; a built component always has it.

    Parameters
    ----------
    default : object
        The value that preserves the numbers; a list or mapping is copied for each instance.

    Examples
    --------
    >>> @dataclasses.dataclass(kw_only=True)
    ... class Periodic:
    ...     every: int = 10
    ...     jitter: float = added(0.0)
    >>> params_of(Periodic()), params_of(Periodic(jitter=0.5))
    ({'every': 10}, {'every': 10, 'jitter': 0.5})
    """
    if isinstance(default, list | dict):
        return dataclasses.field(default_factory=lambda: copy.deepcopy(default), metadata={"added": True})
    return dataclasses.field(default=default, metadata={"added": True})


def part(kind: str, default: Spec, *, many: bool = False, added: bool = False) -> Any:
    """Declare a dataclass field that holds the spec of another component.

    Parameters
    ----------
    kind : str
        The kind of the component.
    default : spec, or a list of specs with ``many``
        Its default.
    many : bool, default False
        Whether the field is a list of specs.
    added : bool, default False
        Whether the component did not have it from the start (see :func:`added`).
    """
    metadata = {"kind": kind, "many": many, "added": added}
    if many:
        return dataclasses.field(default_factory=lambda: list(default), metadata=metadata)
    if isinstance(default, Mapping):
        return dataclasses.field(default_factory=lambda: dict(default), metadata=metadata)
    return dataclasses.field(default=default, metadata=metadata)


def split_spec(kind: str, spec: Spec) -> tuple[str, dict[str, Any]]:
    """Split a spec into name and parameters, without looking the name up.

    Examples
    --------
    >>> split_spec("selector", {"periodic": {"every": 5}})
    ('periodic', {'every': 5})
    >>> split_spec("selector", "never")
    ('never', {})
    """
    if isinstance(spec, str):
        return spec, {}
    if isinstance(spec, Mapping):
        if {"kind", "name", "params"} <= set(spec):
            if spec["kind"] != kind:
                raise ConfigError(f"expected a {kind}, got {spec['kind']}/{spec['name']}")
            return str(spec["name"]), dict(spec["params"])
        if len(spec) == 1:
            name, params = next(iter(spec.items()))
            if params is None:
                return str(name), {}
            if isinstance(params, Mapping):
                return str(name), {str(key): value for key, value in params.items()}
    raise ConfigError(
        f"cannot read the {kind} {spec!r}", remedy="write name, or {name: {param: value}} for parameters"
    )


def make(kind: str, name: Spec, **params: Any) -> Any:
    """Build a component.

    Parameters
    ----------
    kind : str
        ``concept``, ``stream``, ``learner``, ``selector``, ``detector``, ...
    name : spec
        Its name, or a spec with parameters.
    **params
        Further parameters, checked against the component's fields.

    Returns
    -------
    object
        The instance.

    Raises
    ------
    ConfigError
        For an unknown name or parameter, a wrong type or a value out of range, and for a stored part of
        another version, which would give other numbers than those it stands for.

    Examples
    --------
    >>> make("selector", "periodic", every=5).every
    5
    >>> make("selector", "periodic", evry=5)
    Traceback (most recent call last):
    ...
    mlopsim.core.errors.ConfigError: selector/periodic has no parameter 'evry'; did you mean 'every'?
      remedy: its parameters: ...
    """
    if not isinstance(name, str | Mapping):
        if getattr(name, "kind", None) == kind and not params:
            return name
        raise ConfigError(
            f"cannot build a {kind} from {name!r} ({type(name).__name__})",
            remedy="write its name, or {name: {param: value}} for parameters",
        )
    short, given = split_spec(kind, name)
    cls = find(kind, short)
    stored = name.get("version") if isinstance(name, Mapping) and "params" in name else None
    if stored is not None and str(stored) != str(cls.version):
        raise ConfigError(
            f"the part {kind}/{short} is of version {stored}, but has version {cls.version} now",
            remedy="run it again from its name and parameters, or install the mlopsim that it came from",
        )
    given = _with_limit(cls, {**given, **params})
    hints = field_hints(cls)
    fields = {field.name: field for field in dataclasses.fields(cls) if field.init}
    values: dict[str, Any] = {}
    for key, value in given.items():
        if key not in fields:
            raise ConfigError(
                f"{cls.full_name} has no parameter '{key}'{nearest(key, fields)}",
                remedy=f"its parameters: {', '.join(fields) or '(none)'}{_limit_words(cls)}",
            )
        if "kind" in fields[key].metadata:
            values[key] = value
        else:
            values[key] = convert(value, hints[key], f"{cls.full_name}.{key}")
    return cls(**values)


def _limit_of(cls: type[Any]) -> str:
    """Return the parameter that a class calls its limit, empty if there is none of another name."""
    limit = getattr(cls, "limit", "")
    names = {field.name for field in dataclasses.fields(cls) if field.init}
    return limit if isinstance(limit, str) and limit in names - {"limit"} and "limit" not in names else ""


def _limit_words(cls: type[Any]) -> str:
    limit = _limit_of(cls)
    return f"; its limit is {limit}, which may be given as limit" if limit else ""


def _with_limit(cls: type[Any], given: dict[str, Any]) -> dict[str, Any]:
    """Return parameters with ``limit`` under the name that the class itself has for it."""
    limit = _limit_of(cls)
    if not limit or "limit" not in given:
        return given
    if limit in given:
        raise ConfigError(
            f"{cls.full_name}: limit is another name of {limit}, and both are given",
            remedy="keep one of them",
        )
    return {limit if key == "limit" else key: value for key, value in given.items()}


def field_hints(cls: type[Any]) -> dict[str, Any]:
    """Return the types of a component's parameters; other annotations of the class are not evaluated.

    Examples
    --------
    >>> field_hints(find("selector", "periodic"))["every"]
    <class 'int'>
    """
    fields = dataclasses.fields(cls)
    known = _hints.get(cls)
    # a class that is decorated (again) gets new fields
    if known is None or known[0] != fields:
        hints: dict[str, Any] = {}
        for entry in fields:
            owner = next(c for c in cls.__mro__ if entry.name in inspect.get_annotations(c))
            names = {**vars(sys.modules[owner.__module__]), **vars(owner)}
            hints[entry.name] = eval(entry.type, names) if isinstance(entry.type, str) else entry.type
        known = _hints[cls] = fields, hints
    return dict(known[1])


def convert(value: Any, hint: Any, where: str) -> Any:
    """Check a value against a type hint; only lossless conversions are made.

    Parameters
    ----------
    value : object
        What was given.
    hint : type
        int, float, bool, str, an Enum, ``X | None``, list[...], dict[...], or Any.
    where : str
        Name of the parameter for the error.

    Returns
    -------
    object
        The value in that type.

    Examples
    --------
    >>> convert(3, float, "a.b")
    3.0
    >>> convert("x", int, "a.b")
    Traceback (most recent call last):
    ...
    mlopsim.core.errors.ConfigError: a.b must be int, got 'x' (str)
      remedy: write a whole number, such as 5
    """
    origin = typing.get_origin(hint)
    if hint is Any:
        return value
    if origin in (typing.Union, types.UnionType):
        options = typing.get_args(hint)
        if value is None and type(None) in options:
            return None
        for option in options:
            if option is not type(None):
                try:
                    return convert(value, option, where)
                except ConfigError:
                    continue
    elif isinstance(hint, type) and issubclass(hint, Enum):
        if isinstance(value, hint):
            return value
        for member in hint:
            if str(value).lower() in (str(member.value).lower(), member.name.lower()):
                return member
        known = [str(member.value) for member in hint]
        raise ConfigError(
            f"{where} must be one of {', '.join(known)}, got {value!r}{nearest(str(value), known)}",
            remedy=f"write one of: {', '.join(known)}",
        )
    elif hint is float and isinstance(value, int | float) and not isinstance(value, bool):
        # NaN would pass every comparison with a limit, and JSON, which parts are stored as, has no infinity
        if abs(value) <= sys.float_info.max:
            return float(value)
    elif hint is int:
        # what has more bits fits into no array and no database
        if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 2**63:
            return value
    elif hint in (bool, str):
        if isinstance(value, hint):
            return value
    elif hint is list or origin is list:
        if isinstance(value, Sequence) and not isinstance(value, str):
            inner = (typing.get_args(hint) or (Any,))[0]
            return [convert(item, inner, f"{where}[{i}]") for i, item in enumerate(value)]
    elif (hint is dict or origin is dict) and isinstance(value, Mapping):
        inner = (typing.get_args(hint) or (Any, Any))[1]
        return {str(key): convert(item, inner, f"{where}.{key}") for key, item in value.items()}
    wanted = hint.__name__ if isinstance(hint, type) and origin is None else str(hint)
    raise ConfigError(
        f"{where} must be {wanted}, got {value!r} ({type(value).__name__})", remedy=f"write {_words(hint)}"
    )


def _words(hint: Any) -> str:
    """Say in words what a value of a type looks like."""
    if typing.get_origin(hint) in (typing.Union, types.UnionType):
        options = [_words(option) for option in typing.get_args(hint) if option is not type(None)]
        return " or ".join([*options, "null"] if type(None) in typing.get_args(hint) else options)
    if isinstance(hint, type) and issubclass(hint, Enum):
        return "one of " + ", ".join(str(member.value) for member in hint)
    plain_words = {
        int: "a whole number, such as 5",
        float: "a number, such as 0.5",
        bool: "true or false",
        str: "a text",
    }
    if hint in plain_words:
        return plain_words[hint]
    if (typing.get_origin(hint) or hint) is list:
        return "a list, such as [a, b]"
    return "a mapping, such as {key: value}"


def read_settings(cls: type[S], given: Mapping[str, Any], where: str) -> S:
    """Build a dataclass of settings from a mapping.

    Parameters
    ----------
    cls : type
        A keyword-only dataclass; it checks ranges itself.
    given : mapping
        Some of its fields.
    where : str
        Name of the settings for errors.

    Raises
    ------
    ConfigError
        For an unknown name or a value of a wrong type.

    Examples
    --------
    >>> @dataclasses.dataclass(kw_only=True)
    ... class Sizes:
    ...     rows: int = 5
    >>> read_settings(Sizes, {"row": 3}, "sizes")
    Traceback (most recent call last):
    ...
    mlopsim.core.errors.ConfigError: sizes has no 'row'; did you mean 'rows'?
      remedy: it has: rows
    """
    hints = field_hints(cls)
    for name in given:
        if name not in hints:
            raise ConfigError(
                f"{where} has no '{name}'{nearest(str(name), list(hints))}",
                remedy=f"it has: {', '.join(hints)}",
            )
    return cls(**{name: convert(value, hints[name], f"{where}.{name}") for name, value in given.items()})


def canonical(kind: str, spec: Spec) -> dict[str, Any]:
    """Return the part of a spec: kind, name, version and all parameters, nested ones too.

    The component is built on the way, so that every range is checked.

    Examples
    --------
    >>> canonical("selector", {"periodic": {"every": 5}})["params"]["every"]
    5
    """
    return part_of(make(kind, spec))


def part_of(component: Any) -> dict[str, Any]:
    """Return the part of a built component (see :func:`canonical`).

    A component may define ``content()``: a mapping that is merged into the part and so enters
    digests, e.g. the content digest of a file that it reads.
    """
    params = params_of(component)
    result = {"kind": component.kind, "name": component.name, "version": component.version, "params": params}
    content = getattr(component, "content", None)
    if callable(content):
        result["content"] = plain(content())
    return result


def params_of(component: Any, *, whole: bool = False) -> dict[str, Any]:
    """Return the parameters of a built component in canonical form, without its content.

    Parameters
    ----------
    component : object
        An instance; of a dataclass of settings, too.
    whole : bool, default False
        Whether parameters that were added later are there with their defaults, too.
    """
    params: dict[str, Any] = {}
    for field in dataclasses.fields(component):
        if not field.init:
            continue
        value = _param_of(field, getattr(component, field.name))
        if whole or not field.metadata.get("added") or not _is_usual(type(component), field, value):
            params[field.name] = value
    return params


def _param_of(field: dataclasses.Field[Any], value: Any) -> Any:
    if "kind" in field.metadata and value is not None:
        kind = field.metadata["kind"]
        value = (
            [canonical(kind, item) for item in value] if field.metadata["many"] else canonical(kind, value)
        )
    return plain(value)


def _is_usual(cls: type[Any], field: dataclasses.Field[Any], value: Any) -> bool:
    """Tell whether a parameter has its default, as the class itself makes of it."""
    usual = _usual_of(cls)[field.name]
    if "kind" in field.metadata:
        # what a part means changes with the component that bears its name
        return canonical_json(_param_of(field, usual)) == canonical_json(value)
    return bool(usual == _typed_text(cls, field.name, value))


def _usual_of(cls: type[Any]) -> dict[str, Any]:
    """Return the defaults of the parameters that were added later: parts as they are, others as texts."""
    fields = dataclasses.fields(cls)
    known = _usual.get(cls)
    if known is None or known[0] != fields:
        made = cls()
        defaults = {entry.name: getattr(made, entry.name) for entry in fields if entry.metadata.get("added")}
        parts = {entry.name for entry in fields if "kind" in entry.metadata}
        known = _usual[cls] = (
            fields,
            {
                name: value if name in parts else _typed_text(cls, name, plain(value))
                for name, value in defaults.items()
            },
        )
    return known[1]


def _typed_text(cls: type[Any], name: str, value: Any) -> str:
    """Return a value of a parameter as text, in the parameter's type: 1 and True are two values."""
    return canonical_json(plain(convert(value, field_hints(cls)[name], f"{cls.__name__}.{name}")))


def as_given(kind: str, spec: Spec) -> dict[str, Any]:
    """Return a spec without the parameters that have their defaults: these are free.

    A completed part no longer says which were given.

    Examples
    --------
    >>> as_given("selector", canonical("selector", {"periodic": {"every": 4}}))
    {'periodic': {'every': 4}}
    """
    name, params = split_spec(kind, spec)
    cls = find(kind, name)
    defaults = params_of(cls())
    return {cls.name: {key: value for key, value in params.items() if value != defaults.get(key)}}


def label(kind: str, spec: Spec) -> str:
    """Return a short readable name: the component's name and the parameters that were given.

    A class may name a parameter, ``leading``, whose value stands first and without its name.

    Examples
    --------
    >>> label("selector", {"periodic": {"every": 5}})
    'periodic(every=5)'
    >>> label("selector", {"on_alarm": {"detector": {"adwin": {"delta": 0.002}}, "wait": 2}})
    'on_alarm(adwin(delta=0.002), wait=2)'
    """
    name, given = split_spec(kind, spec)
    if isinstance(spec, Mapping) and "params" in spec and "kind" in spec:
        cls = find(kind, name)
        defaults = params_of(cls(), whole=True)
        given = {key: value for key, value in given.items() if plain(value) != defaults.get(key)}
    leading = getattr(find(kind, name), "leading", None) if kind in PACKAGES else None
    words = [_short(value) for key, value in given.items() if key == leading]
    words += [f"{key}={_short(value)}" for key, value in given.items() if key != leading]
    inside = ", ".join(words)
    return f"{name}({inside})" if inside else name


def _short(value: Any) -> str:
    if isinstance(value, Mapping) and {"kind", "name", "params"} <= set(value):
        return label(str(value["kind"]), value)
    if isinstance(value, Mapping) and len(value) == 1:
        name, params = next(iter(value.items()))
        if isinstance(params, Mapping):
            inside = ", ".join(f"{key}={_short(item)}" for key, item in params.items())
            return f"{name}({inside})"
    return str(plain(value))


def check_range(where: str, value: float, low: float, high: float, *, open_low: bool = False) -> None:
    """Raise unless ``low <= value <= high`` (``low < value`` with ``open_low``).

    Examples
    --------
    >>> check_range("periodic.every", 0, 1, 100)
    Traceback (most recent call last):
    ...
    mlopsim.core.errors.ConfigError: periodic.every must be in [1, 100], got 0
      remedy: give a number from 1 to 100
    """
    if not (low <= value <= high) or (open_low and value == low):
        raise ConfigError(
            f"{where} must be in {'(' if open_low else '['}{low}, {high}], got {value}",
            remedy=f"give a number {f'above {low}, at most' if open_low else f'from {low} to'} {high}",
        )
