"""Changes with a known truth in given rows."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mlopsim import make
from mlopsim.core.digest import digest, digest_arrays
from mlopsim.core.errors import ConfigError, DataError, MlopsimError
from mlopsim.core.spec import canonical
from mlopsim.drift.scenario import Place
from mlopsim.drift.sources.model import Model
from mlopsim.streams.stream import DriftKind, Stream
from mlopsim.tracks.drift.track import DriftTrack

SEED = np.random.SeedSequence(3)
CHANGES: dict[str, Any] = {
    "permuted_features": DriftKind.CONCEPT,
    "swapped_labels": DriftKind.CONCEPT,
    "prior": DriftKind.PRIOR,
    "filtered_region": DriftKind.COVARIATE,
}


@pytest.fixture
def file(tmp_path: Path) -> dict[str, Any]:
    rng = np.random.default_rng(0)
    lines = ["a,b,kind,label"]
    for _ in range(3000):
        a, b = rng.normal(size=2)
        kind = "xyz"[int(rng.integers(3))]
        label = "yes" if a + 0.3 * rng.normal() > 0.5 else "no"
        shown = "" if rng.random() < 0.05 else f"{5 * b + 20:.4f}"
        lines.append(f"{a:.4f},{shown},{kind},{label}")
    path = tmp_path / "rows.csv"
    path.write_text("\n".join(lines))
    return {"file": {"path": str(path), "rows": 100, "warmup": 10}}


def drawn(
    base: Any, change: Any, seed: np.random.SeedSequence = SEED, **params: Any
) -> tuple[Stream, Stream]:
    """The base and the stream with the change."""
    injected = make("stream", "injected", base=base, change=change, **{"at": 20, **params})
    return make("stream", base).generate(seed), injected.generate(seed)


@pytest.mark.parametrize("change", CHANGES)
def test_rows_before_the_change_are_those_of_the_base(file: dict[str, Any], change: str) -> None:
    before, after = drawn(file, change)
    for name in ("X", "y", "g"):
        np.testing.assert_array_equal(getattr(before, name)[:2000], getattr(after, name)[:2000])
    assert not np.array_equal(before.X[2000:], after.X[2000:], equal_nan=True) or change == "swapped_labels"
    assert after.events is not None and len(after.events) == 1
    event = after.events[0]
    assert (event.kind, event.start, event.end) == (CHANGES[change], 2000, 2000)
    assert np.isfinite(event.magnitude) and event.detail
    assert (after.features, after.classes, after.categories) == (
        before.features,
        before.classes,
        before.categories,
    )


def test_swapped_labels_are_swapped_and_nothing_else(file: dict[str, Any]) -> None:
    before, after = drawn(file, "swapped_labels")
    np.testing.assert_array_equal(after.y[2000:], 1 - before.y[2000:])
    np.testing.assert_array_equal(after.X, before.X)
    _, some = drawn(file, {"swapped_labels": {"share": 0.3}})
    changed = int((some.y[2000:] != before.y[2000:]).sum())
    assert abs(changed - 300) < 4 * np.sqrt(1000 * 0.3 * 0.7)


def test_features_change_places_at_the_scale_of_their_column(file: dict[str, Any]) -> None:
    before, after = drawn(file, "permuted_features")
    mean, spread = np.nanmean(before.X[:1000], axis=0), np.nanstd(before.X[:1000], axis=0)
    scaled = (before.X[2000:, 1] - mean[1]) / spread[1] * spread[0] + mean[0]
    # the file has four decimals
    np.testing.assert_array_equal(after.X[2000:, 0], np.round(scaled, 4))
    np.testing.assert_array_equal(after.X[:, 2], before.X[:, 2])
    _, plain = drawn(file, {"permuted_features": {"keep_scale": False}})
    np.testing.assert_array_equal(plain.X[2000:, 0], before.X[2000:, 1])


def test_a_gradual_change_has_come_as_far_as_its_ramp_says(file: dict[str, Any]) -> None:
    before, after = drawn(file, "swapped_labels", width=10)
    swapped = after.y != before.y
    assert after.events is not None and (after.events[0].start, after.events[0].end) == (2000, 3000)
    assert not swapped[:2000].any()
    for start in (2000, 2500):
        chance = (np.arange(start, start + 500) - 2000 + 1) / 1001
        error = np.sqrt((chance * (1 - chance)).sum())
        assert abs(swapped[start : start + 500].sum() - chance.sum()) < 4 * error
    # beyond the end of the stream there is no arrival
    _, late = drawn(file, "swapped_labels", at=25, width=50)
    assert late.events is not None and late.events[0].end == 3000


@pytest.mark.parametrize("odds", [0.25, 4.0])
def test_the_odds_of_a_class_are_multiplied(file: dict[str, Any], odds: float) -> None:
    before, after = drawn(file, {"prior": {"odds": odds, "label": "no"}})
    rate = np.mean(before.y[2000:].reshape(10, 100) == 0, axis=1)
    wanted = odds * rate / (odds * rate + 1 - rate)
    error = np.sqrt((wanted * (1 - wanted) * 100).sum()) / 1000
    assert abs(np.mean(after.y[2000:] == 0) - wanted.mean()) < 4 * error
    # rows come from their own window
    for t in range(20, 30):
        rows = {tuple(row) for row in np.nan_to_num(before.X[100 * t : 100 * t + 100])}
        assert {tuple(row) for row in np.nan_to_num(after.X[100 * t : 100 * t + 100])} <= rows


@pytest.mark.parametrize("above", [False, True])
def test_only_the_region_still_arrives(file: dict[str, Any], above: bool) -> None:
    before, after = drawn(file, {"filtered_region": {"feature": "b", "quantile": 0.3, "above": above}})
    cut = np.nanquantile(before.X[:1000, 1], 0.3)
    shown = after.X[2000:, 1][~np.isnan(after.X[2000:, 1])]
    assert (shown > cut).all() if above else (shown <= cut).all()
    assert np.isnan(after.X[2000:, 1]).any()
    assert after.events is not None
    assert after.events[0].magnitude == pytest.approx(0.3 if above else 0.7, abs=0.06)


def test_the_seed_decides_everything(file: dict[str, Any]) -> None:
    for change in CHANGES:
        one, again = drawn(file, change)[1], drawn(file, change)[1]
        other = drawn(file, change, np.random.SeedSequence(4), width=5)[1]
        assert digest_arrays({"X": one.X, "y": one.y}) == digest_arrays({"X": again.X, "y": again.y})
        assert digest_arrays({"X": one.X, "y": one.y}) != digest_arrays({"X": other.X, "y": other.y})
    seed = np.random.SeedSequence(5)
    drawn(file, "prior", seed)
    assert seed.n_children_spawned == 0


@pytest.mark.parametrize(
    ("base", "change", "params", "message"),
    [
        ("synthetic", "prior", {}, "changes given rows"),
        ("bundled", "prior", {"at": 3}, "begins in window 3"),
        ("bundled", "prior", {"at": 500}, "begins in window 500"),
        ("bundled", "prior", {"width": -1}, "injected.width"),
        ("bundled", {"prior": {"odds": 0.0}}, {}, "prior.odds"),
        ("bundled", {"prior": {"label": "beningn"}}, {}, "did you mean 'benign'"),
        ("bundled", {"filtered_region": {"feature": "mean radios"}}, {}, "did you mean 'mean radius'"),
        ("bundled", {"filtered_region": {"quantile": 0.0}}, {}, "has no row"),
        ("bundled", {"permuted_features": {"count": 1}}, {}, "count"),
        ("bundled", {"permuted_features": {"count": 99}}, {}, "cannot change places"),
        ("bundled", {"swapped_labels": {"share": 0.0}}, {}, "share"),
        ("bundled", "swaped_labels", {}, "did you mean 'swapped_labels'"),
    ],
)
def test_bad_input_is_one_clear_error(base: Any, change: Any, params: dict[str, Any], message: str) -> None:
    with pytest.raises((ConfigError, DataError), match=message) as error:
        make("stream", "injected", base=base, change=change, **{"at": 30, **params}).generate(SEED)
    assert isinstance(error.value, MlopsimError)


def test_the_content_of_a_file_enters_keys_and_its_place_does_not(
    file: dict[str, Any], tmp_path: Path
) -> None:
    first = canonical("stream", {"injected": {"base": file}})
    moved = tmp_path / "moved.csv"
    path = Path(file["file"]["path"])
    moved.write_bytes(path.read_bytes())
    again = canonical("stream", {"injected": {"base": {"file": {**file["file"], "path": str(moved)}}}})
    assert digest(first) == digest(again)
    path.write_text(path.read_text() + "\n1.0,2.0,x,no")
    assert digest(canonical("stream", {"injected": {"base": file}})) != digest(first)


def test_a_detector_sees_the_swap_and_tasks_share_their_drift_free_law(file: dict[str, Any]) -> None:
    learner = canonical("learner", "ridge")
    parts = [
        canonical("stream", {"injected": {"base": file, "change": change, "at": 20}}) for change in CHANGES
    ]
    laws = [Model().null(part, learner, "errors", 1000) for part in parts]
    assert all(law == laws[0] for law in laws)
    assert laws[0]["stream"] == canonical("stream", file)
    swapped = parts[list(CHANGES).index("swapped_labels")]
    scenario = Model().scenario(Place(stream=swapped, learner=learner), "errors")
    assert scenario.harmful == ((1000, 1000),) and scenario.risk_change > 0.5
    quiet = Model().quiet(Place(stream=laws[0]["stream"], learner=learner, split="train"), "errors", 1000)
    assert abs(quiet.signal.data.mean() - scenario.channel.signal.data[:1000].mean()) < 0.1
    assert make("detector", "cusum").alarms(scenario.channel.signal)[-1] >= 1000


def test_a_drift_task_on_a_file_with_a_change(file: dict[str, Any]) -> None:
    calibration = {"arl0": 2000, "horizon": 1000, "runs": 50, "checks": 50, "curve": []}
    track = DriftTrack(calibration={**calibration, "rate_rows": 2000, "rate_runs": 20})
    tasks = track.tasks([{"stream": {"injected": {"base": file, "change": "swapped_labels", "at": 20}}}])
    from mlopsim.core.track import Cell

    cells, jobs = track.fits(
        [Cell(track="drift/1", task=tasks[0], method=m, seed=0) for m in track.methods(["adwin", "ks"])]
    )
    outcomes = track.run(cells, {job.key: track.fit(job, {}) for job in jobs})
    adwin = outcomes[0].metrics
    assert adwin["recall"] == 1.0 and adwin["delay"] < 300
    assert "change" in outcomes[0].reasons.get("harmless_alarmed", "no change")


#: digest of the labels, sum of the inputs after the change
GOLDEN: dict[str, tuple[str, float]] = {
    "permuted_features": ("1d08d350b5698b4b8348c015", 44261.402102),
    "swapped_labels": ("b7002e067c6c056eae35d666", 44272.835999999996),
    "prior": ("8400a21f7d38b69b6a73e339", 41541.36),
    "filtered_region": ("a9d1b0083c335c3ea1d5e44d", 39031.755999999994),
}


@pytest.mark.parametrize("change", CHANGES)
def test_golden_numbers(change: str) -> None:
    _, stream = drawn({"bundled": {"dataset": "wine"}}, change, at=12, width=2)
    assert make("change", change).version == ("2" if change == "permuted_features" else "1")
    assert (digest_arrays({"y": stream.y}), float(stream.X[120:].sum())) == (
        GOLDEN[change][0],
        pytest.approx(GOLDEN[change][1], rel=1e-9),
    )


def test_a_prior_change_of_nothing_is_refused() -> None:
    with pytest.raises(ConfigError, match="odds of 1 changes no law"):
        make("change", "prior", odds=1.0)


def test_drift_free_signals_of_given_rows_come_from_many_warm_ups(file: dict[str, Any]) -> None:
    shuffled = {"file": {**file["file"], "shuffle": True}}
    place = {"stream": canonical("stream", shuffled), "learner": canonical("learner", "ridge")}
    source = Model(window=20)
    signals = {
        (split, index): source.quiet(Place(**place, split=split, index=index), "inputs", 400).signal.data
        for split in ("train", "validation")
        for index in (0, 1, 20)
    }
    rows = {key: {row.tobytes() for row in data.reshape(-1, data.shape[-1])} for key, data in signals.items()}
    # other scenarios have other warm-ups, number 20 that of number 0 again
    assert rows["train", 0] != rows["train", 1]
    assert rows["train", 0] != rows["validation", 0]
    again = rows["train", 0] & rows["train", 20]
    assert len(again) > len(rows["train", 0] & rows["train", 1])
