"""Contract checks of gates: run by ``mlopsim check`` and the test-suite alike."""

from __future__ import annotations

import math
from functools import partial
from typing import Any

import numpy as np

from mlopsim.checks import gate_probes as probes
from mlopsim.checks import gate_reactions as reactions
from mlopsim.checks.base import Check, identical, own_randomness, require
from mlopsim.checks.gate_probes import ROWS, is_scored, ready, rng, says
from mlopsim.quality.batch_gate import BatchGate
from mlopsim.quality.gate import NOTHING, Gate, Level, Rows, Stage
from mlopsim.quality.release_gate import ReleaseGate, Verdict
from mlopsim.quality.train_gate import TrainGate

#: largest difference of a row's scores in other company, relative to the largest score
CLOSE = 1e-9


def _form(cls: type[Any]) -> None:
    require(issubclass(cls, Gate), "is no Gate", remedy="derive from mlopsim.quality.gate.Gate")
    require(isinstance(cls.level, Level), f"level is {cls.level!r}", remedy="a Level")
    stages = cls.stages
    require(
        isinstance(stages, tuple) and len(stages) > 0 and all(isinstance(stage, Stage) for stage in stages),
        f"stages is {stages!r}",
        remedy="a tuple of Stage",
    )
    for name in ("by_window", "by_order", "uses_labels", "control", "always_listed"):
        require(isinstance(getattr(cls, name), bool), f"{name} is {getattr(cls, name)!r}", remedy="a bool")
    require(
        cls.limit_from in ("calibrated", "given", "none"),
        f"limit_from is {cls.limit_from!r}",
        remedy="calibrated, given or none",
    )
    for name in ("family", "reads", "known"):
        value = getattr(cls, name)
        require(isinstance(value, str) and value != "", f"{name} is {value!r}", remedy="a text")
    require(
        (cls.level is Level.BATCH) == issubclass(cls, BatchGate | ReleaseGate),
        f"tells {cls.level.plural} apart, which its base does not",
        remedy="gates of batches derive from BatchGate or ReleaseGate, others from neither",
    )
    require(
        (Stage.TRAIN in stages) == issubclass(cls, TrainGate),
        f"stands at {', '.join(stage.value for stage in stages)}, which its base does not",
        remedy="gates at training derive from TrainGate, others do not",
    )
    gate = ready(cls)
    if cls.known != NOTHING:
        return
    for n in (ROWS, 1, 0):
        # nothing is trained on one row, or on none
        if n > 1 or not issubclass(cls, TrainGate):
            _formed(gate, says(gate, probes.reference(), probes.rows(n=n)), n)


def _formed(gate: Gate, found: Any, n: int) -> None:
    if isinstance(gate, ReleaseGate):
        require(isinstance(found, Verdict), f"verdict() returns {type(found).__name__}, not a Verdict")
        fine = type(found.blocked) is bool and type(found.p) is float and not (found.p < 0.0 or found.p > 1.0)
        require(fine, f"a verdict holds blocked = {found.blocked!r} and p = {found.p!r}")
        return
    what = "harm" if isinstance(gate, TrainGate) else "score"
    shape = {Level.ROW: (n,), Level.CELL: (n, 5), Level.BATCH: ()}[gate.level]
    require(isinstance(found, np.ndarray), f"{what}() returns {type(found).__name__}, not an array")
    require(
        found.dtype == np.float64 and found.shape == shape,
        f"{what}() returns {found.dtype} of shape {found.shape} for {n} row(s) of 5 features, "
        f"expected float64 of shape {shape}",
    )


