"""``mlopsim status``: where a results folder stands."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import click

from mlopsim.bench.shards import absent
from mlopsim.bench.summary import telling_line
from mlopsim.cli.once import Once
from mlopsim.cli.printing import echo, echo_json, secho
from mlopsim.compose.folder_status import standing

COLOURS = {"done": "green", "missing": "yellow", "failed": "red", "timeout": "red", "crashed": "red"}


@click.command("status", cls=Once)
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--grid", help="(Beginning of) a grid's digest; default: the last used.")
@click.option("--errors", is_flag=True, help="Print whole tracebacks.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(folder: Path, grid: str | None, errors: bool, as_json: bool) -> None:
    """Show what is done, failed and missing, by method.

    \b
    Examples:
      mlopsim status results/local/quick
      mlopsim status results/local/quick --errors
      mlopsim status results/local/quick --json
    """
    found = standing(folder, grid)
    if as_json:
        shards = [str(shard) for shard in found.shards]
        echo_json({**vars(found), "wrong": [asdict(wrong) for wrong in found.wrong], "shards": shards})
        return
    secho(f"{found.title} (grid {found.digest[:12]})", bold=True)
    for status, count in found.by_status.items():
        echo("  ", nl=False)
        secho(status, fg=COLOURS.get(status), nl=False)
        echo(f": {count} of {found.cells} cells")
    for origin, count in sorted(found.taken.items()):
        echo(f"  of these {count} were not computed here but taken from the baseline file {origin}")
    if found.fits:
        echo(f"  fits: {found.fits_done} of {found.fits} done")
    if len(found.shards) == 1:
        echo(f"  shard {found.shards[0]}: {found.dealt} of these cells are its own")
    elif found.shards and (lost := absent(found.shards)):
        echo(f"  not here: {lost}")
    for method, counts in found.by_method.items():
        echo(f"  {method}: " + ", ".join(f"{count} {status}" for status, count in sorted(counts.items())))
    for wrong in found.wrong:
        secho(f"{wrong.status}: {wrong.label}", fg="red")
        lines = [line for line in wrong.error.splitlines() if line.strip()]
        echo("    " + ("\n    ".join(lines) if errors else telling_line(wrong.error, wrong.status)))
    if found.last_run:
        echo(f"last run: {found.last_run['status']}, began {found.last_run['started']}")
    for other in found.others:
        echo(f"also here: {other['title']} (grid {other['digest'][:12]})")
