"""Linear models and naive Bayes: closed forms against the definition, many versions, groups."""

from __future__ import annotations

import itertools

import explain_brute
import numpy as np
import pytest

from mlopsim.core.errors import ConfigError, DataError
from mlopsim.core.spec import make
from mlopsim.explain import additive, linear
from mlopsim.explain.conditional import conditional, conditional_sampled, conditional_tensor
from mlopsim.explain.output import Output, output_of
from mlopsim.learners.models import ConstantModel, LinearModel, Link

RNG = np.random.default_rng


def covariance(d: int, seed: int) -> np.ndarray:
    """Return a covariance of features whose units differ a lot."""
    rng = RNG(seed)
    A = rng.normal(size=(2 * d, d)) * 10.0 ** rng.integers(-3, 4, d)
    return A.T @ A / len(A)


def fitted(learner: str, classes: int = 2, n: int = 600, d: int = 4, seed: int = 0):
    rng = RNG(seed)
    X = rng.normal(size=(n, d)) @ rng.normal(size=(d, d))
    y = np.digitize(X[:, 0] - X[:, 1] + 0.3 * rng.normal(size=n), np.linspace(-1, 1, classes + 1)[1:-1])
    return make("learner", learner).fit(X, y, classes, np.random.SeedSequence(seed)), X


# -- conditional -------------------------------------------------------------------------------------


def test_the_two_features_of_the_textbook():
    D = conditional_tensor(np.array([[1.0, 0.6], [0.6, 1.0]]))
    found = conditional(np.array([1.0, 0.0]), np.array([[0.0, 1.0]]), np.zeros(2), D)
    np.testing.assert_allclose(found, [[-0.3, 0.3]], atol=1e-15)


def test_two_features_in_general():
    rng = RNG(0)
    for rho in (-0.9, 0.0, 0.6):
        w, X = rng.normal(size=2), rng.normal(size=(20, 2))
        found = conditional(w, X, np.zeros(2), conditional_tensor(np.array([[1.0, rho], [rho, 1.0]])))
        first = w[0] * X[:, 0] + rho / 2 * (w[1] * X[:, 0] - w[0] * X[:, 1])
        np.testing.assert_allclose(found, np.stack([first, X @ w - first], axis=1), atol=1e-13)


@pytest.mark.parametrize("d", [1, 2, 3, 5, 7])
def test_conditional_is_the_definition(d: int):
    rng = RNG(d)
    law, mean = covariance(d, d), rng.normal(size=d)
    scale = np.sqrt(np.diagonal(law))
    X, W = mean + rng.normal(size=(3, d)) * scale, rng.normal(size=(2, d)) / scale
    found = conditional(W, X, mean, conditional_tensor(law))
    for v, i in itertools.product(range(2), range(3)):
        np.testing.assert_allclose(found[v, i], explain_brute.conditional(W[v], X[i], mean, law), atol=1e-9)
    np.testing.assert_allclose(found.sum(axis=2), W @ (X - mean).T, atol=1e-10)


def test_many_features_still_add_up():
    law, rng = covariance(12, 1), RNG(1)
    scale = np.sqrt(np.diagonal(law))
    X, W = rng.normal(size=(40, 12)) * scale, rng.normal(size=(3, 12)) / scale
    found = conditional(W, X, np.zeros(12), conditional_tensor(law))
    np.testing.assert_allclose(found.sum(axis=2), W @ X.T, atol=1e-10)


def test_independent_features_get_the_interventional_values():
    rng = RNG(2)
    X, W, mean = rng.normal(size=(5, 6)), rng.normal(size=(4, 6)), rng.normal(size=6)
    found = conditional(W, X, mean, conditional_tensor(np.diag([1.0, 4.0, 9.0, 1.0, 0.0, 2.0])))
    np.testing.assert_allclose(found, linear.interventional(W, X, mean), atol=1e-12)


