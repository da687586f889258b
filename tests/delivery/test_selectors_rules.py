"""What each rule does in hand-made deployments."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from mlopsim.checks.toy_deployment import Toy, example_interface, play
from mlopsim.core.spec import make


def act(name: str, steps: int, *, setting: dict[str, Any] | None = None, **params: Any) -> str:
    return play(make("selector", name, **params), steps, **(setting or {}))


def abrupt(at: int, low: float = 0.1, high: float = 0.5) -> Callable[[int, int], float]:
    """Versions trained before the change are bad after it."""
    return lambda version, t: high if version < at <= t else low


def test_controls() -> None:
    assert act("never", 10) == "k" * 10
    # latency 2: a job occupies three windows
    assert act("every_step", 10, setting={"latency": 2}) == "kRkkRkkRkk"
    # label delay 2: the first newer labelled window is there at decision 3
    assert act("every_step", 8, setting={"label_delay": 2}) == "kkkRRRRR"


@pytest.mark.parametrize("every", [1, 2, 5, 7])
@pytest.mark.parametrize("phase", [0, 1, 9])
def test_periodic_is_on_time(every: int, phase: int) -> None:
    text = act("periodic", 40, every=every, phase=phase)
    assert [s for s, letter in enumerate(text) if letter == "R"] == [
        s for s in range(1, 40) if s % every == phase % every
    ]


def test_periodic_makes_up_for_a_late_one_without_moving() -> None:
    # with latency 3 a retrain is possible every fourth decision; due at 3, 6, 9, ...
    assert act("periodic", 16, every=3, setting={"latency": 3}) == "kkkRkkkRkkkRkkkR"
    assert act("periodic", 16, every=5, setting={"latency": 3}) == "kkkkkRkkkkRkkkkR"


@pytest.mark.parametrize("count", [0, 1, 4, 9])
def test_uniform_keeps_its_number(count: int) -> None:
    text = act("uniform", 60, count=count)
    places = [s for s, letter in enumerate(text) if letter == "R"]
    assert places == [(j + 1) * 60 // (count + 1) for j in range(count)]


def test_random_rate() -> None:
    text = act("random", 1000, retrain=0.25, deploy=0.0)
    assert abs(text.count("R") / 1000 - 0.25) < 0.05
    assert set(text) == {"k", "R"}


def test_traditional_cd_rolls_back_a_worse_release_once() -> None:
    worse = lambda version, t: 0.1 if version == 0 else 0.3  # noqa: E731
    # release 3 serves from 4; judged on windows 4 and 5, known at 6 with label delay 1
    slots = {"label_delay": 1, "slots": 3}
    text = act("traditional_cd", 12, every=4, judge=2, setting={"error": worse, **slots})
    assert text == "kkkkRkk1Rkk2"
    fine = act("traditional_cd", 12, every=4, judge=2, setting={"error": 0.1, "label_delay": 1})
    assert fine == "kkkkRkkkRkkk"


def test_error_threshold_waits_for_labels_and_cools_down() -> None:
    drift = {"error": abrupt(6), "label_delay": 2}
    # window 6 is known at decision 8
    assert act("error_threshold", 16, rise=0.2, setting=drift) == "kkkkkkkkRkkkkkkk"
    assert act("error_threshold", 16, rise=0.2, wait=3, setting=drift) == "kkkkkkkkkkkRkkkk"
    bad = {"error": [0.1] * 6 + [0.5] * 30}
    assert act("error_threshold", 14, rise=0.2, cooldown=4, setting=bad) == "kkkkkkRkkkRkkk"
    # a new version that is as bad as the old one is no rise over its own first windows
    assert act("error_threshold", 14, rise=0.2, reference="own", cooldown=0, setting=bad).count("R") == 1
    assert act("error_threshold", 6, rise=0.05, reference="absolute", cooldown=0) == "kRRRRR"


def test_error_threshold_ignores_errors_of_the_version_before() -> None:
    # the drift at 6 is seen at 8, the new version serves from 9; windows 7 and 8 still become known after
    text = act("error_threshold", 20, rise=0.2, cooldown=0, setting={"error": abrupt(6), "label_delay": 2})
    assert text.count("R") == 1


def test_ks_triggers_on_the_inputs_only() -> None:
    assert act("ks", 12, limit=1e-4, setting={"shift": abrupt(5, 0.0, 2.0)}) == "kkkkkRkkkkkk"
    assert act("ks", 12, limit=1e-4, setting={"error": abrupt(5)}) == "k" * 12


def test_error_or_shift_is_either() -> None:
    for signal in ("error", "shift"):
        assert act("error_or_shift", 12, rise=0.2, limit=0.3, setting={signal: abrupt(5)}).count("R") == 1
    assert act("error_or_shift", 12, rise=0.2, limit=0.3) == "k" * 12


@pytest.mark.parametrize("name", ["adwin", "page_hinkley", "ddm", "cusum"])
def test_detectors_retrain_after_the_drift_and_once(name: str) -> None:
    text = act(name, 40, setting={"error": abrupt(20, 0.1, 0.6), "rows": 50, "label_delay": 2})
    assert text.count("R") == 1
    assert 22 <= text.index("R") <= 26
    assert act(name, 40, setting={"rows": 50}) == "k" * 40


def test_detectors_remember_an_alarm_until_it_can_be_answered() -> None:
    text = act("cusum", 20, cooldown=0, wait=0, setting={"error": abrupt(6), "rows": 50})
    at = text.index("R")
    text = act("cusum", 20, wait=4, setting={"error": abrupt(6), "rows": 50})
    assert text.index("R") == at + 4


def test_similar_goes_back_to_a_concept_it_knows() -> None:
    phase = lambda t: (t // 6) % 2  # noqa: E731
    text = act("similar", 26, setting={"shift": lambda v, t: 0.5 if phase(v) != phase(t) else 0.05})
    assert text.count("R") == 1
    assert "1" in text
    assert "0" in text


def test_best_in_registry_goes_back_to_the_better_one() -> None:
    bad_release = lambda version, t: 0.1 if version == 0 else 0.4  # noqa: E731
    text = act("best_in_registry", 8, every=4, setting={"error": bad_release})
    assert text == "kkkkR1kk"


def test_greedy_weighs_costs() -> None:
    drift = {"error": abrupt(5)}
    assert act("greedy", 10, payoff=8.0, setting=drift).count("R") == 1
    assert act("greedy", 10, payoff=8.0, setting={**drift, "retrain_cost": 50.0}).count("R") == 0


def test_linear_follows_its_weights() -> None:
    always = [1.0] + [0.0] * 9 + [-5.0] + [0.0] * 5
    assert act("linear", 5, weights=always) == "kRRRR"
    assert act("linear", 5, weights=[-1.0] + [0.0] * 9 + [-5.0] + [0.0] * 5) == "kkkkk"
    shift = [-3.0, 0.0, 0.0, 0.0, 1.0] + [0.0] * 5 + [-50.0] + [0.0] * 5
    assert act("linear", 9, weights=shift, setting={"shift": abrupt(4)}) == "kkkkRkkkk"


@pytest.mark.parametrize("name", ["sw_ucb", "thompson", "linucb"])
def test_bandits_keep_still_within_a_block(name: str) -> None:
    text = act(name, 60, block=7, setting={"error": abrupt(25), "label_delay": 1, "slots": 3})
    moves = [s for s, letter in enumerate(text) if letter != "k"]
    assert moves
    assert np.diff(moves).min() >= 7


@pytest.mark.parametrize("name", ["sw_ucb", "thompson", "linucb"])
def test_bandits_leave_a_bad_version(name: str) -> None:
    """Two kinds of arms, one better: it serves most of the time."""
    interface = example_interface(4, 120)
    toy = Toy(interface=interface, error=lambda version, t: 0.05 if version == 0 else 0.45)
    rule = make("selector", name, block=3)
    rule.reset(1, interface, [np.random.SeedSequence(0)])
    for _ in range(120):
        toy.step(int(rule.act(toy.view())[0]))
    assert toy.served[1:].count(0) > 80, toy.served


#: decisions of the defaults where concepts recur; a changed line needs a raised version of its rule
GOLDEN = {
    "adwin": "kkkkkkkkkkkkkkkRkkkkkkkkkkkkRkkkkkkkkkkRkkkkkkkkkkkkRkkkkkkkkkkRkkkkkkkkkkk",
    "best_in_registry": "kkkkkkkkkkkkkkkRkkkkkkkkkkkkkkRkkkkkkkkkkkkkkRkkkkkkkkkkkkkkRkkkkkkkkkkkkkk",
    "cusum": "kkkkkkkkkkkkkkRkkkkkkkkkkkRkkkkkkkkkkkRkkkkkkkkkkkRkkkkkkkkkkkRkkkkkkkkkkkk",
    "ddm": "kkkkkkkkkkkkkkkRkkkkkkkkkkRkkkkkkkkkkkkRkkkkkkkkkkRkkkkkkkkkkkkRkkkkkkkkkkk",
    "error_or_shift": "kkkkkkkkkkkkRkkkkRkkkkkkRkkkkRkkkkkkRkkkkRkkkkkkRkkkkRkkkkkkRkkkkRkkkkkkkkk",
    "error_threshold": "kkkkkkkkkkkkkkRkkkkkkkkkkkRkkkkkkkkkkkRkkkkkkkkkkkRkkkkkkkkkkkRkkkkkkkkkkkk",
    "every_step": "kkkRkRkRkRkRkRkRkRkRkRkRkRkRkRkRkRkRkRkRkRkRkRkRkRkRkRkRkRkRkRkRkRkRkRkRkRk",
    "greedy": "kkkRkRkkkRkRkRkkkRkRkkk1010RkkkkkRkkRkRkRkkk1kkkRkRkRkRkkk1kRk1RkRk1k010101",
    "ks": "kkkRkkkkkkkkkkRkkkkkkkkkkkkkRkkkkkkkRkkkkRkkkkkkkkkkkRkkkkkkRkkkRkkkkkkkkkk",
    "linear": "kkkkkRkkkkkkRkRkkkkkkkRkRkRkkkkkkkkkRkRkkkkkkkkkRkRkkkkkkkkkRkRkkkkkkkRkkkk",
    "linucb": "kkkkkkRkkkkkkkRkkkkkkkRkkkkkkkRkkkkkkkRkkkkkkkkkkRkkkkkkkRkkkkkkkRkkkkkkkkk",
    "never": "kkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkk",
    "page_hinkley": "kkkkkkkkkkkkkkkkkkRkkkkkkkkkkkkRkkkkkkkkkkkkRkkkkkkkkkkkkkkkRkkkkkkkkkkkkkk",
    "periodic": "kkkkkkkkkkRkkkkkkkkkRkkkkkkkkkRkkkkkkkkkRkkkkkkkkkRkkkkkkkkkRkkkkkkkkkRkkkk",
    "random": "kRkkkkkkkkkkkkkkRkkkkkkkkkkkkkkkkkkkRRkRkkkkkkkkkkRkkRkkkkkkkkkkk2kkkRkkkkR",
    "similar": "kkkkkkkkkkkkRkkkkRkkkkkkRkkkkRkkkkkkRkkkkRkkkkkkRkkkkRkkkkkkRkkkkRkkkkkkkkk",
    "sw_ucb": "kkkkkkRkkkkkkkRkkkkkkkRkkkkkkk1kkkkkkkRkkkkkkkkkkkkkkkkkkRkkkkkkk1kkkkkk2kk",
    "thompson": "kkkkkkkRkkkkkkkRkkkkkkkRkkkkkkk1kkkkkkkkRkkkkkkkkkkkRkkkkkkkkkkRkkkkkkkkkkk",
    "traditional_cd": "kkkkkkkkkkkkkkkkkkkkRkkkkkkkkkkkkkkkkkkkRkkkkkkkkkkkkkkkkkkkRkkkkkkkkkkkkkk",
    "uniform": "kkkkkkkkkkkkRkkkkkkkkkkkkRkkkkkkkkkkkRkkkkkkkkkkkkRkkkkkkkkkkkRkkkkkkkkkkkk",
}


def concept(t: int) -> int:
    return (0, 1, 2, 0, 1, 2, 2, 0)[min(t // 12, 7)]


@pytest.mark.parametrize("name", GOLDEN)
def test_golden_decisions(name: str) -> None:
    text = play(
        make("selector", name),
        75,
        error=lambda v, t: 0.1 + 0.35 * (concept(v) != concept(t)) + 0.01 * ((7 * v + 3 * t) % 5),
        shift=lambda v, t: 0.04 + 0.3 * (concept(v) != concept(t)) + 0.005 * ((5 * v + t) % 7),
        rows=40,
        slots=3,
        label_delay=2,
        latency=1,
        retrain_cost=0.02,
        switch_cost=0.005,
    )
    assert text == GOLDEN[name]
