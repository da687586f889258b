"""What the rules promise beyond the contract of selectors, found by discovery."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from mlopsim.checks.selector_views import answers, random_views
from mlopsim.checks.toy_deployment import example_interface, play
from mlopsim.core.registry import find, names
from mlopsim.core.spec import make
from mlopsim.delivery.search_space import Range

RULES = [name for name in names("selector") if not getattr(find("selector", name), "agent", False)]


def test_all_rules_are_there() -> None:
    asked = {
        "never", "every_step", "random", "periodic", "uniform", "traditional_cd", "error_threshold", "ks",
        "error_or_shift", "adwin", "page_hinkley", "ddm", "cusum", "similar", "best_in_registry", "greedy",
        "linear", "sw_ucb", "thompson", "linucb",
    }  # fmt: skip
    assert asked <= set(RULES)


#: never retrain in a standard deployment, which has neither a trigger nor a fallback
IDLE = {"never", "observed_alarm", "suspend_always"}


@pytest.mark.parametrize("name", sorted(set(RULES) - IDLE))
def test_without_deploy_on_arrival_new_versions_get_to_serve(name: str) -> None:
    """A rule that retrains releases what it trained."""
    selector = make("selector", name)
    text = play(
        selector,
        40,
        slots=3,
        latency=1,
        error=lambda version, t: 0.8 if version < 12 <= t else 0.1,
        shift=lambda version, t: 0.6 if version < 12 <= t else 0.05,
        deploy_on_arrival=False,
    )
    assert "R" in text
    if name != "random":
        first = text.index("R")
        assert any(letter in "012" for letter in text[first + 1 :]), text


def test_random_depends_on_its_seed_only() -> None:
    interface = example_interface(horizon=30)
    views = random_views(interface, 6, 30, 0)
    rule = make("selector", "random", retrain=0.4, deploy=0.3)
    assert not np.array_equal(answers(rule, views, seed=1), answers(rule, views, seed=2))


@pytest.mark.parametrize(
    ("name", "key", "value"),
    [
        ("periodic", "every", 0),
        ("uniform", "count", -1),
        ("random", "retrain", 1.5),
        ("traditional_cd", "judge", 0),
        ("error_threshold", "rise", -0.1),
        ("error_or_shift", "memory", 0),
        ("ks", "wait", -1),
        ("on_alarm", "cooldown", -1),
        ("adwin", "arl0", 0.0),
        ("ddm", "p0", 2.0),
        ("similar", "cooldown", -1),
        ("best_in_registry", "margin", 2.0),
        ("greedy", "memory", 0),
        ("linear", "weights", [1.0]),
        ("sw_ucb", "window", 0),
        ("thompson", "discount", 0.0),
        ("linucb", "ridge", 0.0),
    ],
)
def test_ranges_are_checked(name: str, key: str, value: Any) -> None:
    with pytest.raises(ValueError, match=key):
        make("selector", name, **{key: value})


def test_range_of_whole_numbers_is_even() -> None:
    rng = np.random.default_rng(0)
    values = np.array([Range(1, 4, integer=True).draw(rng) for _ in range(4000)])
    assert set(values) == {1, 2, 3, 4}
    assert np.abs(np.bincount(values)[1:] - 1000).max() < 150
    logs = [Range(1, 100, log=True, integer=True).draw(rng) for _ in range(4000)]
    assert min(logs) == 1
    assert max(logs) == 100
    # a step of nothing stays where it is
    assert {Range(1, 100, log=True, integer=True).near(v, 0.0, rng) - v for v in range(1, 101)} == {0}
