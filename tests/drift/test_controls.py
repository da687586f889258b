"""The controls do what their names say, whatever they are shown."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from scipy.stats import chisquare

from mlopsim.core.errors import ConfigError, DataError
from mlopsim.core.spec import make
from mlopsim.drift.signal import Signal, SignalKind

NAMES = ["never", "always", "random", "periodic", "clairvoyant"]
SIGNALS = {
    SignalKind.ERRORS: np.zeros(40),
    SignalKind.CORRECT: np.ones(40),
    SignalKind.VALUES: np.linspace(-9.0, 9.0, 40),
    SignalKind.INPUTS: np.zeros((40, 5, 2)),
}


@pytest.mark.parametrize("name", NAMES)
def test_controls_ignore_the_kind_and_the_ticks(name: str) -> None:
    params: dict[str, Any] = {"periodic": {"every": 7}, "random": {"rate": 0.2}}.get(name, {})
    control = make("detector", name, **params)
    if name == "clairvoyant":
        control = replace(control, changes=[30, 3, 3, 99])
    assert control.control and set(control.readable()) == set(SignalKind)
    found = [control.run(Signal(kind=kind, data=data)) for kind, data in SIGNALS.items()]
    found += [control.run(data) for data in SIGNALS.values()]
    wanted = {
        "never": [],
        "always": list(range(40)),
        "periodic": [6, 13, 20, 27, 34],
        "clairvoyant": [3, 30],
        "random": np.flatnonzero(np.random.default_rng(0).random(40) > 0.8).tolist(),
    }[name]
    for run in found:
        assert run.alarms.tolist() == wanted
        assert np.array_equal(run.score > control.threshold, np.isin(np.arange(40), wanted))
    with pytest.raises(DataError, match="not finite"):
        control.run([0.0, np.nan])


def test_random_run_lengths_are_geometric() -> None:
    control = make("detector", "random", rate=0.1)
    alarms = control.alarms(np.zeros(200_000), np.random.default_rng(4))
    gaps = np.diff(alarms)
    observed = np.bincount(np.minimum(gaps, 31), minlength=32)[1:]
    chance = 0.1 * 0.9 ** np.arange(30)
    expected = np.append(chance, 0.9**30) * len(gaps)
    assert chisquare(observed, expected).pvalue > 0.01


def test_controls_at_a_rate_alarm_once_in_so_many_rows() -> None:
    rng = np.random.default_rng(0)
    assert make("detector", "random").at_rate(1000.0, 1, rng).rate == pytest.approx(1e-3, rel=1e-3)
    # a tick of 50 rows is as likely to have an alarm as 50 rows are
    coarse = make("detector", "random").at_rate(1000.0, 50, rng)
    assert coarse.rate == pytest.approx(1.0 - (1.0 - 1e-3) ** 50, rel=1e-3)
    drawn = [make("detector", "periodic").at_rate(1000.0, 50, rng) for _ in range(200)]
    assert {control.every for control in drawn} == {20} and {control.phase for control in drawn} == set(
        range(20)
    )
    with pytest.raises(ConfigError, match="never has no rate"):
        make("detector", "never").at_rate(1000.0, 1, rng)


def test_controls_say_that_they_read_nothing() -> None:
    for name in NAMES:
        facts = make("detector", name).facts()
        assert (facts["role"], facts["reads"], facts["needs"]) == ("control", "nothing", "none")
        assert (facts["known"] == "the truth") == (name == "clairvoyant")


@pytest.mark.parametrize(("rate", "share"), [(0.0, 0), (1.0, 50)])
def test_random_at_its_ends(rate: float, share: int) -> None:
    control = make("detector", "random", rate=rate)
    assert len(control.alarms(np.zeros(50))) == share
    assert control.limited(control.threshold).rate == rate


def test_limits_of_calibration() -> None:
    """A quantile of the scores as threshold gives the alarms above it."""
    random = make("detector", "random")
    score = random.unlimited(np.zeros((1, 1000)), [np.random.default_rng(3)])[0]
    limit = float(np.quantile(score, 0.95))
    assert len(random.limited(limit).alarms(np.zeros(1000), np.random.default_rng(3))) == 50
    periodic = make("detector", "periodic")
    assert periodic.unlimited(np.zeros((2, 3))).tolist() == [[1.0, 2.0, 3.0]] * 2
    for threshold, every in ((0.0, 1), (99.0, 100), (99.5, 100)):
        assert periodic.limited(threshold).every == every
        assert periodic.limited(threshold).alarms(np.zeros(200))[0] == every - 1
    with pytest.raises(ConfigError, match="finite"):
        periodic.limited(np.inf)


@pytest.mark.parametrize("name", ["never", "always", "clairvoyant"])
def test_what_has_no_limit_says_so(name: str) -> None:
    with pytest.raises(ConfigError, match="no limit"):
        make("detector", name).limited(0.5)


@pytest.mark.parametrize(
    ("name", "key", "value"),
    [("random", "rate", 1.5), ("periodic", "every", 0), ("clairvoyant", "changes", [3, -1])],
)
def test_ranges(name: str, key: str, value: Any) -> None:
    with pytest.raises(ConfigError, match=key):
        make("detector", name, **{key: value})
