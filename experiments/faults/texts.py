"""Words that are wrong in a known way: near misses of names, values of a wrong type."""

from __future__ import annotations

import string
import types
import typing
from collections.abc import Collection, Sequence
from enum import Enum
from typing import Any, TypeVar

import numpy as np

T = TypeVar("T")

#: text that is no number, no name of ours, and needs no quotes in Hydra's grammar
WORDS = (
    "junk",
    "fast",
    "many",
    "x1",
    "ten",
    "none_such",
    "größe",
    "ja",
    "stopp",
    "true_",
    "1e",
)


def pick(rng: np.random.Generator, options: Sequence[T]) -> T:
    """Draw one of several things, whatever their type."""
    return options[int(rng.integers(len(options)))]


def misspelt(rng: np.random.Generator, name: str, known: Collection[str]) -> str:
    """Change, drop, double or swap one letter of a name, so that no known name comes out."""
    while True:
        at = int(rng.integers(len(name)))
        letter = pick(rng, string.ascii_lowercase)
        made = pick(
            rng,
            (
                name[:at] + letter + name[at + 1 :],
                name[:at] + name[at + 1 :],
                name[:at] + name[at] + name[at:],
                name[:at] + name[at + 1 : at + 2] + name[at : at + 1] + name[at + 2 :],
                name + letter,
            ),
        )
        if made and made[0].isalpha() and made not in known:
            return made


def wrong_values(hint: Any) -> tuple[str, ...]:
    """Return values in Hydra's grammar that no conversion without loss turns into the type; () if unknown.

    Examples
    --------
    >>> "junk" in wrong_values(int), "1.5" in wrong_values(int), "1.5" in wrong_values(float)
    (True, True, False)
    """
    if typing.get_origin(hint) in (typing.Union, types.UnionType):
        options = [o for o in typing.get_args(hint) if o is not type(None)]
        kinds = [set(wrong_values(option)) for option in options]
        return tuple(sorted(set.intersection(*kinds) - {"null"})) if kinds else ()
    if hint is int:
        return (*WORDS, "1.5", "nan", "inf", "true", "[1]", "{a: 1}", "null", "-0.5", "''")
    if hint is float:
        return (*WORDS, "nan", "true", "[1]", "{a: 1}", "null", "''")
    if hint is bool:
        return ("junk", "maybe", "1.5", "[1]", "{a: 1}", "null", "7")
    if isinstance(hint, type) and issubclass(hint, Enum):
        known = {str(member.value).lower() for member in hint} | {member.name.lower() for member in hint}
        return tuple(word for word in (*WORDS, "[1]", "{a: 1}", "null", "7") if word.lower() not in known)
    if typing.get_origin(hint) is list and typing.get_args(hint)[0] in (int, float):
        return ("[junk]", "[1,nan]", "[[1]]", "{a: 1}", "[null]")
    return ()
