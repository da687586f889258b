"""Alarms against true changes, by hand and by brute force."""

import math

import numpy as np
import pytest

from mlopsim.core.errors import DataError
from mlopsim.drift.mean_times import time_ratio
from mlopsim.drift.scenario import Channel
from mlopsim.drift.scoring import score_alarms
from mlopsim.drift.signal import Signal, SignalKind
from mlopsim.drift.sources.model import _risk_steps


def test_numbers_by_hand():
    s = score_alarms([10, 55, 60, 130], [(50, 50), (120, 140)], ticks=200, tolerance=20)
    assert (s.drifts, s.detected, s.hits, s.false, s.extra) == (2, 2, 2, 1, 1)
    assert s.stable == 200 - 20 - 40
    assert s.delay == (5 + 10) / 2 == s.restricted_delay
    assert s.recall == 1.0 and s.precision == 2 / 3 and s.f1 == pytest.approx(0.8)
    assert s.false_per_1000 == pytest.approx(1000 / 140)
    # without a tolerance: 60 is false, too, 130 detects
    assert s.mtfa == 50 and s.mtd == 7.5 and s.mdr == 0.0 and s.mtr == pytest.approx(50 / 7.5)


def test_without_changes_only_false_alarms_are_defined():
    s = score_alarms([3, 7], [], ticks=10, tolerance=5)
    assert s.false == 2 and s.false_per_1000 == 200.0 and s.mtfa == 4.0 and s.precision == 0.0
    for name in ("delay", "restricted_delay", "recall", "f1", "mdr", "chance_recall", "episode_recall"):
        assert math.isnan(getattr(s, name)) and s.reasons[name] == "no change to find"


@pytest.mark.parametrize("drifts", [[(100, 100)], [(100, 100), (300, 340), (600, 600)]])
def test_an_alarm_at_every_tick_never_looks_good(drifts):
    s = score_alarms(np.arange(1000), drifts, ticks=1000, tolerance=50)
    assert s.recall == 1.0 and s.false_per_1000 == 1000.0 and s.mtfa == pytest.approx(1.0, abs=0.01)
    # nothing is divided by a mean time of 0
    assert s.mtd == 0.0 and math.isnan(s.mtr) and "found at once" in s.reasons["mtr"]
    assert s.precision < 0.005 and s.f1 < 0.01
    assert s.chance_recall == 1.0  # as many alarms at random would have found as much


def test_warm_up_is_not_looked_at():
    s = score_alarms([2, 30], [(1, 1), (25, 25)], ticks=50, tolerance=10, first=20)
    assert (s.drifts, s.hits, s.false, s.ticks, s.stable) == (1, 1, 0, 30, 20)


def test_alarms_that_a_change_explains_are_no_chance():
    # one alarm per 10 ticks within the change's window, none outside: nothing is found by chance
    s = score_alarms(np.arange(500, 700, 10), [(500, 500)], ticks=1000, tolerance=200)
    assert s.recall == 1.0 and s.extra == 19 and s.chance_recall == 0.0
    one = score_alarms([100, 500], [(500, 500)], ticks=1000, tolerance=200)
    assert one.chance_recall == pytest.approx(1.0 - (1.0 - 1.0 / 800.0) ** 200)


def test_a_missed_change_counts_its_whole_window():
    s = score_alarms([], [(50, 50), (90, 90)], ticks=100, tolerance=20)
    assert s.restricted_delay == (20 + 10) / 2
    assert s.recall == 0.0 and s.mdr == 1.0 and s.f1 == 0.0
    assert math.isnan(s.delay) and s.reasons["delay"] == "no change was found"
    assert math.isnan(s.precision) and s.reasons["precision"] == "no alarm"
    assert math.isnan(s.mtfa) and math.isnan(s.mtr)


def test_a_missed_change_ends_where_the_next_begins():
    s = score_alarms([65], [(50, 50), (60, 60)], ticks=100, tolerance=20)
    assert s.detected == 1 and s.delay == 5.0 and s.recall == 0.5 and s.episode_recall == 1.0
    # missed for the 10 ticks until the next one, found after 5
    assert s.restricted_delay == (10 + 5) / 2
    # one within a slower one: what the slower one leaves to be found still counts
    slow = score_alarms([115], [(50, 100), (60, 60)], ticks=200, tolerance=20)
    assert (slow.hits, slow.false, slow.restricted_delay) == (1, 0, (10 + 55) / 2)
    # two at one tick are one
    assert score_alarms([65], [(60, 60), (60, 70)], ticks=100, tolerance=5).drifts == 1


