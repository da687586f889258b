"""``mlopsim report``: the page of a results folder."""

from __future__ import annotations

from pathlib import Path

import click

from mlopsim.cli.once import Once
from mlopsim.cli.printing import echo, echo_json, rows_of
from mlopsim.cli.report_page import written
from mlopsim.cli.terminal_tables import print_leaderboard


@click.command("report", cls=Once)
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--grid", help="(Beginning of) a grid's digest; default: the last used.")
@click.option(
    "--plugin", "plugins", multiple=True, help="A .py file with components of your own, or a folder of them."
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option("--trust-plugins", is_flag=True, help="Load plug-ins that the folder names, if unchanged.")
def command(
    folder: Path, grid: str | None, plugins: tuple[str, ...], as_json: bool, trust_plugins: bool
) -> None:
    """Write the report of a results folder again, from what is stored.

    \b
    Examples:
      mlopsim report results/local/quick
      mlopsim report results/local/quick --json
    """
    from mlopsim.compose.results import open_results
    from mlopsim.core.text import visible
    from mlopsim.tracks.pooled_sweep import pooled_sweep

    results = open_results(folder, grid=grid, plugins=plugins, trust_plugins=trust_plugins)
    with written(results) as page:
        if as_json:
            board = {
                "title": results.title,
                "grid": results.grid,
                "leaderboard": rows_of(results.leaderboard),
            }
            echo_json({**board, "report": str(page)})
            return
        pooled = pooled_sweep(results.cells, results.sweep, shown=visible)
        print_leaderboard(results.leaderboard, str(folder), pooled)
        echo(f"report: {page}")
