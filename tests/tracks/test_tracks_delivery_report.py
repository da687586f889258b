"""What the delivery track reports: robust columns, reference, warning, sections."""

import json
import math
import re

import numpy as np
import polars as pl
import pytest

from mlopsim.core.spec import make
from mlopsim.plots.style import to_svg
from mlopsim.stats.scores import iqm, probability_of_improvement, scenario_scores
from mlopsim.tracks.delivery.analysis import (
    CLAIM_STEPS,
    FLOOR,
    MEANS,
    Arena,
    is_agent,
    leaderboard,
    not_for_claims,
    profiles,
    reference_of,
)

SEEDS, TASKS = 8, 3


def cells(returns, upper, *, streams=None):
    """A cell table: one row for every method, seed and task."""
    rows = []
    for name, values in returns.items():
        for seed, task in np.ndindex(values.shape):
            done = math.isfinite(values[seed, task])
            rows.append(
                {
                    "key": f"{name}/{seed}/{task}",
                    "task": f"t{task}",
                    "method": name,
                    "seed": seed,
                    "status": "done" if done else "failed",
                    "reasons": json.dumps({}),
                    "return": values[seed, task] if done else None,
                    "upper": upper[seed, task] if name == "oracle" else math.nan,
                    "stream_id": float(seed) if streams is None else streams,
                    **dict.fromkeys(MEANS, 0.5),
                }
            )
    return pl.DataFrame(rows)


@pytest.fixture
def world():
    """Returns of six methods; one scenario with nothing to gain, one cell that failed."""
    rng = np.random.default_rng(0)
    never = rng.uniform(0.4, 0.6, (SEEDS, TASKS))
    upper = never + rng.uniform(0.1, 0.4, (SEEDS, TASKS))
    upper[2, 1] = never[2, 1] + FLOOR / 2
    returns = {"never": never}
    for name, share in (("ks", 0.5), ("periodic(every=5)", 0.6), ("ppo(n_envs=32)", 0.7), ("mine", 0.65)):
        returns[name] = never + (upper - never) * (share + rng.normal(0, 0.2, (SEEDS, TASKS)))
    returns["ks"][3, 0] = math.nan
    returns["oracle"] = upper - 0.001
    return returns, upper


def test_robust_columns_are_the_statistics_with_exclusions_counted(world):
    returns, upper = world
    board = {row["method"]: row for row in leaderboard(cells(returns, upper)).iter_rows(named=True)}
    for name, mine in returns.items():
        scores = scenario_scores(mine, returns["never"], upper, floor=FLOOR)
        row = board[name]
        assert row["iqm"] == pytest.approx(float(iqm(scores)))
        assert row["iqm_excluded"] == (2 if name == "ks" else 1)
        assert row["iqm_cells"] + row["iqm_excluded"] == SEEDS * TASKS
        assert row["iqm_n"] == SEEDS
        assert row["iqm_low"] <= row["iqm"] <= row["iqm_high"]
        assert row["p_improvement_reference"] == "periodic(every=5)"
        if name != "periodic(every=5)":
            expected = probability_of_improvement(mine, returns["periodic(every=5)"])
            assert row["p_improvement"] == pytest.approx(float(expected))
            assert row["p_improvement_low"] <= row["p_improvement"] <= row["p_improvement_high"]
            assert row["p_improvement_cells"] == SEEDS * TASKS - (name == "ks")
    itself = board["periodic(every=5)"]
    assert math.isnan(itself["p_improvement"])
    assert "the reference" in itself["p_improvement_reason"]
    assert board["ppo(n_envs=32)"]["iqm_low"] < board["ppo(n_envs=32)"]["iqm_high"]


def test_the_reference_is_the_best_rule_no_agent_no_hindsight_no_stranger():
    ns = {"oracle": 0.99, "ppo(n_envs=4)": 0.9, "mine": 0.8, "ks": 0.3, "cusum": 0.4, "similar": math.nan}
    assert reference_of(ns) == "cusum"
    assert reference_of({"oracle": 0.99, "never": 0.0}) == "never"
    assert reference_of({"oracle": 0.99, "never": math.nan}) is None
    assert [is_agent(name) for name in ns] == [False, True, None, False, False, False]


