"""Planted faults of signals and deployments are found."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from mlopsim.core.spec import part_of
from mlopsim.delivery.deployments.standard import Standard
from mlopsim.drift.scenario import Channel, Place, Scenario
from mlopsim.drift.sources.iid import Iid

Plant = Callable[..., dict[str, str]]


def test_a_signal_that_forgets_its_seed(plant: Plant) -> None:
    class Forgetful(Iid):
        """Independent ticks of law, p, p1, shift, ticks, change; the same in each scenario."""

        def scenario(self, place: Place, channel: str) -> Scenario:
            return super().scenario(Place(stream={}, learner={}), channel)

    found = plant("signal", Forgetful)
    assert "same for every seed" in found["seed"] and "splits have the same" in found["splits"]


def test_a_signal_whose_drift_free_law_leaves_something_out(plant: Plant) -> None:
    class Wrong(Iid):
        """Independent ticks of law, p, p1, shift, ticks, change; its null law is another one."""

        def null(
            self, stream: Mapping[str, Any], learner: Mapping[str, Any], channel: str, rows: int
        ) -> dict[str, Any]:
            return {"signal": part_of(Iid(p=0.3)), "stream": {}, "learner": {}}

    assert "draws other ticks" in plant("signal", Wrong)["null"]


def test_a_signal_that_is_too_short(plant: Plant) -> None:
    class Short(Iid):
        """Independent ticks of law, p, p1, shift, ticks, change; quiet ones are cut."""

        def quiet(self, place: Place, channel: str, rows: int) -> Channel:
            return super().quiet(place, channel, rows - 1)

    assert "give 699 ticks" in plant("signal", Short)["quiet"]


def test_a_deployment_that_pays_for_switches(plant: Plant) -> None:
    class Paid(Standard):
        """As standard: slots, label_delay, latency, cooldown, budget, canary_share, canary_windows, feedback.

        And switch_cost, retrain_cost, shadow_cost, deploy_on_arrival, metric, cost_matrix.
        """

        def __post_init__(self) -> None:
            super().__post_init__()
            self.switch_cost = -0.5

    found = plant("deployment", Paid)
    assert "expected a cost" in found["parameters"] and "is earned" in found["costs"]


def test_a_deployment_that_differs_from_one_use_to_the_next(plant: Plant) -> None:
    class Moody(Standard):
        """As standard: slots, label_delay, latency, cooldown, budget, canary_share, canary_windows, feedback.

        And switch_cost, retrain_cost, shadow_cost, deploy_on_arrival, metric, cost_matrix.
        """

        def __post_init__(self) -> None:
            super().__post_init__()
            self.retrain_cost = float(np.random.default_rng().random())

    found = plant("deployment", Moody)
    assert "environments" in found
