"""A results folder of the suite fairness-paper, its cells full of numbers drawn at random."""

from __future__ import annotations

import math
import sqlite3
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from mlopsim.bench.grid import Grid
from mlopsim.bench.ledger import Ledger, Provenance
from mlopsim.bench.schema import sealed
from mlopsim.bench.storage import pack_array, to_json
from mlopsim.core.spec import make
from mlopsim.core.track import Cell, FitResult
from mlopsim.fairness.audit import Source
from mlopsim.tracks.fairness.controls import CONTROLS
from mlopsim.tracks.fairness.metrics import GUARDED, RATES

SUITE = "fairness-paper"
#: audited windows of a drawn curve
WINDOWS = 60
#: different curves that are drawn; cells share them
CURVES = 64
GUARDED_CURVES = ("served_impact", "served_treatment", "served_errors", "served_accuracy")


def fairness_grid(settings: Mapping[str, Any]) -> Grid:
    """Expand the suite."""
    from mlopsim.compose import load_suite

    return load_suite(SUITE, seeds=settings["fairness_seeds"]).grid


def drawn(cell: Cell, rng: np.random.Generator) -> dict[str, float]:
    """Draw the numbers of a cell; NaN where the track gives none."""
    part = cell.method.part
    control = part["control"] is not None
    strength = cell.task.attributes["strength"]
    assert isinstance(strength, float)
    wrong = cell.task.attributes["norm"] is not None
    metrics: dict[str, float] = {}
    u = rng.random(len(GUARDED) + 8).tolist()
    hit = u[0] < strength
    if wrong:
        delay = float(int(40 * u[1]))
        metrics |= {"power": float(hit), "early": float(u[2] < 0.05), "harmful": float(strength > 0.3)}
        metrics["restricted_delay"] = delay if hit else 45.0
        if hit:
            metrics["delay"] = delay
        if strength > 0.3:
            metrics["lead"] = float(int(20 * (u[3] - 0.5)))
    else:
        metrics["false_block"] = float(u[0] < 0.05)
    if not control:
        # of one limit, as all cells of a method and task have it
        rate = 0.04 + 0.02 * (int(cell.fit or "0", 16) % 97) / 97
        metrics |= dict(zip(RATES, (rate, rate - 0.01, rate + 0.01, 2000.0), strict=True))
        metrics["missing"] = 0.01
        if part["arm"] or make("audit", part["audit"]).needs & {Source.SHAP, Source.LIME}:
            if hit and wrong:
                metrics["blamed"] = float(u[4] < 0.5)
            if not part["arm"] and not part["rule"]:
                metrics["stable"] = u[5]
    if cell.task.part["guard"]:
        metrics |= {name: u[8 + n] for n, name in enumerate(GUARDED)}
    return metrics


def fill_fairness(settings: Mapping[str, Any], folder: Path) -> str:
    """Register the suite, store its fits, and a cell of drawn numbers for each of its members."""
    grid = fairness_grid(settings)
    rng = np.random.default_rng(0)
    names = [metric.name for metric in grid.metrics]
    pool = [pack_array(rng.random(WINDOWS)) for _ in range(CURVES)]
    with Ledger.open(folder) as ledger:
        ledger.register(grid)
        run = ledger.begin_run(grid.digest, {"executor": "serial", "workers": 1})
        for job in grid.fits:
            fit = FitResult(attributes={"exact": False, "met": True})
            ledger.record_fit(job, "done", fit, None, Provenance(run=run))
        ledger.end_run(run, "finished")

    def rows(db: sqlite3.Connection) -> Iterator[tuple[Any, ...]]:
        for cell in grid.cells:
            found = drawn(cell, rng)
            metrics = {name: found.get(name, math.nan) for name in names}
            reasons = {name: "undefined in this cell" for name in names if name not in found}
            kinds = ["position", "alarms"]
            control = CONTROLS.get(cell.method.part["control"])
            if control is not None and control.shows_truth:
                kinds += ["treatment", "impact", "errors", "accuracy"]
            if cell.task.part["guard"]:
                kinds += GUARDED_CURVES
            which = rng.integers(CURVES, size=len(kinds)).tolist()
            curves = [sealed("curve", cell.key, k, pool[w]) for k, w in zip(kinds, which, strict=True)]
            db.executemany("INSERT INTO curve VALUES (?,?,?,?)", curves)
            content = (
                to_json([(row[1], row[-1]) for row in curves]),
                "{}",
                to_json(metrics),
                to_json(reasons),
            )
            origin = ("computed", 0.1, 22, "host", "0" * 12, run, "2026-01-01T00:00:00.000+00:00", 1)
            yield sealed("cell", cell.key, "done", *content, None, *origin)

    db = sqlite3.connect(folder / "ledger.sqlite")
    with db:
        for row in rows(db):
            db.execute(f"INSERT INTO cell VALUES ({','.join('?' * 16)})", row)
    db.close()
    size = (folder / "ledger.sqlite").stat().st_size / 1e9
    return f"{len(grid.cells)} cells, {len(grid.fits)} fits, {size:.2f} GB"


def fairness_paper_report(settings: Mapping[str, Any], folder: Path) -> str:
    """The page of the suite."""
    from mlopsim.compose import open_results

    results = open_results(folder)
    results.report()
    return f"{results.leaderboard.height} methods"


def fairness_paper_resume(settings: Mapping[str, Any], folder: Path) -> str:
    """A run where nothing is left to be done."""
    from mlopsim.compose import load_suite

    results = load_suite(SUITE, seeds=settings["fairness_seeds"]).run(folder)
    assert results.summary is not None
    return results.summary.counts.line()
