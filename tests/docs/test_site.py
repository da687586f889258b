"""The documentation site: every page is in it, it builds without a warning, asks the network for nothing."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from matplotlib.figure import Figure

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
#: read on a code host, where there is no site
NOT_IN_THE_SITE = {"README"}


class Links(HTMLParser):
    """What a page loads, where it leads, and the places in it that can be pointed at."""

    def __init__(self) -> None:
        super().__init__()
        self.loaded: list[str] = []
        self.targets: list[str] = []
        self.places: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if "id" in given:
            self.places.add(given["id"])
        if tag in ("script", "img", "iframe", "source") and "src" in given:
            self.loaded.append(given["src"])
        if tag == "link" and given.get("rel") not in ("canonical", "search", "index", "next", "prev"):
            self.loaded.append(given.get("href", ""))
        if tag == "a" and "href" in given:
            self.targets.append(given["href"])


def test_every_page_is_in_a_list_of_contents() -> None:
    listed = {"index", "catalogue/index", "gallery/index"}
    for page in [*DOCS.glob("*.md"), *DOCS.glob("*/index.md")]:
        for block in re.findall(r"```\{toctree\}(.*?)```", page.read_text(), flags=re.S):
            for line in block.splitlines():
                if line.strip() and not line.startswith(":"):
                    place = (page.parent / line.strip()).resolve().relative_to(DOCS.resolve())
                    listed.add(place.as_posix())
    written = {
        path.relative_to(DOCS).with_suffix("").as_posix()
        for pattern in ("*.md", "*/*.md", "reference/*.rst")
        for path in DOCS.glob(pattern)
        if not path.relative_to(DOCS).parts[0].startswith("_")
    }
    assert written - NOT_IN_THE_SITE - listed == set()


def run_notebook(path: Path) -> None:
    """Run the cells of a notebook one after another: what was downloaded works without its script."""
    cells = [c for c in json.loads(path.read_text())["cells"] if c["cell_type"] == "code"]
    assert len(cells) > 3
    names: dict[str, object] = {}
    for cell in cells:
        exec("".join(cell["source"]), names)
    assert isinstance(names["figure"], Figure)


@pytest.mark.slow
def test_the_site_builds_without_a_warning_and_stands_alone(tmp_path: Path) -> None:
    out = tmp_path / "html"
    command = [
        sys.executable,
        "-m",
        "sphinx",
        "-q",
        "-W",
        "--keep-going",
        "-b",
        "html",
        "-d",
        str(tmp_path / "read"),
    ]
    done = subprocess.run([*command, str(DOCS), str(out)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    run_notebook(next(out.glob("_downloads/*/plot_study_in_a_notebook.ipynb")))
    pages = {path: Links() for path in out.rglob("*.html") if not {"_tree", "_static"} & set(path.parts)}
    assert len(pages) > 300
    for path, links in pages.items():
        links.feed(path.read_text())
    for path, links in pages.items():
        for source in links.loaded:
            assert not urlsplit(source).netloc, f"{path.name} loads {source}"
        for target in [*links.loaded, *links.targets]:
            parts = urlsplit(target)
            if parts.scheme or parts.netloc:
                continue
            goal = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            assert goal.exists(), f"{path.relative_to(out)} links to {target}"
            if parts.fragment and goal in pages:
                assert unquote(parts.fragment) in pages[goal].places, f"{path.relative_to(out)}: {target}"
