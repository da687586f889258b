"""The delivery track: names, fits, cells, leaderboard."""

import math

import numpy as np
import polars as pl
import pytest

from mlopsim.bench.grid import expand
from mlopsim.bench.suite import Suite
from mlopsim.core.errors import ConfigError
from mlopsim.core.spec import make, part_of
from mlopsim.stats.normalised_scores import normalised_score
from mlopsim.tracks.delivery.analysis import MEANS, Arena, leaderboard, per_task
from mlopsim.tracks.delivery.compare import compare
from mlopsim.tracks.delivery.origins import blocks_of
from mlopsim.tracks.delivery.run import run_cells
from mlopsim.tracks.rolling import build_selector, world_spec
from mlopsim.world.cache import default_cache

STREAM = {"synthetic": {"windows": 24, "rows": 30, "warmup": 5, "concept": "sea", "schedule": "abrupt"}}
SMALL = {"windows": 24, "rows": 30, "warmup": 5}


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("MLOPSIM_CACHE", str(tmp_path / "cache"))
    return tmp_path


def make_grid(methods, *, tasks=None, seeds=(0, 1, 2), **settings):
    track = make("track", "delivery", **{"steps": 0, **settings})
    suite = Suite(
        name="t",
        track=part_of(track),
        tasks=track.tasks(tasks or [{"name": "a", "stream": STREAM}]),
        methods=track.methods(methods),
        seeds=list(seeds),
    )
    return track, expand(suite, track)


def test_never_and_the_oracle_always_join():
    track = make("track", "delivery", steps=0)
    assert [m.name for m in track.methods(["periodic"])] == ["never", "periodic", "oracle"]
    assert [m.name for m in track.methods(["oracle", "never"])] == ["oracle", "never"]
    ladder = make("track", "delivery", steps=0, ladder=True).methods(["never"])
    assert {"latest-oracle", "knows-changes", "hindsight-period"} <= {m.name for m in ladder}


def test_attributes_say_what_methods_and_tasks_are():
    track = make("track", "delivery", steps=1000, ladder=True)
    found = {m.name: tuple(m.attributes.values()) for m in track.methods(["ks", "linucb", "ppo", "uniform"])}
    assert found == {
        "never": ("rule", "control", "nothing", "none", "nothing"),
        "ks": ("rule", "method", "inputs", "none", "nothing"),
        "linucb": ("bandit", "method", "errors and inputs", "labels", "nothing"),
        "ppo": ("agent", "method", "observation", "labels", "nothing"),
        "uniform": ("rule", "control", "nothing", "none", "the horizon"),
        "oracle": ("reference", "control", "everything", "hindsight", "the whole scenario"),
        "latest-oracle": ("reference", "control", "everything", "hindsight", "the whole scenario"),
        "knows-changes": ("reference", "control", "everything", "hindsight", "every change"),
        "hindsight-period": ("reference", "control", "everything", "hindsight", "the whole scenario"),
    }
    names = ("stream", "scenario", "real", "learner", "deployment", "latency")
    tasks = track.tasks(
        [{"stream": STREAM}, {"stream": "nycflights13", "deployment": {"standard": {"latency": 4}}}]
    )
    assert [tuple(task.attributes.get(name) for name in names) for task in tasks] == [
        ("synthetic", "abrupt", False, "ridge", "standard", 2),
        ("nycflights13", None, True, "ridge", "standard", 4),
    ]


def test_methods_listed_twice_are_an_error():
    with pytest.raises(ConfigError, match="listed twice"):
        make("track", "delivery", steps=0).methods(["periodic", {"periodic": {}}])


def test_parameters_that_are_given_are_fixed_and_the_rest_is_tuned():
    track = make("track", "delivery", steps=1000)
    periodic, fixed = track.methods([{"periodic": {"every": 5}}, {"periodic": {"every": 5, "phase": 0}}])[1:3]
    assert periodic.part["free"] == ["phase"] and "free" not in fixed.part
    assert "free" not in make("track", "delivery", steps=0).methods(["periodic"])[1].part


def test_an_agent_needs_steps():
    with pytest.raises(ConfigError, match="must be trained"):
        make("track", "delivery", steps=0).methods(["ppo"])


