"""Contract checks of how gates react: to errors, to strange rows, and to clean ones."""

from __future__ import annotations

import math
from functools import partial
from typing import Any

import numpy as np

from mlopsim.checks import gate_probes as probes
from mlopsim.checks.base import require
from mlopsim.checks.gate_probes import ready, rng, says
from mlopsim.quality.batch_gate import flag_batch
from mlopsim.quality.calibration import Limit
from mlopsim.quality.gate import NOTHING, Gate, Level
from mlopsim.quality.release_gate import ReleaseGate
from mlopsim.quality.scoring import auroc
from mlopsim.quality.stages import flags
from mlopsim.quality.train_gate import TrainGate

#: area under the ROC curve that gross errors must not fall below, and that one of them must reach
LEAST, REACTS = 0.4, 0.7
#: false-alarm rate that is asked for, and ``-log10`` of the chance at which more alarms are too many
ALPHA, SURE = 0.1, 6.0
#: clean batches, and pairs of versions that are equally good
TRIALS = 100
#: rows, a third of them with an error
PLENTY = 300
#: what release gates are shown
WORSE = "a worse version"


def strange(cls: type[Any]) -> None:
    """Check missing, unseen and huge values, and a reference without any variety."""
    if cls.known != NOTHING:
        return
    known, fresh = probes.reference(), probes.rows()
    alike = probes.spoilt(known, probes.COPIES)
    huge = fresh.X.copy()
    huge[::3, probes.NUMERIC] = 1e100
    cases = {
        "rows with missing values": (known, probes.spoilt(fresh, "missing values")),
        "rows of an unseen category": (known, probes.spoilt(fresh, "an unseen category")),
        "rows with values of 1e100": (known, probes.encoded(huge, fresh.y)),
        "reference rows that are all alike": (alike, fresh),
    }
    for name, (reference, asked) in cases.items():
        found = probes.answered(partial(says, ready(cls), reference, asked), name)
        if found is None or cls.level is Level.BATCH:
            continue
        if cls.level is Level.CELL:
            known_cells = found[~np.isnan(found)]
            fine = len(known_cells) > 0 and bool(np.isfinite(known_cells).all())
            require(fine, f"{name}: a cell's score is infinite, or all are NaN")
            continue
        require(bool(np.isfinite(found).all()), f"{name}: a score is not finite", remedy="look at rows.Z")


def _reactions(cls: type[Any]) -> dict[str, float]:
    """Return the area under the ROC curve of each gross error against clean rows, batches or versions."""
    gate = ready(cls)
    if isinstance(gate, ReleaseGate):
        asked = probes.rows(n=probes.HELD_OUT)
        better, worse = probes.correct(0.9, 1), probes.correct(0.3, 2)
        harm = [
            -gate.verdict(new, old, asked, probes.groups(len(asked))).p
            for new, old in ((better, worse), (worse, better))
        ]
        return {WORSE: _area(np.array(harm[:1]), np.array(harm[1:]))}
    if isinstance(gate, TrainGate):
        train = probes.rows(n=300)
        wrong = np.arange(len(train)) % 7 == 0
        train.y[wrong] = 1 - train.y[wrong]
        harms = says(gate, probes.reference(), train)
        return {probes.LABELS: _area(harms[~wrong], harms[wrong])}
    learned = gate.learn(probes.reference(), rng())
    if cls.level is Level.BATCH:
        clean = probes.batches()
        scores = np.array([float(gate.score(learned, batch)) for batch in clean])
        return {
            error: _area(scores, np.array([float(gate.score(learned, batch)) for batch in bad]))
            for error, bad in probes.spoilt_batches(clean)
        }
    return {error: _area(*_apart(gate, learned, error)) for error in probes.ERRORS}


def _apart(gate: Gate, learned: Any, error: str) -> tuple[np.ndarray, np.ndarray]:
    """Return the scores of clean rows (cells) and of those with an error among them."""
    clean = probes.rows(n=PLENTY)
    places = np.flatnonzero(np.arange(PLENTY) % 3 == 0)
    rows = probes.spoilt(clean, error, places)
    score = gate.score(learned, rows)
    wrong = np.isin(np.arange(PLENTY), places)
    if gate.level is Level.ROW:
        return score[~wrong], score[wrong]
    changed = ~((rows.X == clean.X) | (np.isnan(rows.X) & np.isnan(clean.X)))
    return score[~wrong][:, changed.any(axis=0)].ravel(), score[changed]


