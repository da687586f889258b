"""P-values from shuffled groups keep their level; verdicts of batteries follow Holm by hand."""

from __future__ import annotations

import math
from dataclasses import replace
from itertools import combinations
from typing import cast

import numpy as np
import pytest

from mlopsim.core import registry
from mlopsim.core.errors import ConfigError
from mlopsim.core.spec import Spec, make
from mlopsim.fairness.batteries import Battery
from mlopsim.fairness.dataset_audit import Subject, prepare
from mlopsim.fairness.explaining import Explaining
from mlopsim.fairness.made_up_evidence import sample
from mlopsim.fairness.verdicts import Says, Verdict, by_battery, judge, shuffled
from mlopsim.learners.base import Model
from mlopsim.streams.files.tables import Table


def verdict(name: str, p: float, says: Says = Says.NOT_FOUND) -> Verdict:
    return Verdict(
        audit=name,
        says=says,
        statistic=1.0,
        low=0.5,
        high=1.5,
        no_interval="",
        unit="",
        group="a",
        against="b",
        rate="",
        p=p,
        adjusted=p,
        test="own",
        thumb="",
        broken=None,
        asked=None,
        blamed=(),
        labels="none",
        reason="",
        seconds=0.0,
    )


def subject(shift: float, seed: int = 0, per_group: int = 150) -> Subject:
    """What audits see needs no data and no model behind it."""
    seen = sample(seed=seed, windows=1, per_group=per_group, shift=shift)
    table = object.__new__(Table)
    return Subject(table=table, model=cast(Model, None), evidence=seen, features=seen, trained=100)


@pytest.mark.parametrize("name", ["four_fifths", "shap_gap", "shap_ks"])
def test_the_smallest_p_of_shuffled_groups(name: str) -> None:
    """Three standard deviations between groups: no shuffled round is like it."""
    seen = sample(windows=1, per_group=100, shift=3.0)
    seed = np.random.SeedSequence(3)
    assert shuffled(make("audit", name), seen, 49, seed)[0] == 1 / 50
    assert shuffled(make("audit", name), seen, 199, seed)[0] == 1 / 200


def test_p_of_all_shuffles() -> None:
    """Ten rows: the share of all 252 ways to split them that are at least as far apart."""
    seen = sample(seed=4, windows=1, per_group=5)
    audit = make("audit", "shap_gap")
    values = seen.explained("shap").values
    whole = [np.isin(np.arange(10), rows) for rows in combinations(range(10), 5)]

    def far(one: np.ndarray) -> float:
        group = one.astype(np.int64)
        again = replace(seen, group=group, _explained={})
        return float(audit.examine(again, np.random.default_rng(0)).score[0])

    assert len(values) == 10
    scores = np.array([far(one) for one in whole])
    mine = float(audit.examine(seen, np.random.default_rng(0)).score[0])
    if math.isnan(mine):
        pytest.fail("ten rows must be enough for this test to say something")
    expected = float((~(scores < mine - 1e-12 * abs(mine))).mean())
    rounds = 20_000
    found, _ = shuffled(audit, seen, rounds, np.random.SeedSequence(1))
    assert abs(found - expected) < 5.0 * math.sqrt(expected * (1.0 - expected) / rounds) + 1e-3


@pytest.mark.parametrize("name", ["four_fifths", "shap_gap"])
def test_the_level_is_kept(name: str) -> None:
    """Without bias P(p <= k/20) <= k/20, whatever the audit."""
    runs = 400
    p = np.array(
        [
            shuffled(
                make("audit", name),
                sample(seed=1000 + k, windows=1, per_group=40),
                19,
                np.random.SeedSequence(k),
            )[0]
            for k in range(runs)
        ]
    )
    for level in (0.05, 0.2, 0.5):
        error = math.sqrt(level * (1.0 - level) / runs)
        assert (p <= level + 1e-12).mean() < level + 4.0 * error
    # a score with a continuous law reaches its level
    if name == "shap_gap":
        assert (p <= 0.5 + 1e-12).mean() > 0.5 - 4.0 * math.sqrt(0.25 / runs)


