"""Cells of the drift track: run the detector with its calibrated limits, score its alarms."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from mlopsim.core.digest import digest
from mlopsim.core.errors import ConfigError
from mlopsim.core.identity import identity_words
from mlopsim.core.seeds import Axis, Split, seed_sequence
from mlopsim.core.spec import make
from mlopsim.core.track import Attribute, Cell, FitResult, Outcome
from mlopsim.drift.calibration import Boundary
from mlopsim.drift.detector import Detector
from mlopsim.drift.direction import Direction, in_one_word
from mlopsim.drift.law import Law
from mlopsim.drift.scenario import CHANNELS, Place, Scenario, Source
from mlopsim.drift.scoring import Score
from mlopsim.drift.signal import Known
from mlopsim.tracks.drift.controls import follows_rate, knows_changes
from mlopsim.tracks.drift.directed_score import score_of, ways_of
from mlopsim.tracks.drift.evidence import evidence, pictured
from mlopsim.tracks.drift.fits import Calibration, informed, with_threshold
from mlopsim.tracks.drift.metrics import METRICS
from mlopsim.tracks.drift.tuning import with_setting

#: parts of a task that the seed of a detector hangs on, beside the detector
SEEDED = ("signal", "stream", "learner", "training", "deployment")
#: what of a Score becomes a metric
SCORED = (
    "restricted_delay",
    "delay",
    "recall",
    "precision",
    "f1",
    "episode_recall",
    "false_per_1000",
    "extra",
    "chance_recall",
    "mtfa",
    "mtd",
    "mdr",
    "mtr",
    "harmless_alarmed",
)
#: what a deployment adds
WORTH = (
    *("return", "upper", "lower", "retrains", "wait"),
    *("return_best", "retrains_best", "wait_best", "arl0_best"),
)
#: why a score is undefined where nothing changes
NOTHING = "no change to find"
#: what a fit tells of the limit that a cell uses
FITTED = (
    "target",
    "share",
    "share_low",
    "share_high",
    "restricted_mean",
    "censored",
    "early",
    "rate",
    "rate_low",
    "rate_high",
    "hazard",
    "hazard_low",
    "hazard_high",
)
#: what of the Score of the falls of a frozen model's error becomes a metric
SCORED_FALLS = ("restricted_delay", "delay", "recall", "chance_recall")


def channel_of(detector: Detector, source: Source) -> tuple[str, str]:
    """Return the channel that a detector reads of what a source offers, or why there is none.

    Returns
    -------
    channel, reason : str
        One of the two is empty.
    """
    accepted = detector.accepted()
    for name in source.offered():
        if CHANNELS[name] in accepted:
            return name, ""
    offered = ", ".join(source.offered())
    return "", f"{detector.full_name} reads {detector.reads.value}, the task offers {offered} only"


def known_laws(detector: Detector, source: Source) -> list[dict[str, float]] | str | None:
    """Return the laws before and after the change for a detector that knows them.

    Returns
    -------
    list of dict, str or None
        The parameters of both laws; why nobody can know them; None for a detector that knows nothing.
    """
    if detector.known is Known.NOTHING:
        return None
    laws: tuple[Law, Law] | None = getattr(source, "laws", None)
    fill_in = getattr(detector, "informed", None)
    if laws is None or fill_in is None:
        return f"{detector.full_name} needs parameters that are not known beforehand in this task"
    try:
        fill_in(*laws)
    except ConfigError as error:
        return error.message
    return [dataclasses.asdict(law) for law in laws]


@dataclass(frozen=True, kw_only=True)
class Limits:
    """The limits of a method at each arl0, as :func:`mlopsim.tracks.drift.fits.make_fit` found them.

    Parameters
    ----------
    arl0 : ndarray of float64, shape (A,)
        In rows.
    boundaries : list of Boundary
        One each.
    fit : FitResult or None
        None where nothing was calibrated.
    """

    arl0: np.ndarray
    boundaries: list[Boundary]
    fit: FitResult | None

    @classmethod
    def of(cls, fit: FitResult) -> Limits:
        """Read a fit."""
        a = fit.arrays
        rows = zip(a["threshold"], a["lower"], a["weight"], fit.info["reasons"], strict=True)
        boundaries = [
            Boundary(threshold=float(t), lower=float(low), weight=float(w), reason=r) for t, low, w, r in rows
        ]
        return cls(arl0=a["arl0"], boundaries=boundaries, fit=fit)

    def place(self, arl0: float) -> int:
        """Return the entry of an arl0."""
        return int(np.argmin(np.abs(self.arl0 - arl0)))

    def metrics(self, arl0: float) -> dict[str, float]:
        """Return what is known of the limit: asked and attained share of alarms within H, and so on."""
        if self.fit is None:
            return dict.fromkeys(FITTED, math.nan)
        place = self.place(arl0)
        return {name: float(self.fit.arrays[name][place]) for name in FITTED}

    def met(self, arl0: float) -> bool | None:
        """Return whether fresh signals show what was asked; None where nothing was calibrated or found."""
        value = math.nan if self.fit is None else float(self.fit.arrays["met"][self.place(arl0)])
        return None if math.isnan(value) else value == 1.0


def seed_of(cell: Cell) -> np.random.SeedSequence:
    """Return the seed of a method's own random numbers in a cell."""
    parts = (cell.task.part[kind] for kind in SEEDED)
    words = identity_words(cell.method.part["detector"], *parts)
    return seed_sequence(Axis.METHOD, Split.parse(cell.split), cell.seed, *words, root=cell.root)


