"""How small can a tree be that still does what an agent does?

Distils an agent into trees of growing depth (DAgger on training scenarios; decisions weighed by exact values
in hindsight, VIPER, or all alike), rolls trees and agent out on the same test scenarios, and tabulates
NS(tree)/NS(agent), the agreement on the states that the tree leads to itself, what a difference costs, and
how far two trees of two seeds agree. Values in hindsight are one draw each, so uniform weights stand beside,
once with as many decisions and once with more, which take no forks. Rules that can be read as well are the
simplest rivals: each stands for all of its tunings, in as many steps as the agent had.

    python experiments/faithful_tree.py
    python experiments/faithful_tree.py seeds=5 steps=60000 scenarios=30 depths=[1,3,5]
"""

from __future__ import annotations

import _common  # isort: skip

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from mlopsim.bench.ledger import Ledger
from mlopsim.compose import load_suite
from mlopsim.core.seeds import Axis, Split, seed_sequence
from mlopsim.core.spec import make
from mlopsim.core.track import Cell, FitResult
from mlopsim.delivery.scenarios import pool_of
from mlopsim.governance.explained.faithful import faithful
from mlopsim.governance.explained.scene import Scene
from mlopsim.plots.curves import Curve, curves
from mlopsim.plots.style import marks_for
from mlopsim.stats.bootstrap import ns_interval, ratio_interval
from mlopsim.stats.interval import Interval
from mlopsim.tracks.delivery.analysis import NEVER, Arena
from mlopsim.tracks.rolling import build_selector, world_spec

TREE = "surrogate_tree"


@dataclass(frozen=True, kw_only=True)
class Place:
    """An arm and a depth, with the names of its trees, one a seed; or a rule with its tunings."""

    arm: str
    depth: int | None
    methods: tuple[str, ...]


def trees(settings: Mapping[str, Any]) -> list[Any]:
    """Return the specs of all trees: arms outside, then depths, then seeds."""
    every = itertools.product(settings["arms"], settings["depths"], settings["tree_seeds"])
    return [
        {
            TREE: {
                "teacher": settings["agent"],
                "depth": depth,
                "train_seed": seed,
                **arm["params"],
            }
        }
        for arm, depth, seed in every
    ]


def rng(salt: int) -> np.random.Generator:
    """Return the generator of one bootstrap."""
    return np.random.default_rng(seed_sequence(Axis.BOOTSTRAP, Split.TEST, salt))


def ratio(arena: Arena, methods: Sequence[str], agent: str, resamples: int) -> Interval:
    """Return NS(tree)/NS(agent), resampling scenarios; trees of several seeds count with their mean."""
    mean = np.mean([arena.returns[name] for name in methods], axis=0)
    return ratio_interval(
        mean - arena.never,
        arena.returns[agent] - arena.never,
        rng(0),
        resamples=resamples,
        undefined="the agent gains nothing over never",
    )


def reaches(ratio: Interval, share: float) -> str:
    """Say whether a share is reached: by the whole interval, in the mean only, or not.

    Examples
    --------
    >>> found = [Interval(value=0.97, low=low, high=1.0, n=9) for low in (0.96, 0.9)]
    >>> [reaches(one, 0.95) for one in found], reaches(found[0], 0.98)
    (['yes', 'in the mean'], 'no')
    """
    if math.isnan(ratio.value):
        return "undefined"
    if ratio.value < share:
        return "no"
    return "yes" if ratio.low >= share else "in the mean"


def verdict(row: Mapping[str, Any], share: float) -> str:
    """Say whether trees of one place reach a share of the agent.

    Examples
    --------
    >>> row = {"arm": "viper", "depth": 5, "ratio": 0.97, "ratio_low": 0.94, "ratio_high": 1.0, "n": 9}
    >>> verdict({**row, "reaches": "in the mean"}, 0.95)
    'viper, depth 5: 0.970 [0.940, 1.000] of the agent (n = 9): reaches 0.95: in the mean'
    """
    ends = f"[{row['ratio_low']:.3f}, {row['ratio_high']:.3f}]"
    found = f"{row['ratio']:.3f} {ends} of the agent (n = {row['n']})"
    return f"{row['arm']}, depth {row['depth']}: {found}: reaches {share:g}: {row['reaches']}"


