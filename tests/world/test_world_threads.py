"""Everything is computed with one thread."""

from __future__ import annotations

import numpy as np
import pytest
from threadpoolctl import threadpool_info, threadpool_limits

from mlopsim.world.threads import one_thread


def threads() -> set[int]:
    return {entry["num_threads"] for entry in threadpool_info()}


def test_one_thread_inside_and_the_old_number_after() -> None:
    assert np.ones(2) @ np.ones(2) == 2
    with threadpool_limits(2):
        before = threads()
        with one_thread():
            with one_thread():
                assert threads() == {1}
            assert threads() == {1}
        assert threads() == before
        with pytest.raises(RuntimeError, match="stop"), one_thread():
            raise RuntimeError("stop")
        assert threads() == before
