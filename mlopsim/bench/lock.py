"""One writer per results folder, by a lock that the system releases when its holder dies."""

from __future__ import annotations

import contextlib
import os
import socket
import sys
from pathlib import Path
from typing import IO

from mlopsim.core.errors import LedgerError


class FolderLock:
    """An exclusive lock on a folder's ``ledger.lock``; the file stays, only the lock counts.

    Parameters
    ----------
    path : Path
        The lock file; its folder exists.

    Raises
    ------
    LedgerError
        From :meth:`acquire` when another process holds it; names that process.

    Examples
    --------
    >>> import tempfile
    >>> lock = FolderLock(Path(tempfile.mkdtemp()) / "ledger.lock")
    >>> lock.acquire()
    >>> lock.release()
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file: IO[str] | None = None

    def acquire(self) -> None:
        """Take the lock or raise at once."""
        handle = self.path.open("a+", encoding="utf-8")
        try:
            _lock(handle)
        except OSError:
            handle.seek(0)
            holder = handle.read().strip() or "another process"
            handle.close()
            raise LedgerError(
                f"the results folder {self.path.parent} is being written by {holder}",
                remedy="wait until it ends, or choose another folder with results=DIR",
            ) from None
        handle.seek(0)
        handle.truncate()
        handle.write(f"process {os.getpid()} on {socket.gethostname()}\n")
        handle.flush()
        self._file = handle

    def release(self) -> None:
        """Give the lock back; closing the file does it."""
        if self._file is not None:
            with contextlib.suppress(OSError):
                self._file.truncate(0)
            self._file.close()
            self._file = None


if sys.platform == "win32":
    import msvcrt

    def _lock(handle: IO[str]) -> None:
        # a byte far behind the text, so that others can still read who holds it
        os.lseek(handle.fileno(), 1 << 20, os.SEEK_SET)
        msvcrt.locking(handle.fileno(), msvcrt.LK_NBLCK, 1)
else:
    import fcntl

    def _lock(handle: IO[str]) -> None:
        fcntl.flock(handle.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
