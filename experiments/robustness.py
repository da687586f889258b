"""Does bad input ever end in a traceback, a hang, a silent acceptance, or a changed byte of what was stored?

Draws damaged configs, arguments, data files, plug-ins and results folders from generators that know what is
wrong with each, gives them to the command line, and judges the answers. Right is one error that names the
cause and a remedy; where it says so, a warning; for damaged ledgers an error or the very numbers of the sound
one. table.csv has one row a kind of damage; others.csv, where there is any, lists what was
taken wrongly, with its words.

    python experiments/robustness.py
    python experiments/robustness.py "cases={configs: 200}" "only=[configs]" --results out/robustness
"""

from __future__ import annotations

import _common  # isort: skip

import concurrent.futures
import multiprocessing
import os
import shutil
import sys
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from faults import arguments, configs, ledgers, plugins, tables
from faults.base import Fault, Kit, Taken, Verdict, command, take

from mlopsim.core.registry import forget_plugins

FAMILIES: dict[str, tuple[Fault, ...]] = {
    module.FAMILY: module.FAULTS for module in (configs, arguments, tables, plugins, ledgers)
}
RIGHT = (Verdict.REFUSED, Verdict.HARMLESS)
#: cases that a process takes at a time
PIECE = 25

HEAD = """\
# @package _global_
about: "A tiny suite."
suite_version: 1
seeds: 2
"""
SUITES = {
    "tiny": """\
track: delivery
tasks:
  - {name: small, learner: ridge, stream: {synthetic: {windows: 16, rows: 20, warmup: 4}}}
  - {name: other, learner: naive_bayes, stream: {synthetic: {windows: 16, rows: 20, warmup: 4, concept: sea}}}
methods: [never, periodic]
delivery: {steps: 0}
""",
    "tiny-drift": """\
track: drift
tasks:
  - {name: errors, signal: {iid: {law: bernoulli, p: 0.1, p1: 0.2, ticks: 1000, change: 500}}}
methods: [cusum]
drift: {calibration: {runs: 100, checks: 100}}
""",
    "tiny-quality": """\
track: quality
tasks:
  - name: missing
    learner: ridge
    stream:
      corrupted:
        base: {synthetic: {windows: 20, rows: 50, warmup: 5, bayes: false}}
        injector: missing
        rate: 0.2
methods: [zscore]
quality: {stages: [preprocess]}
""",
    "tiny-fairness": """\
track: fairness
tasks:
  - name: no bias
    learner: ridge
    every: 0
    stream: {population: {windows: 12, warmup: 4, per_group: 50}}
methods: [demographic_parity]
fairness: {calibration: {runs: 40, checks: 40}}
""",
}


def prepare(folder: Path) -> Kit:
    """Make what all cases share: presets and a finished results folder of the tiny delivery suite."""
    place = folder / "conf" / "suite"
    place.mkdir(parents=True)
    for name, text in SUITES.items():
        (place / f"{name}.yaml").write_text(HEAD + text, encoding="utf-8")
    results, out = folder / "results", folder / "out.csv"
    run = (
        "bench",
        "suite=tiny",
        "--conf",
        str(folder / "conf"),
        "executor=serial",
        "--no-report",
        f"results={results}",
    )
    for words in (run, ("export", str(results), str(out))):
        code, _, error = command(words)
        if code != 0:
            raise SystemExit(f"the sound input failed: {error}")
    for suite in SUITES:
        code, _, error = command(
            (
                "bench",
                f"suite={suite}",
                "--dry-run",
                "--conf",
                str(folder / "conf"),
                f"results={folder / 'r'}",
            )
        )
        if code != 0:
            raise SystemExit(f"the sound suite {suite} is refused: {error}")
    return Kit(
        conf=folder / "conf", results=results, exported=ledgers.numbers(out.read_text(encoding="utf-8"))
    )


def one(family: str, number: int, seed: int, kit: Kit, seconds: float) -> tuple[Fault, str, Taken]:
    """Build case ``number`` of a family in a folder of its own, and give it to the command line."""
    faults = FAMILIES[family]
    fault = faults[number % len(faults)]
    rng = np.random.default_rng(
        np.random.SeedSequence(seed, spawn_key=(list(FAMILIES).index(family), number))
    )
    here = Path.cwd()
    folder = Path(tempfile.mkdtemp(prefix="case-"))
    try:
        # what a command writes without being told where must not land in the checkout
        os.chdir(folder)
        work = folder / "work"
        work.mkdir()
        case = fault.build(rng, work, kit)
        taken = take(case, seconds)
    finally:
        os.chdir(here)
        # a case is a process of its own to whoever runs it: what it loaded goes with its folder
        forget_plugins()
        shutil.rmtree(folder, ignore_errors=True)
    detail = case.detail or " ".join(case.words)
    return fault, detail.replace(str(folder), ""), taken


