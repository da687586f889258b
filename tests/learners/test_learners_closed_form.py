"""Closed-form learners against scikit-learn, and the bits of versions alone and among others."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.linear_model import RidgeClassifier
from sklearn.naive_bayes import GaussianNB

from mlopsim.core.errors import ConfigError, DataError
from mlopsim.core.spec import make
from mlopsim.learners.base import BatchLearner, Learner
from mlopsim.learners.models import GaussianModel, LinearModel

SEED = np.random.SeedSequence(0)
REFERENCE = {"ridge": RidgeClassifier, "lda": LinearDiscriminantAnalysis, "naive_bayes": GaussianNB}
CLOSED = sorted(REFERENCE)


def data(
    seed: int, n: int, d: int, classes: int, offset: float = 0.0, noise: float = 1.0
) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    y = rng.integers(0, classes, n)
    means = rng.normal(size=(classes, d)) * 1.5
    mix = rng.normal(size=(d, d)) + np.eye(d)
    return means[y] + noise * rng.normal(size=(n, d)) @ mix + offset, y


def windows(n: int, rows: int) -> np.ndarray:
    return np.arange(n // rows + 1) * rows


def reference_scores(model: object, X: np.ndarray) -> np.ndarray:
    """Scores over the classes seen, comparable up to a constant per row."""
    if isinstance(model, GaussianNB):
        return np.asarray(model.predict_joint_log_proba(X))
    raw = np.asarray(model.decision_function(X))  # type: ignore[attr-defined]
    return np.stack([0 * raw, raw], axis=1) if raw.ndim == 1 else raw


def ours_scores(model: LinearModel | GaussianModel, X: np.ndarray, name: str) -> np.ndarray:
    raw = model.decision(X)
    return np.concatenate([0 * raw, raw], axis=1) if raw.shape[1] == 1 else raw


def assert_same(
    name: str, model: LinearModel | GaussianModel, fitted: object, X: np.ndarray, tol: float
) -> None:
    seen = fitted.classes_  # type: ignore[attr-defined]
    ours, theirs = ours_scores(model, X, name), reference_scores(fitted, X)
    if ours.shape[1] > 2 or len(seen) < ours.shape[1]:
        ours = ours[:, seen]
    if name == "lda" or (name == "ridge" and len(seen) == 2 and model.intercept.size > 2):
        # scores that all classes share move no label and are laid out differently
        ours, theirs = ours - ours[:, :1], theirs - theirs[:, :1]
        if name == "ridge":
            ours = ours / 2
    scale = np.abs(theirs).max()
    assert np.abs(ours - theirs).max() <= tol * scale
    assert (model.predict(X) == fitted.predict(X)).all()  # type: ignore[attr-defined]


@pytest.mark.parametrize("name", CLOSED)
@pytest.mark.parametrize("classes", [2, 3, 6])
@pytest.mark.parametrize("offset", [0.0, 1e6])
def test_equal_to_scikit_learn(name: str, classes: int, offset: float) -> None:
    X, y = data(classes, 1200, 5, classes)
    bounds = windows(1200, 60)
    first, last = np.array([0, 0, 5, 10, 19]), np.array([4, 19, 14, 19, 19])
    models = make("learner", name).fit_versions(X + offset, y, classes, bounds, first, last)
    for i, (a, b) in enumerate(zip(first, last, strict=True)):
        rows = slice(bounds[a], bounds[b + 1])
        # the reference sees what is left of the data after adding the offset, moved back to zero:
        # scikit-learn itself loses digits far from zero
        near = (X + offset) - offset
        fitted = REFERENCE[name]().fit(near[rows], y[rows])
        if offset == 0.0:
            assert_same(name, models.model(i), fitted, X, 1e-8)
        far = REFERENCE[name]().fit((X + offset)[rows], y[rows])
        assert (models.model(i).predict(X + offset) == far.predict(X + offset)).mean() > 0.999
        ours = ours_scores(models.model(i), X + offset, name)
        shifted = ours_scores(make("learner", name).fit(near[rows], y[rows], classes, SEED), near, name)
        assert np.abs(ours - shifted).max() <= 1e-8 * np.abs(shifted).max()


@pytest.mark.parametrize("name", ["ridge", "lda"])
def test_coefficients_equal_at_an_offset(name: str) -> None:
    X, y = data(3, 500, 6, 2, offset=1e6)
    model = make("learner", name).fit(X, y, 2, SEED)
    fitted = REFERENCE[name]().fit(X - 1e6, y)
    theirs = np.ravel(fitted.coef_)
    assert np.abs(model.coef[0] - theirs).max() <= 1e-8 * np.abs(theirs).max()


@pytest.mark.parametrize("name", CLOSED)
@pytest.mark.parametrize("present", [[0, 2], [1, 3], [2], [0, 1, 3]])
def test_missing_classes(name: str, present: list[int]) -> None:
    X, y = data(5, 800, 4, 4)
    keep = np.isin(y, present)
    X, y = X[keep], y[keep]
    model = make("learner", name).fit(X[:150], y[:150], 4, SEED)
    if len(present) == 1:
        assert (model.predict(X) == present[0]).all()
        assert model.scores(X).shape == (len(X), 4)
        assert (model.scores(X).argmax(axis=1) == present[0]).all()
    else:
        assert_same(name, model, REFERENCE[name]().fit(X[:150], y[:150]), X, 1e-8)


@pytest.mark.parametrize("name", CLOSED)
@pytest.mark.parametrize("label", [0, 1])
def test_one_class_of_two(name: str, label: int) -> None:
    X, _ = data(5, 50, 3, 2)
    model = make("learner", name).fit(X, np.full(50, label), 2, SEED)
    assert (model.predict(X) == label).all()
    assert (model.scores(X).argmax(axis=1) == label).all()
    assert not np.isnan(model.scores(X)).any()


@pytest.mark.parametrize("name", CLOSED)
@pytest.mark.parametrize("classes", [2, 5])
def test_bits_alone_and_among_others(name: str, classes: int) -> None:
    X, y = data(9, 2000, 7, classes)
    bounds = np.concatenate(
        [[0], np.sort(np.random.default_rng(1).choice(np.arange(1, 2000), 30, replace=False)), [2000]]
    )
    last = np.arange(5, 31)
    first = np.maximum(last - 8, 0)
    first[-6:] = first[-6]
    learner = make("learner", name)
    models = learner.fit_versions(X, y, classes, bounds, first, last)
    labels = models.predict(X)
    assert labels.dtype == np.uint8 and labels.shape == (26, 2000)
    for i in (0, 3, 11, 24, 25):
        alone = learner.fit_versions(X, y, classes, bounds, first[i : i + 1], last[i : i + 1]).model(0)
        # the rows of other windows do not enter, not even by their rounding
        cut = slice(bounds[first[i]], bounds[last[i] + 1])
        own = bounds[first[i] : last[i] + 2] - bounds[first[i]]
        end = np.array([len(own) - 2])
        short = learner.fit_versions(X[cut], y[cut], classes, own, np.array([0]), end).model(0)
        for other in (models.model(i), alone, short):
            assert (other.predict(X) == labels[i]).all()
            assert np.array_equal(other.decision(X), models.model(i).decision(X))
        few = np.concatenate([models.model(i).scores(X[k : k + 1]) for k in range(0, 2000, 97)])
        assert np.array_equal(few, models.model(i).scores(X)[::97])


@pytest.mark.parametrize("name", CLOSED)
def test_constant_and_repeated_columns(name: str) -> None:
    X, y = data(2, 400, 3, 3)
    X = np.column_stack([X, np.full(400, 0.5), X[:, 0], (y == 1) * 1.0 + 0.01 * X[:, 1]])
    model = make("learner", name).fit(X, y, 3, SEED)
    fitted = REFERENCE[name]().fit(X, y)
    assert (model.predict(X) == fitted.predict(X)).mean() > 0.995


def test_lda_with_redundant_indicators_as_scikit_learn() -> None:
    rng = np.random.default_rng(0)
    code = rng.integers(0, 4, 600)
    X = np.column_stack([np.eye(4)[code], rng.normal(size=(600, 2))])
    y = ((code == 1) + X[:, 4] + rng.normal(size=600) > 0.3).astype(int)
    fitted = LinearDiscriminantAnalysis().fit(X, y)
    assert_same("lda", make("learner", "lda").fit(X, y, 2, SEED), fitted, X, 1e-8)


def test_probabilities() -> None:
    X, y = data(1, 300, 4, 3)
    for name in ("lda", "naive_bayes"):
        ours = make("learner", name).fit(X, y, 3, SEED).scores(X)
        assert np.allclose(ours, REFERENCE[name]().fit(X, y).predict_proba(X), atol=1e-9)


def test_ties_take_the_lowest_label() -> None:
    model = LinearModel(coef=np.zeros((3, 2)), intercept=np.zeros(3), link=make_link())
    assert (model.predict(np.ones((4, 2))) == 0).all()
    assert (
        LinearModel(coef=np.zeros((1, 2)), intercept=np.zeros(1), link=make_link()).predict(np.ones((4, 2)))
        == 0
    ).all()


def make_link() -> object:
    from mlopsim.learners.models import Link

    return Link.MARGIN


def test_contracts() -> None:
    for name in CLOSED:
        assert isinstance(make("learner", name), BatchLearner)
    assert isinstance(make("learner", "tree"), Learner)


@pytest.mark.parametrize("name", CLOSED)
def test_bad_input(name: str) -> None:
    learner = make("learner", name)
    X, y = data(0, 20, 2, 2)
    one = np.array([0])
    with pytest.raises(DataError, match=r"labels must lie in 0..1"):
        learner.fit(X, y + 1, 2, SEED)
    with pytest.raises(DataError, match="no training rows"):
        learner.fit_versions(X, y, 2, np.array([0, 0, 20]), one, one)
    with pytest.raises(DataError, match="windows within 0"):
        learner.fit_versions(X, y, 2, np.array([0, 10, 20]), one, one + 2)
    with pytest.raises(ConfigError, match="256 classes"):
        learner.fit(X, y, 300, SEED)
    with pytest.raises(ConfigError, match="must be in"):
        make("learner", name, **{{"ridge": "alpha", "lda": "tol", "naive_bayes": "smoothing"}[name]: 0.0})


@pytest.mark.parametrize(
    ("name", "golden"),
    [
        ("ridge", [-1.2171926208529515, -1.2169470894911756]),
        ("lda", [-55.89619908348991, -55.580933537368466]),
        ("naive_bayes", [-8.395280774328572, -8.504466043388572]),
    ],
)
def test_golden(name: str, golden: list[float]) -> None:
    X, y = data(42, 240, 3, 2)
    models = make("learner", name).fit_versions(X, y, 2, windows(240, 40), np.array([0, 2]), np.array([3, 5]))
    got = [float(models.model(i).decision(X[:1])[0, -1]) for i in range(2)]
    assert got == pytest.approx(golden, rel=1e-9)


@pytest.mark.parametrize("name", CLOSED)
def test_weights_count_rows(name: str) -> None:
    X, y = data(3, 200, 4, 3)
    times = np.random.default_rng(0).integers(1, 4, len(y))
    learner = make("learner", name)
    weighted = learner.fit(X, y, 3, SEED, weight=times.astype(np.float64))
    repeated = learner.fit(np.repeat(X, times, axis=0), np.repeat(y, times), 3, SEED)
    np.testing.assert_allclose(weighted.scores(X), repeated.scores(X), rtol=1e-8, atol=1e-10)


@pytest.mark.parametrize("weight", [np.ones(3), np.zeros(200), np.full(200, np.nan)])
def test_weights_must_fit(weight: np.ndarray) -> None:
    X, y = data(3, 200, 4, 3)
    with pytest.raises(DataError, match="finite weights above 0"):
        make("learner", "ridge").fit(X, y, 3, SEED, weight=weight)
