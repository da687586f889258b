"""Learners are tested with one thread, as the runner trains them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from threadpoolctl import threadpool_limits


@pytest.fixture(autouse=True, scope="session")
def _one_thread() -> Iterator[None]:
    # the libraries must be loaded before they can be limited
    import sklearn.ensemble
    import sklearn.linear_model  # noqa: F401

    with threadpool_limits(limits=1):
        yield
