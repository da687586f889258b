"""Which observations can be: all that a deployment shows, and what may change in them alone."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from explained_kit import scene

from mlopsim.core.spec import make
from mlopsim.delivery.engine import Engine
from mlopsim.delivery.features import feature_names
from mlopsim.governance.explained.consistent import CLOSE, quantities, violations

from delivery_fakes import fake_pool, random_deployment  # isort: skip


def observations(seed: int, deployment: Any, pool: Any) -> list[np.ndarray]:
    """Return what one random walk shows."""
    rng = np.random.default_rng(seed)
    engine = Engine(pool, deployment, 1)
    engine.begin(np.zeros(1, np.int64))
    found = []
    for step in range(pool.steps):
        found.append(engine.obs[0].copy())
        keys = rng.random(engine.mask.shape) * engine.mask
        if step % 2:
            keys[:, 0] = 2.0
        engine.step(keys.argmax(axis=1))
    return found


def test_what_deployments_show_passes_and_so_does_every_change_of_a_quantity() -> None:
    names_seen: dict[str, int] = {}
    for seed in range(25):
        deployment = random_deployment(np.random.default_rng(seed))
        pool = fake_pool(seed, 1, metric=deployment.objective, windows=22)
        names = feature_names(deployment.slots)
        for obs in observations(seed, deployment, pool):
            assert violations(names, obs, deployment) == []
            for quantity in quantities(names, obs, deployment):
                names_seen[quantity.name] = names_seen.get(quantity.name, 0) + 1
                grid = quantity.grid()
                assert quantity.low - 1e-9 <= grid[0] and grid[-1] <= quantity.high + 1e-9
                assert np.abs(grid - quantity.value).min() > CLOSE
                tried = grid[[0, len(grid) // 2, -1]]
                changed = quantity.change(obs, tried)
                columns = [column for column, _, _ in quantity.columns]
                rest = np.delete(changed, columns, axis=1)
                assert (rest == np.delete(obs, columns)).all()
                for row in changed:
                    assert violations(names, row, deployment) == [], quantity
    # each kind was there, also those that need a long history
    wanted = {"serving_ks", "newest_psi", "flight_mean", "slot1_ks_past", "slot0_fit", "early_accuracy"}
    assert wanted | {"slot0_best", "slot1_accuracy", "newest_ks_past"} <= set(names_seen)
    never = (
        "seen",
        "since",
        "cooldown",
        "can_retrain",
        "budget",
        "arrives",
        "canary",
        "accuracy_drop",
        "recent",
    )
    assert not [name for name in names_seen if name.startswith(never)]


def test_what_is_tied_cannot_move_alone() -> None:
    of = scene(1, size=1)
    names = feature_names(4)
    obs = observations(1, of.deployment, of.pool)[-1]
    column = {name: i for i, name in enumerate(names)}
    serving = next(i for i in range(4) if obs[column[f"slot{i}_serving"]] == 1.0)
    tied = (
        *("seen_f1", "seen_precision", "serving_ks", "serving_psi", "accuracy_drop", "recent_accuracy"),
        *(f"slot{serving}_ks", f"slot{serving}_accuracy", "serving_age"),
    )
    for name in tied:
        changed = obs.copy()
        changed[column[name]] += 0.25
        assert violations(names, changed, of.deployment), name
    alone = {q.name for q in quantities(names, obs, of.deployment)}
    # what serves is shown twice and moves in both places
    ks = next(q for q in quantities(names, obs, of.deployment) if q.name == "serving_ks")
    assert {column["serving_ks"], column[f"slot{serving}_ks"]} <= {place for place, _, _ in ks.columns}
    assert f"slot{serving}_ks" not in alone and "seen_f1" not in alone


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("slot0_accuracy", 2.0, "above the best"),
        ("arrives_in", 0.2, "arrives_in without in_flight"),
        ("slot3_ks", 0.2, "slot3_ks without slot3_filled"),
        ("slot0_serving", 0.0, "not exactly one slot serves"),
        ("slot0_known", 0.0, "slot0_known does not follow from its age"),
        ("slot0_ks", -0.1, "outside of 0..1"),
    ],
)
def test_a_broken_identity_is_named(name: str, value: float, words: str) -> None:
    deployment = make("deployment", "standard", label_delay=0)
    pool = fake_pool(3, 1)
    names = feature_names(4)
    engine = Engine(pool, deployment, 1)
    engine.begin(np.zeros(1, np.int64))
    for _ in range(4):
        engine.step(np.zeros(1, np.int64))
    obs = engine.obs[0].copy()
    assert violations(names, obs, deployment) == []
    obs[names.index(name)] = value
    assert any(words in found for found in violations(names, obs, deployment))


def test_shift_that_is_switched_off_is_no_reason() -> None:
    governed = make("deployment", "governed", trigger="ks")
    names = feature_names(governed.slots, [])
    obs = np.zeros(len(names), np.float32)
    for name in ("slot0_filled", "slot0_serving", "has_trigger"):
        obs[names.index(name)] = 1.0
    assert "serving_ks" in [q.name for q in quantities(names, obs, governed)]
    obs[names.index("has_trigger")] = 0.0
    assert not [q for q in quantities(names, obs, governed) if not q.of_labels]
    assert violations(names, obs, governed) == []
    obs[[names.index("serving_ks"), names.index("slot0_ks")]] = 0.2
    assert "serving_ks without has_trigger" in violations(names, obs, governed)
    # without a trigger there is nothing to switch off
    assert violations(names, obs, make("deployment", "governed")) == []
