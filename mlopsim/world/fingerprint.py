"""What, beside the spec, decides about the bits of a World."""

from __future__ import annotations

import functools
import importlib
import platform
from importlib.metadata import version

from mlopsim.core.digest import digest


@functools.cache
def platform_digest() -> str:
    """Return a digest of machine, CPU features, BLAS core and the versions of the numerical libraries.

    Floats may differ in the last digits between platforms, so Worlds of different platforms do not mix in
    one cache. Features that were switched off (``NPY_DISABLE_CPU_FEATURES``, ``OPENBLAS_CORETYPE``)
    count as off.

    Returns
    -------
    str
        24 hexadecimal digits.
    """
    from threadpoolctl import threadpool_info

    umath = importlib.import_module("numpy._core._multiarray_umath")
    features = sorted(name for name, on in umath.__cpu_features__.items() if on)
    # numpy's own BLAS: which others are loaded depends on what was imported so far
    known = [entry for entry in threadpool_info() if entry.get("architecture") is not None]
    own = [entry for entry in known if "numpy" in str(entry["filepath"])] or known
    cores = sorted({str(entry["architecture"]) for entry in own})
    libraries = {name: version(name) for name in ("numpy", "scipy", "scikit-learn", "numba")}
    return digest(
        {
            "machine": platform.machine(),
            "system": platform.system(),
            "python": platform.python_version_tuple()[:2],
            "features": features,
            "cores": cores,
            "libraries": libraries,
        }
    )
