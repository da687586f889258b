"""Plug-ins that a results folder names: nothing of them is run unless the user says so."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mlopsim.core.errors import ConfigError, MlopsimError
from mlopsim.core.registry import load_plugins, plugin_files


@dataclass(frozen=True, kw_only=True)
class Named:
    """A plug-in file as a ledger names it: where it was, what it held (None: its digest is not stored)."""

    path: str
    digest: str | None


@dataclass(frozen=True, kw_only=True)
class Loaded:
    """What was loaded (absolute path to digest), and what the folder names and was not."""

    files: Mapping[str, str]
    missing: tuple[Named, ...] = ()


def describe_files(paths: Sequence[str | Path]) -> tuple[dict[str, str], ...]:
    """Return what is stored of plug-in files and folders: path and digest of each file that was loaded.

    Examples
    --------
    >>> describe_files([])
    ()
    """
    loaded = load_plugins(paths)
    files = map(str, plugin_files(paths))
    return tuple({"path": file, "digest": loaded[file]} for file in files)


def named(stored: Sequence[Any]) -> tuple[Named, ...]:
    """Read the plug-ins of a stored grid; one without a digest matches no file.

    Examples
    --------
    >>> named([{"path": "/a/mine.py", "digest": "12"}, "/b/old.py"])
    (Named(path='/a/mine.py', digest='12'), Named(path='/b/old.py', digest=None))
    """
    return tuple(
        Named(path=str(entry["path"]), digest=entry["digest"])
        if isinstance(entry, Mapping)
        else Named(path=str(entry), digest=None)
        for entry in stored
    )


def load_stored(stored: Sequence[Any], given: Sequence[str | Path] = (), *, trust: bool = False) -> Loaded:
    """Load the plug-ins that the user names now, and of those that a ledger names only what is allowed.

    A results folder may come from anybody, so a file that it names is never run for being named.

    Parameters
    ----------
    stored : sequence
        The ``plugins`` of a stored grid.
    given : sequence of paths
        Files and folders that the user names now (``--plugin``).
    trust : bool, default False
        The user's consent: load what lies at a stored path and has the stored digest.

    Returns
    -------
    Loaded
        A given file whose content is not what the ledger names under that file name is loaded with a warning.

    Raises
    ------
    ConfigError
        If a given file cannot be loaded, or, with ``trust``, a stored one is gone or was changed.
    """
    files = plugin_files(given)
    loaded = load_plugins(files)
    contents = {file: loaded[str(file)] for file in files}
    missing = []
    allowed: dict[str, str] = {}
    for entry in named(stored):
        if entry.digest is not None and entry.digest in contents.values():
            continue
        same_name = [file for file in files if file.name == Path(entry.path).name]
        if same_name:
            was = (entry.digest or "not stored")[:12]
            warnings.warn(
                f"the plug-in {same_name[0].name} is not the one that these results were made with: "
                f"digest {contents[same_name[0]][:12]} now, {was} then",
                stacklevel=2,
            )
        elif trust:
            allowed |= _trusted(entry)
        else:
            missing.append(entry)
    return Loaded(files=load_plugins(allowed, allowed), missing=tuple(missing))


def _trusted(entry: Named) -> dict[str, str]:
    """Return path and digest of a stored plug-in; it is loaded only if it still has this digest."""
    file = Path(entry.path)
    remedy = "look at the file, then name it with --plugin FILE if you trust it"
    if not file.is_file():
        raise ConfigError(f"the plug-in {entry.path} of these results is not there", remedy=remedy)
    if entry.digest is None:
        raise ConfigError(f"these results do not say what the plug-in {entry.path} held", remedy=remedy)
    return {str(file.resolve()): entry.digest}


@contextmanager
def explained(loaded: Loaded) -> Iterator[None]:
    """Name the plug-ins that were not loaded when something fails that may need them."""
    try:
        yield
    except MlopsimError as error:
        if not loaded.missing:
            raise
        files = ", ".join(entry.path for entry in loaded.missing)
        hint = "look at the file, then name it with --plugin FILE, or --trust-plugins if it is unchanged"
        raise ConfigError(
            f"{error.message}\n  these results were made with a plug-in that was not loaded: {files}",
            # the error may have nothing to do with the plug-in
            remedy=f"{error.remedy}; if it is for the plug-in: {hint}" if error.remedy else hint,
        ) from error
