"""Imports point one way between the rooms."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent / "mlopsim"
CHAIN = [
    "core", "stats", "numerics", "plots", "streams", "learners", "world", "drift", "delivery", "quality",
    "explain", "fairness", "governance", "tracks",
]  # fmt: skip
ALLOWED = {room: set(CHAIN[: i + 1]) for i, room in enumerate(CHAIN)}
ALLOWED["bench"] = {"core", "stats", "bench"}
ALLOWED["report"] = {"core", "stats", "bench", "plots", "report"}
ALLOWED["compose"] = {*CHAIN, "bench", "report", "compose"}
ALLOWED["checks"] = {*CHAIN, "checks"}
ALLOWED["cli"] = {*CHAIN, "bench", "report", "compose", "checks", "cli"}


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


def test_experiments_do_without_the_command_line():
    """What they run is a study; the faults attack the command line itself, and so run it."""
    scripts = [p for p in (ROOT.parent / "experiments").rglob("*.py") if p.parent.name != "faults"]
    assert len(scripts) > 10
    wrong = [path.name for path in scripts if "cli" in set(imported_rooms(path))]
    assert not wrong, wrong


def imports_between_files():
    """Map each module to the modules that it imports anywhere: inside functions and for types, too."""
    files = {}
    for path in ROOT.rglob("*.py"):
        parts = ("mlopsim", *path.relative_to(ROOT).with_suffix("").parts)
        files[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    graph = {}
    for name, path in files.items():
        found = set()
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                found |= {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom):
                for alias in node.names:
                    inside = f"{node.module}.{alias.name}"
                    found.add(inside if inside in files else node.module)
        graph[name] = (found & set(files)) - {name}
    return graph


def test_no_circle_between_files():
    graph = imports_between_files()
    while leaves := [name for name, needs in graph.items() if not needs & set(graph)]:
        for name in leaves:
            del graph[name]
    # what is left is in a circle or imports one
    assert not graph, graph


def test_an_underscore_is_private_to_its_folder():
    graph = imports_between_files()
    wrong = {
        (name, needed)
        for name, needs in graph.items()
        for needed in needs
        if needed.rpartition(".")[2].startswith("_") and needed.rpartition(".")[0] != name.rpartition(".")[0]
    }
    assert not wrong, sorted(wrong)


def test_files_end_softly():
    """600 lines are a soft end: what is longer is named here, with the reason."""
    long = {str(p.relative_to(ROOT)) for p in ROOT.rglob("*.py") if len(p.read_text().splitlines()) > 600}
    assert not long, long
