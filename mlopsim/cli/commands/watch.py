"""``mlopsim watch``: how a run goes, of another process, too."""

from __future__ import annotations

import json
import shlex
import time
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from mlopsim.cli.once import Once
from mlopsim.cli.printing import echo, finite, secho

if TYPE_CHECKING:
    from mlopsim.bench.watch import Look

#: looking may take a tenth of the time: a look at a million cells takes about a second
SHARE = 0.1


@click.command("watch", cls=Once)
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--once", "only_once", is_flag=True, help="Look once and stop.")
@click.option("--every", default=2.0, type=click.FloatRange(0.1, 3600), help="Seconds between looks (2).")
@click.option("--json", "as_json", is_flag=True, help="Print JSON, one object a line.")
@click.option("--grid", help="(Beginning of) a grid's digest; default: the last used.")
def command(folder: Path, only_once: bool, every: float, as_json: bool, grid: str | None) -> None:
    """Watch a run in a results folder, of another process, too: cells and fits, their rate, the time left.

    The folder is only read. Watching ends when nothing runs there any more. Exit status: 0 if all cells are
    done, or with --once if it runs and nothing failed; 1 if cells failed, or are missing and nothing runs.

    \b
    Examples:
      mlopsim watch results/local/quick
      mlopsim watch results/local/quick --once
      mlopsim watch results/local/quick --once --json
    """
    from mlopsim.bench.watch import look

    shown: object = None
    with _screen(as_json) as screen:
        while True:
            began = time.monotonic()
            found = look(folder, grid)
            text = _as_json(found) if as_json else "\n".join([_title(found), *found.lines()])
            # without a terminal only what is new
            if (state := (found.cells, found.fits, found.running)) != shown or screen is not None:
                if screen is None:
                    echo(text)
                else:
                    screen.update(text)
                shown = state
            if only_once or not found.running:
                break
            time.sleep(max(every, (time.monotonic() - began) / SHARE))
    if not as_json and (found.failed or (not found.running and not found.complete)):
        secho(f"what and why: mlopsim status {shlex.quote(str(folder))} --errors", fg="yellow", err=True)
    if found.failed or not (found.complete or found.running):
        raise SystemExit(1)


def _title(found: Look) -> str:
    state = "runs" if found.running else found.run or "has not begun"
    return f"{found.title} (grid {found.grid[:12]}): {state}"


def _as_json(found: Look) -> str:
    parts = finite(vars(found))
    parts |= {name: last and asdict(last) for name in ("last_cell", "last_fit") for last in [parts[name]]}
    more = {"done": found.done, "failed": found.failed, "waiting": found.waiting, "complete": found.complete}
    return json.dumps({**parts, **more}, allow_nan=False)


class _Screen:
    """A place in the terminal that is written again and again."""

    def __init__(self) -> None:
        from rich.console import Console
        from rich.live import Live

        self._live = Live(console=Console(), auto_refresh=False)

    def update(self, text: str) -> None:
        """Show a text instead of the one before."""
        from mlopsim.core.text import literal

        self._live.update(literal(text, lines=True), refresh=True)

    def __enter__(self) -> _Screen:
        self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._live.stop()


class _NoScreen:
    """Where output is a file or a pipe: lines one after another."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, *_: object) -> None:
        return None


def _screen(as_json: bool) -> _Screen | _NoScreen:
    import sys

    return _NoScreen() if as_json or not sys.stdout.isatty() else _Screen()
