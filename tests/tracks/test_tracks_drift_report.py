"""The report of the drift track, from a run of a small suite."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import polars as pl
import pytest

from mlopsim.bench.ledger import Ledger
from mlopsim.bench.table import table
from mlopsim.compose import Study
from mlopsim.core.registry import find, names
from mlopsim.core.section import SectionMaker, Unavailable, make_sections
from mlopsim.core.spec import make
from mlopsim.core.track import Section
from mlopsim.drift.law import Normal
from mlopsim.drift.run_length.floor import floor_delay
from mlopsim.tracks.drift.analysis import (
    MEANS,
    by_channel,
    calibrations,
    completed,
    in_groups,
    lacking_limits,
    leaderboard,
    pooled_tasks,
    ranked,
    where_all_have_limits,
)
from mlopsim.tracks.drift.compare import compare
from mlopsim.tracks.drift.evidence import references
from mlopsim.tracks.drift.harmless_changes import FALLS, LEVEL, RISES, harmless, risk_directions
from mlopsim.tracks.drift.sections.floors import NAMES
from mlopsim.tracks.drift.worth_analysis import delay_and_worth, ends, worth
from mlopsim.tracks.table_results import TableResults

MOVED = {
    "synthetic": {
        "windows": 35,
        "concept": {"linear_gaussian": {"d": 4, "n_relevant": 2}},
        "bayes": False,
        "schedule": "none",
        "shifts": [{"covariate": {"at": 22, "feature": 3, "magnitude": 2.0, "mode": "move"}}],
    }
}
LONG = {"rate_rows": 4000, "rate_runs": 30}
SETTINGS = {
    "calibration": {"arl0": 4000, "horizon": 1500, "runs": 60, "checks": 60, "curve": [2000], **LONG},
    "tolerance": 500,
}


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Any:
    folder = tmp_path_factory.mktemp("drift")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MLOPSIM_CACHE", str(folder / "worlds"))
        study = Study(
            track={"drift": SETTINGS},
            tasks=[
                {"name": "normal", "signal": {"iid": {"law": "normal", "ticks": 2000, "change": 1000}}},
                {"name": "shifted", "signal": {"iid": {"p": 0.1, "p1": 0.4, "ticks": 2000, "change": 1000}}},
                {"name": "moved", "signal": {"model": {"harmless": ["covariate"]}}, "stream": MOVED},
            ],
            methods=["cusum", {"cusum": {"side": "up"}}, "ddm", "ks", "shiryaev_roberts"],
            seeds=2,
            name="small",
        )
        study.run(folder / "r", progress=False, executor="serial")
        with Ledger.read(folder / "r") as ledger:
            frame = table(ledger)
            kept = {key: ledger.curves(key) for key in frame["key"]}
    results = TableResults(track=study.track, cells=frame, read=kept.__getitem__)
    made, unmade = make_sections(results)
    return {section.title: section for section in made}, frame, kept, results, unmade


def test_the_report_has_its_figures(report: Any) -> None:
    sections: dict[str, Section] = report[0]
    assert list(sections["Floor"].figures) == ["Delay on normal", "Delay on shifted"]
    lengths = sections["Run lengths without a change"].figures
    assert list(lengths) == ["Run lengths in rows", "Run lengths in windows"]
    pictures = sections["Distribution functions"].figures
    assert list(pictures) == ["Distribution functions: moved"]
    assert "feature 3" in next(iter(pictures.values())).axes[0].get_xlabel()


def test_the_floor_in_the_table_is_the_exact_one(report: Any) -> None:
    frame = report[0]["Floor"].table
    floor = frame.filter(pl.col("reference") == NAMES["floor"]).to_dicts()[0]
    # a delay here is 0 where the alarm is at the first changed row
    assert floor["4,000"] == pytest.approx(floor_delay(Normal(), Normal(mean=1.0), 4000.0) - 1.0)
    known = references([{"p": 0.1}, {"p": 0.2}], [500.0, 1000.0]).arrays
    assert all(a < b for a, b in known.values())
    assert known["floor"][0] > max(known["cusum"][0], known["roberts"][0])


def test_cells_keep_laws_run_lengths_and_samples(report: Any) -> None:
    frame, kept = report[1:3]
    for row in frame.iter_rows(named=True):
        found = kept[row["key"]]
        if row["status"] != "done" or "by_arl0_arl0" not in found:
            continue
        known = row["task"] in ("normal", "shifted") and row["method"] == "clairvoyant"
        assert ("reference_floor" in found) == known
        if row["fit"] is not None and row["method"] != "clairvoyant":
            survival = found["run_length_survival"]
            assert survival[0] == 1.0 and (np.diff(survival) <= 0.0).all()
            assert 1.0 - survival[-1] == pytest.approx(row["share"])
        pictured = row["method"] == "ks" and row["task"] == "moved" and row["seed"] == 0
        assert ("cdf_place" in found) == pictured
        if pictured:
            assert found["cdf_place"].tolist() == [3, 4, 12]
            assert found["cdf_window"].shape == (100,) and found["cdf_reference"].shape == (1000,)
            assert abs(found["cdf_window"].mean() - found["cdf_reference"].mean()) > 1.0


def test_a_floor_that_is_not_known_has_a_reason() -> None:
    found = references([{"mean": 0.0, "sd": 1.0}, {"mean": 1.0, "sd": 2.0}], [1000.0])
    assert np.isnan(found.arrays["floor"]).all() and "normal laws of one spread" in found.info["reason"]


def test_always_is_last_and_has_no_delay(report: Any) -> None:
    board = report[0]["Leaderboard"].table
    rows = {row["method"]: row for row in board.to_dicts()}
    assert "never" in rows and np.isfinite(rows["never"]["restricted_delay"])
    assert np.isnan(rows["always"]["restricted_delay"]) and np.isnan(rows["always"]["delay"])
    assert "at random" in rows["always"]["restricted_delay_reason"]
    place = board["method"].to_list().index
    assert place("always") > place("never") > place("clairvoyant")
    tasks = report[0]["Tasks"].table.filter(pl.col("method") == "always")
    assert len(tasks) and np.isnan(tasks["restricted_delay"].to_numpy()).all()


def test_sections_are_made_or_say_why(report: Any) -> None:
    """In their order, without gaps; every one of the track belongs to it and has its own title."""
    sections, _, _, _, unmade = report
    own = [find("section", name) for name in names("section") if find("section", name).track == "drift"]
    assert all(
        issubclass(cls, SectionMaker) and cls.needs and cls.title for cls in own if cls.name != "drift-words"
    )
    order = [cls.title for cls in sorted(own, key=lambda cls: cls.order)]
    assert len({cls.order for cls in own}) == len(own)
    assert [title for title in order if title in sections] == list(sections)
    assert [each.title for each in unmade] == ["Ranks"] and "3 methods" in unmade[0].reason
    # no task has a deployment, no error falls, and every method has limits everywhere
    assert set(order) - set(sections) == {
        *("Ranks", "Worth", "Sooner and more worth", "Where all have limits", "Falls"),
    }


def test_methods_that_read_the_same_stand_together(report: Any) -> None:
    board = report[3].leaderboard
    reads = board["reads"].to_list()
    assert reads[-5:] == ["nothing"] * 5 and len(board.filter(pl.col("role") == "control")) == 5
    changes = sum(a != b for a, b in itertools.pairwise(reads))
    assert changes == len(set(reads)) - 1
    rows = {row["method"]: row for row in board.to_dicts()}
    assert (rows["ddm"]["reads"], rows["ddm"]["needs"]) == ("errors", "labels")
    assert (rows["ks"]["reads"], rows["ks"]["needs"]) == ("inputs", "none")
    assert rows["shiryaev_roberts"]["known"] == "p0 and p1"
    # what is the same for all tells nothing on a page
    assert "limit" in board.columns and "family" in report[0]["Leaderboard"].table.columns


def test_groups_are_compared_on_all_tasks_that_they_share(report: Any) -> None:
    frame = by_channel(report[1])
    groups = {key: set(rows["method"]) for (key,), rows in frame.group_by("reads")}
    both = {"cusum", "cusum(side=up)"}
    # what reads inputs has no change to find: that of `moved` is harmless
    assert groups == {"errors": both | {"ddm"}, "outputs": both}
    delays = frame.filter(pl.col("reads") == "errors")["restricted_delay"].to_list()
    assert delays == sorted(delays)


def test_no_group_costs_another_a_task() -> None:
    delays = {("a", "t"): [1.0], ("a", "u"): [3.0], ("b", "t"): [4.0], ("c", "u"): [9.0], ("d", "u"): [7.0]}
    frame = cells(delays).with_columns(
        channel=pl.when(pl.col("method").is_in(["c", "d"])).then(pl.lit("inputs")).otherwise(pl.lit("errors"))
    )
    found = by_channel(frame).select("reads", "needs", "tasks", "method", "restricted_delay").rows()
    assert found == [
        ("errors", "labels", 1, "a", 1.0),
        ("errors", "labels", 1, "b", 4.0),
        ("inputs", "none", 1, "d", 7.0),
        ("inputs", "none", 1, "c", 9.0),
    ]


def test_calibrations_say_whether_they_are_exact_and_met(report: Any) -> None:
    found = {(row["task"], row["method"]): row for row in calibrations(report[1]).to_dicts()}
    assert found["normal", "shiryaev_roberts"]["exact"] is True
    assert found["normal", "cusum"]["exact"] is False
    assert all(isinstance(row["met"], bool) for row in found.values() if np.isfinite(row["share"]))
    assert "1 of them by the exact law" in report[0]["False alarms asked and attained"].text


def cells(rows: dict[tuple[str, str], list[float]]) -> pl.DataFrame:
    """A table of a method's restricted delays on a task by seed."""
    zeros = dict.fromkeys(MEANS, 0.0)
    return pl.DataFrame(
        [
            {
                "key": f"{method} {task} {seed}",
                "task": task,
                "method": method,
                "seed": seed,
                "status": "done",
                "reasons": "{}",
                "fit": f"{method} {task}",
                "target": 0.2,
                "share": 0.2,
                "role": "method",
                "known": "nothing",
                "limit": "calibrated",
                "channel": "errors",
                **zeros,
                "restricted_delay": delay,
            }
            for (method, task), delays in rows.items()
            for seed, delay in enumerate(delays)
        ]
    )