def place_of(cell: Cell) -> Place:
    """Return the scenario of a cell."""
    part = cell.task.part
    return Place(
        stream=part["stream"], learner=part["learner"], split=cell.split, index=cell.seed, root=cell.root
    )


@dataclass(frozen=True, kw_only=True)
class Reader:
    """The detector of a cell with what it knows, and what it reads; ``reason``: why it reads nothing."""

    detector: Detector
    source: Source
    channel: str
    reason: str


def reader_of(cell: Cell, fits: Mapping[str, FitResult]) -> Reader:
    """Return the detector of a cell, without its limit."""
    source: Source = make("signal", cell.task.part["signal"])
    detector: Detector = make("detector", cell.method.part["detector"])
    channel, reason = channel_of(detector, source)
    laws = known_laws(detector, source)
    if reason or isinstance(laws, str):
        return Reader(detector=detector, source=source, channel=channel, reason=reason or str(laws))
    detector = informed(detector, laws)
    if cell.fit is not None:
        # what tuning chose, where it was asked for
        detector = with_setting(detector, fits[cell.fit].info.get("setting", {}))
    return Reader(detector=detector, source=source, channel=channel, reason="")


def run_cells(
    cells: Sequence[Cell],
    fits: Mapping[str, FitResult],
    calibration: Calibration,
    tolerance: int,
    wait: int | None,
) -> list[Outcome]:
    """Run cells; those of one task and seed read the same signals, each drawn once.

    Parameters
    ----------
    cells : sequence of Cell
        Any cells of the track.
    fits : mapping of str to FitResult
        The calibrations that they name.
    calibration : Calibration
        Settings of the track.
    tolerance : int
        Rows after the end of a change within which an alarm counts for it.
    wait : int or None
        Windows between an alarm and the retrain that it triggers; None: those that were tuned.
    """
    scenarios: dict[tuple[str, int, str], Scenario] = {}
    outcomes = []
    for cell in cells:
        reader = reader_of(cell, fits)
        if reader.reason:
            outcomes.append(undefined(reader.reason))
            continue
        place = cell.task.digest, cell.seed, reader.channel
        if place not in scenarios:
            scenarios[place] = reader.source.scenario(place_of(cell), reader.channel)
        outcome = _run_cell(cell, reader.detector, scenarios[place], fits, calibration, tolerance, wait)
        outcome.attributes |= {"channel": reader.channel}
        outcomes.append(outcome)
    return outcomes


