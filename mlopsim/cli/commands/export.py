"""``mlopsim export``: the cell table as a file, or printed."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from mlopsim.cli.once import Once
from mlopsim.cli.printing import echo
from mlopsim.core.errors import ConfigError

#: formats of a table, as ``--format`` names them
FORMATS = ("csv", "parquet")


@click.command("export", cls=Once)
@click.argument("folder", type=click.Path(path_type=Path))
@click.argument("target", required=False, type=click.Path(path_type=Path))
@click.option(
    "--format", "form", type=click.Choice(FORMATS), help="Default: by the ending of TARGET, else csv."
)
@click.option("--numbers", is_flag=True, help="Only the numbers: no provenance, canonical order.")
@click.option("--baseline", is_flag=True, help="A baseline: cells with series and fits, for bench baseline=.")
@click.option("--grid", help="(Beginning of) a grid's digest; default: the last used.")
@click.option("--plugin", "plugins", multiple=True, help="With --baseline: the file of a track of your own.")
def command(
    folder: Path,
    target: Path | None,
    form: str | None,
    numbers: bool,
    baseline: bool,
    grid: str | None,
    plugins: tuple[str, ...],
) -> None:
    """Export the cells of a grid, sorted by key, to TARGET (.parquet or .csv); print CSV without one.

    Columns: key, track, task, method, seed, status, the metrics, reasons of undefined ones, provenance. With
    --numbers all that says when, where and how a number was made is left out, and digests of series and fits
    stand in: two folders with the same numbers give the same bytes.

    \b
    Examples:
      mlopsim export results/local/quick out.parquet
      mlopsim export results/local/quick --numbers > numbers.csv
      mlopsim export results/local/quick quick.parquet --baseline
    """
    from mlopsim.bench.baseline_write import write_baseline
    from mlopsim.bench.ledger import Ledger
    from mlopsim.compose.results import open_results

    if baseline:
        if target is None or numbers or form not in (None, "parquet"):
            raise ConfigError(
                "a baseline is a Parquet file with everything in it",
                remedy="write mlopsim export FOLDER out.parquet --baseline",
            )
        with Ledger.read(folder) as ledger:
            echo(str(write_baseline(ledger, target, grid, plugins=plugins)))
        return
    results = open_results(folder, grid=grid, plugins=plugins)
    if target is not None:
        if form is not None and target.suffix != f".{form}":
            raise ConfigError(
                f"--format {form} and the name {target.name} do not agree",
                remedy=f"end the name in .{form}, or leave --format out",
            )
        echo(str(results.export(target, numbers=numbers)))
        return
    if form not in (None, "csv"):
        raise ConfigError(f"{form} is not printed", remedy=f"name a file: mlopsim export FOLDER out.{form}")
    table = results.numbers if numbers else results.cells.sort("key")
    text = table.write_csv()
    if sys.stdout.isatty():
        echo(text, nl=False)
    else:
        # a file gets what is there, to the byte
        click.echo(text, nl=False)
