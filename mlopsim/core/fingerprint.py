"""What the bits of floating-point results depend on beside config and component versions."""

from __future__ import annotations

import importlib
import platform
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from mlopsim import __version__
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
    "pyod",
    "cleanlab",
    "pandas",
    "polars",
    "gymnasium",
)
#: those that the entries of a World are computed with
WORLD = ("numpy", "scipy", "scikit-learn", "numba")


@cache
def library_versions() -> dict[str, str]:
    """Return the versions of Python, mlopsim and every numeric library that is installed.

    Examples
    --------
    >>> "numpy" in library_versions()
    True
    """
    # what runs, not what an editable installation was once called
    found = {"python": platform.python_version(), "mlopsim": __version__}
    for name in NUMERIC:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def _cpu_features() -> list[str]:
    """CPU features that numpy uses, after ``NPY_DISABLE_CPU_FEATURES``."""
    # numpy prints these in show_runtime() and has no other public way to them
    features = importlib.import_module("numpy._core._multiarray_umath").__cpu_features__
    return sorted(name for name, on in features.items() if on)


def _blas() -> list[dict[str, Any]]:
    """What threadpoolctl knows of numpy's BLAS (its core after ``OPENBLAS_CORETYPE``)."""
    from threadpoolctl import threadpool_info

    libraries = [info for info in threadpool_info() if info.get("user_api") == "blas"]
    # numpy's own BLAS is loaded in every process; what else is loaded depends on history
    own = [info for info in libraries if "numpy" in Path(str(info.get("filepath"))).as_posix()]
    return own or libraries


@cache
def fingerprint() -> dict[str, Any]:
    """Return what the bits of floating-point results may depend on.

    CPU features that numpy uses, the core that BLAS chose, the C library and the locked versions of the
    numeric libraries. Features that were switched off (``NPY_DISABLE_CPU_FEATURES``,
    ``OPENBLAS_CORETYPE``) count as off. The same fingerprint promises bit-identical numbers; different
    ones 1e-9 relative.

    Examples
    --------
    >>> sorted(fingerprint())
    ['blas', 'cpu', 'libc', 'machine', 'system', 'versions']
    """
    blas = {f"{i.get('internal_api')} {i.get('version')} {i.get('architecture')}" for i in _blas()}
    return {
        "system": platform.system(),
        "machine": platform.machine(),
        "libc": " ".join(platform.libc_ver()).strip(),
        "cpu": _cpu_features(),
        "blas": sorted(blas),
        "versions": {name: v for name, v in library_versions().items() if name != "mlopsim"},
    }


@cache
def fingerprint_digest() -> str:
    """Return the content address of :func:`fingerprint`: 24 hexadecimal digits.

    Examples
    --------
    >>> len(fingerprint_digest())
    24
    """
    return digest(fingerprint())


@cache
def world_platform_digest() -> str:
    """Return the content address of that part of the fingerprint that the bits of a World depend on.

    It is a part of the addresses in the World cache, so that Worlds of different platforms do not mix
    there. Libraries that no World is computed with (torch, gymnasium, ...) are left out: installing
    another version of them keeps the cache.

    Returns
    -------
    str
        24 hexadecimal digits.

    Examples
    --------
    >>> len(world_platform_digest())
    24
    """
    installed = library_versions()
    return digest(
        {
            "machine": platform.machine(),
            "system": platform.system(),
            "python": platform.python_version_tuple()[:2],
            "features": _cpu_features(),
            "cores": sorted({str(core) for i in _blas() if (core := i.get("architecture")) is not None}),
            "libraries": {name: installed[name] for name in WORLD},
        }
    )