def _company(cls: type[Any]) -> None:
    """Check that scores do not depend on the rows that are scored with a row."""
    gate, asked = ready(cls), probes.rows()
    if isinstance(gate, TrainGate):
        learner = probes.learner_of(gate)
        some = np.array([3, 4, 90])
        everything = gate.harm(asked, np.arange(ROWS), probes.reference(), learner, rng())
        few = gate.harm(asked, some, probes.reference(), learner, rng())
        _near(everything[some], few, everything, "the harm of a row changes with the others asked for")
        return
    if not is_scored(cls) or cls.control or cls.by_window or cls.level is Level.BATCH:
        return
    learned = gate.learn(probes.reference(), rng())
    whole = gate.score(learned, asked)
    if cls.by_order:
        first = gate.score(learned, asked.take(slice(0, 60)))
        _near(whole[:60], first, whole, "the score of a row changes with the rows after it", "look back only")
        return
    remedy = "score each row against the reference alone, or set by_window = True"
    for size in (1, 7, 64):
        cuts = range(0, ROWS, size)
        parts = [gate.score(learned, asked.take(slice(start, start + size))) for start in cuts]
        what = f"the score of a row changes with the rows around it (scored {size} at a time)"
        _near(whole, np.concatenate(parts), whole, what, remedy)
    order = rng(1).permutation(ROWS)
    found = gate.score(learned, asked.take(order))
    _near(whole[order], found, whole, "the score of a row changes with the order of the rows", remedy)


def _near(
    wanted: np.ndarray, found: np.ndarray, scale: np.ndarray, what: str, remedy: str | None = None
) -> None:
    finite = np.abs(scale[np.isfinite(scale)])
    same = np.isclose(
        wanted, found, rtol=0.0, atol=CLOSE * float(finite.max(initial=0.0)) + 1e-300, equal_nan=True
    )
    require(bool(same.all()), what, remedy=remedy)


def _arrays(some: Rows) -> tuple[np.ndarray, ...]:
    return some.X, some.Z, some.y


def _keeps_input(cls: type[Any]) -> None:
    if cls.known != NOTHING:
        return
    gate, known, asked = ready(cls), probes.reference(), probes.rows()
    before = [array.copy() for array in (*_arrays(known), *_arrays(asked))]
    says(gate, known, asked)
    require(
        identical(before, [*_arrays(known), *_arrays(asked)]),
        "changes the rows that it is given",
        remedy="copy an array before writing into it",
    )
    if is_scored(cls):
        learned = gate.learn(known, rng())
        first = gate.score(learned, asked)
        for array in _arrays(known):
            array[:] = 0
        require(
            identical(first, gate.score(learned, asked)),
            "scores change when the reference rows are overwritten later",
            remedy="copy what is kept of them",
        )


def _randomness(cls: type[Any]) -> None:
    if cls.known != NOTHING:
        return
    known, asked = probes.reference(), probes.rows()
    gate = ready(cls)
    with own_randomness():
        found = [says(gate, known, asked), says(gate, known, asked), says(ready(cls), known, asked)]
    require(
        identical(found[0], found[1]) and identical(found[0], found[2]),
        "with an equal generator it gives other scores",
        remedy="draw from the generator that is given, and keep no state from call to call",
    )


def _instances(cls: type[Any]) -> None:
    if cls.known != NOTHING:
        return
    known, asked, other = probes.reference(), probes.rows(), probes.reference(1)
    one, two = ready(cls), ready(cls)
    if not is_scored(cls):
        first = says(one, known, asked)
        says(two, other, probes.rows(1))
        again = says(one, known, asked)
        require(identical(first, again), "its answers change after another instance was asked")
        return
    learned = one.learn(known, rng())
    first = one.score(learned, asked)
    two.learn(other, rng(1))
    require(
        identical(first, one.score(learned, asked)),
        "its scores change when another instance learns from other rows",
        remedy="return from learn() all that is learnt; a class attribute is shared by all instances",
    )
    one.learn(other, rng(1))
    require(
        identical(first, one.score(learned, asked)),
        "its scores are by what it learnt last, not by what score() is given as learned",
        remedy="return from learn() all that is learnt, and keep nothing in self",
    )


def _labels(cls: type[Any]) -> None:
    if cls.known != NOTHING or issubclass(cls, ReleaseGate):
        return

    def answer(known: Rows, asked: Rows) -> Any:
        return says(ready(cls), known, asked)

    first = answer(probes.reference(), probes.rows())
    if issubclass(cls, TrainGate):
        if not cls.trusts:
            found = answer(probes.reference(1), probes.rows())
            require(identical(first, found), "says trusts = False, but looks at the trusted rows")
        return
    if cls.uses_labels:
        return
    flipped = probes.spoilt(probes.reference(), probes.LABELS), probes.spoilt(probes.rows(), probes.LABELS)
    for which, found in (
        ("reference", answer(flipped[0], probes.rows())),
        ("rows that it scores", answer(probes.reference(), flipped[1])),
    ):
        require(
            identical(first, found),
            f"says uses_labels = False, but its scores change with the labels of the {which}",
            remedy="uses_labels = True, or leave the labels alone",
        )


