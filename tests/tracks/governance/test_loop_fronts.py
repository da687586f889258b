"""Fronts, front scores, limits, leaderboard of a made-up loop with known answers."""

import math

import numpy as np
import polars as pl
import pytest
from loop_kit import FALLBACK, GAIN, LIMIT, NEVER, SEEDS, curves, noise, table

from mlopsim.core.errors import ConfigError
from mlopsim.core.spec import make
from mlopsim.governance.optimum.front import baseline, baselines
from mlopsim.tracks.governance.analysis import (
    compare,
    compliance_table,
    leaderboard,
    per_task,
    reviewer_table,
)
from mlopsim.tracks.governance.fronts import (
    NO_ROOM,
    NOWHERE,
    Fronts,
    OperatingPoint,
    bounds_of,
    drawn,
    front_score,
    front_table,
    lower_front,
    operating_point,
)
from mlopsim.tracks.governance.limits import Limits, limits_of
from mlopsim.tracks.governance.mixture import common_limits, mixture_table
from mlopsim.tracks.governance.pictures import front_of, limit_line
from mlopsim.tracks.governance.worlds import PAIRED
from mlopsim.tracks.rolling import seeded_parts


def set_column(cells, name, method, value):
    """Replace a metric of one method."""
    value = value if isinstance(value, pl.Expr) else pl.lit(value)
    there = pl.col("method") == method
    return cells.with_columns(pl.when(there).then(value).otherwise(pl.col(name)).alias(name))


def test_many_baselines_are_each_the_best_mixture():
    rng = np.random.default_rng(0)
    never, suspended = rng.integers(0, 4, (400, 2)) / 2.0, rng.integers(0, 4, (400, 2)) / 2.0
    cost = rng.integers(-1, 8, 400) / 4.0
    wanted = [baseline(tuple(a), tuple(b), c) for a, b, c in zip(never, suspended, cost, strict=True)]
    assert baselines(never, suspended, cost) == pytest.approx(wanted, abs=1e-12, nan_ok=True)
    alone = [baseline(tuple(a), None, c) for a, c in zip(never, cost, strict=True)]
    assert baselines(never, None, cost) == pytest.approx(alone, nan_ok=True)


def test_the_front_is_the_lower_envelope_and_scores_stand_between():
    cells = table(("drift",))
    bounds = bounds_of(cells, curves, "task drift")
    top = NEVER[0] + GAIN["drift"] + np.mean([noise("drift", seed) for seed in range(SEEDS)])
    # between the corners at .3 and .2 the line of price .1 holds, above .3 that of price 0
    for cost, loss in ((0.4, 0.0), (0.3, 0.0), (0.25, 0.005), (0.2, 0.01)):
        upper, _ = bounds.room(np.nanmean(bounds.columns, axis=0)[None], np.array([cost]))
        assert upper[0] == pytest.approx(top - loss + 0.001, abs=1e-12)
    rows = drawn(bounds, 0.5)
    assert rows[0]["cost"] == 0.0 and rows[-1]["cost"] == 0.5
    assert all(one["baseline"] <= one["lower"] + 1e-12 <= one["upper"] + 1e-12 for one in rows)
    lower = lower_front(bounds)
    assert lower.at(0.25) == pytest.approx(top - 0.005, abs=1e-12)
    table_of = front_table([bounds])
    assert table_of["gap"].min() >= 0.0 and table_of.height == 4 and set(table_of["gap_n"]) == {SEEDS}
    # a method halfway between B(C) and U(C) in every scenario scores a half, without width
    means = bounds.columns
    upper, below = bounds.room(means, np.full(SEEDS, 0.2))
    half = front_score([bounds], [OperatingPoint(returns=(upper + below) / 2, costs=np.full(SEEDS, 0.2))])
    assert (half.value, half.low, half.high) == pytest.approx((0.5, 0.5, 0.5), abs=1e-9)
    at_zero = [
        front_score([bounds], [operating_point(cells, name, "task drift")])
        for name in ("never", "suspend_always")
    ]
    assert [one.value for one in at_zero] == pytest.approx([0.0, 0.0], abs=1e-12)
    best = front_score([bounds], [operating_point(cells, "optimum", "task drift")])
    assert 0.9 < best.value < 1.05


