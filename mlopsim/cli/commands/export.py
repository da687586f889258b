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
#: formats of the leaderboard for a paper
PAPER = ("latex", "macros")


@click.command("export", cls=Once)
@click.argument("folder", type=click.Path(path_type=Path))
@click.argument("target", required=False, type=click.Path(path_type=Path))
@click.option(
    "--format",
    "form",
    type=click.Choice((*FORMATS, *PAPER)),
    help="Default: by the ending of TARGET, else csv. latex, macros: the leaderboard, for a paper.",
)
@click.option("--numbers", is_flag=True, help="Only the numbers: no provenance, canonical order.")
@click.option("--baseline", is_flag=True, help="A baseline: cells with series and fits, for bench baseline=.")
@click.option("--leaderboard", is_flag=True, help="The leaderboard instead of the cells.")
@click.option("--columns", help="Columns of a table in LaTeX, with commas between; default: the first two.")
@click.option("--digits", type=click.IntRange(0, 12), help="Digits after the point in LaTeX; default 3.")
@click.option("--grid", help="(Beginning of) a grid's digest; default: the last used.")
@click.option("--plugin", "plugins", multiple=True, help="With --baseline: the file of a track of your own.")
def command(
    folder: Path,
    target: Path | None,
    form: str | None,
    numbers: bool,
    baseline: bool,
    leaderboard: bool,
    columns: str | None,
    digits: int | None,
    grid: str | None,
    plugins: tuple[str, ...],
) -> None:
    """Export the cells of a grid, sorted by key, to TARGET (.parquet or .csv); print CSV without one.

    Columns: key, track, task, method, seed, status, the metrics, reasons of undefined ones, provenance. With
    --numbers all that says when, where and how a number was made is left out, and digests of series and fits
    stand in: two folders with the same numbers give the same bytes.

    For a paper --format latex gives the leaderboard as a table for booktabs, and --format macros every number
    of it by name: \\mlopsimnum{quick-v3/never/ns}. Names keep letters, digits, / . and -; what else stands in
    a name becomes one -. A folder of committed results (leaderboard.csv, config.yaml) will do.

    \b
    Examples:
      mlopsim export results/local/quick out.parquet
      mlopsim export results/local/quick --numbers > numbers.csv
      mlopsim export results/local/quick quick.parquet --baseline
      mlopsim export results/local/quick --format latex --columns ns,regret > table.tex
      mlopsim export results/local/quick numbers.tex --format macros
      mlopsim export results/local/quick board.parquet --leaderboard
    """
    from mlopsim.bench.baseline_write import write_baseline
    from mlopsim.bench.ledger import Ledger
    from mlopsim.compose.results import open_results

    if form not in PAPER and (columns is not None or digits is not None):
        raise ConfigError(
            "--columns and --digits are of LaTeX", remedy="add --format latex, or leave them out"
        )
    if form in PAPER or leaderboard:
        if baseline or numbers:
            raise ConfigError(
                "a leaderboard has no cells: neither --numbers nor --baseline goes with it",
                remedy="export the cells in a command of their own",
            )
        _leaderboard(folder, target, form, columns, digits, grid, plugins)
        return
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
            raise _disagree(form, target)
        echo(str(results.export(target, numbers=numbers)))
        return
    if form not in (None, "csv"):
        raise ConfigError(f"{form} is not printed", remedy=f"name a file: mlopsim export FOLDER out.{form}")
    table = results.numbers if numbers else results.cells.sort("key")
    _print(table.write_csv())


def _disagree(form: str, target: Path, ending: str = "") -> ConfigError:
    return ConfigError(
        f"--format {form} and the name {target.name} do not agree",
        remedy=f"end the name in .{ending or form}, or leave --format out",
    )


def _leaderboard(
    folder: Path,
    target: Path | None,
    form: str | None,
    columns: str | None,
    digits: int | None,
    grid: str | None,
    plugins: tuple[str, ...],
) -> None:
    """Write or print the leaderboard in one of all formats."""
    from mlopsim.bench.table import check_ending, write_table
    from mlopsim.compose.named_numbers import open_board
    from mlopsim.compose.paper import latex_macros, latex_table
    from mlopsim.core.files import write_text

    if columns is not None and form != "latex":
        raise ConfigError("--columns is of a table", remedy="add --format latex, or leave it out")
    if target is not None:
        ending = ".tex" if form in PAPER else f".{form}" if form else target.suffix
        if target.suffix != ending:
            raise _disagree(str(form), target, ending[1:])
        if form not in PAPER:
            check_ending(target)
    elif form == "parquet":
        raise ConfigError("parquet is not printed", remedy="name a file: mlopsim export FOLDER out.parquet")
    board = open_board(folder, grid=grid, plugins=plugins)
    if form not in PAPER:
        if target is None:
            _print(board.frame.write_csv())
        else:
            echo(str(write_table(board.frame, target)))
        return
    chosen = [name.strip() for name in (columns or "").split(",") if name.strip()]
    places = 3 if digits is None else digits
    text = latex_table(board, chosen, places) if form == "latex" else latex_macros(board, places)
    if target is None:
        _print(text)
    else:
        write_text(target, text)
        echo(str(target))


def _print(text: str) -> None:
    if sys.stdout.isatty():
        echo(text, nl=False)
    else:
        # a file gets what is there, to the byte
        click.echo(text, nl=False)
