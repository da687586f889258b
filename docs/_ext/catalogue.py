"""The catalogue: one page for each component of the registry, written when the site is built.

What it does, its parameters, formula and source stand in its docstring; where it stands in the committed
results is looked up in the leaderboards, so that no number is typed.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from standing import Standing, standings

from mlopsim.core import registry

if TYPE_CHECKING:
    from sphinx.application import Sphinx

FOLDER = "catalogue"
#: kinds that a user chooses among, in the order of the catalogue, by heading
PARTS: Mapping[str, tuple[str, ...]] = {
    "What is compared": ("selector", "detector", "gate", "audit", "monitor"),
    "Streams and what happens in them": (
        *("stream", "concept", "schedule", "duration", "shift", "change"),
        *("bias", "injector", "mechanism", "timing", "signal"),
    ),
    "Models and what guards them": (
        *("learner", "training", "explainer", "deployment", "constraint", "reviewer"),
    ),
    "How it is measured and shown": ("track", "section"),
}


@dataclass(frozen=True, kw_only=True)
class Page:
    """One component."""

    kind: str
    name: str
    cls: type[Any]

    @property
    def place(self) -> str:
        """Document name."""
        return f"{FOLDER}/{self.kind}/{self.name}"

    @property
    def summary(self) -> str:
        """First sentence of its docstring."""
        return " ".join((inspect.getdoc(self.cls) or "").split("\n\n")[0].split())

    def text(self, rows: list[Standing]) -> str:
        """Return the page in reStructuredText."""
        title = f"{self.kind}/{self.name}"
        lines = [
            title,
            "=" * len(title),
            "",
            f"Version {self.cls.version}. ``mlopsim check {title}`` tries it.",
            "",
            f".. autoclass:: {self.cls.__module__}.{self.cls.__qualname__}",
            "   :no-index-entry:",
            "",
        ]
        if rows:
            lines += ["In the committed results", "------------------------", ""]
        for suite in dict.fromkeys(row.suite for row in rows):
            lines += _table([row for row in rows if row.suite == suite])
        return "\n".join(lines) + "\n"


def _table(rows: list[Standing]) -> list[str]:
    """Return one suite's rows as a table."""
    first = rows[0]
    lines = [
        f".. list-table:: ``{first.suite}``, {first.methods} methods: "
        f"`leaderboard.csv <{'../' * 3}results/{first.suite}/leaderboard.csv>`__",
        "   :header-rows: 1",
        "",
    ]
    head = ["method", "place", *first.numbers]
    for cells in (head, *([f"``{row.method}``", row.place, *row.numbers.values()] for row in rows)):
        lines += [f"   {'* ' if i == 0 else '  '}- {cell}" for i, cell in enumerate(cells)]
    return [*lines, ""]


def pages() -> Iterator[Page]:
    """Return every component that a user chooses."""
    for kinds in PARTS.values():
        for kind in kinds:
            for name in registry.names(kind):
                cls = registry.find(kind, name)
                if cls.__module__.startswith("mlopsim."):
                    yield Page(kind=kind, name=name, cls=cls)


def _overview(found: list[Page]) -> str:
    lines = ["Catalogue", "=========", ""]
    lines += ["Every component, found in the registry, as ``mlopsim list`` does.", ""]
    for heading, kinds in PARTS.items():
        lines += [heading, "-" * len(heading), "", ".. toctree::", "   :maxdepth: 1", ""]
        lines += [f"   {kind}/index" for kind in kinds if any(page.kind == kind for page in found)]
        lines += [""]
    return "\n".join(lines)


def _kind(kind: str, found: list[Page]) -> str:
    title = registry.plural(kind).capitalize()
    lines = [title, "=" * len(title), "", ".. list-table::", "   :widths: 30 70", ""]
    for page in found:
        lines += [f"   * - :doc:`{page.name}`", f"     - {page.summary}"]
    lines += ["", ".. toctree::", "   :hidden:", ""]
    return "\n".join([*lines, *(f"   {page.name}" for page in found), ""])


def write(app: Sphinx) -> None:
    """Write the pages beside the others; what does not change is left, so that a second build is quick."""
    root = Path(app.srcdir)
    found, ranked = list(pages()), standings(root.parent / "results")
    texts = {page.place: page.text(ranked.get((page.kind, page.name), [])) for page in found}
    texts[f"{FOLDER}/index"] = _overview(found)
    for kind in {page.kind for page in found}:
        own = [page for page in found if page.kind == kind]
        texts[f"{FOLDER}/{kind}/index"] = _kind(kind, own)
    for old in (root / FOLDER).rglob("*.rst"):
        if old.relative_to(root).with_suffix("").as_posix() not in texts:
            old.unlink()
    for place, text in texts.items():
        path = root / f"{place}.rst"
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.exists() or path.read_text() != text:
            path.write_text(text)


def setup(app: Sphinx) -> dict[str, Any]:
    """Connect to Sphinx."""
    app.connect("builder-inited", write)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
