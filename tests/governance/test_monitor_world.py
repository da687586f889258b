"""A bank over a World: what serves is looked up, and a group whose law changes is named in time."""

from __future__ import annotations

import numpy as np
import pytest

from mlopsim.core.spec import make
from mlopsim.governance.monitoring.fairness_over_time import retraining_and_gaps
from mlopsim.governance.monitoring.in_control import law_of
from mlopsim.governance.monitoring.reference import estimated
from mlopsim.governance.monitoring.watch import served, watch
from mlopsim.world.build import build_world
from mlopsim.world.spec import WorldSpec
from mlopsim.world.world import World

ONSET, LEARN = 22, 8


@pytest.fixture(scope="module")
def world() -> World:
    """From the onset on the labels of group b follow another rule."""
    people = {"windows": 30, "warmup": 4, "per_group": 150, "bias": "subgroup_drift", "strength": 1.0}
    return build_world(WorldSpec.of({"population": {**people, "timing": {"step": {"at": ONSET}}}}, "ridge"))


def test_the_group_whose_law_changes_is_named_as_soon_as_its_labels_are_there(world: World) -> None:
    first = world.warmup + LEARN
    counts = served(world.counts, np.full((1, world.windows), world.v0))[:, world.warmup :]
    known = estimated(counts[:, :LEARN])
    bank = make("monitor", "bank", horizon=world.windows - first, runs=2000)
    rows = counts[0, 0].sum(axis=(1, 2))
    limits = bank.limits(law_of(known, rows), np.random.default_rng(0), learn=LEARN)
    for delay in (0, 2):
        found = watch(bank, counts[:, LEARN:], known, limits, delay=delay, groups=world.groups)
        alarm = int(found.first[0])
        assert first + alarm == ONSET + delay
        assert found.charts[int(found.leader[0, alarm])].name == "accuracy of b"


def test_retraining_for_all_does_not_restore_a_group_of_its_own_law(world: World) -> None:
    """One rule for two laws: the gap stays however often the model is trained anew."""
    newest = np.maximum(world.v0, np.arange(world.windows) - 1)[None]
    drifted = np.arange(world.windows) >= ONSET
    before, after = retraining_and_gaps(world.counts, newest, largest_gap=0.1, drifted=drifted)
    assert before["n"] + after["n"] == int((np.diff(newest[0]) != 0).sum())
    assert before["gap_new"] < 0.1 < 0.15 < after["gap_new"]
    assert after["restored"] <= 0.25
