"""The study of faithful trees asks for the trees that its settings say, and its verdicts fit the numbers."""

from __future__ import annotations

import math
import sys
from pathlib import Path

import numpy as np
import polars as pl
import pytest

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "experiments"))

import _common  # noqa: E402
import faithful_tree as study  # noqa: E402

from mlopsim.core.spec import make  # noqa: E402
from mlopsim.stats.interval import Interval  # noqa: E402
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
    ("value", "low", "word"),
    [(0.9, 0.85, "no"), (0.97, 0.9, "in the mean"), (0.97, 0.96, "yes"), (math.nan, math.nan, "undefined")],
)
def test_verdicts(value: float, low: float, word: str) -> None:
    reason = "nothing" if math.isnan(value) else ""
    found = study.reaches(Interval(value=value, low=low, high=value, n=9, reason=reason), 0.95)
    assert found == word
    row = {"arm": "viper", "depth": 5, "ratio": value, "ratio_low": low, "ratio_high": 1.0, "n": 9}
    assert study.verdict({**row, "reaches": found}, 0.95).endswith(f"reaches 0.95: {word}")


@pytest.mark.slow
def test_trees_and_rules_in_short(tmp_path: Path) -> None:
    small = ["agent=greedy", "rivals=[error_threshold]", "depths=[1,5]", "seeds=4", "steps=20000"]
    more = ["scenarios=10", "forked=1", "resamples=100", "workers=1", f"ledger={tmp_path / 'local'}"]
    study.main([*small, *more, "--results", str(tmp_path / "found")])
    table = pl.read_csv(tmp_path / "found" / "table.csv")
    assert table["arm"].to_list() == [
        *(arm for arm in ("viper", "uniform", "uniform, more") for _ in "12"),
        "error_threshold",
    ]
    assert table["depth"].to_list() == [1, 5] * 3 + [None] and (table["identity_error"] <= 1e-9).all()
    trees, rule = table[:6], table[6:]
    assert trees["leaves"].is_not_null().all() and rule["leaves"].is_null().all()
    assert table["agreement"].is_between(0.0, 1.0).all()