def test_without_a_reference_the_probability_is_undefined_with_a_reason(world):
    returns, upper = world
    board = leaderboard(cells({"oracle": returns["oracle"], "ppo": returns["ks"]}, upper))
    assert board["p_improvement"].is_nan().all()
    assert set(board["p_improvement_reason"]) == {"no rule with a defined NS to compare with"}


def test_seeds_of_one_real_stream_are_one_scenario_in_robust_numbers_too(world):
    returns, upper = world
    table = cells({name: values for name, values in returns.items() if name != "ks"}, upper, streams=7.0)
    row = leaderboard(table).filter(pl.col("method") == "mine").row(0, named=True)
    assert (row["iqm_n"], row["p_improvement_n"]) == (1, 1)
    assert math.isnan(row["iqm_low"])
    assert "1 seed" in row["iqm_reason"]
    band = profiles(Arena.of(table), ["mine"], np.array([0.0]))["mine"]
    assert (band.n, band.profile.n) == (1, TASKS)


def test_the_warning_has_one_rule():
    methods = ["never", "ppo", "dqn", "oracle"]
    assert not_for_claims(methods, CLAIM_STEPS - 1).startswith("not for claims: each of 2 agents")
    assert not_for_claims(methods, CLAIM_STEPS) == ""
    assert not_for_claims(["never", "ks", "oracle", "mine"], 10) == ""


def drawn(figure):
    from matplotlib.text import Text

    return " ".join(text.get_text() for text in figure.findobj(Text))


def curves(key):
    flags = np.zeros(20, dtype=bool)
    return {
        "windows": np.arange(10, 30),
        "drifts": np.array([[12, 13]]),
        "quality": np.full(20, 0.8),
        "served": np.full(20, 9),
        "retrained": flags,
        "rollback": flags,
    }


@pytest.mark.parametrize("steps", [100_000, CLAIM_STEPS])
def test_sections_say_what_their_numbers_rest_on(world, steps):
    returns, upper = world
    track = make("track", "delivery", steps=steps, reaction=7)
    sections = {section.title: section for section in track.sections(cells(returns, upper), curves)}
    short = steps < CLAIM_STEPS
    for title in ("Leaderboard", "Profiles", "Cost against quality"):
        (figure,) = sections[title].figures.values()
        assert ("not for claims: ppo(n_envs=32) was trained with 100,000" in drawn(figure)) == short
        to_svg(figure)
    assert ("**Not for claims" in sections["Leaderboard"].text) == short
    robust = sections["Robust comparison"]
    assert {"iqm", "iqm_low", "iqm_n", "p_improvement", "p_improvement_n"} <= set(robust.table.columns)
    assert "exceeds that of `periodic(every=5)`" in robust.text
    assert "Not known here, and hence no candidate for the reference: `mine`" in robust.text
    assert not [name for name in sections["Leaderboard"].table.columns if name.startswith("iqm")]
    note = drawn(next(iter(sections["Profiles"].figures.values())))
    assert "pointwise 95 % bootstrap, 8 seeds" in note
    assert re.search(r"n = 22 scenarios; 2 left out.*\ncounts of the method with the fewest", note)
    assert "(22, 2), (23, 1)" in sections["Profiles"].text
    words = sections["Words"].text
    assert "**lag**: windows from the start of a true drift event" in words
    assert "7 windows after its end" in words
    assert "read it together with precision" in words
    assert "every_step" in words


def test_profiles_draw_a_band_for_every_method(world):
    returns, upper = world
    track = make("track", "delivery")
    sections = {section.title: section for section in track.sections(cells(returns, upper), curves)}
    (figure,) = sections["Profiles"].figures.values()
    fills = [patch for patch in figure.axes[0].collections if patch.get_paths()]
    assert len(fills) == 4
    failed = {**returns, "mine": np.full((SEEDS, TASKS), math.nan)}
    fewer = {section.title: section for section in track.sections(cells(failed, upper), curves)}
    (figure,) = fewer["Profiles"].figures.values()
    assert len(figure.axes[0].collections) == 3
    assert "(0, 24)" in fewer["Profiles"].text
