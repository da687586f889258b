"""Front scores against their closed form, limits, which agent of a sweep is taken; the whole in short."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "experiments"))

import _common  # noqa: E402
import constrained_agents  # noqa: E402
from constrained_agents import Front, Rolled  # noqa: E402

from mlopsim.core.errors import ConfigError  # noqa: E402


def two_versions() -> Front:
    """Version A earns .9 and is always out, B .6 and always in: U(d) = .6 + .3 d, price .3."""
    prices = np.array([0.0, 0.1, 0.3, 0.5])
    out = np.array([1.0, 1.0, 1.0, 0.0])[:, None] * np.ones((1, 4))
    value = np.where(out > 0, 0.9, 0.6)
    return Front(prices=prices, upper=value - prices[:, None] * out, value=value, cost=out)


def test_the_front_of_two_versions_and_its_scores() -> None:
    front = two_versions()
    for cost in (0.1, 0.25, 0.9):
        assert front.at(cost) == pytest.approx((0.6 + 0.3 * cost, 0.3))
        assert front.low(cost) == pytest.approx(0.6 + 0.3 * cost)
    never = Rolled(returns=np.full(4, 0.5), costs=np.full(4, 0.5))
    suspended = Rolled(returns=np.full(4, 0.4), costs=np.zeros(4))
    # halfway between the mixture and the front
    half = Rolled(returns=np.full(4, (0.45 + 0.675) / 2), costs=np.full(4, 0.25))
    settings = {"level": 0.95, "floor": 0.01, "resamples": 20}
    row = constrained_agents.row_of([half, half], 0.25, front, never, suspended, settings)
    assert row["front_score"] == pytest.approx(0.5) == row["front_score_low"]
    assert row["met"] and row["met_alone"] == 2 and row["price_at_limit"] == pytest.approx(0.3)
    assert row["front_score_worst"] == pytest.approx(0.5) == row["front_score_best"]
    missed = constrained_agents.row_of([half], 0.2, front, never, suspended, settings)
    assert not missed["met"] and missed["beyond"] == pytest.approx(0.05)
    none = constrained_agents.row_of([half], 0.2, front, never, suspended, {**settings, "floor": 0.3})
    assert np.isnan(none["front_score"])


def test_limits_lie_between_the_least_cost_and_that_of_the_unconstrained_optimum() -> None:
    rows = constrained_agents.limits_of(two_versions(), {"room": 0.01, "shares": [0.1, 0.9]})
    assert [row["limit"] for row in rows] == pytest.approx([0.1, 0.9])
    assert [(row["plan_least"], row["plan_unconstrained"]) for row in rows] == [(0.0, 1.0)] * 2
    assert [row["price"] for row in rows] == pytest.approx([0.3, 0.3])
    assert [row["upper"] for row in rows] == pytest.approx([0.63, 0.87])
    with pytest.raises(ConfigError, match="a stricter constraint"):
        constrained_agents.limits_of(two_versions(), {"room": 1.01, "shares": [0.1]})


def test_of_a_sweep_the_best_that_complies_is_taken() -> None:
    def info(value: float, cost: float) -> dict[str, object]:
        costs = cost + 0.01 * np.array([-1.0, 1.0, 0.0, 0.0])
        each = {"returns": [[value] * 4], "costs": [[[float(c)] for c in costs]]}
        return {"validation": {"each": each}}

    infos = [info(0.9, 0.5), info(0.8, 0.2), info(0.7, 0.1)]
    taken = [constrained_agents.chosen_of_sweep(infos, limit, 0.95) for limit in (0.6, 0.25, 0.201, 0.01)]
    assert taken == [0, 1, 2, 2]


def test_trainings_are_as_many_as_the_settings_say(tmp_path: Path) -> None:
    experiment = _common.start("constrained_agents", "", ["--results", str(tmp_path)])
    jobs = constrained_agents.Jobs(experiment)
    limits = [0.1, 0.2, 0.3, 0.4, 0.5]
    sweep, agents = constrained_agents.trainings_of(jobs, limits)
    trainings = constrained_agents.distinct(job for row in (*sweep, *agents.values()) for job in row)
    # 8 prices, 4 methods with an agent a limit, one with one for all; 3 seeds
    assert len(trainings) == 3 * (8 + 4 * 5 + 1) and experiment.settings["steps"] == 1_000_000
    assert len({job.arguments[-1] for job in trainings}) == len(trainings)
    families = len(experiment.settings["families"])
    rules = {(name, limit): {name: {}} for name in experiment.settings["rules"] for limit in limits}
    assert "rule_book" in experiment.settings["rules"]
    rolls = constrained_agents.rolls_of(jobs, limits, agents, rules)
    assert len(rolls) == families * (5 * (5 + len(experiment.settings["rules"])) + 2)


@pytest.mark.slow
def test_the_study_in_short_goes_on_where_it_was_stopped(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = _common.read_settings(ROOT / "conf" / "experiment" / "constrained_agents.yaml")
    settings |= {
        "limit_scenarios": 4,
        "scenarios": 4,
        "train_scenarios": 10,
        "steps": 40000,
        "train_seeds": 1,
    }
    settings |= {"shares": [0.3, 0.7], "prices": [0.0, 0.4], "front_prices": [0.0, 0.001, 0.1, 0.4, 5.0]}
    settings |= {"resamples": 50, "room": 0.001, "rules": ["never", "rule_book"], "tuned_on": 4, "workers": 1}
    settings |= {
        "families": {"procedural": "procedural"},
        "methods": {"PI": {"ppo_lagrangian": {"highest": 5.0}}},
    }
    (tmp_path / "conf.yaml").write_text(yaml.safe_dump(settings), encoding="utf-8")
    small = ["--conf", str(tmp_path / "conf.yaml"), "--results", str(tmp_path)]
    constrained_agents.main([*small, "--measure"])
    said = capsys.readouterr().out
    # one of four trainings, of which the plan knows
    assert "trainings 1/1" in said and not (tmp_path / "table.csv").exists()
    rows = [[cell.strip() for cell in line.split("│")[1:4]] for line in said.splitlines()]
    assert ["trainings", "4", "1"] in rows
    constrained_agents.main(small)
    said = capsys.readouterr().out
    assert "1 of 4 kept of an earlier run" in said and "trainings 4/4" in said and "tuning 4/4" in said
    table, limits, prices = (pl.read_csv(tmp_path / f"{name}.csv") for name in ("table", "limits", "prices"))
    assert table["method"].to_list() == ["PI", "sweep of prices", "never", "rule_book"] * 2
    assert limits["share"].to_list() == [0.3, 0.7] and len(prices) == 2
    assert (table["steps"] <= 2 * 40000).all() and (table["front_low"] <= table["front"] + 1e-9).all()
    constrained_agents.main(small)
    assert "trainings" not in capsys.readouterr().out.split("kept of an earlier run")[0]
