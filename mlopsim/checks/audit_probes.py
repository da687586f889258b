"""An audit and made-up evidence, as the contract checks need them."""

from __future__ import annotations

from typing import Any

import numpy as np

from mlopsim.checks.base import ContractError, require
from mlopsim.core.spec import make
from mlopsim.fairness import made_up_evidence as probes
from mlopsim.fairness.audit import Audit, Findings
from mlopsim.fairness.batteries import Battery
from mlopsim.fairness.evidence import Evidence
from mlopsim.fairness.rates import surprise

#: largest difference where two ways must give the same numbers
CLOSE = 1e-9


def sample(windows: int, groups: int, shift: float = 1.0, since: int = 2) -> Evidence:
    """Return windows of few rows, biased from one of them on; new ones: an audit may write into them."""
    return probes.sample(seed=3, windows=windows, per_group=120, groups=groups, shift=shift, since=since)


def rng(seed: int = 0) -> np.random.Generator:
    """Return a generator for an audit."""
    return np.random.default_rng([43, seed])


def built(cls: type[Any]) -> Audit:
    """Build an audit with its defaults."""
    audit = make("audit", cls.name)
    if not isinstance(audit, Audit):
        raise ContractError("is no Audit", remedy="derive from mlopsim.fairness.audit.Audit")
    return audit


def examine(audit: Audit, evidence: Evidence, seed: int = 0) -> Findings:
    """Return what an audit finds."""
    found = audit.examine(evidence, rng(seed))
    require(isinstance(found, Findings), f"examine() returns {type(found).__name__}, not Findings")
    return found


def is_battery(cls: type[Any]) -> bool:
    """Say whether an audit is a battery."""
    return issubclass(cls, Battery)


def formed(audit: Audit, found: Findings, evidence: Evidence) -> None:
    """Raise unless findings have the form that is asked for."""
    T, d, G = evidence.windows, len(evidence.features), evidence.n_groups
    where = f"{T} window(s) of {d} features and {G} group(s): "
    shapes: dict[str, tuple[int, ...]] = {
        "statistic": (T,),
        "score": (T,),
        "p": (T,),
        "blame": (T, d),
        "gaps": (T, G),
    }
    for name, shape in shapes.items():
        array = getattr(found, name)
        if array is None and name in ("p", "blame", "gaps"):
            continue
        require(
            isinstance(array, np.ndarray) and array.dtype == np.float64 and array.shape == shape,
            f"{where}{name} must be float64 of shape {shape}",
        )
        require(not np.isinf(array).any(), f"{where}{name} is infinite")
    missing = np.isnan(found.score)
    same = bool((missing == np.isnan(found.statistic)).all())
    require(same, f"{where}a score without a statistic, or a statistic without a score")
    require(bool(found.reason) or not missing.any(), f"{where}NaN without a reason")
    require(
        (found.rule is not None) == bool(audit.thumb),
        f"{where}rule and thumb: there must be both, or neither",
    )
    if found.rule is not None:
        fine = found.rule.dtype == np.bool_ and found.rule.shape == (T,)
        require(fine, f"{where}rule must be bool of shape ({T},)")
        require(not found.rule[missing].any(), f"{where}the rule is broken where there are not enough data")
    if found.p is not None:
        require(bool((np.isnan(found.p) == missing).all()), f"{where}p-value and score are not both there")
        known = found.p[~missing]
        require(bool(((known >= 0.0) & (known <= 1.0)).all()), f"{where}a p-value is not in [0, 1]")
    named = found.named
    require(
        named is not None or not audit.by_group,
        f"{where}whose numbers these are is not said",
        remedy="named: the group of statistic, score, p and blame",
    )
    if named is not None:
        for name, top in (("group", G), ("against", G), ("part", len(named.parts))):
            array = getattr(named, name)
            if array is None and name != "group":
                continue
            fine = isinstance(array, np.ndarray) and array.dtype == np.int64 and array.shape == (T,)
            require(fine, f"{where}named.{name} must be int64 of shape ({T},)")
            fine = bool(((array >= -1) & (array < top)).all())
            require(fine, f"{where}named.{name} is not from -1 to {top - 1}")
        if named.counts is not None:
            fine = named.counts.dtype == np.int64 and named.counts.shape == (T, 4)
            require(fine, f"{where}named.counts must be int64 of shape ({T}, 4)")
    if audit.exact:
        require(found.p is not None, "says exact = True, but has no p-value")
        assert found.p is not None
        gap = np.abs(found.score - surprise(found.p))[~missing].max(initial=0.0)
        require(gap <= CLOSE, f"{where}says exact = True, but its score is not -log10 of its p-value")
    if found.blame is not None:
        require(not (found.blame < 0.0).any(), f"{where}a feature is blamed less than not at all")
        require(bool(np.isnan(found.blame[missing]).all()), f"{where}blame without a score")


def numbers(found: Findings) -> np.ndarray:
    """Return statistic and score, float64 (2, T)."""
    return np.stack([found.statistic, found.score])


def near(one: np.ndarray, other: np.ndarray, message: str, remedy: str | None = None) -> None:
    """Raise unless numbers are equal but for rounding."""
    tolerance = CLOSE * (1.0 + np.abs(np.nan_to_num(one)))
    same = (np.abs(one - other) <= tolerance) | (np.isnan(one) & np.isnan(other))
    require(bool(same.all()), message, remedy=remedy)