def scene_of(cells: Sequence[Cell]) -> Scene:
    """Return the test scenarios of cells that differ in their seeds only."""
    deployment = make("deployment", cells[0].task.part["deployment"])
    pool = pool_of([world_spec(cell) for cell in cells], deployment)
    return Scene(
        pool=pool,
        deployment=deployment,
        which=np.arange(len(cells)),
        seeds=np.random.SeedSequence(0).spawn(len(cells)),
    )


def measure(
    arena: Arena,
    place: Place,
    agent: str,
    scene: Scene,
    built: Mapping[str, Any],
    fits: Mapping[str, FitResult],
    settings: Mapping[str, Any],
) -> dict[str, Any]:
    """Return the row of one place."""
    found = ratio(arena, place.methods, agent, settings["resamples"])
    base, top = arena.never, arena.upper
    mean = np.mean([arena.returns[name] for name in place.methods], axis=0)
    ns = ns_interval(mean, base, top, rng(1), resamples=settings["resamples"])
    own = [faithful(scene, built[m], built[agent], settings["forked"]) for m in place.methods]
    differ = sum(one.differ for one in own)
    pairs = [
        faithful(scene, built[a], built[b]).agreement for a, b in itertools.permutations(place.methods, 2)
    ]
    tree = place.depth is not None
    info = [fits[name].info for name in place.methods] if tree else []
    leaves = [built[name].tree.leaves for name in place.methods] if tree else [math.nan]
    return {
        "arm": place.arm,
        "depth": place.depth,
        "ratio": found.value,
        "ratio_low": found.low,
        "ratio_high": found.high,
        "reaches": reaches(found, settings["share"]),
        "n": found.n,
        "ns": ns.value,
        "ns_low": ns.low,
        "ns_high": ns.high,
        "agreement": float(np.mean([one.agreement for one in own])),
        "decisions": sum(one.decisions for one in own),
        "lost_per_difference": sum(one.lost * one.differ for one in own if one.differ) / max(differ, 1)
        if differ
        else math.nan,
        "differences": differ,
        "two_seeds_agree": float(np.mean(pairs)) if pairs else math.nan,
        "identity_error": max(one.identity for one in own),
        "leaves": float(np.mean(leaves)),
        "states": float(np.mean([one["rounds"][-1]["states"] for one in info])) if tree else math.nan,
        "steps": float(np.mean([one["steps_used"] - one["teacher_steps"] for one in info]))
        if tree
        else math.nan,
        "reason": found.reason,
    }


def lines(rows: Sequence[Mapping[str, Any]], column: str, band: bool) -> dict[str, Curve]:
    """Return a curve of a column by depth for each arm."""
    result = {}
    for arm in dict.fromkeys(row["arm"] for row in rows if row["depth"] is not None):
        mine = [row for row in rows if row["arm"] == arm]

        def of(name: str, mine: Sequence[Mapping[str, Any]] = mine) -> np.ndarray:
            return np.array([row[name] for row in mine], dtype=np.float64)

        ends = (of(f"{column}_low"), of(f"{column}_high")) if band else (None, None)
        result[arm] = Curve(x=of("depth"), y=of(column), low=ends[0], high=ends[1])
    return result


