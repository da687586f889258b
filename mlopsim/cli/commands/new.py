"""``mlopsim new``: a commented file for a component of one's own, with its test."""

from __future__ import annotations

from pathlib import Path

import click

from mlopsim.cli.once import Once
from mlopsim.cli.printing import echo


@click.command("new", cls=Once)
@click.argument("kind")
@click.argument("name")
@click.option("--out", default=".", type=click.Path(path_type=Path), help="Folder; default: this one.")
def command(kind: str, name: str, out: Path) -> None:
    """Write a commented file for a component of your own, and its test: NAME.py and tests/test_NAME.py.

    KIND is detector, selector, gate, audit, track or section. What is written works: it passes mlopsim check
    and its test, and runs in a suite; then change it. Nothing is overwritten, and no name is taken twice.

    \b
    Examples:
      mlopsim new detector my_detector
      mlopsim new gate my_gate --out plugins
    """
    from mlopsim.cli.scaffold import write_component

    written = write_component(kind, name, out)
    echo(f"{written.file}\n{written.test}")
    echo("try it:" if Path(out) == Path() else f"try it, in {out}:")
    for line in written.commands:
        echo(f"  {line}")
