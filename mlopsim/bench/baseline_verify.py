"""Recompute a random sample of a baseline's cells, and say which promise held."""

from __future__ import annotations

import secrets
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from mlopsim.bench.baseline import Baseline
from mlopsim.bench.baseline_adopt import adopt
from mlopsim.bench.baseline_match import Joined
from mlopsim.bench.executors import Local
from mlopsim.bench.grid import Grid, ordered
from mlopsim.bench.ledger import Ledger
from mlopsim.bench.rerun import RerunReport, rerun
from mlopsim.core.errors import ConfigError


@dataclass(kw_only=True)
class Verified:
    """What came out: a report for each cell of the sample, in the order of the file."""

    baseline: Baseline
    seed: int
    reports: list[RerunReport] = field(default_factory=list)

    @property
    def broken(self) -> list[RerunReport]:
        """Those whose promise was broken."""
        return [report for report in self.reports if not report.kept]

    @property
    def unpromised(self) -> list[RerunReport]:
        """Those of which nothing is promised: a component has another version here."""
        return [report for report in self.reports if report.promise == "none"]

    @property
    def held(self) -> bool:
        """Whether every cell had a promise, and it was kept."""
        return not self.broken and not self.unpromised


def verify(
    baseline: Baseline,
    *,
    sample: int = 20,
    seed: int | None = None,
    deep: bool = False,
    plugins: Sequence[str | Path] = (),
    told: Callable[[RerunReport], None] | None = None,
) -> Verified:
    """Recompute random cells of a baseline in a fresh process.

    Parameters
    ----------
    baseline : Baseline
        That was read.
    sample : int, default 20
        How many cells; all if there are fewer.
    seed : int, optional
        Of the choice; drawn anew by default, so that nobody knows it before.
    deep : bool, default False
        Remake the fits that the cells need, too.
    plugins : sequence of paths
        Files with components that the baseline names. What it names itself is not loaded for that.
    told : callable, optional
        Given each report as it is made.

    Returns
    -------
    Verified

    Raises
    ------
    ConfigError
        For a sample below 1 or a seed below 0.
    MlopsimError
        If a cell cannot be computed here.
    """
    if sample < 1:
        raise ConfigError(f"a sample has at least one cell, got {sample}", remedy="write --sample 20")
    if seed is not None and seed < 0:
        raise ConfigError(
            f"the seed of a sample is a whole number from 0, got {seed}",
            remedy="leave --seed out: one is drawn",
        )
    chosen_seed = secrets.randbelow(2**32) if seed is None else seed
    count = min(sample, len(baseline.cells))
    drawn = np.random.default_rng(chosen_seed).choice(len(baseline.cells), size=count, replace=False)
    places = sorted(int(place) for place in drawn)
    cells = [baseline.cells[place] for place in places]
    jobs = {fit.job.key: fit.job for fit in baseline.fits}
    wanted: dict[str, None] = {}
    stack = [cell.fit for cell in cells if cell.fit is not None]
    while stack:
        key = stack.pop()
        if key not in wanted:
            wanted[key] = None
            stack.extend(jobs[key].needs)
    grid = Grid(
        title=f"{baseline.suite}-v{baseline.version}",
        track=baseline.header["track"],
        metrics=tuple(baseline.metrics),
        cells=tuple(cells),
        fits=tuple(ordered([jobs[key] for key in wanted], cells)),
    )
    places_by_key = {cell.key: place for cell, place in zip(cells, places, strict=True)}
    found = Verified(baseline=baseline, seed=chosen_seed)
    with tempfile.TemporaryDirectory(prefix="mlopsim-") as folder:
        with Ledger.open(folder) as ledger:
            ledger.register(grid)
            adopt(Joined(grid=grid, baseline=baseline, places=places_by_key), ledger)
        worker = Local(1)
        try:
            for cell in cells:
                report = rerun(folder, cell.key, deep=deep, plugins=plugins, worker=worker)
                found.reports.append(report)
                if told is not None:
                    told(report)
        finally:
            worker.close(kill=True)
    return found
