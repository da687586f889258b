"""Everything is computed with one thread."""

from __future__ import annotations

import os
import subprocess
import sys

import numpy as np
import pytest
from threadpoolctl import threadpool_info, threadpool_limits

from mlopsim.core.threads import ONE_THREAD, one_thread


def threads() -> set[int]:
    return {entry["num_threads"] for entry in threadpool_info()}


def test_one_thread_inside_and_the_old_number_after(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "7")
    monkeypatch.delenv("OPENBLAS_NUM_THREADS", raising=False)
    environment = dict(os.environ)
    assert np.ones(2) @ np.ones(2) == 2
    with threadpool_limits(2):
        before = threads()
        with one_thread():
            with one_thread():
                assert threads() == {1}
            assert threads() == {1}
            assert os.environ["OMP_NUM_THREADS"] == os.environ["OPENBLAS_NUM_THREADS"] == "1"
        assert threads() == before
        with pytest.raises(RuntimeError, match="stop"), one_thread():
            raise RuntimeError("stop")
        assert threads() == before
    assert dict(os.environ) == environment


LOADED_INSIDE = """
import os, sys
import numpy
from threadpoolctl import threadpool_info
from mlopsim.core.threads import ONE_THREAD, one_thread

def threads():
    return {entry["num_threads"] for entry in threadpool_info()}

assert not {"sklearn", "numba", "torch"} & set(sys.modules)
before = threads()
with one_thread():
    import numba
    import scipy.linalg
    print(numba.config.NUMBA_NUM_THREADS, threads())
    # as if the next library took no notice of the variables
    os.environ["OMP_NUM_THREADS"] = "2"
    import sklearn.ensemble
    print(threads())
    with one_thread():
        print(threads())
    print(threads())
print(threads() == before | {1, 2})
"""


def test_libraries_that_are_loaded_inside_have_one_thread_too() -> None:
    environment = {**os.environ, **dict.fromkeys(ONE_THREAD, "2")}
    done = subprocess.run(
        [sys.executable, "-c", LOADED_INSIDE], env=environment, capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines() == ["1 {1}", "{1, 2}", "{1}", "{1}", "True"]


def test_setters_of_torch_and_numba_are_given_back() -> None:
    torch = pytest.importorskip("torch")
    numba = pytest.importorskip("numba")
    old = torch.get_num_threads()
    # asking starts numba's threads, which may share OpenMP with torch: before torch is set
    wide = numba.get_num_threads()
    torch.set_num_threads(3)
    try:
        with one_thread():
            assert (torch.get_num_threads(), numba.get_num_threads()) == (1, 1)
        assert (torch.get_num_threads(), numba.get_num_threads()) == (3, wide)
    finally:
        torch.set_num_threads(old)