def test_undefined_scores_say_why():
    cells = table(("nothing",))
    bounds = bounds_of(cells, curves, "task nothing")
    # where suspending is as good as the front there is no room
    flat = OperatingPoint(returns=np.zeros(SEEDS), costs=np.zeros(SEEDS))
    good = set_column(cells, "return", "suspend_always", 0.7)
    squeezed = bounds_of(good, curves, "task nothing")
    found = front_score([squeezed], [flat])
    assert math.isnan(found.value) and found.reason == NO_ROOM
    assert not math.isnan(front_score([bounds], [operating_point(cells, "never", "task nothing")]).value)
    with pytest.raises(ConfigError, match="no scenario in which optimum and never are done"):
        bounds_of(cells.filter(pl.col("method") != "optimum"), curves, "task nothing")
    board = leaderboard(cells)
    assert board["front"].is_nan().all() and set(board["front_reason"]) != {""}


def test_a_limit_is_met_by_the_upper_end_of_the_mean_cost():
    cells = table(("drift",))
    (limit,) = limits_of(cells, "task drift")
    assert limit.limit == LIMIT and limit.alone
    flat = Limits(table=cells, curves=curves).verdict("all", "task drift", limit)
    assert flat.met and flat.spent.value == pytest.approx(0.2) and flat.beyond == 0.0
    # a mean below the limit whose interval reaches beyond is not enough
    costs = LIMIT - 0.01 + np.linspace(-0.1, 0.1, SEEDS)
    by_seed = pl.col("seed").replace_strict(range(SEEDS), costs.tolist(), return_dtype=pl.Float64)
    spread = set_column(cells, "cost", "all", by_seed)
    wide = Limits(table=spread, curves=curves).verdict("all", "task drift", limit)
    assert wide.spent.value < LIMIT < wide.spent.high and wide.met is False
    assert wide.beyond == pytest.approx(wide.spent.high - LIMIT)
    # with two constraints the series tell what each cost
    two = cells.with_columns(limit_floor=pl.lit(0.4), limit_on_floor=pl.lit("run"), weight_floor=pl.lit(2.0))
    asked = {one.name: one for one in limits_of(two, "task drift")}
    read = Limits(table=two, curves=curves)
    assert read.spent("all", "task drift", asked["parity"]) == pytest.approx(np.full(SEEDS, 0.3), abs=1e-6)
    assert np.isnan(read.spent("all", "task drift", asked["floor"])).all()
    with pytest.raises(ConfigError, match="stands in the series"):
        Limits(table=two, curves=None).spent("all", "task drift", asked["parity"])
    # the same table with other series has other costs
    doubled = Limits(table=two, curves=lambda key: {"cost_parity": 2.0 * curves(key)["cost_parity"]})
    assert doubled.spent("all", "task drift", asked["parity"]) == pytest.approx(np.full(SEEDS, 0.6), abs=1e-6)


def test_a_task_without_a_front_is_named_and_no_reason_for_others_to_have_none():
    whole = table()
    there = (pl.col("method") == "optimum") & (pl.col("task") == "task nothing")
    cells = whole.filter(~there)
    board, alone = leaderboard(cells, curves), leaderboard(table(("drift",)), curves)
    assert set(board["front_tasks"]) == {1} and set(board["left_out"]) == {"task nothing"}
    scores, wanted = (dict(one.select("method", "front").iter_rows()) for one in (board, alone))
    assert scores == wanted and math.isfinite(scores["all"])
    gap = compare(cells, "all", "none", curves)
    assert gap["front_tasks"].to_list() == [1, 0, 1]
    assert gap["difference_reason"][1] == "no scenario in which optimum and never are done"
    assert gap["difference"][2] == pytest.approx(scores["all"] - scores["none"], abs=1e-12)
    front = front_of(cells, curves)
    assert list(front.figures) == list(set(front.bounds["task"])) == ["task drift"]
    assert list(front.without) == ["task nothing"]
    with pytest.raises(ConfigError, match="no task has a front"):
        front_of(cells.filter(pl.col("method") != "optimum"), curves)
    # a method that is not done somewhere has no score over the others alone: it would not be comparable
    holes = whole.filter(~((pl.col("method") == "all") & (pl.col("task") == "task nothing")))
    row = leaderboard(holes, curves).filter(method="all").to_dicts()[0]
    assert math.isnan(row["front"]) and row["front_reason"] == "no cell is done in task nothing"