def piece(family: str, numbers: range, seed: int, kit: Kit, seconds: float) -> list[dict[str, Any]]:
    """Take some cases; runs in a worker."""
    found = []
    for number in numbers:
        fault, detail, taken = one(family, number, seed, kit, seconds)
        found.append(
            {
                "family": family,
                "fault": fault.name,
                "number": number,
                "verdict": taken.verdict.value,
                "status": taken.code,
                "seconds": taken.seconds,
                "detail": detail[:200],
                "answer": "" if taken.verdict in RIGHT else " | ".join(taken.text.split("\n"))[-300:],
            }
        )
    return found


def pieces(cases: Mapping[str, int], only: Iterable[str] | None) -> Iterator[tuple[str, range]]:
    """Yield (family, numbers): what is handed to a worker at a time."""
    from mlopsim.core.errors import ConfigError, nearest

    for family in only if only is not None else FAMILIES:
        if family not in FAMILIES:
            raise ConfigError(f"no family '{family}'{nearest(family, FAMILIES)}")
        for start in range(0, cases.get(family, 0), PIECE):
            yield family, range(start, min(start + PIECE, cases[family]))


def tabulate(found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """One row a kind of damage: how often it was taken how."""
    rows: list[dict[str, Any]] = []
    for family, faults in FAMILIES.items():
        for fault in faults:
            mine = [row for row in found if (row["family"], row["fault"]) == (family, fault.name)]
            if mine:
                count = Counter(row["verdict"] for row in mine)
                rows.append(
                    {"family": family, "damage": fault.name, "cases": len(mine)}
                    | {verdict.value: count[verdict.value] for verdict in Verdict}
                    | {"slowest_seconds": round(max(float(row["seconds"]) for row in mine), 1)}
                )
    total: dict[str, Any] = {"family": "all", "damage": "all", "cases": len(found)}
    for verdict in Verdict:
        total[verdict.value] = sum(row[verdict.value] for row in rows)
    return [*rows, {**total, "slowest_seconds": max(float(row["slowest_seconds"]) for row in rows)}]


def main() -> None:
    """Draw, give, judge, write."""
    experiment = _common.start("robustness", __doc__)
    given = experiment.settings
    jobs = list(pieces(given["cases"], given["only"]))
    with tempfile.TemporaryDirectory(prefix="robustness-") as place:
        os.environ["MLOPSIM_CACHE"] = str(Path(place) / "cache")
        kit = prepare(Path(place))
        found: list[dict[str, Any]] = []
        spawn = multiprocessing.get_context("spawn")
        with concurrent.futures.ProcessPoolExecutor(int(given["workers"]), mp_context=spawn) as pool:
            waiting = [
                pool.submit(piece, family, numbers, int(given["seed"]), kit, float(given["seconds"]))
                for family, numbers in jobs
            ]
            for done, future in enumerate(concurrent.futures.as_completed(waiting), start=1):
                found += future.result()
                if sys.stderr.isatty() or done % 20 == 0 or done == len(waiting):
                    wrong = sum(row["verdict"] not in [v.value for v in RIGHT] for row in found)
                    print(
                        f"\r{len(found)} cases, {wrong} taken wrongly",
                        end="" if sys.stderr.isatty() else "\n",
                        file=sys.stderr,
                    )
    found.sort(key=lambda row: (list(FAMILIES).index(row["family"]), row["number"]))
    rows = tabulate(found)
    wrong_ones = [row for row in found if row["verdict"] not in [v.value for v in RIGHT]]
    _common.write_config(experiment)
    _common.write_table(experiment.folder, rows)
    (experiment.folder / "others.csv").unlink(missing_ok=True)
    if wrong_ones:
        listed = [{k: v for k, v in row.items() if k != "seconds"} for row in wrong_ones]
        _common.write_table(experiment.folder, listed, "others")
    _common.show(rows, "How damaged input is taken")
    if wrong_ones:
        raise SystemExit(
            f"{len(wrong_ones)} of {len(found)} cases were taken wrongly: {experiment.folder / 'others.csv'}"
        )


if __name__ == "__main__":
    main()