def test_one_fit_serves_all_tasks_with_the_same_learner_and_deployment():
    tasks = [
        {"name": "a", "stream": STREAM},
        {"name": "b", "stream": {"synthetic": {**SMALL, "concept": "sine"}}},
        {"name": "c", "stream": STREAM, "learner": "lda"},
    ]
    _, grid = make_grid(["periodic"], tasks=tasks, steps=1000)
    assert len(grid.fits) == 2
    by_task = {cell.task.name: cell.fit for cell in grid.cells if cell.method.name == "periodic"}
    assert by_task["a"] == by_task["b"] != by_task["c"]
    assert all(cell.fit is None for cell in grid.cells if cell.method.name in ("never", "oracle"))


@pytest.mark.parametrize("steps", [0, 1000])
@pytest.mark.parametrize(
    ("params", "words"),
    [
        ({"detector": "adwin", "channel": "outputs"}, "in the task 'b': .* a canary splits the rows"),
        ({"detector": "eddm", "arl0": 2000, "p0": 0}, "in the task 'a': .* no limit for an ARL0"),
    ],
)
def test_what_cannot_be_rolled_out_is_refused_with_the_grid(params, words, steps):
    canary = {
        "name": "b",
        "stream": STREAM,
        "deployment": {"standard": {"canary_share": 0.2, "canary_windows": 2}},
    }
    with pytest.raises(ConfigError, match=words):
        make_grid([{"on_alarm": params}], tasks=[{"name": "a", "stream": STREAM}, canary], steps=steps)
    if "channel" in params:
        make_grid([{"on_alarm": params}], steps=steps)
        make_grid([{"on_alarm": {"detector": "adwin"}}], tasks=[canary], steps=steps)


def test_an_alarm_of_a_control_is_a_control():
    facts = make("track", "delivery", steps=0).methods([{"on_alarm": {"detector": "always"}}])[1].attributes
    assert (facts["role"], facts["reads"], facts["needs"]) == ("control", "nothing", "none")


def test_unknown_part_of_a_task_names_the_nearest():
    with pytest.raises(ConfigError, match="did you mean 'stream'"):
        make("track", "delivery").tasks([{"strem": "procedural"}])


@pytest.mark.parametrize(
    ("params", "said"), [({"fallback": 0.5}, "a fallback"), ({"rollback": False}, "no rollback")]
)
def test_a_deployment_whose_optimum_is_another_one_is_refused_before_work(params, said):
    with pytest.raises(ConfigError, match=said):
        make("track", "delivery").tasks([{"stream": STREAM, "deployment": {"governed": params}}])


def test_cells_alone_and_together_are_equal_to_the_bit():
    track, grid = make_grid(["every_step", "random", "error_or_shift"], ladder=True)
    cells = list(grid.cells)
    together = track.run(cells, {})
    order = np.random.default_rng(0).permutation(len(cells))
    for place in order:
        (alone,) = track.run([cells[place]], {})
        assert alone.metrics.keys() == together[place].metrics.keys()
        for name, value in alone.metrics.items():
            assert value == together[place].metrics[name] or math.isnan(value)
        for name, curve in alone.curves.items():
            assert np.array_equal(curve, together[place].curves[name])


def test_metrics_are_the_declared_ones_and_undefined_ones_have_reasons():
    track, grid = make_grid(["every_step"])
    for outcome in track.run(grid.cells, {}):
        assert set(outcome.metrics) == {metric.name for metric in track.metrics}
        undefined = {name for name, value in outcome.metrics.items() if math.isnan(value)}
        assert undefined == set(outcome.reasons)


def test_nobody_beats_the_bound_and_the_ladder_is_in_order():
    track, grid = make_grid(["every_step", "best_in_registry"], ladder=True)
    found = {
        (cell.method.name, cell.seed): outcome.metrics
        for cell, outcome in zip(grid.cells, track.run(grid.cells, {}), strict=True)
    }
    for seed in range(3):
        upper = found["oracle", seed]["upper"]
        assert all(m["return"] <= upper + 1e-9 for (_, s), m in found.items() if s == seed)
        assert found["latest-oracle", seed]["return"] <= found["oracle", seed]["return"] + 1e-9
        assert found["hindsight-period", seed]["return"] <= found["latest-oracle", seed]["return"] + 1e-9


