"""Cells of the fairness track: what an audit or a battery says of a deployment, and what is true of it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from mlopsim.core.digest import canonical_json
from mlopsim.core.seeds import Split
from mlopsim.core.spec import make
from mlopsim.core.track import Cell, FitResult, Outcome
from mlopsim.fairness.audit import Audit, Findings, Source
from mlopsim.fairness.batteries import Battery
from mlopsim.fairness.calibration import Limit
from mlopsim.fairness.deployment import Deployment, Views
from mlopsim.fairness.evidence import Evidence
from mlopsim.fairness.explaining import Explaining
from mlopsim.fairness.guarding import Guarded, guard
from mlopsim.fairness.norm_violations import Truth, Violation
from mlopsim.learners.base import Model
from mlopsim.streams.stream import BiasTruth, Norm
from mlopsim.tracks.fairness.controls import CONTROLS
from mlopsim.tracks.fairness.fits import audit_rng, examine, limit_from, open_deployment
from mlopsim.tracks.fairness.metrics import GUARDED, METRICS, RATES


@dataclass(kw_only=True)
class Candidates:
    """Models, what audits see of them, and what single audits found so far.

    Parameters
    ----------
    models : list of Model
        One for each audited window.
    views : Views
    again : Views
        The same with explanations that were drawn once more.
    """

    models: list[Model]
    views: Views
    again: Views
    found: dict[str, Findings] = field(default_factory=dict)


@dataclass(kw_only=True)
class Scenario:
    """A deployment, its truth, and what was found out about it so far."""

    deployment: Deployment
    split: Split
    index: int
    root: int
    truth: Truth
    tolerated: Mapping[str, float]
    plain: Candidates
    _reweighed: Candidates | None = None
    _violations: dict[tuple[int, float], Violation] = field(default_factory=dict)
    _models: list[Model] = field(default_factory=list)

    @property
    def bias(self) -> BiasTruth:
        """The truth about the bias."""
        assert self.deployment.stream.bias is not None
        return self.deployment.stream.bias

    @property
    def windows(self) -> int:
        """Number of audited windows."""
        return len(self.deployment.audited)

    @property
    def strength(self) -> np.ndarray:
        """Strength of the bias in the audited windows, float64 (T,)."""
        found: np.ndarray = self.bias.strength[self.deployment.stream.warmup :]
        return found

    @property
    def norm(self) -> Norm:
        """The norm that is violated; none where the bias never has any strength."""
        return self.bias.norm if self.bias.strength.max() > 0.0 else Norm.NONE

    @property
    def onset(self) -> int | None:
        """First audited window with a bias; None: there is none, or nothing is wrong about it."""
        if self.bias.norm is Norm.NONE or self.bias.onset is None:
            return None
        return self.bias.onset - self.deployment.stream.warmup

    @property
    def waiting(self) -> np.ndarray:
        """Windows from the onset on of which the last labelled rows are from before it, bool (T,)."""
        found = np.zeros(self.windows, dtype=np.bool_)
        if self.onset is not None:
            found[self.onset : self.onset + self.deployment.label_delay] = True
        return found

    def reweighed(self) -> Candidates:
        """Return the models that are trained so that group and label are independent."""
        if self._reweighed is None:
            self._reweighed = candidates(self.deployment, self.deployment.train(reweighed=True))
        return self._reweighed

    def violation(self, model: Model, window: int) -> Violation:
        """Return how far a model is from each norm in an audited window."""
        place = next((i for i, known in enumerate(self._models) if known is model), None)
        if place is None:
            place = len(self._models)
            self._models.append(model)
        key = place, float(self.strength[window])
        if key not in self._violations:
            self._violations[key] = self.truth.violation(model, key[1])
        return self._violations[key]

    def harms(self, model: Model, window: int) -> bool:
        """Say whether a model violates the bias's norm by more than is tolerated."""
        if self.bias.norm is Norm.NONE:
            return False
        limit = self.tolerated[self.bias.norm.name.lower()]
        return self.violation(model, window).of(self.bias.norm) > limit

    def single(self, content: Mapping[str, Any], who: Candidates, *, again: bool = False) -> Findings:
        """Return what one audit finds; each looks once."""
        key = canonical_json(content) + (" again" if again else "")
        if key not in who.found:
            views = who.again if again else who.views
            (who.found[key],) = examine([content], views, self.split, self.index, self.root)
        return who.found[key]