def test_an_alarm_before_the_labels_is_no_hit():
    late = score_alarms([120, 560], [(100, 100)], ticks=1000, tolerance=800, lag=500)
    # both came before any label of the new law
    assert (late.hits, late.false, late.recall, late.restricted_delay) == (0, 2, 0.0, 800.0)
    first = score_alarms([120, 599, 600], [(100, 100)], ticks=1000, tolerance=800, lag=500)
    assert (first.hits, first.false, first.extra) == (1, 2, 0)
    assert first.delay == first.restricted_delay == first.mtd == 500.0
    assert first.stable == 1000 - 300 and first.mtfa == 479.0
    # until the labels of the second change the alarms are the first one's
    both = score_alarms([640], [(100, 100), (150, 150)], ticks=1000, tolerance=800, lag=500)
    assert (both.hits, both.recall, both.restricted_delay) == (1, 0.5, (540 + 800) / 2)
    # a change whose labels come after its window is one that nobody can find
    none = score_alarms([10], [(900, 900)], ticks=1000, tolerance=800, lag=500)
    assert none.drifts == 0 and "too late" in none.reasons["recall"]


def test_a_hit_is_no_alarm_on_a_harmless_change():
    """62 answers the change at 60, not the harmless one in whose window it is, too."""
    s = score_alarms([62], [(60, 60)], 100, 20, harmless=[(50, 50)])
    assert (s.hits, s.false, s.harmless_alarmed) == (1, 0, 0.0)
    # further alarms for it are none either; one before it is
    assert score_alarms([62, 65], [(60, 60)], 100, 20, harmless=[(50, 50)]).harmless_alarmed == 0.0
    assert score_alarms([55, 62], [(60, 60)], 100, 20, harmless=[(50, 50)]).harmless_alarmed == 1.0
    # nothing can be said of one that is covered
    covered = score_alarms([62], [(60, 80)], 100, 20, harmless=[(65, 65)])
    assert math.isnan(covered.harmless_alarmed) and "cover" in covered.reasons["harmless_alarmed"]
    both = score_alarms([10, 105, 150, 305], [(300, 300)], 400, 50, harmless=[(100, 100)])
    assert both.harmless_alarmed == 1.0 and both.stable == 300
    # 105 belongs to the harmless change, 10 and 150 to none
    assert (both.hits, both.false, both.extra, both.delay) == (1, 2, 0, 5.0)
    none = score_alarms([10], [(300, 300)], 400, 50)
    assert np.isnan(none.harmless_alarmed) and none.reasons["harmless_alarmed"] == "no harmless change"
    quiet = score_alarms([], [], 400, 50, harmless=[(100, 100)])
    assert quiet.harmless_alarmed == 0.0 and quiet.stable == 350 and np.isnan(quiet.recall)


def brute_force(alarms, drifts, harmless, ticks, tolerance, lag):
    """Tick by tick: who owns it, who was found first."""

    def owner(tick, spans):
        """The change that began last, if it or one before it is not over."""
        begun = [k for k, (start, _) in enumerate(spans) if start + lag <= tick]
        open_ = any(tick < spans[k][1] + tolerance for k in begun)
        return begun[-1] if begun and open_ else None

    first, false, extra, quiet = {}, 0, 0, set()
    for tick in sorted(set(alarms)):
        mine, calm = owner(tick, drifts), owner(tick, harmless)
        if mine is None:
            if calm is None:
                false += 1
            else:
                quiet.add(calm)
        elif mine in first:
            extra += 1
        else:
            first[mine] = tick
    return first, false, extra, len(quiet)


def test_equals_brute_force():
    rng = np.random.default_rng(3)

    def spans(ticks):
        starts = np.sort(rng.choice(ticks, int(rng.integers(0, 6)), replace=False))
        return [(int(a), int(a + rng.integers(0, 15))) for a in starts]

    for _ in range(200):
        ticks, tolerance = int(rng.integers(20, 200)), int(rng.integers(1, 30))
        lag = int(rng.integers(0, 3)) * int(rng.integers(0, tolerance))
        drifts, harmless = spans(ticks), spans(ticks)
        alarms = rng.choice(ticks, int(rng.integers(0, 20)), replace=False).tolist()
        s = score_alarms(alarms, drifts, ticks, tolerance, harmless=harmless, lag=lag)
        first, false, extra, quiet = brute_force(alarms, drifts, harmless, ticks, tolerance, lag)
        assert (s.hits, s.false, s.extra) == (len(first), false, extra)
        if first:
            assert s.delay == np.mean([first[k] - drifts[k][0] for k in first]) >= lag
        if not math.isnan(s.harmless_alarmed):
            assert (s.harmless_alarmed > 0) == (quiet > 0)


