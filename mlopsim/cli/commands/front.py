"""``mlopsim front``: return against cost, the exact front and every method's place on it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from mlopsim.cli.once import Once
from mlopsim.cli.printing import echo
from mlopsim.core import registry
from mlopsim.core.errors import ConfigError, nearest
from mlopsim.core.track import fronted

if TYPE_CHECKING:
    from mlopsim.compose.results import Results


@click.command("front", cls=Once)
@click.argument("source", nargs=-1, required=True)
@click.option("--task", "tasks", multiple=True, help="Print the places in this task only; may be repeated.")
@click.option(
    "--out", type=click.Path(path_type=Path), help="Where tables and figures go; default DIR/front."
)
@click.option("--grid", help="(Beginning of) a grid's digest in DIR; default: the last used.")
@click.option("--conf", "conf", multiple=True, help="A folder with presets of your own.")
@click.option(
    "--plugin", "plugins", multiple=True, help="A .py file with components of your own, or a folder of them."
)
@click.option("--trust-plugins", is_flag=True, help="Load plug-ins that the folder names, if unchanged.")
def command(
    source: tuple[str, ...],
    tasks: tuple[str, ...],
    out: Path | None,
    grid: str | None,
    conf: tuple[str, ...],
    plugins: tuple[str, ...],
    trust_plugins: bool,
) -> None:
    """Show return against the cost of breaking limits, by task: the front, and each method's place.

    SOURCE is a results folder, or a suite with overrides as of `mlopsim bench`: what of it is done is cached,
    what is missing is computed.

    The front is what a clairvoyant with all parts on could earn at each cost, as a bound and as plans. The
    front score of a method is 0 where never acting and suspending for good, mixed, would earn as much at its
    cost, and 1 at the bound. Tables and figures (PNG, SVG) go into the folder `front` of the results.

    \b
    Examples:
      mlopsim front suite=loop-core
      mlopsim front results/local/loop-core
      mlopsim front results/local/loop-core --task "bias creep" --out figures/
      mlopsim front suite=loop-core methods=[none,all] seeds=20 results=results/local/two
    """
    from mlopsim.cli.terminal_tables import print_leaderboard
    from mlopsim.compose.front import write_front

    results = _results(source, grid=grid, conf=conf, plugins=plugins, trust=trust_plugins)
    known = list(dict.fromkeys(results.cells["task"].to_list()))
    for task in tasks:
        if task not in known:
            raise ConfigError(
                f"these results have no task '{task}'{nearest(task, known)}",
                remedy=f"one of: {', '.join(known)}",
            )
    written = write_front(results, out)
    for (task,), board in written.front.places.group_by("task", maintain_order=True):
        if not tasks or task in tasks:
            print_leaderboard(board.drop("task"), f"{results.title}: {task}")
    echo(f"tables and figures: {written.folder}")


def _results(
    source: tuple[str, ...], *, grid: str | None, conf: tuple[str, ...], plugins: tuple[str, ...], trust: bool
) -> Results:
    """Open a folder, or run what is missing of a suite."""
    from mlopsim.compose.compose import compose_bench
    from mlopsim.compose.results import open_results
    from mlopsim.compose.study import study_of

    if len(source) == 1 and "=" not in source[0]:
        results = open_results(source[0], grid=grid, plugins=plugins, trust_plugins=trust)
        fronted(results.track)
        return results
    if grid is not None:
        raise ConfigError("a grid is that of a results folder", remedy="leave --grid out, or name the folder")
    registry.load_plugins(plugins)
    study = study_of(compose_bench(source, conf=conf), plugins)
    study.options.check()
    fronted(study.track)
    results = study.run()
    assert results.summary is not None
    if results.summary.failures or not results.summary.complete:
        raise ConfigError(
            f"{len(results.summary.failures)} cells or fits of {results.title} failed",
            remedy=f"see mlopsim status {results.folder} --errors",
        )
    return results
