"""The table of suites, read from the presets when the site is built: no number of it is typed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml
from docutils import nodes
from sphinx.util.docutils import SphinxDirective

import mlopsim

if TYPE_CHECKING:
    from sphinx.application import Sphinx

ROOT = Path(__file__).resolve().parents[2]
HEADINGS: Mapping[str, str] = {
    "title": "suite",
    "track": "track",
    "tasks": "tasks",
    "methods": "methods",
    "seeds": "seeds",
    "cells": "cells",
    "committed": "committed result",
    "about": "what for",
}


@dataclass(frozen=True, kw_only=True)
class Row:
    """One suite.

    Parameters
    ----------
    name, title, track, about : str
        The title holds the version.
    tasks, methods, seeds : int
        Size of the grid; methods with the controls that the track adds.
    committed : str
        Title of the committed result; empty: there is none.
    """

    name: str
    title: str
    track: str
    about: str
    tasks: int
    methods: int
    seeds: int
    committed: str

    @property
    def cells(self) -> int:
        """Cells of the grid."""
        return self.tasks * self.methods * self.seeds

    def shown(self) -> dict[str, str]:
        """Return the cells of the table, in Markdown."""
        result = f"[{self.committed}](../results/{self.name}/leaderboard.csv)" if self.committed else "–"
        return {
            "title": f"[{self.title}](../conf/suite/{self.name}.yaml)",
            "track": self.track,
            "committed": result,
            "about": self.about,
            **{key: f"{getattr(self, key):,}" for key in ("tasks", "methods", "seeds", "cells")},
        }


def row(path: Path) -> Row:
    """Read one preset, all that it inherits with it.

    Parameters
    ----------
    path : Path
        ``conf/suite/NAME.yaml``.
    """
    study = mlopsim.load_suite(path.stem)
    result = ROOT / "results" / path.stem
    committed = ""
    if (result / "leaderboard.csv").exists():
        committed = str(_read(result / "config.yaml")["title"])
    return Row(
        name=path.stem,
        title=study.title,
        track=str(study.suite.track["name"]),
        about=str(_read(path)["about"]),
        tasks=len(study.suite.tasks),
        methods=len(study.suite.methods),
        seeds=len(study.suite.seeds),
        committed=committed,
    )


def _read(path: Path) -> Any:
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def markdown(rows: list[Row]) -> str:
    """Return the table in Markdown."""
    lines = [list(HEADINGS.values()), ["---"] * len(HEADINGS)]
    lines += [[row.shown()[key] for key in HEADINGS] for row in rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


class Suites(SphinxDirective):
    """``{suites}``: a row for each preset in ``conf/suite``."""

    def run(self) -> list[nodes.Node]:
        """Return the table; the page is made again when a preset changes."""
        paths = sorted((ROOT / "conf" / "suite").glob("*.yaml"))
        for path in paths:
            self.env.note_dependency(str(path))
        return self.parse_text_to_nodes(markdown([row(path) for path in paths]))


def setup(app: Sphinx) -> dict[str, Any]:
    """Connect to Sphinx."""
    app.add_directive("suites", Suites)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