def test_leaderboard_is_the_ratio_of_sums():
    rng = np.random.default_rng(1)
    base, top = rng.uniform(0.4, 0.6, (5, 2)), rng.uniform(0.8, 0.9, (5, 2))
    mine = rng.uniform(0.6, 0.8, (5, 2))
    means = (
        *("accuracy", "cost", "retrains", "switches", "rollbacks", "impossible"),
        *("detection", "lag", "precision"),
    )
    rows = [
        {
            "key": f"{name}{seed}{task}",
            "task": f"t{task}",
            "method": name,
            "seed": seed,
            "status": "done",
            "reasons": "{}",
            "return": values[seed, task],
            "upper": top[seed, task] if name == "oracle" else math.nan,
            "stream_id": f"rows {seed}",
            **dict.fromkeys(means, 0.5),
        }
        for name, values in (("never", base), ("mine", mine), ("oracle", top - 0.01))
        for seed in range(5)
        for task in range(2)
    ]
    table = pl.DataFrame(rows)
    board = leaderboard(table)
    assert board["method"].to_list() == ["oracle", "mine", "never"]
    row = board.filter(pl.col("method") == "mine").row(0, named=True)
    assert row["ns"] == pytest.approx(float(normalised_score(mine, base, top).value))
    assert row["ns"] == pytest.approx((mine - base).sum() / (top - base).sum())
    assert row["ns_low"] < row["ns"] < row["ns_high"] and row["ns_n"] == 5
    assert row["regret"] == pytest.approx((top - mine).mean())
    # the oracle's plan earns 0.01 less than U in each of ten scenarios
    assert row["bracket"] == pytest.approx(0.1 / (top - base).sum()) and row["bracket_n"] == 5
    assert row["bracket_low"] < row["bracket"] < row["bracket_high"]
    assert len(per_task(table)) == 6
    alone = per_task(table).filter(pl.col("task") == "t1")["bracket"]
    np.testing.assert_allclose(alone, 0.05 / (top - base)[:, 1].sum())
    beside = compare(table, "mine", "never")["bracket"].to_list()
    assert beside[1] == pytest.approx(alone[0]) and beside[2] == pytest.approx(row["bracket"])
    # a cell that is missing is left out and never counted as 0
    fewer = table.with_columns(
        pl.when((pl.col("method") == "mine") & (pl.col("seed") == 0))
        .then(pl.lit("failed"))
        .otherwise(pl.col("status"))
        .alias("status")
    )
    again = leaderboard(fewer).filter(pl.col("method") == "mine").row(0, named=True)
    assert again["cells"] == 8 and again["ns"] == pytest.approx(
        (mine - base)[1:].sum() / (top - base)[1:].sum()
    )
    # its bracket is that of the scenarios that its score stands on
    assert again["bracket"] == pytest.approx(0.08 / (top - base)[1:].sum())


def test_one_real_stream_has_no_interval():
    rows = [
        {
            "task": "real", "method": name, "seed": seed, "status": "done", "return": value,
            "upper": 0.9 if name == "oracle" else None, "stream_id": "flights",
        }
        for seed in range(4)
        for name, value in (("never", 0.5), ("mine", 0.7), ("oracle", 0.88))
    ]  # fmt: skip
    board = per_task(pl.DataFrame(rows))
    row = board.filter(pl.col("method") == "mine").row(0, named=True)
    assert row["ns"] == pytest.approx(0.5) and math.isnan(row["ns_low"]) and "real stream" in row["ns_reason"]
    assert Arena.of(pl.DataFrame(rows)).single(0)