def _bad_input(cls: type[Any]) -> None:
    gate = ready(cls)
    rows, known = probes.rows(), probes.reference()
    if cls.known != NOTHING:
        for mask in (np.zeros(4), np.zeros((2, 2, 2), dtype=np.bool_)):
            probes.refused(partial(gate.truth, mask), f"a mask of {mask.dtype} and {mask.ndim} dimension(s)")
        for call in (partial(gate.learn, known, rng()), partial(gate.score, None, rows)):
            probes.refused(call, "a control that knows the truth is asked without it")
        return
    one, empty = known.take(slice(0, 1)), known.X.copy()
    empty[:, 1] = np.nan
    without = Rows(
        X=empty, Z=known.Z, y=known.y, n_classes=2, features=known.features, categorical=known.categorical
    )
    for name, bad in (("a single reference row", one), ("a feature without any value", without)):
        probes.refused(partial(gate.check_warmup, bad), name, "leave check_warmup as it is: it checks it")
        if is_scored(cls):
            probes.answered(partial(says, gate, bad, rows), name)
    narrow = Rows(
        X=rows.X[:, :2].copy(), Z=rows.Z[:, :2].copy(), y=rows.y, n_classes=2, features=rows.features[:2]
    )
    name = "rows with another number of columns"
    if isinstance(gate, TrainGate):
        learner = probes.learner_of(gate)
        remedy = "define measure() and leave harm() as it is: it checks it"
        probes.refused(partial(gate.harm, rows, np.arange(3), narrow, learner, rng()), name, remedy)
        probes.refused(
            partial(gate.harm, one, np.arange(1), known, learner, rng()), "a single training row", remedy
        )
        return
    if isinstance(gate, ReleaseGate):
        remedy = "define judge() and leave verdict() as it is: it checks it"
        right = probes.correct(0.5, 1, ROWS)
        call = partial(gate.verdict, right[1:], right, rows, probes.groups(ROWS))
        probes.refused(call, "correctness of another number of rows", remedy)
        return
    learned = gate.learn(known, rng())
    if learned is not None and not cls.control:
        probes.refused(partial(gate.score, learned, narrow), name, "check_width(expected, rows)")


def _parameters(cls: type[Any]) -> None:
    remedy = "call super().__post_init__() in __post_init__"
    for alpha in (0.0, -0.1, 1.5, math.nan):
        probes.refused(partial(ready, cls, alpha=alpha), f"alpha = {alpha:g}", remedy)
    # what no level has: of rows and cells rescale, of batches drop
    action = "drop" if cls.level is Level.BATCH else "rescale"
    probes.refused(partial(ready, cls, action=action), f"action = {action}", remedy)


CHECKS = [
    Check(name=name, text=text, run=run)
    for name, text, run in (
        ("form", "says what it tells apart and where it stands; scores have shape and type", _form),
        ("company", "a row's score does not depend on the rows that are scored with it", _company),
        ("input", "leaves the rows as they are", _keeps_input),
        ("randomness", "draws from the generator that it is given, if at all", _randomness),
        ("instances", "keeps what it learns in what learn() returns", _instances),
        ("labels", "looks at labels and trusted rows only if it says so", _labels),
        ("strange rows", "scores missing, unseen and huge values, or names the cause", reactions.strange),
        ("polarity", "a larger score means more anomalous", reactions.polarity),
        ("constant score", "the score follows the rows", reactions.varies),
        ("false alarms", "clean rows are flagged no more often than asked for", reactions.false_alarms),
        ("bad input", "what cannot be learnt from or scored is one clear error", _bad_input),
        ("parameters", "alpha and action have ranges", _parameters),
    )
]
