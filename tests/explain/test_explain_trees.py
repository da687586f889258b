"""Trees: every kind against the definition, float32, shap's own values, errors."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import explain_brute
import numpy as np
import pytest
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression

from mlopsim.core.errors import ConfigError, DataError, MissingExtraError, MlopsimError
from mlopsim.core.spec import make
from mlopsim.explain import trees
from mlopsim.explain.kernels import boxes
from mlopsim.explain.output import Output, output_of
from mlopsim.learners.models import ConstantModel, EstimatorModel

RNG = np.random.default_rng


def spec(name: str, **params: Any) -> dict[str, Any]:
    return {"sklearn": {"path": f"sklearn.{name}", "params": params}}


KINDS: dict[str, Any] = {
    "tree": {"tree": {"max_depth": 4}},
    "extra tree": spec("tree.ExtraTreeClassifier", max_depth=5),
    "forest": spec("ensemble.RandomForestClassifier", n_estimators=10, max_depth=4),
    "extra trees": spec("ensemble.ExtraTreesClassifier", n_estimators=5, max_depth=6),
    "boosting": spec("ensemble.GradientBoostingClassifier", n_estimators=10),
    "histogram boosting": {"gbm": {"max_iter": 10}},
}


def rows(n: int, d: int = 6, seed: int = 0) -> np.ndarray:
    return RNG(seed).normal(size=(n, d))


def fitted(kind: Any, classes: int = 2, d: int = 6) -> Any:
    X = rows(400, d, 1)
    score = X[:, 0] * X[:, 1] + X[:, 2] + 0.3 * RNG(2).normal(size=400)
    y = np.searchsorted(np.quantile(score, np.arange(1, classes) / classes), score)
    return make("learner", kind).fit(X, y, classes, np.random.SeedSequence(0))


def explain(model: Any, X: np.ndarray, background: np.ndarray, **params: Any) -> Any:
    return make("explainer", "tree", **params).explain(model, X, background, RNG(0))


# -- against the definition --------------------------------------------------------------------------


@pytest.mark.parametrize("classes", [2, 3])
@pytest.mark.parametrize("kind", KINDS)
def test_trees_are_the_definition(kind: str, classes: int):
    model = fitted(KINDS[kind], classes)
    X, background = rows(5, seed=3), rows(60, seed=4)
    for label in range(classes):
        explainer = make("explainer", "tree", label=label)
        found = explainer.explain(model, X, background, RNG(0))
        f = output_of(model, Output.MARGIN if "boosting" in kind else Output.PROBABILITY, label)
        np.testing.assert_allclose(found.values, explain_brute.interventional(f, X, background), atol=1e-12)
        np.testing.assert_allclose(found.base, f(background).mean(), atol=1e-12)
        np.testing.assert_allclose(found.total, f(X), atol=1e-12)
        np.testing.assert_array_equal(explainer.explained(model, X), f(X))


def test_margins_of_boosting_are_log_odds():
    model = fitted(KINDS["histogram boosting"])
    X = rows(9, seed=3)
    p = model.scores(X)
    np.testing.assert_allclose(explain(model, X, X).total, np.log(p[:, 1] / p[:, 0]), atol=1e-9)


def test_paths_through_more_features_than_fit_a_table(monkeypatch: pytest.MonkeyPatch):
    d = 11
    X = rows(300, d, 5)
    y = (X.sum(axis=1) > 0).astype(np.int64)
    kind = spec("tree.ExtraTreeClassifier", splitter="random")
    model = make("learner", kind).fit(X, y, 2, np.random.SeedSequence(0))
    found = trees.trees_of(model.estimator, 1)
    assert found is not None
    start = boxes.cut(found.left, found.right, found.feature, found.threshold, found.value, d)[0]
    assert np.diff(start).max() > boxes.TABLE and np.diff(start).min() < boxes.TABLE
    background = rows(7, d, 6)
    values = explain(model, X[:2], background).values
    f = output_of(model, Output.PROBABILITY, 1)
    np.testing.assert_allclose(values, explain_brute.interventional(f, X[:2], background), atol=1e-12)


def test_both_ways_to_sum_a_leaf_agree():
    """Patterns that occur, in pairs, against the table over all patterns; on many rows."""
    model = fitted({"tree": {"max_depth": 8}}, d=5)
    found = trees.trees_of(model.estimator, 1)
    assert found is not None
    X, background = trees.rounded(rows(200, 5, 7)), trees.rounded(rows(150, 5, 8))
    values = trees.attribute(found, X, background)
    start, on, low, high, worth = boxes.cut(
        found.left, found.right, found.feature, found.threshold, found.value, 5
    )
    # leaves made longer by conditions that always hold: seven more features, fulfilled by all rows
    more = 7
    lengths = np.diff(start)
    place = np.repeat(start[1:], more)
    on = np.insert(on, place, np.tile(np.arange(5, 12), len(lengths)))
    low, high = np.insert(low, place, -np.inf), np.insert(high, place, np.inf)
    start = start + more * np.arange(len(start))
    assert np.diff(start).min() > boxes.TABLE
    wide = [
        np.ascontiguousarray(np.concatenate([part, np.zeros((len(part), 7))], axis=1).T)
        for part in (X, background)
    ]
    longest = int(np.diff(start).max())
    out = np.zeros((12, len(X)))
    boxes.attribute(*wide, start, on, low, high, worth, trees.weights(longest), out)
    np.testing.assert_allclose(out[:5].T, values, atol=1e-12)
    assert not out[5:].any()


def test_a_whole_background_counts_and_every_row_is_exact():
    model = fitted(KINDS["tree"])
    X, background = rows(300, seed=9), rows(500, seed=10)
    found = explain(model, X, background)
    probability = model.scores(background)[:, 1]
    np.testing.assert_allclose(found.base, probability.mean(), atol=1e-12)
    assert abs(probability[:100].mean() - probability.mean()) > 1e-3
    # linear in the background: the mean over parts of equal size
    parts = [explain(model, X, background[i : i + 100]).values for i in range(0, 500, 100)]
    np.testing.assert_allclose(found.values, np.mean(parts, axis=0), atol=1e-12)


def test_one_leaf_and_one_feature():
    X = rows(40, 1)
    y = (X[:, 0] > 0).astype(np.int64)
    model = make("learner", "tree").fit(X, y, 2, np.random.SeedSequence(0))
    found = explain(model, np.array([[1.0]]), X)
    assert found.values == pytest.approx(1.0 - y.mean())
    stump = make("learner", "tree", min_samples_leaf=40).fit(X, y, 2, np.random.SeedSequence(0))
    found = explain(stump, X, X)
    assert not found.values.any() and (found.base == y.mean()).all()
    constant = explain(ConstantModel(label=1, n_classes=2), X, X)
    assert not constant.values.any() and (constant.base == 1.0).all()


def test_a_class_that_training_never_saw_gets_nothing():
    X = rows(100)
    y = (X[:, 0] > 0).astype(np.int64) * 2
    model = make("learner", "tree").fit(X, y, 3, np.random.SeedSequence(0))
    unseen = explain(model, X[:3], X, label=1)
    assert not unseen.values.any() and not unseen.base.any()
    np.testing.assert_allclose(explain(model, X[:3], X, label=2).total, model.scores(X[:3])[:, 2])
    boosted = make("learner", "gbm", max_iter=3).fit(X, y, 3, np.random.SeedSequence(0))
    np.testing.assert_allclose(
        explain(boosted, X[:9], X, label=0).values, -explain(boosted, X[:9], X, label=2).values
    )
    assert np.isneginf(explain(boosted, X[:3], X, label=1).base).all()


# -- float32 -----------------------------------------------------------------------------------------


def test_rows_are_rounded_where_the_model_rounds_them():
    """A value just above a threshold, which is below it in float32."""
    X = np.array([[0.0], [1.0]] * 10)
    y = np.array([0, 1] * 10)
    model = make("learner", "tree", min_samples_leaf=1).fit(X, y, 2, np.random.SeedSequence(0))
    tight = np.array([[0.5 + 1e-12]])
    assert model.scores(tight)[0, 1] == 0.0
    assert explain(model, tight, X).values == pytest.approx(-0.5)
    # this one compares in double precision
    close = np.repeat([[1.0], [1.0 + 1e-12]], 20, axis=0)
    y = np.repeat([0, 1], 20)
    boosted = make("learner", "gbm", max_iter=3).fit(close, y, 2, np.random.SeedSequence(0))
    found = explain(boosted, close, close)
    f = output_of(boosted, Output.MARGIN, 1)
    assert f(close)[0] < f(close)[-1]
    np.testing.assert_allclose(found.values[:, 0], f(close) - f(close).mean(), atol=1e-12)
    # shap cannot: all its rows are the same, and that is what it explains
    pytest.importorskip("shap")
    assert not explain(boosted, close, close, engine="shap").values.any()


@pytest.mark.parametrize("classes", [2, 3])
@pytest.mark.parametrize("kind", KINDS)
def test_shap_agrees_on_rounded_rows(kind: str, classes: int):
    pytest.importorskip("shap")
    model = fitted(KINDS[kind], classes)
    X, background = rows(50, seed=3), rows(130, seed=4)
    # values on the thresholds themselves, which are values of training rows here and there
    X[:20] = rows(400, 6, 1)[:20]
    for label in range(classes):
        found = explain(model, X, background, engine="shap", label=label)
        own = explain(model, trees.rounded(X), trees.rounded(background), label=label)
        np.testing.assert_allclose(found.values, own.values, atol=1e-6)
        np.testing.assert_allclose(found.base, own.base, atol=1e-6)


def test_shap_alone_would_be_wrong_on_histogram_boosting_and_on_the_background():
    """What the engine spares its users: float32 thresholds, and 100 rows instead of 130."""
    shap = pytest.importorskip("shap")
    model = fitted({"gbm": {"max_iter": 30}})
    X, background = rows(400, 6, 1), rows(130, seed=4)
    own = explain(model, X, background).values
    whole = shap.maskers.Independent(background, max_samples=130)
    plain = shap.TreeExplainer(model.estimator, whole).shap_values(X, check_additivity=False)
    assert np.abs(plain - own).max() > 0.01
    assert len(shap.TreeExplainer(model.estimator, background).data) == 100


def test_shap_takes_rounded_rows_only_and_is_an_extra(monkeypatch: pytest.MonkeyPatch):
    model = fitted(KINDS["tree"])
    found = trees.trees_of(model.estimator, 1)
    assert found is not None
    with pytest.raises(DataError, match="float32"):
        trees.attribute_by_shap(found, rows(2), trees.rounded(rows(2)))
    monkeypatch.setitem(__import__("sys").modules, "shap", None)
    with pytest.raises(MissingExtraError, match=r"mlopsim\[explain\]"):
        explain(model, rows(2), rows(3), engine="shap")


# -- errors ------------------------------------------------------------------------------------------


def test_attributions_that_do_not_add_up_are_an_error(monkeypatch: pytest.MonkeyPatch):
    model = fitted(KINDS["tree"])
    true = trees.trees_of

    def wrong(estimator: Any, label: int) -> Any:
        found = true(estimator, label)
        assert found is not None
        return replace(found, value=found.value * 1.001)

    monkeypatch.setattr(trees, "trees_of", wrong)
    with pytest.raises(MlopsimError, match=r"explainer/tree: row \d+: attributions and base add up to"):
        explain(model, rows(20), rows(30))


def test_boosting_that_starts_from_another_model_does_not_add_up():
    kind = spec("ensemble.GradientBoostingClassifier", n_estimators=3, init=LogisticRegression())
    with pytest.raises(MlopsimError, match="add up"):
        explain(fitted(kind), rows(20), rows(30))


def test_what_is_not_made_of_trees_is_refused():
    for kind in ("mlp", "ridge", "naive_bayes", spec("ensemble.AdaBoostClassifier", n_estimators=3)):
        with pytest.raises(ConfigError, match="explainer/tree needs") as error:
            explain(fitted(kind), rows(2), rows(3))
        assert error.value.remedy == "the explainer permutation"
    with pytest.raises(ConfigError, match="class 3 cannot be explained"):
        explain(fitted(KINDS["tree"]), rows(2), rows(3), label=3)


def test_categorical_splits_are_refused():
    rng = RNG(0)
    X = np.stack([rng.integers(0, 6, 200), rng.normal(size=200)], axis=1).astype(np.float64)
    y = (X[:, 0] % 2).astype(np.int64)
    estimator = HistGradientBoostingClassifier(categorical_features=[0], max_iter=3).fit(X, y)
    with pytest.raises(ConfigError, match="categorical splits"):
        explain(EstimatorModel(estimator=estimator, n_classes=2), X, X)


def test_paths_of_more_than_62_features_are_refused():
    d = 63
    inner = np.arange(d) * 2
    left, right = np.full(2 * d + 1, -1), np.full(2 * d + 1, -1)
    left[inner], right[inner] = inner + 1, inner + 2
    feature = np.zeros(2 * d + 1, dtype=np.int64)
    feature[inner] = np.arange(d)
    value = np.where(left < 0, 1.0, 0.0)
    value[-1] = 2.0
    chain = trees.Trees(
        left=left, right=right, feature=feature, threshold=np.zeros(2 * d + 1), value=value,
        roots=np.zeros(1, dtype=np.int64), rounds=False,
    )  # fmt: skip
    with pytest.raises(ConfigError, match="63 features, at most 62"):
        trees.attribute(chain, np.ones((1, d)), -np.ones((2, d)))
    # one less is exact: all features are needed to reach the last leaf
    shorter = replace(chain, value=np.where(np.arange(2 * d + 1) == 2 * d - 2, 1.0, 0.0), left=left.copy())
    shorter.left[2 * d - 2], shorter.right[2 * d - 2] = -1, -1
    found = trees.attribute(shorter, np.ones((1, d)), -np.ones((2, d)))
    np.testing.assert_allclose(found[0, :62], 1 / 62, rtol=1e-12)
    assert found[0, 62] == 0.0
