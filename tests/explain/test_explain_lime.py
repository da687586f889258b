"""LIME: closed forms, plain weighted ridge on the same draws, and the package lime in expectation."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn.linear_model import Ridge

from mlopsim.core.errors import ConfigError, DataError
from mlopsim.core.spec import make
from mlopsim.explain import lime as ours
from mlopsim.explain import quartiles
from mlopsim.learners.models import LinearModel, Link

RNG = np.random.default_rng
FORMS: list[dict[str, Any]] = [
    {},
    {"shared": False},
    {"around": "row"},
    {"around": "row", "shared": False},
]
MODEL = LinearModel(coef=np.array([[1.0, -2.0, 0.0, 0.5]]), intercept=np.array([0.3]), link=Link.SOFTMAX)


def rows(n: int, seed: int = 0, d: int = 4) -> np.ndarray:
    return (
        RNG(seed).normal(size=(n, d)) * np.array([1.0, 3.0, 0.1, 10.0])[:d]
        + np.array([0.0, 5.0, 1.0, -3.0])[:d]
    )


class Flat:
    """A model that gives every row the same probabilities."""

    def predict(self, Z: np.ndarray) -> np.ndarray:
        return np.zeros(len(Z), dtype=np.int64)

    def scores(self, Z: np.ndarray) -> np.ndarray:
        return np.full((len(Z), 2), 0.5)


def curved(classes: int = 2) -> tuple[Any, np.ndarray]:
    X = rows(400)
    y = ((X[:, 0] > 0) & (X[:, 1] > 4)).astype(np.int64)
    return make("learner", {"tree": {"max_depth": 4}}).fit(X, y, classes, np.random.SeedSequence(0)), X


def explain(model: Any, X: np.ndarray, background: np.ndarray, seed: int = 0, **params: Any) -> Any:
    return make("explainer", "lime", **params).explain(model, X, background, RNG(seed))


# -- closed forms ------------------------------------------------------------------------------------


@pytest.mark.parametrize("params", FORMS)
def test_a_linear_function_has_its_coefficients_in_standard_deviations(params: dict[str, Any]):
    X, background = rows(20, 1), rows(300, 2)
    found = explain(MODEL, X, background, alpha=0.0, output="margin", **params)
    expected = MODEL.coef[0] * background.std(axis=0)
    np.testing.assert_allclose(found.values, np.tile(expected, (20, 1)), atol=1e-8)
    np.testing.assert_allclose(found.base, MODEL.decision(background).mean(), atol=1e-8)
    assert found.stderr.max() < 1e-6


@pytest.mark.parametrize("params", FORMS)
def test_a_ridge_shrinks_by_the_documented_matrix(params: dict[str, Any]):
    X, background = rows(5, 1), rows(300, 2)
    found = explain(MODEL, X, background, output="margin", **params)
    sd = background.std(axis=0)
    Z = (X - background.mean(axis=0)) / sd
    width = 0.75 * np.sqrt(4)
    E = RNG(0).standard_normal((499, 4) if params.get("shared", True) else (5, 499, 4))
    for i in range(5):
        U = E if params.get("shared", True) else E[i]
        if "around" not in params:
            U = U - Z[i]
        w = np.append(np.exp(-(U**2).sum(axis=1) / (2 * width**2)), 1.0)
        U = np.concatenate([U, np.zeros((1, 4))])
        apart = U - np.average(U, axis=0, weights=w)
        G = (apart * w[:, None]).T @ apart
        expected = np.linalg.solve(G + np.eye(4), G @ (MODEL.coef[0] * sd))
        np.testing.assert_allclose(found.values[i], expected, atol=1e-9)
        assert np.abs(found.values[i, 1]) < np.abs(MODEL.coef[0, 1] * sd[1])


def test_a_function_of_bins_is_recovered_in_the_form_of_quartiles():
    """Where the output is a sum over features of being in the row's bin, that is what comes out."""
    background = RNG(3).normal(size=(400, 2))
    cuts = np.quantile(background, [0.25, 0.5, 0.75], axis=0)

    class Steps:
        def predict(self, Z: np.ndarray) -> np.ndarray:
            return self.scores(Z).argmax(axis=1)

        def scores(self, Z: np.ndarray) -> np.ndarray:
            upper = (cuts[2] < Z).astype(np.float64) @ [0.3, 0.1] + 0.2
            return np.stack([1.0 - upper, upper], axis=1)

    x = np.array([[9.0, 9.0]])
    found = explain(Steps(), x, background, form="quartiles", alpha=0.0)
    np.testing.assert_allclose(found.values, [[0.3, 0.1]], atol=1e-10)
    np.testing.assert_allclose(found.base, [0.2], atol=1e-10)


# -- the same draws, fitted by scikit-learn ----------------------------------------------------------