def undefined(reason: str) -> Outcome:
    """Return an outcome without numbers, of a cell in which nothing was read."""
    names = [metric.name for metric in METRICS]
    facts: dict[str, Attribute] = {"channel": None, "met": None, "direction": None}
    return Outcome(
        metrics=dict.fromkeys(names, math.nan), reasons=dict.fromkeys(names, reason), attributes=facts
    )


def _run_cell(
    cell: Cell,
    detector: Detector,
    scenario: Scenario,
    fits: Mapping[str, FitResult],
    calibration: Calibration,
    tolerance: int,
    wait: int | None,
) -> Outcome:
    limits = limits_of(cell, fits, calibration)
    scores: list[Score | None] = []
    runs: list[tuple[Detector, np.ndarray] | None] = []
    main = limits.place(calibration.arl0)
    for number in range(len(limits.arl0)):
        ready = limited(cell, detector, scenario, limits, number)
        if ready is None:
            scores.append(None)
            runs.append(None)
            continue
        alarms = alarm_rows(cell, ready, scenario)
        scores.append(score_of(alarms, scenario, tolerance, Direction.RISE, _lag(ready, scenario)))
        runs.append((ready, alarms))
    now, run = scores[main], runs[main]
    if now is None or run is None:
        reason = limits.boundaries[main].reason
        outcome = undefined(f"no limit gives the asked behaviour: {reason}")
        outcome.metrics |= limits.metrics(calibration.arl0)
        outcome.reasons = {
            name: r for name, r in outcome.reasons.items() if math.isnan(outcome.metrics[name])
        }
        return outcome
    chosen, shown = run
    metrics = {name: float(getattr(now, name)) for name in SCORED}
    falls = score_of(shown, scenario, tolerance, Direction.FALL, _lag(chosen, scenario))
    metrics |= {f"fall_{name}": float(getattr(falls, name)) for name in SCORED_FALLS}
    metrics |= {"rises": float(now.drifts), "falls": float(falls.drifts)}
    metrics |= {"alarms": float(len(shown)), "risk_change": scenario.risk_change}
    metrics["harmless_risk"] = float(np.mean(scenario.harmless_risk)) if scenario.harmless_risk else math.nan
    metrics |= limits.metrics(calibration.arl0) | dict.fromkeys(WORTH, math.nan)
    before = min((start for start, _ in (*scenario.harmful, *scenario.harmless)), default=scenario.rows)
    metrics |= {"alarm_before": float((shown < before).any()), "rows_before": float(before)}
    reasons = {name: _reason_of(text, scenario, "rises") for name, text in now.reasons.items()}
    for name in SCORED_FALLS:
        if name in falls.reasons:
            reasons[f"fall_{name}"] = _reason_of(falls.reasons[name], scenario, "falls")
    outcome = Outcome(metrics=metrics, reasons=reasons)
    outcome.attributes["direction"] = in_one_word(scenario.directions) if scenario.directions else None
    # of the arl0 of this track: a fit is shared by tracks that differ in which of its limits they use
    outcome.attributes["met"] = limits.met(calibration.arl0)
    outcome.curves = {
        "alarms": shown,
        "harmful": _spans(scenario.harmful),
        "harmless": _spans(scenario.harmless),
        "harmful_rises": np.array([way is Direction.RISE for way in ways_of(scenario)], dtype=np.bool_),
        "harmful_falls": np.array([way is Direction.FALL for way in ways_of(scenario)], dtype=np.bool_),
    }
    for name in ("restricted_delay", "recall", "false_per_1000"):
        outcome.curves[f"by_arl0_{name}"] = np.array(
            [math.nan if s is None else getattr(s, name) for s in scores], dtype=np.float64
        )
    outcome.curves["by_arl0_arl0"] = limits.arl0
    outcome.curves |= evidence(limits.fit if cell.fit is None else fits[cell.fit], main)
    if chosen.pictured and cell.seed == 0:
        outcome.curves |= pictured(chosen, scenario)
    _explained(outcome, scenario, limits)
    if cell.task.part["deployment"] is not None:
        from mlopsim.tracks.drift.worth import add_worth

        tuned = fits[cell.fit] if wait is None and cell.fit is not None else None
        add_worth(outcome, cell, runs, main, limits.arl0, scenario, wait, tuned, seed_of(cell))
    return outcome


