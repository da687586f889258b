"""``mlopsim status``: where a results folder stands."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import click

from mlopsim.bench.cells import read_cells, read_pairs
from mlopsim.bench.ledger import Ledger
from mlopsim.bench.summary import telling_line
from mlopsim.cli.say import echo, secho

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
    by_status: Counter[str] = Counter()
    by_method: dict[str, Counter[str]] = {}
    needed: dict[str | None, None] = {}
    wrong: list[tuple[str, str, str]] = []
    with Ledger.read(folder) as ledger:
        entry = ledger.grid(grid)
        pairs = read_pairs(ledger, entry)
        for rows in read_cells(ledger, entry):
            for row in rows:
                status, pair = row.status or "missing", pairs[row.pair]
                by_status[status] += 1
                by_method.setdefault(pair["method"], Counter())[status] += 1
                needed[row.fit] = None
                if row.error:
                    label = f"{pair['task']} / {pair['method']} / seed {row.seed} ({row.key})"
                    wrong.append((status, label, row.error))
        fits = ledger.fit_statuses()
        others = [other for other in ledger.grids() if other["digest"] != entry["digest"]]
        runs = ledger.runs()
    secho(f"{entry['title']} (grid {entry['digest'][:12]})", bold=True)
    for status, count in by_status.items():
        echo("  ", nl=False)
        secho(status, fg=COLOURS.get(status), nl=False)
        echo(f": {count} of {entry['cells']} cells")
    needed.pop(None, None)
    if needed:
        ready = sum(fits.get(str(key)) == "done" for key in needed)
        echo(f"  fits: {ready} of {len(needed)} done")
    for method, counts in by_method.items():
        echo(f"  {method}: " + ", ".join(f"{count} {status}" for status, count in sorted(counts.items())))
    for status, label, error in wrong:
        secho(f"{status}: {label}", fg="red")
        lines = [line for line in error.splitlines() if line.strip()]
        echo("    " + ("\n    ".join(lines) if errors else telling_line(error, status)))
    if runs:
        echo(f"last run: {runs[-1]['status']}, began {runs[-1]['started']}")
    for other in others:
        echo(f"also here: {other['title']} (grid {other['digest'][:12]})")