@pytest.mark.parametrize("alpha", [0.0, 1.0])
@pytest.mark.parametrize("form", ["continuous", "quartiles"])
def test_the_fits_are_weighted_ridge_regressions(form: str, alpha: float):
    model, background = curved()
    X = rows(6, 5)
    found = explain(model, X, background, form=form, alpha=alpha, samples=300)
    width = 0.75 * np.sqrt(4)
    mean, sd = background.mean(axis=0), background.std(axis=0)
    bins = quartiles.bins_of(background)
    if form == "continuous":
        perturbed = mean + sd * RNG(0).standard_normal((299, 4))
    else:
        codes, perturbed = quartiles.draw(bins, (299,), RNG(0))
        own = quartiles.codes_of(X, bins.cuts)
    for i, x in enumerate(X):
        near = np.concatenate([x[None], perturbed])
        y = model.scores(near)[:, 1]
        if form == "continuous":
            features = (near - mean) / sd
        else:
            features = np.concatenate([np.ones((1, 4)), (codes == own[i]).astype(float)])
        distance = np.linalg.norm(features - features[0], axis=1)
        fit = Ridge(alpha=alpha).fit(features, y, sample_weight=np.exp(-(distance**2) / (2 * width**2)))
        np.testing.assert_allclose(found.values[i], fit.coef_, atol=1e-9)
        np.testing.assert_allclose(found.base[i], fit.intercept_, atol=1e-9)


# -- the package -------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", ["continuous", "quartiles"])
def test_the_package_lime_agrees_in_expectation(form: str):
    lime_tabular = pytest.importorskip("lime.lime_tabular")
    model, background = curved()
    X = rows(3, 6)
    theirs = lime_tabular.LimeTabularExplainer(
        background,
        discretize_continuous=form == "quartiles",
        feature_selection="none",
        random_state=0,
    )
    samples, runs = 4000, 6
    for i, x in enumerate(X):
        package, base = np.zeros((runs, 4)), np.zeros(runs)
        for run in range(runs):
            explanation = theirs.explain_instance(x, model.scores, num_features=4, num_samples=samples)
            for feature, weight in explanation.local_exp[1]:
                package[run, feature] = weight
            base[run] = explanation.intercept[1]
        own = [
            explain(model, X[i : i + 1], background, 10 + r, form=form, samples=samples) for r in range(runs)
        ]
        values = np.array([found.values[0] for found in own])
        error = np.sqrt((values.var(axis=0, ddof=1) + package.var(axis=0, ddof=1)) / runs)
        assert (np.abs(values.mean(axis=0) - package.mean(axis=0)) < 5 * error + 1e-4).all()
        assert np.abs(values.mean(axis=0)).max() > 20 * error.max()
        assert np.mean([found.base[0] for found in own]) == pytest.approx(base.mean(), abs=0.01)


# -- standard errors ---------------------------------------------------------------------------------


@pytest.mark.parametrize("params", [*FORMS, {"form": "quartiles"}, {"form": "quartiles", "shared": False}])
def test_standard_errors_are_the_spread_over_draws(params: dict[str, Any]):
    model, background = curved()
    X = rows(3, 7)
    runs = [explain(model, X, background, seed, samples=400, **params) for seed in range(150)]
    spread = np.std([found.values for found in runs], axis=0, ddof=1)
    stated = np.sqrt(np.mean([found.stderr**2 for found in runs], axis=0))
    assert 0.85 < float((stated / spread).mean()) < 1.15


# -- edges -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("params", [*FORMS, {"form": "quartiles"}])
def test_a_constant_feature_stays_where_it_is_and_gets_nothing(params: dict[str, Any]):
    model, background = curved()
    background = background.copy()
    background[:, 0] = 0.1
    for alpha in (0.0, 1.0):
        X = rows(4, 8)
        X[:, 0] = 0.1
        found = explain(model, X, background, alpha=alpha, **params)
        assert not found.values[:, 0].any() and not found.stderr[:, 0].any() and found.values[:, 1].any()


@pytest.mark.parametrize("form", ["continuous", "quartiles"])
def test_background_rows_that_are_all_the_same_are_an_error(form: str):
    for background in (np.array([[0.5, 1.0]]), np.full((9, 2), 0.1)):
        with pytest.raises(DataError, match="all background rows are the same") as error:
            explain(Flat(), np.ones((3, 2)), background, form=form)
        assert error.value.remedy == "a background of different rows"


def test_one_feature():
    model = LinearModel(coef=np.array([[2.0]]), intercept=np.zeros(1), link=Link.MARGIN)
    found = explain(model, np.array([[1.0]]), np.array([[0.0], [4.0]]), alpha=0.0, output="margin")
    assert found.values == pytest.approx(4.0)