def test_a_method_without_a_limit_costs_nobody_the_task() -> None:
    """That it reads the task is known by what was asked of it, not by the words of a reason."""
    frame = cells({("a", "t"): [1.0], ("b", "t"): [np.nan], ("a", "u"): [1.0], ("b", "u"): [2.0]})
    # b does not read t
    unread = frame.with_columns(
        target=pl.when(pl.col("restricted_delay").is_nan()).then(np.nan).otherwise(pl.col("target"))
    )
    assert pooled_tasks(unread) == ["u"]
    # b reads t, and nothing gives what is asked
    unlimited = frame.with_columns(
        share=pl.when(pl.col("restricted_delay").is_nan()).then(np.nan).otherwise(pl.col("share"))
    )
    assert pooled_tasks(unlimited) == ["t", "u"]


def test_what_is_known_or_given_is_not_ranked() -> None:
    frame = cells({(name, "t"): [1.0] for name in ("free", "knows", "own", "control")})
    frame = frame.with_columns(
        known=pl.when(pl.col("method") == "knows").then(pl.lit("p0")).otherwise(pl.lit("nothing")),
        limit=pl.when(pl.col("method") == "own").then(pl.lit("given")).otherwise(pl.lit("calibrated")),
        role=pl.when(pl.col("method") == "control").then(pl.lit("control")).otherwise(pl.lit("method")),
    )
    assert ranked(frame) == ["free"]