def test_features_that_determine_each_other_need_shrinkage():
    twice = np.array([[1.0, 1.0], [1.0, 1.0]])
    with pytest.raises(DataError, match="linear function of others"):
        conditional_tensor(twice)
    with pytest.raises(DataError, match="linear function of others"):
        conditional_sampled(np.ones((1, 2)), np.ones((1, 2)), np.zeros(2), twice, 2, RNG(0))
    # copies share equally, whichever of them the model uses
    found = conditional(
        np.array([1.0, 0.0]), np.array([[2.0, 2.0]]), np.zeros(2), conditional_tensor(twice, 1e-6)
    )
    np.testing.assert_allclose(found, [[1.0, 1.0]], atol=1e-5)


def test_no_covariance_is_an_error():
    for bad in (np.ones((2, 3)), np.array([[1.0, 0.5], [0.2, 1.0]]), -np.eye(2), np.full((2, 2), np.nan)):
        with pytest.raises(DataError, match="not a covariance"):
            conditional_tensor(bad)
    with pytest.raises(ConfigError, match="shrinkage"):
        conditional_tensor(np.eye(2), 1.5)
    with pytest.raises(ConfigError, match="16 features"):
        conditional_tensor(np.eye(17))


def test_sampled_orders_agree_with_all_subsets_within_their_errors():
    d = 8
    law, rng = covariance(d, 3), RNG(3)
    scale = np.sqrt(np.diagonal(law))
    X, W = rng.normal(size=(10, d)) * scale, rng.normal(size=(2, d)) / scale
    exact = conditional(W, X, np.zeros(d), conditional_tensor(law))
    runs = [conditional_sampled(W, X, np.zeros(d), law, 40, RNG([4, i])) for i in range(60)]
    z = np.array([(values - exact) / stderr for values, stderr in runs])
    # a t of 39 degrees of freedom has variance 39 / 37
    assert 0.9 < z.var() < 1.25 and abs(z.mean(axis=0)).max() < 5 / np.sqrt(60)
    for values, _ in runs[:3]:
        np.testing.assert_allclose(values.sum(axis=2), W @ X.T, atol=1e-10)


def test_versions_are_sampled_alike_one_by_one_and_together(monkeypatch: pytest.MonkeyPatch):
    law, rng = covariance(6, 5), RNG(5)
    X, W = rng.normal(size=(4, 6)), rng.normal(size=(5, 6))
    together = conditional_sampled(W, X, np.zeros(6), law, 10, RNG(6))
    alone = conditional_sampled(W[3:4], X, np.zeros(6), law, 10, RNG(6))
    np.testing.assert_allclose([part[3] for part in together], [part[0] for part in alone], rtol=1e-12)
    monkeypatch.setattr("mlopsim.explain.conditional.BLOCK", 1)
    for one, other in zip(together, conditional_sampled(W, X, np.zeros(6), law, 10, RNG(6)), strict=True):
        np.testing.assert_array_equal(one, other)


def test_the_explainer_takes_the_backgrounds_law_and_samples_beyond_exact():
    model, X = fitted("ridge")
    rng = RNG(0)
    exact = make("explainer", "linear_conditional", shrinkage=0.0).explain(model, X[:5], X[100:], rng)
    law, mean = np.cov(X[100:].T, bias=True), X[100:].mean(axis=0)
    for i in range(5):
        np.testing.assert_allclose(
            exact.values[i], explain_brute.conditional(model.coef[0], X[i], mean, law), atol=1e-10
        )
    assert exact.stderr is None
    drawn = make("explainer", "linear_conditional", exact=3, pairs=300).explain(model, X[:5], X[100:], rng)
    assert drawn.stderr is not None and (drawn.stderr > 0).any()
    assert (np.abs(drawn.values - exact.values) <= 5 * drawn.stderr + 1e-5).all()
    np.testing.assert_allclose(drawn.total, model.decision(X[:5])[:, 0], atol=1e-10)


# -- interventional ----------------------------------------------------------------------------------