def candidates(deployment: Deployment, models: list[Model]) -> Candidates:
    """Return models with what audits see of them."""
    views = deployment.views(models)
    again = Views(newest=_redrawn(views.newest), labelled=_redrawn(views.labelled))
    return Candidates(models=models, views=views, again=again)


def _redrawn(evidence: Evidence) -> Evidence:
    """Return the same evidence with explanations that are drawn once more."""
    explain = evidence.explain
    assert explain is not None
    return replace(evidence, explain=lambda name, repeat: explain(name, repeat + 1), _explained={})


def open_scenario(cell: Cell) -> Scenario:
    """Draw the deployment of a cell."""
    part = cell.task.part
    split = Split.parse(cell.split)
    explaining = Explaining.of(part["explain"])
    deployment = open_deployment(part, split, cell.seed, cell.root, explaining)
    return Scenario(
        deployment=deployment,
        split=split,
        index=cell.seed,
        root=cell.root,
        truth=Truth(source=make("stream", part["stream"]), encode=deployment.encode),
        tolerated=part["tolerated"],
        plain=candidates(deployment, deployment.train()),
    )


def run_cells(cells: Sequence[Cell], fits: Mapping[str, FitResult]) -> list[Outcome]:
    """Run cells; those of one task and seed share deployment, explanations and findings."""
    scenario: Scenario | None = None
    at: tuple[str, int, str, int] | None = None
    outcomes = []
    for cell in cells:
        place = cell.task.digest, cell.seed, cell.split, cell.root
        if scenario is None or place != at:
            scenario, at = open_scenario(cell), place
        info = fits[cell.fit].info if cell.fit is not None else None
        outcomes.append(run_cell(cell, scenario, info))
    return outcomes


@dataclass(kw_only=True)
class Said:
    """What a method says of candidates, window by window.

    Parameters
    ----------
    alarms : ndarray of bool, shape (T,)
    position : ndarray of float64, shape (T,)
        On the chart, 1 being the limit; NaN where there is none.
    blame : ndarray of float64, shape (T, d), or None
    stale : ndarray of bool, shape (T,), or None
        Alarms after the onset of the bias that come from rows before it only: labels that are late. They find
        nothing. None: there are none.
    """

    alarms: np.ndarray
    position: np.ndarray
    blame: np.ndarray | None = None
    stale: np.ndarray | None = None

    def early(self, onset: int) -> bool:
        """Say whether it alarms before the onset, or on account of what was before it."""
        return bool(self.alarms[:onset].any()) or (self.stale is not None and bool(self.stale.any()))

    def hits(self, onset: int) -> np.ndarray:
        """Return the windows from the onset on in which it alarms on account of them, rising int64."""
        right = self.alarms if self.stale is None else self.alarms & ~self.stale
        found: np.ndarray = onset + np.flatnonzero(right[onset:])
        return found


