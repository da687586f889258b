"""Quality from counts against scikit-learn."""

from __future__ import annotations

import numpy as np
import pytest
from _world_fixtures import LastTwo, make_stream
from sklearn.metrics import accuracy_score, f1_score, precision_score, recall_score

from mlopsim.core.errors import ConfigError
from mlopsim.world.build import build_from_stream
from mlopsim.world.metrics import metric_of, quality_of


def table(y: np.ndarray, answers: np.ndarray, classes: int) -> np.ndarray:
    confusion = np.zeros((classes, classes), dtype=np.int64)
    np.add.at(confusion, (y, answers), 1)
    return confusion


@pytest.mark.parametrize("classes", [2, 3, 5])
def test_quality_equals_sklearn(classes: int) -> None:
    rng = np.random.default_rng(classes)
    for _ in range(50):
        y = rng.integers(0, rng.integers(1, classes + 1), 9)
        answers = rng.integers(0, rng.integers(1, classes + 1), 9)
        if classes == 2:
            options = {"average": "binary", "zero_division": np.nan}
        else:
            options = {"average": "macro", "zero_division": np.nan, "labels": range(classes)}
        expected = [
            accuracy_score(y, answers),
            precision_score(y, answers, **options),
            recall_score(y, answers, **options),
            f1_score(y, answers, **options),
        ]
        found = quality_of(table(y, answers, classes))
        np.testing.assert_allclose(found, expected, rtol=1e-12)


def test_world_metrics() -> None:
    stream = make_stream(classes=3)
    world = build_from_stream(stream, "ridge", LastTwo())
    quality = world.quality()
    assert quality.dtype == np.float32 and quality.shape == (10, 10, 4)
    assert (quality[: world.v0] == 0).all()
    accuracy = world.metric()
    np.testing.assert_allclose(quality[..., 0], accuracy, rtol=1e-6)
    for v in (2, 7):
        for t in range(10):
            assert accuracy[v, t] == pytest.approx(1 - world.errors(v, t).mean())
    costs = np.array([[0, 1, 2], [3, 0, 4], [5, 6, 0]])
    np.testing.assert_allclose(
        world.metric(1 - np.eye(3)), np.where(np.arange(10) < 2, 0, 1)[:, None] * (accuracy - 1)
    )
    v, t = 4, 8
    confusion = world.confusion[v, t]
    expected = -sum(confusion[i, j] * costs[i, j] for i in range(3) for j in range(3)) / confusion.sum()
    assert world.metric(costs.tolist())[v, t] == pytest.approx(expected, rel=1e-12)


def test_undefined_is_nan_or_what_was_asked() -> None:
    confusion = np.array([[5, 0], [0, 0]])
    assert np.isnan(metric_of(confusion, "f1"))
    assert metric_of(confusion, "f1", undefined=1.0) == 1.0


@pytest.mark.parametrize("metric", ["auc", [[0, 1]], [[0, np.inf], [1, 0]], "f 1", [["a", "b"], ["c", "d"]]])
def test_bad_metric(metric: object) -> None:
    with pytest.raises(ConfigError, match=r"metric|cost matrix"):
        metric_of(np.ones((2, 2), dtype=int), metric)
