"""What every selector promises, found by discovery."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from mlopsim.core.registry import find, names
from mlopsim.core.spec import make
from mlopsim.delivery.selector import Interface, Selector, View
from mlopsim.delivery.selectors._play import example_interface, play
from mlopsim.delivery.space import Range, Weights, admits, draw, near

RULES = [name for name in names("selector") if not getattr(find("selector", name), "agent", False)]
SETTINGS: list[dict[str, Any]] = [
    {"slots": 1, "label_delay": 0},
    {"slots": 3, "label_delay": 2, "latency": 1},
    {"slots": 4, "label_delay": 1, "deploy_on_arrival": False},
]


def random_views(interface: Interface, n: int, steps: int, seed: int) -> list[View]:
    """Views that hang together no more than versions and time require: rules must survive all."""
    rng = np.random.default_rng(seed)
    slots, names_ = interface.slots, interface.names
    versions = np.full((n, slots), -1, np.int64)
    versions[:, 0] = 4
    views = []
    serving = np.zeros(n, np.int64)
    for step in range(steps):
        t = 4 + step
        if step:
            for i in np.nonzero(rng.random(n) < 0.2)[0]:
                if versions[i, 0] < t - 1:
                    versions[i] = [t - 1, *versions[i, :-1]]
                    serving[i] = 0
        filled = versions >= 0
        serving = np.where(
            rng.random(n) < 0.1, (rng.random(n) * filled.sum(axis=1)).astype(np.int64), serving
        )
        obs = rng.random((n, len(names_))).astype(np.float32)
        for name in names_:
            if name.endswith(("known", "filled")) or name in ("in_flight", "seen"):
                column = names_.index(name)
                obs[:, column] = obs[:, column] > 0.5
        mask = rng.random((n, slots + 2)) < 0.6
        mask[:, 0] = True
        mask[:, 1:-1] &= filled
        mask[np.arange(n), 1 + serving] = False
        errors = np.full((n, 12), -1, np.int8)
        if step > interface.deployment.label_delay:
            errors = (rng.random((n, 12)) < rng.random((n, 1))).astype(np.int8)
            errors[rng.random((n, 12)) < 0.2] = -1
        views.append(
            View(
                interface=interface,
                t=np.full(n, t),
                obs=obs,
                mask=mask,
                versions=versions.copy(),
                serving=serving.copy(),
                errors=errors,
            )
        )
    return views


def rows(view: View, which: Sequence[int]) -> View:
    take = list(which)
    return View(
        interface=view.interface,
        t=view.t[take],
        obs=view.obs[take],
        mask=view.mask[take],
        versions=view.versions[take],
        serving=view.serving[take],
        errors=view.errors[take],
    )


def answers(selector: Selector, views: list[View], which: Sequence[int], seed: int = 3) -> np.ndarray:
    seeds = np.random.SeedSequence(seed).spawn(len(views[0].t))
    selector.reset(len(which), views[0].interface, [seeds[i] for i in which])
    return np.stack([selector.act(rows(view, which)) for view in views], axis=1)


def candidates(name: str) -> list[Selector]:
    """The default and some draws from the space."""
    cls = find("selector", name)
    rng = np.random.default_rng(1)
    result: list[Selector] = [make("selector", name)]
    for _ in range(2):
        params = {}
        for key, choice in cls.space.items():
            if isinstance(choice, Weights):
                params[key] = [float(w) for w in rng.standard_normal(choice.size)]
            else:
                params[key] = draw(choice, rng)
        result.append(make("selector", name, **params))
    return result


def test_all_rules_are_there() -> None:
    asked = {
        "never", "every_step", "random", "periodic", "uniform", "traditional_cd", "error_threshold", "ks",
        "error_or_shift", "adwin", "page_hinkley", "ddm", "cusum", "similar", "best_in_registry", "greedy",
        "linear", "sw_ucb", "thompson", "linucb",
    }  # fmt: skip
    assert asked <= set(RULES)


@pytest.mark.parametrize("name", RULES)
def test_space_names_fields_and_holds_the_defaults(name: str) -> None:
    cls = find("selector", name)
    fields = {field.name for field in dataclasses.fields(cls)}
    default = cls()
    rng = np.random.default_rng(0)
    for key, choice in cls.space.items():
        assert key in fields
        assert admits(choice, getattr(default, key)), (key, getattr(default, key))
        if isinstance(choice, Weights):
            continue
        for _ in range(50):
            value = draw(choice, rng)
            assert admits(choice, value)
            assert admits(choice, near(choice, value, 0.3, rng))
            make("selector", name, **{key: value})


@pytest.mark.parametrize("name", RULES)
def test_docstring_has_a_doctest(name: str) -> None:
    assert ">>>" in (find("selector", name).__doc__ or "")


@pytest.mark.parametrize("setting", range(len(SETTINGS)))
@pytest.mark.parametrize("name", RULES)
def test_answers(name: str, setting: int) -> None:
    """Possible, deterministic, independent of the other walks, and the view stays as it is."""
    interface = example_interface(horizon=30, **SETTINGS[setting])
    views = random_views(interface, 9, 30, setting)
    copies = [rows(view, range(9)) for view in views]
    for selector in candidates(name):
        together = answers(selector, views, range(9))
        assert together.dtype == np.int64
        for step, view in enumerate(views):
            assert view.mask[np.arange(9), together[:, step]].all(), "an impossible action"
        for view, copy in zip(views, copies, strict=True):
            for field in ("t", "obs", "mask", "versions", "serving", "errors"):
                assert np.array_equal(getattr(view, field), getattr(copy, field)), f"{field} was changed"
        assert np.array_equal(together, answers(selector, views, range(9))), "reset does not reset"
        other = type(selector)(
            **{f.name: getattr(selector, f.name) for f in dataclasses.fields(selector)}  # type: ignore[arg-type]
        )
        for i in range(9):
            assert np.array_equal(together[i], answers(other, views, [i])[0]), "walks influence each other"
        assert np.array_equal(together[[7, 2]], answers(other, views, [7, 2]))


@pytest.mark.parametrize("name", sorted(set(RULES) - {"never"}))
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
    assert not np.array_equal(answers(rule, views, range(6), 1), answers(rule, views, range(6), 2))


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
        ("adwin", "delta", 0.0),
        ("ddm", "warm_start", 0),
        ("page_hinkley", "alpha", 2.0),
        ("cusum", "learn", 0),
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
