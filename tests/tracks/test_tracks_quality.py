"""The quality track: stages, controls, worth, one by one to the bit."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from mlopsim.core.errors import ConfigError
from mlopsim.core.track import Cell, Outcome
from mlopsim.tracks.quality import analysis
from mlopsim.tracks.quality.run import open_scenario, run_cells
from mlopsim.tracks.quality.track import QualityTrack

CONTROLS = ("none", "random", "oracle")

BASE = {
    "synthetic": {
        "windows": 24,
        "rows": 60,
        "warmup": 8,
        "bayes": False,
        "schedule": "none",
        "groups": [0.7, 0.3],
        "concept": {"linear_gaussian": {"variants": 1, "d": 4}},
    }
}


def corrupted(injector: Any, rate: float = 0.3, **more: Any) -> dict[str, Any]:
    return {
        "corrupted": {
            "base": BASE,
            "injector": injector,
            "rate": rate,
            "timing": {"step": {"at": 12}},
            **more,
        }
    }


UNIT = {"unit_scale": {"features": ["x0", "x1"]}}
TASKS: list[dict[str, Any]] = [
    {"name": "unit", "stream": corrupted(UNIT)},
    {"name": "flips", "stream": corrupted("targeted_flip")},
    {"name": "nothing", "stream": corrupted("missing", rate=0.0)},
    {"name": "all", "stream": corrupted("label_noise", rate=0.5, timing={"step": {"at": 8}})},
]
METHODS: list[Any] = [
    "zscore",
    {"zscore": {"action": "impute"}},
    "ks_batch",
    "confident",
    {"confident": {"action": "weight"}},
    "accuracy_drop",
    "repeated",
]
STAGES = ["preprocess", "train", "test", "all"]


def made(
    track: QualityTrack, tasks: list[dict[str, Any]] = TASKS, seeds: tuple[int, ...] = (0, 1)
) -> list[Cell]:
    return [
        Cell(track="quality/1", task=t, method=m, seed=s)
        for t in track.tasks(tasks)
        for s in seeds
        for m in track.methods(METHODS)
    ]


def same(one: Outcome, other: Outcome) -> bool:
    return (
        np.array_equal(list(one.metrics.values()), list(other.metrics.values()), equal_nan=True)
        and one.reasons == other.reasons
        and all(np.array_equal(one.curves[k], other.curves[k], equal_nan=True) for k in one.curves)
    )


@pytest.fixture(scope="module")
def ran() -> dict[tuple[str, str, int], Outcome]:
    track = QualityTrack(stages=STAGES)
    cells = made(track)
    return {
        (c.task.name, c.method.name, c.seed): outcome
        for c, outcome in zip(cells, track.run(cells, {}), strict=True)
    }


def test_methods_stand_at_the_stages_that_they_can() -> None:
    names = [m.name for m in QualityTrack(stages=STAGES).methods(METHODS)]
    assert names == [
        "zscore",
        "zscore @test",
        "zscore @all",
        "zscore(action=impute)",
        "zscore(action=impute) @all",
        "ks_batch",
        "ks_batch @all",
        "confident @train",
        "confident(action=weight) @train",
        "accuracy_drop @test",
        "repeated",
        "repeated @all",
        "clean",
        *CONTROLS,
    ]
    only = QualityTrack(stages=["preprocess", "train"]).methods(["zscore", "confident", "accuracy_drop"])
    assert [m.name for m in only] == ["zscore", "confident @train", "clean", *CONTROLS]


def test_attributes_say_what_methods_and_tasks_are() -> None:
    track = QualityTrack(stages=STAGES)
    found = {m.name: m.attributes for m in track.methods(METHODS)}
    names = ("family", "role", "stage", "level", "action", "needs", "known")
    assert {name: tuple(found[name][key] for key in names) for name in found} == {
        "zscore": ("outlier detector", "method", "entry", "cell", "drop", "none", "nothing"),
        "zscore @test": ("outlier detector", "method", "release", "cell", "hold", "none", "nothing"),
        # label checks and a release test stand beside it
        "zscore @all": ("outlier detector", "method", "all", "cell", "drop", "labels", "nothing"),
        "zscore(action=impute)": ("outlier detector", "method", "entry", "cell", "impute", "none", "nothing"),
        "zscore(action=impute) @all": (
            *("outlier detector", "method", "all", "cell", "impute", "labels", "nothing"),
        ),
        "ks_batch": ("batch test", "method", "entry", "batch", "hold", "none", "nothing"),
        "ks_batch @all": ("batch test", "method", "all", "batch", "hold", "labels", "nothing"),
        "confident @train": ("label check", "method", "training", "row", "drop", "labels", "nothing"),
        "confident(action=weight) @train": (
            *("label check", "method", "training", "row", "weight", "labels", "nothing"),
        ),
        "accuracy_drop @test": ("release test", "method", "release", "batch", "hold", "labels", "nothing"),
        "repeated": ("duplicate check", "method", "entry", "row", "drop", "labels", "nothing"),
        "repeated @all": ("duplicate check", "method", "all", "row", "drop", "labels", "nothing"),
        "clean": ("reference", "control", None, None, None, "none", "the truth"),
        "none": ("reference", "control", "entry", "row", None, "none", "nothing"),
        "random": ("reference", "control", "entry", "row", "drop", "none", "nothing"),
        "oracle": ("reference", "control", "entry", "row", "drop", "none", "the truth"),
    }
    assert dict(track.tasks(TASKS)[1].attributes) == {
        "stream": "corrupted",
        "real": False,
        "base": "synthetic",
        "scenario": "targeted_flip",
        "mechanism": "random",
        "timing": "step",
        "strength": 0.3,
        "learner": "ridge",
    }


def test_rows_that_were_given_are_real() -> None:
    given = {"corrupted": {"base": {"bundled": {"dataset": "iris", "rows": 10, "warmup": 3}}}}
    (task,) = QualityTrack().tasks([{"stream": given}])
    assert task.attributes["real"] is True


def test_cells_in_any_company_are_the_same(ran: Any) -> None:
    track = QualityTrack(stages=STAGES)
    for cell in made(track)[::-7]:
        alone = track.run([cell], {})[0]
        assert same(alone, ran[cell.task.name, cell.method.name, cell.seed]), cell.method.name


def test_without_errors_none_and_oracle_are_clean(ran: Any) -> None:
    for seed in (0, 1):
        clean = ran["nothing", "clean", seed].metrics["score"]
        for name in ("none", "oracle"):
            outcome = ran["nothing", name, seed]
            assert outcome.metrics["score"] == clean
            assert math.isnan(outcome.metrics["recall"])
            assert outcome.reasons["recall"] == "nothing is wrong in this task"
            assert outcome.reasons["cell_auroc"].startswith("it tells no cells apart")
        assert ran["nothing", "none", seed].metrics["dropped"] == 0.0


def test_the_oracle_knows_all(ran: Any) -> None:
    # with the concept of seed 0 no row above the limit has the other label: nothing can be flipped
    for task, seed in (("unit", 0), ("unit", 1), ("flips", 1), ("all", 0), ("all", 1)):
        metrics = ran[task, "oracle", seed].metrics
        assert metrics["recall"] == metrics["auroc"] == metrics["auprc"] == 1.0
        assert metrics["false_alarm"] == metrics["dropped_clean"] == 0.0
        assert metrics["batch_delay"] == 0.0


def test_worth_is_between_none_and_clean(ran: Any) -> None:
    mean = {
        name: np.mean([ran["unit", name, seed].metrics["score"] for seed in (0, 1)])
        for name in ("clean", "none", "oracle", "zscore", "random")
    }
    assert mean["none"] < mean["clean"] - 0.02
    assert mean["zscore"] > mean["none"] + 0.5 * (mean["clean"] - mean["none"])
    assert abs(mean["oracle"] - mean["clean"]) < 0.02
    assert abs(mean["random"] - mean["none"]) < 0.03


def test_random_flags_say_nothing(ran: Any) -> None:
    areas = [ran["unit", "random", seed].metrics["auroc"] for seed in (0, 1)]
    assert np.mean(areas) == pytest.approx(0.5, abs=0.1)
    assert all(ran["unit", "none", seed].metrics["constant"] == 1.0 for seed in (0, 1))
    assert all(ran["unit", "none", seed].metrics["auroc"] == 0.5 for seed in (0, 1))


def test_imputing_and_weighting_drop_nothing(ran: Any) -> None:
    for name in ("zscore(action=impute)", "confident(action=weight) @train", "accuracy_drop @test"):
        assert ran["unit", name, 0].metrics["dropped"] == 0.0
    assert ran["unit", "zscore", 0].metrics["dropped"] > 0.1
    for name in ("zscore", "zscore(action=impute)"):
        assert ran["unit", name, 0].metrics["auroc"] == ran["unit", "zscore", 0].metrics["auroc"]


def test_curves_add_up_to_the_metrics(ran: Any) -> None:
    outcome = ran["unit", "zscore", 0]
    late = np.arange(24) >= 8
    assert np.isnan(outcome.curves["accuracy"][~late]).all() and (outcome.curves["served"][late] >= 7).all()
    assert outcome.metrics["score"] == pytest.approx(outcome.curves["accuracy"][late].mean())
    assert outcome.metrics["score_worst_group"] == outcome.curves["group_accuracy"].min()
    gap = np.ptp(outcome.curves["group_dropped"])
    assert outcome.metrics["dropped_gap"] == pytest.approx(gap)


def test_served_versions_are_trained_before_they_serve(ran: Any) -> None:
    cell = made(QualityTrack(stages=STAGES))[0]
    deployment = open_scenario(cell).deployment
    served = ran["unit", "none", 0].curves["served"]
    windows = np.arange(24)[8:]
    newest = windows - 1 - deployment.label_delay - deployment.latency
    assert (served[8:] <= np.maximum(newest, 7)).all()


def test_blocked_versions_are_counted(ran: Any) -> None:
    for seed in (0, 1):
        metrics = ran["unit", "zscore @test", seed].metrics
        assert 0 < metrics["blocked"] <= metrics["retrains"]
        assert 0 <= metrics["blocked_wrongly"] <= metrics["blocked"]
        assert ran["nothing", "none", seed].metrics["blocked"] == 0.0


def test_gates_share_their_scores_over_stages() -> None:
    track = QualityTrack(stages=STAGES)
    cells = [c for c in made(track, TASKS[:1], (0,)) if c.method.name.startswith("zscore")]
    scenario = open_scenario(cells[0])
    first = scenario.flags(cells[0].method.part["gate"])
    assert all(scenario.flags(c.method.part["gate"]) is first for c in cells)
    assert len(run_cells(cells)) == len(cells)


@pytest.mark.parametrize(
    ("task", "message"),
    [
        ({"stream": BASE}, "has no clean rows"),
        ({"stream": corrupted("missing", rate=1.5)}, "rate"),
        ({"stram": "x"}, "did you mean 'stream'"),
        ("x", "mapping"),
    ],
)
def test_wrong_tasks_are_refused(task: Any, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        QualityTrack().tasks([task])


def test_wrong_methods_are_refused() -> None:
    with pytest.raises(ConfigError, match="listed twice"):
        QualityTrack().methods(["zscore", "zscore"])
    with pytest.raises(ConfigError, match="did you mean 'preprocess'"):
        QualityTrack(stages=["preproces"])
    with pytest.raises(ConfigError, match="not possible"):
        QualityTrack().methods([{"ks_batch": {"action": "impute"}}])


def test_gates_that_cannot_work_are_refused_before_work_starts() -> None:
    track = QualityTrack()
    tasks = [
        {
            "name": "knn",
            "stream": corrupted(UNIT),
            "learner": {"sklearn": {"path": "sklearn.neighbors.KNeighborsClassifier"}},
        }
    ]
    cells = [
        Cell(track="quality/1", task=t, method=m, seed=0)
        for t in track.tasks(tasks)
        for m in track.methods(["influence"])
    ]
    with pytest.raises(ConfigError, match="ridge"):
        track.fits(cells)


@pytest.mark.parametrize("own", [{"none": {"alpha": 0.1}}, {"oracle": {"action": "drop"}}])
def test_the_ends_of_the_scale_are_listed_by_their_names_whatever_else_is(own: Any) -> None:
    found = [method.name for method in QualityTrack().methods(["knn", own])]
    assert {analysis.BASE, analysis.TOP, analysis.ORACLE} <= set(found) and len(found) == len(set(found)) == 7
    plain = {name: {} for name in own}
    assert len(QualityTrack().methods(["knn", plain])) == 6