def said_by(cell: Cell, scenario: Scenario, info: Mapping[str, Any] | None, who: Candidates) -> Said:
    """Return what the method of a cell says of candidates."""
    part, windows = cell.method.part, scenario.windows
    nothing = np.full(windows, np.nan)
    if part["control"] is not None:
        alarms = CONTROLS[part["control"]].alarms(who.models, scenario.harms)
        return Said(alarms=alarms, position=nothing)
    assert info is not None
    found = [scenario.single(content, who) for content in info["audits"]]
    audit: Audit = make("audit", part["audit"])
    waiting = scenario.waiting
    if part["rule"]:
        rule = found[0].rule
        assert rule is not None
        return Said(
            alarms=rule,
            position=nothing,
            blame=found[0].blame,
            stale=rule & waiting if audit.waits and waiting.any() else None,
        )
    limit = limit_from(info)
    u = audit_rng({"ties": part["audit"]}, scenario.split, scenario.index, scenario.root).random(windows)
    if not isinstance(audit, Battery):
        score = found[0].score
        alarms = limit.alarms(score, u)
        stale = alarms & waiting if audit.waits and waiting.any() else None
        return Said(alarms=alarms, position=limit.position(score), blame=found[0].blame, stale=stale)
    limits = [Limit(**limit) for limit in info["limits"]]
    positions = np.array([lim.position(f.score) for lim, f in zip(limits, found, strict=True)])
    score = audit.combine(positions)
    alarms, stale = limit.alarms(score, u), None
    late = np.array([make("audit", content).waits for content in info["audits"]])
    if late.any() and waiting.any():
        # what the audits say that have seen something of the bias
        positions = np.where(late[:, None] & waiting, np.nan, positions)
        stale = alarms & waiting & ~limit.alarms(audit.combine(positions), u)
    blame = audit.blamed(positions, [f.blame for f in found])
    return Said(alarms=alarms, position=limit.position(score), blame=blame, stale=stale)


def run_cell(cell: Cell, scenario: Scenario, info: Mapping[str, Any] | None) -> Outcome:
    """Run one cell."""
    metrics: dict[str, float] = {metric.name: math.nan for metric in METRICS}
    reasons: dict[str, str] = {}
    part = cell.method.part
    said = said_by(cell, scenario, info, scenario.plain)
    _alarms(scenario, said, metrics, reasons)
    _blame(cell, scenario, info, said, metrics, reasons)
    _limits(part, info, metrics, reasons)
    curves = {"position": said.position, "alarms": said.alarms.astype(np.float64)}
    if part["control"] is not None and CONTROLS[part["control"]].shows_truth:
        found = [scenario.violation(m, t) for t, m in enumerate(scenario.plain.models)]
        for name in ("treatment", "impact", "errors", "accuracy"):
            curves[name] = np.array([getattr(v, name) for v in found])
    if cell.task.part["guard"]:
        curves |= _guarded(cell, scenario, info, said, metrics)
    else:
        text = "nothing is guarded in this task"
        reasons |= dict.fromkeys(GUARDED, text)
    reasons = {name: text for name, text in reasons.items() if math.isnan(metrics[name])}
    # a rule of thumb shares the fit of its audit's limit, but not that limit
    own = info if info is not None and not part["rule"] else {"exact": None, "met": None}
    facts = {name: own[name] for name in ("exact", "met")}
    return Outcome(metrics=metrics, reasons=reasons, curves=curves, attributes=facts)


def _alarms(scenario: Scenario, said: Said, metrics: dict[str, float], reasons: dict[str, str]) -> None:
    """Fill in power, false blocks, delay and lead."""
    windows, onset = scenario.windows, scenario.onset
    if onset is None:
        metrics["false_block"] = float(said.alarms.any())
        why = "nothing is wrong in this task"
        names = ("power", "early", "delay", "restricted_delay", "lead", "harmful")
        reasons |= dict.fromkeys(names, why)
        return
    reasons["false_block"] = "something is wrong in this task"
    metrics["early"] = float(said.early(onset))
    hits = said.hits(onset)
    metrics["power"] = float(len(hits) > 0)
    metrics["restricted_delay"] = float((hits[0] if len(hits) else windows) - onset)
    if len(hits):
        metrics["delay"] = float(hits[0] - onset)
    else:
        reasons["delay"] = "it was not found"
    harmed = [t for t in range(onset, windows) if scenario.harms(scenario.plain.models[t], t)]
    metrics["harmful"] = float(len(harmed) > 0)
    if harmed:
        metrics["lead"] = float(harmed[0] - (hits[0] if len(hits) else windows))
    else:
        reasons["lead"] = "no harm follows"


