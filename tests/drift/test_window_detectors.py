"""What all detectors of the distribution family share: chunks, degenerate windows, speed of KS."""

from __future__ import annotations

import math

import numpy as np
import pytest

from mlopsim.core.errors import DataError
from mlopsim.core.spec import make
from mlopsim.drift.signal import SignalKind

PER_FEATURE = ["ks", "cvm", "ad", "kuiper", "wasserstein", "psi", "js"]
ALL = [*PER_FEATURE, "hdddm", "mmd", "mmd_permutation"]


def signal(seed: int) -> np.ndarray:
    """40 windows of 23 rows with 5 features, one of few values, one constant; a change at window 25."""
    rng = np.random.default_rng(seed)
    drawn = rng.normal(size=(40, 23, 5))
    drawn[25:, :, seed % 4] += 1.0
    drawn[:, :, 3] = drawn[:, :, 3].round(0)
    drawn[:, :, 4] = 0.1
    return drawn


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("reference", [1, 6])
def test_whole_streamed_and_in_any_chunks_are_one_to_the_bit(name: str, reference: int) -> None:
    seen = 0
    for seed in range(6):
        windows = signal(seed)
        detector = make("detector", name, reference=reference)
        # a limit that some drift-free windows pass, so that there are alarms of all kinds
        free = detector.unlimited([windows], [np.random.default_rng(9)])[0]
        detector = detector.limited(max(float(np.nanquantile(free, 0.5)), 0.0))
        run = detector.run(windows, np.random.default_rng(9))
        seen += len(run.alarms)
        first = int(run.alarms[0]) + 1 if len(run.alarms) else len(windows)
        np.testing.assert_array_equal(run.score[:first], free[:first])
        # streamed
        detector.reset(np.random.default_rng(9))
        alarms = [t for t, window in enumerate(windows) if detector.update(window)]
        assert alarms == run.alarms.tolist()
        detector.reset(np.random.default_rng(9))
        scores = []
        for window in windows:
            detector.update(window)
            scores.append(detector.statistic)
        np.testing.assert_array_equal(scores, run.score)
        # in chunks
        rng = np.random.default_rng(seed)
        cuts = np.sort(rng.integers(0, 41, 5))
        detector.reset(np.random.default_rng(9))
        parts = [detector.advance(np.ascontiguousarray(part)) for part in np.split(windows, cuts)]
        np.testing.assert_array_equal(np.concatenate([part.score for part in parts]), run.score)
        starts = np.r_[0, cuts]
        found = np.concatenate([part.alarms + at for part, at in zip(parts, starts, strict=True)])
        assert found.tolist() == run.alarms.tolist()
        # without a limit, too
        detector.reset(np.random.default_rng(9))
        parts = [detector.advance_freely(part) for part in np.split(windows, cuts)]
        np.testing.assert_array_equal(np.concatenate(parts), free)
    assert seen >= 6


@pytest.mark.parametrize("name", ALL)
def test_order_of_rows_and_of_features_does_not_count(name: str) -> None:
    if name == "mmd_permutation":
        pytest.skip("its divisions are drawn by place")
    windows = signal(1)
    rng = np.random.default_rng(0)
    shuffled = rng.permuted(np.arange(40 * 23).reshape(40, 23), axis=1)
    mixed = windows.reshape(-1, 5)[shuffled][:, :, rng.permutation(5)]
    one, other = (make("detector", name).unlimited([w])[0] for w in (windows, mixed))
    # sums over features come in another order
    np.testing.assert_allclose(one, other, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("name", ALL)
def test_a_signal_of_values_can_be_cut_into_windows(name: str) -> None:
    values = np.random.default_rng(0).normal(size=2000)
    values[1200:] += 2.0
    detector = make("detector", name)
    assert detector.reads is SignalKind.INPUTS
    scores = detector.unlimited([values.reshape(40, 50, 1)])[0]
    defined = np.nan_to_num(scores, nan=-math.inf)
    # HDDDM looks for the step, the others for the difference
    assert int(np.argmax(defined)) == 24 if name == "hdddm" else defined[24:].min() >= defined[:24].max()


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("level", [0.0, 0.1, -1e308, 5e-324])
def test_a_constant_signal_has_no_alarm_and_any_change_of_it_has_one(name: str, level: float) -> None:
    with np.errstate(all="raise", under="ignore"):
        windows = np.full((20, 30, 2), level)
        run = make("detector", name, reference=3).run(windows)
        assert run.alarms.tolist() == []
        defined = run.score[~np.isnan(run.score)]
        assert len(defined) >= 15
        np.testing.assert_allclose(defined, 0.0, atol=0.15 if name == "psi" else 1e-12)
        windows[12:, :, 1] = 1e308 if level <= 0.0 else 0.2
        run = make("detector", name, reference=3).run(windows)
        # enough of each side: after the alarm the reference is learnt again, and constant
        assert run.alarms.tolist() == [12]


@pytest.mark.parametrize("name", ALL)
def test_huge_values_give_finite_scores(name: str) -> None:
    rng = np.random.default_rng(0)
    windows = rng.normal(size=(14, 20, 3))
    windows[:, :, 0] = np.sign(windows[:, :, 0]) * 1.7e308
    windows[:, :, 1] *= 1e-310
    windows[10:, :, 2] *= 1e308 / 4
    with np.errstate(all="raise", under="ignore"):
        scores = make("detector", name, reference=4).unlimited([windows])[0]
    assert np.isfinite(scores[7:]).all()
    assert scores[10] == np.nanmax(scores[:11])


@pytest.mark.parametrize("name", ALL)
def test_the_shortest_signals(name: str) -> None:
    detector = make("detector", name)
    assert detector.alarms(np.empty((0, 5, 2))).tolist() == []
    assert detector.alarms([]).tolist() == []
    # shorter than the reference
    short = detector.run(np.zeros((detector.reference, 4, 2)))
    assert np.isnan(short.score).all()
    # a single row a window: a test that needs more is undefined, never an error
    rng = np.random.default_rng(0)
    for rows in (1, 2, 3):
        run = detector.run(rng.normal(size=(30, rows, 2)))
        undefined = rows == 1 and name in ("cvm", "ad", "mmd", "mmd_permutation")
        assert np.isnan(run.score[detector.reference :]).all() == undefined
    for wrong in (np.empty((3, 0, 2)), np.empty((3, 2, 0)), np.zeros(5), np.full((12, 3, 2), np.nan)):
        with pytest.raises(DataError):
            detector.alarms(wrong)
    detector.reset()
    detector.update(np.zeros((4, 2)))
    with pytest.raises(DataError, match="2 features"):
        detector.update(np.zeros((4, 3)))


@pytest.mark.parametrize("name", ALL)
def test_windows_may_differ_in_rows(name: str) -> None:
    rng = np.random.default_rng(0)
    detector = make("detector", name, reference=2)
    detector = detector.limited(300.0)
    detector.reset()
    for rows in (10, 25, 7, 40, 12, 12, 9):
        detector.update(rng.normal(size=(rows, 2)))
    assert math.isfinite(detector.statistic)


def test_ties_in_sign_of_zero_are_ties() -> None:
    zero = np.zeros((8, 20, 1))
    zero[4:] *= -1.0
    for name in PER_FEATURE:
        run = make("detector", name, reference=4).run(zero)
        assert run.alarms.tolist() == []
        np.testing.assert_allclose(run.score[4:], 0.0, atol=0.05)
