"""``mlopsim explain``: why a deployment decided as it did."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from mlopsim import __version__
from mlopsim.cli.once import Once
from mlopsim.cli.printing import echo, finite, secho
from mlopsim.core.errors import ConfigError
from mlopsim.core.text import literal

if TYPE_CHECKING:
    import polars as pl

    from mlopsim.compose.explanation import Subject
    from mlopsim.governance.explained.decision import Explained

#: rows of a table on the terminal
SHOWN = 10


@click.command("explain", cls=Once)
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@click.argument("key")
@click.option("--window", type=int, help="The decision after this window; without it all are listed.")
@click.option("--out", type=click.Path(path_type=Path), help="Write a page about it, .html.")
@click.option("--force", is_flag=True, help="Overwrite a page that exists.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option(
    "--plugin", "plugins", multiple=True, help="A .py file with components of your own, or a folder of them."
)
@click.option("--trust-plugins", is_flag=True, help="Load plug-ins that the folder names, if unchanged.")
def command(
    folder: Path,
    key: str,
    window: int | None,
    out: Path | None,
    force: bool,
    as_json: bool,
    plugins: tuple[str, ...],
    trust_plugins: bool,
) -> None:
    """Explain a decision of the deployment that the cell KEY in DIR is.

    Its alternatives with the exact value of each, known in hindsight only, in parts; what the method went by;
    the nearest observation with another answer, verified by asking the method; what its answer hangs on. The
    deployment is walked again for that, and must give the return that the ledger holds.

    \b
    Examples:
      mlopsim explain results/local/quick 3fa9                # which decisions there are
      mlopsim explain results/local/quick 3fa9 --window 41
      mlopsim explain results/local/quick 3fa9 --window 41 --out why.html
    """
    from mlopsim.compose.explanation import open_subject

    _check(window, out, force)
    subject = open_subject(folder, key, plugins=plugins, trust=trust_plugins)
    if subject.changed and not as_json:
        secho(f"changed since, so this is today's deployment: {', '.join(subject.changed)}", fg="yellow")
    if window is None:
        _list(subject, as_json)
        return
    explained = subject.explain(window)
    if out is not None:
        _write(subject, explained, out)
    if as_json:
        echo(json.dumps(_as_json(subject, explained), allow_nan=False))
        return
    _print(subject, explained)
    if out is not None:
        echo(f"page: {out}")


def _check(window: int | None, out: Path | None, force: bool) -> None:
    """Refuse what cannot be done before anything is computed."""
    if out is None:
        return
    if window is None:
        raise ConfigError("a page is about one decision", remedy="name it with --window")
    if out.suffix.lower() not in (".html", ".htm"):
        raise ConfigError(f"cannot write a page to '{out}'", remedy="end its name in .html")
    if out.exists() and not force:
        raise ConfigError(f"{out} exists", remedy="choose another name, or overwrite it with --force")


def _number(value: float) -> str:
    return f"{value:.4f}" if math.isfinite(value) else "–"


def _table(frame: pl.DataFrame, title: str) -> None:
    from rich.console import Console
    from rich.table import Table

    console = Console() if Console().is_terminal else Console(width=200)
    grid = Table(header_style="bold", box=None, pad_edge=False)
    for name, kind in frame.schema.items():
        grid.add_column(literal(name), justify="right" if kind.is_numeric() else "left")
    for row in frame.iter_rows():
        grid.add_row(*(literal(_number(cell) if isinstance(cell, float) else cell) for cell in row))
    # as wide as it is: a table's own title is broken at the table's width
    console.print(literal(title, "italic"))
    console.print(grid)


def _list(subject: Subject, as_json: bool) -> None:
    """List the decisions that were not to keep."""
    import dataclasses

    import polars as pl

    found = subject.decided()
    if as_json:
        rows = [finite(dataclasses.asdict(entry)) for entry in found]
        echo(json.dumps({"key": subject.key, "cell": subject.label, "decisions": rows}, allow_nan=False))
        return
    secho(subject.label, bold=True)
    first, last = subject.scene.first, subject.scene.first + subject.scene.steps - 1
    if not found:
        echo(f"it answered keep after every window from {first} to {last}")
        return
    frame = pl.DataFrame(
        {
            "window": [entry.window for entry in found],
            "answer": [entry.answer for entry in found],
            "best other": [entry.rival or "–" for entry in found],
            "worth more than it": [entry.gain for entry in found],
        }
    )
    _table(frame, f"answers other than keep, of the decisions after the windows {first} to {last}")
    echo("worth more: exact, in hindsight; --window N explains one, also one to keep")


def _print(subject: Subject, explained: Explained) -> None:
    from mlopsim.governance.explained import page

    secho(subject.label, bold=True)
    echo(page.headline(explained))
    for title, frame, note in (
        ("alternatives, in hindsight", page.alternatives(explained), page.hindsight_note(explained)),
        ("what it went by", page.beliefs(explained), page.belief_note(explained)),
        ("what would have changed the answer", page.changes(explained), page.change_note(explained)),
        ("what the answer hangs on", page.groups(explained), page.group_note(explained)),
    ):
        echo()
        if frame is None:
            secho(title, italic=True)
        else:
            _table(frame.head(SHOWN), title)
            if len(frame) > SHOWN:
                echo(f"and {len(frame) - SHOWN} more: --out and --json have all")
        secho(note, dim=True)


def _write(subject: Subject, explained: Explained, out: Path) -> None:
    from mlopsim.core.files import atomic_path
    from mlopsim.governance.explained import page
    from mlopsim.report.page import render

    meta: dict[str, Any] = {
        "lead": page.headline(explained),
        "summary": {
            "decision after window": explained.window,
            "answer": explained.actions[explained.answer],
            "decisions in all": explained.scene.steps,
        },
        "notes": [f"changed since, so this is today's deployment: {name}" for name in subject.changed],
        "provenance": {"cell": subject.key, "mlopsim": __version__},
    }
    text = render(f"Why: {subject.label}, window {explained.window}", page.sections(explained), meta)
    with atomic_path(out) as target:
        target.write_text(text, encoding="utf-8")


def _as_json(subject: Subject, explained: Explained) -> dict[str, Any]:
    from mlopsim.governance.explained import page

    def rows(frame: pl.DataFrame | None) -> list[dict[str, Any]]:
        return [] if frame is None else [finite(row) for row in frame.to_dicts()]

    why = explained.reasons
    return {
        "key": subject.key,
        "cell": subject.label,
        "changed": list(subject.changed),
        "window": explained.window,
        "answer": explained.actions[explained.answer],
        "done": explained.actions[explained.chosen],
        "alternatives_in_hindsight": rows(page.alternatives(explained)),
        "reasons": None
        if why is None
        else {"total": why.total, "sufficient": list(why.sufficient), "against": list(why.against)},
        "beliefs": rows(page.beliefs(explained)),
        "counterfactuals": rows(page.changes(explained)),
        "attribution": rows(page.groups(explained)),
    }