def test_an_earlier_table_has_a_leaderboard_and_says_what_is_not_known(report: Any) -> None:
    """It has no attributes, and metrics of the same names in their place."""
    results = report[3]
    given = set(completed(pl.DataFrame({"method": [""]})).columns) - {"method"}
    old = results.cells.drop([name for name in given if name in results.cells.columns])
    old = old.with_columns(
        **{name: pl.lit(1.0) for name in ("told", "control", "given", "real", "met", "exact")}
    )
    board = leaderboard(old)
    assert sorted(board["method"]) == sorted(results.leaderboard["method"])
    unknown = ("reads", "needs", "known", "family", "role", "limit")
    assert all(board[name].null_count() == len(board) for name in unknown)
    assert board.filter(pl.col("laws") > 0)["met"].null_count() > 0
    made, unmade = make_sections(TableResults(track=results.track, cells=old, read=results.curves))
    assert [s.title for s in made] == ["Leaderboard", "Run lengths without a change", "Tasks", "Words"]
    assert "stored no attributes" in made[0].text and "role" not in made[0].table.columns
    assert "stored no attributes" not in report[0]["Leaderboard"].text
    own = [name for name in names("section") if find("section", name).track == "drift"]
    assert len(made) + len(unmade) == len(own) and all("earlier version" in u.reason for u in unmade)