def test_blocks_of_a_real_stream_are_the_units_and_say_how_they_depend():
    """Seeds of one block are averaged; the interval rests on the blocks that lie apart, and says so."""
    from scipy import stats

    rng = np.random.default_rng(0)
    blocks, seeds = 4, 8
    base = 0.5 + 0.1 * rng.random(blocks)[np.arange(seeds) % blocks] + 0.01 * rng.random(seeds)
    mine, top = base + 0.2 + 0.05 * rng.random(seeds), base + 0.3 + 0.1 * rng.random(seeds)
    rows = [
        {
            "task": "real", "method": name, "seed": seed, "status": "done", "reasons": "{}",
            "return": values[seed], "upper": top[seed] if name == "oracle" else None, "stream_id": "flights",
            "block": seed % blocks + 1, "apart": 2, "family": "rule", "role": "method",
            **dict.fromkeys(MEANS, 0.5),
        }
        for seed in range(seeds)
        for name, values in (("never", base), ("mine", mine), ("oracle", top))
    ]  # fmt: skip
    table = pl.DataFrame(rows)
    row = per_task(table).filter(pl.col("method") == "mine").row(0, named=True)
    a, b = ((x - base).reshape(2, blocks).mean(axis=0) for x in (mine, top))
    ns = a.sum() / b.sum()
    half = stats.t.ppf(0.975, 1) * np.std(a - ns * b, ddof=1) / b.mean() / math.sqrt(2)
    assert row["ns"] == pytest.approx(ns) and row["ns_n"] == blocks
    assert (row["ns_low"], row["ns_high"]) == (pytest.approx(ns - half), pytest.approx(ns + half))
    assert "4 blocks of one real stream, 2 of them apart" in row["ns_reason"]
    # what would take blocks for independent units has no ends
    board = leaderboard(table).filter(pl.col("method") == "mine").row(0, named=True)
    assert board["ns"] == row["ns"] and board["ns_low"] == row["ns_low"]
    for name in ("iqm", "accuracy"):
        assert board[f"{name}_n"] == blocks and math.isnan(board[f"{name}_low"])
        assert "blocks of one real stream" in board[f"{name}_reason"]
    difference = compare(table, "mine", "never").row(0, named=True)
    assert difference["difference"] == pytest.approx(ns) and difference["difference_n"] == blocks
    # beside a task of independent scenarios it is left out of the pool, as before
    other = table.with_columns(
        task=pl.lit("drawn"),
        stream_id=pl.col("seed").cast(pl.String),
        block=pl.lit(None, dtype=pl.Int64),
        apart=pl.lit(None, dtype=pl.Int64),
    )
    assert leaderboard(pl.concat([table, other]))["ns_n"].to_list() == [seeds] * 3


def test_origins_of_a_real_stream_are_deployments_of_one_world(tmp_path):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(1300, 2))
    y = np.where(X[:, 0] * np.where(np.arange(1300) < 700, 1, -1) + 0.5 * rng.normal(size=1300) > 0, "a", "b")
    rows = [f"{u:.5f},{v:.5f},{label}" for (u, v), label in zip(X, y, strict=True)]
    (tmp_path / "real.csv").write_text("\n".join(["u,v,label", *rows]))
    real = {"file": {"path": str(tmp_path / "real.csv"), "label": "label", "rows": 20, "warmup": 5}}
    track, grid = make_grid(["periodic"], tasks=[{"name": "real", "stream": real}], seeds=range(4), origins=3)
    outcomes = list(zip(grid.cells, track.run(grid.cells, {}), strict=True))
    for cell, found in outcomes:
        block = blocks_of(5, 65, 3, 0.5)[cell.seed % 3]
        assert (found.attributes["block"], found.attributes["apart"]) == (block.number, 2)
        assert found.curves["windows"].tolist() == list(range(block.first, block.end))
        world = default_cache().open(world_spec(cell))
        if cell.method.name == "never":
            # the initial version of its own start, scored by the World of the whole stream
            assert (found.curves["served"] == block.first - 1).all()
            mean = world.metric()[block.first - 1, block.first : block.end].mean()
            assert found.metrics["return"] == pytest.approx(mean)
    # one start is the whole stream, as it was
    _, whole = make_grid(["never"], tasks=[{"name": "real", "stream": real}], seeds=(0,), origins=1)
    assert "origins" not in whole.cells[0].task.part
    (found, _) = track.run(whole.cells, {})
    assert len(found.curves["windows"]) == 60 and "block" not in found.attributes


def test_tuning_and_training_end_to_end():
    track, grid = make_grid(
        ["periodic", {"ppo": {"n_envs": 4, "n_steps": 8, "batch_size": 32, "hidden": [8]}}],
        seeds=(0,),
        steps=2000,
        scenarios=4,
        train_stream=STREAM,
    )
    fits = {job.key: track.fit(job, {}) for job in grid.fits}
    assert all(fit.info["steps_used"] <= 2000 for fit in fits.values())
    outcomes = run_cells(grid.cells, fits, reaction=10)
    assert all(np.isfinite(outcome.metrics["return"]) for outcome in outcomes)
    again = {job.key: track.fit(job, {}) for job in grid.fits}
    for key, fit in fits.items():
        assert fit.info == again[key].info
        assert all(np.array_equal(fit.arrays[name], again[key].arrays[name]) for name in fit.arrays)
    tuned = next(cell for cell in grid.cells if cell.method.name == "periodic")
    selector = build_selector(tuned.method.part, fits[tuned.fit])
    assert selector.every == fits[tuned.fit].info["params"]["every"]
    assert default_cache().entries()


