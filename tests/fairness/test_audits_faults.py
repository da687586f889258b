"""The contract of audits finds what is planted."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
import pytest

from mlopsim.fairness.audit import Findings
from mlopsim.fairness.audits.accuracy import Accuracy
from mlopsim.fairness.audits.demographic_parity import DemographicParity
from mlopsim.fairness.audits.equal_opportunity import EqualOpportunity
from mlopsim.fairness.audits.shap_gap import ShapGap
from mlopsim.fairness.batteries import Battery
from mlopsim.fairness.evidence import Evidence


class Falls(DemographicParity):
    """Its score falls where others rise."""

    def examine(self, evidence: Evidence, rng: np.random.Generator) -> Findings:
        found = super().examine(evidence, rng)
        found.score = 1.0 / (1.0 + found.score)
        return found


class OwnDraws(DemographicParity):
    """It draws for itself."""

    def examine(self, evidence: Evidence, rng: np.random.Generator) -> Findings:
        return super().examine(evidence, np.random.default_rng())


class Unsure(DemographicParity):
    """It draws more where it finds more."""

    def examine(self, evidence: Evidence, rng: np.random.Generator) -> Findings:
        found = super().examine(evidence, rng)
        rng.random(int(np.nansum(found.score)))
        return found


class Writes(ShapGap):
    """It centres the attributions that it is given."""

    def examine(self, evidence: Evidence, rng: np.random.Generator) -> Findings:
        found = super().examine(evidence, rng)
        evidence.explained("shap").values[...] = 0.0
        return found


class LooksAhead(DemographicParity):
    """What it says of a window depends on later ones."""

    def examine(self, evidence: Evidence, rng: np.random.Generator) -> Findings:
        found = super().examine(evidence, rng)
        found.score = found.score - np.nanmean(found.score)
        return found


class FirstGroup(DemographicParity):
    """It only minds the group that is called the first."""

    def examine(self, evidence: Evidence, rng: np.random.Generator) -> Findings:
        found = super().examine(evidence, rng)
        rates = evidence.count(evidence.decision) / np.maximum(evidence.rows, 1)
        found.statistic = np.where(np.isnan(found.statistic), np.nan, rates[:, 0])
        return found


class Unlisted(ShapGap):
    """It does not say that it needs attributions."""

    needs: ClassVar[Any] = frozenset()


class Peeks(EqualOpportunity):
    """It looks at the true labels unasked."""

    def label(self, evidence: Evidence) -> np.ndarray:
        return evidence.observed if evidence.true is None else evidence.true


class Silent(DemographicParity):
    """It says nothing where there are not enough data, not even that."""

    def examine(self, evidence: Evidence, rng: np.random.Generator) -> Findings:
        found = super().examine(evidence, rng)
        found.reason = ""
        return found


class Sure(DemographicParity):
    """Where nothing can be said it says that all is well."""

    def examine(self, evidence: Evidence, rng: np.random.Generator) -> Findings:
        found = super().examine(evidence, rng)
        found.score, found.statistic = np.nan_to_num(found.score), np.nan_to_num(found.statistic)
        found.reason, found.p = "", None
        return found


class Watches(DemographicParity):
    """It says that it reads decisions, and looks at scores."""

    def examine(self, evidence: Evidence, rng: np.random.Generator) -> Findings:
        found = super().examine(evidence, rng)
        found.score = found.score + np.abs(evidence.score[0])
        return found


class Measures(ShapGap):
    """It says that it reads explanations, and looks at features."""

    def examine(self, evidence: Evidence, rng: np.random.Generator) -> Findings:
        found = super().examine(evidence, rng)
        found.score = found.score + np.abs(evidence.X[0, 0])
        return found


class NoGroups(DemographicParity):
    """It says that it compares no groups."""

    by_group: ClassVar[bool] = False


class AnyGroups(Accuracy):
    """It says that it compares groups."""

    by_group: ClassVar[bool] = True


class Vague(DemographicParity):
    """What it reads is no word of the contract."""

    reads: ClassVar[str] = "everything"


class Averages(Battery):
    """A battery in which one audit can be outvoted by another's silence."""

    def members(self) -> list[Any]:
        return ["accuracy", "f1"]

    def combine(self, positions: np.ndarray) -> np.ndarray:
        found: np.ndarray = positions.mean(axis=0)
        return found


@pytest.mark.parametrize(
    ("cls", "check"),
    [
        (Falls, "reacts"),
        (OwnDraws, "randomness"),
        (Unsure, "randomness"),
        (Writes, "input"),
        (LooksAhead, "windows alone"),
        (FirstGroup, "group names"),
        (Unlisted, "needs"),
        (Peeks, "labels"),
        (Silent, "too little"),
        (Sure, "too little"),
        (Watches, "reads"),
        (Measures, "reads"),
        (NoGroups, "reads"),
        (AnyGroups, "reads"),
        (Vague, "form"),
        (Averages, "battery"),
    ],
    ids=lambda value: value.__name__ if isinstance(value, type) else "",
)
def test_faults_are_found(plant: Any, cls: type[Any], check: str) -> None:
    problems = plant("audit", cls)
    assert check in problems, problems