def test_times_of_the_published_example():
    """A worked example of these four measures: 6, 10 and 18 are false, 11 and 25 are missed."""
    found = time_ratio([4, 6, 10, 13, 16, 18, 24, 28], [1, 11, 12, 14, 20, 25, 26])
    assert (found.mtfa, found.mtd, found.mdr) == (6.0, 2.4, pytest.approx(2 / 7))
    assert found.mtr == pytest.approx(2.5 * 5 / 7) and found.reasons == {}
    drifts = [(at, at) for at in (1, 11, 12, 14, 20, 25, 26)]
    s = score_alarms([4, 6, 10, 13, 16, 18, 24, 28], drifts, ticks=30, tolerance=30)
    assert (s.mtfa, s.mtd, s.mdr, s.mtr) == (found.mtfa, found.mtd, found.mdr, found.mtr)
    empty = time_ratio([3], [])
    assert set(empty.reasons) == {"mtfa", "mtd", "mdr", "mtr"}


@pytest.mark.parametrize(
    ("alarms", "drifts", "tolerance", "cause"),
    [
        ([1], [], 0, "tolerance"),
        ([10], [], 5, "alarms at 10"),
        ([1], [(5, 4)], 5, "ends before"),
        ([1.5], [], 5, "alarms must be at whole numbers, got 1.5"),
        ([1, math.nan], [], 5, "alarms must be at whole numbers, got nan"),
        ([math.inf], [], 5, "got inf"),
        (["3"], [], 5, "got 3"),
        ([1], [(5.5, 6)], 5, "changes must be at whole numbers, got 5.5"),
        ([1], [(math.nan, 6)], 5, "changes must be at whole numbers"),
        ([1], [5, 6], 5, "pairs"),
        ([1], [(5, 6)], 2.5, "tolerance must be at whole numbers"),
        ([1], [(5, 6)], math.nan, "tolerance must be at whole numbers"),
    ],
)
def test_impossible_input_is_refused_with_a_remedy(alarms, drifts, tolerance, cause):
    with pytest.raises(DataError, match=cause) as refused:
        score_alarms(alarms, drifts, ticks=10, tolerance=tolerance)
    assert refused.value.remedy
    with pytest.raises(DataError):
        score_alarms([1], [], ticks=10, tolerance=5, harmless=[(1.5, 2)])


def test_siblings_refuse_what_is_no_position():
    channel = Channel(signal=Signal(kind=SignalKind.VALUES, data=np.zeros(4)))
    for refuse in (lambda at: time_ratio(at, [1]), lambda at: time_ratio([1], at), channel.times):
        for wrong in ([1.5], [math.nan]):
            with pytest.raises(DataError, match="whole numbers"):
                refuse(wrong)
        # spans are no positions: nothing is flattened in silence
        with pytest.raises(DataError, match="plain sequence"):
            refuse([(1, 1), (2, 3)])
    with pytest.raises(DataError, match="plain sequence"):
        score_alarms([(1, 2)], [], ticks=10, tolerance=5)
    assert score_alarms([3.0, 7.0], [], ticks=10, tolerance=5).false == 2


def test_harm_is_measured_change_by_change():
    """Error after a change, from its end to the next one, less that before it."""
    errors = np.r_[np.full(100, 0.2), np.full(50, 0.9), np.full(50, 0.1), np.full(100, 0.4)]
    changes = ((100, 150), (200, 200))
    assert _risk_steps(errors, changes) == pytest.approx((-0.1, 0.3))
    # two that begin together have the same rows around them
    both = _risk_steps(errors, ((200, 200), (200, 200)))
    assert both[0] == both[1] == pytest.approx(0.4 - errors[:200].mean())
    # before one at the very start there are none
    assert math.isnan(_risk_steps(errors, ((0, 0),))[0])
