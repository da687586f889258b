"""scikit-learn presets: classes, seeds, errors."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from mlopsim.core.errors import ConfigError, DataError
from mlopsim.core.registry import names
from mlopsim.core.spec import make
from mlopsim.learners.models import ConstantModel, LinearModel

SEED = np.random.SeedSequence(5)


def data(classes: int, n: int = 150) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(classes)
    y = rng.integers(0, classes, n)
    return 2 * rng.normal(size=(classes, 3))[y] + rng.normal(size=(n, 3)), y


@pytest.mark.parametrize("name", names("learner"))
def test_every_learner(name: str) -> None:
    X, y = data(4)
    learner = make("learner", name)
    keep = y != 1
    model = learner.fit(X[keep], y[keep], 4, SEED)
    labels = model.predict(X)
    assert labels.dtype == np.int64 and labels.shape == y.shape and not (labels == 1).any()
    scores = model.scores(X)
    assert scores.shape == (len(y), 4) and scores.dtype == np.float64 and not np.isnan(scores).any()
    assert (scores.argmax(axis=1) == labels).mean() > 0.99
    assert (labels[keep] == y[keep]).mean() > 0.7
    again = make("learner", name).fit(X[keep], y[keep], 4, np.random.SeedSequence(5))
    assert np.array_equal(again.scores(X), scores)
    alone = learner.fit(X[y == 2], y[y == 2], 4, SEED)
    assert (alone.predict(X) == 2).all() and (alone.scores(X).argmax(axis=1) == 2).all()


@pytest.mark.parametrize("present", [[0, 1], [0, 1, 2], [0, 2]])
def test_logistic_is_scikit_learns(present: list[int]) -> None:
    X, y = data(3)
    keep = np.isin(y, present)
    classes = 2 if present == [0, 1] else 3
    ours = make("learner", "logistic").fit(X[keep], y[keep], classes, SEED)
    theirs = LogisticRegression(max_iter=200).fit(X[keep], y[keep])
    assert isinstance(ours, LinearModel)
    assert np.allclose(ours.scores(X)[:, present], theirs.predict_proba(X), atol=1e-12)
    assert (ours.predict(X) == theirs.predict(X)).all()


def test_any_classifier() -> None:
    X, y = data(3)
    forest = make(
        "learner",
        "sklearn",
        path="sklearn.ensemble.RandomForestClassifier",
        params={"n_estimators": 5, "n_jobs": 2},
    )
    model = forest.fit(X, y, 3, SEED)
    assert model.estimator.n_jobs == 1
    other = forest.fit(X, y, 3, np.random.SeedSequence(6))
    assert not np.array_equal(model.scores(X), other.scores(X))
    svm = make("learner", "sklearn", path="sklearn.svm.LinearSVC").fit(X[y < 2], y[y < 2], 3, SEED)
    assert np.isneginf(svm.scores(X)[:, 2]).all()
    assert (svm.scores(X).argmax(axis=1) == svm.predict(X)).all()
    assert isinstance(forest.fit(X, np.ones(150, dtype=int), 3, SEED), ConstantModel)
    with pytest.raises(DataError, match="no training rows"):
        forest.fit(X[:0], y[:0], 3, SEED)


@pytest.mark.parametrize(
    ("path", "params", "message"),
    [
        ("os.system", {}, "must name a scikit-learn classifier"),
        ("sklearnish.Thing", {}, "must name a scikit-learn classifier"),
        ("sklearn.tre.DecisionTreeClassifier", {}, "no module 'sklearn.tre'"),
        ("sklearn.tree.DecisionTreClassifier", {}, "did you mean 'DecisionTreeClassifier'"),
        ("sklearn.linear_model.LinearRegression", {}, "is no classifier"),
        ("sklearn.tree.DecisionTreeClassifier", {"max_dept": 3}, "did you mean 'max_depth'"),
        ("sklearn.tree.DecisionTreeClassifier", {"max_depth": -3}, "max_depth"),
        ("sklearn.ensemble.VotingClassifier", {}, "estimators"),
    ],
)
def test_errors_before_work_starts(path: str, params: dict[str, int], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        make("learner", "sklearn", path=path, params=params)


@pytest.mark.parametrize(
    ("name", "golden"),
    [
        ("logistic", "2230131203013111030121333301110020013303"),
        ("tree", "2200131203010113330121003301110320013303"),
        ("gbm", "2200131203013111330123033301110320013303"),
        ("mlp", "2230131203013111030121333001110020013303"),
        ("sklearn", "2230131203013111030121033301110020013303"),
    ],
)
def test_golden_labels(name: str, golden: str) -> None:
    X, y = data(4)
    labels = make("learner", name).fit(X[:100], y[:100], 4, SEED).predict(X[100:140])
    assert "".join(map(str, labels)) == golden


@pytest.mark.parametrize("name", ["logistic", "tree", "gbm"])
def test_weights_reach_scikit_learn(name: str) -> None:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(200, 3))
    y = (X[:, 0] + rng.normal(size=200) > 0).astype(np.int64)
    weight = np.where(y == 1, 20.0, 0.1)
    seed = np.random.SeedSequence(1)
    learner = make("learner", name)
    plain, heavy = learner.fit(X, y, 2, seed), learner.fit(X, y, 2, seed, weight=weight)
    assert heavy.predict(X).mean() > plain.predict(X).mean()


def test_a_classifier_without_weights_says_so() -> None:
    learner = make("learner", {"sklearn": {"path": "sklearn.neighbors.KNeighborsClassifier"}})
    with pytest.raises(ConfigError, match="cannot count rows by weights"):
        learner.fit(np.zeros((4, 1)), np.arange(4) % 2, 2, np.random.SeedSequence(0), weight=np.ones(4))
