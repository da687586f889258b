"""The procedural family."""

import collections
from typing import Any

import numpy as np
import pytest

from mlopsim import make
from mlopsim.core.errors import ConfigError
from mlopsim.core.spec import canonical
from mlopsim.streams.validation import check_stream

FAMILY = make("stream", "procedural")


def seed(k):
    return np.random.SeedSequence(0, spawn_key=(1, 1, k))


def accuracy(stream):
    """Accuracy [window, version] of least-squares models of the last ten windows each."""
    T, rows, W = stream.windows, stream.bounds[1], stream.warmup
    X = (stream.X - stream.X[: W * rows].mean(axis=0)) / stream.X[: W * rows].std(axis=0)
    X = np.column_stack([X, np.ones(len(X))])
    versions = []
    for v in range(W - 1, T):
        part = slice((v - W + 1) * rows, (v + 1) * rows)
        ridge = X[part].T @ X[part] + 1e-3 * np.eye(X.shape[1])
        versions.append(np.linalg.solve(ridge, X[part].T @ (2.0 * stream.y[part] - 1.0)))
    right = (X @ np.array(versions).T > 0) == stream.y[:, None]
    return right.reshape(T, rows, -1).mean(axis=1)


def test_drift_hurts_adapting_helps_and_old_versions_pay():
    frozen, follow, best, changes, shifts = [], [], [], [], []
    for k in range(40):
        stream = FAMILY.generate(seed(k))
        assert (stream.windows, len(stream.y), stream.warmup) == (120, 12000, 10)
        right = accuracy(stream)
        frozen.append(right[10:, 0].mean())
        follow.append(np.mean([right[t, t - 12] for t in range(12, 120)]))
        best.append(np.mean([right[t, : max(1, t - 11)].max() for t in range(10, 120)]))
        kinds = collections.Counter(event.kind.value for event in stream.events)
        changes.append(kinds["concept"])
        shifts.append(kinds["covariate"])
    assert np.mean(follow) - np.mean(frozen) > 0.08
    assert np.mean(best) - np.mean(follow) > 0.02
    assert 3.0 < np.mean(changes) < 6.0 and 0.6 < np.mean(shifts) < 1.4


def test_draws_are_mixed_and_reproducible():
    drawn = [FAMILY.draw(seed(k)) for k in range(300)]
    assert drawn[:5] == [FAMILY.draw(seed(k)) for k in range(5)]
    for kind, size in (("concept", 5), ("schedule", 3)):
        assert len({next(iter(params[kind])) for params in drawn}) == size
    means, shapes = [], set()
    for params in drawn:
        schedule = next(iter(params["schedule"].values()))
        ((law, given),) = schedule["duration"].items()
        means.append(given["mean"])
        shapes.add((law, given.get("shape")))
        assert 0.0 <= params["noise"] <= 0.1 and len(params["shifts"]) <= 2
    assert shapes == {("geometric", None), ("weibull", 3.0), ("weibull", 0.7)}
    assert 15.0 <= min(means) < 16.0 and 39.0 < max(means) <= 40.0
    angles = [p["concept"]["linear_gaussian"]["angle"] for p in drawn if "linear_gaussian" in p["concept"]]
    assert min(angles) >= 40.0 and max(angles) <= 140.0 and np.std(angles) > 20.0


def test_members_pass_the_checks():
    for k in range(2):
        findings = check_stream(FAMILY.generate(seed(k)))
        assert not [f for f in findings if f.level == "error"], findings


def test_a_family_of_ones_own():
    family = make(
        "stream", "procedural", windows=20, rows=10, warmup=3, concepts=["hyperplane"], schedules=["none"],
        shift_count=[1, 1], shifts=["prior"], vary={"hyperplane.d": [3, 8], "prior.share": [0.7, 0.9]},
    )  # fmt: skip
    d = {family.generate(seed(k)).X.shape for k in range(40)}
    assert d == {(200, i) for i in range(3, 9)}


@pytest.mark.parametrize(
    ("params", "match"),
    [
        ({"concepts": []}, "concepts is empty"),
        ({"noise": [0.2, 0.1]}, "smallest, largest"),
        ({"noise": [0.0, 2.0]}, "noise"),
        ({"shift_count": [0, 1], "shifts": []}, "shift_count"),
        ({"vary": {"linear_gausian.angle": [0.0, 1.0]}}, "did you mean 'linear_gaussian'"),
        ({"vary": {"linear_gaussian.angel": [0.0, 1.0]}}, "did you mean 'angle'"),
        ({"vary": {"linear_gaussian.angle": [0.0, 500.0]}}, "angle"),
        ({"mean_duration": [0.0, 10.0]}, "mean"),
        ({"schedules": ["sudden"]}, "unknown schedule"),
    ],
)
def test_what_cannot_be(params, match):
    with pytest.raises(ConfigError, match=match):
        make("stream", "procedural", **params)


def test_part_is_complete():
    part = canonical("stream", "procedural")["params"]
    assert len(part["concepts"]) == 6 and part["concepts"][0]["params"]["d"] == 8
    assert part["vary"]["gradual.width"] == [2.0, 8.0]
    again = make("stream", canonical("stream", "procedural"))
    np.testing.assert_array_equal(again.generate(seed(3)).X, FAMILY.generate(seed(3)).X)


@pytest.mark.parametrize(
    ("params", "cause"),
    [
        ({"concepts": ["sea", "stagger"]}, "no numeric feature"),
        ({"concepts": ["mixed"], "schedules": [{"recurring": {"pool": 3}}]}, "2 variant"),
    ],
)
def test_an_impossible_pair_is_refused_before_it_is_drawn(params: dict[str, Any], cause: str) -> None:
    with pytest.raises(ConfigError, match=cause):
        make("stream", "procedural", **params)
