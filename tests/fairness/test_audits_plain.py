"""One vectorised call finds what a plain loop over windows and groups finds."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import numpy as np
import pytest
from audit_cases import SINGLE, rng, rounded, uneven
from plain_audits import PLAIN, plainly

from mlopsim.core.spec import make
from mlopsim.fairness import made_up_evidence as probes
from mlopsim.fairness.evidence import Evidence

CASES: dict[str, Callable[[], Evidence]] = {
    "fair": lambda: probes.sample(seed=2, windows=6, per_group=100),
    "biased": lambda: probes.sample(seed=3, windows=6, per_group=100, shift=1.0, since=2),
    "uneven": lambda: uneven(2),
    "three groups": lambda: uneven(3),
    "four groups": lambda: uneven(4, seed=1),
    "ties": lambda: rounded(uneven(2, seed=4)),
    "ties, three groups": lambda: rounded(uneven(3, seed=5)),
    "few": lambda: probes.sample(seed=6, windows=12, per_group=18, shift=0.5),
}


def test_every_audit_has_a_plain_form() -> None:
    assert set(PLAIN) == set(SINGLE)


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("name", SINGLE)
def test_audits_find_what_a_loop_finds(name: str, case: str) -> None:
    evidence = CASES[case]()
    found = make("audit", name).examine(evidence, rng(11))
    expected = plainly(name, evidence, 11)
    assert not np.isnan(expected).all()
    np.testing.assert_allclose(found.statistic, expected[0], rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(found.score, expected[1], rtol=1e-8, atol=1e-9)


@pytest.mark.parametrize("name", SINGLE)
def test_labels_are_the_true_ones_if_asked(name: str) -> None:
    audit = make("audit", name)
    if not hasattr(audit, "labels"):
        return
    evidence = probes.sample(seed=8, windows=3, per_group=100, shift=1.0)
    wrong = evidence.observed.copy()
    wrong[rng().random(len(wrong)) < 0.2] = 0
    other = dataclasses.replace(evidence, observed=wrong, _explained={})
    told = make("audit", name, labels="true").examine(other, rng(1)).score
    np.testing.assert_array_equal(told, audit.examine(evidence, rng(1)).score)
    assert not np.array_equal(told, audit.examine(other, rng(1)).score)
