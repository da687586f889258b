"""The ratchet, and claims on fairness over time, in deployments whose truth is set by hand."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest

from mlopsim.core.errors import ConfigError, DataError
from mlopsim.core.spec import make
from mlopsim.governance.monitoring.fairness_over_time import (
    Guard,
    alarms_beside_truth,
    gap,
    retraining_and_gaps,
)
from mlopsim.governance.monitoring.in_control import Law, law
from mlopsim.governance.monitoring.limits import conservative, simulated
from mlopsim.governance.monitoring.ratchet import Ratchet
from mlopsim.governance.monitoring.rates import Rate
from mlopsim.governance.monitoring.reference import rebased
from mlopsim.governance.monitoring.watch import watch

# -- the ratchet --


@pytest.mark.parametrize("floor", ["0.8", "0.75", "0.81", "0.9", "0.7"])
@pytest.mark.parametrize("delta", ["0.01", "0.02", "0.03", "0.05"])
def test_the_floor_is_broken_where_the_closed_form_says(floor: str, delta: str) -> None:
    ratchet = Ratchet(q0=0.9, delta=float(delta), floor=float(floor), releases=15, windows=1, rows=1)
    levels = [Fraction("0.9") - r * Fraction(delta) for r in range(ratchet.releases + 1)]
    below = [r for r, level in enumerate(levels) if level < Fraction(floor)]
    assert ratchet.found == (below[0] if below else None)
    if ratchet.found is not None:
        assert ratchet.found == math.floor((Fraction("0.9") - Fraction(floor)) / Fraction(delta)) + 1
    assert np.allclose(ratchet.levels, [float(level) for level in levels], atol=0)


def test_a_relative_gate_never_sees_what_an_absolute_floor_sees_at_once() -> None:
    ratchet = Ratchet(q0=0.9, delta=0.02, floor=0.8, releases=8, windows=10, rows=2000)
    assert ratchet.relative(margin=0.02) is None and ratchet.relative(margin=0.0199) == 1
    counts = ratchet.draw(200, np.random.default_rng(0))
    versions = np.broadcast_to(ratchet.versions, counts.shape[:2])
    reference = rebased(counts, versions, learn=4)
    chart, floor = make("monitor", "p_chart", side="down"), make("monitor", "floor", floor=0.8)
    # the same family-wise limit for both; that of the chart is found with four windows of learning
    steady = law(base=(0.5,), recall=(0.9,), false_positive_rate=(0.1,), rows=(2000,))
    limits = simulated(chart, steady, np.random.default_rng(1), windows=90, runs=4000, learn=4)
    absolute = conservative(floor, 1, windows=90)
    based, floored = watch(chart, counts, reference, limits), watch(floor, counts, reference, absolute)
    # no release is seen for being worse than the last: alarms are as rare as in control
    assert based.alarms.any(axis=1).mean() < 0.1
    assert ratchet.found == 6
    release = ratchet.versions[floored.first]
    assert (floored.first >= 0).all() and np.median(release) == 6
    assert (release < 6).mean() <= 0.05 and (release <= 7).all()
    # one bank holds both, and says which of them it was
    bank = make("monitor", "bank", monitors=[{"p_chart": {"side": "down"}}, {"floor": {"floor": 0.8}}])
    together = watch(bank, counts, reference, conservative(bank, 1, windows=90))
    leads = together.leader[np.arange(200), together.first]
    assert (leads == 1).mean() > 0.8
    assert np.isin(ratchet.versions[together.first[leads == 1]], (6, 7)).all()


def test_the_exact_truth_breaks_the_floor_in_every_window_from_there_on() -> None:
    """With many rows, and counts at their means, the floor speaks at release 6 and not before."""
    ratchet = Ratchet(q0=0.9, delta=0.02, floor=0.8, releases=8, windows=2, rows=100_000)
    right = np.rint(ratchet.levels[ratchet.versions] * 50_000).astype(int)
    wrong = 50_000 - right
    counts = np.stack([right, wrong, wrong, right], -1).reshape(1, -1, 1, 2, 2)
    scores = make("monitor", "floor", floor=0.8).scores(counts, rebased(counts, ratchet.versions[None], 1))
    assert np.array_equal(scores[0, 0] > 4.0, ratchet.versions >= 6)


@pytest.mark.parametrize(
    "change", [{"delta": 0.0}, {"floor": 0.95}, {"releases": 60}, {"windows": 0}, {"q0": 1.2}]
)
def test_a_ratchet_that_cannot_be_is_refused(change: dict[str, float]) -> None:
    given = {"q0": 0.9, "delta": 0.02, "floor": 0.8, "releases": 8, "windows": 5, "rows": 100}
    with pytest.raises(ConfigError):
        Ratchet(**{**given, **change})  # type: ignore[arg-type]


# -- accuracy alarms do not stand for fairness alarms --

ROWS = (400, 400)
BEFORE = law(base=(0.5, 0.5), recall=(0.85, 0.85), false_positive_rate=(0.15, 0.15), rows=ROWS)
#: the gap opens, the accuracy stays; the accuracy falls, the gap stays; both
AFTER = {
    "none": BEFORE,
    "fairness": law(base=(0.5, 0.5), recall=(0.95, 0.75), false_positive_rate=(0.15, 0.15), rows=ROWS),
    "accuracy": law(base=(0.5, 0.5), recall=(0.7, 0.7), false_positive_rate=(0.3, 0.3), rows=ROWS),
    "both": law(base=(0.5, 0.5), recall=(0.75, 0.55), false_positive_rate=(0.3, 0.3), rows=ROWS),
}
CHANGE, WINDOWS, EACH = 6, 16, 60


def deployments() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(2)
    counts, truth = [], []
    for after in AFTER.values():
        for told, windows in ((BEFORE, CHANGE), (after, WINDOWS - CHANGE)):
            counts.append(told.draw(EACH, windows, rng))
            truth.append(np.broadcast_to(cells(told), counts[-1].shape))
    pairs = range(0, 8, 2)
    return tuple(  # type: ignore[return-value]
        np.concatenate([np.concatenate(part[i : i + 2], axis=1) for i in pairs]) for part in (counts, truth)
    )


def cells(told: Law) -> np.ndarray:
    return told.cells * told.rows[:, None, None]


def guards() -> tuple[Guard, Guard]:
    accuracy = make("monitor", "p_chart", side="down")
    fairness = make("monitor", "gap_score", rate="recall", margin=0.1)
    return tuple(  # type: ignore[return-value]
        Guard(monitor=m, limits=conservative(m, 2, windows=WINDOWS), reference=BEFORE.reference())
        for m in (accuracy, fairness)
    )


def test_each_alarm_tells_its_own_breach_only() -> None:
    counts, truth = deployments()
    accuracy, fairness = guards()
    table = alarms_beside_truth(counts, truth, accuracy, fairness, delay=2, within=8)
    share = {(row["state"], row["guard"]): row["alarms"] for row in table}
    assert len(share) == 8 and all(row["n"] == EACH for row in table)
    assert share["none", "accuracy"] <= 0.1 and share["none", "fairness"] <= 0.1
    # the accuracy is the same to the bit: its alarms are as rare as in control, and miss what is unfair
    assert share["fairness", "accuracy"] <= 0.1 < 0.9 < share["fairness", "fairness"]
    assert share["accuracy", "fairness"] <= 0.1 < 0.9 < share["accuracy", "accuracy"]
    assert share["both", "accuracy"] > 0.9 and share["both", "fairness"] > 0.6
    by_state = {row["state"]: row["agree"] for row in table}
    assert by_state["fairness"] < 0.2 and by_state["accuracy"] < 0.2 and by_state["both"] > 0.6
    waits = {(row["state"], row["guard"]): row["wait"] for row in table}
    # labels come two windows later
    assert waits["both", "accuracy"] == 2.0 and math.isnan(waits["none", "accuracy"])


def test_limits_of_the_truth_decide_the_state() -> None:
    counts, truth = deployments()
    accuracy, fairness = guards()

    def states(**limits: float) -> dict[str, int]:
        table = alarms_beside_truth(counts, truth, accuracy, fairness, **limits)
        return {row["state"]: row["n"] for row in table}

    assert states(largest_gap=0.2) == {"none": 2 * EACH, "accuracy": 2 * EACH}
    assert states(lowest_accuracy=0.85) == states()
    assert states(lowest_accuracy=0.6) == {"none": 2 * EACH, "fairness": 2 * EACH}
    with pytest.raises(DataError, match="does not fit"):
        alarms_beside_truth(counts, truth[:1], accuracy, fairness)
    with pytest.raises(DataError, match="in time"):
        alarms_beside_truth(counts, truth, accuracy, fairness, within=-1)


# -- retraining restores fairness, or worsens it --


def test_a_switch_is_compared_with_what_it_replaced_on_the_same_windows() -> None:
    fair, unfair = cells(AFTER["accuracy"]), cells(AFTER["fairness"])
    # version 0 is fair until window 4, unfair from then on; version 1 the other way round; 2 always fair
    counts = np.stack(
        [
            np.stack([fair] * 4 + [unfair] * 4),
            np.stack([unfair] * 4 + [fair] * 4),
            np.stack([fair] * 8),
        ]
    )
    versions = np.array([[0, 0, 0, 0, 1, 1, 2, 2], [0, 0, 1, 1, 1, 1, 1, 1], [2, 1, 1, 2, 2, 2, 2, 2]])
    drifted = np.arange(8) >= 4
    one, other = retraining_and_gaps(counts, versions, drifted=drifted)
    # without drift: 2 -> 1 in windows 1 and 2 worsens; all other switches serve mostly drifted windows
    assert (one["drift"], one["n"], one["worsened"], one["restored"]) == ("without", 1, 1.0, 0.0)
    assert one["gap_new"] == pytest.approx(0.2) and one["gap_old"] == pytest.approx(0.0)
    # 0 -> 1 at 4 restores, and so does 0 -> 1 at 2 on balance; 1 -> 2 at 6 and at 3 change nothing
    assert other["n"] == 4
    pooled_old = gap(counts[0, 2:].sum(axis=0), Rate.RECALL)
    pooled_new = gap(counts[1, 2:].sum(axis=0), Rate.RECALL)
    assert pooled_old > 0.1 > pooled_new
    assert other["restored"] == pytest.approx(2 / 4) and other["worsened"] == 0.0
    whole = retraining_and_gaps(counts, versions)[0]
    assert whole["n"] == 5 and whole["worsened"] == pytest.approx(1 / 5)
    assert whole["restored"] == pytest.approx(2 / 5)
    assert whole["restored_low"] < 2 / 5 < whole["restored_high"]


def test_deployments_that_share_people_tell_no_more_than_one() -> None:
    """The same deployments again, of the same seeds: the same intervals; as independent ones: narrower."""
    counts, truth = deployments()
    guard = guards()
    seeds = np.arange(len(counts))

    def alarms(times: int, shared: bool) -> list[dict[str, float]]:
        told = np.tile(seeds, times) if shared else None
        pair = (np.concatenate([each] * times) for each in (counts, truth))
        return alarms_beside_truth(*pair, *guard, delay=2, within=4, seeds=told)

    once, shared, apart = alarms(1, True), alarms(3, True), alarms(3, False)
    for a, b, c in zip(once, shared, apart, strict=True):
        assert (b["n"], b["seeds"], c["seeds"]) == (3 * a["n"], a["seeds"], 3 * a["seeds"])
        for name in ("alarms", "agree"):
            low, high = f"{name}_low", f"{name}_high"
            assert (b[name], b[low], b[high]) == pytest.approx((a[name], a[low], a[high]), abs=1e-12)
            assert c[high] - c[low] < b[high] - b[low]
            # where all agree an interval is not without width
            assert b[low] < b[high]
    versions = np.array([[0, 1, 1], [0, 0, 1], [1, 1, 0], [1, 0, 0]])
    rates = np.array([[0.9, 0.7], [0.85, 0.82]])[:, None].repeat(3, axis=1)
    probabilities = np.stack([0.5 - rates / 2, rates / 2], axis=-1)[..., None, :].repeat(2, axis=-2)
    one, many = (
        retraining_and_gaps(probabilities, np.tile(versions, (t, 1)), seeds=np.tile(np.arange(4), t))[0]
        for t in (1, 5)
    )
    assert (one["restored"], one["worsened"], one["restored_any"]) == (0.5, 0.5, 0.5)
    assert (many["n"], many["seeds"]) == (20, 4)
    assert {k: v for k, v in many.items() if k != "n"} == pytest.approx(
        {k: v for k, v in one.items() if k != "n"}, nan_ok=True
    )
    with pytest.raises(DataError, match="need as many seeds"):
        retraining_and_gaps(probabilities, versions, seeds=np.arange(3))


def test_no_switch_is_said_and_shapes_are_checked() -> None:
    counts = np.ones((2, 3, 2, 2, 2))
    row = retraining_and_gaps(counts, np.zeros((1, 3), dtype=int))[0]
    assert row["n"] == 0 and math.isnan(row["restored"]) and math.isnan(row["gap_new"])
    with pytest.raises(DataError, match="do not fit"):
        retraining_and_gaps(counts, np.zeros((1, 2), dtype=int))
    with pytest.raises(DataError, match="drifted"):
        retraining_and_gaps(counts, np.zeros((1, 3), dtype=int), drifted=np.zeros(2, dtype=bool))
    few = np.array([[[0, 0], [0, 4]], [[0, 0], [10, 10]], [[0, 0], [0, 20]]])
    # four rows of a group are left out; of probabilities none are
    assert gap(few, Rate.RECALL) == gap(few / 1000.0, Rate.RECALL) == 0.5
    assert gap(few[[0, 1]], Rate.RECALL) != gap(few[[0, 1]] / 1000.0, Rate.RECALL) == 0.5
    one_group = gap(np.ones((1, 2, 2)), Rate.RECALL)
    assert np.isnan(one_group)