def _area(clean: np.ndarray, wrong: np.ndarray) -> float:
    truth = np.repeat([False, True], [len(clean), len(wrong)])
    found = auroc(np.concatenate([clean, wrong]), truth)
    # nothing is scored on one side: neither higher nor lower
    return 0.5 if math.isnan(found) else found


def polarity(cls: type[Any]) -> None:
    """Check that gross errors score higher than what is clean."""
    if cls.control:
        return
    found = _reactions(cls)
    decisive = [name for name in (probes.GROSS, probes.LABELS, WORSE) if name in found][:1]
    if cls.by_window and probes.COPIES in found:
        # what looks for rows that are too near each other finds those with values x 1000 too far apart
        decisive.append(probes.COPIES)
    name = max(decisive, key=lambda error: found[error])
    require(
        found[name] >= LEAST,
        f"scores {name} lower than what is clean (area under the ROC curve {found[name]:.2f})",
        remedy="a larger score means more anomalous",
    )
    shown = ", ".join(f"{error} {area:.2f}" for error, area in found.items())
    require(
        max(found.values()) >= REACTS,
        f"reacts to none of the gross errors (areas under the ROC curve: {shown})",
        remedy="a larger score means more anomalous; a control says so by control = True",
    )


def varies(cls: type[Any]) -> None:
    """Check that the score is no constant."""
    if cls.control:
        return
    found: list[Any] = []
    if issubclass(cls, ReleaseGate):
        gate, asked = ready(cls), probes.rows(n=probes.HELD_OUT)
        shares = ((0.5, 0.9), (0.7, 0.7), (0.9, 0.5))
        pairs = [(probes.correct(a, 1), probes.correct(b, 2)) for a, b in shares]
        found = [gate.verdict(a, b, asked, probes.groups(len(asked))).p for a, b in pairs]
    elif issubclass(cls, TrainGate):
        found = [says(ready(cls), probes.reference(), probes.rows())]
    else:
        gate = ready(cls)
        learned = gate.learn(probes.reference(), rng())
        clean = probes.batches(count=2)
        shown = [batch for _, bad in probes.spoilt_batches(clean) for batch in bad]
        found = [gate.score(learned, batch) for batch in (*clean, *shown)]
    values = np.concatenate([np.ravel(one) for one in found])
    values = values[~np.isnan(values)]
    require(len(values) > 0, "never gives a score: all are NaN")
    require(
        bool((values != values[0]).any()),
        f"its score is {values[0]:g} whatever the rows",
        remedy="return what is measured, not a constant; a control says so by control = True",
    )


def false_alarms(cls: type[Any]) -> None:
    """Check how often clean rows, clean batches and versions that are as good are flagged."""
    if cls.known != NOTHING:
        return
    gate = ready(cls, alpha=ALPHA)
    if cls.level is Level.BATCH:
        flagged = sum(_blocks(gate, i) for i in range(TRIALS))
        # of a known rate: a limit by so many scores that it is known
        most = Limit(threshold=0.0, n=10**9, k=round((1.0 - ALPHA) * 10**9))
        what = "versions that are as good" if issubclass(cls, ReleaseGate) else "clean batches"
        _few(most.surprise(flagged, TRIALS), flagged, TRIALS, what, "a test that keeps its level")
        return
    case = probes.case()
    found, limit = flags(gate, case, rng())
    n = len(case.clean.y)
    require(
        found.rows.shape == (n,) and not found.rows[: case.warmup_rows].any(), "flags rows of the warm-up"
    )
    if limit is None:
        return
    flagged, seen = int(found.rows.sum()), n - case.warmup_rows
    if cls.by_window:
        # rows of one window are not independent of each other: half as many tell as much
        flagged, seen = flagged // 2, seen // 2
    remedy = "clean rows must be exchangeable: no score may depend on when a row is asked for"
    _few(limit.surprise(flagged, seen), flagged, seen, "clean rows", remedy)


def _blocks(gate: Gate, i: int) -> bool:
    if isinstance(gate, ReleaseGate):
        asked = probes.rows(i, n=120)
        new, old = (probes.correct(0.7, 10 + 2 * i + k, 120) for k in range(2))
        return gate.verdict(new, old, asked, probes.groups(120)).blocked
    learned = gate.learn(probes.reference(i, n=150), rng(i))
    return flag_batch(gate, gate.score(learned, probes.rows(i, n=50)))


def _few(surprise: float, flagged: int, of: int, what: str, remedy: str) -> None:
    require(
        surprise < SURE,
        f"flags {flagged} of {of} {what} at alpha = {ALPHA:g}: more than chance explains",
        remedy=remedy,
    )
