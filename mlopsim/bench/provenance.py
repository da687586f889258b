"""Where and with what numbers were made. Provenance is never a metric."""

from __future__ import annotations

import datetime
import os
import socket
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

from mlopsim.core.fingerprint import fingerprint_digest, library_versions


@cache
def git_commit() -> str | None:
    """Return the commit of the source tree that mlopsim runs from, with ``+`` if it was changed.

    None when mlopsim was installed without its repository or git is missing.
    """
    root = Path(__file__).resolve().parents[2]
    if not (root / ".git").exists():
        return None
    try:
        commit = _git(root, "rev-parse", "HEAD")
        changed = _git(root, "status", "--porcelain", "--untracked-files=no", "--", "mlopsim", "conf")
    except (OSError, subprocess.SubprocessError):
        return None
    return commit + ("+" if changed else "")


def _git(root: Path, *arguments: str) -> str:
    done = subprocess.run(
        ["git", "-C", str(root), *arguments], capture_output=True, text=True, timeout=10, check=True
    )
    return done.stdout.strip()


def now() -> str:
    """Return the time stamp of this moment: UTC, ISO 8601, to the millisecond."""
    return datetime.datetime.now(datetime.UTC).isoformat(timespec="milliseconds")


def after(latest: str | None) -> str:
    """Return the time stamp of this moment, or just after ``latest`` where the clock was set back.

    Examples
    --------
    >>> after("2999-12-31T23:59:59.999+00:00")
    '3000-01-01T00:00:00.000+00:00'
    >>> after("2001-01-01T00:00:00.000+00:00") <= now()
    True
    """
    moment = now()
    if latest is None or moment > latest:
        return moment
    step = datetime.datetime.fromisoformat(latest) + datetime.timedelta(milliseconds=1)
    return step.isoformat(timespec="milliseconds")


def host() -> str:
    """Return this machine's name."""
    return socket.gethostname()


def run_record() -> dict[str, Any]:
    """Return the provenance of a whole run, as stored in the ledger's ``run`` table."""
    return {
        "host": host(),
        "pid": os.getpid(),
        "command": " ".join(sys.argv[:40]),
        "git": git_commit(),
        "versions": library_versions(),
        "fingerprint": fingerprint_digest(),
    }
