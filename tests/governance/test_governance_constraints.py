"""Constraints and the truth that they are charged by."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy.stats import norm

from mlopsim.checks.run import check_component
from mlopsim.core.errors import ConfigError
from mlopsim.core.registry import register, unregister
from mlopsim.core.spec import make
from mlopsim.delivery.pool import WorldPool
from mlopsim.governance.constraint import Constraint, longest_run
from mlopsim.governance.loop.compliance import all_costs, cost_square
from mlopsim.governance.loop.truth import law_of, measured, rates_of, wrong_shares
from mlopsim.world.build import build_world
from mlopsim.world.spec import WorldSpec

PEOPLE = {
    "windows": 14, "warmup": 3, "per_group": 200, "bias": "unequal_base_rate", "strength": 0.0,
    "timing": "step",
}  # fmt: skip


def world(stream: Any, training: Any = "last", learner: str = "ridge", index: int = 0) -> Any:
    return build_world(WorldSpec.of(stream, learner, training, index=index))


def test_rates_of_counts_by_hand() -> None:
    counts = np.zeros((2, 2, 2, 2, 2), dtype=np.uint16)
    counts[1, 1] = [[[5, 1], [2, 4]], [[3, 3], [0, 0]]]
    found = rates_of(counts, 1)
    assert found.accuracy[1, 1] == 12 / 18
    assert found.by_group[1, 1].tolist() == [9 / 12, 3 / 6]
    assert found.accepted[1, 1].tolist() == [5 / 12, 3 / 6]
    assert found.hit[1, 1, 0] == 4 / 6 and np.isnan(found.hit[1, 1, 1])
    assert np.isnan(found.accuracy[0]).all() and np.isnan(found.accuracy[1, 0])


def test_the_law_of_a_population_is_that_of_its_model() -> None:
    """A linear model of normal merits accepts ``1 - Phi((t - m) / s)``; no bias: no gap at all."""
    one = world({"population": {**PEOPLE, "bias": "proxy"}})
    law, sampled = law_of(one), measured(one)
    model, encoder = one.model(4), one.source.encoder
    weights, bias = model.coef[0] if model.coef.ndim > 1 else model.coef, float(np.ravel(model.intercept)[0])
    mean = float(weights @ ((0.0 - encoder.centre) / encoder.scale)) + bias
    spread = float(np.sqrt(((weights / encoder.scale) ** 2).sum()))
    assert law.accepted[4, 9] == pytest.approx(norm.sf(-mean / spread), abs=4e-3)
    assert np.ptp(law.accepted[4, 9]) == 0.0 and np.ptp(law.by_group[4, 9]) == 0.0
    # 400 rows scatter about it
    late = sampled.accepted[4, 5:]
    assert 0.0 < np.abs(late - law.accepted[4, 5:]).mean() < 0.05
    assert abs((late - law.accepted[4, 5:]).mean()) < 0.02


def test_sampling_noise_is_no_violation_but_is_measured() -> None:
    """Rates are equal by law; 30 rows a group show gaps above .1 in a third of the windows."""
    one = world({"population": {**PEOPLE, "windows": 60, "per_group": 30, "bias": "proxy"}})
    made = make("constraint", "demographic_parity", tolerance=0.1)
    late = np.triu_indices(one.windows, 5)
    assert not made.costs(law_of(one))[late].any()
    # closed form of two samples of 30 with the rate .5: .37 (here the rate is about .3)
    assert 0.2 < made.costs(measured(one))[late].mean() < 0.45


def test_a_bias_that_sets_in_is_a_violation_from_then_on() -> None:
    timing = {"step": {"at": 8}}
    one = world({"population": {**PEOPLE, "bias": "proxy", "strength": 1.5, "timing": timing}})
    costs = make("constraint", "demographic_parity").costs(law_of(one))
    assert not costs[2, 3:8].any() and costs[2, 8:].all()


def test_the_law_of_a_population_that_drifts_is_that_of_each_window() -> None:
    course = {"duration": {"fixed": {"mean": 4}}, "order": [0, 1], "limit": 1}
    people = {**PEOPLE, "bias": "proxy", "place": 1.0, "moves": [0.0, 1.5],
              "rule": {"gradual": {**course, "width": 3}}, "merits": {"abrupt": course}}  # fmt: skip
    one = world({"population": people})
    law, sampled = law_of(one), measured(one)
    # window 8 is half of either rule with the merits of window 13
    before = law_of(world({"population": {**people, "turns": [0.0, 0.0]}}))
    assert np.array_equal(law.accuracy[2, :7], before.accuracy[2, :7])
    for name in ("accuracy", "accepted", "by_group"):
        drifted, still = getattr(law, name)[2], getattr(before, name)[2]
        np.testing.assert_allclose(drifted[8], (still[13] + drifted[13]) / 2.0, rtol=1e-12)
    assert abs((sampled.accuracy - law.accuracy)[2, 3:].mean()) < 0.02
    assert law.accuracy[2, 3] - law.accuracy[2, 13] > 0.15
    # the same through errors that only hurt training, and where the seed draws the stream
    wrapped = {"corrupted": {"base": {"population": people}, "rate": 0.0, "timing": {"step": {"at": 5}}}}
    for stream in (wrapped, {"one_of": {"streams": [wrapped]}}):
        assert np.array_equal(law_of(world(stream)).accepted, law.accepted, equal_nan=True)


def test_elsewhere_windows_are_pooled_without_those_trained_on() -> None:
    one = world({"synthetic": {"windows": 12, "rows": 40, "warmup": 3, "concept": "sea"}})
    law = law_of(one)
    v, t = 5, 7
    right = sum(np.trace(one.confusion[v, u]) for u in (6, 7, 8, 9))
    rows = sum(one.confusion[v, u].sum() for u in (6, 7, 8, 9))
    assert law.accuracy[v, t] == right / rows
    edge = sum(np.trace(one.confusion[v, u]) for u in (9, 10, 11)) / 120
    assert law.accuracy[v, 11] == edge


def test_wrong_rows_count_unless_a_gate_drops_them() -> None:
    base = {"synthetic": {"windows": 16, "rows": 50, "warmup": 4, "concept": "sea", "noise": 0.0}}
    stream = {
        "corrupted": {
            "base": base, "injector": "label_noise", "rate": 0.4, "timing": {"burst": {"at": 6, "length": 3}},
        }
    }  # fmt: skip
    last = {"last": {"windows": 2}}
    shares = {}
    for gate in ("none", "oracle"):
        one = world(stream, {"guarded": {"gate": gate, "base": last}})
        shares[gate], warm = wrong_shares(one)
        assert warm == 0.0
        assert make("constraint", "approved_data").costs(law_of(one))[:, 0].tolist() == [
            float(share > 0.01) for share in shares[gate]
        ]
    hit = np.flatnonzero(shares["none"])
    assert hit.tolist() == [6, 7, 8, 9] and (shares["none"][7:9] > 0.25).all()
    assert not shares["oracle"].any()


def test_costs_of_a_pool_are_those_of_its_worlds() -> None:
    worlds = [
        world({"population": {**PEOPLE, "strength": 1.0, "timing": {"step": {"at": 8}}}}, index=i)
        for i in range(2)
    ]
    pool = WorldPool(worlds)
    made = [make("constraint", name) for name in ("accuracy_floor", "demographic_parity", "churn")]
    costs = all_costs(pool, made, 2)
    assert [cost.lag for cost in costs] == [2, 0, 0] and [cost.at_switch for cost in costs] == [
        False,
        False,
        True,
    ]
    assert all_costs(pool, made, 2)[0] is costs[0]
    square = np.triu(made[1].costs(law_of(worlds[1])))
    assert (cost_square(pool, costs[1], 1) == square).all()


@pytest.mark.parametrize("name", ["demographic_parity", "equal_opportunity"])
def test_gaps_need_two_classes(name: str) -> None:
    pool = WorldPool([world({"synthetic": {"windows": 8, "rows": 60, "warmup": 3, "concept": "led"}})])
    with pytest.raises(ConfigError, match="needs two classes"):
        all_costs(pool, [make("constraint", name)], 0)


def test_limits_over_mean_window_and_run() -> None:
    costs = np.array([0.0, 0.4, 0.4, 0.0])
    for over, kept, broken in (("mean", 0.2, 0.19), ("window", 0.4, 0.39), ("run", 2, 1)):
        assert not make("constraint", "churn", over=over, limit=kept).violated(costs)
        assert make("constraint", "churn", over=over, limit=broken).violated(costs)
    assert longest_run(np.array([1.0])) == 1


@pytest.mark.parametrize(
    ("name", "params", "message"),
    [
        ("accuracy_floor", {"limit": 1.5}, "limit"),
        ("accuracy_floor", {"floor": -0.1}, "floor"),
        ("churn", {"charge": "violation"}, "share of answers"),
        ("demographic_parity", {"tolerance": 2.0}, "tolerance"),
        ("group_accuracy_floor", {"over": "month"}, "over"),
    ],
)
def test_parameters_out_of_range_are_refused(name: str, params: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        make("constraint", name, **params)


def test_the_contract_finds_faults() -> None:
    from dataclasses import dataclass

    class Wrong(Constraint):
        def excess(self, rates: Any) -> np.ndarray:
            # says something of windows without rows
            return np.ones(rates.accuracy.shape)

    cls = register("constraint", "wrong-on-purpose")(dataclass(kw_only=True)(Wrong))
    try:
        problems = {found.check for found in check_component(cls) if found.problem}
    finally:
        unregister("constraint", "wrong-on-purpose")
    assert {"costs", "fair"} <= problems
