"""What the delivery track reports: robust columns, reference, warning, sections."""

import json
import math
import re

import numpy as np
import polars as pl
import pytest

from mlopsim.core.section import Unavailable, make_sections
from mlopsim.core.spec import make
from mlopsim.plots.style import to_svg
from mlopsim.stats.normalised_scores import iqm, probability_of_improvement, scenario_scores
from mlopsim.tracks.claims import CLAIM_STEPS, not_for_claims
from mlopsim.tracks.delivery.analysis import (
    FACTS,
    FLOOR,
    MEANS,
    Arena,
    feedback_pairs,
    feedback_table,
    leaderboard,
    profiles,
    reference_of,
)
from mlopsim.tracks.table_results import TableResults

SEEDS, TASKS = 8, 3
#: of "mine" nothing is known
FAMILIES = {
    "never": "rule",
    "ks": "rule",
    "cusum": "rule",
    "similar": "rule",
    "periodic(every=5)": "rule",
    "ppo": "agent",
    "dqn": "agent",
    "ppo(n_envs=32)": "agent",
    "oracle": "reference",
}


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
                    "stream_id": f"rows {seed}" if streams is None else streams,
                    "family": FAMILIES.get(name),
                    "role": "control" if name in ("never", "oracle") else "method",
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
    assert reference_of(ns, {**FAMILIES, "ppo(n_envs=4)": "agent"}, {}) == "cusum"
    assert reference_of(ns, {**FAMILIES, "ppo(n_envs=4)": "agent"}, {"cusum": "control"}) == "ks"
    roles = {"oracle": "control", "never": "control"}
    assert reference_of({"oracle": 0.99, "never": 0.0, "ks": -0.1}, FAMILIES, roles) == "ks"
    assert reference_of({"oracle": 0.99, "never": 0.0}, FAMILIES, roles) is None
    assert reference_of({"oracle": 0.99, "ks": math.nan}, FAMILIES, roles) is None
    assert reference_of({"mine": 0.5}, FAMILIES, {}) is None


def test_without_a_reference_the_probability_is_undefined_with_a_reason(world):
    returns, upper = world
    board = leaderboard(cells({"oracle": returns["oracle"], "ppo": returns["ks"]}, upper))
    assert board["p_improvement"].is_nan().all()
    assert set(board["p_improvement_reason"]) == {"no rule with a defined NS to compare with"}


def test_seeds_of_one_real_stream_are_one_scenario_in_robust_numbers_too(world):
    returns, upper = world
    table = cells(
        {name: values for name, values in returns.items() if name != "ks"}, upper, streams="flights"
    )
    row = leaderboard(table).filter(pl.col("method") == "mine").row(0, named=True)
    assert (row["iqm_n"], row["p_improvement_n"]) == (1, 1)
    assert math.isnan(row["iqm_low"])
    assert "1 seed" in row["iqm_reason"]
    band = profiles(Arena.of(table), ["mine"], np.array([0.0]))["mine"]
    assert (band.n, band.profile.n) == (1, TASKS)


def test_the_warning_has_one_rule():
    methods = {name: FAMILIES[name] for name in ("never", "ppo", "dqn", "oracle")}
    assert not_for_claims(methods, CLAIM_STEPS - 1).startswith("not for claims: each of 2 agents")
    assert not_for_claims(methods, CLAIM_STEPS) == ""
    assert not_for_claims({"never": "rule", "ks": "rule", "oracle": "reference", "mine": None}, 10) == ""


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


def made(table, **settings):
    """The sections of a report by title, and the reasons of those that are not made."""
    track = make("track", "delivery", **settings)
    found, unmade = make_sections(TableResults(track=track, cells=table, read=curves))
    return {section.title: section for section in found}, {each.title: each.reason for each in unmade}


@pytest.mark.parametrize("steps", [100_000, CLAIM_STEPS])
def test_sections_say_what_their_numbers_rest_on(world, steps):
    returns, upper = world
    sections, unmade = made(cells(returns, upper), steps=steps, reaction=7)
    assert not unmade
    short = steps < CLAIM_STEPS
    for title in ("Leaderboard", "Profiles", "Cost against quality"):
        (figure,) = sections[title].figures.values()
        assert ("not for claims: ppo(n_envs=32) was trained with 100,000" in drawn(figure)) == short
        to_svg(figure)
    assert ("**Not for claims" in sections["Leaderboard"].text) == short
    robust = sections["Robust comparison"]
    assert {"iqm", "iqm_low", "iqm_n", "p_improvement", "p_improvement_n"} <= set(robust.table.columns)
    assert "exceeds that of `periodic(every=5)`" in robust.text
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
    sections, _ = made(cells(returns, upper))
    (figure,) = sections["Profiles"].figures.values()
    fills = [patch for patch in figure.axes[0].collections if patch.get_paths()]
    assert len(fills) == 4
    failed = {**returns, "mine": np.full((SEEDS, TASKS), math.nan)}
    fewer, _ = made(cells(failed, upper))
    (figure,) = fewer["Profiles"].figures.values()
    assert len(figure.axes[0].collections) == 3
    assert "(0, 24)" in fewer["Profiles"].text


