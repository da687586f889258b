"""Errors in streams: documented effects, schedules, masks, golden numbers, clear refusals."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from mlopsim.checks.clean_rows import clean_stream
from mlopsim.core.errors import ConfigError, DataError
from mlopsim.core.registry import names
from mlopsim.core.spec import make
from mlopsim.streams.injectors.base import Aim, Corrupted
from mlopsim.streams.stream import Stream

N = 200_000


def normal_stream(rho: float = 0.6, n: int = N) -> Stream:
    """Return two windows of n standard normal rows with correlation rho; the second can be corrupted."""
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(2, 2 * n))
    return Stream(
        X=np.column_stack([a, rho * a + np.sqrt(1 - rho**2) * b]),
        y=(a > 0).astype(np.int64),
        g=(rng.random(2 * n) < 0.3).astype(np.int64),
        bounds=np.array([0, n, 2 * n]),
        warmup=1,
        classes=("no", "yes"),
        features=("a", "b"),
        groups=("u", "v"),
    )


def applied(
    stream: Stream, injector: Any, mechanism: Any = "random", rate: float = 0.2, seed: int = 0
) -> Corrupted:
    """Corrupt all windows after the warm-up."""
    share = np.where(np.arange(stream.windows) >= stream.warmup, rate, 0.0)
    aim = Aim(share=share, mechanism=make("mechanism", mechanism), rng=np.random.default_rng(seed))
    found: Corrupted = make("injector", injector).apply(stream, aim)
    return found


def observed(mechanism: Any) -> np.ndarray:
    """Return what is left of the first column where a fifth of it is missing."""
    found = applied(normal_stream(), {"missing": {"features": ["a"]}}, mechanism)
    left = found.X[N:, 0]
    return left[~np.isnan(left)]


# a fifth with the largest values gone: -phi(z) / .8 and 1 - z phi(z) / .8 - mean^2, z the .8 quantile


def test_missing_not_at_random_has_the_moments_of_a_truncated_normal_law() -> None:
    left = observed("own_value")
    assert len(left) == 0.8 * N
    assert left.mean() == pytest.approx(-0.350, abs=0.003)
    assert left.var() == pytest.approx(0.583, abs=0.004)


def test_missing_at_random_moves_the_mean_by_the_correlation() -> None:
    left = observed({"other_column": {"feature": "b"}})
    assert left.mean() == pytest.approx(-0.210, abs=0.005)
    # the correlated column is found without being named
    assert np.array_equal(left, observed("other_column"))


def test_missing_completely_at_random_moves_nothing() -> None:
    left = observed("random")
    assert abs(left.mean()) < 0.01 and left.var() == pytest.approx(1.0, abs=0.015)


@pytest.mark.parametrize("end", ["high", "low"])
def test_either_end_can_be_hit(end: str) -> None:
    left = observed({"own_value": {"end": end}})
    assert np.sign(left.mean()) == (-1.0 if end == "high" else 1.0)


def test_mechanisms_by_label_and_group() -> None:
    stream = normal_stream()
    by_label = applied(stream, "label_noise", {"label": {"value": "yes"}}, rate=0.3)
    assert set(stream.y[by_label.labels].tolist()) == {1}
    by_group = applied(stream, "label_noise", "group", rate=0.5)
    hit = by_group.labels[N:]
    # three tenths are of the group: all of these are hit, and others to make up the rate
    assert hit[stream.g[N:] == 1].all() and hit.mean() == pytest.approx(0.5, abs=1e-5)


def test_outliers_by_kind() -> None:
    stream = normal_stream(rho=0.95)
    hit = {
        name: applied(stream, f"outlier_{name}", rate=0.02) for name in ("global", "cluster", "dependency")
    }
    rows = {name: found.X[found.rows] for name, found in hit.items()}
    # the margins stay, the dependence does not
    assert rows["dependency"].std(axis=0) == pytest.approx([1.0, 1.0], abs=0.05)
    assert abs(np.corrcoef(rows["dependency"].T)[0, 1]) < 0.05
    assert (np.abs(rows["cluster"]).min(axis=1) > 3.0).all()
    assert np.unique(np.sign(rows["cluster"]), axis=0).shape == (1, 2)
    assert np.abs(rows["global"]).max() > 4.0 and abs(np.corrcoef(rows["global"].T)[0, 1]) < 0.05


def test_local_outliers_stay_in_the_range_of_all_columns_where_the_way_leads_out_of_it() -> None:
    # every hit row is measured to every warm-up row: few rows, all of them hit, and so those at the rim
    n = N // 100
    stream = normal_stream(rho=0.95, n=n)
    low, high = stream.X[:n].min(axis=0), stream.X[:n].max(axis=0)
    found = applied(stream, "outlier_local", rate=1.0)
    rows = found.X[n:]
    assert found.rows.sum() == n and ((rows >= low) & (rows <= high)).all()
    assert (np.isclose(rows, low) | np.isclose(rows, high)).any(), "none had to be brought back"


def test_units_sensors_and_columns() -> None:
    stream = normal_stream()
    found = applied(stream, {"unit_scale": {"features": ["b"], "factor": -10.0}})
    assert np.array_equal(found.X[found.rows, 1], -10.0 * stream.X[found.rows, 1])
    found = applied(stream, {"affine": {"features": ["a"], "gain": 2.0, "shift": 3.0}})
    mean, spread = stream.X[:N, 0].mean(), stream.X[:N, 0].std()
    expected = mean + 2.0 * (stream.X[found.rows, 0] - mean) + 3.0 * spread
    assert found.X[found.rows, 0] == pytest.approx(expected)
    found = applied(stream, "swapped_columns")
    assert np.array_equal(found.X[found.rows], stream.X[found.rows][:, ::-1])


def test_a_stuck_sensor_repeats_one_value() -> None:
    stream = clean_stream()
    found = applied(stream, {"stuck_sensor": {"features": ["a"]}}, rate=0.5)
    for t in range(stream.warmup, stream.windows):
        window = slice(stream.bounds[t], stream.bounds[t + 1])
        place = np.flatnonzero(found.rows[window])
        assert len(place) == 30 and np.array_equal(np.diff(place), np.ones(29))
        assert len(np.unique(found.X[window, 0][place])) == 1
        assert found.X[window, 0][place[0]] == stream.X[stream.bounds[t] + place[0] - 1, 0]


def test_flips_where_it_hurts() -> None:
    stream = normal_stream()
    found = applied(stream, "targeted_flip", rate=0.05)
    assert found.labels.sum() == 0.05 * N
    assert (stream.y[found.labels] == 1).all() and (found.y[found.labels] == 0).all()
    assert stream.X[found.labels, 0].min() > 0.99
    everything = applied(stream, "targeted_flip", rate=0.5)
    above = stream.X[N:, 0] > stream.X[:N, 0].mean() + stream.X[:N, 0].std()
    assert everything.labels.sum() == above.sum()


def test_categories() -> None:
    stream = clean_stream()
    unseen = applied(stream, {"unseen_category": {"features": ["d"]}})
    assert unseen.categories == {3: ("k", "l", "m", "n", "unseen")}
    assert (unseen.X[unseen.rows, 3] == 4.0).all()
    merged = applied(stream, {"merged_categories": {"features": ["e"]}}, rate=1.0)
    after = merged.X[stream.bounds[stream.warmup] :, 4]
    assert len(np.unique(after)) == 3
    typo = applied(stream, {"typo": {"features": ["d"]}})
    assert typo.categories[3][-1] == "misspelt"


def test_schemas() -> None:
    stream = clean_stream()
    first = int(stream.bounds[stream.warmup])

    def changed(change: str, features: list[str]) -> Corrupted:
        return applied(stream, {"schema_change": {"change": change, "features": features}}, rate=1.0)

    dropped = changed("dropped", ["d"])
    assert dropped.received[20].names == ("a", "b", "c", "e") and np.isnan(dropped.X[first:, 3]).all()
    retyped = changed("retyped", ["a"])
    assert retyped.received[20].types[0] == "text" and np.isnan(retyped.X[first:, 0]).all()
    reordered = changed("reordered", ["a", "c"])
    assert reordered.received[20].names == ("c", "b", "a", "d", "e")
    assert np.array_equal(reordered.X[first:, 0], stream.X[first:, 2])
    assert changed("renamed", ["b"]).received.keys() == set(range(stream.warmup, stream.windows))


def test_rows_of_the_past() -> None:
    stream = clean_stream()
    late = applied(stream, {"late_rows": {"lag": 3}}, rate=0.5)
    for t in (10, 25):
        window = slice(stream.bounds[t], stream.bounds[t + 1])
        past = stream.X[stream.bounds[t - 3] : stream.bounds[t - 2]]
        hit = late.X[window][late.rows[window]]
        found = [np.flatnonzero((np.nan_to_num(past) == np.nan_to_num(row)).all(axis=1)) for row in hit]
        assert len({int(place[0]) for place in found}) == 30
    twice = applied(stream, {"duplicate_rows": {"sources": 1}}, rate=0.5)
    assert len(np.unique(np.nan_to_num(twice.X[600:660])[twice.rows[600:660]], axis=0)) == 1
    near = applied(stream, {"duplicate_rows": {"sources": 1, "jitter": 0.01}}, rate=0.5)
    hit = near.X[600:660][near.rows[600:660]]
    assert len(np.unique(hit[:, 0])) == 30 and np.ptp(hit[:, 0]) < 0.2


@pytest.mark.parametrize(
    ("timing", "expected"),
    [
        ({"step": {"at": 12}}, [0.3] * 8),
        ({"ramp": {"at": 12, "width": 4}}, [0.075, 0.15, 0.225, 0.3, 0.3, 0.3, 0.3, 0.3]),
        ({"burst": {"at": 12, "length": 3}}, [0.3] * 3 + [0.0] * 5),
        ({"recurring": {"at": 12, "length": 1, "every": 3}}, [0.3, 0, 0, 0.3, 0, 0, 0.3, 0]),
    ],
)
def test_timings(timing: Any, expected: list[float]) -> None:
    base = {"synthetic": {"concept": "linear_gaussian", "windows": 20, "rows": 1000, "warmup": 10}}
    source = make("stream", "corrupted", base=base, injector="unit_scale", rate=0.3, timing=timing)
    stream = source.generate(np.random.SeedSequence(0))
    shares = stream.corrupted.any(axis=1).reshape(20, 1000).mean(axis=1)
    assert shares[:12].sum() == 0.0
    assert shares[12:] == pytest.approx(expected, abs=0.0011)


def test_clean_rows_are_those_of_the_base_alone() -> None:
    source = make("stream", "corrupted", base={"bundled": {"dataset": "wine"}}, timing={"step": {"at": 10}})
    seed = np.random.SeedSequence(3)
    clean, base = source.clean(seed), make("stream", source.uncorrupted()).generate(seed)
    corrupted = source.generate(seed)
    assert np.array_equal(clean.X, base.X) and np.array_equal(clean.y, base.y)
    assert np.array_equal(corrupted.X[~corrupted.corrupted], clean.X[~corrupted.corrupted])


def test_rates_at_both_ends() -> None:
    stream = normal_stream()
    assert not applied(stream, "missing", rate=0.0).rows.any()
    assert np.isnan(applied(stream, {"missing": {"features": ["a"]}}, rate=1.0).X[N:, 0]).all()


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"rate": 1.5}, r"rate must be in \[0.0, 1.0\]"),
        ({"injector": {"unit_scale": {"factor": 1.0}}}, "factor must not be 1"),
        ({"injector": {"affine": {"gain": 1.0, "shift": 0.0}}}, "changes nothing"),
        ({"injector": "stuck_sensor", "mechanism": "own_value"}, "says itself which rows"),
        ({"timing": {"recurring": {"length": 5, "every": 3}}}, "every must be in"),
    ],
)
def test_what_makes_no_sense_is_refused_at_once(params: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        make("stream", "corrupted", **params)


@pytest.mark.parametrize(
    ("params", "error", "message"),
    [
        ({"timing": {"step": {"at": 3}}}, ConfigError, "errors begin in window 3"),
        ({"injector": {"missing": {"features": ["zz"]}}}, ConfigError, "no column 'zz'"),
        ({"injector": "unseen_category"}, DataError, "needs 1 categorical column"),
        (
            {"injector": "label_noise", "mechanism": "own_value"},
            ConfigError,
            "whole rows and labels have none",
        ),
        ({"mechanism": {"label": {"value": "zz"}}}, ConfigError, "no class 'zz'"),
        ({"mechanism": {"group": {"value": "zz"}}}, ConfigError, "no group 'zz'"),
        ({"injector": {"missing": {"count": 99}}}, DataError, "needs 99 column"),
    ],
)
def test_what_does_not_fit_the_stream_is_one_clear_error(
    params: dict[str, Any], error: type[Exception], message: str
) -> None:
    base = {"synthetic": {"concept": "linear_gaussian"}}
    with pytest.raises(error, match=message):
        make("stream", "corrupted", base=base, **params).generate(np.random.SeedSequence(0))


#: rows hit, labels changed, cells changed, sum of the finite values of all cells
GOLDEN: dict[str, tuple[str, int, int, int, float]] = {
    "affine": ("2", 261, 0, 261, 79304.55113451266),
    "duplicate_rows": ("2", 270, 142, 1207, 78339.44845867174),
    "irrelevant_feature": ("1", 270, 0, 200, 78253.28374227395),
    "label_noise": ("1", 270, 270, 0, 78253.28374227395),
    "late_rows": ("2", 270, 144, 1199, 78232.26892497786),
    "merged_categories": ("1", 64, 0, 64, 78381.28374227395),
    "missing": ("1", 270, 0, 270, 77853.28374227395),
    "outlier_cluster": ("2", 270, 0, 810, 70208.18389093464),
    "outlier_dependency": ("2", 270, 0, 810, 78141.09993445547),
    "outlier_global": ("2", 270, 0, 810, 78180.2604344018),
    "outlier_local": ("2", 270, 0, 810, 78200.28826910547),
    "replayed_batch": ("2", 60, 34, 272, 78348.15675981477),
    "schema_change": ("2", 60, 0, 60, 78169.28374227395),
    "stuck_sensor": ("1", 270, 0, 192, 78225.28374227395),
    "swapped_columns": ("2", 270, 0, 540, 78253.28374227395),
    "targeted_flip": ("1", 243, 243, 0, 78253.28374227395),
    "typo": ("2", 270, 0, 270, 78933.28374227395),
    "unit_scale": ("2", 261, 0, 261, 337938.0034617335),
    "unseen_category": ("1", 270, 0, 270, 78944.28374227395),
}


@pytest.mark.parametrize("name", names("injector"))
def test_golden_numbers(name: str) -> None:
    injector = make("injector", name)
    found = applied(clean_stream(), name, rate=0.15, seed=2026)
    numbers = (
        injector.version,
        int(found.rows.sum()),
        int(found.labels.sum()),
        int(found.cells.sum()),
        float(np.nansum(found.X)),
    )
    assert name in GOLDEN, f'add "{name}": {numbers}'
    assert numbers[:4] == GOLDEN[name][:4] and numbers[4] == pytest.approx(GOLDEN[name][4], rel=1e-9)