def test_a_task_without_room_does_not_count():
    cells = table()
    narrow = pl.col("task") == "task nothing"
    # suspending costs nothing and earns as much as anybody could
    flat = cells.with_columns(
        pl.when(narrow & (pl.col("method") == "suspend_always"))
        .then(0.7 + pl.col("return") - FALLBACK)
        .otherwise("return")
        .alias("return")
    )
    fronts = Fronts.of(flat, curves, ["task drift", "task nothing"])
    assert [one.task for one in fronts.pooled] == ["task drift"] and not fronts.without
    assert fronts.left_out == {"task nothing": NOWHERE}
    assert set(leaderboard(flat, curves)["left_out"]) == {"task nothing"}
    whole = Fronts.of(cells, curves, ["task drift", "task nothing"])
    assert len(whole.pooled) == 2 and whole.left_out == {}
    # the most room is that of a fine grid of costs from the least on
    for one in whole.bounds:
        means = one.columns.mean(axis=0)
        costs = np.linspace(0.0, 1.0, 2001)
        upper, below = one.room(np.repeat(means[None], len(costs), axis=0), costs)
        assert one.most_room == pytest.approx((upper - below).max(), abs=1e-4)
        assert one.most_room >= (upper - below).max() - 1e-12


@pytest.mark.parametrize("over", ["window", "run"])
def test_limits_that_are_not_on_means_have_no_front(over):
    cells = table(("drift",), limit_on_parity=over)
    with pytest.raises(ConfigError, match=f"task drift.*a mean cost says nothing: parity .{over}"):
        bounds_of(cells, curves, "task drift")
    board = leaderboard(cells, curves)
    assert board["front"].is_nan().all() and "says nothing" in board["front_reason"][0]
    assert board["return"].is_finite().all() and set(board["front_tasks"]) == {0}
    assert limit_line(cells, "task drift") == (None, "")


def test_several_limits_on_means_have_one_line_at_their_sum():
    two = table(("drift",), limit_floor=0.4, limit_on_floor="mean", weight_floor=0.5)
    assert limit_line(two, "task drift") == (pytest.approx(LIMIT + 0.2), "sum of the limits")
    weightless = two.with_columns(weight_floor=pl.lit(0.0))
    assert limit_line(weightless, "task drift") == (LIMIT, "limit")
    (figure,) = front_of(two, curves).figures.values()
    lines = {line.get_label(): line.get_xdata()[0] for line in figure.axes[0].lines}
    assert lines["sum of the limits"] == pytest.approx(LIMIT + 0.2)


def test_limits_that_never_meets_are_apart():
    """`drift` is broken by doing nothing; of `nothing`, with a limit above never's cost, by acting."""
    limit = pl.when(pl.col("task") == "task nothing").then(0.45).otherwise(LIMIT)
    cells = table().with_columns(limit_parity=limit)
    cells = set_column(
        cells, "cost", "none", pl.when(pl.col("task") == "task nothing").then(0.5).otherwise("cost")
    )
    board = {row["method"]: row for row in leaderboard(cells, curves).to_dicts()}
    names = ("met", "limited", "broken", "easy")
    found = {name: tuple(row[key] for key in names) for name, row in board.items()}
    assert found["never"] == (0, 1, 0, 1) and found["all"] == (1, 1, 0, 1)
    assert found["none"] == (0, 1, 1, 1) and board["none"]["beyond"] == pytest.approx(0.15)


