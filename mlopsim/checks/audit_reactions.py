"""What audits react to, and what not: contract checks."""

from __future__ import annotations

import dataclasses
import warnings
from typing import Any

import numpy as np

from mlopsim.checks.audit_probes import built, examine, formed, is_battery, near, numbers, sample
from mlopsim.checks.base import ContractError, identical, require
from mlopsim.core.errors import ConfigError
from mlopsim.core.spec import make
from mlopsim.fairness import made_up_evidence as probes
from mlopsim.fairness.audit import LabelAudit, Labels, Source
from mlopsim.fairness.evidence import Explained


def reacts(cls: type[Any]) -> None:
    """Check that the score grows with a bias."""
    if is_battery(cls):
        return
    audit, half = built(cls), 20
    evidence = probes.sample(seed=1, windows=2 * half, per_group=500, shift=1.4, since=half)
    score = examine(audit, evidence).score
    require(not np.isnan(score).any(), "gives no score where nothing is missing")
    require(bool(np.ptp(score) > 0.0), f"its score is {score[0]:g} whatever the rows")
    before, after = score[:half], score[half:]
    error = np.hypot(before.std(ddof=1), after.std(ddof=1)) / np.sqrt(half)
    rise = float(after.mean() - before.mean())
    require(
        rise > 4.0 * error,
        f"a feature that is measured too low for one group raises the score by {rise:.3g} only (standard "
        f"error {error:.3g})",
        remedy="larger scores mean more suspicious",
    )


def too_little(cls: type[Any]) -> None:
    """Check that what is not enough is said to be not enough."""
    if is_battery(cls):
        return
    audit = built(cls)
    cases = probes.poor()
    usual = numbers(examine(audit, cases.pop("nothing wrong")))
    single = probes.sample(windows=3, groups=1)
    for what, evidence in [*cases.items(), ("one group in all windows", single)]:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            try:
                found = examine(audit, evidence)
            except Exception as error:
                name = type(error).__name__
                raise ContractError(
                    f"{what}: {name}: {error}", remedy="NaN, and a reason; an audit of windows raises nothing"
                ) from error
        try:
            formed(audit, found, evidence)
        except ContractError as error:
            raise ContractError(f"{what}: {error.message}", remedy=error.remedy) from error
        if what in ("no rows", "one row"):
            require(bool(np.isnan(found.score[1])), f"{what}: it has a score all the same")
        if evidence is not single and not audit.by_rows:
            near(
                usual[:, [0, 2]],
                numbers(found)[:, [0, 2]],
                f"{what} in one window changes what it finds in others",
            )


def needs(cls: type[Any]) -> None:
    """Check that it asks for what it lists, and for nothing else."""
    if is_battery(cls):
        return
    audit, asked = built(cls), set()
    whole = sample(4, 2)

    def refuse(source: Source) -> ContractError:
        return ContractError(
            f"asks for {source.value}, which it does not say it needs", remedy="list it in needs"
        )

    def explain(name: str, repeat: int) -> Explained:
        asked.add(Source(name))
        if Source(name) not in audit.needs:
            raise refuse(Source(name))
        return whole.explained(name, repeat)

    def flip() -> tuple[np.ndarray, np.ndarray]:
        asked.add(Source.FLIP)
        if Source.FLIP not in audit.needs:
            raise refuse(Source.FLIP)
        return whole.flipped()

    given = dataclasses.replace(whole, explain=explain, flip=flip, true=None, _explained={})
    found = examine(audit, given)
    assert whole.known is not None
    # the shares of all features change
    other = whole.known + 1.0
    changed = examine(audit, dataclasses.replace(given, known=other, _explained={}))
    if not identical(found, changed):
        asked.add(Source.KNOWN)
        if Source.KNOWN not in audit.needs:
            raise refuse(Source.KNOWN)
    unused = sorted(source.value for source in audit.needs - asked)
    require(not unused, f"says that it needs {', '.join(unused)}, but never asks", remedy="list what it uses")


def labels(cls: type[Any]) -> None:
    """Check that it looks at the labels that it says it uses."""
    if is_battery(cls):
        return
    audit, whole = built(cls), sample(4, 2)
    uses = audit.labels_used is not Labels.NONE
    require(
        uses == isinstance(audit, LabelAudit),
        f"uses {audit.labels_used.value} labels by default, which its base does not",
        remedy="audits that use labels derive from LabelAudit, others do not",
    )
    flipped = whole.observed.copy()
    flipped[::3] = 1 - flipped[::3]
    usual = examine(audit, whole)
    seen = not identical(usual, examine(audit, dataclasses.replace(whole, observed=flipped)))
    require(uses or not seen, "says that it uses no labels, but the observed ones change what it finds")
    require(seen or not uses, "says that it uses labels, but the observed ones change nothing")
    # what nobody has outside a simulation is looked at only if it is asked for
    same = identical(usual, examine(audit, dataclasses.replace(whole, true=flipped)))
    require(same, "the true labels change what it finds by default")
    if not uses:
        return
    truthful = make("audit", cls.name, labels="true")
    told = examine(truthful, dataclasses.replace(whole, true=flipped))
    require(not identical(usual, told), "labels = true: it does not look at the true labels")
    try:
        examine(truthful, dataclasses.replace(whole, true=None))
    except ConfigError:
        return
    raise ContractError(
        "labels = true: it finds something although they are not known", remedy="self.label()"
    )


def reads(cls: type[Any]) -> None:
    """Check that features, scores and groups play no part where it says that it does not read them."""
    if is_battery(cls):
        return
    audit, whole = built(cls), sample(4, 2)
    usual = examine(audit, whole)
    # an effect size may be in units of the spread of the scores, which stays
    other = {
        "features": dataclasses.replace(whole, X=-3.0 * whole.X[::-1]),
        "scores": dataclasses.replace(whole, score=whole.score[::-1].copy(), _explained={}),
    }
    ignored = {"decisions": ("features", "scores"), "outputs": ("features",), "explanations": ("features",)}
    for what in ignored.get(audit.reads, ()):
        found = numbers(examine(audit, other[what]))
        near(numbers(usual), found, f"says that it reads {audit.reads}, but {what} change what it finds")
    # everybody of every other row changes sides
    group = whole.group.copy()
    group[::2] = 1 - group[::2]
    changed = numbers(examine(audit, dataclasses.replace(whole, group=group, _explained={})))
    if not audit.by_group:
        near(numbers(usual), changed, "says that it does not compare groups, but they change what it finds")
    elif Source.FLIP not in audit.needs:
        # there the groups are in the rows that were moved to another one
        require(
            not identical(numbers(usual), changed), "says that it compares groups, but they change nothing"
        )
