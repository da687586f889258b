"""Contract checks of explainers."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any

import numpy as np

from mlopsim.checks.base import Check, ContractError, identical, own_randomness, require
from mlopsim.core.errors import ConfigError, DataError
from mlopsim.core.spec import make
from mlopsim.explain.attributions import Attributions
from mlopsim.explain.explainer import Explainer
from mlopsim.learners.models import ConstantModel, LinearModel, Link

#: largest difference where two ways must give the same numbers, relative to the largest of them
CLOSE = 1e-9
LEARNERS: tuple[Any, ...] = (
    "ridge",
    "logistic",
    "naive_bayes",
    {"tree": {"max_depth": 3}},
    {"gbm": {"max_iter": 5}},
    {"sklearn": {"path": "sklearn.ensemble.RandomForestClassifier", "params": {"n_estimators": 5}}},
    {"mlp": {"epochs": 5}},
)
D = 4


def _rows(n: int, seed: int, d: int = D) -> np.ndarray:
    """Return rows whose features are dependent; float32 can hold them."""
    rng = np.random.default_rng([seed, d])
    X = rng.normal(size=(n, d))
    X[:, -1] += X[:, 0]
    return X.astype(np.float32).astype(np.float64)


@cache
def _models(d: int = D, classes: int = 2) -> dict[str, Any]:
    """Return a model of each kind, by name."""
    X = _rows(150, 1, d)
    rng = np.random.default_rng(2)
    score = X[:, 0] + 0.5 * X[:, -1] ** 2 + 0.3 * rng.normal(size=len(X))
    y = np.searchsorted(np.quantile(score, np.arange(1, classes) / classes), score)
    found = {}
    for spec in LEARNERS:
        name = spec if isinstance(spec, str) else next(iter(spec))
        found[name] = make("learner", spec).fit(X, y, classes, np.random.SeedSequence(3))
    return found


def _explained(cls: type[Any], d: int = D, classes: int = 2) -> Iterator[tuple[str, Any, Any]]:
    """Yield name, model and explainer for each kind of model that it takes; at least one."""
    explainer = make("explainer", cls.name)
    require(isinstance(explainer, Explainer), "is no Explainer", remedy="derive it from Explainer")
    count = 0
    for name, model in _models(d, classes).items():
        try:
            explainer.check_model(model)
        except ConfigError as error:
            require(error.remedy is not None, f"refuses a model of learner/{name} without a remedy")
            continue
        count += 1
        yield name, model, explainer
    require(count > 0, f"can explain no model of {', '.join(_models(d, classes))}")


def _explain(explainer: Any, model: Any, X: np.ndarray, background: np.ndarray, seed: int = 0) -> Any:
    return explainer.explain(model, X, background, np.random.default_rng(seed))


def _scale(*arrays: np.ndarray) -> float:
    return max(1.0, *(float(np.abs(a).max(initial=0.0)) for a in arrays))


def _form(cls: type[Any]) -> None:
    for d, classes in ((D, 2), (1, 2), (D, 3)):
        background = _rows(40, 4, d)
        for name, model, explainer in _explained(cls, d, classes):
            for n in (6, 1, 0):
                X = _rows(n, 5, d)
                where = f"{n} row(s) of {d} features, learner/{name}"
                found = _explain(explainer, model, X, background)
                require(isinstance(found, Attributions), f"returns {type(found).__name__}, not Attributions")
                _checked(where, "values", found.values, (n, d))
                _checked(where, "base", found.base, (n,))
                if n:
                    _checked(where, "explained()", explainer.explained(model, X), (n,))
                if found.stderr is not None:
                    _checked(where, "stderr", found.stderr, (n, d))
                    require(bool((found.stderr >= 0.0).all()), f"{where}: a standard error is negative")
                    require(cls.drawn, f"{where}: standard errors, but it says that it draws nothing")


def _checked(where: str, what: str, array: Any, shape: tuple[int, ...]) -> None:
    require(
        isinstance(array, np.ndarray) and array.dtype == np.float64 and array.shape == shape,
        f"{where}: {what} must be float64 of shape {shape}",
    )
    require(bool(np.isfinite(array).all()), f"{where}: {what} holds values that are not finite")


def _adds_up(cls: type[Any]) -> None:
    X, background = _rows(30, 5), _rows(130, 4)
    for name, model, explainer in _explained(cls):
        found, output = _explain(explainer, model, X, background), explainer.explained(model, X)
        values, base = found.values, found.base
        require(bool((np.abs(values).max(axis=0) > 0.0).any()), f"learner/{name}: all attributions are 0")
        if not cls.efficient:
            continue
        mean = float(explainer.explained(model, background).mean())
        tolerance = CLOSE * _scale(output)
        gap = float(np.abs(found.total - output).max())
        require(gap <= tolerance, f"learner/{name}: base and attributions miss the output by {gap:.3g}")
        gap = float(np.abs(base - mean).max())
        require(
            gap <= tolerance,
            f"learner/{name}: the base misses the mean output over the {len(background)} background rows by "
            f"{gap:.3g}",
            remedy="use every row of the background",
        )


def _deterministic(cls: type[Any]) -> None:
    X, background = _rows(8, 5), _rows(40, 4)
    for name, model, explainer in _explained(cls):
        with own_randomness():
            one = _explain(explainer, model, X, background)
            again = _explain(explainer, model, X, background)
            fresh = _explain(make("explainer", cls.name), model, X, background)
        require(
            identical(one, again) and identical(one, fresh),
            f"learner/{name}: explained twice with the same generator, it gives other numbers",
            remedy="take all randomness from the generator, and keep no state",
        )
        if not cls.drawn:
            rng = np.random.default_rng(0)
            explainer.explain(model, X, background, rng)
            require(
                rng.bit_generator.state == np.random.default_rng(0).bit_generator.state,
                "draws from the generator, but says that it draws nothing",
                remedy="drawn = True",
            )


def _keeps_inputs(cls: type[Any]) -> None:
    X, background = _rows(8, 5), _rows(40, 4)
    copies = X.copy(), background.copy()
    for name, model, explainer in _explained(cls):
        before = model.scores(X)
        found = _explain(explainer, model, X, background)
        require(identical(copies, (X, background)), f"learner/{name}: it changes the rows that it is given")
        require(identical(before, model.scores(X)), f"learner/{name}: it changes the model")
        held = found.values.copy()
        rows, others = X.copy(), background.copy()
        found = _explain(explainer, model, rows, others)
        rows[:], others[:] = 0.0, 0.0
        require(identical(held, found.values), f"learner/{name}: attributions are views of the rows")


def _rows_alone(cls: type[Any]) -> None:
    X, background = _rows(9, 5), _rows(40, 4)
    for name, model, explainer in _explained(cls):
        together = _explain(explainer, model, X, background)
        tolerance = CLOSE * _scale(together.values)
        for places in (np.arange(9)[::-1], np.array([4])):
            found = _explain(explainer, model, X[places], background)
            gap = np.abs(found.values - together.values[places]).max()
            gap = max(float(gap), float(np.abs(found.base - together.base[places]).max()))
            require(gap <= tolerance, f"learner/{name}: a row's attributions depend on the rows beside it")


def _constant(cls: type[Any]) -> None:
    X, background = _rows(8, 5), _rows(40, 4)
    X[:, 1] = background[:, 1] = 0.25
    for name, model, explainer in _explained(cls):
        found = _explain(explainer, model, X, background)
        require(
            bool((np.abs(found.values[:, 1]) <= CLOSE * _scale(found.values)).all()),
            f"learner/{name}: a feature that is the same in all rows gets an attribution",
        )
    explainer = make("explainer", cls.name)
    for label in (0, 1):
        found = _explain(explainer, ConstantModel(label=label, n_classes=2), X, background)
        require(not found.values.any(), "a constant model's features get attributions")


def _unused(cls: type[Any]) -> None:
    if not cls.ignores_unused:
        return
    X, background = _rows(8, 5), _rows(40, 4)
    explainer = make("explainer", cls.name)
    models = list(_unused_models())
    taken = 0
    for model in models:
        try:
            explainer.check_model(model)
        except ConfigError:
            continue
        taken += 1
        found = _explain(explainer, model, X, background)
        require(
            bool((np.abs(found.values[:, 2]) <= CLOSE * _scale(found.values)).all()),
            "a feature that the model does not use gets an attribution",
            remedy="ignores_unused = False, if that is meant",
        )
    if not taken:
        raise ContractError("takes no model for which it could be seen whether it ignores unused features")


@cache
def _unused_models() -> tuple[Any, ...]:
    """Return models that do not use feature 2, one of each kind."""
    coef = np.array([[1.0, -2.0, 0.0, 0.5]])
    linear = LinearModel(coef=coef, intercept=np.array([0.1]), link=Link.SOFTMAX)
    X = _rows(150, 1)
    y = (X[:, 0] - X[:, 3] > 0).astype(np.int64)
    X[:, 2] = 0.0
    tree = make("learner", "tree").fit(X, y, 2, np.random.SeedSequence(0))
    bayes = make("learner", "naive_bayes").fit(X, y, 2, np.random.SeedSequence(0))
    half, centre = bayes.half.copy(), bayes.centre.copy()
    half[:, 2], centre[:, 2] = 1.0, 0.0
    return linear, tree, type(bayes)(intercept=bayes.intercept, half=half, centre=centre)


def _bad_rows(cls: type[Any]) -> None:
    X, background = _rows(8, 5), _rows(40, 4)
    hole, endless = X.copy(), background.copy()
    hole[3, 1], endless[7, 2] = np.nan, np.inf
    cases = {
        "NaN in a row to explain": (hole, background),
        "infinity in the background": (X, endless),
        "another number of features in the background": (X, background[:, :-1]),
        "another number of features than the model takes": (X[:, :-1], background[:, :-1]),
        "a background without rows": (X, background[:0]),
        "one row instead of a table": (X[0], background),
    }
    for name, model, explainer in _explained(cls):
        for what, (rows, others) in cases.items():
            try:
                _explain(explainer, model, rows, others)
            except DataError:
                continue
            raise ContractError(f"learner/{name}: accepts {what}", remedy="DataError, see finite_rows()")


CHECKS = [
    Check(name="form", text="attributions have the right shapes and types", run=_form),
    Check(name="adds up", text="attributions add up to the output, where it is promised", run=_adds_up),
    Check(name="deterministic", text="the same generator gives the same numbers", run=_deterministic),
    Check(name="inputs", text="rows and models are neither changed nor kept", run=_keeps_inputs),
    Check(name="rows alone", text="a row's attributions do not depend on other rows", run=_rows_alone),
    Check(name="constant", text="constant features and models get 0", run=_constant),
    Check(name="unused", text="unused features get 0, where it is promised", run=_unused),
    Check(name="bad rows", text="rows that cannot be explained are an error", run=_bad_rows),
]
