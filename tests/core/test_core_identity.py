"""Identities: parameters that differ from defaults, and nothing that changes unasked."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest

from mlopsim.core import registry
from mlopsim.core.identity import identity, identity_words
from mlopsim.core.registry import PACKAGES, find, names
from mlopsim.core.spec import canonical, params_of

NESTED = {"corrupted": {"base": {"synthetic": {"rows": 40}}, "injector": "outlier_local", "rate": 0.2}}


@pytest.mark.parametrize("kind", sorted(set(PACKAGES) - {"track"}))
def test_defaults_are_no_part_of_an_identity_whether_given_or_not(kind: str) -> None:
    for name in names(kind):
        every = params_of(find(kind, name)())
        assert identity({"kind": kind, "name": name, "params": every}) == [f"{kind}/{name}", {}]
        assert identity({"kind": kind, "name": name, "params": {}}) == [f"{kind}/{name}", {}]


def test_nested_parts_are_told_by_what_was_given() -> None:
    part = canonical("stream", NESTED)
    assert identity(part) == [
        "stream/corrupted",
        {"base": ["stream/synthetic", {"rows": 40}], "injector": ["injector/outlier_local", {}], "rate": 0.2},
    ]
    full: dict[str, Any] = {"stream": part["params"]["base"]["params"]}
    given = {"corrupted": {**NESTED["corrupted"], "base": {"synthetic": full["stream"]}}}
    assert identity(canonical("stream", given)) == identity(part)
    assert identity({"kind": "stream", "name": "corrupted", "params": NESTED["corrupted"]}) == identity(part)


@pytest.mark.parametrize(
    "other",
    [
        {"corrupted": {**NESTED["corrupted"], "rate": 0.3}},
        {"corrupted": {**NESTED["corrupted"], "injector": "outlier_global"}},
        {"corrupted": {**NESTED["corrupted"], "base": {"synthetic": {"rows": 41}}}},
        {"corrupted": {**NESTED["corrupted"], "base": "synthetic"}},
    ],
)
def test_other_parameters_are_another_identity(other: Any) -> None:
    one, two = canonical("stream", NESTED), canonical("stream", other)
    assert identity(one) != identity(two) and identity_words(one) != identity_words(two)


def test_a_number_is_the_same_however_it_is_written() -> None:
    lists = [{"kind": "stream", "name": "synthetic", "params": {"noise": x}} for x in (1, 1.0)]
    assert identity_words(lists[0]) == identity_words(lists[1])
    assert identity_words("a", "b") != identity_words("b", "a") != identity_words("ab")


def test_contents_and_paths_of_files_are_left_out(tmp_path: Path) -> None:
    words = set()
    for name, more in (("a.csv", 0), ("b.csv", 7)):
        path = tmp_path / name
        path.write_text("u,label\n" + "".join(f"{i + more},{'xy'[i % 2]}\n" for i in range(40)))
        part = canonical("stream", {"file": {"path": str(path), "label": "label", "warmup": 3}})
        words.add(identity_words(part))
        assert part["content"]["blake2b"]
        assert set(identity(part)[1]) == {"warmup"} | ({"label"} if identity(part)[1].get("label") else set())
    assert len(words) == 1


def test_versions_free_lists_and_new_fields_are_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    before = canonical("selector", {"periodic": {"every": 3}})
    cls = find("selector", "periodic")
    more = dataclasses.make_dataclass("More", [("extra", int, 5)], bases=(cls,), kw_only=True)
    monkeypatch.setitem(registry._components, ("selector", "periodic"), more)
    monkeypatch.setattr(more, "version", "77", raising=False)
    after = {**canonical("selector", {"periodic": {"every": 3}}), "free": ["phase"]}
    assert after["version"] == "77" and after["params"]["extra"] == 5
    assert identity(before) == identity(after) == ["selector/periodic", {"every": 3}]
    assert identity(canonical("selector", {"periodic": {"every": 3, "extra": 6}}))[1] == {
        "every": 3,
        "extra": 6,
    }
