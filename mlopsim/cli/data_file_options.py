"""What commands that read a data file share: how its marks are given, and remedies in their options."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import click

from mlopsim.core.errors import ConfigError, DataError

#: what streams advise, and how it is said here
REMEDIES = (
    (r"\((rows|warmup)=\.\.\.\)", r"(--\1)"),
    (r"^at: (\d+)\.\.(\d+)$", r"schedule.at=\1, or up to \2"),
    (r"^mechanism=random$", "--mechanism random"),
    (r" \(max_rows, thin\) or shuffle them if they have no order in time", ""),
    (r", or name one as positive", ""),
    (r"another stream", "another file"),
    (r"another injector", "another --type"),
)
#: a list as a stream takes it; a name in it may hold brackets itself
LIST = re.compile(r"\b(drop|categorical|missing)=\[(.+?)\](?=[ ,;:)]|$)")


def column_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options that say what columns of a file hold."""
    for name, text in (
        ("drop", "Column that is no feature; repeatable."),
        ("categorical", "Column that is categories, whatever it looks like; repeatable."),
        ("missing", "Text that stands for a missing value, instead of ? NA NaN ...; repeatable."),
    ):
        command = click.option(f"--{name}", multiple=True, help=text)(command)
    return command


def marks(missing: Sequence[str]) -> dict[str, list[str]]:
    """Return the marks of missing values as a parameter of a stream, nothing where none are given."""
    return {"missing": list(missing)} if missing else {}


@contextmanager
def in_options() -> Iterator[None]:
    """Give the remedies of errors in the options of the commands.

    Examples
    --------
    >>> with in_options():
    ...     raise DataError("a gap", remedy="missing=['-','?'] (nothing), drop=['speed [rpm]'] (leave)")
    Traceback (most recent call last):
    ...
    mlopsim.core.errors.DataError: a gap
      remedy: --missing '-' --missing '?' (nothing), --drop 'speed [rpm]' (leave)
    """
    try:
        yield
    except (ConfigError, DataError) as error:
        remedy = error.remedy or ""
        remedy = LIST.sub(_options, remedy)
        for pattern, text in REMEDIES:
            remedy = re.sub(pattern, text, remedy)
        raise type(error)(error.message, remedy=remedy or None) from error


def _options(found: re.Match[str]) -> str:
    name, values = found.groups()
    # quotes of the list become quotes of the shell
    texts = map(_unquoted, re.findall(r"'(?:\\.|[^'\\])*'|[^,]+", values))
    words = (shlex.quote(text) if "'" in text else f"'{text}'" for text in texts)
    return " ".join(f"--{name} {word}" for word in words)


def _unquoted(word: str) -> str:
    if not word.startswith("'"):
        return word
    return re.sub(r"(\\+)('|$)", lambda m: m[1][: len(m[1]) // 2] + m[2], word[1:-1])