def _blame(
    cell: Cell,
    scenario: Scenario,
    info: Mapping[str, Any] | None,
    said: Said,
    metrics: dict[str, float],
    reasons: dict[str, str],
) -> None:
    """Fill in whether the right feature is blamed at the first alarm, and whether the blame is stable."""
    responsible, onset = scenario.bias.features, scenario.onset
    hits = said.hits(scenario.windows if onset is None else onset)
    if said.blame is None:
        reasons["blamed"] = reasons["stable"] = "it blames no feature"
        return
    if not len(hits):
        reasons["blamed"] = "nothing was found"
    elif not responsible:
        reasons["blamed"] = "no feature is responsible"
    elif np.isnan(said.blame[hits[0]]).all():
        reasons["blamed"] = "what raised the alarm blames no feature"
    else:
        metrics["blamed"] = float(int(np.nanargmax(said.blame[hits[0]])) in responsible)
    part = cell.method.part
    if info is None or part["arm"] or part["rule"]:
        reasons["stable"] = "it is not one explanation"
        return
    if not make("audit", part["audit"]).needs & {Source.SHAP, Source.LIME}:
        reasons["stable"] = "nothing is drawn"
        return
    other = scenario.single(part["audit"], scenario.plain, again=True).blame
    assert other is not None
    known = ~(np.isnan(said.blame).all(axis=1) | np.isnan(other).all(axis=1))
    if known.any():
        same = np.nanargmax(said.blame[known], axis=1) == np.nanargmax(other[known], axis=1)
        metrics["stable"] = float(same.mean())
    else:
        reasons["stable"] = "not enough data"


def _limits(
    part: Mapping[str, Any],
    info: Mapping[str, Any] | None,
    metrics: dict[str, float],
    reasons: dict[str, str],
) -> None:
    """Fill in what fresh deployments without bias show of the limit."""
    if info is None:
        reasons |= dict.fromkeys((*RATES, "missing"), "it has no limit")
        return
    rate = info["rule"] if part["rule"] else info["rate"]
    metrics |= dict(zip(RATES, rate, strict=True))
    metrics["missing"] = info["missing"]


def _guarded(
    cell: Cell,
    scenario: Scenario,
    info: Mapping[str, Any] | None,
    said: Said,
    metrics: dict[str, float],
) -> dict[str, np.ndarray]:
    """Let the method guard the deployment; return curves of what serves."""
    again = scenario.reweighed()
    mended = said_by(cell, scenario, info, again).alarms
    deployment = scenario.deployment
    release = np.array([deployment.release(t) for t in deployment.audited])
    served: Guarded = guard(said.alarms, mended, release)
    models = {0: scenario.plain.models, 1: again.models}
    # before anything is audited the first model serves
    first = scenario.plain.models[0]
    serving = [
        first if v < 0 else models[int(k)][int(v)] for v, k in zip(served.version, served.kind, strict=True)
    ]
    found = [scenario.violation(model, t) for t, model in enumerate(serving)]
    biased = np.array([scenario.harms(model, t) for t, model in enumerate(serving)])
    wrong = np.array([scenario.harms(model, t) for t, model in enumerate(scenario.plain.models)])
    metrics["served_biased"] = float(biased.mean())
    metrics["served_accuracy"] = float(np.mean([v.accuracy for v in found]))
    metrics["served_violation"] = float(np.mean([v.of(scenario.norm) for v in found]))
    _count(said.alarms, wrong, release, metrics)
    metrics["mended"] = float((served.kind == 1).sum())
    return {
        "served_impact": np.array([v.impact for v in found]),
        "served_treatment": np.array([v.treatment for v in found]),
        "served_errors": np.array([v.errors for v in found]),
        "served_accuracy": np.array([v.accuracy for v in found]),
    }


def _count(alarms: np.ndarray, wrong: np.ndarray, release: np.ndarray, metrics: dict[str, float]) -> None:
    """Fill in how many models were blocked rightly, wrongly, or let through.

    A model is audited in several windows: it is blocked rightly if it is in one in which it is biased, let
    through if it is biased in some and blocked in none of these, blocked wrongly if it never is biased.
    """
    which = np.unique(release, return_inverse=True)[1]
    biased, stopped, right = (np.bincount(which, part) > 0 for part in (wrong, alarms, alarms & wrong))
    metrics["blocked_rightly"] = float(right.sum())
    metrics["blocked_wrongly"] = float((stopped & ~biased).sum())
    metrics["let_through"] = float((biased & ~right).sum())
