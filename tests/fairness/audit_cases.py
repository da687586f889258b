"""Evidence that the tests of audits share."""

from __future__ import annotations

import dataclasses

import numpy as np

from mlopsim.core.registry import names
from mlopsim.core.spec import make
from mlopsim.fairness import made_up_evidence as probes
from mlopsim.fairness.batteries import Battery
from mlopsim.fairness.evidence import Evidence, Explained

SINGLE = tuple(name for name in names("audit") if not isinstance(make("audit", name), Battery))
BATTERIES = tuple(name for name in names("audit") if name not in SINGLE)


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def uneven(groups: int, seed: int = 0, shift: float = 0.4) -> Evidence:
    """Return windows and groups of different sizes; one window is empty, one has a group of three rows."""
    whole = probes.sample(seed=seed, windows=7, per_group=90, groups=groups, shift=shift)
    share = 0.3 + 0.1 * (whole.window % 5) + 0.1 * (whole.group % 3)
    kept = np.random.default_rng(seed).random(len(whole.window)) < share
    kept &= whole.window != 3
    few = np.flatnonzero(kept & (whole.window == 5) & (whole.group == groups - 1))
    kept[few[3:]] = False
    return probes.taken(whole, np.flatnonzero(kept))


def rounded(evidence: Evidence) -> Evidence:
    """Return the same rows with features, scores and attributions that are often equal."""
    values = np.round(evidence.explained("shap").values, 1)
    score = np.round(evidence.score, 1)
    place = evidence.place
    return dataclasses.replace(
        evidence,
        score=score,
        decision=score > 0.0,
        X=np.round(evidence.X),
        explain=probes.explain(values, place),
        _explained={},
    )


def counts(k: np.ndarray, n: np.ndarray) -> Evidence:
    """Return evidence in which k (T, G) of n rows of each group are accepted; all labels are 1."""
    windows, groups = n.shape
    place = np.repeat(np.arange(n.size), n.ravel())
    rank = np.arange(len(place)) - np.repeat(np.cumsum(n.ravel()) - n.ravel(), n.ravel())
    decision = rank < k.ravel()[place]
    m = len(place)
    return Evidence(
        window=place // groups,
        windows=windows,
        group=place % groups,
        groups=tuple("abcdefgh"[:groups]),
        decision=decision,
        score=np.where(decision, 1.0, -1.0),
        X=np.zeros((m, 1)),
        features=("x",),
        observed=np.ones(m, dtype=np.int64),
        trained=np.tile([[50, 5], [5, 40]], (windows, 1, 1)),
    )


def explained(evidence: Evidence, values: np.ndarray) -> Evidence:
    """Return the same rows with other Shapley values."""
    rows = np.arange(len(values))
    return dataclasses.replace(
        evidence, explain=lambda name, repeat: Explained(rows=rows, values=values), _explained={}
    )
