"""The study of faithful trees asks for the trees that its settings say, and its verdicts fit the numbers."""

from __future__ import annotations

import math
import sys
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "experiments"))

import _common  # noqa: E402
import faithful_tree as study  # noqa: E402

from mlopsim.core.spec import make  # noqa: E402
from mlopsim.tracks.delivery.analysis import Arena  # noqa: E402


def test_the_trees_of_the_settings_can_be_built_and_are_all_there() -> None:
    settings = _common.read_settings(ROOT / "conf" / "experiment" / "faithful_tree.yaml")
    specs = study.trees(settings)
    assert len(specs) == 3 * 8 * 2
    built = [make("selector", spec) for spec in specs]
    assert {(one.weights.value, one.states) for one in built} == {
        ("viper", 10000),
        ("uniform", 10000),
        ("uniform", 50000),
    }
    # seeds inside, then depths, then arms: the order in which methods are given to places
    assert [(one.depth, one.train_seed) for one in built[:4]] == [(1, 0), (1, 1), (2, 0), (2, 1)]
    assert settings["asked"] in settings["depths"] and len(settings["tree_seeds"]) >= 2


def test_the_ratio_is_of_sums_and_of_the_mean_tree() -> None:
    rng = np.random.default_rng(0)
    shape = (20, 1)
    never, agent = np.zeros(shape), rng.uniform(1.0, 2.0, shape)
    returns = {"never": never, "agent": agent, "a": 0.5 * agent, "b": 0.9 * agent}
    arena = Arena(
        tasks=["t"],
        methods=list(returns),
        seeds=list(range(20)),
        returns=returns,
        never=never,
        upper=2.0 * agent,
        streams=np.full(shape, None, dtype=object),
        blocks=np.zeros(shape, dtype=np.int64),
        apart=np.zeros(1, dtype=np.int64),
    )
    found = study.ratio(arena, ("a", "b"), "agent", 200)
    assert found.value == pytest.approx(0.7) and found.low == pytest.approx(0.7) and found.n == 20


@pytest.mark.parametrize(
    ("value", "low", "words"),
    [
        (0.9, 0.85, "does not reach 0.95"),
        (0.97, 0.9, "in the mean, not by its interval"),
        (0.97, 0.96, ": reaches 0.95"),
        (math.nan, math.nan, "is not defined"),
    ],
)
def test_verdicts(value: float, low: float, words: str) -> None:
    row = {"arm": "viper", "depth": 5, "ratio": value, "ratio_low": low, "ratio_high": 1.0, "n": 9}
    assert study.verdict(row, 0.95).endswith(words)