def test_far_rows_have_no_neighbours(monkeypatch: pytest.MonkeyPatch):
    background = rows(200, 2)
    far = background[:3].copy()
    far[1] += 1e4
    for cache in (1, 1 << 16):
        # the row's number is that among all rows
        monkeypatch.setattr(ours, "CACHE", cache)
        with pytest.raises(DataError, match=r"near row 1 do not tell its 4 features apart") as error:
            explain(MODEL, far, background, alpha=0.0, output="margin")
    assert "alpha above 0" in (error.value.remedy or "")
    found = explain(MODEL, far, background, output="margin")
    assert not found.values[1].any() and not found.stderr[1].any() and found.values[[0, 2]].all(axis=1).all()
    # farther and farther: few perturbations count, and the closed form still holds
    for distance in (3.0, 6.0, 12.0):
        near = background.mean(axis=0) + distance * background.std(axis=0)
        found = explain(MODEL, near[None], background, output="margin", alpha=0.0)
        np.testing.assert_allclose(
            found.values[0], MODEL.coef[0] * background.std(axis=0), rtol=1e-5, atol=1e-5
        )
    # around the row itself there are always neighbours
    found = explain(MODEL, far, background, alpha=0.0, output="margin", around="row")
    np.testing.assert_allclose(
        found.values, np.tile(MODEL.coef[0] * background.std(axis=0), (3, 1)), atol=1e-6
    )


def test_too_few_perturbations_are_an_error():
    with pytest.raises(DataError, match="do not tell its 4 features apart"):
        explain(MODEL, rows(2), rows(50, 1), alpha=0.0, samples=4, output="margin")


@pytest.mark.parametrize("params", [*FORMS, {"form": "quartiles"}, {"form": "quartiles", "shared": False}])
def test_blocks_do_not_change_numbers(params: dict[str, Any], monkeypatch: pytest.MonkeyPatch):
    model, background = curved()
    X = rows(7, 9)
    whole = explain(model, X, background, samples=50, **params)
    for block, cache in ((410, 1 << 16), (1 << 22, 110), (700, 210)):
        monkeypatch.setattr(ours, "BLOCK", block)
        monkeypatch.setattr(ours, "CACHE", cache)
        parts = explain(model, X, background, samples=50, **params)
        for name in ("values", "base", "stderr"):
            np.testing.assert_allclose(getattr(parts, name), getattr(whole, name), atol=1e-12)


def test_the_model_is_asked_once_for_all_rows_where_perturbations_are_shared():
    asked: list[int] = []

    class Counting:
        def predict(self, Z: np.ndarray) -> np.ndarray:
            return MODEL.predict(Z)

        def scores(self, Z: np.ndarray) -> np.ndarray:
            asked.append(len(Z))
            return MODEL.scores(Z)

    for form in ("continuous", "quartiles"):
        asked.clear()
        explain(Counting(), rows(50), rows(100, 1), form=form)
        assert sum(asked) == 499 + 50
    asked.clear()
    explain(Counting(), rows(50), rows(100, 1), shared=False)
    assert sum(asked) == 499 * 50 + 50


def test_the_width_decides_how_local_it_is():
    model, background = curved()
    X = rows(3, 7)
    wide = explain(model, X, background, width=100.0, samples=3000)
    # all rows count alike then: the slopes are the same everywhere
    np.testing.assert_allclose(wide.values, wide.values[[0, 0, 0]], atol=0.01)
    assert np.abs(np.diff(explain(model, X, background, width=0.8).values, axis=0)).max() > 0.05


def test_bins_are_as_frequent_as_in_the_background_and_values_stay_in_them():
    background = np.concatenate([np.zeros(60), np.arange(1.0, 41.0)])[:, None] * np.array([1.0, -1.0])
    bins = quartiles.bins_of(background)
    codes, values = quartiles.draw(bins, (20_000,), RNG(0))
    for j in range(2):
        share = np.bincount(bins.codes[:, j], minlength=4) / 100
        np.testing.assert_allclose(np.bincount(codes[:, j], minlength=4) / 20_000, share, atol=0.02)
    assert (values >= bins.low[codes, np.arange(2)]).all() and (
        values <= bins.high[codes, np.arange(2)]
    ).all()
    # a bin of one value holds that value
    assert (values[codes[:, 0] == 0, 0] == 0.0).all()


def test_parameters_that_do_not_fit_are_refused():
    with pytest.raises(ConfigError, match="nothing to draw around the row"):
        make("explainer", "lime", form="quartiles", around="row")
    for params in ({"samples": 1}, {"alpha": -1.0}, {"width": 0.0}, {"label": -1}):
        with pytest.raises(ConfigError, match=next(iter(params))):
            make("explainer", "lime", **params)