def test_cells_of_an_earlier_version_among_new_ones_are_read_like_them(report: Any) -> None:
    """A resumed folder: methods have attributes, cells that were done before have none of their own."""
    results = report[3]
    later = pl.col("seed") > 0
    mixed = results.cells.with_columns(
        pl.when(later).then(pl.col(name)).otherwise(None).alias(name) for name in ("channel", "met")
    )
    assert by_channel(mixed).equals(by_channel(results.cells))
    assert leaderboard(mixed).equals(results.leaderboard)
    # calibrations of an earlier version do not say whether they are exact
    old = TableResults(track=results.track, cells=mixed.drop("exact"), read=results.curves)
    text = make("section", "drift-calibrations").make(old).text
    assert "0 of them by the exact law" in text and "For 11 it is not known" in text
    # where no cell says what it read, there is what the method can read
    board = {row["method"]: row for row in leaderboard(mixed.drop("channel")).to_dicts()}
    assert (board["cusum"]["reads"], board["cusum"]["needs"]) == ("errors or outputs", "labels for errors")
    assert board["ks"]["reads"] == "inputs" and board["never"]["reads"] == "nothing"


def test_worth_needs_both_ends_of_the_scale() -> None:
    frame = cells({(name, "t"): [5.0, 7.0, 8.0] for name in ("never", "clairvoyant", "a")})
    returns = {"never": 0.0, "clairvoyant": 1.5, "a": 1.0}
    ends_of = {"never": "lower", "clairvoyant": "upper", "a": None}
    frame = frame.with_columns(
        pl.col("method").replace_strict(returns).alias("return"),
        pl.col("method").replace_strict(ends_of, return_dtype=pl.String).alias("bound"),
        upper=pl.when(pl.col("method") == "clairvoyant").then(2.0).otherwise(np.nan),
        retrains=pl.lit(3.0),
    )
    found = dict(worth(frame).select("method", "ns").iter_rows())
    assert found == pytest.approx({"never": 0.0, "clairvoyant": 0.75, "a": 0.5})
    # beside NS stands how far the optimum may lie below the bound, over the scenarios that the NS is of
    plan = pl.when(pl.col("method") == "clairvoyant").then(1.7 + 0.1 * pl.col("seed")).otherwise(np.nan)
    known = frame.with_columns(lower=plan)
    assert worth(known)["bracket"].to_list() == pytest.approx([0.1] * 3)
    gone = pl.when((pl.col("method") == "a") & (pl.col("seed") == 0)).then(np.nan).otherwise(pl.col("return"))
    some = worth(known.with_columns(gone.alias("return"))).filter(pl.col("method") == "a").row(0, named=True)
    assert (some["bracket"], some["bracket_n"], some["ns_n"]) == (pytest.approx(0.075), 2, 2)
    unknown = worth(frame).row(0, named=True)
    assert np.isnan(unknown["bracket"]) and "earlier version" in unknown["bracket_reason"]
    without = frame.filter(pl.col("method") != "never")
    assert ends(without) is None and not len(worth(without))
    results = TableResults(track=make("track", "drift"), cells=without, read=lambda key: {})
    with pytest.raises(Unavailable, match="never retraining"):
        make("section", "drift-worth").make(results)


