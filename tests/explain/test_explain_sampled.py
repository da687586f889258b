"""Sampled and enumerated Shapley values of any function."""

from __future__ import annotations

from typing import Any

import explain_brute
import numpy as np
import pytest

from mlopsim.core.errors import ConfigError, DataError
from mlopsim.core.spec import make
from mlopsim.explain import sampled
from mlopsim.explain.output import Output, output_of
from mlopsim.learners.models import ConstantModel, LinearModel, Link

RNG = np.random.default_rng


def curved(Z: np.ndarray) -> np.ndarray:
    """A function whose features 0 to 3 interact, all at once; it does not use feature 4."""
    result: np.ndarray = np.tanh(Z[:, 0] + Z[:, 1] * Z[:, 2]) + Z[:, 0] * Z[:, 1] * Z[:, 2] * Z[:, 3]
    return result


def pairs(Z: np.ndarray) -> np.ndarray:
    """A function of features and of pairs of them."""
    result: np.ndarray = np.sin(Z[:, 0]) + Z[:, 1] * Z[:, 2] - np.exp(-((Z[:, 0] - Z[:, 3]) ** 2))
    return result


def rows(n: int, d: int = 5, seed: int = 0) -> np.ndarray:
    return RNG(seed).normal(size=(n, d))


def test_enumeration_is_the_definition():
    for d, f in ((5, curved), (4, pairs), (1, lambda Z: Z[:, 0] ** 3)):
        X, background = rows(4, d, 1), rows(9, d, 2)
        values, base = sampled.enumerated(f, X, background)
        np.testing.assert_allclose(values, explain_brute.interventional(f, X, background), atol=1e-12)
        assert base == pytest.approx(f(background).mean(), abs=1e-14)


def test_sampling_is_exact_for_features_that_interact_in_pairs():
    X, background = rows(6, 4, 1), rows(11, 4, 2)
    values, base, stderr = sampled.sampled(pairs, X, background, 2, RNG(0))
    np.testing.assert_allclose(values, explain_brute.interventional(pairs, X, background), atol=1e-12)
    assert stderr.max() < 1e-12 and base == pytest.approx(pairs(background).mean())


@pytest.mark.parametrize(("m", "draws"), [(1, 30), (7, 30), (40, 2)])
def test_sampling_agrees_within_its_errors(m: int, draws: int):
    X, background = rows(5, seed=3), rows(m, seed=4)
    exact, base = sampled.enumerated(curved, X, background)
    runs = [sampled.sampled(curved, X, background, draws, RNG([5, i])) for i in range(80)]
    values = np.array([run[0] for run in runs])
    stderr = np.array([run[2] for run in runs])
    used = slice(0, 4)
    # unbiased, and the mean squared standard error is the variance
    bias = (values.mean(axis=0) - exact)[:, used] / (values.std(axis=0)[:, used] / np.sqrt(80))
    assert np.abs(bias).max() < 5
    ratio = (stderr**2).mean(axis=0)[:, used] / values.var(axis=0, ddof=1)[:, used]
    assert 0.85 < ratio.mean() < 1.2
    for found, own, _ in runs[:3]:
        np.testing.assert_allclose(found.sum(axis=1) + own, curved(X), atol=1e-12)
        assert own == base
    # the feature that is not used
    assert not values[..., 4].any() and not stderr[..., 4].any()


def test_every_background_row_is_asked_about_equally_often():
    background = np.arange(500.0)[:, None] * np.array([1.0, 0.0, 0.0]) + 1000.0
    seen: list[np.ndarray] = []

    def f(Z: np.ndarray) -> np.ndarray:
        # rows whose first feature is the background's
        seen.append(Z[Z[:, 0] >= 1000.0, 0])
        result: np.ndarray = Z.sum(axis=1)
        return result

    values, base, _ = sampled.sampled(f, np.zeros((1, 3)), background, 10, RNG(0))
    counts = np.unique(np.concatenate(seen), return_counts=True)[1]
    # once for the mean, and of each pair of orders (two of each row) one to three times
    assert len(counts) == 500 and counts.min() >= 1 + 2 and counts.max() <= 1 + 6
    np.testing.assert_allclose(values, -background.mean(axis=0)[None], rtol=1e-12)
    assert base == pytest.approx(background.sum(axis=1).mean())


def test_features_in_symmetric_roles_get_the_same():
    def f(Z: np.ndarray) -> np.ndarray:
        result: np.ndarray = Z[:, 0] * Z[:, 1] * Z[:, 2]
        return result

    same = np.array([[2.0, 2.0, 2.0]]), np.array([[1.0, 1.0, 1.0], [0.0, 0.0, 0.0]])
    values, _ = sampled.enumerated(f, *same)
    np.testing.assert_allclose(values, values[0, 0], atol=1e-14)
    assert values.sum() == pytest.approx(8.0 - 0.5)


