"""What the tests of several rooms share."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from mlopsim.checks.run import check_component
from mlopsim.core.registry import register, unregister


def pytest_collection_finish() -> None:
    """Keep the garbage collector from going through thousands of collected tests again and again."""
    gc.collect()
    gc.freeze()


@pytest.fixture
def plant() -> Iterator[Callable[..., dict[str, str]]]:
    """Register a class, check it, and return the problems by check."""
    done: list[tuple[str, str]] = []

    def check(kind: str, cls: type[Any]) -> dict[str, str]:
        made = dataclass(kw_only=True)(cls)
        register(kind, "planted")(made)
        done.append((kind, "planted"))
        return {v.check: v.problem for v in check_component(made) if v.problem}

    yield check
    for kind, name in done:
        unregister(kind, name)
