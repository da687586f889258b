"""Words of the command line as Hydra is to read them: what it would misread is refused or quoted."""

from __future__ import annotations

import dataclasses
import json
import re
import typing
from collections.abc import Mapping, Sequence
from typing import Any

from mlopsim.compose.schema import LISTS, PARTS, BenchConfig, root_keys
from mlopsim.core import registry
from mlopsim.core.digest import plain
from mlopsim.core.errors import ConfigError, nearest
from mlopsim.core.repeated_keys import refuse_repeated_keys
from mlopsim.core.spec import field_hints

#: what a word on the command line may look like
GRAMMAR = 'key=value; lists as "key=[a,{b: {c: 1}}]", quoted for the shell'


def fields_of(cls: type) -> dict[str, Any]:
    """Return the parameters of a component with their defaults, as plain JSON types."""
    instance = cls()
    return {f.name: plain(getattr(instance, f.name)) for f in dataclasses.fields(cls) if f.init}


def check_overrides(overrides: Sequence[str]) -> list[str]:
    """Refuse what Hydra would misread and bring lists into one form.

    Parameters
    ----------
    overrides : sequence of str
        ``key=value`` words of the command line.

    Returns
    -------
    list of str
        The words for Hydra.

    Raises
    ------
    ConfigError
        For ``+key``, ``~key``, a word without ``=``, an unknown or a repeated key.

    Examples
    --------
    >>> check_overrides(["methods=never,periodic"])
    ['methods=[never,periodic]']
    """
    seen: set[str] = set()
    words = []
    for raw in overrides:
        word = raw.strip()
        if word[:1] in "+~":
            key = word.lstrip("+~").partition("=")[0]
            change = f"write {word.lstrip('+')}" if word[0] == "+" else f"give '{key}' another value"
            raise ConfigError(
                f"'{word}' is refused: keys are neither added nor removed", remedy=f"{change} (key=value)"
            )
        key, equals, value = word.partition("=")
        if not equals:
            raise ConfigError(f"'{word}' is no override", remedy="write key=value, e.g. seeds=30")
        if key in seen:
            raise ConfigError(f"'{key}' is given twice", remedy="keep one of them")
        seen.add(key)
        refuse_repeated_keys(value)
        _check_value(key, value)
        words.append(f"{key}={value}")
    free = _check_keys(words)
    words = _as_meant(words)
    # Hydra adds keys only if told to; here it may where any keys will do
    return [f"++{word}" if word.partition("=")[0] in free else word for word in words]


def _as_meant(words: Sequence[str]) -> list[str]:
    """Write values as Hydra's grammar wants them: texts are taken as they stand, lists get their brackets."""
    chosen = {key: value for key, _, value in (word.partition("=") for word in words)}
    written = []
    for key, value in chosen.items():
        hint = _hint_of(key, chosen)
        options = [o for o in (typing.get_args(hint) or (hint,)) if o is not type(None)]
        if typing.get_origin(hint) in (list, dict):
            options = [hint]
        lists = [option for option in options if typing.get_origin(option) is list or option is list]
        if value[:1] == "[" and options and all(option in (int, float, bool, str) for option in options):
            several = f"write sweep.{key}={value} to compare them"
            raise ConfigError(
                f"'{key}' takes one value, not a list",
                remedy=several if "." in key else "run the command once for each value",
            )
        if value and value[0] not in "[{'\"" and value != "null":
            if options == [str]:
                value = quoted(value)
            elif key in LISTS or (lists and (len(options) == 1 or ("," in value and "(" not in value))):
                texts = bool(lists) and typing.get_args(lists[0]) == (str,)
                items = [quoted(item.strip()) for item in value.split(",")] if texts else [value]
                value = f"[{','.join(items)}]"
        written.append(f"{key}={value}")
    return written


def quoted(text: str) -> str:
    """Return a text as Hydra's grammar reads it, whatever signs it holds.

    Examples
    --------
    >>> quoted("it's a=b (1)")
    "'it\\\\'s a=b (1)'"
    """
    from hydra.core.override_parser.types import Quote, QuotedString

    found: str = QuotedString(text=text, quote=Quote.single).with_quotes()
    return found


def _hint_of(key: str, chosen: Mapping[str, str]) -> Any:
    """Return the type of a key of the root, a track or a chosen component; Any where it is not known."""
    head, _, rest = key.partition(".")
    if not rest:
        if head in ("suite", *PARTS):
            return str
        return typing.get_type_hints(BenchConfig).get(head, Any)
    kind, name = ("track", head) if head in registry.names("track") else (head, chosen.get(head, ""))
    if head == "deployment":
        name = name or "standard"
    if kind not in ("track", *PARTS) or name not in registry.names(kind):
        return Any
    return field_hints(registry.find(kind, name)).get(rest, Any)


def _check_value(key: str, value: str) -> None:
    """Refuse values that are looked up elsewhere, and names that are none."""
    if "${" in value:
        raise ConfigError(
            f"'{key}={value}' refers to something else: overrides are taken as they stand",
            remedy="write the value itself, so that the run can be repeated from its config",
        )
    named = value.strip("'\"")
    if value == "null" and key in ("suite", *PARTS, *registry.names("track")):
        raise ConfigError(f"'{key}' cannot be null", remedy="leave it out")
    if key in ("suite", *PARTS) and value[:1] not in "{[" and not re.fullmatch(r"[^\W\d][\w.-]*", named):
        raise ConfigError(
            f"{key} must be a name, not '{value[:60]}'", remedy=f"write {key}=NAME; mlopsim list shows them"
        )


