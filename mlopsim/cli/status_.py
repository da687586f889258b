"""``mlopsim status``: where a results folder stands."""

from __future__ import annotations

from pathlib import Path

import click

from mlopsim.bench.ledger import Ledger
from mlopsim.bench.summary import telling_line
from mlopsim.bench.table import table

COLOURS = {"done": "green", "missing": "yellow", "failed": "red", "timeout": "red", "crashed": "red"}


@click.command("status")
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--grid", help="(Beginning of) a grid's digest; default: the last used.")
@click.option("--errors", is_flag=True, help="Print whole tracebacks.")
def command(folder: Path, grid: str | None, errors: bool) -> None:
    """Show what is done, failed and missing, by method.

    \b
    Examples:
      mlopsim status results/local/quick
      mlopsim status results/local/quick --errors
    """
    with Ledger.read(folder) as ledger:
        entry = ledger.grid(grid)
        cells = table(ledger, entry["digest"])
        fits = ledger.fit_statuses()
        others = [other for other in ledger.grids() if other["digest"] != entry["digest"]]
        runs = ledger.runs()
    click.secho(f"{entry['title']} (grid {entry['digest'][:12]})", bold=True)
    for (status,), group in cells.group_by("status", maintain_order=True):
        click.echo(
            f"  {click.style(str(status), fg=COLOURS.get(str(status)))}: {len(group)} of {len(cells)} cells"
        )
    needed = {key for key in cells["fit"].to_list() if key}
    if needed:
        ready = sum(fits.get(key) == "done" for key in needed)
        click.echo(f"  fits: {ready} of {len(needed)} done")
    for (method,), group in cells.group_by("method", maintain_order=True):
        counts = dict(group["status"].value_counts().iter_rows())
        words = ", ".join(f"{count} {status}" for status, count in sorted(counts.items()))
        click.echo(f"  {method}: {words}")
    for row in cells.iter_rows(named=True):
        if row["error"]:
            label = f"{row['task']} / {row['method']} / seed {row['seed']} ({row['key']})"
            lines = [line for line in row["error"].splitlines() if line.strip()]
            click.secho(f"{row['status']}: {label}", fg="red")
            line = telling_line(row["error"], str(row["status"]))
            click.echo("    " + ("\n    ".join(lines) if errors else line))
    if runs:
        click.echo(f"last run: {runs[-1]['status']}, began {runs[-1]['started']}")
    for other in others:
        click.echo(f"also here: {other['title']} (grid {other['digest'][:12]})")
