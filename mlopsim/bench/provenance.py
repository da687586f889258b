"""Where and with what numbers were made. Provenance is never a metric."""

from __future__ import annotations

import datetime
import importlib
import os
import platform
import socket
import subprocess
import sys
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from mlopsim.core.digest import digest

#: libraries whose version may change bits
NUMERIC = (
    "numpy",
    "scipy",
    "scikit-learn",
    "numba",
    "llvmlite",
    "river",
    "torch",
    "stable-baselines3",
    "sb3-contrib",
    "shap",
    "pandas",
    "polars",
    "gymnasium",
)


@cache
def versions() -> dict[str, str]:
    """Return the versions of Python, mlopsim and every numeric library that is installed.

    Examples
    --------
    >>> sorted(versions())[0]
    'gymnasium'
    """
    found = {"python": platform.python_version()}
    for name in ("mlopsim", *NUMERIC):
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


@cache
def fingerprint() -> dict[str, Any]:
    """Return what the bits of floating-point results may depend on.

    CPU features that numpy uses (after NPY_DISABLE_CPU_FEATURES), the core that BLAS chose (after
    OPENBLAS_CORETYPE), the C library and the locked versions of the numeric libraries. The same
    fingerprint promises bit-identical numbers; different ones 1e-9 relative.

    Examples
    --------
    >>> sorted(fingerprint())
    ['blas', 'cpu', 'libc', 'machine', 'system', 'versions']
    """
    from threadpoolctl import threadpool_info

    # numpy prints these in show_runtime() and has no other public way to them
    features = importlib.import_module("numpy._core._multiarray_umath").__cpu_features__

    libraries = [info for info in threadpool_info() if info.get("user_api") == "blas"]
    # numpy's own BLAS is loaded in every process; what else is loaded depends on history
    of_numpy = [info for info in libraries if "numpy" in Path(str(info.get("filepath"))).as_posix()]
    blas = sorted(
        {
            f"{info.get('internal_api')} {info.get('version')} {info.get('architecture')}"
            for info in of_numpy or libraries
        }
    )
    return {
        "system": platform.system(),
        "machine": platform.machine(),
        "libc": " ".join(platform.libc_ver()).strip(),
        "cpu": sorted(name for name, on in features.items() if on),
        "blas": blas,
        "versions": {name: v for name, v in versions().items() if name != "mlopsim"},
    }


@cache
def fingerprint_digest() -> str:
    """Return the content address of :func:`fingerprint`."""
    return digest(fingerprint())


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
        "versions": versions(),
        "fingerprint": fingerprint_digest(),
    }
