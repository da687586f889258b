"""Stable identities: what random numbers hang on, so that nothing is redrawn unless something else is asked.

A digest is the address of a *result*: it holds versions, defaults, a plug-in's bytes and the contents of
files, because each of them changes numbers. A seed must not hang on them: a raised version, a new parameter
with a default or a comment in a plug-in would redraw every stochastic method. The identity of a part is its
kind and name and those parameters that differ from the defaults of its class, nested parts likewise. It
leaves out versions, contents, parameters that a content stands for (the path of a file) and lists of what is
free to be tuned; to give a default is to give nothing.

Which identities enter which seed, beside the axis, split, index and root of
:func:`mlopsim.core.seeds.seed_sequence`:

==============================  ===========================================================================
seed                            identities
==============================  ===========================================================================
scenario, learner, observation  none: all methods meet the same scenarios. (The observations of a World that
                                was built by hand hang on its labels: it has no index)
selector in a cell              selector; stream, learner, training, deployment (not its feedback, nor in the
                                track governance its reviewer) of the task. Of an arm the parts that are on
                                are none of it: one agent draws alike in all of its arms
tuning, training of a selector  selector; stream, learner, training, deployment (without the same) of the
                                training scenarios
detector in a cell              detector; signal, stream, learner, training, deployment of the task
calibration of a detector       detector; signal, stream, learner of its law without drift
gate in a scenario              gate without its action: whatever is done with rows, the same are flagged
gate that guards training       gate
release audit of a version      scenario, audit
reviewer of a version           scenario, version: all reviewers draw alike
audit in a deployment           audit, in calibration and cells; a battery's members as if they stood alone
audit of one's own model        audit
==============================  ===========================================================================

Settings of a track (budgets, numbers of runs, run lengths, tolerances) enter no seed, nor does any other
method: each draws alike whoever else is in the table and however much is spent.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

from mlopsim.core.digest import canonical_json, digest_bytes, plain
from mlopsim.core.registry import PACKAGES, find
from mlopsim.core.seeds import digest_words
from mlopsim.core.spec import Spec, convert, field_hints, params_of, split_spec


def identity(value: Any) -> Any:
    """Reduce a part, or anything that holds parts, to what stays when versions and defaults change.

    Parameters
    ----------
    value : object
        A part (see :func:`mlopsim.core.spec.canonical`), or JSON-like content with parts in it.

    Returns
    -------
    object
        For a part ``[kind/name, {parameter: value}]`` with the parameters that differ from the defaults.

    Examples
    --------
    >>> from mlopsim.core.spec import canonical
    >>> identity(canonical("selector", {"periodic": {"every": 5}}))
    ['selector/periodic', {'every': 5}]
    >>> default = canonical("selector", "periodic")
    >>> identity(default), identity({**default, "version": "9", "free": ["every"]})
    (['selector/periodic', {}], ['selector/periodic', {}])
    """
    if isinstance(value, Mapping):
        if {"kind", "name", "params"} <= set(value):
            return _of_part(value)
        return {str(key): identity(item) for key, item in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [identity(item) for item in value]
    return plain(value)


def identity_words(*values: Any) -> tuple[int, int]:
    """Return two 32-bit words of the identities of parts, for the key of a seed.

    Parameters
    ----------
    *values : object
        Parts, names, or JSON-like content; their order matters.

    Examples
    --------
    >>> part = {"kind": "selector", "name": "never", "version": "1", "params": {}}
    >>> identity_words(part) == identity_words({**part, "version": "2"}) != identity_words("tie", part)
    True
    """
    return digest_words(digest_bytes(canonical_json([identity(value) for value in values]).encode()))


def _of_part(part: Mapping[str, Any]) -> list[Any]:
    kind, name, params = str(part["kind"]), str(part["name"]), dict(part["params"])
    replaced = (part.get("content") or {}).get("replaces", ())
    given = {key: value for key, value in params.items() if key not in replaced}
    if kind not in PACKAGES:
        # a control of a track: no class holds its defaults
        return [f"{kind}/{name}", {key: identity(value) for key, value in sorted(given.items())}]
    cls: Any = find(kind, name)
    usual, typed = _defaults(cls), _types(cls)
    kept: dict[str, Any] = {}
    for key, value in sorted(given.items()):
        own = _typed(value, typed.get(key), f"{kind}/{name}.{key}")
        if key not in usual or own != usual[key]:
            kept[key] = own
    return [f"{kind}/{name}", kept]


def _typed(value: Any, field: tuple[str | None, Any] | None, where: str) -> Any:
    """Return the identity of a parameter's value, in the type that the class states."""
    if field is None or value is None:
        return identity(value)
    kind, hint = field
    if kind is None:
        return identity(plain(convert(value, hint, where)))
    many = isinstance(value, Sequence) and not isinstance(value, str)
    return [_nested(kind, item) for item in value] if many else _nested(kind, value)


def _nested(kind: str, spec: Spec) -> Any:
    """Return the identity of a nested spec; what is no part yet is read without building it."""
    if isinstance(spec, Mapping) and {"kind", "name", "params"} <= set(spec):
        return _of_part(spec)
    name, params = split_spec(kind, spec)
    return _of_part({"kind": kind, "name": name.split("/")[-1], "params": params})


@lru_cache(maxsize=1024)
def _defaults(cls: Any) -> dict[str, Any]:
    """Return the identities of a class's own parameters, as they are when none is given."""
    typed = _types(cls)
    where = str(cls.__name__)
    usual = params_of(cls(), whole=True)
    return {key: _typed(value, typed[key], f"{where}.{key}") for key, value in usual.items()}


@lru_cache(maxsize=1024)
def _types(cls: Any) -> dict[str, tuple[str | None, Any]]:
    """Return the kind of component (None: a plain value) and the type of each parameter."""
    hints = field_hints(cls)
    return {
        field.name: (field.metadata.get("kind"), hints[field.name])
        for field in dataclasses.fields(cls)
        if field.init
    }