def test_a_tree_stands_on_the_fit_of_its_teacher():
    tree = {"depth": 3, "rounds": 2, "decisions": 3, "states": 60, "least": 1}
    track, grid = make_grid(
        [
            "greedy",
            {"surrogate_tree": {"teacher": "greedy", **tree}},
            {"surrogate_tree": {"teacher": "every_step", **tree}},
        ],
        seeds=(0,),
        steps=4000,
        scenarios=4,
        train_stream=STREAM,
    )
    by_method = {cell.method.name: cell for cell in grid.cells}
    jobs = {job.key: job for job in grid.fits}
    (name, other) = (name for name in by_method if name.startswith("surrogate_tree"))
    tuned, tree_of = jobs[by_method["greedy"].fit], jobs[by_method[name].fit]
    # one fit of the teacher, whether it is listed or not; a rule without free parameters needs none
    assert tree_of.needs == (tuned.key,) and jobs[by_method[other].fit].needs == ()
    _, alone = make_grid(
        [{"surrogate_tree": {"teacher": "greedy", **tree}}],
        seeds=(0,),
        steps=4000,
        scenarios=4,
        train_stream=STREAM,
    )
    assert {job.key for job in alone.fits} == {tuned.key, tree_of.key}
    first = track.fit(tuned, {})
    fit = track.fit(tree_of, {tuned.key: first})
    own = fit.info["steps_used"] - fit.info["teacher_steps"]
    assert fit.info["teacher_steps"] == first.info["steps_used"] and 0 < own <= 4000
    assert fit.attributes["fit_steps"] == fit.info["steps_used"]
    again = track.fit(tree_of, {tuned.key: first})
    assert all(np.array_equal(fit.arrays[key], again.arrays[key]) for key in fit.arrays)
    (outcome,) = run_cells([by_method[name]], {tree_of.key: fit}, reaction=10)
    assert np.isfinite(outcome.metrics["return"])


def test_a_thinned_real_stream_is_one_scenario_and_knows_no_changes(tmp_path):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(900, 2))
    y = np.where(X[:, 0] + 0.5 * rng.normal(size=900) > 0, "a", "b")
    rows = [f"{u:.5f},{v:.5f},{label}" for (u, v), label in zip(X, y, strict=True)]
    (tmp_path / "real.csv").write_text("\n".join(["u,v,label", *rows]))
    real = {
        "file": {"path": str(tmp_path / "real.csv"), "label": "label", "rows": 30, "warmup": 5, "thin": 0.5}
    }
    tasks = [{"name": "real", "stream": real}, {"name": "synthetic", "stream": STREAM}]
    track, grid = make_grid(["every_step"], tasks=tasks, ladder=True)
    outcomes = list(zip(grid.cells, track.run(grid.cells, {}), strict=True))
    ids = {
        name: {
            o.attributes["stream_id"] for c, o in outcomes if c.task.name == name and c.method.name == "never"
        }
        for name in ("real", "synthetic")
    }
    assert len(ids["real"]) == 1 and len(ids["synthetic"]) == 3
    blind = [o for c, o in outcomes if c.task.name == "real" and c.method.name == "knows-changes"]
    assert all(math.isnan(o.metrics["return"]) and "not known" in o.reasons["return"] for o in blind)
    table = pl.DataFrame(
        [
            {"key": c.key, "task": c.task.name, "method": c.method.name, "seed": c.seed, "status": "done",
             "reasons": "{}", **o.metrics, **o.attributes, **c.method.attributes}
            for c, o in outcomes
        ]
    )  # fmt: skip
    board = leaderboard(table)
    assert set(board["cells"].to_list()) == {3}  # the real stream is not in the pool
    row = (
        per_task(table)
        .filter((pl.col("task") == "real") & (pl.col("method") == "every_step"))
        .row(0, named=True)
    )
    assert row["ns_n"] == 1 and math.isnan(row["ns_low"]) and "real stream" in row["ns_reason"]
