"""``mlopsim new``: what is written passes its check, its test, the linter and types, and runs in a suite."""

from __future__ import annotations

import importlib.util
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from cli_kit import mlopsim

from mlopsim.cli.scaffold import kinds, rendered
from mlopsim.core.registry import forget_plugins

ROOT = Path(__file__).resolve().parents[2]
#: what makes the command that a file shows short
SHORT = {"audit": ["fairness.calibration.runs=40", "fairness.calibration.checks=40", "fairness.rules=false"]}


@pytest.fixture(autouse=True)
def _place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MLOPSIM_CACHE", str(tmp_path / "cache"))
    yield
    forget_plugins()


def shown(kind: str) -> list[list[str]]:
    """Write a file; return the commands that it shows: check, test, run."""
    ended = mlopsim("new", kind, "far-off")
    assert ended.code == 0 and ended.out.splitlines()[0] == "far_off.py"
    return [shlex.split(line) for line in ended.out.splitlines() if line.startswith("  ")]


@pytest.mark.parametrize("kind", kinds())
def test_what_is_written_is_checked_and_tested(kind: str, tmp_path: Path) -> None:
    checked, tested, *_ = shown(kind)
    done = mlopsim(*checked[1:])
    assert done.code == 0, done.out + done.err
    # the file's own test, run here: a process of its own takes seconds
    spec = importlib.util.spec_from_file_location(f"written_{kind}", tmp_path / tested[1])
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    tests = [value for name, value in vars(module).items() if name.startswith("test_")]
    assert len(tests) == 3
    for test in tests:
        # the contract was checked above
        if "contract" not in test.__name__:
            test(**({"tmp_path": tmp_path / "t"} if test.__code__.co_argcount else {}))


#: kinds whose suites take seconds or many
LARGE = ("audit", "detector", "gate", "section")


@pytest.mark.parametrize(
    "kind", [pytest.param(k, marks=pytest.mark.slow) if k in LARGE else k for k in kinds()]
)
def test_what_is_written_runs_in_a_suite(kind: str, tmp_path: Path) -> None:
    given = [word for word in shown(kind)[2][1:] if not word.startswith("seeds=")]
    words = [*SHORT.get(kind, []), "executor=serial", "results=out", "seeds=1"]
    done = mlopsim(*given, *words, *([] if kind == "section" else ["--no-report"]))
    assert done.code == 0, done.out + done.err
    if kind == "section":
        assert "Retrains by method" in (tmp_path / "out" / "report.html").read_text(encoding="utf-8")


@pytest.mark.slow
@pytest.mark.parametrize("kind", kinds())
def test_pytest_runs_the_test_that_is_written(kind: str) -> None:
    words = shlex.split(mlopsim("new", kind, "far_off").out.splitlines()[4])
    done = subprocess.run([sys.executable, "-m", *words], capture_output=True, text=True)
    assert done.returncode == 0 and "3 passed" in done.stdout, done.stdout


def test_what_is_written_is_clean(tmp_path: Path) -> None:
    for kind in kinds():
        assert mlopsim("new", kind, f"far_{kind}", "--out", kind).code == 0
    ruff = [sys.executable, "-m", "ruff"]
    settings = ["--config", str(ROOT / "pyproject.toml")]
    for words in (["check", "--ignore", "D103,I001"], ["format", "--check"]):
        done = subprocess.run([*ruff, *words, *settings, "."], capture_output=True, text=True)
        assert done.returncode == 0, done.stdout


@pytest.mark.slow
def test_what_is_written_has_types(tmp_path: Path) -> None:
    for kind in kinds():
        assert mlopsim("new", kind, f"far_{kind}").code == 0
    words = ["--config-file", str(ROOT / "pyproject.toml"), "--cache-dir", str(tmp_path / "types")]
    files = [str(path) for path in (*tmp_path.glob("*.py"), *tmp_path.glob("tests/*.py"))]
    done = subprocess.run([sys.executable, "-m", "mypy", *words, *files], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["detector", "adwin"], "there is a detector 'adwin' already"),
        (["detectr", "mine"], "no template of a detectr, did you mean 'detector'?"),
        (["learner", "mine"], "no template of a learner"),
        (["gate", "Mine"], "'Mine' is no name of a component"),
        (["gate", "../mine"], "is no name of a component"),
        (["gate", "x" * 41], "is no name of a component"),
    ],
)
def test_what_cannot_be_is_refused(words: list[str], says: str, tmp_path: Path) -> None:
    ended = mlopsim("new", *words)
    assert ended.code == 2 and says.split(",")[0] in ended.err and "remedy: " in ended.err
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("there", ["mine.py", "tests/test_mine.py"])
def test_nothing_is_overwritten(there: str, tmp_path: Path) -> None:
    path = tmp_path / there
    path.parent.mkdir(exist_ok=True)
    path.write_text("mine")
    ended = mlopsim("new", "gate", "mine")
    assert ended.code == 2 and "exists and is not overwritten" in ended.err
    assert [file.read_text() for file in tmp_path.rglob("*.py")] == ["mine"]


@pytest.mark.parametrize("kind", kinds())
@pytest.mark.parametrize("name", ["none", "row", "true", "side", "a-b_c", "section-maker"])
def test_every_name_gives_a_class(kind: str, name: str) -> None:
    for text in rendered(kind, name, "x.py", "t.py"):
        compile(text, "x.py", "exec")
        assert "$" not in text