def main(arguments: Sequence[str] | None = None) -> None:
    """Run, tabulate, draw."""
    experiment = _common.start("faithful_tree", __doc__, arguments)
    settings = experiment.settings
    study = load_suite(
        settings["suite"],
        tasks=settings["tasks"],
        methods=[NEVER, settings["agent"], *settings["rivals"], *trees(settings)],
        seeds=settings["seeds"],
        overrides={"delivery.steps": settings["steps"], "delivery.scenarios": settings["scenarios"]},
    )
    folder = _common.below_root(settings["ledger"])
    for into in (folder, experiment.folder):
        into.mkdir(parents=True, exist_ok=True)
    table: pl.DataFrame = _common.run_cells(study.suite, study.track, folder, settings["workers"])
    arena = Arena.of(table)
    listed = [method for method in study.suite.methods if method.part["kind"] == "selector"]
    rivals = {
        rival: tuple(method.name for method in listed if method.part["name"] == rival)
        for rival in settings["rivals"]
    }
    # trees in the order that they were asked for
    grown = [method.name for method in listed if method.part["name"] == TREE]
    # a rule that teaches is tuned several times, too: trees stand on the first of them
    agent = next(
        method.name
        for method in listed
        if method.name != NEVER and method.part["name"] not in (TREE, *settings["rivals"])
    )
    names = [agent, *(name for row in rivals.values() for name in row), *grown]
    tree_names = iter(grown)
    places = [
        Place(
            arm=arm["name"],
            depth=depth,
            methods=tuple(itertools.islice(tree_names, len(settings["tree_seeds"]))),
        )
        for arm, depth in itertools.product(settings["arms"], settings["depths"])
    ]
    places += [Place(arm=rival, depth=None, methods=row) for rival, row in rivals.items()]
    by_method: dict[str, list[Cell]] = {name: [] for name in names}
    fits: dict[str, FitResult] = {}
    with Ledger.read(folder) as ledger:
        for row in table.sort("seed").iter_rows(named=True):
            if row["method"] in by_method:
                by_method[row["method"]].append(ledger.find_cell(row["key"]))
        for name, cells in by_method.items():
            if cells[0].fit is not None:
                fits[name] = ledger.fit_result(cells[0].fit)
    built = {name: build_selector(cells[0].method.part, fits.get(name)) for name, cells in by_method.items()}
    scene = scene_of(by_method[agent])
    again = scene.walk(built[agent]).reward.mean(axis=1)
    if float(np.abs(again - arena.returns[agent][:, 0]).max()) > 1e-9:
        raise SystemExit(f"{agent} walks otherwise than in its cells: it draws, which is not compared here")
    rows = [measure(arena, place, agent, scene, built, fits, settings) for place in places]
    score = ns_interval(
        arena.returns[agent], arena.never, arena.upper, rng(1), resamples=settings["resamples"]
    )
    _common.write_table(experiment.folder, rows)
    shown = ("arm", "depth", "ratio", "ratio_low", "ratio_high", "agreement", "lost_per_difference")
    more = ("two_seeds_agree", "identity_error", "leaves", "states", "steps")
    _common.show([{key: row[key] for key in (*shown, *more)} for row in rows], f"trees of {agent}")
    marks = marks_for([arm["name"] for arm in settings["arms"]])
    note = f"bands: 95 % intervals over {len(arena.seeds)} test scenarios; NS of the agent: {score.value:.3f}"
    figure = curves(
        lines(rows, "ratio", True),
        xlabel="depth",
        ylabel="NS(tree) / NS(agent)",
        note=note,
        marks=marks,
        references={
            f"{settings['share']:g}": float(settings["share"]),
            "agent": 1.0,
            **{row["arm"]: row["ratio"] for row in rows if row["depth"] is None},
        },
    )
    _common.write_figure(experiment.folder, figure)
    agreement = curves(
        lines(rows, "agreement", False),
        xlabel="depth",
        ylabel="agreement on the tree's own states",
        note=f"share of {rows[0]['decisions']} decisions of {len(settings['tree_seeds'])} trees each",
        marks=marks,
    )
    _common.write_figure(experiment.folder, agreement, "agreement")
    print(f"NS of {agent}: {score}")
    for row in rows:
        if row["depth"] == settings["asked"]:
            print(verdict(row, settings["share"]))
    _common.write_config(experiment)


if __name__ == "__main__":
    main()
