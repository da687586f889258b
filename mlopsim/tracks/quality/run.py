"""Cells of the quality track: a gate at its stage, what is trained then, what serves, how good it is."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from mlopsim.core.digest import canonical_json
from mlopsim.core.identity import identity_words
from mlopsim.core.seeds import Axis, Split, seed_sequence
from mlopsim.core.spec import make
from mlopsim.core.track import Cell, Outcome
from mlopsim.quality.batch_gate import surprise
from mlopsim.quality.calibration import Limit
from mlopsim.quality.case import Case
from mlopsim.quality.gate import Flags, Gate, Level
from mlopsim.quality.release_gate import ReleaseGate
from mlopsim.quality.scoring import auprc, auroc, is_constant, precision_at, recall_at
from mlopsim.quality.serving import Arrival, serve
from mlopsim.quality.stages import (
    Material,
    act,
    attained_rate,
    false_alarm_rate,
    flags,
    noise_found,
    versions_right,
)
from mlopsim.tracks.quality.metrics import METRICS
from mlopsim.world.spec import WorldSpec

#: level at which a version is stopped for what it was trained on
BLOCK_LEVEL = 0.01
#: false-alarm rate at which gates are compared whatever they attain
EQUAL_RATE = 0.05
METRICS_OF_FLAGS = (
    "auroc",
    "auprc",
    "f1_at_contamination",
    "recall",
    "recall_at_5pct",
    "false_alarm",
    "attained",
    "at_limit",
    "noise_found",
    "cell_auroc",
    "batch_recall",
    "batch_false_alarm",
    "batch_delay",
    "rows_flagged",
    "constant",
)


@dataclass(kw_only=True)
class Scenario:
    """A case, and what was found out about it so far."""

    case: Case
    root: int
    split: Split
    index: int
    deployment: Any
    every: int
    found: dict[str, tuple[Flags, Limit | None]] = field(default_factory=dict)

    def flags(self, content: Mapping[str, Any]) -> tuple[Flags, Limit | None]:
        """Return what a gate flags; each gate scores a scenario once, whatever its stages and actions."""
        params = {name: value for name, value in content["params"].items() if name != "action"}
        asked = {**content, "params": params}
        key = canonical_json(asked)
        if key not in self.found:
            words = identity_words(asked)
            seed = seed_sequence(Axis.METHOD, self.split, self.index, *words, root=self.root)
            self.found[key] = flags(make("gate", content), self.case, np.random.default_rng(seed))
        return self.found[key]


def open_scenario(cell: Cell) -> Scenario:
    """Draw the clean rows of a cell and put the errors in."""
    part = cell.task.part
    spec = WorldSpec(
        stream=part["stream"],
        learner=part["learner"],
        training=part["training"],
        split=cell.split,
        index=cell.seed,
        root=cell.root,
    )
    source = make("stream", part["stream"])
    clean, seen = source.clean(spec.scenario_seed), source.generate(spec.scenario_seed)
    case = Case(clean=clean, seen=seen, learner=part["learner"], starts=np.zeros(0, np.int64))
    training = make("training", part["training"])
    # windows only: a policy that looked at rows would look at corrupted ones
    case.starts = np.asarray(training.starts(case.clean_rows.Z, clean.bounds, clean.warmup), np.int64)
    return Scenario(
        case=case,
        root=cell.root,
        split=Split.parse(cell.split),
        index=cell.seed,
        deployment=make("deployment", part["deployment"]),
        every=part["every"],
    )


def run_cells(cells: Sequence[Cell]) -> list[Outcome]:
    """Run cells; those of one task and seed share rows, errors and the scores of their gates."""
    scenarios: dict[tuple[str, int, str, int], Scenario] = {}
    outcomes = []
    for cell in cells:
        place = cell.task.digest, cell.seed, cell.split, cell.root
        if place not in scenarios:
            # scores of many gates are kept: one scenario at a time
            scenarios = {place: open_scenario(cell)}
        outcomes.append(run_cell(cell, scenarios[place]))
    return outcomes


def run_cell(cell: Cell, scenario: Scenario) -> Outcome:
    """Run one cell."""
    case, part = scenario.case, cell.method.part
    stage = part["stage"]
    metrics: dict[str, float] = {metric.name: math.nan for metric in METRICS}
    reasons: dict[str, str] = {}
    material = Material(
        rows=case.clean_rows if stage == "clean" else case.seen_rows,
        keep=np.ones(len(case.clean.y), dtype=np.bool_),
    )
    found: Flags | None = None
    stops: dict[str, Any] = {}
    if stage in ("preprocess", "all"):
        gate: Gate = make("gate", part["gate"])
        found, _ = scenario.flags(part["gate"])
        material = act(case, gate, found, material)
    if stage == "train":
        gate = make("gate", part["gate"])
        found, _ = scenario.flags(part["gate"])
        material = act(case, gate, found, material)
    if stage == "all":
        content = part["train"]
        partner, _ = scenario.flags(content)
        material = act(case, make("gate", content), partner, material)
        stops["test"] = part["test"]
    if stage == "test":
        stops["test"] = part["gate"]
        if not isinstance(make("gate", part["gate"]), ReleaseGate):
            found, _ = scenario.flags(part["gate"])
    # verdicts that find a slice of each feature weak, or, at the end, a group
    weak = np.zeros(case.clean.X.shape[1] + 1)
    served, arrivals, right, blocked_right = _roll_out(scenario, material, stops.get("test"), weak)
    curves = {"served": served, "accuracy": _accuracy(case, served, right)}
    if "test" in stops and isinstance(make("gate", stops["test"]), ReleaseGate):
        curves["weak"] = weak
    curves["group_accuracy"] = _worth(case, served, right, metrics)
    metrics["retrains"] = float(len(arrivals))
    metrics["blocked"] = float(sum(a.blocked for a in arrivals))
    metrics["blocked_wrongly"] = metrics["blocked"] - blocked_right
    curves["group_dropped"] = _dropped(case, material, metrics, reasons)
    if found is not None:
        level = make("gate", part["gate"]).level
        _detection(case, found, level, metrics, reasons)
        if level is Level.BATCH:
            text = "it scores batches, not rows"
            reasons |= {"f1_at_contamination": text, "recall_at_5pct": text, "at_limit": text}
    else:
        text = "it scores versions, not rows" if stage == "test" else "no gate looks at rows"
        reasons |= dict.fromkeys(METRICS_OF_FLAGS, text)
    nothing = "nothing is right, or nothing that is wrong was found"
    if not case.wrong.any():
        nothing = "nothing is wrong in this task"
    for name, value in metrics.items():
        if math.isnan(value):
            reasons.setdefault(name, nothing)
    reasons = {name: text for name, text in reasons.items() if math.isnan(metrics[name])}
    if found is not None:
        curves["flagged"] = np.add.reduceat(found.rows, case.clean.bounds[:-1]) / np.diff(case.clean.bounds)
    return Outcome(metrics=metrics, reasons=reasons, curves=curves)


def _roll_out(
    scenario: Scenario, material: Material, tester: Mapping[str, Any] | None, weak: np.ndarray
) -> tuple[np.ndarray, list[Arrival], dict[int, np.ndarray], float]:
    """Serve; return what served, the arrivals, where versions are right on clean rows, right blocks.

    Counts in ``weak``, float64 (d + 1,), the verdicts that name slices of a feature, or at the end groups.
    """
    case, d = scenario.case, scenario.deployment
    warmup, windows = case.clean.warmup, case.clean.windows

    def run(stops: Any) -> tuple[np.ndarray, list[Arrival]]:
        return serve(
            windows,
            warmup,
            every=scenario.every,
            label_delay=d.label_delay,
            latency=d.latency,
            cooldown=d.cooldown,
            stops=stops,
        )

    # a version that is stopped is trained all the same: which ones there are does not depend on verdicts
    versions = np.array([warmup - 1, *(a.version for a in run(None)[1])], dtype=np.int64)
    right = versions_right(case, material, case.clean_rows, versions)
    by_version = {int(v): right[i] for i, v in enumerate(versions)}
    stops = None
    if tester is not None:
        gate = make("gate", tester)
        if isinstance(gate, ReleaseGate):
            seen = versions_right(case, material, case.seen_rows, versions)
            stops = _release(gate, case, {int(v): seen[i] for i, v in enumerate(versions)}, d, weak)
        else:
            stops = _trained_on(case, *scenario.flags(tester))
    served, arrivals = run(stops)
    rightly = 0.0
    for a in arrivals:
        if a.blocked:
            ahead = slice(int(case.clean.bounds[a.window]), None)
            rightly += float(by_version[a.version][ahead].mean() < by_version[a.serving][ahead].mean())
    return served, arrivals, by_version, rightly


def _release(gate: ReleaseGate, case: Case, seen: Mapping[int, np.ndarray], d: Any, weak: np.ndarray) -> Any:
    """Stop versions that are worse than what serves on the labelled rows after their training."""

    def stops(version: int, serving: int, window: int) -> bool:
        first, last = version + 1, window - 1 - d.label_delay
        if last < first:
            return False
        place = slice(int(case.clean.bounds[first]), int(case.clean.bounds[last + 1]))
        rows = case.seen_rows.take(place)
        verdict = gate.verdict(seen[version][place], seen[serving][place], rows, case.seen.g[place])
        found = {part.column for part in verdict.slices if part.p <= gate.alpha and part.n < len(rows)}
        for column in found:
            weak[-1 if column is None else column] += 1.0
        return verdict.blocked

    return stops


def _trained_on(case: Case, found: Flags, limit: Limit | None) -> Any:
    """Stop versions that were trained on more flagged rows than chance explains."""

    def stops(version: int, serving: int, window: int) -> bool:
        first = max(int(case.starts[version]), case.clean.warmup)
        if version < first:
            return False
        place = slice(int(case.clean.bounds[first]), int(case.clean.bounds[version + 1]))
        flagged = found.rows[place]
        if limit is None:
            return bool(flagged.any())
        return limit.surprise(int(flagged.sum()), len(flagged)) >= surprise(BLOCK_LEVEL)

    return stops


def _accuracy(case: Case, served: np.ndarray, right: Mapping[int, np.ndarray]) -> np.ndarray:
    """Return the accuracy of what serves on the clean rows of each window, NaN in the warm-up."""
    found = np.full(case.clean.windows, np.nan)
    for t in range(case.clean.warmup, case.clean.windows):
        place = slice(int(case.clean.bounds[t]), int(case.clean.bounds[t + 1]))
        found[t] = right[int(served[t])][place].mean()
    return found


def _worth(
    case: Case, served: np.ndarray, right: Mapping[int, np.ndarray], metrics: dict[str, float]
) -> np.ndarray:
    """Fill in how good the answers are; return that by group, float64 (G,)."""
    first = case.warmup_rows
    serving = served[case.window]
    answers = np.zeros(len(case.clean.y), dtype=np.bool_)
    for version in np.unique(serving[first:]):
        rows = serving == version
        answers[rows] = right[int(version)][rows]
    metrics["score"] = float(answers[first:].mean())
    groups = case.clean.g[first:]
    by_group = _by_group(case, answers[first:], groups)
    metrics["score_worst_group"] = float(np.nanmin(by_group))
    return by_group


def _by_group(case: Case, values: np.ndarray, groups: np.ndarray) -> np.ndarray:
    """Return means by group, float64 (G,); NaN for a group without rows."""
    found = np.full(int(case.clean.g.max()) + 1, np.nan)
    for g in np.unique(groups):
        found[g] = values[groups == g].mean()
    return found


def _dropped(
    case: Case, material: Material, metrics: dict[str, float], reasons: dict[str, str]
) -> np.ndarray:
    """Fill in how many rows are thrown away; return the share of the right ones by group, float64 (G,)."""
    first = case.warmup_rows
    gone = ~material.keep[first:]
    metrics["dropped"] = float(gone.mean())
    clean = ~case.wrong[first:] & ~case.noisy[first:]
    by_group = _by_group(case, gone[clean], case.seen.g[first:][clean])
    if clean.any():
        metrics["dropped_clean"] = float(gone[clean].mean())
    known = by_group[np.isfinite(by_group)]
    if len(known) > 1:
        metrics["dropped_gap"] = float(known.max() - known.min())
    else:
        reasons["dropped_gap"] = "there is one group only"
    return by_group


def _detection(
    case: Case, found: Flags, level: Level, metrics: dict[str, float], reasons: dict[str, str]
) -> None:
    first = case.warmup_rows
    # rows with noise of the stream's own are neither to be found nor to be left alone
    sure = first + np.flatnonzero(~case.noisy[first:])
    truth, score = case.wrong[sure], found.score[sure]
    metrics["auroc"], metrics["auprc"] = auroc(score, truth), auprc(score, truth)
    metrics["f1_at_contamination"] = precision_at(score, truth, int(truth.sum()))
    metrics["recall"] = float(found.rows[sure][truth].mean()) if truth.any() else math.nan
    metrics["false_alarm"] = false_alarm_rate(case, found)
    metrics["attained"] = attained_rate(case, found)
    metrics["noise_found"] = noise_found(case, found)
    if not case.noisy[first:].any():
        reasons["noise_found"] = "the stream has no label noise of its own"
    if level is not Level.BATCH:
        metrics["recall_at_5pct"] = recall_at(score, truth, EQUAL_RATE)
    if found.at_limit is not None:
        like = ~case.wrong[first:]
        metrics["at_limit"] = float(found.at_limit[first:][like].mean()) if like.any() else math.nan
    elif level is not Level.BATCH:
        reasons["at_limit"] = "it has no limit"
    metrics["rows_flagged"] = float(found.rows[first:].mean())
    metrics["constant"] = float(is_constant(score))
    cells = case.seen.corrupted
    if found.cell_score is None:
        reasons["cell_auroc"] = "it tells no cells apart"
    elif cells is None or not cells[first:].any():
        reasons["cell_auroc"] = "no cell is wrong"
    else:
        metrics["cell_auroc"] = auroc(found.cell_score[first:].ravel(), cells[first:].ravel())
    wrong = np.add.reduceat(case.wrong, case.clean.bounds[:-1]) > 0
    late = np.arange(case.clean.windows) >= case.clean.warmup
    if (wrong & late).any():
        metrics["batch_recall"] = float(found.batches[wrong & late].mean())
        onset = int(np.flatnonzero(wrong)[0])
        hits = np.flatnonzero(found.batches & wrong)
        if len(hits):
            metrics["batch_delay"] = float(hits[0] - onset)
        else:
            reasons["batch_delay"] = "no corrupted window was flagged"
    if (~wrong & late).any():
        metrics["batch_false_alarm"] = float(found.batches[~wrong & late].mean())
    else:
        reasons["batch_false_alarm"] = "every window is corrupted"