def test_attributes_stand_at_the_end_of_the_leaderboard_and_after_the_score_on_the_page(world):
    board = leaderboard(cells(*world))
    assert board.columns[:2] == ["method", "ns"] and tuple(board.columns[-len(FACTS) :]) == FACTS
    assert dict(board.select("method", "family").iter_rows())["ppo(n_envs=32)"] == "agent"
    shown = made(cells(*world))[0]["Leaderboard"].table
    # what tells nothing (here: reads, needs, known) is left out of the page, not of the table
    assert [name for name in shown.columns if not name.startswith("ns_")][:5] == [
        *("method", "ns", "family", "role", "bracket"),
    ]
    assert "reads" not in shown.columns


def test_cells_of_an_earlier_version_have_a_leaderboard_and_say_what_is_missing(world):
    """They have no attributes, and identities of rows as numbers."""
    returns, upper = world
    new = cells(returns, upper)
    old = new.drop("family", "role").with_columns(pl.col("seed").cast(pl.Float64).alias("stream_id"))
    board = leaderboard(old)
    assert board["ns"].to_list() == leaderboard(new)["ns"].to_list()
    assert all(board[name].null_count() == len(board) for name in FACTS)
    assert "earlier version do not say" in board["p_improvement_reason"][0]
    sections, unmade = made(old)
    assert set(unmade) == {"Robust comparison", "Profiles", "Time lines"} and "'family'" in unmade["Profiles"]
    assert "not known of cells of an earlier version" in sections["Leaderboard"].text
    one = old.with_columns(pl.lit(7.0).alias("stream_id"))
    assert (
        leaderboard(one)["ns_n"].to_list()
        == leaderboard(cells(returns, upper, streams="a"))["ns_n"].to_list()
    )


def test_time_lines_are_figures_of_one_section(world):
    section = made(cells(*world))[0]["Time lines"]
    assert list(section.figures) == ["Time line: t0", "Time line: t1", "Time line: t2"]
    # ks failed in its third scenario only; every figure shows the first one
    assert "(seed 0)" in section.text
    shown = drawn(section.figures["Time line: t0"])
    assert "never" in shown and "ppo(n_envs=32)" in shown


def test_sections_that_cannot_be_made_say_why(world):
    returns, upper = world
    failed = cells({name: np.full_like(upper, math.nan) for name in returns}, upper)
    _, unmade = made(failed)
    assert "no method has a return" in unmade["Profiles"] and "is done" in unmade["Time lines"]
    results = TableResults(track=make("track", "delivery"), cells=failed, read=curves)
    with pytest.raises(Unavailable, match="no method has a mean quality"):
        make("section", "delivery-cost-and-quality").make(results)


def test_tasks_say_in_what_they_differ(world):
    learners = pl.col("task").replace_strict({"t0": "ridge", "t1": "lda", "t2": "ridge"})
    table = cells(*world).with_columns(learners.alias("learner"), pl.lit(False).alias("real"))
    shown = made(table)[0]["Tasks"].table
    assert shown.columns[:3] == ["task", "learner", "method"] and "real" not in shown.columns
    assert set(shown.filter(pl.col("task") == "t1")["learner"].to_list()) == {"lda"}
    # a single task is in the leaderboard already
    assert "Tasks" not in made(table.filter(pl.col("task") == "t0"))[0]


