"""What README and docs show exists, runs, and is what the committed tables say."""

import csv
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "experiments"))

import readme_leaderboard  # noqa: E402

README = ROOT / "README.md"
TEXT = README.read_text(encoding="utf-8")
PAGES = [
    README,
    *sorted((ROOT / "docs").rglob("*.md")),
    ROOT / "results" / "README.md",
    ROOT / "CONTRIBUTING.md",
]
FINDINGS = sorted(path for path in (ROOT / "docs" / "findings").glob("*.md") if path.stem != "index")
DOCS = {page.stem: page.read_text(encoding="utf-8") for page in (ROOT / "docs").glob("*.md")}
NUMBER = r"-?\d*\.\d+"
INTERVAL = re.compile(rf"({NUMBER}) \[({NUMBER}), ({NUMBER})\]")
#: said to be of a trial, in no committed table
TRIALS = {(".017", ".002", ".032")}


def blocks(text, kind):
    return re.findall(rf"```{kind}\n(.*?)```", text, re.DOTALL)


def test_the_readme_is_short():
    assert len(TEXT.splitlines()) <= 120
    assert len(TEXT.split()) <= 900


def test_the_leaderboard_is_that_of_the_committed_result():
    board = readme_leaderboard.leaderboard(ROOT / "results" / "quick")
    assert readme_leaderboard.with_leaderboard(TEXT, board) == TEXT, (
        "python experiments/readme_leaderboard.py"
    )
    with pytest.raises(ValueError, match="leaderboard"):
        readme_leaderboard.with_leaderboard("no marks", board)


def test_every_command_is_shown_and_exists():
    from mlopsim.cli.main import COMMANDS

    shown = set(re.findall(r"^mlopsim ([a-z-]+)", DOCS["command-line"], re.MULTILINE))
    assert shown == set(COMMANDS)


def rows(text):
    """Yield (first cell, names in backticks of the second) of the tables of two columns."""
    for line in text.splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if line.startswith("| ") and len(cells) == 2:
            yield cells[0], re.findall(r"`([a-z_0-9-]+)`", cells[1])


def test_names_of_the_tables_exist():
    from mlopsim.core.registry import PACKAGES, names, plural
    from mlopsim.tracks.delivery.controls import CONTROLS

    seen = 0
    kinds = {plural(kind): kind for kind in PACKAGES}
    for title, found in rows(DOCS["parts"]):
        kind = kinds.get(re.split(r"\W", title)[0], "")
        known = (
            set(names(kind))
            if kind in PACKAGES
            else {
                *names("selector"),
                *names("detector"),
                *names("gate"),
                *names("audit"),
                *names("monitor"),
                *CONTROLS,
            }
        )
        assert set(found) <= known, title
        seen += len(found)
    assert seen > 100
    suites = re.findall(r"^\| `([a-z-]+)` \|", DOCS["parts"], re.MULTILINE)
    assert set(suites) == {path.stem for path in (ROOT / "conf" / "suite").glob("*.yaml")}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_links_lead_somewhere(page):
    for target in re.findall(r"\]\(([^)#]+)\)", page.read_text(encoding="utf-8")):
        assert (page.parent / target).exists(), target


def rounded(found, like):
    """A value, its low and its high end with as many digits as a text shows of each."""
    pairs = zip(found, like, strict=True)
    return [round(float(text), len(other.partition(".")[2])) for text, other in pairs]


def said(found, one):
    """Whether a text gives an interval of a table, or the same seen from the other side ("behind by")."""
    value, low, high = found
    turned = [str(-float(text)) for text in (value, high, low)]
    wanted = pytest.approx([float(text) for text in one], abs=1e-9)
    return rounded(found, one) == wanted or rounded(turned, one) == wanted


def intervals(path):
    """Yield value, low and high of every interval in a table."""
    with path.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            for name in row:
                stem = name.removesuffix("_to_ppo")
                head, at, scale = name.partition("_at_")
                for low, high in (
                    (f"{stem}_low", f"{stem}_high"),
                    (f"{head}_low{at}{scale}", f"{head}_high{at}{scale}"),
                ):
                    found = row[name], row.get(low), row.get(high)
                    if all(found):
                        yield found


@pytest.mark.parametrize("page", [README, *FINDINGS], ids=lambda page: page.stem)
def test_every_interval_is_in_a_committed_table(page):
    text = page.read_text(encoding="utf-8")
    stated = set(INTERVAL.findall(text)) - TRIALS
    linked = re.findall(r"\]\(([^)]+\.csv)\)", text)
    tables = {(page.parent / target).resolve() for target in linked}
    if page == README:
        tables |= {path for path in ROOT.glob("results/*/*.csv") if "local" not in path.parts}
    known = [found for path in sorted(tables) for found in intervals(path)]
    for one in stated:
        assert any(said(found, one) for found in known), one


@pytest.mark.parametrize("page", FINDINGS, ids=lambda page: page.stem)
def test_a_finding_has_its_setting_table_picture_rivals_scope_command_and_version(page):
    text = page.read_text(encoding="utf-8")
    for heading in ("Setting", "Table", "Where it holds", "Command"):
        assert f"\n## {heading}\n" in text, heading
    assert "\n## What else could explain it\n" in text or "\n## Why it fell\n" in text
    assert re.search(r"!\[[^]]+\]\([^)]+\.svg\)", text) and re.search(r"\]\([^)]+\.csv\)", text)
    old = any(
        "note:" in (page.parent / target).resolve().parent.joinpath("config.yaml").read_text(encoding="utf-8")
        for target in re.findall(r"\]\(([^)]+\.csv)\)", text)
    )
    assert ("older seeds" in text) == old
    withdrawn = f"(findings/{page.name}) (withdrawn)" in DOCS["README"]
    assert f"(findings/{page.name})" in DOCS["README"]
    assert (f"findings/{page.name}" in TEXT) != withdrawn


def run(words, folder):
    env = {**os.environ, "MLOPSIM_CACHE": str(folder / "cache")}
    done = subprocess.run(
        [sys.executable, *words], cwd=folder, env=env, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stderr + done.stdout


EXAMPLES = [blocks(TEXT, "python")[1], *blocks(DOCS["python"], "python")]


@pytest.mark.parametrize("number", range(4), ids=["readme", "environments", "suite", "world"])
def test_python_examples_run(number, tmp_path):
    # the same code, with the suite of a few seconds, and fewer seeds: quick takes a minute here
    code = EXAMPLES[number].replace('"quick"', '"smoke"').replace("seeds=5,", "seeds=2,")
    (tmp_path / "example.py").write_text(code, encoding="utf-8")
    run(["example.py"], tmp_path)


def test_the_method_of_the_readme_passes_its_check(tmp_path):
    method = blocks(TEXT, "python")[0]
    code = [[line for line in text.splitlines() if line] for text in (method, EXAMPLES[0])]
    assert len(code[0]) <= 12 and len(code[1]) <= 10
    (tmp_path / "mine.py").write_text(method, encoding="utf-8")
    run(["-m", "mlopsim.cli.main", "check", "selector/mine", "--plugin", "mine.py"], tmp_path)
