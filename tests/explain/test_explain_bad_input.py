"""What cannot be explained is one clear error, of every explainer; the extra is needed for shap alone."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from mlopsim.checks.run import check_component
from mlopsim.core.errors import ConfigError, DataError
from mlopsim.core.registry import find, names
from mlopsim.core.spec import make

RNG = np.random.default_rng
LEARNERS = {"additive": "naive_bayes", "tree": {"tree": {"max_depth": 3}}}


def rows(n: int, d: int = 3, seed: int = 0) -> np.ndarray:
    return RNG(seed).normal(size=(n, d))


def trained(explainer: str) -> Any:
    """Return a model that the explainer takes."""
    X = rows(200, seed=1)
    y = (X[:, 0] + X[:, 1] > 0).astype(np.int64)
    learner = make("learner", LEARNERS.get(explainer, "logistic"))
    return learner.fit(X, y, 2, np.random.SeedSequence(0))


def replaced(X: np.ndarray, value: float) -> np.ndarray:
    X = X.copy()
    X[2, 1] = value
    return X


BAD: dict[str, tuple[Callable[[], Any], Callable[[], Any], str]] = {
    "NaN": (lambda: replaced(rows(4), np.nan), lambda: rows(9), "to explain: row 2, column 1 holds nan"),
    "infinity": (lambda: rows(4), lambda: replaced(rows(9), -np.inf), "background: row 2, column 1 holds"),
    "background without rows": (lambda: rows(4), lambda: rows(0), "the background has no rows"),
    "narrow background": (lambda: rows(4), lambda: rows(9, 2), "have 3 features, the background 2"),
    "narrow rows": (lambda: rows(4, 2), lambda: rows(9, 2), "have 2 features, the model takes 3"),
    "wide rows": (lambda: rows(4, 5), lambda: rows(9, 5), "have 5 features, the model takes 3"),
    "no features": (lambda: rows(4, 0), lambda: rows(9, 0), "no features"),
    "a single row": (lambda: rows(4)[0], lambda: rows(9), r"not a table of numbers \(n, d\), but float64"),
    "texts": (lambda: np.full((4, 3), "a"), lambda: rows(9), "not a table of numbers"),
}  # fmt: skip


@pytest.mark.parametrize("case", BAD)
@pytest.mark.parametrize("name", names("explainer"))
def test_bad_rows_are_named(name: str, case: str) -> None:
    X, background, message = BAD[case]
    with pytest.raises(DataError, match=message):
        make("explainer", name).explain(trained(name), X(), background(), RNG(0))


@pytest.mark.parametrize("name", names("explainer"))
def test_the_remedies_say_what_to_pass(name: str) -> None:
    for case, what in (
        ("NaN", "encoded"),
        ("narrow rows", "encoded"),
        ("background without rows", "warm-up"),
    ):
        X, background, _ = BAD[case]
        with pytest.raises(DataError) as error:
            make("explainer", name).explain(trained(name), X(), background(), RNG(0))
        assert what in (error.value.remedy or "")


@pytest.mark.parametrize("name", names("explainer"))
def test_one_background_row_is_a_baseline_or_an_error(name: str) -> None:
    """Exact where the background is what features are taken from; a law or a scale needs more rows."""
    explainer, model, X, one = make("explainer", name), trained(name), rows(4), rows(1, seed=5)
    if name in ("lime", "linear_conditional"):
        with pytest.raises(DataError, match=f"explainer/{name}: .*background") as error:
            explainer.explain(model, X, one, RNG(0))
        assert "background" in (error.value.remedy or "")
        return
    found = explainer.explain(model, X, one, RNG(0))
    np.testing.assert_allclose(found.base, explainer.explained(model, one)[0], atol=1e-12)
    np.testing.assert_allclose(found.total, explainer.explained(model, X), atol=1e-10)


def test_the_conditional_form_needs_a_law_with_a_density() -> None:
    model, X, background = trained("linear_conditional"), rows(4), rows(50, seed=5)
    with pytest.raises(DataError, match=r"covariance of 3 features needs more rows than that, .* has 3"):
        make("explainer", "linear_conditional").explain(model, X, background[:3], RNG(0))
    background[:, 2] = 2.0 * background[:, 0] - background[:, 1]
    for params in ({"exact": 12}, {"exact": 0}):
        strict = make("explainer", "linear_conditional", shrinkage=0.0, **params)
        with pytest.raises(DataError, match="linear function of others") as error:
            strict.explain(model, X, background, RNG(0))
        assert "shrinkage above 0" in (error.value.remedy or "")
        found = make("explainer", "linear_conditional", **params).explain(model, X, background, RNG(0))
        np.testing.assert_allclose(found.total, model.decision(X)[:, 0], atol=1e-9)
    # what is constant tells nothing
    background[:, 2] = 7.0
    found = make("explainer", "linear_conditional", shrinkage=0.0).explain(model, X, background, RNG(0))
    expected = model.coef[0, 2] * (X[:, 2] - 7.0)
    np.testing.assert_allclose(found.values[:, 2], expected, atol=1e-10)


@pytest.mark.parametrize("name", ["linear_interventional", "linear_conditional", "additive", "tree"])
def test_models_without_the_structure_are_refused(name: str) -> None:
    class Opaque:
        def predict(self, X: np.ndarray) -> np.ndarray:
            return np.zeros(len(X), dtype=np.int64)

        def scores(self, X: np.ndarray) -> np.ndarray:
            return np.full((len(X), 2), 0.5)

    with pytest.raises(ConfigError, match=f"explainer/{name} needs .*, got Opaque") as error:
        make("explainer", name).explain(Opaque(), rows(2), rows(9), RNG(0))
    assert error.value.remedy == "the explainer permutation"
    found = make("explainer", "permutation").explain(Opaque(), rows(2), rows(9), RNG(0))
    assert not found.values.any() and (found.base == 0.5).all()


@pytest.mark.parametrize("name", names("explainer"))
def test_without_the_packages_shap_and_lime_every_explainer_works(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "shap", None)
    monkeypatch.setitem(sys.modules, "lime", None)
    assert {v.check: v.problem for v in check_component(find("explainer", name)) if v.problem} == {}
