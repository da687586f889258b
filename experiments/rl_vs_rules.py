"""Does a learned selector beat every tuned rule, at equal budgets, on scenarios that nobody has seen?

Runs the suite `rl-vs-rules` (what is done is cached) and compares PPO with every rule on the same
scenarios: the difference in NS, resampling training seeds and scenarios. table.csv is the claim's task,
others.csv the held-out families and the real stream. `ppo` and `ppo (gamma=0)` stand for all of their
training seeds.

    python experiments/rl_vs_rules.py
"""

from __future__ import annotations

import re
from typing import Any

import _common
import numpy as np
import polars as pl

from mlopsim.bench.ledger import Ledger
from mlopsim.bench.progress import RichProgress
from mlopsim.bench.runner import run
from mlopsim.bench.table import table as cell_table
from mlopsim.cli.bench_ import build_suite
from mlopsim.cli.compose import compose_bench
from mlopsim.core.seeds import Axis, Split, seed_sequence
from mlopsim.plots.leaderboard import leaderboard
from mlopsim.stats.bootstrap import ns_difference, ns_interval
from mlopsim.stats.interval import Interval
from mlopsim.stats.resample import Kind
from mlopsim.tracks._delivery_report import SINGLE, Arena


def group(name: str) -> str:
    """Name a method without its training seed."""
    bare = re.sub(r"train_seed=\d+", "", name)
    inside = ", ".join(word for word in re.findall(r"[^(),]+=[^(),]+", bare.replace("0.0", "0")))
    head = name.split("(")[0]
    return f"{head} ({inside.strip()})" if inside else (head if "train_seed" in name else name)


def returns(arena: Arena, task: int) -> dict[str, np.ndarray]:
    """Returns of one task by method: (seeds, 1), or (training seeds, seeds, 1) for agents."""
    found: dict[str, list[np.ndarray]] = {}
    for method in arena.methods:
        found.setdefault(group(method), []).append(arena.grid(arena.returns[method], [task]))
    return {name: np.stack(runs) if len(runs) > 1 else runs[0] for name, runs in found.items()}


def compare(arena: Arena, task: int, level: float, resamples: int, kind: Kind) -> list[dict[str, Any]]:
    """One row a method: NS, and the difference of PPO to it, with intervals."""
    runs = returns(arena, task)
    # a real stream is one scenario, whatever its seeds: n = 1 and no interval over scenarios
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
        by_t = ns_difference(runs["ppo"], values, base, top, rng(1), kind=kind, **options) if other else empty
        plain = ns_difference(runs["ppo"], values, base, top, rng(1), **options) if other else empty
        row |= {"diff_to_ppo": by_t.value, "diff_low": by_t.low, "diff_high": by_t.high}
        row |= {"diff_low_bootstrap": plain.low, "diff_high_bootstrap": plain.high}
        row["reason"] = SINGLE if arena.single(task) else ns.reason or by_t.reason
        rows.append(row)
    return sorted(rows, key=lambda row: -row["ns"] if row["ns"] == row["ns"] else np.inf)


def main() -> None:
    """Run, compare, write."""
    experiment = _common.start("rl_vs_rules", __doc__)
    settings = experiment.settings
    composed = compose_bench([f"suite={settings['suite']}"])
    suite, track = build_suite(composed, ())
    experiment.settings["grid"] = composed.resolved
    experiment.folder.mkdir(parents=True, exist_ok=True)
    summary = run(suite, track, experiment.folder, workers=settings["workers"], progress=RichProgress())
    if not summary.complete:
        raise SystemExit(f"{summary.counts.line()}: run it again; see mlopsim status {experiment.folder}")
    with Ledger.read(experiment.folder) as ledger:
        cells: pl.DataFrame = cell_table(ledger, summary.grid)
    arena = Arena.of(cells)
    claim, others = [], []
    for place, task in enumerate(arena.tasks):
        rows = compare(arena, place, settings["level"], settings["resamples"], settings["interval"])
        _common.show([{k: v for k, v in row.items() if k != "reason"} for row in rows], task)
        if task == settings["claim"]:
            claim = rows
        else:
            others += [{"task": task, **row} for row in rows]
    _common.write_config(experiment)
    _common.write_table(experiment.folder, claim)
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
    rules = [row for row in claim if row["train_seeds"] == 0 and row["method"] not in REFERENCES]
    best = max(rules, key=lambda row: row["ns"])
    held = all(row["diff_low"] > 0 for row in rules)
    verdict = "holds" if held else "does not hold"
    print(
        f"best rule: {best['method']} at NS {best['ns']:.3f}; PPO is better by {best['diff_to_ppo']:.3f} "
        f"[{best['diff_low']:.3f}, {best['diff_high']:.3f}]. "
        f"The claim (above 0 against every rule) {verdict}."
    )


#: rows with hindsight: no rules
REFERENCES = ("oracle", "latest-oracle", "knows-changes", "hindsight-period")

if __name__ == "__main__":
    main()
