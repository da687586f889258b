"""``mlopsim arl`` and ``mlopsim calibrate``."""

from __future__ import annotations

import json
from typing import Any

import pytest

from mlopsim.cli.commands.arl import command as arl
from mlopsim.cli.commands.calibrate import command as calibrate
from mlopsim.core.errors import ConfigError


def run(capsys: pytest.CaptureFixture[str], command: Any, *words: str) -> str:
    command.main([*words], standalone_mode=False)
    return capsys.readouterr().out


def test_the_mean_the_quantiles_and_the_chance_within_n(capsys: pytest.CaptureFixture[str]) -> None:
    found = json.loads(run(capsys, arl, "cusum", "k=0.5", "h=4", "shift=1", "--json"))
    assert found["arl"] == pytest.approx(8.38, rel=0.005)
    assert list(found["quantiles"].values()) == sorted(found["quantiles"].values())
    text = run(capsys, arl, "cusum", "k=0.5", "h=5")
    assert "average run length: 465.44 ticks" in text
    # a million simulated signals show 88.52 %
    assert "within 1,000 ticks: 88.5%" in text and "with this mean: 88.3%" in text
    assert "as if the two sides were independent" in run(capsys, arl, "cusum", "k=0.05", "h=20", "n=50")


def test_what_is_not_exact_is_simulated_and_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    found = json.loads(run(capsys, arl, "ddm", "p=0.2", "--runs", "50", "--ticks", "1500", "--json"))
    assert found["method"].startswith("simulated, 50 signals")
    assert found["arl"] is None and "no alarm" in found["arl_reason"]
    assert found["within"]["low"] < found["within"]["share"] < found["within"]["high"]


def test_the_published_limit_comes_back(capsys: pytest.CaptureFixture[str]) -> None:
    found = json.loads(run(capsys, calibrate, "ewma", "lam=0.5", "arl0=500", "law=normal", "--json"))
    assert found["method"] == "exact" and found["limit"] == pytest.approx(3.071, abs=1e-3)


def test_a_lattice_is_said_of_scores_that_have_one_only(capsys: pytest.CaptureFixture[str]) -> None:
    normal = run(capsys, calibrate, "glr", "arl0=100", "law=normal", "--runs", "60")
    assert "lattice" not in normal and "with probability" not in normal
    # p-values of two samples of 30 rows are few: many signals share the highest score
    kswin = run(capsys, calibrate, "kswin", "arl0=150", "--runs", "60")
    assert "lattice" not in kswin and "signals have their highest score exactly there" in kswin


def test_a_limit_on_a_lattice_is_exact_with_a_weight(capsys: pytest.CaptureFixture[str]) -> None:
    words = ("bernoulli_cusum", "p0=0.1", "p1=0.2", "arl0=5000", "horizon=2000")
    found = json.loads(run(capsys, calibrate, *words, "--json"))
    assert found["method"] == "exact" and found["lower"] < found["limit"] and 0.0 < found["weight"] < 1.0
    assert "with probability" in run(capsys, calibrate, *words)
    with pytest.raises(ConfigError, match="first batch of 50 rows"):
        calibrate.main(["p_chart", "arl0=100", "horizon=20"], standalone_mode=False)


def test_a_simulated_limit_has_an_interval_and_a_check(capsys: pytest.CaptureFixture[str]) -> None:
    words = ("page_hinkley", "p=0.2", "arl0=400", "horizon=200", "--runs", "300", "--json")
    found = json.loads(run(capsys, calibrate, *words))
    assert found["low"] <= found["limit"] <= found["high"]
    assert found["share"]["target"] == pytest.approx(0.393, abs=0.001)
    assert abs(found["share"]["value"] - 0.393) < 0.12


def test_limit_is_the_name_of_every_limit(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(capsys, arl, "cusum", "limit=4") == run(capsys, arl, "cusum", "h=4")
    assert run(capsys, arl, "shewhart", "limit=2") == run(capsys, arl, "shewhart", "width=2")
    with pytest.raises(ConfigError, match="its limit is width, which may be given as limit"):
        arl.main(["shewhart", "h=2"], standalone_mode=False)


def test_a_slow_detector_says_how_many_signals_it_was_tried_on(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    # so little is allowed that only the fewest signals are read, and a count that is asked for is kept
    monkeypatch.setattr("mlopsim.drift.simulated_run_lengths.EFFORT", 1.0)
    words = ("ks", "limit=0.05", "rows=20", "features=2", "--ticks", "30", "n=30")
    text = run(capsys, arl, *words)
    assert "20 signals of 30 windows (of 2,000: slow; --runs 2000 takes them all)" in text
    assert "standard error" in text
    found = json.loads(run(capsys, arl, *words, "--runs", "60", "--json"))
    assert found["runs"] == 60 and "slow" not in found["method"] and found["restricted_mean_error"] > 0.0


@pytest.mark.parametrize(
    ("command", "words", "message"),
    [
        (arl, ("cusum", "h"), "'h' is no setting"),
        (arl, ("cusum", "h=4", "h=5"), "given twice"),
        (arl, ("cusum", "hh=4"), "no parameter 'hh'"),
        (arl, ("cusm",), "unknown detector"),
        (arl, ("cusum", "law=gauss"), "unknown law"),
        (arl, ("cusum", "law=normal", "p=0.2"), "has no p"),
        (arl, ("ddm", "law=normal"), "reads errors"),
        (arl, ("ks", "p=0.1"), "windows of inputs"),
        (arl, ("ddm", "rows=20"), "reads rows"),
        (arl, ("ddm", "p=0.2", "n=10.5"), "whole number"),
        (arl, ("cusum", "h=[1"), "cannot read"),
        (arl, ("cusum", "limit=4", "h=4"), "limit is another name of h"),
        (calibrate, ("river",), "no limit to set"),
        (arl, ("cusum", "shift=big"), "must be a number"),
        (calibrate, ("never",), "no limit to set"),
        (calibrate, ("cusum", "arl0=0"), "arl0"),
    ],
)
def test_bad_input_is_one_clear_error(command: Any, words: tuple[str, ...], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        command.main([*words], standalone_mode=False)


def test_a_limit_without_an_interval_says_why(capsys: pytest.CaptureFixture[str]) -> None:
    text = run(capsys, calibrate, "hddm_a", "p=0.2", "arl0=400", "--runs", "60")
    assert "no interval: its score depends on its limit" in text and "on fresh signals" in text
