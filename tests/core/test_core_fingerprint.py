"""The fingerprint of the platform."""

from __future__ import annotations

import importlib
import os
import subprocess
import sys

import pytest

from mlopsim.core import fingerprint as module
from mlopsim.core.fingerprint import fingerprint, fingerprint_digest, world_platform_digest

BOTH = (
    "from mlopsim.core.fingerprint import fingerprint_digest, world_platform_digest; "
    "print(fingerprint_digest(), world_platform_digest())"
)


def run(code: str, **variables: str) -> list[str]:
    done = subprocess.run(
        [sys.executable, "-c", code], env={**os.environ, **variables}, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


def test_history_does_not_count() -> None:
    # scipy and scikit-learn bring a BLAS and an OpenMP of their own
    here = [fingerprint_digest(), world_platform_digest()]
    assert run(BOTH) == run("import scipy.linalg, sklearn.ensemble; " + BOTH) == here


def test_what_is_switched_off_counts() -> None:
    may_be_left_out = importlib.import_module("numpy._core._multiarray_umath").__cpu_dispatch__
    off = [name for name in may_be_left_out if name in fingerprint()["cpu"]]
    if not off:
        pytest.skip("no CPU feature that numpy could leave out")
    reduced = run(BOTH, NPY_DISABLE_CPU_FEATURES=off[-1])
    assert not set(reduced) & {fingerprint_digest(), world_platform_digest()}


def test_libraries_that_compute_no_world_leave_the_cache_valid(monkeypatch: pytest.MonkeyPatch) -> None:
    world, whole = world_platform_digest(), fingerprint_digest()

    def with_version(name: str) -> tuple[bool, bool]:
        changed = {**module.library_versions.__wrapped__(), name: "0.0.0"}
        with monkeypatch.context() as patch:
            patch.setattr(module, "library_versions", lambda: changed)
            # past the cache
            found = module.digest(module.fingerprint.__wrapped__())
            return found == whole, module.world_platform_digest.__wrapped__() == world

    assert with_version("river") == (False, True)
    assert with_version("scikit-learn") == (False, False)
