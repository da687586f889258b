"""``mlopsim verify-baseline``: recompute random cells of a baseline."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from mlopsim.cli.completion import suite_words
from mlopsim.cli.once import Once
from mlopsim.cli.printing import echo, echo_json, finite, secho
from mlopsim.core.errors import ConfigError

if TYPE_CHECKING:
    from mlopsim.bench.rerun import RerunReport

#: differences of a cell that are shown
SHOWN = 3


@click.command("verify-baseline", cls=Once)
@click.argument("words", nargs=-1, required=True, shell_complete=suite_words)
@click.option("--sample", default=20, show_default=True, help="How many cells.")
@click.option("--seed", type=int, help="Of the choice of cells; drawn anew by default, and printed.")
@click.option("--deep", is_flag=True, help="Remake the fits that the cells need, too.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option(
    "--plugin", "plugins", multiple=True, help="A .py file with components of your own, or a folder of them."
)
def command(
    words: tuple[str, ...],
    sample: int,
    seed: int | None,
    deep: bool,
    as_json: bool,
    plugins: tuple[str, ...],
) -> None:
    """Recompute random cells of a baseline in a fresh process, and say which promise held.

    WORDS are suite=NAME for the published baseline of a suite, or baseline=FILE. The exit code is 1 if a
    promise was broken, or if a component has another version here so that nothing is promised.

    \b
    Examples:
      mlopsim verify-baseline suite=drift-core --sample 20
      mlopsim verify-baseline suite=drift-core --sample 2 --json
      mlopsim verify-baseline baseline=mine.parquet --plugin mine.py
    """
    from mlopsim.bench.baseline import PUBLISHED, baseline_path, read_baseline
    from mlopsim.bench.baseline_verify import verify

    given: dict[str, str] = {}
    for word in words:
        name, equals, value = word.partition("=")
        if name not in ("suite", "baseline") or not equals or not value or name in given:
            raise ConfigError(f"'{word}' is not understood here", remedy="write suite=NAME or baseline=FILE")
        given[name] = value
    which = given.get("baseline", PUBLISHED)
    if which == PUBLISHED and "suite" not in given:
        raise ConfigError("the published baseline of which suite?", remedy="write suite=NAME")
    baseline = read_baseline(baseline_path(which, given.get("suite", "")))
    if baseline.suite != given.get("suite", baseline.suite):
        raise ConfigError(
            f"{baseline.path} is a baseline of {baseline.suite}, not of {given['suite']}",
            remedy=f"leave suite= out, or write suite={baseline.suite}",
        )
    title = f"{baseline.suite}-v{baseline.version}{' (modified)' if baseline.modified else ''}"
    if as_json:
        found = verify(baseline, sample=sample, seed=seed, deep=deep, plugins=plugins)
        what = {"title": title, "baseline": str(baseline.path), "digest": baseline.digest, "seed": found.seed}
        echo_json({**what, "held": found.held, "cells": [_as_json(report) for report in found.reports]})
        if not found.held:
            raise SystemExit(1)
        return
    echo(f"{title}: {len(baseline.cells)} cells in {baseline.path} ({baseline.digest})")
    found = verify(baseline, sample=sample, seed=seed, deep=deep, plugins=plugins, told=_tell)
    promises = ", ".join(
        f"{sum(r.promise == name for r in found.reports)} {name}"
        for name in dict.fromkeys(report.promise for report in found.reports)
    )
    identical = sum(report.identical for report in found.reports)
    echo(
        f"{len(found.reports)} cells recomputed (promise: {promises}; seed {found.seed}): "
        f"{identical} identical to the bit, {len(found.broken)} broken, {len(found.unpromised)} not promised"
    )
    if not found.held:
        raise SystemExit(1)


def _tell(report: RerunReport) -> None:
    """Print a line for a cell, and what differs."""
    said = "identical" if report.identical else "kept" if report.kept else "BROKEN"
    colour = "red" if not report.kept else None
    secho(f"  {report.label}: {said} ({report.promise})", fg=colour)
    for text in report.changed:
        echo(f"    changed since: {text}")
    for item in [item for item in report.comparisons if not item.equal][:SHOWN]:
        echo(f"    {item.name}: {item.stored} -> {item.again} (relative {item.difference:.3g})")


def _as_json(report: RerunReport) -> dict[str, Any]:
    several = [finite(asdict(item)) for item in report.comparisons]
    return {**vars(report), "kept": report.kept, "identical": report.identical, "comparisons": several}
