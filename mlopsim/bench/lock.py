"""One writer per results folder, by a lock that the system releases when its holder dies."""

from __future__ import annotations

import contextlib
import os
import socket
from pathlib import Path

from filelock import FileLock, Timeout

from mlopsim.core.errors import LedgerError
from mlopsim.core.text import visible

#: longer texts are no name of a process that we wrote
_LONGEST = 200


class FolderLock:
    """An exclusive lock on a folder's ``ledger.lock``; the file stays, only the lock counts.

    Parameters
    ----------
    path : Path
        The lock file; its folder exists.

    Raises
    ------
    LedgerError
        From :meth:`acquire` when another process holds it, which is named, or where it cannot be taken.

    Examples
    --------
    >>> import tempfile
    >>> lock = FolderLock(Path(tempfile.mkdtemp()) / "ledger.lock")
    >>> lock.acquire()
    >>> lock.release()
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        # without the soft lock, a file whose presence counts and that a killed process leaves behind; whoever
        # closes a ledger may be another thread than who opened it
        self._lock = FileLock(
            path,
            blocking=False,
            thread_local=False,
            fallback_to_soft=False,
            preserve_lock_file=True,
            on_acquired=_sign,
        )

    def acquire(self) -> None:
        """Take the lock or raise at once."""
        if self.path.exists() and not self.path.is_file():
            what = "a folder" if self.path.is_dir() else "no regular file"
            raise LedgerError(
                f"{self.path} is {what} and cannot be locked",
                remedy="remove it, or choose another folder with results=DIR",
            )
        try:
            self._lock.acquire()
        except Timeout:
            raise LedgerError(
                f"the results folder {self.path.parent} is being written by {self._holder()}",
                remedy="wait until it ends, or choose another folder with results=DIR",
            ) from None
        except OSError as error:
            raise LedgerError(
                f"cannot lock {self.path}: {error.strerror or error}",
                remedy="make it writable, or choose a folder on another disk with results=DIR",
            ) from error

    def _holder(self) -> str:
        # anybody may have written anything into it
        text = self.path.read_bytes()[:_LONGEST].decode("utf-8", errors="replace").strip()
        return visible(text) or "another process"

    def release(self) -> None:
        """Give the lock back, if it is held; the name of its holder goes from the file."""
        if self._lock.is_locked:
            # who removed the file while it was locked has removed the name
            with contextlib.suppress(FileNotFoundError):
                os.truncate(self.path, 0)
            self._lock.release()


def _sign(descriptor: int) -> None:
    """Write who holds the lock into its file."""
    os.ftruncate(descriptor, 0)
    os.lseek(descriptor, 0, os.SEEK_SET)
    os.write(descriptor, f"process {os.getpid()} on {socket.gethostname()}\n".encode())