@pytest.mark.parametrize("learner", ["ridge", "lda", "logistic"])
def test_all_500_background_rows_count(learner: str):
    model, X = fitted(learner)
    rows, background = X[:100], X[100:]
    assert len(background) == 500
    found = make("explainer", "linear_interventional").explain(model, rows, background, RNG(0))
    np.testing.assert_allclose(found.values, model.coef[0] * (rows - background.mean(axis=0)), atol=1e-12)
    np.testing.assert_allclose(found.base, model.decision(background).mean(), atol=1e-12)
    np.testing.assert_allclose(found.total, model.decision(rows)[:, 0], atol=1e-10)


def test_interventional_is_the_definition_and_log_odds_are_what_is_explained():
    model, X = fitted("logistic")
    found = make("explainer", "linear_interventional").explain(model, X[:4], X[50:90], RNG(0))

    def odds(rows: np.ndarray) -> np.ndarray:
        p = model.scores(rows)
        result: np.ndarray = np.log(p[:, 1] / p[:, 0])
        return result

    np.testing.assert_allclose(found.values, explain_brute.interventional(odds, X[:4], X[50:90]), atol=1e-9)
    other = make("explainer", "linear_interventional", label=0).explain(model, X[:4], X[50:90], RNG(0))
    np.testing.assert_array_equal(other.values, -found.values)


def test_far_from_zero_no_digits_are_lost():
    model, X = fitted("ridge")
    near = make("explainer", "linear_interventional").explain(model, X[:9], X[100:], RNG(0))
    far = make("explainer", "linear_interventional").explain(model, X[:9] + 2**26, X[100:] + 2**26, RNG(0))
    np.testing.assert_allclose(far.values, near.values, atol=1e-6)


def test_three_classes_do_not_depend_on_what_is_added_to_all_scores():
    model, X = fitted("logistic", classes=3)
    shifted = LinearModel(
        coef=model.coef + np.array([5.0, -1.0, 0.0, 2.0]), intercept=model.intercept + 9.0, link=model.link
    )
    for label in range(3):
        explainer = make("explainer", "linear_interventional", label=label)
        one = explainer.explain(model, X[:5], X[100:], RNG(0))
        np.testing.assert_allclose(
            one.values, explainer.explain(shifted, X[:5], X[100:], RNG(0)).values, atol=1e-9
        )
        logs = np.log(model.scores(X[:5]))
        against = logs[:, label] - np.delete(logs, label, axis=1).mean(axis=1)
        np.testing.assert_allclose(one.total, against, atol=1e-9)


@pytest.mark.parametrize("learner", ["ridge", "lda", "naive_bayes"])
def test_versions_at_once_equal_each_alone(learner: str):
    _, X = fitted("ridge", n=400)
    y = (X[:, 0] + X[:, 2] > 0).astype(np.int64)
    # the first version sees one class only
    y[:50] = 1
    bounds, last = np.arange(0, 401, 50), np.arange(8)
    models = make("learner", learner).fit_versions(X, y, 2, bounds, last, last)
    rows, background = X[:20], X[100:]
    if learner == "naive_bayes":
        found = additive.attribute(models.half[1:], models.centre[1:], rows, background, 1, np.array([0]))
        explainer = make("explainer", "additive")
    else:
        coef, intercept = linear.class_score(models.coef, models.intercept, models.link, 1)
        assert np.isposinf(intercept[0]) and not coef[0].any()
        found = linear.interventional(coef[1:], rows, background.mean(axis=0))
        explainer = make("explainer", "linear_interventional")
    assert found.shape == (7, 20, 4)
    for v in range(7):
        alone = explainer.explain(models.model(v + 1), rows, background, RNG(0))
        np.testing.assert_allclose(found[v], alone.values, atol=1e-12)
        margin = output_of(models.model(v + 1), Output.MARGIN, 1)
        np.testing.assert_allclose(alone.total, margin(rows), rtol=1e-10, atol=1e-10)
    certain = explainer.explain(models.model(0), rows, background, RNG(0))
    assert not certain.values.any() and np.isposinf(certain.base).all()


