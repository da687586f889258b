"""What a user writes with the public names; `make lint` checks its types, the test runs it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

import mlopsim as ml


def alarms_of(errors: np.ndarray) -> list[int]:
    detector: ml.drift.Detector = ml.drift.ADWIN(delta=0.01)
    return [int(tick) for tick in detector.alarms(errors)]


def served(world: ml.world.World) -> np.ndarray:
    env = ml.delivery.DeliveryEnv(worlds=[world], deployment=ml.make("deployment", "standard", slots=2))
    env.reset(seed=0)
    _, _, _, _, info = env.step(np.int64(0))
    return np.array([info["quality"]])


def small_world() -> ml.world.World:
    stream = {"synthetic": {"windows": 12, "rows": 30, "warmup": 4}}
    spec: ml.world.WorldSpec = ml.world.WorldSpec.of(stream, "ridge")
    return ml.world.build_world(spec)


@dataclass(kw_only=True)
class First(ml.SectionMaker):
    """The first method of the table."""

    title = "First"

    def make(self, results: ml.Results) -> ml.Section | None:
        if not len(results.leaderboard):
            raise ml.Unavailable("nothing is done yet")
        return ml.Section(title=self.title, table=results.leaderboard.head(1))


def problems(kind: str, name: str) -> dict[str, str]:
    cls: type[Any] = ml.find(kind, name)
    return {verdict.check: verdict.problem for verdict in ml.checks.check_component(cls) if verdict.problem}


def chance(alarms: int, runs: int) -> ml.stats.Interval:
    return ml.stats.wilson(alarms, runs)


def suite(folder: str) -> list[str]:
    study: ml.Study = ml.load_suite("quick", seeds=1, methods=["never", {"periodic": {"every": 5}}])
    assert study.methods and folder
    return [str(task) for task in study.tasks]


def reopened(folder: str) -> tuple[int, str]:
    results = ml.open_results(folder)
    return len(results.cells), str(results.report())