def test_worth_compares_like_with_like() -> None:
    """What reads the same stands together, given limits after the calibrated ones, controls at the end."""
    # return, bound, role, channel, limit
    facts: dict[str, tuple[float, str | None, str, str, str]] = {
        "clairvoyant": (1.5, "upper", "control", "errors", "none"),
        "never": (0.0, "lower", "control", "errors", "none"),
        "always": (1.2, None, "control", "errors", "none"),
        "ks": (1.9, None, "method", "inputs", "calibrated"),
        "own": (1.8, None, "method", "errors", "given"),
        "bad": (0.1, None, "method", "errors", "calibrated"),
        "good": (1.0, None, "method", "errors", "calibrated"),
    }
    frame = cells({(name, "t"): [5.0, 7.0, 8.0] for name in facts})
    for place, name in enumerate(("return", "bound", "role", "channel", "limit")):
        values = [facts[method][place] for method in frame["method"]]
        frame = frame.with_columns(pl.Series(name, values))
    frame = frame.with_columns(
        upper=pl.when(pl.col("bound") == "upper").then(2.0).otherwise(np.nan),
        reads=pl.when(pl.col("role") == "control").then(pl.lit("nothing")).otherwise(pl.col("channel")),
        needs=pl.when(pl.col("role") == "control").then(pl.lit("none")).otherwise(None),
        retrains=pl.lit(3.0),
    )
    costs = {1.0: worth(frame.with_columns(retrain_cost=pl.lit(1.0)))}
    twice = pl.concat(
        [frame.with_columns(retrain_cost=pl.lit(c), task=pl.lit(f"t {c}")) for c in (0.05, 1.0)]
    )
    # a cost of a retrain has rows of its own
    assert worth(twice)["retrain_cost"].to_list() == [0.05] * 7 + [1.0] * 7
    assert worth(twice).filter(pl.col("retrain_cost") == 1.0)["ns"].equals(costs[1.0]["ns"])
    board = worth(frame)
    assert board.select("method", "reads", "needs", "role", "limit").rows() == [
        ("good", "errors", "labels", "method", "calibrated"),
        ("bad", "errors", "labels", "method", "calibrated"),
        ("own", "errors", "labels", "method", "given"),
        ("ks", "inputs", "none", "method", "calibrated"),
        ("clairvoyant", "nothing", "none", "control", "none"),
        ("always", "nothing", "none", "control", "none"),
        ("never", "nothing", "none", "control", "none"),
    ]
    curves = {"by_arl0_arl0": np.array([4000.0]), "by_arl0_return": np.array([1.0])}
    results = TableResults(track=make("track", "drift"), cells=frame, read=lambda key: curves)
    section = make("section", "drift-worth").make(results)
    assert section.table.equals(board) and "calibrated to the same" in section.text


def test_groups_put_what_nobody_knows_before_the_controls() -> None:
    board = pl.DataFrame(
        {
            "method": ["c", "unknown", "both", "i", "e"],
            "reads": ["nothing", None, "errors, outputs", "inputs", "errors"],
            "restricted_delay": [0.0, 1.0, 2.0, 3.0, np.nan],
        }
    )
    assert in_groups(board)["method"].to_list() == ["e", "i", "unknown", "both", "c"]


def test_means_over_other_laws_stand_apart() -> None:
    """A method without a limit somewhere has no recall beside others'; on the common laws it has."""
    frame = cells({("a", "t"): [1.0], ("b", "t"): [np.nan], ("a", "u"): [3.0], ("b", "u"): [2.0]})
    frame = frame.with_columns(
        alarms=pl.when(pl.col("restricted_delay").is_nan()).then(np.nan).otherwise(1.0),
        share=pl.when(pl.col("restricted_delay").is_nan()).then(np.nan).otherwise(0.2),
        recall=pl.when(pl.col("restricted_delay").is_nan()).then(np.nan).otherwise(1.0),
        f1=pl.when(pl.col("restricted_delay").is_nan()).then(np.nan).otherwise(0.5),
    )
    board = {row["method"]: row for row in leaderboard(frame).to_dicts()}
    assert board["a"]["recall"] == 1.0 and board["a"]["f1"] == 0.5
    for name in ("recall", "f1", "restricted_delay", "precision"):
        assert np.isnan(board["b"][name]) and "Where all have limits" in board["b"][f"{name}_reason"]
    assert lacking_limits(frame) == {"errors": ["b"]}
    common = {row["method"]: row for row in where_all_have_limits(frame).to_dicts()}
    assert common["a"]["restricted_delay"] == 3.0 and common["b"]["restricted_delay"] == 2.0
    assert all((row["tasks"], row["without"], row["f1"]) == (1, "b", 0.5) for row in common.values())
    assert not len(where_all_have_limits(frame.filter(pl.col("task") == "t")))
    assert lacking_limits(frame.filter(pl.col("task") == "u")) == {}


