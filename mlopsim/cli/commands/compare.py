"""``mlopsim compare``: the paired difference of two methods."""

from __future__ import annotations

from pathlib import Path

import click

from mlopsim.cli.once import Once
from mlopsim.cli.printing import echo, echo_json, rows_of
from mlopsim.core.track import Scored


@click.command("compare", cls=Once)
@click.argument("folder", type=click.Path(path_type=Path))
@click.argument("a")
@click.argument("b")
@click.option("--grid", help="(Beginning of) a grid's digest; default: the last used.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option("--plugin", "plugins", multiple=True, help="A .py file or folder with components of your own.")
@click.option("--trust-plugins", is_flag=True, help="Load plug-ins that the folder names, if unchanged.")
def command(
    folder: Path,
    a: str,
    b: str,
    grid: str | None,
    as_json: bool,
    plugins: tuple[str, ...],
    trust_plugins: bool,
) -> None:
    """Compare two methods of a results folder on the same scenarios: score of A less that of B.

    By task and over the tasks that the leaderboard pools, with 95 % intervals: seeds are resampled jointly.

    \b
    Examples:
      mlopsim compare results/local/quick periodic ks
      mlopsim compare results/local/quick "ppo(n_envs=32)" error_threshold
      mlopsim compare results/local/quick periodic ks --json
    """
    from mlopsim.cli.terminal_tables import print_intervals
    from mlopsim.compose.from_baseline import COLUMN
    from mlopsim.compose.results import open_results
    from mlopsim.core.text import visible
    from mlopsim.tracks.comparison import POOLED
    from mlopsim.tracks.pooled_sweep import pooled_sweep

    results = open_results(folder, grid=grid, plugins=plugins, trust_plugins=trust_plugins)
    found = results.compare(a, b)
    track = results.track
    assert isinstance(track, Scored)
    score = track.score
    if as_json:
        what = {"title": results.title, "a": a, "b": b, "score": score.name, "direction": score.direction}
        echo_json({**what, "rows": rows_of(found)})
        return
    print_intervals(found, "difference", f"{score.text} of {a} less that of {b} ({results.title})")
    better = "above" if score.direction == "max" else "below"
    echo(f"{better} 0, {a} is better; n: scenario seeds, paired; 95 % intervals")
    if COLUMN in found.columns and len(found):
        echo(f"cells of {found[COLUMN][0]}")
    over = pooled_sweep(results.cells, results.sweep, shown=visible, subject=f"The row '{POOLED}'")
    if over and POOLED in found["task"]:
        echo(over)
