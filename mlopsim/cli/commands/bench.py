"""``mlopsim bench``: run a suite."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from mlopsim.cli.completion import words
from mlopsim.cli.once import Once
from mlopsim.cli.printing import echo, echo_json, rows_of, secho
from mlopsim.cli.report_page import written
from mlopsim.core import registry
from mlopsim.core.digest import digest

if TYPE_CHECKING:
    from mlopsim.bench.suite import Suite
    from mlopsim.bench.summary import Failure
    from mlopsim.compose.results import Results
    from mlopsim.compose.study import Study
    from mlopsim.streams.stream import Stream


def _dry_run(study: Study, *, as_json: bool) -> None:
    from mlopsim.bench.ledger import Ledger
    from mlopsim.bench.ledgerfile import FILE_NAME
    from mlopsim.bench.shards import Shard, sizes

    grid, folder = study.grid, study.results_dir
    done: dict[str, str] = {}
    fits: dict[str, str] = {}
    if (folder / FILE_NAME).is_file():
        with Ledger.read(folder) as ledger:
            done = ledger.statuses([cell.key for cell in grid.cells])
            fits = ledger.fit_statuses()
    cached = sum(done.get(cell.key) == "done" for cell in grid.cells)
    ready = sum(fits.get(job.key) == "done" for job in grid.fits)
    if as_json:
        counts = {"cells": len(grid.cells), "cached": cached, "fits": len(grid.fits), "fits_cached": ready}
        named = {name: [item.name for item in getattr(study.suite, name)] for name in ("tasks", "methods")}
        split = {"seeds": list(study.suite.seeds), "split": study.suite.split, "results": str(folder)}
        echo_json({"title": grid.title, "grid": grid.digest, **counts, **named, **split, "notes": grid.notes})
        return
    if study.options.shard is not None:
        part = Shard.parse(study.options.shard)
        dealt = part.deal(grid.cells, study.track)
        several = sizes(grid.cells, study.track, part.of)
        finished = sum(done.get(cell.key) == "done" for cell in dealt)
        echo(
            f"shard {part}: {len(dealt)} of {len(grid.cells)} cells ({finished} cached); "
            f"the {part.of} shards hold {min(several)} to {max(several)}"
        )
    echo(f"{grid.title}: {len(grid.cells)} cells ({cached} cached), {len(grid.fits)} fits ({ready} cached)")
    for title, items in (("tasks", study.suite.tasks), ("methods", study.suite.methods)):
        echo(f"{title} ({len(items)}):")
        for item in items:
            echo(f"  {item.name}")
    echo(f"seeds: {', '.join(map(str, study.suite.seeds))} ({study.suite.split})")
    for note in grid.notes:
        echo(f"note: {note}")
    echo(f"results: {folder}; nothing was run")


@click.command("bench", cls=Once)
@click.argument("overrides", nargs=-1, shell_complete=words)
@click.option("--dry-run", is_flag=True, help="Show what would run, and stop.")
@click.option("--print-config", is_flag=True, help="Print the resolved config as YAML, and stop.")
@click.option(
    "--plugin", "plugins", multiple=True, help="A .py file with components of your own, or a folder of them."
)
@click.option("--conf", "conf", multiple=True, help="A folder with presets of your own.")
@click.option("--no-report", is_flag=True, help="Do not write the HTML report.")
@click.option("--fits-only", is_flag=True, help="Make the fits that the cells need, and stop.")
@click.option("--json", "as_json", is_flag=True, help="Print counts and leaderboard as JSON.")
def command(
    overrides: tuple[str, ...],
    dry_run: bool,
    print_config: bool,
    plugins: tuple[str, ...],
    conf: tuple[str, ...],
    no_report: bool,
    fits_only: bool,
    as_json: bool,
) -> None:
    """Run a suite: what is done is cached, what is missing is computed.

    Overrides are in Hydra's grammar: group=name chooses a part for every task, key=value sets a value.

    \b
    Examples:
      mlopsim bench suite=quick
      mlopsim bench suite=delivery-core "methods=[never,{periodic: {every: 5}},ppo]" seeds=30 results=out/
      mlopsim bench suite=quick stream=file stream.path=elec2.csv.gz stream.label=label methods=never,periodic
      mlopsim bench suite=quick deployment.latency=4 --dry-run
      mlopsim bench suite=smoke seeds=1 results=out/ --json > smoke.json
      mlopsim bench suite=quick sweep.deployment.latency=1,2,4
      mlopsim bench suite=quick --plugin mine.py "methods=[never,mine]"
      mlopsim bench suite=drift-core methods=mine --plugin mine.py baseline=published
      mlopsim bench suite=quick --fits-only results=fits/
      mlopsim bench suite=quick shard=3/16 fits=fits/ results=shards/3   # one job of an array

    Keys: suite, methods, tasks, cells, seeds, split, root, workers, executor (pool, serial, dask or
    tcp://...), results, shard (3/16: the third of sixteen parts; mlopsim merge puts them together), fits (a
    folder that has them), baseline (published, or a file: its cells stand beside yours and are not run),
    timeout, on_error (continue, stop), retry_failed; groups: signal, stream, learner, training, deployment;
    settings of the track under its name, e.g. delivery.steps=100000.
    sweep.KEY=A,B compares several values of a parameter of a group, of the track or of methods.
    """
    from mlopsim.compose.compose import compose_bench
    from mlopsim.compose.study import study_of
    from mlopsim.world.cache import default_cache

    registry.load_plugins(plugins)
    composed = compose_bench(overrides, conf=conf)
    if print_config:
        from omegaconf import OmegaConf

        echo(OmegaConf.to_yaml(OmegaConf.create(composed.resolved)), nl=False)
        return
    study = study_of(composed, plugins)
    study.options.check(fits_only=fits_only)
    default_cache()  # refuses what the environment says wrongly about it
    if dry_run:
        _dry_run(study, as_json=as_json)
    else:
        _run(study, no_report=no_report, fits_only=fits_only, as_json=as_json)


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


def _told_fits(results: Results) -> None:
    """Say how the making of fits ended."""
    assert results.summary is not None
    counts = results.summary.counts
    made = counts.fits_cached + counts.fits_done
    echo(
        f"{made} of {counts.fits_total} fits done ({counts.fits_cached} cached), "
        f"{results.summary.seconds:.1f} s"
    )
    _print_failures(results.summary.failures, results.folder)
    if made < counts.fits_total:
        raise SystemExit(1)
    echo(
        "the shards take them: the same command without --fits-only, with shard=1/N "
        f"fits={shlex.quote(str(results.folder))}"
    )


def _tell_json(results: Results, *, no_report: bool) -> None:
    """Print counts, failures and, unless there is no report, the leaderboard; the exit status is the same."""
    summary = results.summary
    assert summary is not None
    of_both = ("total", "cached", "done", "failed")
    names = ("kept", *of_both, *(f"fits_{name}" for name in of_both))
    shown = ("key", "label", "status", "last_line")
    said: dict[str, Any] = {
        "title": results.title,
        "grid": results.grid,
        "results": str(results.folder),
        "counts": {name: getattr(summary.counts, name) for name in names},
        "seconds": summary.seconds,
        "failures": [{name: getattr(failure, name) for name in shown} for failure in summary.failures],
    }
    if no_report:
        echo_json(said)
    else:
        with written(results, reuse=True) as page:
            echo_json({**said, "leaderboard": rows_of(results.leaderboard), "report": str(page)})
    made = summary.counts.fits_cached + summary.counts.fits_done
    if summary.failures or not summary.complete or made < summary.counts.fits_total:
        raise SystemExit(1)


def _run(study: Study, *, no_report: bool, fits_only: bool, as_json: bool) -> None:
    from mlopsim.cli.terminal_tables import print_leaderboard
    from mlopsim.compose.from_baseline import baseline_notes
    from mlopsim.core.section import makers
    from mlopsim.core.text import visible
    from mlopsim.tracks.pooled_sweep import pooled_sweep

    part = study.options.shard
    # a page of one shard would be of a part of the grid, made for nobody
    no_report = no_report or fits_only or part is not None
    if not no_report:
        makers(str(study.suite.track["name"]))  # sections that cannot be any are refused before the work
    _check_data(study.suite)
    results = study.run(fits_only=fits_only)
    if as_json:
        _tell_json(results, no_report=no_report)
        return
    if fits_only:
        _told_fits(results)
        return
    summary = results.summary
    assert summary is not None
    counts = summary.counts
    cached = " (all cached)" if counts.cached == counts.total else f" ({counts.cached} cached)"
    whose = "" if part is None else f"shard {part}, of {len(study.grid.cells)} cells: "
    echo(
        f"{whose}{counts.cached + counts.done} of {counts.total} cells done{cached}, {summary.seconds:.1f} s"
    )
    _print_failures(summary.failures, results.folder)
    # what was computed is told before anything of the report can fail
    if not no_report:
        with written(results, reuse=True) as page:
            pooled = pooled_sweep(results.cells, results.sweep, shown=visible)
            print_leaderboard(results.leaderboard, results.title, pooled)
            for note in baseline_notes(results.cells):
                echo(note)
            echo(f"report: {page}")
    elif part is not None:
        echo(f"in {results.folder}; when all shards are done: mlopsim merge FOLDER... --out ALL")
    if summary.failures or not summary.complete:
        raise SystemExit(1)
