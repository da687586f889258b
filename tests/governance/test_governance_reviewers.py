"""Reviewers: who approves, when, and what that costs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from mlopsim.checks.run import check_component
from mlopsim.core.registry import register, unregister
from mlopsim.core.spec import make
from mlopsim.governance.reviewer import Review, Reviewer, uniforms

SEEDS = np.arange(40, dtype=np.uint64)
BAD = np.random.default_rng(0).random((40, 200)) < 0.5


def review(name: str, **params: Any) -> Review:
    found: Review = make("reviewer", name, **params).review(BAD, SEEDS)
    return found


def test_sensitivity_and_specificity_are_attained() -> None:
    found = review("fallible", sensitivity=0.7, specificity=0.9)
    for which, p in ((BAD, 0.7), (~BAD, 0.1)):
        share, n = found.denied[which].mean(), which.sum()
        assert abs(share - p) < 4 * np.sqrt(p * (1 - p) / n)


def test_two_persons_find_what_either_finds() -> None:
    found = review("two_persons", sensitivity=0.7, specificity=0.9)
    for which, p in ((BAD, 1 - 0.3**2), (~BAD, 1 - 0.9**2)):
        assert abs(found.denied[which].mean() - p) < 4 * np.sqrt(p * (1 - p) / which.sum())
    # who always agrees is one person
    one, copy = review("fallible"), review("two_persons", dependence=1.0)
    assert abs(copy.denied[BAD].mean() - one.denied[BAD].mean()) < 0.03


def test_extremes() -> None:
    assert (review("fallible", sensitivity=1.0, specificity=1.0).denied == BAD).all()
    assert not review("fallible", sensitivity=0.0, specificity=1.0).denied.any()
    assert not review("none").delay.any()


def test_a_more_sensitive_reviewer_denies_all_that_a_less_sensitive_one_does() -> None:
    weak, strong = (review("fallible", sensitivity=s).denied for s in (0.3, 0.8))
    assert (weak <= strong).all() and weak.sum() < strong.sum()


def test_a_rubber_stamp_is_a_delay_to_the_bit() -> None:
    for delay in range(7):
        stamp, wait = review("rubber_stamp", delay=delay), review("delayed", delay=delay)
        assert (stamp.delay == wait.delay).all() and (stamp.denied == wait.denied).all()
        assert stamp.delay.dtype == wait.delay.dtype


def test_draws_are_by_scenario_and_version() -> None:
    drawn = uniforms(SEEDS, 50, 3)
    assert (uniforms(SEEDS[5:6], 20, 3)[0] == drawn[5, :20]).all()
    assert len(np.unique(drawn)) == drawn.size


def test_the_contract_finds_faults() -> None:
    class OneDraw(Reviewer):
        def review(self, bad: np.ndarray, seeds: np.ndarray) -> Review:
            rng = np.random.default_rng(0)
            return Review(delay=np.zeros(bad.shape, dtype=np.int64), denied=rng.random(bad.shape) < 0.5)

    cls = register("reviewer", "one-draw-on-purpose")(dataclass(kw_only=True)(OneDraw))
    try:
        problems = {found.check for found in check_component(cls) if found.problem}
    finally:
        unregister("reviewer", "one-draw-on-purpose")
    assert "by version" in problems


@pytest.mark.parametrize("name", ["fallible", "two_persons"])
def test_probabilities_out_of_range_are_refused(name: str) -> None:
    from mlopsim.core.errors import ConfigError

    with pytest.raises(ConfigError, match="sensitivity"):
        make("reviewer", name, sensitivity=1.2)
