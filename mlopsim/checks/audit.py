"""Contract checks of audits: run by ``mlopsim check`` and the test-suite alike."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np

from mlopsim.checks import audit_reactions as reactions
from mlopsim.checks.audit_probes import CLOSE, built, examine, formed, is_battery, near, numbers, rng, sample
from mlopsim.checks.base import Check, ContractError, identical, own_randomness, require
from mlopsim.core.errors import ConfigError
from mlopsim.core.spec import make
from mlopsim.fairness import made_up_evidence as probes
from mlopsim.fairness.audit import NEEDS, READS, Audit, Labels, Source
from mlopsim.fairness.batteries import Battery
from mlopsim.fairness.evidence import Evidence, Explained

#: draws over which numbers are averaged that depend on the order of rows
ROUNDS = 30


# -- form ----------------------------------------------------------------------------------------------


def _form(cls: type[Any]) -> None:
    audit = built(cls)
    require(
        isinstance(audit.needs, frozenset) and all(isinstance(need, Source) for need in audit.needs),
        f"needs is {audit.needs!r}",
        remedy="a frozenset of Source",
    )
    require(isinstance(audit.labels_used, Labels), f"labels_used is {audit.labels_used!r}", remedy="a Labels")
    for name in ("exact", "by_rows"):
        require(isinstance(getattr(cls, name), bool), f"{name} is {getattr(cls, name)!r}", remedy="a bool")
    require(isinstance(audit.by_group, bool), f"by_group is {audit.by_group!r}", remedy="a bool")
    family = audit.family
    fine = isinstance(family, str) and family.strip() == family != "" and len(family) <= 40
    require(fine, f"family is {family!r}", remedy="a word or two, e.g. 'fairness metric'")
    known = set(audit.reads.split(", ")) if is_battery(cls) else {audit.reads}
    require(known <= set(READS), f"reads is {audit.reads!r}", remedy=f"one of: {', '.join(READS)}")
    require(
        set(audit.asks_for) <= set(NEEDS), f"asks_for is {audit.asks_for!r}", remedy=f"of: {', '.join(NEEDS)}"
    )
    if is_battery(cls):
        return
    require(bool(cls.unit), "the statistic has no unit", remedy="unit = '...'")
    for windows, groups in ((4, 2), (1, 2), (4, 4)):
        evidence = sample(windows, groups, since=0)
        formed(audit, examine(audit, evidence), evidence)


# -- what numbers may depend on ------------------------------------------------------------------------


def _randomness(cls: type[Any]) -> None:
    if is_battery(cls):
        return
    evidence, audit = sample(4, 2), built(cls)
    with own_randomness():
        found = [examine(audit, evidence), examine(audit, evidence), examine(built(cls), evidence)]
    require(
        identical(found[0], found[1]) and identical(found[0], found[2]),
        "with an equal generator it finds something else",
        remedy="draw from the generator that is given, and keep no state",
    )
    states = []
    for other in (evidence, sample(4, 2, 0.0), probes.constant(evidence, 1)):
        source = rng()
        audit.examine(other, source)
        states.append(source.bit_generator.state)
    require(
        states[0] == states[1] == states[2],
        "how much it draws depends on what it finds",
        remedy="draw one number for each window or row, needed or not",
    )


def _arrays(evidence: Evidence) -> list[Any]:
    names = ("window", "group", "decision", "score", "X", "observed", "true", "trained", "known")
    explained = [evidence.explained(name) for name in ("shap", "lime")]
    return [getattr(evidence, name) for name in names] + explained + [evidence.flipped()]


def _keeps_input(cls: type[Any]) -> None:
    if is_battery(cls):
        return
    evidence = probes.sample(seed=5, windows=3, per_group=60, shift=1.0)
    before = [_copied(array) for array in _arrays(evidence)]
    found = examine(built(cls), evidence)
    require(
        identical(before, _arrays(evidence)),
        "changes the evidence that it is given",
        remedy="copy an array before writing into it",
    )
    held = dataclasses.replace(found, score=found.score.copy())
    if found.blame is not None:
        held.blame = found.blame.copy()
    for array in _arrays(evidence)[:9]:
        array[...] = 0
    for name in ("shap", "lime"):
        evidence.explained(name).values[...] = 0.0
    require(identical(held, found), "its findings are views of the evidence")


def _copied(value: Any) -> Any:
    if isinstance(value, Explained):
        return Explained(rows=value.rows.copy(), values=value.values.copy())
    return tuple(part.copy() for part in value) if isinstance(value, tuple) else value.copy()


def _windows_alone(cls: type[Any]) -> None:
    if is_battery(cls):
        return
    audit = built(cls)
    whole = _uneven()
    found = numbers(examine(audit, whole))
    remedy = "work window by window"
    for last in range(1, whole.windows):
        rows = np.flatnonzero(whole.window < last)
        first = numbers(examine(audit, probes.taken(whole, rows, np.arange(last))))
        near(found[:, :last], first, "what it finds in a window depends on later windows", remedy)
    source = rng()
    audit.examine(whole, source)
    if source.bit_generator.state != rng().bit_generator.state:
        return
    for t in range(whole.windows):
        alone = probes.taken(whole, np.flatnonzero(whole.window == t), np.array([t]))
        single = numbers(examine(audit, alone))[:, 0]
        near(found[:, t], single, "what it finds in a window depends on other windows", remedy)


def _uneven() -> Evidence:
    """Return windows of different sizes, with groups of different sizes."""
    whole = sample(5, 2)
    left = np.random.default_rng(9).random(len(whole.window)) < 0.5 + 0.1 * whole.window - 0.2 * whole.group
    return probes.taken(whole, np.flatnonzero(left))


def _averages(audit: Audit, evidence: Evidence) -> tuple[np.ndarray, np.ndarray]:
    """Return statistic and score averaged over draws, and their standard errors, float64 (2, T) each."""
    found = np.array([numbers(examine(audit, evidence, seed)) for seed in range(ROUNDS)])
    return found.mean(axis=0), found.std(axis=0, ddof=1) / np.sqrt(ROUNDS)


def _same(audit: Audit, one: Evidence, other: Evidence, message: str) -> None:
    if not audit.by_rows:
        near(numbers(examine(audit, one)), numbers(examine(audit, other)), message)
        return
    first, error = _averages(audit, one)
    second, more = _averages(audit, other)
    # five standard errors; and what is the same but for rounding is the same
    close = np.abs(first - second) <= 5.0 * np.hypot(error, more) + CLOSE
    require(bool((close | np.isnan(first) & np.isnan(second)).all()), message)


def _row_order(cls: type[Any]) -> None:
    if is_battery(cls):
        return
    audit = built(cls)
    for groups in (2, 4):
        whole = sample(4, groups)
        order = np.lexsort((np.random.default_rng(1).random(len(whole.window)), whole.window))
        message = "what it finds depends on the order of the rows in a window"
        _same(audit, whole, probes.taken(whole, order), message)


def _group_names(cls: type[Any]) -> None:
    if is_battery(cls):
        return
    audit = built(cls)
    for groups, names in ((2, np.array([1, 0])), (4, np.array([2, 0, 3, 1]))):
        whole = sample(4, groups)
        message = "what it finds depends on which group is called the first"
        _same(audit, whole, probes.taken(whole, np.arange(len(whole.window)), names=names), message)


# -- batteries ----------------------------------------------------------------------------------------------


def _battery(cls: type[Any]) -> None:
    if not is_battery(cls):
        return
    battery: Battery = make("audit", cls.name)
    parts = battery.checked()
    k = len(parts)
    require(not cls.exact and not cls.thumb, "a battery has neither an exact score nor a rule of its own")
    source = rng()
    positions = source.normal(size=(k, 5, 8))
    positions[source.random(positions.shape) < 0.3] = np.nan
    positions[:, 2, 3] = np.nan
    found = battery.combine(positions)
    require(found.shape == (5, 8), f"combines positions of shape (k, 5, 8) to {found.shape}")
    require(
        bool((np.isnan(found) == np.isnan(positions).all(axis=0)).all()), "NaN where an audit has a position"
    )
    higher = battery.combine(positions + 0.5)
    require(
        bool((higher >= found)[~np.isnan(found)].all()), "its position falls where those of its audits rise"
    )
    order = source.permutation(k)
    require(
        identical(found, battery.combine(positions[order])), "its position depends on the order of its audits"
    )
    try:
        battery.examine(sample(1, 2, since=0), rng())
    except ConfigError as error:
        require(error.remedy is not None, "examine() refuses without a remedy")
        return
    raise ContractError("examine() gives findings without the limits of its audits")


CHECKS = [
    Check(name=name, text=text, run=run)
    for name, text, run in (
        ("form", "findings have the right shapes and types; p-values, rules and scores go together", _form),
        ("randomness", "draws from the generator that it is given, as much whatever it finds", _randomness),
        ("input", "leaves the evidence as it is", _keeps_input),
        ("windows alone", "what it finds in a window does not depend on others", _windows_alone),
        ("row order", "what it finds does not depend on the order of rows", _row_order),
        ("group names", "what it finds does not depend on the order of groups", _group_names),
        ("reacts", "the score grows with a bias", reactions.reacts),
        ("too little", "where there are not enough data it says so", reactions.too_little),
        ("needs", "asks for what it says it needs, and for nothing else", reactions.needs),
        ("labels", "looks at the labels that it says it uses", reactions.labels),
        (
            "reads",
            "looks at nothing beside what it says it reads, and at groups if it says so",
            reactions.reads,
        ),
        ("battery", "a battery follows its audits", _battery),
    )
]
