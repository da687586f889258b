"""``mlopsim export``: the cell table as a file."""

from __future__ import annotations

from pathlib import Path

import click

from mlopsim.cli.once import Once
from mlopsim.cli.printing import echo


@click.command("export", cls=Once)
@click.argument("folder", type=click.Path(path_type=Path))
@click.argument("target", type=click.Path(path_type=Path))
@click.option("--grid", help="(Beginning of) a grid's digest; default: the last used.")
def command(folder: Path, target: Path, grid: str | None) -> None:
    """Export the cells of a grid, sorted by key, as .parquet or .csv.

    Columns: key, track, task, method, seed, status, the metrics, reasons of undefined ones, provenance.

    \b
    Example:
      mlopsim export results/local/quick out.parquet
    """
    from mlopsim.compose.results import open_results

    echo(str(open_results(folder, grid=grid).export(target)))