def test_leaderboard_compare_and_tables():
    cells = table()
    board = leaderboard(cells, curves)
    assert board.height == 36 and board["method"][0] in ("optimum", "all")
    assert dict(board.select("method", "met").iter_rows())["all"] == 2
    assert dict(board.select("method", "met").iter_rows())["none"] == 0
    assert set(board["limited"]) == {2} and set(board["front_n"]) == {SEEDS}
    for name in ("front", "return", "cost", "out", "longest", "refused"):
        assert {f"{name}_low", f"{name}_high", f"{name}_n", f"{name}_reason"} <= set(board.columns)
    gap = compare(cells, "all", "none", curves)
    assert gap["task"].to_list()[-1] == "all tasks" and gap["difference"][-1] > 0
    scores = dict(board.select("method", "front").iter_rows())
    assert gap["difference"][-1] == pytest.approx(scores["all"] - scores["none"], abs=1e-12)
    tasks = per_task(cells, curves)
    assert tasks.height == 72 and tasks.filter(task="task drift", method="all")["met"][0]
    assert compliance_table(cells).filter(family="drift", method="none")["out"][0] == pytest.approx(0.4)


def test_reviewers_are_compared_in_the_same_scenarios_and_not_pooled():
    first = table(("drift",))
    later = table(("drift",), review="delayed(delay=2)").with_columns(
        task=pl.lit("task later"), key="later " + pl.col("key"), conditions=pl.lit("task drift")
    )
    later = later.with_columns(pl.col("return") - 0.02)
    cells = pl.concat([first, later])
    alone, both = leaderboard(first, curves), leaderboard(cells, curves)
    assert both["return"].to_list() == alone["return"].to_list() and set(both["limited"]) == {1}
    found = reviewer_table(cells, ["all"])
    assert found["reviewer"].to_list() == ["nobody", "delayed(delay=2)"]
    assert found["return_change"].to_list() == pytest.approx([0.0, -0.02])


def test_searches_and_drawn_actions_are_the_same_under_every_reviewer():
    track = make("track", "governance", steps=0)
    specs = [None, {"delayed": {"delay": 2}}, {"rubber_stamp": {"delay": 2}}]
    tasks = track.tasks([{"deployment": {"governed": {"fallback": 0.6, "reviewer": spec}}} for spec in specs])
    seeded = [seeded_parts(task.part, PAIRED) for task in tasks]
    assert seeded[0] == seeded[1] == seeded[2]
    assert len({task.digest for task in tasks}) == 3
    assert len({task.attributes["conditions"] for task in tasks}) == 1
    assert tasks[0].attributes["review"] == "nobody"
    (other,) = track.tasks([{"deployment": {"governed": {"fallback": 0.7}}}])
    assert seeded_parts(other.part, PAIRED) != seeded[0]


def test_a_task_with_few_methods_shows_these_only():
    few = table(("drift",), review="delayed(delay=2)").with_columns(
        task=pl.lit("task later"), conditions=pl.lit("task drift")
    )
    few = few.filter(pl.col("method").is_in(["never", "suspend_always", "none", "optimum"]))
    cells = pl.concat([table(("drift",)), few])
    found = reviewer_table(cells)
    counts = dict(found.group_by("reviewer").len().iter_rows())
    assert counts == {"nobody": 36, "delayed(delay=2)": 4}
    figure = front_of(cells, curves).figures["task later"]
    assert "not drawn" not in figure.get_supxlabel()


def test_a_limit_may_be_kept_over_the_mixture_and_broken_in_a_family():
    """The limit is .25: .4 a window in one family, .05 in the other."""
    cells = table().with_columns(
        pl.when(pl.col("method") == "traditional")
        .then(0.4 + 0.001 * pl.col("seed"))
        .otherwise(pl.col("cost"))
        .alias("cost")
    )
    low = pl.when((pl.col("method") == "traditional") & (pl.col("task") == "task nothing")).then(0.05)
    cells = cells.with_columns(low.otherwise(pl.col("cost")).alias("cost"))
    found = {row["method"]: row for row in mixture_table(cells).iter_rows(named=True)}
    mine = found["traditional"]
    assert mine["spent"] == pytest.approx((0.4 + 0.001 * (SEEDS - 1) / 2 + 0.05) / 2)
    assert mine["met"] and (mine["families_met"], mine["families"]) == (1, 2) and mine["spent_n"] == SEEDS
    never = found["never"]
    assert not never["met"] and never["families_met"] == 0
    assert never["beyond"] == pytest.approx(NEVER[1] - LIMIT)
    # tasks with other limits have none in common
    other = pl.when(pl.col("task") == "task drift").then(0.3).otherwise(pl.col("limit_parity"))
    assert common_limits(cells.with_columns(limit_parity=other))[1] == []
