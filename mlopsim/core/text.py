"""Texts of users as they are shown: control characters written out, no markup, places kept private."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from pathlib import PurePosixPath, PureWindowsPath
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.text import Text

#: categories of Unicode that terminals act upon, or that cannot be encoded; of the formats only what turns
#: the direction of writing round
_ACTING = ("Cc", "Cs")
_TURNING = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2028\u2029\u2066\u2067\u2068\u2069")
_POSIX = re.compile(r"(?<![\w./:~<-])(?:~[\w.-]*)?/(?:[^/\s'\"<>:,;()\[\]{}]+/)+([^/\s'\"<>:,;()\[\]{}]*)")
_WINDOWS = re.compile(r"(?<!\w)(?:[A-Za-z]:[\\/]|\\\\)(?:[^\\/\s'\"<>:,;]+[\\/])*([^\\/\s'\"<>:,;]*)")
_ADDRESS = re.compile(r"\b(tcp|tls|ucx|ws|wss|ssh)://[^\s'\",;)\]}]+")


def visible(text: object, *, lines: bool = False) -> str:
    r"""Return a text in which nothing acts: control characters are written as escapes.

    Parameters
    ----------
    text : object
    lines : bool, default False
        Whether line ends and tabs stay.

    Examples
    --------
    >>> print(visible("\x1b[31mred\x07"), visible("a\nb"), visible("Größe [cm]"))
    \x1b[31mred\x07 a\nb Größe [cm]
    """

    def shown(char: str) -> str:
        if lines and char in "\n\t":
            return char
        if unicodedata.category(char) in _ACTING or char in _TURNING:
            return char.encode("unicode_escape").decode("ascii")
        return char

    whole = str(text)
    if whole.isascii() and whole.isprintable():
        return whole
    return "".join(map(shown, whole))


def literal(text: object, style: str = "", *, lines: bool = False) -> Text:
    """Return a text for rich that is printed as it is: brackets are no markup.

    Examples
    --------
    >>> literal("speed [rpm] [/red]").plain
    'speed [rpm] [/red]'
    """
    from rich.text import Text

    return Text(visible(text, lines=lines), style=style)


def code_span(name: object) -> str:
    """Return a name as it stands in a text of a report: set as code, whatever signs it holds.

    Examples
    --------
    >>> print(code_span("**a**"), code_span("a`b"))
    `**a**` ``a`b``
    """
    text = visible(name)
    if not text:
        return ""
    fence = "`" * (1 + max((len(run) for run in re.findall("`+", text)), default=0))
    # of blanks at both ends, Markdown takes one away
    pad = " " if text[0] in "` " or text[-1] in "` " else ""
    return f"{fence}{pad}{text}{pad}{fence}"


def published(value: Any) -> Any:
    """Return what may be shown to everybody: absolute paths as base names, addresses as their protocols.

    Parameters
    ----------
    value : object
        A text, or mappings and lists of texts; other values are returned as they are.

    Examples
    --------
    >>> published({"path": "/home/ann/data/loans.csv", "executor": "tcp://10.0.0.7:8786", "n": 3})
    {'path': 'loans.csv', 'executor': 'tcp', 'n': 3}
    >>> published('File "/home/ann/x/rules.py", line 3; see https://example.org/a/b'), published("a/b.csv")
    ('File "rules.py", line 3; see https://example.org/a/b', 'a/b.csv')
    """
    if isinstance(value, Mapping):
        return {published(key): published(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [published(entry) for entry in value]
    if not isinstance(value, str):
        return value
    if "\n" not in value and len(value) < 4096:
        # a path may hold spaces
        if value.startswith(("/", "~/")) and value.count("/") > 1 and " /" not in value:
            return PurePosixPath(value).name
        if re.match(r"[A-Za-z]:[\\/]|\\\\", value):
            return PureWindowsPath(value).name
    text = _ADDRESS.sub(r"\1", value)
    return _WINDOWS.sub(r"\1", _POSIX.sub(r"\1", text))