def test_feedback_is_compared_on_the_same_scenarios_and_never_pooled(world):
    """Tasks that differ in their feedback only: one leaderboard, paired differences beside it."""
    returns, upper = world
    # t0 and t2 have a partner under deployed feedback, where ks loses .1 and all else stays
    regime = {"t0": "full", "t1": "full", "t2": "full", "t3": "deployed", "t4": "deployed"}
    same = {"t0": "a", "t1": "b", "t2": "c", "t3": "a", "t4": "c"}
    wide = {name: np.concatenate([x, x[:, [0, 2]]], axis=1) for name, x in returns.items()}
    wide["ks"][:, 3:] -= 0.1
    top = np.concatenate([upper, upper[:, [0, 2]]], axis=1)
    table = cells(wide, top).with_columns(
        pl.col("task").replace_strict(regime).alias("feedback"),
        pl.col("task").replace_strict(same).alias("conditions"),
    )
    assert feedback_pairs(table) == {"full": ["t0", "t2"], "deployed": ["t3", "t4"]}
    assert leaderboard(table)["ns"].to_list() == leaderboard(cells(returns, upper))["ns"].to_list()
    found = {row["method"]: row for row in feedback_table(table).iter_rows(named=True)}
    assert found["mine"]["deployed_gain"] == 0.0 == found["never"]["ns_full"]
    ok = np.isfinite(wide["ks"][:, [0, 2]])
    gap = np.where(ok, (upper - returns["never"])[:, [0, 2]], 0.0).sum()
    row = found["ks"]
    assert row["deployed_gain"] == pytest.approx(0.1 * ok.sum() / gap) and row["deployed_gain_n"] == SEEDS
    assert row["ns_full"] - row["ns_deployed"] == pytest.approx(row["deployed_gain"])
    assert row["deployed_gain_low"] < row["deployed_gain"] < row["deployed_gain_high"]
    shown = made(table)[0]["Feedback"]
    assert shown.table is not None and "2 tasks" in shown.text
    # the gap beside NS: of the scenarios that the rows are of
    alone = leaderboard(table, ["t0", "t2"]).filter(pl.col("method") == "ks").row(0, named=True)
    assert row["bracket"] == alone["bracket"] > 0.0 and "`bracket`" in shown.text
    assert "Feedback" not in made(table.filter(pl.col("feedback") == "full"))[0]
    # a feedback that is swept is pooled as the page says
    swept = table.with_columns(pl.col("feedback").alias("deployment.feedback"))
    assert set(leaderboard(swept)["cells"].to_list()) == {5 * SEEDS, 5 * SEEDS - 2}


def test_cells_of_an_earlier_version_on_given_rows_are_one_scenario(world):
    """In a table of this version they have no identity of rows; the task still says that rows were given."""
    returns, upper = world
    unknown = pl.lit(None, dtype=pl.String).alias("stream_id")
    table = cells(returns, upper).with_columns(unknown, real=pl.col("task") == "t0")
    assert [Arena.of(table).single(task) for task in range(TASKS)] == [True, False, False]
    # what a cell of this version says holds for those of the other seeds, too
    mixed = table.with_columns(pl.when(pl.col("seed") == 3).then(pl.lit("flights")).alias("stream_id"))
    assert [Arena.of(mixed).single(task) for task in range(TASKS)] == [True, False, False]


def test_budgets_count_each_fit_once():
    from types import SimpleNamespace

    from mlopsim.tracks.delivery.sections.budgets import DeliveryBudgets
    from mlopsim.tracks.delivery.track import DeliveryTrack

    table = pl.DataFrame(
        {
            "method": ["ks", "ks", "ks", "ppo", "never"],
            "fit": ["x", "x", "y", "z", None],
            "fit_steps": [100, 100, 80, 90, None],
            "fit_seconds": [1.0, 1.0, 4.0, 200.0, None],
        }
    )
    section = DeliveryBudgets().make(SimpleNamespace(cells=table, track=DeliveryTrack(steps=100)))
    assert section.table.rows() == [("ks", 2, 90.0, 2.5, 1.0, 4.0), ("ppo", 1, 90.0, 200.0, 200.0, 200.0)]
    assert "equal in steps" in section.text
    # one agent that serves two methods has not twice the budget
    shared = table.with_columns(
        fit=pl.Series(["x", "x", "y", "y", None]), fit_steps=pl.Series([100, 100, 80, 80, 0])
    )
    section = DeliveryBudgets().make(SimpleNamespace(cells=shared, track=DeliveryTrack(steps=100)))
    assert section.table["serves"].to_list() == [2, 2] and "equal by fit, not by method" in section.text
    assert section.table["steps_a_method"].to_list() == [70.0, 40.0] and "there are 2 fits" in section.text
    # nor has one that was made for others, too, that are not in this table
    alone = table.with_columns(fit_arms=pl.Series([1, 1, 1, 9, None]))
    section = DeliveryBudgets().make(SimpleNamespace(cells=alone, track=DeliveryTrack(steps=100)))
    assert section.table.select("serves", "steps_a_method").rows() == [(1, 90.0), (9, 10.0)]
    # whether limits were kept is told where fits say so
    told = table.with_columns(fit_met=pl.Series([True, True, False, False, None]))
    section = DeliveryBudgets().make(SimpleNamespace(cells=told, track=DeliveryTrack(steps=100)))
    assert section.table["met"].to_list() == [1, 0] and "`met`" in section.text
    with pytest.raises(Unavailable):
        DeliveryBudgets().make(SimpleNamespace(cells=table.drop("fit_seconds"), track=DeliveryTrack(steps=1)))
    nothing = table.filter(pl.col("fit").is_null())
    assert DeliveryBudgets().make(SimpleNamespace(cells=nothing, track=DeliveryTrack(steps=0))) is None
