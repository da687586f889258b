"""``mlopsim bench``: run a suite."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from mlopsim.cli.say import echo, secho
from mlopsim.compose.compose import Composed, compose_bench
from mlopsim.compose.entries import by_name, merged
from mlopsim.core import registry
from mlopsim.core.digest import digest

if TYPE_CHECKING:
    from mlopsim.bench.suite import Suite
    from mlopsim.bench.summary import Failure
    from mlopsim.core.track import Track
    from mlopsim.streams.stream import Stream


def build_suite(composed: Composed, plugins: tuple[str, ...]) -> tuple[Suite, Track]:
    """Build everything that a suite names, so that every mistake shows before work starts.

    Returns
    -------
    Suite
    Track
    """
    from mlopsim.bench.python import make_suite

    config = composed.config
    named = by_name(config.tasks, composed.suite_tasks, composed.suite)
    entries = [{**entry, **{k: v for k, v in composed.defaults.items() if k not in entry}} for entry in named]
    return make_suite(
        track={config.track: composed.track_settings},
        tasks=merged(entries, composed.pins, registry.find("track", config.track).parts),
        methods=config.methods,
        seeds=config.seeds,
        name=composed.suite,
        plugins=plugins,
        version=config.suite_version,
        modified=composed.modified,
        split=config.split,
        root=config.root,
        cells=config.cells,
        config=composed.resolved,
    )


def _dry_run(suite: Suite, track: Track, folder: Path) -> None:
    from mlopsim.bench.grid import expand
    from mlopsim.bench.ledger import Ledger
    from mlopsim.bench.ledgerfile import FILE_NAME

    grid = expand(suite, track)
    done: dict[str, str] = {}
    fits: dict[str, str] = {}
    if (folder / FILE_NAME).is_file():
        with Ledger.read(folder) as ledger:
            done = ledger.statuses([cell.key for cell in grid.cells])
            fits = ledger.fit_statuses()
    cached = sum(done.get(cell.key) == "done" for cell in grid.cells)
    ready = sum(fits.get(job.key) == "done" for job in grid.fits)
    echo(f"{grid.title}: {len(grid.cells)} cells ({cached} cached), {len(grid.fits)} fits ({ready} cached)")
    for title, items in (("tasks", suite.tasks), ("methods", suite.methods)):
        echo(f"{title} ({len(items)}):")
        for item in items:
            echo(f"  {item.name}")
    echo(f"seeds: {', '.join(map(str, suite.seeds))} ({suite.split})")
    for note in grid.notes:
        echo(f"note: {note}")
    echo(f"results: {folder}; nothing was run")


@click.command("bench")
@click.argument("overrides", nargs=-1)
@click.option("--dry-run", is_flag=True, help="Show what would run, and stop.")
@click.option("--print-config", is_flag=True, help="Print the resolved config as YAML, and stop.")
@click.option("--plugin", "plugins", multiple=True, help="A .py file with components of your own.")
@click.option("--conf", "conf", multiple=True, help="A folder with presets of your own.")
@click.option("--no-report", is_flag=True, help="Do not write the HTML report.")
def command(
    overrides: tuple[str, ...],
    dry_run: bool,
    print_config: bool,
    plugins: tuple[str, ...],
    conf: tuple[str, ...],
    no_report: bool,
) -> None:
    """Run a suite: what is done is cached, what is missing is computed.

    Overrides are in Hydra's grammar: group=name chooses a part for every task, key=value sets a value.

    \b
    Examples:
      mlopsim bench suite=quick
      mlopsim bench suite=delivery-core "methods=[never,{periodic: {every: 5}},ppo]" seeds=30 results=out/
      mlopsim bench suite=quick stream=file stream.path=elec2.csv.gz stream.label=label methods=never,periodic
      mlopsim bench suite=quick deployment.latency=4 --dry-run
      mlopsim bench suite=quick --plugin mine.py "methods=[never,mine]"

    Keys: suite, methods, tasks, cells, seeds, split, root, workers, executor (pool, serial, dask or
    tcp://...), results, timeout, on_error (continue, stop), retry_failed; groups: signal, stream,
    learner, training, deployment; settings of the track under its name, e.g. delivery.steps=100000.
    """
    from mlopsim.bench.options import check_run
    from mlopsim.world.cache import default_cache

    registry.load_plugins(plugins)
    composed = compose_bench(overrides, conf=conf)
    if print_config:
        from omegaconf import OmegaConf

        echo(OmegaConf.to_yaml(OmegaConf.create(composed.resolved)), nl=False)
        return
    suite, track = build_suite(composed, plugins)
    config = composed.config
    folder = Path(config.results or f"results/local/{composed.suite}")
    check_run(
        workers=config.workers,
        executor=config.executor,
        timeout=config.timeout,
        fit_timeout=config.fit_timeout,
        on_error=config.on_error,
    )
    default_cache()  # refuses what the environment says wrongly about it
    if dry_run:
        _dry_run(suite, track, folder)
        return
    _run(suite, track, folder, composed, no_report=no_report)


def _check_data(suite: Suite) -> None:
    """Make the first scenario of every stream whose World is not stored: data errors come before the work."""
    from mlopsim.world.cache import default_cache
    from mlopsim.world.source import Source
    from mlopsim.world.spec import WorldSpec

    seen: set[str] = set()
    for task in suite.tasks:
        kinds = [kind for kind in ("stream", "learner", "training") if task.part.get(kind)]
        if len(kinds) < 3 or (place := digest(task.part["stream"])) in seen:
            continue
        seen.add(place)
        parts = {kind: task.part[kind] for kind in kinds}
        spec = WorldSpec(**parts, split=suite.split, index=suite.seeds[0], root=suite.root)
        if spec not in default_cache():
            source = Source.of(spec)
            _ = source.encoded
            if source.stream.events is None:
                _print_findings(task.name, source.stream)


def _print_findings(task: str, stream: Stream) -> None:
    """Warn of a real stream's traps, such as labels whose order alone can be guessed from."""
    from mlopsim.streams.validation import check_stream

    for finding in check_stream(stream):
        if finding.level != "info":
            secho(f"{task}: {finding.level}: {finding.message}", fg="yellow", err=True)


def _print_failures(failures: Sequence[Failure], folder: Path) -> None:
    """Print each error once, with the number of cells and fits that it hit."""
    groups: dict[tuple[str, str], list[Failure]] = {}
    for failure in failures:
        groups.setdefault((failure.status, failure.last_line), []).append(failure)
    for (status, line), group in list(groups.items())[:10]:
        more = f" and {len(group) - 1} more" if len(group) > 1 else ""
        secho(f"{status}: {group[0].label}{more}: {line}", fg="red", err=True)
    if failures:
        secho(f"tracebacks: mlopsim status {shlex.quote(str(folder))} --errors", fg="red", err=True)


def _run(suite: Suite, track: Track, folder: Path, composed: Composed, *, no_report: bool) -> None:
    from mlopsim.bench.progress import RichProgress
    from mlopsim.bench.runner import run

    config = composed.config
    _check_data(suite)
    summary = run(
        suite,
        track,
        folder,
        workers=config.workers,
        executor=config.executor,
        timeout=config.timeout,
        fit_timeout=config.fit_timeout,
        on_error="stop" if config.on_error == "stop" else "continue",
        retry_failed=config.retry_failed,
        progress=RichProgress(),
    )
    from mlopsim.cli.show import print_leaderboard, summarise

    if not no_report:
        board, page = summarise(folder, grid=summary.grid, plugins=tuple(suite.plugins), reuse=True)
        print_leaderboard(board, summary.title)
    counts = summary.counts
    cached = " (all cached)" if counts.cached == counts.total else f" ({counts.cached} cached)"
    echo(f"{counts.cached + counts.done} of {counts.total} cells done{cached}, {summary.seconds:.1f} s")
    _print_failures(summary.failures, folder)
    if not no_report:
        echo(f"report: {page}")
    if summary.failures or not summary.complete:
        raise SystemExit(1)