def test_blocks_do_not_change_numbers(monkeypatch: pytest.MonkeyPatch):
    X, background = rows(5, seed=1), rows(7, seed=2)
    whole = sampled.sampled(curved, X, background, 20, RNG(0)), sampled.enumerated(curved, X, background)
    for block in (1, 100, 3000):
        monkeypatch.setattr(sampled, "BLOCK", block)
        again = sampled.sampled(curved, X, background, 20, RNG(0)), sampled.enumerated(curved, X, background)
        for one, other in zip(whole, again, strict=True):
            for a, b in zip(one, other, strict=True):
                np.testing.assert_array_equal(a, b)


def test_one_row_one_feature_one_background_row():
    explainer = make("explainer", "permutation", output="margin")
    model = LinearModel(coef=np.array([[3.0]]), intercept=np.array([1.0]), link=Link.MARGIN)
    found = explainer.explain(model, np.array([[2.0]]), np.array([[-1.0]]), RNG(0))
    assert found.values == pytest.approx(9.0) and found.base == pytest.approx(-2.0)
    assert found.stderr == pytest.approx(0.0)


@pytest.mark.parametrize("output", ["probability", "margin"])
@pytest.mark.parametrize(
    "learner",
    ["ridge", "lda", "logistic", "naive_bayes", "mlp", "gbm", {"tree": {"max_depth": 4}}, "sklearn"],
)
def test_all_learners_can_be_explained(learner: Any, output: str):
    X = rows(200, 4)
    y = (X[:, 0] * X[:, 1] + X[:, 2] > 0).astype(np.int64)
    model = make("learner", learner).fit(X, y, 2, np.random.SeedSequence(0))
    exact = make("explainer", "exact", output=output)
    if output == "margin" and learner in ({"tree": {"max_depth": 4}}, "sklearn"):
        with pytest.raises(DataError, match="infinite") as error:
            exact.explain(model, X[:5], X[100:130], RNG(0))
        assert error.value.remedy == "explain output=probability"
        return
    reference = exact.explain(model, X[:5], X[100:130], RNG(0))
    f = output_of(model, Output(output), 1)
    np.testing.assert_allclose(reference.total, f(X[:5]), atol=1e-10)
    np.testing.assert_allclose(
        reference.values, explain_brute.interventional(f, X[:5], X[100:130]), atol=1e-10
    )
    found = make("explainer", "permutation", output=output).explain(model, X[:5], X[100:130], RNG(0))
    np.testing.assert_allclose(found.total, f(X[:5]), atol=1e-10)
    assert (np.abs(found.values - reference.values) <= 6 * found.stderr + 1e-10).all()


def test_margins_agree_with_the_closed_forms():
    X = rows(300, 4)
    y = np.digitize(X[:, 0] - X[:, 3], [-0.5, 0.5])
    for learner, name in (("logistic", "linear_interventional"), ("naive_bayes", "additive")):
        model = make("learner", learner).fit(X, y, 3, np.random.SeedSequence(0))
        for label in range(3):
            one = make("explainer", name, label=label).explain(model, X[:5], X[200:], RNG(0))
            exact = make("explainer", "exact", label=label, output="margin")
            other = exact.explain(model, X[:5], X[200:], RNG(0))
            np.testing.assert_allclose(one.values, other.values, atol=1e-9)
            np.testing.assert_allclose(one.base, other.base, atol=1e-9)
    tree = make("learner", "gbm", max_iter=4).fit(X, y, 3, np.random.SeedSequence(0))
    one = make("explainer", "tree").explain(tree, X[:5], X[200:], RNG(0))
    other = make("explainer", "exact", output="margin").explain(tree, X[:5], X[200:], RNG(0))
    np.testing.assert_allclose(one.values, other.values, atol=1e-12)


def test_a_margin_that_is_infinite_everywhere_gets_zeros():
    X = rows(30)
    always = make("learner", "lda").fit(X, np.ones(30, np.int64), 2, np.random.SeedSequence(0))
    for model in (always, ConstantModel(label=1, n_classes=2)):
        for name in ("permutation", "exact", "lime"):
            for label, level in ((1, np.inf), (0, -np.inf)):
                explainer = make("explainer", name, output="margin", label=label)
                found = explainer.explain(model, X[:3], X, RNG(0))
                assert not found.values.any() and (found.base == level).all()


def test_limits_are_named():
    model = LinearModel(coef=np.ones((1, 17)), intercept=np.zeros(1), link=Link.SOFTMAX)
    with pytest.raises(ConfigError, match=r"2\^17 subsets, most=10") as error:
        make("explainer", "exact").explain(model, rows(1, 17), rows(2, 17), RNG(0))
    assert "permutation" in (error.value.remedy or "")
    with pytest.raises(ConfigError, match="at most 16"):
        sampled.enumerated(model.decision, rows(1, 17), rows(2, 17))
    with pytest.raises(ConfigError, match="draws"):
        make("explainer", "permutation", draws=1)
    found = make("explainer", "permutation").explain(model, rows(1, 17), rows(2, 17), RNG(0))
    assert found.values.shape == (1, 17)