def test_what_a_harmless_change_does_to_the_error_is_measured() -> None:
    """Falls, rises and changes of nothing are never pooled."""
    risks = {"falls": [-0.1, -0.12, -0.11], "rises": [0.1, 0.12, 0.11], "level": [-0.01, 0.012, 0.0]}
    frame = cells({("a", task): [np.nan] * 3 for task in risks}).with_columns(
        harmless_alarmed=pl.when(pl.col("task") == "falls").then(1.0).otherwise(0.0),
        harmless_risk=pl.Series([value for values in risks.values() for value in values]),
    )
    assert {task: text for task, (text, _) in risk_directions(frame).items()} == {
        "falls": FALLS, "rises": RISES, "level": LEVEL,
    }  # fmt: skip
    found = {row["tasks"]: row for row in harmless(frame).to_dicts()}
    assert set(found) == set(risks) and found["falls"]["error"] == FALLS
    assert found["falls"]["harmless_alarmed"] == 1.0 and found["level"]["harmless_alarmed"] == 0.0
    assert found["falls"]["harmless_risk"] == pytest.approx(-0.11)
    old = harmless(frame.drop("harmless_risk")).to_dicts()
    assert [row["error"] for row in old] == ["not measured"]


def test_delay_and_worth_are_compared_within_what_reads_the_same() -> None:
    """Sooner is more worth among the readers of errors, less among those of inputs; never pooled."""
    delays = {"a": 1.0, "b": 2.0, "c": 3.0, "k": 1.0, "l": 2.0, "m": 3.0}
    frame = cells({(name, "t"): [value] * 4 for name, value in delays.items()})
    frame = frame.with_columns(
        channel=pl.when(pl.col("method") >= "k").then(pl.lit("inputs")).otherwise(pl.lit("errors")),
        retrain_cost=pl.lit(0.2),
    ).with_columns(
        pl.when(pl.col("channel") == "errors")
        .then(-pl.col("restricted_delay"))
        .otherwise(pl.col("restricted_delay"))
        .alias("return")
    )
    found = {row["reads"]: row for row in delay_and_worth(frame).to_dicts()}
    assert found["errors"]["tau"] == -1.0 and found["inputs"]["tau"] == 1.0
    assert all(row["methods"] == 3 and row["tau_n"] == 4 for row in found.values())
    assert not len(delay_and_worth(frame.filter(pl.col("method") < "c")))
    assert all("3 methods" in row["tau_soonest_half_reason"] for row in found.values())


def test_a_slow_tail_does_not_hide_that_delay_tells_nothing() -> None:
    """Among six that are soon the order by worth is the opposite, and six slow ones make the correlation."""
    delays = {name: float(k if k < 6 else 100 + k) for k, name in enumerate("abcdefghijkl")}
    frame = cells({(name, "t"): [value] * 4 for name, value in delays.items()}).with_columns(
        channel=pl.lit("errors"),
        retrain_cost=pl.lit(0.2),
        **{
            "return": pl.when(pl.col("restricted_delay") < 6)
            .then(pl.col("restricted_delay"))
            .otherwise(-pl.col("restricted_delay"))
        },
    )
    (row,) = delay_and_worth(frame).to_dicts()
    assert row["tau"] < 0.0 and row["tau_soonest_half"] == pytest.approx(1.0)


def test_two_detectors_are_compared_over_what_the_leaderboard_pools(report: Any) -> None:
    _, frame, *_ = report
    board = leaderboard(frame)
    scores = dict(board.select("method", "restricted_delay").iter_rows())
    named = [name for name, value in scores.items() if value == value]
    assert len(named) >= 2
    for a, b in itertools.pairwise(named):
        row = compare(frame, a, b).row(-1, named=True)
        assert row["tasks"] == len(pooled_tasks(completed(frame)))
        assert row["difference"] == pytest.approx(scores[a] - scores[b], rel=1e-12)
    # without one of its tasks a method has no mean, so it has no difference either, for the same reason
    left = frame.filter(~((pl.col("method") == named[0]) & (pl.col("task") == pooled_tasks(frame)[0])))
    left = pl.concat([left, frame.filter(pl.col("method") == named[0]).with_columns(status=pl.lit("failed"))])
    row = compare(left, named[0], named[1]).row(-1, named=True)
    own = leaderboard(left).filter(method=named[0])["restricted_delay_reason"][0]
    assert row["difference"] != row["difference"] and row["difference_reason"] == own