def _check_keys(words: Sequence[str]) -> set[str]:
    """Refuse unknown keys; return those of settings that take any keys of their own."""
    free: set[str] = set()
    chosen = {key: value for key, _, value in (word.partition("=") for word in words)}
    tracks = registry.names("track")
    roots = [*root_keys(), "suite", *PARTS, *tracks]
    for key in chosen:
        head, _, rest = key.partition(".")
        if head not in roots:
            raise ConfigError(
                f"unknown key '{key}'{nearest(head, roots)}", remedy=f"known keys: {', '.join(roots)}"
            )
        if not rest:
            if head in PARTS and chosen[key][:1] in "{[":
                raise ConfigError(
                    f"{head} must be a name, not '{chosen[key]}'",
                    remedy=f"write {head}=NAME, and {head}.PARAMETER=VALUE for each parameter",
                )
            continue
        if head in tracks:
            known = fields_of(registry.find("track", head))
        elif head in PARTS:
            name = chosen.get(head) or ("standard" if head == "deployment" else "")
            if not name:
                raise ConfigError(
                    f"'{key}' sets a parameter of a {head}, but no {head} is chosen",
                    remedy=f"add {head}=NAME, one of: {', '.join(registry.names(head))}",
                )
            if name not in registry.names(head):
                continue  # a preset: Hydra knows its keys
            known = fields_of(registry.find(head, name))
        else:
            raise ConfigError(
                f"'{head}' has no parts, so '{key}' cannot be set", remedy=f"write {head}=value"
            )
        path = rest.split(".")
        if path[0] not in known:
            raise ConfigError(
                f"unknown key '{key}': {head} has no '{path[0]}'{nearest(path[0], known)}",
                remedy=f"it has: {', '.join(known)}",
            )
        if len(path) > 1 and not isinstance(known[path[0]], dict):
            raise ConfigError(
                f"'{head}.{path[0]}' has no parts, so '{key}' cannot be set",
                remedy=f"write {head}.{path[0]}=VALUE",
            )
        if known[path[0]] == {}:
            free.add(key)
    return free


def split_sweep(overrides: Sequence[str]) -> tuple[list[str], dict[str, Any]]:
    """Part the words of a sweep, ``sweep.KEY=[1,2]`` or ``sweep.KEY=1,2``, from all others.

    Returns
    -------
    list of str
        The other words.
    dict
        Keys without ``sweep.`` to their values; ``zip`` to a bool.

    Raises
    ------
    ConfigError
        For a repeated key or values that cannot be read.

    Examples
    --------
    >>> split_sweep(["seeds=3", "sweep.deployment.latency=1,2,4", "sweep.learner=[ridge,{tree: {a: 3}}]"])
    (['seeds=3'], {'deployment.latency': [1, 2, 4], 'learner': ['ridge', {'tree': {'a': 3}}]})
    """
    from hydra.core.override_parser.overrides_parser import OverridesParser
    from hydra.core.override_parser.types import Sweep as HydraSweep
    from hydra.errors import HydraException

    others, swept = [], {}
    for raw in overrides:
        key, equals, value = raw.strip().partition("=")
        if key in ("sweep", "sweep."):
            raise ConfigError(f"'{raw}' names no key to sweep", remedy='write "sweep.KEY=[a,b]" for each key')
        if not key.startswith("sweep.") or not equals:
            others.append(raw)
            continue
        name = key.removeprefix("sweep.")
        if name in swept:
            raise ConfigError(f"'{key}' is given twice", remedy="keep one of them")
        refuse_repeated_keys(value)
        if "${" in value:
            raise ConfigError(
                f"'{raw}' refers to something else: overrides are taken as they stand",
                remedy="write the values themselves, so that the run can be repeated from its config",
            )
        listed = value if value[:1] == "[" or name == "zip" else f"[{value}]"
        try:
            read = OverridesParser.create().parse_override(f"x={listed}").value()
        except HydraException as error:
            raise ConfigError(
                f"cannot read '{raw}'", remedy=f'write "{key}=[a,b]", quoted for the shell'
            ) from error
        items = read if isinstance(read, list) else [read]
        listed_well = name == "zip" or isinstance(read, list)
        if not listed_well or any(isinstance(item, HydraSweep) for item in items):
            raise ConfigError(f"cannot read '{raw}'", remedy=f'write "{key}=[a,b]", quoted for the shell')
        swept[name] = read
    return others, swept


def words_of(overrides: Sequence[str] | Mapping[str, Any]) -> list[str]:
    """Return overrides as words: a mapping of keys to values is written in Hydra's grammar.

    Examples
    --------
    >>> words_of({"deployment.latency": 2, "stream": "file", "stream.drop": ["it's", "b"]})
    ['deployment.latency=2', 'stream=file', "stream.drop=['it\\\\'s','b']"]
    """
    if not isinstance(overrides, Mapping):
        return [overrides] if isinstance(overrides, str) else list(overrides)
    words = []
    for key, value in overrides.items():
        name = isinstance(value, str) and re.fullmatch(r"[^\W\d][\w-]*", value)
        plain_name = name and value.lower() not in ("null", "true", "false", "nan", "inf")
        words.append(f"{key}={value if plain_name else _literal(value, str(key))}")
    return words


def _literal(value: Any, key: str) -> str:
    """Return a value as a literal of Hydra's grammar."""
    value = plain(value)
    if isinstance(value, str):
        return quoted(value)
    if isinstance(value, Mapping):
        for name in value:
            if not re.fullmatch(r"[^\W\d][\w.-]*", str(name)):
                raise ConfigError(f"{key}: '{name}' cannot be a key here", remedy="name it by a word")
        return "{" + ",".join(f"{name}: {_literal(item, key)}" for name, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ",".join(_literal(item, key) for item in value) + "]"
    return json.dumps(value)