def test_windows_have_their_own_background():
    rng = RNG(1)
    W, X = rng.normal(size=(3, 1, 2)), rng.normal(size=(5, 10, 2))
    found = linear.interventional(W, X, X.mean(axis=1))
    assert found.shape == (3, 5, 10, 2)
    for v, t in itertools.product(range(3), range(5)):
        np.testing.assert_allclose(found[v, t], W[v, 0] * (X[t] - X[t].mean(axis=0)))


def test_deployments_versions_and_windows_at_once():
    """Rows (deployment, window, row, feature), versions in front: each slice is what it is alone."""
    rng = RNG(2)
    X, mean, D = (
        rng.normal(size=(2, 3, 10, 4)),
        rng.normal(size=(2, 3, 4)),
        conditional_tensor(covariance(4, 1)),
    )
    W = rng.normal(size=(5, 2, 3, 4))
    one, other = linear.interventional(W, X, mean), conditional(W, X, mean, D)
    half, centre = rng.uniform(size=(5, 1, 1, 2, 4)), rng.normal(size=(5, 1, 1, 2, 4))
    bayes = additive.attribute(half, centre, X, X[:, :, :7], 1, np.array([0]))
    assert one.shape == other.shape == bayes.shape == (5, 2, 3, 10, 4)
    for v, i, t in itertools.product(range(5), range(2), range(3)):
        rows, w, m = X[i, t], W[v, i, t], mean[i, t]
        np.testing.assert_array_equal(one[v, i, t], linear.interventional(w, rows, m))
        np.testing.assert_allclose(other[v, i, t], conditional(w, rows, m, D), atol=1e-12)
        alone = additive.attribute(half[v, 0, 0], centre[v, 0, 0], rows, rows[:7], 1, np.array([0]))
        np.testing.assert_allclose(bayes[v, i, t], alone, atol=1e-13)


def test_shapes_that_do_not_go_together_are_an_error():
    X, D = np.ones((3, 5, 2)), np.zeros((2, 2, 2))
    for w, rows, mean in (
        (np.ones(3), X, np.zeros(2)),
        (np.ones(2), X, np.zeros(3)),
        (np.ones((4, 2)), X, np.zeros(2)),
        (np.ones(2), X, np.zeros((2, 2))),
        (np.ones(2), X[0, 0], np.zeros(2)),
        (np.float64(1.0), X, np.zeros(2)),
    ):
        with pytest.raises(DataError, match="shapes disagree") as error:
            linear.interventional(w, rows, mean)  # type: ignore[arg-type]
        assert "broadcast" in (error.value.remedy or "")
        with pytest.raises(DataError, match="shapes disagree"):
            conditional(w, rows, mean, D)  # type: ignore[arg-type]
    with pytest.raises(DataError, match="shapes disagree: tensor"):
        conditional(np.ones(2), X, np.zeros(2), np.zeros((3, 3, 3)))
    with pytest.raises(DataError, match="shapes disagree"):
        additive.attribute(np.ones((2, 3)), np.ones((2, 3)), X, X, 1, np.array([0]))
    with pytest.raises(DataError, match="shapes disagree"):
        conditional_sampled(np.ones((1, 3)), X[0], np.zeros(2), np.eye(2), 2, RNG(0))


@pytest.mark.parametrize(("learner", "classes"), [("naive_bayes", 2), ("naive_bayes", 3)])
def test_naive_bayes_is_the_definition(learner: str, classes: int):
    model, X = fitted(learner, classes)
    for label in range(classes):
        found = make("explainer", "additive", label=label).explain(model, X[:3], X[100:140], RNG(0))
        f = output_of(model, Output.MARGIN, label)
        np.testing.assert_allclose(
            found.values, explain_brute.interventional(f, X[:3], X[100:140]), atol=1e-8
        )
        np.testing.assert_allclose(found.total, f(X[:3]), atol=1e-9)