def _lag(detector: Detector, scenario: Scenario) -> int:
    """Return until when nobody can answer a change, but who knows it: the first label of the new law."""
    return 0 if knows_changes(detector) else scenario.channel.lag


def _reason_of(text: str, scenario: Scenario, what: str) -> str:
    """Say of which direction there is no change to find."""
    return f"{text}: the error {what} at none" if text == NOTHING and scenario.harmful else text


def _explained(outcome: Outcome, scenario: Scenario, limits: Limits) -> Outcome:
    """Give every number that is undefined its reason."""
    text = "this control is not calibrated" if limits.fit is None else "no limit was found"
    texts = dict.fromkeys(FITTED, text)
    texts |= dict.fromkeys(WORTH, "this task has no deployment, or the wait was given and not tuned")
    texts["risk_change"] = "known where there is a model and something changes"
    texts["harmless_risk"] = (
        "no rows before or after" if scenario.harmless_risk else "no harmless change, or no model"
    )
    for name, value in outcome.metrics.items():
        if math.isnan(value):
            outcome.reasons.setdefault(name, texts.get(name, "undefined"))
    return outcome


def _spans(spans: Sequence[tuple[int, int]]) -> np.ndarray:
    return np.array(spans, dtype=np.int64).reshape(-1, 2)


def limits_of(cell: Cell, fits: Mapping[str, FitResult], calibration: Calibration) -> Limits:
    """Return the limits of a cell's method."""
    if cell.fit is not None and "threshold" in fits[cell.fit].arrays:
        return Limits.of(fits[cell.fit])
    arl0 = np.array(calibration.all_arl0)
    nan = math.nan
    free = Boundary(threshold=nan, lower=nan, weight=0.0)
    return Limits(arl0=arl0, boundaries=[free] * len(arl0), fit=None)


def limited(
    cell: Cell, detector: Detector, scenario: Scenario, limits: Limits, number: int
) -> Detector | None:
    """Return the method as it runs in a cell at one arl0; None where no limit gives the asked behaviour."""
    seed = seed_of(cell)
    rng = np.random.default_rng(np.random.SeedSequence(seed.entropy, spawn_key=(*seed.spawn_key, 1)))
    if limits.fit is None:
        if follows_rate(detector):
            return detector.at_rate(float(limits.arl0[number]), scenario.channel.rows, rng)
        return detector
    found = limits.boundaries[number]
    if found.reason:
        return None
    return with_threshold(detector, found.draw(rng))


def alarm_rows(cell: Cell, detector: Detector, scenario: Scenario) -> np.ndarray:
    """Return the rows at which alarms were raised, int64."""
    if knows_changes(detector):
        # it knows the rows: neither windows nor late labels hold it up
        starts = np.unique(np.array([start for start, _ in scenario.harmful], dtype=np.int64))
        return starts[starts < scenario.rows]
    alarms = detector.alarms(scenario.channel.signal, np.random.default_rng(seed_of(cell)))
    times = scenario.channel.times(alarms)
    return times[times < scenario.rows]


def bundle_of(cell: Cell) -> str:
    """Return the key of what cells of one scenario share."""
    part = cell.task.part
    return digest([part["signal"], part["stream"], part["learner"], cell.split, cell.seed, cell.root])
