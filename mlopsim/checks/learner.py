"""Contract checks of learners."""

from __future__ import annotations

from typing import Any

import numpy as np

from mlopsim.checks.base import Check, identical, own_randomness, require
from mlopsim.core.errors import ConfigError
from mlopsim.core.spec import make
from mlopsim.learners.base import BatchLearner, Learner, takes_weights

#: largest difference of scores between all versions at once and one alone, relative to the largest score
CLOSE = 1e-6


def _rows(classes: int, n: int = 120, d: int = 4, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Return rows of classes that overlap a little, in random order."""
    rng = np.random.default_rng([seed, classes])
    y = rng.integers(0, classes, n)
    y[:classes] = np.arange(classes)
    X = rng.normal(size=(n, d)) + 2.0 * rng.normal(size=(classes, d))[y]
    return X, y


def _fit(cls: type[Any], X: np.ndarray, y: np.ndarray, classes: int, seed: int = 0) -> Any:
    return make("learner", cls.name).fit(X, y, classes, np.random.SeedSequence(seed))


def _checked(model: Any, X: np.ndarray, classes: int) -> tuple[np.ndarray, np.ndarray]:
    """Return labels and scores of a model after a look at their form."""
    labels, scores = model.predict(X), model.scores(X)
    for what, array, dtype, shape in (
        ("predict", labels, np.int64, (len(X),)),
        ("scores", scores, np.float64, (len(X), classes)),
    ):
        require(isinstance(array, np.ndarray), f"{what}() returns {type(array).__name__}, not an array")
        require(
            array.dtype == dtype and array.shape == shape,
            f"{what}() returns {array.dtype} of shape {array.shape}, expected {np.dtype(dtype)} of {shape}",
        )
    require(
        bool(((labels >= 0) & (labels < classes)).all()),
        f"predicts {labels.min()}..{labels.max()}, but labels are 0..{classes - 1}",
    )
    require(not np.isnan(scores).any(), "a score is NaN")
    top = scores.max(axis=1)
    own = scores[np.arange(len(X)), labels]
    wrong = own < top - CLOSE * np.maximum(1.0, np.abs(top))
    require(not wrong.any(), "predicts another class than the one with the largest score")
    return labels, scores


def _form(cls: type[Any]) -> None:
    require(isinstance(make("learner", cls.name), Learner), "has no method fit()")
    for classes in (2, 3):
        X, y = _rows(classes)
        model = _fit(cls, X, y, classes)
        fresh, _ = _rows(classes, n=17, seed=1)
        _checked(model, fresh, classes)
        _checked(model, fresh[:1], classes)


def _deterministic(cls: type[Any]) -> None:
    X, y = _rows(2)
    fresh, _ = _rows(2, n=50, seed=1)
    seed = np.random.SeedSequence(5)
    learner = make("learner", cls.name)
    with own_randomness():
        models = [learner.fit(X, y, 2, seed), learner.fit(X, y, 2, seed), _fit(cls, X, y, 2, seed=5)]
        results = [_checked(model, fresh, 2) for model in models]
    require(
        identical(results[0], results[1]) and identical(results[0], results[2]),
        "trained twice on the same rows with the same seed, it gives other numbers",
        remedy="take all randomness from the seed, and do not spawn from it or keep state in the learner",
    )
    require(identical(results[0], _checked(models[0], fresh, 2)), "predicting twice gives other numbers")


def _keeps_inputs(cls: type[Any]) -> None:
    X, y = _rows(2)
    fresh, _ = _rows(2, n=30, seed=1)
    copies = X.copy(), y.copy(), fresh.copy()
    model = _fit(cls, X, y, 2)
    require(
        identical(copies[:2], (X, y)), "fit() changes the rows that it is given", remedy="copy before writing"
    )
    before = _checked(model, fresh, 2)
    require(
        identical(copies[2], fresh), "predict() or scores() changes the rows", remedy="copy before writing"
    )
    X[:], y[:] = 0.0, 0
    require(
        identical(before, _checked(model, fresh, 2)),
        "the model changes when its training rows are overwritten later",
        remedy="copy what the model keeps",
    )


def _missing_class(cls: type[Any]) -> None:
    X, y = _rows(3)
    fresh, _ = _rows(3, n=50, seed=1)
    for absent in range(3):
        keep = y != absent
        labels, scores = _checked(_fit(cls, X[keep], y[keep], 3), fresh, 3)
        require(not (labels == absent).any(), f"predicts class {absent}, which its training rows do not have")
        require(not np.isposinf(scores[:, absent]).any(), "gives an unseen class the highest score")


def _one_class(cls: type[Any]) -> None:
    X, _ = _rows(3)
    fresh, _ = _rows(3, n=20, seed=1)
    for only in (0, 2):
        for rows in (X[:40], X[:1]):
            labels, _ = _checked(_fit(cls, rows, np.full(len(rows), only, dtype=np.int64), 3), fresh, 3)
            require(bool((labels == only).all()), "trained on rows of one class, it predicts another one")


def _hard_rows(cls: type[Any]) -> None:
    X, y = _rows(2)
    fresh, _ = _rows(2, n=30, seed=1)
    far = np.array([1e6, 0.0, -1e6, 0.0])
    _checked(_fit(cls, X + far, y, 2), fresh + far, 2)
    constant, twice = X.copy(), X.copy()
    constant[:, 1], twice[:, 1] = 3.0, twice[:, 0]
    for rows in (constant, twice, X[:10]):
        _checked(_fit(cls, rows, y[: len(rows)], 2), fresh, 2)


def _batch(cls: type[Any]) -> None:
    learner = make("learner", cls.name)
    if not isinstance(learner, BatchLearner):
        return
    for classes, far in ((2, 0.0), (3, 0.0), (3, 100.0)):
        X, y = _rows(classes, n=150)
        X = X + far
        bounds = np.array([0, 20, 50, 80, 120, 150])
        first, last = np.array([0, 0, 1, 3]), np.array([0, 2, 3, 4])
        copies = X.copy(), y.copy(), bounds.copy(), first.copy(), last.copy()
        models = learner.fit_versions(X, y, classes, bounds, first, last)
        require(identical(copies, (X, y, bounds, first, last)), "fit_versions() changes what it is given")
        labels = models.predict(X)
        require(
            labels.dtype == np.uint8 and labels.shape == (len(first), len(X)),
            f"predict() of all versions returns {labels.dtype} {labels.shape}, expected uint8 (V, n)",
        )
        for i in range(len(first)):
            one, scores = _checked(models.model(i), X, classes)
            require(
                identical(one.astype(np.uint8), labels[i]), "model(i) predicts other labels than all at once"
            )
            alone = learner.fit_versions(X, y, classes, bounds, first[[i]], last[[i]]).predict(X)
            require(identical(alone[0], labels[i]), "a version depends on the versions beside it")
            rows = slice(bounds[first[i]], bounds[last[i] + 1])
            own, reference = _checked(_fit(cls, X[rows], y[rows], classes), X, classes)
            scale = max(1.0, float(np.abs(reference[np.isfinite(reference)]).max(initial=0.0)))
            with np.errstate(invalid="ignore"):
                gap = np.where(scores == reference, 0.0, np.abs(scores - reference))
            require(bool((gap <= CLOSE * scale).all()), "fit_versions() and fit() give other scores")
            margin = np.diff(np.sort(reference, axis=1)[:, -2:], axis=1)[:, 0]
            clear = ~(margin <= CLOSE * scale)
            require(bool((one == own)[clear].all()), "fit_versions() and fit() give other labels")


def _weights(cls: type[Any]) -> None:
    learner = make("learner", cls.name)
    if not takes_weights(learner):
        return
    X, y = _rows(2)
    fresh, _ = _rows(2, n=50, seed=1)
    seed = np.random.SeedSequence(5)
    plain = _checked(learner.fit(X, y, 2, seed), fresh, 2)
    try:
        ones = _checked(learner.fit(X, y, 2, seed, weight=np.ones(len(y))), fresh, 2)
    except ConfigError:
        # it says itself that this one cannot
        return
    scale = max(1.0, float(np.abs(plain[1]).max()))
    require(bool(np.abs(plain[1] - ones[1]).max() <= CLOSE * scale), "weights of 1 change its scores")
    # rows that tell nothing of their class: only the weights decide
    X = _rows(2, seed=2)[0][:, ::-1] - X
    even = _checked(learner.fit(X, y, 2, seed), fresh, 2)[0]
    heavy = _checked(learner.fit(X, y, 2, seed, weight=np.where(y == 1, 50.0, 0.02)), fresh, 2)[0]
    require(bool(heavy.sum() > even.sum()), "a class that weighs more is predicted no more often")


CHECKS = [
    Check(name="form", text="fit, predict and scores have the right shapes and types", run=_form),
    Check(name="deterministic", text="the same rows and seed give the same model", run=_deterministic),
    Check(name="inputs", text="rows are neither changed nor kept", run=_keeps_inputs),
    Check(name="missing class", text="classes without training rows are never predicted", run=_missing_class),
    Check(name="one class", text="rows of one class, or a single row, give that class", run=_one_class),
    Check(
        name="hard rows", text="far-off, constant, doubled columns and few rows give numbers", run=_hard_rows
    ),
    Check(name="batch", text="all versions at once equal each alone", run=_batch),
    Check(name="weights", text="rows count by their weights", run=_weights),
]