def test_a_class_that_training_never_saw():
    _, X = fitted("ridge")
    y = (X[:, 0] > 0).astype(np.int64) * 2
    for learner, explainer in (("lda", "linear_interventional"), ("naive_bayes", "additive")):
        model = make("learner", learner).fit(X, y, 3, np.random.SeedSequence(0))
        unseen = make("explainer", explainer, label=1).explain(model, X[:4], X[9:], RNG(0))
        assert not unseen.values.any() and np.isneginf(unseen.base).all()
        seen = make("explainer", explainer, label=2).explain(model, X[:4], X[9:], RNG(0))
        odds = np.log(model.scores(X[:4])[:, 2]) - np.log(model.scores(X[:4])[:, 0])
        np.testing.assert_allclose(seen.total, odds, atol=1e-7)


def test_constant_models_get_nothing():
    for name in ("linear_interventional", "linear_conditional", "additive"):
        found = make("explainer", name).explain(
            ConstantModel(label=1, n_classes=2), np.eye(3), np.eye(3), RNG(0)
        )
        assert not found.values.any() and np.isposinf(found.base).all()


def test_other_models_are_refused():
    tree, X = fitted("tree")
    bayes, _ = fitted("naive_bayes")
    for name, model, what in (
        ("linear_interventional", tree, "DecisionTreeClassifier"),
        ("linear_conditional", bayes, "GaussianModel"),
        ("additive", tree, "DecisionTreeClassifier"),
    ):
        with pytest.raises(ConfigError, match=f"needs .*, got {what}") as error:
            make("explainer", name).explain(model, X[:2], X, RNG(0))
        assert error.value.remedy == "the explainer permutation"
    linear_model, _ = fitted("ridge")
    with pytest.raises(ConfigError, match="class 2 cannot be explained: the model has 2 classes"):
        make("explainer", "linear_interventional", label=2).explain(linear_model, X[:2], X, RNG(0))


# -- groups ------------------------------------------------------------------------------------------


def test_the_gap_of_attributions_adds_up_to_the_gap_of_mean_scores():
    model, X = fitted("logistic")
    g = (X[:, 1] > 0.3).astype(np.int64)
    margin = model.decision(X)[:, 0]
    gap = margin[g == 1].mean() - margin[g == 0].mean()
    for name in ("linear_interventional", "linear_conditional"):
        found = make("explainer", name).explain(model, X, X[:300], RNG(0))
        gaps = found.values[g == 1].mean(axis=0) - found.values[g == 0].mean(axis=0)
        assert gaps.shape == (4,) and gaps.sum() == pytest.approx(gap, abs=1e-10)
    # the mean row of a group has the group's mean attributions
    means = np.stack([X[g == 1].mean(axis=0), X[g == 0].mean(axis=0)])
    rows = make("explainer", "linear_conditional").explain(model, means, X[:300], RNG(0)).values
    np.testing.assert_allclose(rows[0] - rows[1], gaps, atol=1e-12)


def test_links_of_many_models():
    """Binary margins, softmax and one-against-rest margins, with versions in front."""
    rng = RNG(0)
    coef, intercept = rng.normal(size=(4, 3, 2)), rng.normal(size=(4, 3))
    weight, offset = linear.class_score(coef, intercept, Link.MARGIN, 2)
    np.testing.assert_array_equal(weight, coef[:, 2])
    np.testing.assert_array_equal(offset, intercept[:, 2])
    weight, offset = linear.class_score(coef, intercept, Link.SOFTMAX, 2)
    np.testing.assert_allclose(weight, coef[:, 2] - coef[:, :2].mean(axis=1))
    np.testing.assert_allclose(offset, intercept[:, 2] - intercept[:, :2].mean(axis=1))
    only = np.array([[-np.inf, -np.inf, 0.0]])
    weight, offset = linear.class_score(coef[:1], only, Link.SOFTMAX, 2)
    assert np.isposinf(offset).all() and not weight.any()
