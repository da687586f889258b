"""What the guides show runs as it stands, and prints what they say it prints."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from cli_kit import Ended, mlopsim

from mlopsim.core.registry import forget_plugins, names

ROOT = Path(__file__).parents[2]
PLUGINS = ROOT / "examples" / "plugins"
PAGES = [
    *sorted((ROOT / "docs" / "guides").glob("*.md")),
    *sorted((ROOT / "docs" / "start").glob("*.md")),
]
#: pages of which each block of commands is run; others are lists of contents, or for many machines
SHOWN = {page.stem: page for page in PAGES if "```bash" in page.read_text(encoding="utf-8")}
OWN = sorted(stem for stem in SHOWN if stem.startswith("own-"))
BLOCK = re.compile(r"^```(bash|text|python|yaml|\{literalinclude\}[^\n]*)\n(.*?)^```$", re.M | re.S)
#: a file that a block shows is written under the name in its first line
NAMED = re.compile(r"# (\S+\.(?:py|yaml))\n")


def spaced(text: str) -> list[str]:
    """Lines with single blanks."""
    return [" ".join(line.split()) for line in text.splitlines()]


def printed(line: str, lines: list[str]) -> bool:
    """Whether a shown line was printed; ``…`` at its end stands for the rest of one."""
    if line.endswith("…"):
        return any(found.startswith(line.removesuffix("…").rstrip()) for found in lines)
    return line in lines


def run(line: str, folder: Path) -> Ended:
    """Run a command of a guide: ``mlopsim`` in this process, others in one of their own."""
    words = shlex.split(line, comments=True)
    if words[0] in ("python", "cmp"):
        words[0] = sys.executable if words[0] == "python" else words[0]
        done = subprocess.run(words, cwd=folder, capture_output=True, text=True, timeout=300)
        return Ended(code=done.returncode, out=done.stdout, err=done.stderr)
    assert words.pop(0) == "mlopsim"
    if "KEY" in words:
        words[words.index("KEY")] = fitted_key(folder / words[1])
    if words[0] == "bench" and not any(word.startswith("executor=") for word in words):
        words.append("executor=serial")
    try:
        return mlopsim(*words)
    finally:
        forget_plugins()


def fitted_key(folder: Path) -> str:
    """Return the key of a cell that has a fit."""
    from mlopsim.bench.ledger import Ledger
    from mlopsim.bench.table import table

    with Ledger.read(folder) as ledger:
        cells = table(ledger)
    return str(cells.filter(cells["method"] == "periodic")["key"][0])


@pytest.fixture
def folder(tmp_path: Path, _cache: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("MLOPSIM_CACHE", str(_cache))
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.slow
@pytest.mark.parametrize("stem", SHOWN)
def test_a_guide_does_what_it_says(stem: str, folder: Path) -> None:
    page = SHOWN[stem]
    ran: list[str] = []
    for kind, text in BLOCK.findall(page.read_text(encoding="utf-8")):
        if kind.startswith("{literalinclude}"):
            source = (page.parent / kind.partition("}")[2].strip()).resolve()
            if not source.is_relative_to(PLUGINS):
                continue
            # a plug-in of several files lies in a folder
            inside = source.relative_to(PLUGINS)
            (folder / inside).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(source, folder / inside)
        elif kind in ("python", "yaml"):
            name = NAMED.match(text)
            assert name is not None, f"{page.name}: a file without a name: {text[:40]}"
            (folder / name[1]).parent.mkdir(parents=True, exist_ok=True)
            (folder / name[1]).write_text(text[name.end() :] if kind == "yaml" else text, encoding="utf-8")
        elif kind == "bash":
            ran = []
            for line in filter(None, text.replace("\\\n", " ").splitlines()):
                ended = run(line, folder)
                assert ended.code == 0, f"{line}\n{ended.out}{ended.err}"
                ran += spaced(ended.out + ended.err)
        else:
            assert ran, f"{page.name}: a text that no command printed"
            missing = [line for line in spaced(text) if line not in ("", "...") and not printed(line, ran)]
            assert not missing, "\n".join([f"{page.name} shows:", *missing, "printed:", *ran])


@pytest.mark.parametrize("stem", OWN)
def test_a_guide_to_a_component_has_its_parts(stem: str) -> None:
    text = SHOWN[stem].read_text(encoding="utf-8")
    for heading in ("The file", "Check it", "Run it", "Pitfalls", "More"):
        assert f"\n## {heading}\n" in text, heading
    assert "At the end: " in text.split("##")[0]
    assert re.search(r"^mlopsim check \S+ --plugin \S+$", text, re.M)
    outputs = [shown for kind, shown in BLOCK.findall(text) if kind == "text"]
    assert outputs and all(shown.strip() for shown in outputs)
    for shown in re.findall(r"```\{literalinclude\} (\S+)", text):
        source = (SHOWN[stem].parent / shown).resolve()
        assert source.is_relative_to(PLUGINS)
        most = 110 if source.name == "track.py" else 62
        assert len(source.read_text(encoding="utf-8").splitlines()) <= most


def test_links_into_the_catalogue_lead_to_components() -> None:
    seen = 0
    for page in SHOWN.values():
        for kind, name in re.findall(r"</catalogue/([a-z]+)/([a-z_-]+)>", page.read_text(encoding="utf-8")):
            assert name == "index" or name in names(kind), f"{page.name}: {kind}/{name}"
            seen += 1
    assert seen > 10


def refused() -> list[tuple[str, str]]:
    """Words and messages of the table of refusals."""
    text = (ROOT / "docs" / "guides" / "overrides.md").read_text(encoding="utf-8")
    return re.findall(r"^\| `([^`]+)` \| `([^`]+)` \|", text, re.M)


@pytest.mark.parametrize(("words", "message"), refused())
def test_what_is_said_to_be_refused_is_refused(words: str, message: str, folder: Path) -> None:
    ended = mlopsim("bench", "suite=smoke", *shlex.split(words), "--dry-run")
    assert ended.code == 2 and message in ended.err, ended.err


def test_there_are_refusals() -> None:
    assert len(refused()) >= 8
