"""Completion: what each shell is told, and bash driven as it drives itself."""

from __future__ import annotations

import contextlib
import io
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from cli_kit import mlopsim

from mlopsim.cli.main import COMMANDS, main
from mlopsim.compose.schema import PARTS
from mlopsim.core.registry import names

ROOT = Path(__file__).resolve().parents[2]
SUITES = sorted(path.stem for path in (ROOT / "conf" / "suite").glob("*.yaml"))


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch):
    """What bash is told to a line."""

    def ask(line: str) -> list[str]:
        monkeypatch.setenv("_MLOPSIM_COMPLETE", "bash_complete")
        monkeypatch.setenv("COMP_LINE", line)
        monkeypatch.setattr(sys, "argv", ["mlopsim"])
        # click writes bytes
        out = io.TextIOWrapper(io.BytesIO(), encoding="utf-8", write_through=True)
        with contextlib.redirect_stdout(out), pytest.raises(SystemExit) as ended:
            main()
        monkeypatch.delenv("_MLOPSIM_COMPLETE")
        assert not ended.value.code
        told = [row.partition(",") for row in out.buffer.getvalue().decode().splitlines() if row]
        assert {kind for kind, *_ in told} <= {"plain", "file", "dir"}
        return [value if kind == "plain" else kind for kind, _, value in told]

    return ask


def test_commands_options_and_places(asked) -> None:
    assert asked("mlopsim ") == [f"{name} " for name in COMMANDS]
    assert asked("mlopsim be") == ["bench "]
    assert "--no-report " in asked("mlopsim bench suite=smoke --no")
    assert asked("mlopsim status ") == ["file"]
    assert asked("mlopsim audit-log ver") == ["verify "]
    assert asked("mlopsim export x --format ma") == ["macros "]


def test_words_with_values(asked) -> None:
    assert asked("mlopsim bench suite=") == [f"{name} " for name in SUITES]
    assert asked("mlopsim bench sui") == ["suite="]
    assert {f"{kind}=" for kind in PARTS} <= set(asked("mlopsim bench suite=quick "))
    # a key that was given is not offered again
    assert "suite=" not in asked("mlopsim bench suite=quick ")
    assert asked("mlopsim bench learner=") == [f"{name} " for name in names("learner")]
    assert asked("mlopsim bench executor=s") == ["serial "]
    assert asked("mlopsim verify-baseline ") == ["suite=", "baseline="]


def test_methods_of_the_suite_that_was_named(asked) -> None:
    found = asked("mlopsim bench suite=smoke methods=")
    assert [name.strip() for name in found[:2]] == ["never", "every_step"]
    assert {name.strip() for name in found} == set(names("selector"))
    assert asked("mlopsim bench suite=drift-quick methods=adwin,dd") == ["adwin,ddm"]
    assert "adwin,adwin" not in asked("mlopsim cite suite=drift-quick methods=adwin,ad")
    assert asked("mlopsim bench suite=nowhere methods=") == []


def test_names_of_components(asked) -> None:
    assert asked("mlopsim check detec") == ["detector/ "]
    assert asked("mlopsim check detector/adw") == ["detector/adwin "]
    assert asked("mlopsim arl cus") == ["cusum "]


def test_bash_puts_the_words_in(tmp_path: Path) -> None:
    bash = shutil.which("bash")
    if bash is None:
        pytest.skip("there is no bash here")
    program = tmp_path / "mlopsim"
    program.write_text(f'#!{bash}\nexec {sys.executable} -m mlopsim.cli.main "$@"\n')
    program.chmod(0o755)
    (tmp_path / "completion.bash").write_text(mlopsim("completion", "bash").out)
    # as readline calls it: words are broken at =, and what is behind the last = is replaced
    drive = """
source ./completion.bash
complete -p mlopsim
ask() { COMP_LINE=$1; COMP_POINT=${#1}; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1))
  _mlopsim_completion mlopsim "${COMP_WORDS[COMP_CWORD]}" mlopsim; printf '<%s>' "${COMPREPLY[@]}"; echo; }
ask "mlopsim bench suite=drift-q" mlopsim bench suite = drift-q
ask "mlopsim bench suite=" mlopsim bench suite =
ask "mlopsim dif" mlopsim dif
ask "mlopsim status com" mlopsim status com
"""
    environment = {**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}", "PYTHONPATH": str(ROOT)}
    done = subprocess.run([bash, "-c", drive], cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    how, one, every, command, place = done.stdout.splitlines()
    assert how == "complete -o nosort -o nospace -F _mlopsim_completion mlopsim"
    assert one == "<drift-quick >" and command == "<diff >" and place == "<completion.bash>"
    assert every == "".join(f"<{name} >" for name in SUITES)


@pytest.mark.parametrize("shell", ["zsh", "fish"])
def test_other_shells_get_a_script(shell: str, tmp_path: Path) -> None:
    ended = mlopsim("completion", shell)
    assert ended.code == 0 and "_MLOPSIM_COMPLETE" in ended.out and "mlopsim" in ended.out
    if shutil.which(shell):
        (tmp_path / "script").write_text(ended.out)
        done = subprocess.run([shell, "-n", tmp_path / "script"], capture_output=True, text=True)
        assert done.returncode == 0, done.stderr


def test_a_shell_that_is_not_known_is_refused() -> None:
    ended = mlopsim("completion", "tcsh")
    assert ended.code == 2 and "'bash', 'zsh', 'fish'" in ended.err
