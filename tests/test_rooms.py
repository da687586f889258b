"""Imports point one way between the rooms."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent / "mlopsim"
CHAIN = [
    "core", "stats", "plots", "streams", "learners", "world", "drift", "delivery", "quality", "explain",
    "fairness", "governance", "tracks",
]  # fmt: skip
ALLOWED = {room: set(CHAIN[: i + 1]) for i, room in enumerate(CHAIN)}
ALLOWED["bench"] = {"core", "stats", "bench"}
ALLOWED["report"] = {"core", "stats", "bench", "plots", "report"}
ALLOWED["cli"] = {*CHAIN, "bench", "report", "cli"}


def imported_rooms(path):
    for node in ast.walk(ast.parse(path.read_text())):
        names = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"relative import in {path}"
            names = [node.module] + [f"{node.module}.{alias.name}" for alias in node.names]
        for name in names:
            parts = name.split(".")
            if parts[0] == "mlopsim" and len(parts) > 1 and (ROOT / parts[1]).is_dir():
                yield parts[1]


@pytest.mark.parametrize("room", sorted(p.name for p in ROOT.iterdir() if (p / "__init__.py").is_file()))
def test_imports_point_one_way(room):
    for path in (ROOT / room).rglob("*.py"):
        wrong = set(imported_rooms(path)) - ALLOWED[room]
        assert not wrong, f"{path.relative_to(ROOT)} imports {sorted(wrong)}"


def test_modules_stay_short():
    long = {
        str(p.relative_to(ROOT)): n
        for p in ROOT.rglob("*.py")
        if (n := len(p.read_text().splitlines())) > 400
    }
    assert not long, long
