"""Contract checks of monitors: run by ``mlopsim check`` and the test-suite alike."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from mlopsim.checks.base import Check, generator, identical, own_randomness, require
from mlopsim.core.spec import make
from mlopsim.governance.monitor import Chart, Monitor, group_names
from mlopsim.governance.monitoring.in_control import Law, law
from mlopsim.governance.monitoring.normal_scores import FURTHEST
from mlopsim.governance.monitoring.reference import Reference, estimated

#: deployments and windows of a probe, and windows of its phase I
DEPLOYMENTS, WINDOWS, LEARN = 4, 12, 20


def _law(groups: int = 2) -> Law:
    """Return a law in control with no gap."""
    same = (groups,)
    return law(
        base=tuple(np.full(same, 0.5)),
        recall=tuple(np.full(same, 0.8)),
        false_positive_rate=tuple(np.full(same, 0.2)),
        rows=tuple(range(120, 120 + 20 * groups, 20)),
    )


def _broken() -> Law:
    """Return the law after group 1 has lost its recall and all have lost accuracy."""
    return law(base=(0.5, 0.5), recall=(0.7, 0.3), false_positive_rate=(0.4, 0.6), rows=(120, 140))


def _probe(groups: int = 2, seed: int = 0) -> tuple[np.ndarray, Reference]:
    """Return counts in control, and the reference that phases I before them gave."""
    counts = _law(groups).draw(DEPLOYMENTS, LEARN + WINDOWS, generator(seed))
    return counts[:, LEARN:], estimated(counts[:, :LEARN])


def _form(cls: type[Any]) -> None:
    monitor: Monitor = make("monitor", cls.name)
    for groups in (2, 3):
        charts = monitor.charts(group_names(groups))
        fine = bool(charts) and all(isinstance(chart, Chart) for chart in charts)
        require(fine, f"charts() returns {charts!r}", remedy="a list of Chart, not empty")
        labels = [chart.name for chart in charts]
        require(len(set(labels)) == len(labels), f"two charts have one name: {', '.join(labels)}")
        counts, known = _probe(groups)
        scores = monitor.scores(counts, known)
        shape = (DEPLOYMENTS, len(charts), WINDOWS)
        fits = scores.shape == shape and scores.dtype == np.float64
        require(fits, f"scores are {scores.dtype} {scores.shape}", remedy=f"float64 {shape}")
        require(bool(np.isfinite(scores).all()), "scores of windows with rows are not finite")
        if monitor.is_normal:
            require(bool((scores <= FURTHEST).all()), f"normal scores beyond {FURTHEST}")
        shown = monitor.scores(counts, known)
        require(identical(scores, shown), "finds something else the second time", remedy="keep no state")
    for name in ("normal", "memory", "absolute"):
        require(isinstance(getattr(cls, name), bool), f"{name} is {getattr(cls, name)!r}", remedy="a bool")


def _randomness(cls: type[Any]) -> None:
    counts, known = _probe()
    before, held = counts.copy(), known.cells.copy()
    with own_randomness():
        make("monitor", cls.name).scores(counts, known)
    require(identical(before, counts) and identical(held, known.cells), "changes what it is given")


def _causal(cls: type[Any]) -> None:
    monitor: Monitor = make("monitor", cls.name)
    counts, known = _probe()
    whole = monitor.scores(counts, known)
    for last in (1, 5):
        first = monitor.scores(counts[:, :last], known)
        require(identical(whole[:, :, :last].copy(), first), "a score depends on later windows")
    alone = [monitor.scores(counts[i : i + 1], known.one(i)) for i in range(DEPLOYMENTS)]
    require(identical(whole, np.concatenate(alone)), "a score depends on other deployments")
    if not monitor.remembers:
        order = generator(1).permutation(WINDOWS)
        moved = monitor.scores(counts[:, order], known)
        same = identical(moved, np.ascontiguousarray(whole[:, :, order]))
        require(same, "a score depends on earlier windows", remedy="set memory = True")


def _once(cls: type[Any]) -> None:
    monitor: Monitor = make("monitor", cls.name)
    counts, known = _probe()
    _, other = _probe(seed=5)
    scores = monitor.on(counts)
    for reference in (known, other, known):
        same = identical(scores(reference), monitor.scores(counts, reference))
        require(same, "on(counts) gives other scores than scores(counts, reference)")


def _group_names(cls: type[Any]) -> None:
    monitor: Monitor = make("monitor", cls.name)
    counts, known = _probe()
    assert known.windows is not None
    swapped = Reference(cells=known.cells[:, :, ::-1], rho=known.rho, windows=known.windows[:, :, ::-1])
    one = np.sort(monitor.scores(counts, known), axis=1)
    other = np.sort(monitor.scores(counts[:, :, ::-1], swapped), axis=1)
    require(bool(np.allclose(one, other, atol=1e-9)), "scores depend on which group is called the first")


def _too_little(cls: type[Any]) -> None:
    monitor: Monitor = make("monitor", cls.name)
    counts, known = _probe()
    counts = counts.copy()
    counts[:, 3] = 0
    scores = monitor.scores(counts, known)
    require(bool(np.isnan(scores[:, :, 3]).all()), "a window without rows has a score", remedy="NaN")
    require(bool(np.isfinite(np.delete(scores, 3, axis=2)).all()), "one empty window undoes others")


def _reacts(cls: type[Any]) -> None:
    monitor: Monitor = make("monitor", cls.name)
    counts, known = _probe()
    wrong = _broken().draw(DEPLOYMENTS, WINDOWS, generator(2))
    before, after = monitor.scores(counts, known), monitor.scores(wrong, known)
    higher = bool((after.mean(axis=(0, 2)) > before.mean(axis=(0, 2))).any())
    require(higher, "no score rises when accuracy and fairness are lost")
    other, elsewhere = _probe(seed=5)
    del other
    same = identical(before, monitor.scores(counts, elsewhere))
    require(same or not cls.absolute, "absolute = True, but it compares with the reference")


def _labels(cls: type[Any]) -> None:
    monitor: Monitor = make("monitor", cls.name)
    counts, known = _probe()
    # the same answers, other labels
    answers = counts.sum(axis=3)
    moved = np.stack([answers - answers // 3, answers // 3], axis=3)
    one, other = monitor.scores(counts, known), monitor.scores(moved, known)
    for k, chart in enumerate(monitor.charts(group_names(2))):
        same = identical(one[:, k].copy(), other[:, k].copy())
        require(same or chart.labels, f"the chart '{chart.name}' says it takes no labels, but does")
        require(not same or not chart.labels, f"the chart '{chart.name}' says it takes labels, but does not")


def _normal(cls: type[Any]) -> None:
    monitor: Monitor = make("monitor", cls.name)
    if not monitor.is_normal:
        return
    told = _law()
    # phase I is long enough for its estimates not to matter
    counts = told.draw(1, 2000, generator(3))
    known = estimated(told.draw(1, 4000, generator(4)))
    scores = monitor.scores(counts, known)
    share = (scores > 2.0).mean(axis=(0, 2))
    # P(|Z| > 2) = .0455, and five standard errors
    worst = float(share.max())
    require(worst < 0.0455 + 0.0235, f"normal scores above 2 in {worst:.3f} of windows in control")


def _check(name: str, text: str, run: Callable[[type[Any]], None]) -> Check:
    return Check(name=name, text=text, run=run)


CHECKS = [
    _check("form", "charts have names of their own; scores are float64 (N, K, T)", _form),
    _check("randomness", "nothing is random, and what is given stays as it is", _randomness),
    _check("causal", "a score depends on its own deployment, its window and earlier ones", _causal),
    _check("once", "on(counts) gives the same scores", _once),
    _check("group names", "what it finds does not depend on the order of groups", _group_names),
    _check("too little", "a window without rows has no score, and others keep theirs", _too_little),
    _check("reacts", "a score rises when accuracy and fairness are lost", _reacts),
    _check("labels", "charts take labels where they say so", _labels),
    _check("normal", "where it says that scores are normal, their tail is no heavier", _normal),
]
