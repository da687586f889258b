"""Does a learned selector beat every tuned rule, at equal budgets, on scenarios that nobody has seen?

Runs the suite `rl-vs-rules` (what is done is cached) and compares PPO with every rule on the same
scenarios: the difference in NS, resampling training seeds and scenarios. table.csv is the claim's task,
others.csv the held-out families and the real stream. `ppo` and `ppo (gamma=0)` stand for all of their
training seeds. The suite and its agents are frozen (`frozen` of conf/experiment/rl_vs_rules.yaml): a
changed default is refused as well. searches.csv logs each search and training that was ever made for it.

    python experiments/rl_vs_rules.py

A rule stands for all of its tunings (delivery.tunings) as an agent does for its training seeds: the two-level
bootstrap resamples both (`train_seeds` counts either). `bracket` is how far the optimum may lie below the
bound that NS is 1 at. `steps` and `cpu_seconds` are what one of them took.
The cells and what was tuned and trained are committed beside the tables; from these files alone the tables
are computed again and compared, and some cells are replayed to the bit:

    python experiments/rl_vs_rules.py --from-committed
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import _audit
import _claims
import _common
import numpy as np
import polars as pl

from mlopsim.bench.grid import Grid, expand
from mlopsim.compose import load_suite
from mlopsim.core.registry import find
from mlopsim.core.seeds import Axis, Split, seed_sequence
from mlopsim.core.spec import params_of
from mlopsim.core.track import Method
from mlopsim.plots.leaderboard import leaderboard
from mlopsim.stats.bootstrap import ns_difference, ns_interval
from mlopsim.stats.interval import Interval
from mlopsim.stats.resampling import Kind
from mlopsim.tracks.delivery.analysis import Arena, bracket_widths, over_blocks


@dataclass(frozen=True, kw_only=True)
class Group:
    """What a method stands for in the comparison: its name without the training seed, and its role."""

    name: str
    role: str


def groups(methods: Sequence[Method]) -> dict[str, Group]:
    """Map each method of a suite to its group; the role is ``agent``, ``reference`` or else ``rule``.

    Of what is trained (a bandit may be, which is a rule here), the training seed and what equals the default
    do not count; everything else that it was given does.
    """
    found = {}
    for method in methods:
        part, family = method.part, method.attributes["family"]
        role = family if family in ("agent", "reference") else "rule"
        cls = find("selector", part["name"]) if part["kind"] == "selector" else None
        if cls is None or not getattr(cls, "agent", False):
            name = method.name.removesuffix(f"#{method.attributes.get('tuning')}")
            found[method.name] = Group(name=name, role=role)
            continue
        defaults = params_of(cls())
        given = {
            name: value
            for name, value in part["params"].items()
            if name != "train_seed" and value != defaults[name]
        }
        inside = ", ".join(f"{k}={v:g}" if isinstance(v, float) else f"{k}={v}" for k, v in given.items())
        found[method.name] = Group(name=f"{cls.name} ({inside})" if inside else cls.name, role=role)
    return found


def returns(arena: Arena, task: int, known: Mapping[str, Group]) -> dict[str, np.ndarray]:
    """Returns of one task by group: (seeds, 1), or (runs, seeds, 1) where there are several fits."""
    found: dict[str, list[np.ndarray]] = {}
    for method in arena.methods:
        found.setdefault(known[method].name, []).append(arena.grid(arena.returns[method], [task]))
    return {name: np.stack(runs) if len(runs) > 1 else runs[0] for name, runs in found.items()}


def compare(
    arena: Arena, task: int, known: Mapping[str, Group], level: float, resamples: int, kind: Kind
) -> list[dict[str, Any]]:
    """One row a method: NS, the bracket beside it, and the difference of PPO to it, with intervals."""
    runs = returns(arena, task, known)
    together: dict[str, list[str]] = {}
    for method in arena.methods:
        together.setdefault(known[method].name, []).append(method)
    widths = dict(zip(together, bracket_widths(arena, list(together.values()), [task]), strict=True))
    # a real stream is one series: its rows are blocks, which are not resampled
    base, top = (arena.grid(values, [task]) for values in (arena.never, arena.upper))

    def rng(salt: int) -> np.random.Generator:
        return np.random.default_rng(seed_sequence(Axis.BOOTSTRAP, Split.TEST, salt))

    options: dict[str, Any] = {"level": level, "resamples": resamples}
    rows = []
    for name, values in runs.items():
        ns = ns_interval(values, base, top, rng(0), **options)
        row: dict[str, Any] = {
            "method": name,
            "ns": ns.value,
            "ns_low": ns.low,
            "ns_high": ns.high,
            "n": ns.n,
        }
        row["train_seeds"] = len(values) if values.ndim == 3 else 0
        empty = Interval(value=float("nan"), n=ns.n, reason="PPO against itself")
        other = name != "ppo"
        if arena.real([task]):
            # training seeds are averaged: blocks of one series are no units to resample beside them
            mean, mine = (v.mean(axis=0) if v.ndim == 3 else v for v in (values, runs["ppo"]))
            ns = over_blocks(arena, [task], mean - base, top - base, level)
            row |= {"ns_low": ns.low, "ns_high": ns.high}
            by_t = plain = over_blocks(arena, [task], mine - mean, top - base, level) if other else empty
        else:
            by_t = (
                ns_difference(runs["ppo"], values, base, top, rng(1), kind=kind, **options)
                if other
                else empty
            )
            plain = ns_difference(runs["ppo"], values, base, top, rng(1), **options) if other else empty
        width = widths[name]
        row |= {"bracket": width.value, "bracket_low": width.low, "bracket_high": width.high}
        row |= {"diff_to_ppo": by_t.value, "diff_low": by_t.low, "diff_high": by_t.high}
        row |= {"diff_low_bootstrap": plain.low, "diff_high_bootstrap": plain.high}
        row["reason"] = ns.reason or by_t.reason
        rows.append(row)
    return sorted(rows, key=lambda row: -row["ns"] if row["ns"] == row["ns"] else np.inf)


def tables(
    study: Any, grid: Grid, cells: pl.DataFrame, fits: Mapping[str, _audit.Fit], settings: Mapping[str, Any]
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Return the rows of the claim's task, and those of the others, from cells and fits alone."""
    arena, known = Arena.of(cells), groups(study.suite.methods)
    claim: list[dict[str, Any]] = []
    others: list[dict[str, Any]] = []
    for place, task in enumerate(arena.tasks):
        rows = compare(arena, place, known, settings["level"], settings["resamples"], settings["interval"])
        budgets: dict[str, list[tuple[int, int, float]]] = {}
        for method, taken in _audit.spent(grid, fits, task).items():
            budgets.setdefault(known[method].name, []).append(taken)
        for row in rows:
            made, steps, seconds = map(sum, zip(*budgets.get(row["method"], [(0, 0, 0.0)]), strict=True))
            row["steps"] = steps / made if made else 0.0
            row["cpu_seconds"] = seconds / made if made else 0.0
        if task == settings["claim"]:
            claim = rows
        else:
            others += [{"task": task, **row} for row in rows]
    return claim, others


