"""Alarms against true changes, by hand and by brute force."""

import math

import numpy as np
import pytest

from mlopsim.core.errors import DataError
from mlopsim.drift.scoring import score_alarms


def test_numbers_by_hand():
    s = score_alarms([10, 55, 60, 130], [(50, 50), (120, 140)], ticks=200, tolerance=20)
    assert (s.drifts, s.detected, s.hits, s.false, s.extra) == (2, 2, 2, 1, 1)
    assert s.stable == 200 - 20 - 40
    assert s.delay == (5 + 10) / 2 == s.restricted_delay
    assert s.recall == 1.0 and s.precision == 2 / 3 and s.f1 == pytest.approx(0.8)
    assert s.false_per_1000 == pytest.approx(1000 / 140)
    assert s.mtfa == 140 and s.mtd == 7.5 and s.mdr == 0.0 and s.mtr == pytest.approx(140 / 7.5)


def test_a_missed_change_counts_its_whole_window():
    s = score_alarms([], [(50, 50), (90, 90)], ticks=100, tolerance=20)
    assert s.restricted_delay == (20 + 10) / 2
    assert s.recall == 0.0 and s.mdr == 1.0 and s.f1 == 0.0
    assert math.isnan(s.delay) and s.reasons["delay"] == "no change was found"
    assert math.isnan(s.precision) and s.reasons["precision"] == "no alarm"
    assert math.isnan(s.mtfa) and math.isnan(s.mtr)


def test_without_changes_only_false_alarms_are_defined():
    s = score_alarms([3, 7], [], ticks=10, tolerance=5)
    assert s.false == 2 and s.false_per_1000 == 200.0 and s.mtfa == 5.0 and s.precision == 0.0
    for name in ("delay", "restricted_delay", "recall", "f1", "mdr", "chance_recall", "episode_recall"):
        assert math.isnan(getattr(s, name)) and s.reasons[name] == "no change to find"


def test_overlapping_changes_share_no_alarm_and_make_one_episode():
    s = score_alarms([65], [(50, 50), (60, 60)], ticks=100, tolerance=20)
    assert s.detected == 1 and s.delay == 5.0 and s.recall == 0.5 and s.episode_recall == 1.0


@pytest.mark.parametrize("drifts", [[(100, 100)], [(100, 100), (300, 340), (600, 600)]])
def test_an_alarm_at_every_tick_never_looks_good(drifts):
    s = score_alarms(np.arange(1000), drifts, ticks=1000, tolerance=50)
    assert s.recall == 1.0 and s.false_per_1000 == 1000.0 and s.mtfa == 1.0
    assert s.precision < 0.005 and s.f1 < 0.01
    assert s.chance_recall == 1.0  # as many alarms at random would have found as much


def test_warm_up_is_not_looked_at():
    s = score_alarms([2, 30], [(1, 1), (25, 25)], ticks=50, tolerance=10, first=20)
    assert (s.drifts, s.hits, s.false, s.ticks, s.stable) == (1, 1, 0, 30, 20)


def brute_force(alarms, drifts, ticks, tolerance):
    """Tick by tick: who owns it, who was found first."""
    first, false, extra = {}, 0, 0
    for tick in sorted(set(alarms)):
        owners = [k for k, (start, end) in enumerate(drifts) if start <= tick < min(end + tolerance, ticks)]
        if not owners:
            false += 1
        elif owners[-1] in first:
            extra += 1
        else:
            first[owners[-1]] = tick
    return first, false, extra


def test_equals_brute_force():
    rng = np.random.default_rng(3)
    for _ in range(200):
        ticks, tolerance = int(rng.integers(20, 200)), int(rng.integers(1, 30))
        starts = np.sort(rng.choice(ticks, int(rng.integers(0, 6)), replace=False))
        drifts = [(int(a), int(a + rng.integers(0, 15))) for a in starts]
        alarms = rng.choice(ticks, int(rng.integers(0, 20)), replace=False).tolist()
        s = score_alarms(alarms, drifts, ticks, tolerance)
        first, false, extra = brute_force(alarms, drifts, ticks, tolerance)
        assert (s.hits, s.false, s.extra) == (len(first), false, extra)
        assert s.hits + s.false + s.extra == len(alarms)
        if first:
            assert s.delay == np.mean([first[k] - drifts[k][0] for k in first])


@pytest.mark.parametrize(
    ("alarms", "drifts", "tolerance", "cause"),
    [
        ([1], [], 0, "tolerance"),
        ([10], [], 5, "alarms at 10"),
        ([1], [(5, 4)], 5, "ends before"),
    ],
)
def test_impossible_input_is_refused(alarms, drifts, tolerance, cause):
    with pytest.raises(DataError, match=cause):
        score_alarms(alarms, drifts, ticks=10, tolerance=tolerance)


def test_harmless_changes_are_counted_apart():
    both = score_alarms([10, 105, 150, 305], [(300, 300)], 400, 50, harmless=[(100, 100)])
    assert both.harmless_alarmed == 1.0
    # 105 belongs to the harmless change, 10 and 150 to none
    assert (both.hits, both.false, both.extra, both.delay) == (1, 2, 0, 5.0)
    assert both.stable == 300
    # where the windows overlap, the harmful change has the alarm; the harmless one was alarmed on, too
    over = score_alarms([110], [(105, 105)], 400, 50, harmless=[(100, 100)])
    assert (over.hits, over.false, over.harmless_alarmed) == (1, 0, 1.0)
    none = score_alarms([10], [(300, 300)], 400, 50)
    assert np.isnan(none.harmless_alarmed) and none.reasons["harmless_alarmed"] == "no harmless change"
    quiet = score_alarms([], [], 400, 50, harmless=[(100, 100)])
    assert quiet.harmless_alarmed == 0.0 and quiet.stable == 350 and np.isnan(quiet.recall)


def test_alarms_that_a_change_explains_are_no_chance():
    # one alarm per 10 ticks within the change's window, none outside: nothing is found by chance
    s = score_alarms(np.arange(500, 700, 10), [(500, 500)], ticks=1000, tolerance=200)
    assert s.recall == 1.0 and s.extra == 19 and s.chance_recall == 0.0
    one = score_alarms([100, 500], [(500, 500)], ticks=1000, tolerance=200)
    assert one.chance_recall == pytest.approx(1.0 - (1.0 - 1.0 / 800.0) ** 200)


def test_an_alarm_at_every_tick_has_no_infinite_ratio():
    s = score_alarms(np.arange(1000), [(500, 500)], ticks=1000, tolerance=50)
    assert s.mtd == 0.0 and s.mtr == 1.0
