"""Files that are either complete or absent."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from mlopsim.core.errors import MlopsimError


@contextmanager
def atomic_path(target: str | Path) -> Iterator[Path]:
    """Give a temporary path beside ``target`` and move it there when the block succeeds.

    Parameters
    ----------
    target : str or Path
        Where the finished file (or folder) shall be.

    Yields
    ------
    Path
        A path that does not exist yet, in the same folder.

    Raises
    ------
    MlopsimError
        If the folder cannot be written to.

    Examples
    --------
    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> with atomic_path(folder / "a.txt") as path:
    ...     _ = path.write_text("whole")
    >>> (folder / "a.txt").read_text(), len(list(folder.iterdir()))
    ('whole', 1)
    """
    target = Path(target)
    ensure_writable(target.parent)
    try:
        handle, name = tempfile.mkstemp(prefix=f".{target.name}.", suffix=target.suffix, dir=target.parent)
        os.close(handle)
    except (OSError, ValueError) as error:
        raise _unwritable(target, error) from error
    temporary = Path(name)
    temporary.unlink()
    try:
        yield temporary
        try:
            temporary.replace(target)
        except OSError as error:
            raise _unwritable(target, error) from error
    finally:
        if temporary.is_file():
            temporary.unlink()


def _unwritable(target: Path, error: OSError | ValueError) -> MlopsimError:
    cause = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return MlopsimError(
        f"cannot write {target}: {cause}", remedy="choose another name, or move what is in its place"
    )


def write_text(target: str | Path, text: str) -> Path:
    """Write UTF-8 text atomically and return the path."""
    with atomic_path(target) as path:
        try:
            path.write_text(text, encoding="utf-8")
        except OSError as error:
            raise _unwritable(Path(target), error) from error
    return Path(target)


def write_bytes(target: str | Path, data: bytes) -> Path:
    """Write bytes atomically and return the path."""
    with atomic_path(target) as path:
        try:
            path.write_bytes(data)
        except OSError as error:
            raise _unwritable(Path(target), error) from error
    return Path(target)


def ensure_writable(folder: str | Path) -> Path:
    """Create the folder if needed and check that files can be created in it.

    Raises
    ------
    MlopsimError
        If it cannot be created or written to; names the folder and the remedy.
    """
    folder = Path(folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=".write-test-", dir=folder)
        os.close(handle)
        Path(name).unlink()
    except OSError as error:
        raise MlopsimError(
            f"cannot write to the folder {folder}: {error.strerror or error}",
            remedy="choose another one with results=DIR, or mend its permissions",
        ) from error
    return folder
