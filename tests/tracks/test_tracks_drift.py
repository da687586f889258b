"""The drift track: calibration as fits, equal false alarms, reasons, worth, one by one to the bit."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mlopsim.bench.grid import ordered
from mlopsim.core.errors import ConfigError
from mlopsim.core.track import Cell, FitResult
from mlopsim.tracks.drift.controls import with_controls
from mlopsim.tracks.drift.track import DriftTrack

SEA = {
    "synthetic": {
        "windows": 30,
        "concept": "sea",
        "bayes": False,
        "schedule": {"abrupt": {"order": [0, 3], "limit": 1, "duration": {"fixed": {"mean": 10}}}},
    }
}
TASKS: list[dict[str, Any]] = [
    {"name": "model", "stream": SEA, "deployment": "standard"},
    {"name": "delayed", "stream": SEA, "signal": {"model": {"delay": 200}}},
    {"name": "online", "stream": SEA, "signal": {"model": {"update": "online"}}},
    {"name": "outputs", "stream": SEA, "signal": {"model": {"channels": ["outputs"]}}},
    {"name": "law", "signal": {"iid": {"p": 0.1, "p1": 0.4, "ticks": 2000, "change": 1000}}},
    {"name": "normal", "signal": {"iid": {"law": "normal", "ticks": 2000, "change": 1000}}},
]
METHODS: list[Any] = [
    "cusum",
    {"cusum": {"told": "p0", "side": "up"}},
    {"cusum": {"h": 5.0}},
    "ddm",
    "kswin",
    "bernoulli_cusum",
    {"ks": {"reference": 3}},
]
KS = "ks(reference=3)"
CONTROLS = with_controls([])
LONG = {"rate_rows": 2000, "rate_runs": 40}
SMALL = {"arl0": 2000, "horizon": 1000, "runs": 150, "checks": 150, "curve": [1000, 5000], **LONG}


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Any:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MLOPSIM_CACHE", str(tmp_path_factory.mktemp("worlds")))
        track = DriftTrack(calibration=SMALL, tolerance=800, waits=[0, 3, 6], wait_seeds=2)
        cells, fits = made(track)
        outcomes = dict(zip([name_of(c) for c in cells], track.run(cells, fits), strict=True))
        yield track, fits, outcomes


def made(track: DriftTrack) -> tuple[list[Cell], dict[str, FitResult]]:
    tasks, methods = track.tasks(TASKS), track.methods(METHODS)
    cells = [Cell(track="drift/1", task=t, method=m, seed=s) for t in tasks for m in methods for s in (0, 1)]
    cells, jobs = track.fits(cells)
    done: dict[str, FitResult] = {}
    for job in ordered(jobs):
        done[job.key] = track.fit(job, done)
    return cells, done


def calibrations(ran: Any) -> dict[str, FitResult]:
    """The fits without the floors of tasks with known laws."""
    return {key: fit for key, fit in ran[1].items() if "threshold" in fit.arrays}


def name_of(cell: Cell) -> tuple[str, str, int]:
    return cell.task.name, cell.method.name, cell.seed


def test_every_number_that_is_undefined_has_a_reason(ran: Any) -> None:
    track, _, outcomes = ran
    names = {metric.name for metric in track.metrics}
    for place, outcome in outcomes.items():
        assert set(outcome.metrics) == names, place
        for name, value in outcome.metrics.items():
            assert math.isnan(value) == (name in outcome.reasons), (place, name)


def test_what_does_not_fit_says_why(ran: Any) -> None:
    _, _, outcomes = ran
    assert "reads inputs" in outcomes["law", KS, 0].reasons["recall"]
    assert "reads errors" in outcomes["outputs", "ddm", 0].reasons["recall"]
    assert "not known beforehand" in outcomes["model", "bernoulli_cusum", 0].reasons["recall"]
    assert "reads errors" in outcomes["normal", "bernoulli_cusum", 0].reasons["recall"]


def test_calibrated_methods_keep_the_asked_rate_on_fresh_signals(ran: Any) -> None:
    fits = calibrations(ran)
    target = -math.expm1(-0.5)
    seen = 0
    for fit in fits.values():
        place = int(np.argmin(np.abs(fit.arrays["arl0"] - 2000)))
        assert fit.arrays["target"][place] == pytest.approx(target)
        if np.isnan(fit.arrays["share"][place]):
            assert fit.info["reasons"][place]
            continue
        seen += 1
        error = math.sqrt(target * (1 - target) * 2 / 150)
        if fit.arrays["weight"][place] or fit.arrays["threshold"][place] != 5.0:
            assert abs(fit.arrays["share"][place] - target) < 4 * error
    assert seen > 15
    # the limit that was given is checked, not moved: textbook CUSUM alarms much more often than asked
    kept = [f for f in fits.values() if (f.arrays["threshold"] == 5.0).all()]
    assert kept and any((f.arrays["met"] == 0.0).any() for f in kept)


def test_limits_rise_with_the_run_length_that_is_asked(ran: Any) -> None:
    for fit in calibrations(ran).values():
        limits = fit.arrays["threshold"]
        assert (np.diff(limits[np.isfinite(limits)]) >= 0).all()


def test_controls_stand_in_every_table(ran: Any) -> None:
    _, _, outcomes = ran
    for task in ("model", "law", "normal", "online"):
        for control in CONTROLS:
            assert math.isfinite(outcomes[task, control, 0].metrics["false_per_1000"])
        assert outcomes[task, "clairvoyant", 0].metrics["restricted_delay"] <= 1.0
        assert outcomes[task, "never", 0].metrics["recall"] == 0.0
        assert outcomes[task, "always", 0].metrics["precision"] < 0.01
        assert outcomes[task, "always", 0].metrics["false_per_1000"] == 1000.0


def test_delays_count_from_the_row_to_the_arrival(ran: Any) -> None:
    _, _, outcomes = ran
    late, soon = (outcomes[task, "cusum", 0].curves["alarms"] for task in ("delayed", "model"))
    assert len(soon) and late.tolist() == [row + 200 for row in soon.tolist() if row < 1800]
    # who knows the rows does not wait for labels
    for task in ("delayed", "model"):
        assert outcomes[task, "clairvoyant", 0].metrics["delay"] == 0.0
    # a window of inputs is known when its last row is
    alarms = outcomes["model", KS, 0].curves["alarms"]
    assert ((alarms + 1) % 100 == 0).all()


def test_what_is_known_of_a_task_is_no_parameter(ran: Any) -> None:
    track = ran[0]
    for entry in ({"bernoulli_cusum": {"p1": 0.3}}, {"cusum": {"told": "p0", "mean": 0.2, "sd": 0.4}}):
        with pytest.raises(ConfigError, match="is known of the task"):
            track.methods([entry])


def test_methods_say_what_they_are() -> None:
    """Facts of the class and of what was given: none of them is parsed out of a name."""
    entries = [
        "adwin",
        "ddm",
        "ks",
        {"cusum": {"told": "p0"}},
        {"cusum": {"h": 5.0}},
        "bernoulli_cusum",
        "river",
    ]
    found = {method.name: method.attributes for method in DriftTrack().methods(entries)}
    named = ("role", "reads", "needs", "known", "limit")
    assert {name: tuple(facts[key] for key in named) for name, facts in found.items()} == {
        "adwin": ("method", "errors or outputs", "labels for errors", "nothing", "calibrated"),
        "ddm": ("method", "errors", "labels", "nothing", "calibrated"),
        "ks": ("method", "inputs", "none", "nothing", "calibrated"),
        "cusum(told=p0)": ("method", "errors or outputs", "labels for errors", "p0", "calibrated"),
        "cusum(h=5.0)": ("method", "errors or outputs", "labels for errors", "nothing", "given"),
        "bernoulli_cusum": ("method", "errors", "labels", "p0 and p1", "calibrated"),
        "river": ("method", "errors", "labels", "nothing", "none"),
        "never": ("control", "nothing", "none", "nothing", "none"),
        "always": ("control", "nothing", "none", "nothing", "none"),
        "random": ("control", "nothing", "none", "nothing", "calibrated"),
        "periodic": ("control", "nothing", "none", "nothing", "calibrated"),
        "clairvoyant": ("control", "nothing", "none", "the truth", "none"),
    }
    ends = {name: facts["bound"] for name, facts in found.items() if facts.get("bound")}
    assert ends == {"never": "lower", "clairvoyant": "upper"}


def test_tasks_say_what_they_are() -> None:
    found = {task.name: task.attributes for task in DriftTrack().tasks(TASKS)}
    assert found["online"] == {
        "signal": "model",
        "scenario": "abrupt",
        "stream": "synthetic",
        "learner": "ridge",
        "real": False,
        "deployment": None,
        "label_delay": 0,
        "update": "online",
    }
    assert found["delayed"]["label_delay"] == 200 and found["model"]["deployment"] == "standard"
    assert found["law"] == {
        "signal": "iid",
        "scenario": "iid",
        "stream": None,
        "learner": None,
        "real": False,
        "deployment": None,
    }


def test_attributes_enter_no_key() -> None:
    track = DriftTrack(calibration=SMALL)
    cells = [
        Cell(track="drift/1", task=t, method=m, seed=0)
        for t in track.tasks(TASKS)
        for m in track.methods(METHODS)
    ]
    bare = [
        replace(c, task=replace(c.task, attributes={}), method=replace(c.method, attributes={}))
        for c in cells
    ]
    (named, jobs), (others, bare_jobs) = track.fits(cells), track.fits(bare)
    assert [cell.key for cell in named] == [cell.key for cell in others]
    assert [job.key for job in jobs] == [job.key for job in bare_jobs]


def test_cells_say_what_they_read_and_whether_what_was_asked_is_met(ran: Any) -> None:
    _, _, outcomes = ran
    read = {place[:2]: outcome.attributes["channel"] for place, outcome in outcomes.items()}
    assert read["model", "cusum"] == read["law", "cusum"] == read["model", "never"] == "errors"
    assert read["outputs", "cusum"] == read["normal", "cusum"] == "outputs"
    assert read["model", KS] == "inputs"
    assert read["law", KS] is None and read["model", "bernoulli_cusum"] is None
    met = {place[:2]: outcome.attributes["met"] for place, outcome in outcomes.items()}
    assert met["law", "never"] is None and met["law", KS] is None
    assert met["law", "cusum"] is True and met["law", "cusum(h=5.0)"] is False
    assert all(isinstance(fit.attributes["exact"], bool) for fit in calibrations(ran).values())


def test_worth_at_each_run_length(ran: Any) -> None:
    _, _, outcomes = ran
    for method in ("cusum", KS, "always", "never", "clairvoyant"):
        outcome = outcomes["model", method, 0]
        returns = outcome.curves["by_arl0_return"]
        # the wait is one that was tried, the best of its training scenarios; nobody tries more than others
        waits, tried = outcome.curves["waits"], outcome.curves["wait_return"]
        assert waits.tolist() == [0, 3, 6] and outcome.metrics["wait"] == waits[int(np.argmax(tried))]
        assert outcome.metrics["return_best"] in returns and outcome.metrics["arl0_best"] in (
            1000,
            2000,
            5000,
        )
        assert returns.shape == outcome.curves["by_arl0_arl0"].shape == (3,)
        main = outcome.curves["by_arl0_arl0"].tolist().index(2000.0)
        assert returns[main] == outcome.metrics["return"]


def test_alarms_before_anything_changes(ran: Any) -> None:
    _, _, outcomes = ran
    assert outcomes["model", "always", 0].metrics["alarm_before"] == 1.0
    assert outcomes["model", "never", 0].metrics["alarm_before"] == 0.0
    assert outcomes["law", "never", 0].metrics["rows_before"] == 1000.0


def test_worth_is_bounded_by_the_oracle(ran: Any) -> None:
    _, _, outcomes = ran
    for seed in (0, 1):
        upper, lower = (outcomes["model", "clairvoyant", seed].metrics[end] for end in ("upper", "lower"))
        assert outcomes["model", "never", seed].metrics["return"] - 1e-12 <= lower <= upper + 1e-12
        for method in ("cusum", KS, "never", "always", "clairvoyant"):
            outcome = outcomes["model", method, seed]
            for name in ("return", "return_best"):
                assert outcome.metrics[name] <= upper + 1e-12, (method, outcome.reasons)
        assert outcomes["model", "never", seed].metrics["retrains"] == 0.0
        assert outcomes["model", "always", seed].metrics["retrains"] > 1.0
    assert "no deployment" in outcomes["law", "cusum", 0].reasons["return"]
    assert "clairvoyant" in outcomes["model", "cusum", 0].reasons["lower"]


def test_cells_alone_and_together_are_one_to_the_bit(ran: Any) -> None:
    track, fits, outcomes = ran
    cells, _ = track.fits(
        [
            Cell(track="drift/1", task=t, method=m, seed=1)
            for t in track.tasks(TASKS)
            for m in track.methods(METHODS)
        ]
    )
    for cell in cells[::-1]:
        alone = track.run([cell], fits)[0]
        together = outcomes[name_of(cell)]
        np.testing.assert_equal(alone.metrics, together.metrics)
        assert alone.attributes == together.attributes
        np.testing.assert_equal(alone.curves, together.curves)


def test_tasks_of_one_law_share_their_calibrations() -> None:
    track = DriftTrack(calibration=SMALL)
    other = {"synthetic": {**SEA["synthetic"], "schedule": {"gradual": {"order": [0, 1], "limit": 1}}}}
    tasks = track.tasks([{"stream": SEA}, {"stream": other}, {"stream": SEA, "learner": "naive_bayes"}])
    method = track.methods(["cusum"])[0]
    cells, jobs = track.fits([Cell(track="drift/1", task=t, method=method, seed=0) for t in tasks])
    assert cells[0].fit == cells[1].fit != cells[2].fit
    assert len(jobs) == 2


def test_charts_with_known_parameters_get_exact_limits() -> None:
    track = DriftTrack(calibration={**SMALL, "checks": 6000})
    signals = [{"iid": {"law": "normal"}}, {"iid": {"p": 0.1, "p1": 0.2}}]
    tasks = track.tasks([{"signal": signal} for signal in signals])
    entries = [{"cusum": {"told": "p0", "side": "up"}}, "shiryaev_roberts", "bernoulli_cusum", "adwin"]
    methods = [m for m in track.methods(entries) if m.part["detector"]["name"] not in CONTROLS]
    cells, jobs = track.fits(
        [Cell(track="drift/1", task=t, method=m, seed=0) for t in tasks for m in methods]
    )
    fits = {job.key: track.fit(job, {}) for job in jobs}
    exact = set()
    for cell in cells:
        if cell.fit is None:
            continue
        found = fits[cell.fit]
        if found.attributes["exact"]:
            exact.add(cell.method.name)
            # nothing of the signals entered the limits, all of them check it
            assert (found.arrays["met"] == 1.0).all()
        else:
            assert cell.method.name == "adwin" or cell.task.name != tasks[0].name
    assert exact == {"cusum(told=p0, side=up)", "shiryaev_roberts", "bernoulli_cusum"}


def test_what_a_channel_does_not_depend_on_makes_no_law_of_its_own() -> None:
    track = DriftTrack(calibration=SMALL)
    tasks = track.tasks(
        [
            {"stream": SEA},
            {"stream": SEA, "learner": "naive_bayes"},
            {"stream": SEA, "signal": {"model": {"delay": 100}}},
            {"stream": SEA, "signal": {"model": {"update": "online"}}},
            {"stream": SEA, "signal": {"model": {"window": 50}}},
        ],
    )

    def laws(method: str) -> list[str | None]:
        chosen = track.methods([method])[0]
        cells, _ = track.fits([Cell(track="drift/1", task=t, method=chosen, seed=0) for t in tasks])
        return [cell.fit for cell in cells]

    ks, cusum = laws("ks"), laws("cusum")
    assert len(set(ks[:4])) == 1 and ks[4] != ks[0]
    assert len(set(cusum[:4])) == 4 and cusum[4] == cusum[0]


def test_calibrations_made_together_equal_those_made_alone() -> None:
    track = DriftTrack(calibration={**SMALL, "runs": 40, "checks": 30})
    tasks = track.tasks([{"stream": SEA}])
    for names in (["cusum", "hddm_a", "kswin", {"ddm": {"level": 3.0}}], ["ks", "half_space_trees"]):
        methods = [m for m in track.methods(names) if m.part["detector"]["name"] not in CONTROLS]
        _, jobs = track.fits([Cell(track="drift/1", task=tasks[0], method=m, seed=0) for m in methods])
        assert len(jobs) == len(names) and len({track.fit_bundle(job) for job in jobs}) == 1
        for job, made in zip(jobs, track.fit_many(jobs, {}), strict=True):
            alone = track.fit(job, {})
            assert alone.info == made.info
            np.testing.assert_equal(alone.arrays, made.arrays)


def test_real_streams_bootstrap_their_warm_up(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    rows = ["x,label"]
    for i in range(3000):
        x = rng.normal()
        flip = rng.random() < (0.1 if i < 2000 else 0.4)
        rows.append(f"{x:.4f},{int((x > 0) != flip)}")
    path = tmp_path / "own.csv"
    path.write_text("\n".join(rows))
    track = DriftTrack(calibration={**SMALL, "runs": 60, "checks": 60})
    stream = {"file": {"path": str(path), "label": "label", "rows": 100, "warmup": 10}}
    tasks = track.tasks([{"stream": stream}])
    cells, jobs = track.fits(
        [Cell(track="drift/1", task=tasks[0], method=track.methods(["cusum"])[0], seed=0)]
    )
    fits = {job.key: track.fit(job, {}) for job in jobs}
    outcome = track.run(cells, fits)[0]
    assert "no change to find" in outcome.reasons["recall"]
    assert outcome.curves["alarms"].max() > 1000
    assert outcome.metrics["share"] > 0.0


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"arl": 5}, "did you mean 'arl0'"),
        ({"arl0": "many"}, "must be a number"),
        ({"runs": 0}, "runs"),
        ({"curve": 3}, "must be a list"),
    ],
)
def test_wrong_settings_name_the_key(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        DriftTrack(calibration=settings)


def test_every_wait_is_tuned_with_the_same_budget(ran: Any) -> None:
    """Controls and the clairvoyant, too; the shortest of equals; what the calibration found is kept."""
    found = [fit for fit in ran[1].values() if "wait" in fit.arrays]
    steps = {fit.info["wait_steps"] for fit in found if np.isfinite(fit.arrays["wait"]).all()}
    assert len(found) > 8 and len(steps) == 1
    for fit in found:
        for wait, returns in zip(fit.arrays["wait"], fit.arrays["wait_return"], strict=True):
            if np.isfinite(returns).all():
                assert wait == fit.arrays["waits"][np.flatnonzero(returns == returns.max())[0]]
        if fit.attributes["limits"] is not None:
            base = ran[1][fit.attributes["limits"]]
            np.testing.assert_equal(fit.arrays["threshold"], base.arrays["threshold"])
    with pytest.raises(ConfigError, match="different whole numbers"):
        DriftTrack(waits=[1, 1])
    with pytest.raises(ConfigError, match="wait_seeds"):
        DriftTrack(wait_seeds=1)


def test_runs_are_counted_in_rows_whatever_a_tick_is(ran: Any) -> None:
    """Of windows of 100 rows, too: H is 1000 rows, and nothing comes before the first window is over."""
    for fit in calibrations(ran).values():
        known = np.isfinite(fit.arrays["restricted_mean"])
        assert (fit.arrays["restricted_mean"][known] <= 1000.0).all()
        # as many ticks as H has rows, or ten windows
        ticks = fit.arrays["at"][-1]
        assert ticks in (800, 1000) or (ticks == 10 and (fit.arrays["restricted_mean"][known] >= 100.0).all())
        # at H = 1000 rows every alarm within H is early
        np.testing.assert_allclose(fit.arrays["early"][known], fit.arrays["share"][known])
