"""Gates at their stages: what they flag in a stream, and what is then trained on."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from mlopsim.core.errors import ConfigError
from mlopsim.core.spec import make
from mlopsim.core.threads import one_thread
from mlopsim.quality.batch_gate import BatchGate, flag_batch, surprise
from mlopsim.quality.calibration import Limit
from mlopsim.quality.case import Case
from mlopsim.quality.gate import NOTHING, Action, Flags, Gate, Rows, row_scores
from mlopsim.quality.limits import Scored, scored

#: what a flagged row counts where it is weighted down
LIGHT = 0.1
#: ends of the middle of the reference that winsorizing moves values to
MIDDLE = (0.01, 0.99)


def flags(gate: Gate, case: Case, rng: np.random.Generator) -> tuple[Flags, Limit | None]:
    """Return what a gate finds in the windows after the warm-up, and its limit.

    The warm-up is its reference: one half to learn from, the other for the limit, so that the false-alarm
    rate of rows of the same law is exact without ties (see :func:`mlopsim.quality.limits.scored`). Gates of
    batches take the whole warm-up and need no limit. Nothing here depends on what serves.

    Parameters
    ----------
    gate : Gate
        Any but those that judge versions.
    case : Case
    rng : Generator

    Returns
    -------
    Flags
        Nothing is flagged in the warm-up; its scores are NaN.
    Limit or None
        None for gates of batches and for those that need none.
    """
    with one_thread():
        marked = gate.marks(case.wrong)
        if marked is not None:
            return _marked(gate, case, marked), None
        gate.check_warmup(case.clean_rows.take(slice(0, case.warmup_rows)))
        if isinstance(gate, BatchGate):
            return _batches(gate, case, rng), None
        found = scored(gate, case, rng)
    return _flagged(case, found), found.limit


def _marked(gate: Gate, case: Case, marked: np.ndarray) -> Flags:
    cells = case.seen.corrupted if gate.known != NOTHING else None
    batches = np.add.reduceat(marked, case.clean.bounds[:-1]) > 0
    return Flags(
        rows=marked.copy(),
        batches=batches,
        score=_silent(case, marked.astype(np.float64)),
        batch_score=batches.astype(np.float64),
        cells=None if cells is None else cells.copy(),
    )


def _silent(case: Case, score: np.ndarray) -> np.ndarray:
    """Return scores without those of the warm-up."""
    score = score.copy()
    score[: case.warmup_rows] = np.nan
    return score


def _flagged(case: Case, found: Scored) -> Flags:
    score, limit = found.score, found.limit
    rows_score = row_scores(score)
    late = np.arange(len(rows_score)) >= case.warmup_rows
    flagged: np.ndarray
    if limit is None:
        flagged = late & (found.chosen if found.chosen is not None else np.zeros(len(late), dtype=np.bool_))
        return Flags(
            rows=flagged,
            # a rule that says nothing of its rate says nothing of windows
            batches=np.zeros(case.clean.windows, dtype=np.bool_),
            score=_silent(case, rows_score),
            batch_score=np.add.reduceat(flagged, case.clean.bounds[:-1]) / np.diff(case.clean.bounds),
        )
    flagged = late & limit.flags(rows_score)
    counts = np.add.reduceat(flagged, case.clean.bounds[:-1]).astype(np.int64)
    sizes = np.diff(case.clean.bounds)
    batch_score = np.array(
        [limit.surprise(int(k), int(m)) for k, m in zip(counts, sizes, strict=True)], dtype=np.float64
    )
    batch_score[: case.clean.warmup] = 0.0
    return Flags(
        rows=flagged,
        batches=batch_score >= surprise(BATCH_LEVEL),
        score=_silent(case, rows_score),
        batch_score=batch_score,
        cells=limit.flags(score) & late[:, None] if score.ndim == 2 else None,
        cell_score=score if score.ndim == 2 else None,
        at_limit=late & (rows_score == limit.threshold),
    )


#: level at which the flags of a window are more than chance explains
BATCH_LEVEL = 0.01


def _batches(gate: BatchGate, case: Case, rng: np.random.Generator) -> Flags:
    reference = case.clean_rows.take(slice(0, case.warmup_rows))
    learned = gate.learn(reference, rng)
    windows = case.clean.windows
    batch_score = np.zeros(windows)
    for t in range(case.clean.warmup, windows):
        batch_score[t] = float(gate.score(learned, case.batch(t)))
    batches = np.array([flag_batch(gate, value) for value in batch_score])
    batches[: case.clean.warmup] = False
    sizes = np.diff(case.clean.bounds)
    return Flags(
        rows=np.repeat(batches, sizes),
        batches=batches,
        score=_silent(case, np.repeat(batch_score, sizes)),
        batch_score=batch_score,
    )


@dataclass(kw_only=True)
class Material:
    """What versions are trained on.

    Parameters
    ----------
    rows : Rows
        As they are received and repaired.
    keep : ndarray of bool, shape (n,)
        Rows that are trained on.
    weight : ndarray of float64, shape (n,), or None
        What each row counts; None: all the same.
    """

    rows: Rows
    keep: np.ndarray
    weight: np.ndarray | None = None


def act(case: Case, gate: Gate, found: Flags, material: Material) -> Material:
    """Return the rows with what a gate flagged dropped or repaired.

    Parameters
    ----------
    case : Case
    gate : Gate
        Its action decides.
    found : Flags
        What it flagged.
    material : Material
        Not changed.
    """
    keep = material.keep.copy()
    action = gate.does
    if action is Action.DROP:
        return dataclasses.replace(material, keep=keep & ~found.rows)
    if action is Action.HOLD:
        return dataclasses.replace(material, keep=keep & ~found.batches[case.window])
    if action is Action.WEIGHT:
        before = np.ones(len(keep)) if material.weight is None else material.weight
        return dataclasses.replace(material, keep=keep, weight=np.where(found.rows, LIGHT, 1.0) * before)
    X = material.rows.X.copy()
    if action is Action.IMPUTE:
        if found.cells is None:
            raise ConfigError(f"{gate.full_name} tells no cells apart, there is nothing to impute")
        X[found.cells] = np.nan
    elif action is Action.WINSORIZE:
        _winsorize(case, found, X)
    else:
        _rescale(case, found, X)
    return dataclasses.replace(material, rows=case.rows(X, material.rows.y), keep=keep)


def _reference(case: Case) -> tuple[np.ndarray, np.ndarray]:
    numeric = case.clean_rows.numeric
    return numeric, case.clean.X[: case.warmup_rows][:, numeric]


def _winsorize(case: Case, found: Flags, X: np.ndarray) -> None:
    numeric, reference = _reference(case)
    low, high = np.nanquantile(reference, MIDDLE, axis=0)
    which = found.cells[:, numeric] if found.cells is not None else found.rows[:, None]
    X[:, numeric] = np.where(which, np.clip(X[:, numeric], low, high), X[:, numeric])


def _rescale(case: Case, found: Flags, X: np.ndarray) -> None:
    numeric, reference = _reference(case)
    q = np.nanquantile(reference, (0.25, 0.5, 0.75), axis=0)
    for t in np.flatnonzero(found.batches):
        place = slice(int(case.clean.bounds[t]), int(case.clean.bounds[t + 1]))
        values = X[place, numeric]
        for j in range(len(numeric)):
            known = values[:, j][~np.isnan(values[:, j])]
            if not len(known):
                continue
            low, middle, high = np.quantile(known, (0.25, 0.5, 0.75))
            if high > low:
                values[:, j] = q[1, j] + (values[:, j] - middle) * (q[2, j] - q[0, j]) / (high - low)
        X[place, numeric] = values


def versions_right(case: Case, material: Material, against: Rows, versions: np.ndarray) -> np.ndarray:
    """Train versions on the material and return where they are right.

    Parameters
    ----------
    case : Case
    material : Material
        A version that would have no row to train on is trained on the clean warm-up.
    against : Rows
        Rows to be answered, with the labels that count.
    versions : ndarray of int64, shape (V,)

    Returns
    -------
    ndarray of bool, shape (V, n)
    """
    from mlopsim.learners.base import BatchLearner

    learner: Any = make("learner", case.learner)
    bounds = case.clean.bounds
    counts = np.concatenate([[0], np.cumsum(np.add.reduceat(material.keep, bounds[:-1]))])
    first, last = case.starts[versions], versions
    lost = counts[last + 1] == counts[first]
    first = np.where(lost, 0, first)
    last = np.where(lost, case.clean.warmup - 1, last)
    kept = np.flatnonzero(material.keep)
    rows = material.rows.take(kept)
    n_classes = case.clean.n_classes
    # learners of third parties need not know of weights
    weight = None if material.weight is None else material.weight[kept]
    with one_thread():
        if isinstance(learner, BatchLearner):
            more = {} if weight is None else {"weight": weight}
            models = learner.fit_versions(rows.Z, rows.y, n_classes, counts, first, last, **more)
            return np.asarray(models.predict(against.Z) == against.y)
        right = np.empty((len(versions), len(against)), dtype=np.bool_)
        for i in range(len(versions)):
            part = slice(int(counts[first[i]]), int(counts[last[i] + 1]))
            # one seed whatever the version: what differs is what it is trained on
            more = {} if weight is None else {"weight": weight[part]}
            model = learner.fit(rows.Z[part], rows.y[part], n_classes, np.random.SeedSequence(0), **more)
            right[i] = model.predict(against.Z) == against.y
    return right


def attained_rate(case: Case, found: Flags) -> float:
    """Return the share of rows like those of the warm-up that are flagged; NaN without such rows.

    That is what a limit promises: of the rows after the warm-up without an error that was put in, those with
    noise of the stream's own among them, as there are in the warm-up.
    """
    return _share(case, found.rows, ~case.wrong)


def false_alarm_rate(case: Case, found: Flags) -> float:
    """Return the share of right rows after the warm-up that are flagged; NaN without such rows."""
    return _share(case, found.rows, ~case.wrong & ~case.noisy)


def noise_found(case: Case, found: Flags) -> float:
    """Return the share of the stream's own wrong labels after the warm-up that are flagged; NaN without."""
    return _share(case, found.rows, case.noisy)


def _share(case: Case, which: np.ndarray, rows: np.ndarray) -> float:
    late = which[case.warmup_rows :][rows[case.warmup_rows :]]
    return float(late.mean()) if len(late) else math.nan
