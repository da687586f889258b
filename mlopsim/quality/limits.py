"""Scores of the rows of a stream and their limits: from clean rows, in the same company where it matters."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from mlopsim.core.errors import ConfigError
from mlopsim.quality.calibration import Limit, conformal, split, thresholds
from mlopsim.quality.case import Case
from mlopsim.quality.gate import Gate, row_scores
from mlopsim.quality.train_gate import TrainGate


@dataclass(frozen=True, kw_only=True)
class Scored:
    """What a gate says of the rows of a stream.

    Parameters
    ----------
    score : ndarray of float64, shape (n,) or (n, d)
        Of rows or cells; where limits differ from row to row, less the limit of the row.
    limit : Limit or None
        Scores above its threshold are flagged: 0 where limits are taken off. None: a rule of the gate's own.
    chosen : ndarray of bool, shape (n,), or None
        Rows that such a rule flags.
    """

    score: np.ndarray
    limit: Limit | None
    chosen: np.ndarray | None = None


#: window to the scores of its rows, and of the rows held back in their company: (c,), or (m, c) for each row
Judged = Callable[[int], tuple[np.ndarray, np.ndarray]]


def scored(gate: Gate, case: Case, rng: np.random.Generator) -> Scored:
    """Score the rows after the warm-up of a case, and set limits by clean rows of the warm-up.

    Half of these at random are learnt from, the others are held back for the limit. Where the score of a row
    depends on others, the rows that are held back are scored again with each window, in the company of its
    rows (see :meth:`mlopsim.quality.gate.Gate.beside`): so they are exchangeable with these if these are
    clean, whatever the size of the warm-up and of the window. Gates at training trust the first half of the
    warm-up and hold the second one back; each window is scored in a training set of the rows held back and of
    the version's own rows, in a random order.

    Parameters
    ----------
    gate : Gate
        One that scores rows or cells.
    case : Case
    rng : Generator

    Raises
    ------
    ConfigError
        If so few clean rows cannot give so low a rate, or there is one window of warm-up only for a gate at
        training.
    """
    if isinstance(gate, TrainGate):
        return _among_training_rows(gate, case, rng)
    size = case.warmup_rows
    learn, held = split(size, rng)
    learned = gate.learn(case.clean_rows.take(learn), rng)
    if not gate.by_window and not gate.by_order:
        # one call: rows that are to be independent of each other, and rows alone must not differ
        score = gate.score(learned, case.seen_rows)
        limit = conformal(row_scores(score[held]), gate.alpha)
        return Scored(score=score, limit=limit)
    aside = case.clean_rows.take(held)

    def judged(t: int) -> tuple[np.ndarray, np.ndarray]:
        start, stop = (int(case.clean.bounds[k]) for k in (t, t + 1))
        earlier = np.concatenate([learn, np.arange(size, start)])
        before = case.seen_rows.take(earlier if gate.by_order else earlier[:0])
        return gate.beside(learned, case.seen_rows.take(slice(start, stop)), aside, before)

    return _in_company(case, gate.alpha, judged)


def _in_company(case: Case, alpha: float, judged: Judged) -> Scored:
    parts = []
    limit = Limit(threshold=0.0, n=0, k=0)
    for t in range(case.clean.warmup, case.clean.windows):
        score, aside = judged(t)
        limit = conformal(aside if aside.ndim == 1 else aside[0], alpha)
        above = thresholds(aside, alpha)
        if score.ndim == 2:
            above = above[..., None]
        with np.errstate(invalid="ignore"):
            # infinite limits are those that everything, or nothing, is above
            parts.append(score - above)
    found = np.concatenate(parts)
    silent = np.full((case.warmup_rows, *found.shape[1:]), np.nan)
    limit = dataclasses.replace(limit, threshold=0.0)
    return Scored(score=np.concatenate([silent, found]), limit=limit)


def _among_training_rows(gate: TrainGate, case: Case, rng: np.random.Generator) -> Scored:
    warmup, bounds = case.clean.warmup, case.clean.bounds
    half = warmup // 2
    if half < 1:
        raise ConfigError(
            f"{gate.full_name} needs a warm-up of 2 windows at least, there are {warmup}",
            remedy="use a longer warm-up",
        )
    trusted = case.clean_rows.take(slice(0, int(bounds[half])))
    held = np.arange(int(bounds[half]), case.warmup_rows)
    chosen = np.zeros(len(case.clean.y), dtype=np.bool_)

    def judged(t: int) -> tuple[np.ndarray, np.ndarray]:
        first, here, stop = (int(bounds[k]) for k in (max(int(case.starts[t]), warmup), t, t + 1))
        # in a random order, so that nothing that depends on it tells rows held back from others
        places = rng.permutation(np.concatenate([held, np.arange(first, stop)]))
        new, aside = np.flatnonzero(places >= here), np.flatnonzero(places < case.warmup_rows)
        new = new[np.argsort(places[new])]
        train = case.seen_rows.take(places)
        if gate.own_rule:
            score, chosen[here:stop] = gate.judge(train, new, trusted, case.learner, rng)
            return score, np.empty(0)
        harm = gate.harm(train, np.concatenate([new, aside]), trusted, case.learner, rng)
        if gate.trusts:
            # what one row among n does to a model is of the order 1/n
            harm = harm * len(train)
        return harm[: len(new)], harm[len(new) :]

    if not gate.own_rule:
        return _in_company(case, gate.alpha, judged)
    score = np.full(len(chosen), np.nan)
    for t in range(warmup, case.clean.windows):
        score[bounds[t] : bounds[t + 1]] = judged(t)[0]
    return Scored(score=score, limit=None, chosen=chosen)
