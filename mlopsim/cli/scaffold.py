"""Files for a component of one's own: from templates that pass the checks and run in a suite."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from string import Template

from mlopsim.core import registry
from mlopsim.core.errors import ConfigError, nearest
from mlopsim.core.files import write_text

TEMPLATES = Path(__file__).with_name("templates")
#: longer names make lines of a file that no window shows
LONGEST = 40


def kinds() -> list[str]:
    """Return the kinds that have a template, in the order of the registry.

    Examples
    --------
    >>> kinds()
    ['detector', 'selector', 'gate', 'audit', 'track', 'section']
    """
    there = {path.name.partition(".")[0] for path in TEMPLATES.glob("*.py.txt")}
    return [kind for kind in registry.PACKAGES if kind in there]


@dataclass(frozen=True, kw_only=True)
class Written:
    """What was written, and the commands to try it with, in the folder of the file."""

    file: Path
    test: Path
    commands: tuple[str, ...]


def write_component(kind: str, name: str, out: str | Path = ".") -> Written:
    """Write ``NAME.py`` and ``tests/test_NAME.py``; nothing is overwritten.

    Parameters
    ----------
    kind : str
        One of :func:`kinds`.
    name : str
        Of the component: lower case, digits, ``_`` and ``-``.
    out : str or Path
        Folder; it is made.

    Raises
    ------
    ConfigError
        For another kind, a bad name, one that the registry has, or files that exist; then nothing is written.
    """
    if kind not in kinds():
        raise ConfigError(
            f"there is no template of a {kind}{nearest(kind, kinds())}",
            remedy=f"one of: {', '.join(kinds())}",
        )
    if not re.fullmatch(r"[a-z][a-z0-9_-]*", name) or len(name) > LONGEST:
        raise ConfigError(
            f"'{name}' is no name of a component",
            remedy=f"a letter first, then lower case, digits, _ and -; at most {LONGEST} signs",
        )
    if name in registry.names(kind):
        raise ConfigError(f"there is a {kind} '{name}' already", remedy="choose another name")
    stem = name.replace("-", "_")
    file, test = Path(out) / f"{stem}.py", Path(out) / "tests" / f"test_{stem}.py"
    for path in (file, test):
        if path.exists() or path.is_symlink():
            raise ConfigError(
                f"{path} exists and is not overwritten",
                remedy="choose another name, or another folder: --out",
            )
    texts = rendered(kind, name, file.name, f"tests/{test.name}")
    for path, text in zip((file, test), texts, strict=True):
        path.parent.mkdir(parents=True, exist_ok=True)
        write_text(path, text)
    commands = re.findall(r"^    ((?:mlopsim|pytest) .*)$", texts[0].split('"""')[1], re.M)
    return Written(file=file, test=test, commands=tuple(commands))


def rendered(kind: str, name: str, file: str, test: str) -> tuple[str, str]:
    """Return the texts of a component's file and of its test."""
    body = _read(kind)
    cls = "".join(word.capitalize() for word in re.split("[_-]+", name)) + kind.capitalize()
    if re.search(rf"\b{cls}\b", body):
        # a name that the file imports
        cls = f"My{cls}"
    words = {"kind": kind, "name": name, "Class": cls, "file": file, "test": test}
    imports, _, own = _read(f"tests/{kind}").partition("\n\n\ndef ")
    common = Template(_read("tests/common")).substitute(words, imports=imports)
    return Template(body).substitute(words), f"{common}\n\ndef {own}"


def _read(name: str) -> str:
    return (TEMPLATES / f"{name}.py.txt").read_text(encoding="utf-8")
