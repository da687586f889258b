"""What the README shows exists and runs."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
TEXT = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)


def rows(heading):
    """Yield (first cell, names in backticks of the second) of the tables of a section."""
    section = TEXT.partition(f"## {heading}\n")[2].partition("\n## ")[0]
    for line in section.splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if line.startswith("| ") and len(cells) == 2:
            yield cells[0], re.findall(r"`([a-z_0-9-]+)`", cells[1])


def test_every_command_is_shown_and_exists():
    from mlopsim.cli.main import COMMANDS

    shown = set(re.findall(r"^mlopsim ([a-z]+)", TEXT, re.MULTILINE))
    assert shown == set(COMMANDS)


def test_names_of_the_tables_exist():
    from mlopsim.core.registry import PACKAGES, names, plural
    from mlopsim.tracks._delivery_controls import CONTROLS

    seen = 0
    kinds = {plural(kind): kind for kind in PACKAGES}
    for title, found in rows("What there is"):
        kind = kinds.get(re.split(r"\W", title)[0], "")
        known = (
            set(names(kind))
            if kind in PACKAGES
            else {*names("selector"), *names("detector"), *names("gate"), *names("audit"), *CONTROLS}
        )
        assert set(found) <= known, title
        seen += len(found)
    assert seen > 100
    suites = re.findall(r"^\| `([a-z-]+)` \|", TEXT.partition("## What there is")[2], re.MULTILINE)
    assert suites and all((ROOT / "conf" / "suite" / f"{name}.yaml").is_file() for name in suites)


def test_links_lead_somewhere():
    for target in re.findall(r"[^!]\[[^]]+\]\(([^)#]+)\)", TEXT):
        assert (ROOT / target).exists(), target


@pytest.mark.parametrize("number", [0, 1, 2], ids=["environments", "suite", "world"])
def test_python_examples_run(number, tmp_path):
    script = tmp_path / "example.py"
    script.write_text(BLOCKS[number], encoding="utf-8")
    env = {**os.environ, "MLOPSIM_CACHE": str(tmp_path / "cache")}
    done = subprocess.run(
        [sys.executable, str(script)], cwd=tmp_path, env=env, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stderr
