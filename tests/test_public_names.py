"""Public names: those of the list exist, are imported on first use only, and no stub names what is gone."""

from __future__ import annotations

import ast
import importlib
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import typed_example

import mlopsim

ROOT = Path(mlopsim.__file__).parent
LIST = Path(__file__).parent / "public_names.txt"
PUBLIC = LIST.read_text(encoding="utf-8").split()
STUBS = sorted(ROOT.rglob("__init__.pyi"))
#: too slow to load for somebody who wants something else
HEAVY = ("numba", "sklearn", "torch", "matplotlib", "scipy", "polars", "hydra", "river")


def room_of(stub: Path) -> str:
    return ".".join(("mlopsim", *stub.parent.relative_to(ROOT).parts))


def test_the_list_is_what_the_rooms_offer() -> None:
    offered = []
    for stub in STUBS:
        room = importlib.import_module(room_of(stub))
        offered += [f"{room.__name__}.{name}" for name in room.__all__]
    assert sorted(offered) == PUBLIC, f"write the names that are offered to {LIST.name}"


@pytest.mark.parametrize("name", PUBLIC)
def test_a_public_name_can_be_imported(name: str) -> None:
    room, _, attribute = name.rpartition(".")
    found = getattr(importlib.import_module(room), attribute)
    # a name that a submodule has, too, would be one or the other, depending on what was imported before
    is_module = importlib.util.find_spec(f"{room}.{attribute}") is not None
    assert is_module == (getattr(found, "__name__", "") == name)


@pytest.mark.parametrize("stub", STUBS, ids=room_of)
def test_a_stub_says_what_its_file_does(stub: Path) -> None:
    room, tree = importlib.import_module(room_of(stub)), ast.parse(stub.read_text(encoding="utf-8"))
    for node in tree.body:
        if not isinstance(node, ast.ImportFrom):
            continue
        for alias in node.names:
            assert alias.asname is None, "another name for users than for us"
            found = getattr(room, alias.name)
            if node.module is not None:
                home = importlib.import_module(f"{room.__name__}.{node.module}")
                assert found is getattr(home, alias.name)
                assert getattr(found, "__module__", home.__name__) == home.__name__, "not where it is made"
    listed = next(ast.literal_eval(n.value) for n in tree.body if isinstance(n, ast.Assign))
    assert set(listed) - {"__version__"} == set(room.__all__)


def test_importing_loads_nothing_heavy() -> None:
    code = f"import sys, mlopsim; print([name for name in {HEAVY} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="No mlopsim attribute studdy"):
        mlopsim.studdy  # noqa: B018 - asking is the test


def test_the_typed_example_runs() -> None:
    errors = np.repeat([0.0, 1.0], 500)
    assert 500 < typed_example.alarms_of(errors)[0] < 600
    assert typed_example.served(typed_example.small_world()).shape == (1,)
    assert typed_example.problems("selector", "never") == {}
    assert typed_example.chance(1, 10).n == 10
    assert typed_example.suite("nowhere")
