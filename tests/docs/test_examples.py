"""Examples of the gallery: short, with a title that asks or says something, and a figure at the end."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from mlopsim.plots import __all__ as public_plots

ROOT = Path(__file__).parents[2]
EXAMPLES = sorted((ROOT / "examples").glob("plot_*.py"))
PUBLIC = set((ROOT / "tests/public_names.txt").read_text().split())
LINES, BLOCKS = 60, 3


def test_there_is_one_a_question() -> None:
    assert len(EXAMPLES) >= 11


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_is_short_and_ends_in_a_figure(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    tree = ast.parse(text)
    assert len(text.splitlines()) < LINES
    title, line = (ast.get_docstring(tree) or "\n").split("\n")[:2]
    assert title and line == "=" * len(title)
    assert text.count("\n# %%\n# ") >= BLOCKS, "each block says what it does"
    drawn = [
        place
        for place, node in enumerate(tree.body)
        if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "figure"
    ]
    # what comes after it decorates it
    assert len(drawn) == 1 and len(tree.body) - drawn[0] <= 3
    call = tree.body[drawn[0]].value  # type: ignore[attr-defined]
    assert isinstance(call, ast.Call) and getattr(call.func, "id", "") in public_plots
    # a worker would run the example again
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and getattr(node.func, "attr", "") == "run":
            given = {word.arg: getattr(word.value, "value", None) for word in node.keywords}
            assert not node.keywords or given.get("executor") == "serial"


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_imports_public_names_only(path: Path) -> None:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("mlopsim"):
            for alias in node.names:
                module = node.module or ""
                # of a figure the file is public
                assert module in PUBLIC | {"mlopsim"}
                assert module.startswith("mlopsim.plots.") or f"{module}.{alias.name}" in PUBLIC