def audit(experiment: _common.Experiment, study: Any) -> bool:
    """Compute the committed tables again from the committed cells; replay some of these."""
    grid, settings, folder = expand(study.suite, study.track), experiment.settings, experiment.folder
    cells, fits = _audit.read(folder, grid)
    equal = True
    with tempfile.TemporaryDirectory() as place:
        for name, rows in zip(("table", "others"), tables(study, grid, cells, fits, settings), strict=True):
            if not rows:
                continue
            again = _common.write_table(Path(place), rows, name).read_bytes()
            same = again == (folder / f"{name}.csv").read_bytes()
            print(f"{name}.csv: {'computed again, equal' if same else 'NOT what the cells give'}")
            equal &= same
    places = _audit.drawn(grid, settings["replayed"], seed=0)
    replayed = _audit.replay(study.track, grid, cells, fits, places)
    _common.show(replayed, "cells replayed")
    wrong = sum(bool(row["differ"]) for row in replayed)
    print(f"{len(replayed) - wrong} of {len(replayed)} cells replayed to the bit")
    return equal and not wrong


def main(arguments: Sequence[str] | None = None) -> None:
    """Run, compare, write."""
    help_text = (
        "compute the tables from the committed cells, replay some with the committed fits; run nothing"
    )
    experiment = _common.start("rl_vs_rules", __doc__, arguments, {"from-committed": help_text})
    settings = experiment.settings
    study = load_suite(settings["suite"])
    suite, track = study.suite, study.track
    if "from-committed" in experiment.flags:
        if not audit(experiment, study):
            raise SystemExit(1)
        return
    experiment.settings["grid"] = study.config
    if settings["frozen"] is not None:
        _claims.check_frozen(suite, settings["frozen"])
    folder = _common.below_root(settings["ledger"])
    for into in (folder, experiment.folder):
        into.mkdir(parents=True, exist_ok=True)
    cells: pl.DataFrame = _common.run_cells(suite, track, folder, settings["workers"])
    known, grid = groups(suite.methods), expand(suite, track)
    _audit.write(experiment.folder, cells, grid, folder)
    # from what is committed, as any reader can
    claim, others = tables(study, grid, *_audit.read(experiment.folder, grid), settings)
    for rows in filter(None, (claim, others)):
        _common.show([{k: v for k, v in row.items() if k != "reason"} for row in rows], suite.title)
    _common.write_config(experiment)
    _claims.write_search_log(folder, experiment.folder)
    _common.write_table(experiment.folder, claim)
    if others:
        _common.write_table(experiment.folder, others, "others")
    drawn = [row for row in claim if row["method"] not in ("ppo", "oracle", "latest-oracle")]
    figure = leaderboard(
        [row["method"] for row in drawn],
        [row["diff_to_ppo"] for row in drawn],
        [row["diff_low"] for row in drawn],
        [row["diff_high"] for row in drawn],
        [row["n"] for row in drawn],
        xlabel="NS(PPO) - NS(method): above 0, PPO is better",
        direction="min",
        references={"equal": 0.0},
        digits=3,
        note=f"{settings['level']:.0%} intervals over training seeds and scenarios; n: scenarios",
    )
    _common.write_figure(experiment.folder, figure)
    print(verdict(claim, known))


def verdict(claim: Sequence[Mapping[str, Any]], known: Mapping[str, Group]) -> str:
    """Say in one sentence whether PPO beats every rule of the claim's table."""
    roles = {entry.name: entry.role for entry in known.values()}
    rules = [row for row in claim if roles[row["method"]] == "rule"]
    best = max(rules, key=lambda row: row["ns"])
    held = all(row["diff_low"] > 0 for row in rules)
    return (
        f"best rule: {best['method']} at NS {best['ns']:.3f}; PPO is better by {best['diff_to_ppo']:.3f} "
        f"[{best['diff_low']:.3f}, {best['diff_high']:.3f}]. "
        f"The claim (above 0 against every rule) {'holds' if held else 'does not hold'}."
    )


if __name__ == "__main__":
    main()