def test_batteries_by_hand() -> None:
    found = [verdict("a", 0.02), verdict("b", 0.04), verdict("c", 0.9), verdict("d", math.nan, Says.NO_TEST)]
    batteries = {"one": ["a"], "two": ["a", "b"], "three": ["a", "b", "c"], "none": ["d"], "void": []}
    says = by_battery(found, batteries, 0.05)
    # the smallest of two counts twice, of three three times
    assert says["one"] == (Says.FOUND, ("a",)) and says["two"] == (Says.FOUND, ("a", "b"))
    assert says["three"] == (Says.NOT_FOUND, ())
    assert says["none"] == (Says.NO_TEST, ()) and "void" not in says
    # what had too little data does not count among those that are adjusted for
    short = [verdict("a", 0.02), verdict("b", 0.03, Says.TOO_LITTLE), verdict("c", 0.04, Says.TOO_LITTLE)]
    assert by_battery(short, {"three": ["a", "b", "c"]}, 0.05)["three"] == (Says.FOUND, ("a",))
    assert by_battery(short[1:], {"two": ["b", "c"]}, 0.05)["two"] == (Says.TOO_LITTLE, ())


AUDITS = ["demographic_parity", "four_fifths", "shap_gap", "calibration_gap"]


def test_verdicts_do_not_depend_on_the_order() -> None:
    seed = np.random.SeedSequence(7)
    one = {v.audit: v for v in judge(subject(0.6), AUDITS, seed, rounds=99)}
    other = {v.audit: v for v in judge(subject(0.6), AUDITS[::-1], seed, rounds=99)}
    for name in AUDITS:
        assert repr(replace(one[name], seconds=0.0)) == repr(replace(other[name], seconds=0.0))
    # more audits: the same p-values, adjusted for more
    fewer = {v.audit: v for v in judge(subject(0.6), AUDITS[:2], seed, rounds=99)}
    for name, v in fewer.items():
        assert v.p == one[name].p and v.adjusted <= one[name].adjusted


def test_what_is_found() -> None:
    seed = np.random.SeedSequence(8)
    biased = judge(subject(1.0), AUDITS, seed, rounds=199)
    assert [v.says for v in biased] == [Says.FOUND] * 4
    # the last group has less; at equal scores it is the first one that does
    assert [v.group + v.against for v in biased] == ["ba", "ba", "ba", "ab"]
    assert all(v.low < v.statistic < v.high for v in biased if not v.no_interval)
    assert {v.test for v in biased} <= {"own", "shuffled groups"}
    # the first merit of one group is measured too low
    shap = next(v for v in biased if v.audit == "shap_gap")
    assert shap.blamed[0][0] == subject(1.0).features.features[0]
    fair = judge(subject(0.0, seed=6), AUDITS, seed, rounds=199)
    assert Says.FOUND not in {v.says for v in fair}
    assert min(v.p for v in fair) <= min(v.adjusted for v in fair)


def test_refused() -> None:
    seed = np.random.SeedSequence(0)
    with pytest.raises(ConfigError, match="listed twice"):
        judge(subject(0.0), ["four_fifths", "four_fifths"], seed)
    with pytest.raises(ConfigError, match="explained is a battery"):
        judge(subject(0.0), ["explained"], seed)
    with pytest.raises(ConfigError, match="known in simulations only"):
        judge(subject(0.0), [{"accuracy": {"labels": "true"}}], seed)


@pytest.mark.slow
@pytest.mark.parametrize("learner", ["ridge", {"tree": {"max_depth": 12, "min_samples_leaf": 1}}])
def test_a_fair_model_is_rarely_found_biased(learner: Spec) -> None:
    """The group plays no part in anything: all audits together find something in 5 % of the data at most."""
    runs, hits = 100, 0
    for k in range(runs):
        rng = np.random.default_rng(k)
        X, g = rng.normal(size=(600, 4)), rng.integers(0, 2, 600)
        y = (X[:, 0] + 0.5 * X[:, 1] + rng.normal(size=600) > 0.3).astype(np.int64)
        features = tuple(f"x{j}" for j in range(4))
        table = Table(X=X, y=y, g=g, classes=("no", "yes"), features=features, groups=("a", "b"))
        seed = np.random.SeedSequence(k)
        seen = prepare(table, learner, Explaining(background=30, rows=20, samples=100), seed)
        audits = [name for name in registry.names("audit") if not isinstance(make("audit", name), Battery)]
        hits += any(v.says is Says.FOUND for v in judge(seen, audits, seed.spawn(1)[0], rounds=299))
    assert hits <= 0.05 * runs + 3.0 * math.sqrt(0.05 * 0.95 * runs)
