"""``mlopsim merge``: the ledgers of several machines as one."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from mlopsim.cli.once import Once
from mlopsim.cli.printing import echo, echo_json, secho

if TYPE_CHECKING:
    from mlopsim.bench.merge import Merged

#: methods and folders that are named before the rest is counted
SHOWN = 20


@click.command("merge", cls=Once)
@click.argument("folders", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--out", required=True, type=click.Path(path_type=Path), help="Where the merged results go.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option("--grid", help="(Beginning of) a grid's digest; default: of each folder the last used.")
def command(folders: tuple[Path, ...], out: Path, as_json: bool, grid: str | None) -> None:
    """Put the results of several shards or machines together into one folder.

    FOLDERS are results folders of one suite, computed by the same mlopsim; they are only read. Their order
    does not matter; what --out holds of the same suite is kept and added to, so a shard that was late is
    merged by the same command. What does not go together is refused, and nothing changes then: another suite
    or version, other components, other code, or two numbers for one cell.

    \b
    Examples:
      mlopsim merge shards/* --out results/local/sweep
      mlopsim merge shards/1 shards/2 shards/3 --out all && mlopsim report all
    """
    from mlopsim.bench.merge import merge

    with _bar() as told:
        merged = merge(folders, out, grid=grid, progress=told)
    if as_json:
        parts = [{**vars(part), "folder": str(part.folder)} for part in merged.parts]
        counts = {"missing": merged.missing, "complete": merged.complete}
        echo_json({**vars(merged), "folder": str(merged.folder), "parts": parts, **counts})
    else:
        _tell(merged)


def _tell(merged: Merged) -> None:
    """Say what is there now, what each folder had, and what is missing."""
    secho(f"{merged.title} (grid {merged.grid[:12]})", bold=True)
    for part in merged.parts[:SHOWN]:
        found = ", ".join(f"{count} {status}" for status, count in sorted(part.by_status.items()))
        note = "; its last run has not ended: it runs, or was killed" if part.running else ""
        echo(f"  {part.folder}: {found or 'no cells'}{note}")
    if len(merged.parts) > SHOWN:
        echo(f"  and {len(merged.parts) - SHOWN} more folders")
    counts = {**merged.by_status, **({"missing": merged.missing} if merged.missing else {})}
    shown = ", ".join(f"{count} {status}" for status, count in sorted(counts.items()))
    news = f"{merged.added} of them new" if merged.changed else "nothing new"
    echo(f"{merged.folder}: {merged.cells} cells: {shown}; {news}; {merged.fits} fits")
    if merged.missing:
        several = merged.missing_by_method.most_common()
        names = ", ".join(f"{name} {count}" for name, count in several[:SHOWN])
        more = f" and {len(several) - SHOWN} more methods" if len(several) > SHOWN else ""
        secho(f"missing: {names}{more}", fg="yellow")
        if merged.absent:
            secho(f"not among these folders: {merged.absent}", fg="yellow")
    if len(merged.platforms) > 1:
        echo(
            f"computed on {len(merged.platforms)} platforms: between them floats are promised to 1e-9, "
            "not to the bit"
        )
    if merged.left_out:
        echo(f"not the same in all folders, and left out of the config: {', '.join(merged.left_out)}")
    echo(f"next: mlopsim report {shlex.quote(str(merged.folder))}")


@contextmanager
def _bar() -> Iterator[Callable[[int, int], None] | None]:
    """Show a bar of the cells that were read, where there is a terminal."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    console = Console(stderr=True)
    if not console.is_terminal:
        yield None
        return
    columns = (TextColumn("cells"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task("", total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)
