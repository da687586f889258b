"""``mlopsim repair``: salvage a damaged ledger."""

from __future__ import annotations

from pathlib import Path

import click

from mlopsim.bench.repair import repair
from mlopsim.cli.once import Once
from mlopsim.cli.printing import echo


@click.command("repair", cls=Once)
@click.argument("folder", type=click.Path(path_type=Path))
def command(folder: Path) -> None:
    """Move every readable row of a damaged ledger into a new one; the damaged file is kept.

    \b
    Example:
      mlopsim repair results/local/quick
    """
    echo(repair(folder).text())
