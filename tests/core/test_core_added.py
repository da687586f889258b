"""A field that is added later changes no part, digest, key or identity while it has its default."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

import pytest

from mlopsim.core.digest import digest
from mlopsim.core.identity import identity, identity_words
from mlopsim.core.registry import register, unregister
from mlopsim.core.spec import added, canonical, label, make, params_of, part, part_of
from mlopsim.core.track import Cell, FitJob, Method, Task


class Side(Enum):
    UP = "up"
    DOWN = "down"


@dataclass(kw_only=True)
class First:
    """As it was."""

    every: int = 10
    rate: float = 0.5


@dataclass(kw_only=True)
class Second(First):
    """With fields of every type that came later."""

    count: int = added(3)
    share: float = added(1)
    quiet: bool = added(False)
    word: str = added("a")
    side: Side = added(Side.UP)
    limit: float | None = added(None)
    sizes: list[int] = added([1, 2])
    more: dict[str, float] = added({"a": 1.0})
    learner: Any = part("learner", "ridge", added=True)
    others: list[Any] = part("learner", ["ridge"], many=True, added=True)


@dataclass(kw_only=True)
class Plain(First):
    """With a field that came later and was not marked."""

    count: int = 3


@dataclass(kw_only=True)
class Outer:
    """Holds another component."""

    inner: Any = part("selector", "later")


#: a value of each field that is not its default, and another way to write its default
OTHER: dict[str, Any] = {
    "count": 4, "share": 0.25, "quiet": True, "word": "", "side": "down", "limit": 0.0, "sizes": [1],
    "more": {}, "learner": "naive_bayes", "others": [],
}  # fmt: skip
USUAL: dict[str, Any] = {
    "count": 3, "share": 1.0, "quiet": False, "word": "a", "side": "UP", "limit": None, "sizes": [1, 2],
    "more": {"a": 1}, "learner": {"ridge": {}}, "others": [{"ridge": None}],
}  # fmt: skip


class As:
    """Which version of ``selector/later`` the registry has."""

    def __init__(self) -> None:
        self.classes: list[type] = []

    def __call__(self, cls: type) -> None:
        unregister("selector", "later")
        # a copy: registering writes onto the class
        register("selector", "later")(dataclass(kw_only=True)(type(cls.__name__, (cls,), {})))


@pytest.fixture
def version() -> Iterator[As]:
    register("selector", "outer")(Outer)
    register("selector", "later")(dataclass(kw_only=True)(type("First", (First,), {})))
    yield As()
    unregister("selector", "later")
    unregister("selector", "outer")


def addresses(spec: Any) -> tuple[Any, ...]:
    """All that hangs on a component: part, digests, keys, identity, seeds."""
    content = canonical("selector", spec)
    method = Method(name="m", part={**content, "free": ["every"]})
    cell = Cell(track="t/1", task=Task(name="t", part={"deployment": content}), method=method, seed=0)
    job = FitJob(track="t/1", label="f", part={"tune": content})
    return content, digest(content), cell.key, job.key, identity(content), identity_words(content)


@pytest.mark.parametrize(
    "spec", ["later", {"later": {"every": 3}}, "outer", {"outer": {"inner": {"later": {"every": 3}}}}]
)
def test_with_their_defaults_nothing_changes(version: As, spec: Any) -> None:
    version(First)
    before = addresses(spec)
    version(Second)
    assert addresses(spec) == before
    # without the mark everything but the identity would be another
    version(Plain)
    assert [a == b for a, b in zip(addresses(spec), before, strict=True)] == [False] * 4 + [True] * 2


@pytest.mark.parametrize("name", USUAL)
def test_to_give_a_default_is_to_give_nothing(version: As, name: str) -> None:
    version(First)
    before = addresses("later"), addresses("outer")
    version(Second)
    spec = {"later": {name: USUAL[name]}}
    assert (addresses(spec), addresses({"outer": {"inner": spec}})) == before
    # in a part that was written before it was canonical, too
    raw = {"kind": "selector", "name": "later", "version": "1", "params": {"every": 10, name: USUAL[name]}}
    assert identity(raw) == before[0][4]


@pytest.mark.parametrize("name", OTHER)
def test_another_value_is_another_thing(version: As, name: str) -> None:
    version(Second)
    usual, other = addresses("later"), addresses({"later": {name: OTHER[name]}})
    assert all(a != b for a, b in zip(usual, other, strict=True))
    content = other[0]
    assert name in content["params"] and len(content["params"]) == 3
    # a part builds what it was made from
    assert part_of(make("selector", content)) == content
    assert name in label("selector", content) and label("selector", usual[0]) == "later"


def test_a_built_component_and_the_whole_parameters_have_them(version: As) -> None:
    version(Second)
    made = make("selector", canonical("selector", "later"))
    assert (made.count, made.share, made.sizes, made.side) == (3, 1, [1, 2], Side.UP)
    whole = params_of(made, whole=True)
    assert set(whole) == {"every", "rate", *OTHER}
    assert whole["learner"]["name"] == "ridge" and whole["side"] == "up"
    made.sizes.append(3)
    assert make("selector", "later").sizes == [1, 2]


def test_a_default_is_what_the_class_makes_of_it() -> None:
    @dataclass(kw_only=True)
    class Settings:
        """Completes its settings when it is built."""

        runs: int = 5
        more: dict[str, Any] = added({})
        hidden: int = field(default=0, init=False)

        def __post_init__(self) -> None:
            self.more = {"a": 1, **self.more}

    assert params_of(Settings()) == params_of(Settings(more={"a": 1})) == {"runs": 5}
    assert params_of(Settings(more={"a": 2})) == {"runs": 5, "more": {"a": 2}}
