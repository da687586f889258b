"""``mlopsim diff``: which numbers of two results folders differ, and why."""

from __future__ import annotations

import json
import shlex
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from mlopsim.cli.once import Once
from mlopsim.cli.printing import echo, finite, secho

if TYPE_CHECKING:
    from mlopsim.bench.diff import Diff, Difference

#: rows of the table in a terminal
SHOWN = 40


@click.command("diff", cls=Once)
@click.argument("a", type=click.Path(path_type=Path))
@click.argument("b", type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option("--grid", help="(Beginning of) a grid's digest in A; default: the last used.")
@click.option("--other-grid", help="The same in B.")
def command(a: Path, b: Path, as_json: bool, grid: str | None, other_grid: str | None) -> None:
    """Say which numbers of the results folders A and B differ and why: config, version, code, platform.

    Cells are matched by task, method and seed; metrics, attributes, reasons, series and fits are compared.
    Both folders are only read. Exit status: 0 all is equal, 1 something differs.

    \b
    Examples:
      mlopsim diff results/local/quick results/local/again
      mlopsim diff results/local/quick results/local/again --json
    """
    from mlopsim.bench.diff import diff
    from mlopsim.bench.ledger import Ledger

    with Ledger.read(a) as first, Ledger.read(b) as second:
        found = diff(first, second, grid, other_grid)
    if as_json:
        echo(json.dumps(_as_json(found), allow_nan=False))
    else:
        _tell(found, a, b)
    if not found.same:
        raise SystemExit(1)


def _as_json(found: Diff) -> dict[str, object]:
    rows = [finite(asdict(row)) for row in found.differences]
    only = [dict(sorted(counts.items())) for counts in found.only]
    named = {"titles": found.titles, "grids": found.grids, "compared": found.compared, "equal": found.equal}
    return {**named, "same": found.same, "differences": rows, "only": only, "unchanged": found.unchanged}


def _tell(found: Diff, a: Path, b: Path) -> None:
    for name, folder, title, grid in zip("AB", (a, b), found.titles, found.grids, strict=True):
        echo(f"{name}: {folder}: {title} (grid {grid[:12]})")
    echo(f"{found.compared} cells in both, {found.equal} of them equal in every number")
    for name, counts in zip("AB", found.only, strict=True):
        if counts:
            several = ", ".join(f"{method} {count}" for method, count in counts.most_common(SHOWN))
            more = f" and {len(counts) - SHOWN} more methods" if len(counts) > SHOWN else ""
            secho(f"only in {name}: {counts.total()} cells: {several}{more}", fg="yellow")
    if found.differences:
        # a reason is long, and the same for many rows: it gets a letter
        reasons = list(dict.fromkeys(row.why for row in found.differences))
        _table(found.differences[:SHOWN], reasons)
        if len(found.differences) > SHOWN:
            echo(f"and {len(found.differences) - SHOWN} more rows: --json has all")
        for number, why in enumerate(reasons, start=1):
            echo(f"({number}) {'; '.join(why) if why else 'nothing that is recorded differs'}")
        if () in reasons:
            secho(
                "a promise seems broken: see which folder is right with mlopsim rerun "
                f"{shlex.quote(str(a))} KEY",
                fg="red",
            )
    for text in found.unchanged:
        echo(f"differs, and changed no number of some cells: {text}")
    if found.same:
        secho("equal", fg="green")


def _table(rows: Sequence[Difference], reasons: Sequence[tuple[str, ...]]) -> None:
    """Print a row for each number of a method that differs."""
    from rich.console import Console
    from rich.table import Table

    from mlopsim.core.text import literal

    grid = Table(header_style="bold", box=None, pad_edge=False)
    for head in ("method", "number", "cells that differ", "largest, relative", "why", "for example"):
        grid.add_column(head, justify="right" if head[0] in "cl" else "left", no_wrap=True)
    for row in rows:
        largest = "–" if row.largest != row.largest else f"{row.largest:.2g}"
        of = f"{row.cells} of {row.of}"
        why = f"({reasons.index(row.why) + 1})"
        grid.add_row(*map(literal, (row.method, row.number, of, largest, why, row.example)))
    console = Console() if Console().is_terminal else Console(width=240)
    console.print(grid)
