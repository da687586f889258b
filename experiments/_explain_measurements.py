"""What the throughput experiment measures of explainers: ours against the packages lime and shap.

Ours is ``explainer.explain`` with all its checks. The package lime explains row by row; its explainer is made
before the timing. shap's side is our explainer ``tree`` with ``engine=shap``, which asks its TreeExplainer
about rows rounded to float32 and checks the same things. Both sides must give the same attributions, LIME
within its standard errors, else there is an error instead of a number.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from itertools import product
from typing import Any

import numpy as np
from _measurements import Contest, Work, measurement

#: standard errors by which two LIMEs of different draws may differ
ERRORS = 7.0


def table(n: int, d: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return dependent rows that float32 can hold, and labels that depend on them."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, d)) + 0.5 * rng.normal(size=(n, 1))
    score = X[:, 0] + X[:, 1 % d] * X[:, 2 % d] + 0.3 * rng.normal(size=n)
    return X.astype(np.float32).astype(np.float64), (score > 0.0).astype(np.int64)


def trained(learner: Any, d: int) -> Any:
    """Return a model of two classes, trained on 2,000 rows."""
    from mlopsim import make

    X, y = table(2000, d, 0)
    return make("learner", learner).fit(X, y, 2, np.random.SeedSequence(0))


def label(learner: Any) -> str:
    """Return how a learner is written in the table."""
    from mlopsim.core.spec import label as written

    return written("learner", learner)


def package(background: np.ndarray, form: str) -> Any:
    """Return the explainer of the package lime.

    Raises
    ------
    MissingExtraError
        If the package is not installed.
    """
    from mlopsim.core.errors import MissingExtraError

    try:
        from lime.lime_tabular import LimeTabularExplainer
    except ImportError as error:
        raise MissingExtraError("the measurement of LIME", "dev") from error
    return LimeTabularExplainer(
        background, discretize_continuous=form == "quartiles", feature_selection="none", random_state=0
    )


def package_slopes(
    explainer: Any, chance: Callable[[np.ndarray], np.ndarray], X: np.ndarray, samples: int
) -> np.ndarray:
    """Return the slopes (n, d) of the probability of class 1 that the package finds, row by row."""

    def both(Z: np.ndarray) -> np.ndarray:
        p = chance(Z)
        return np.stack([1.0 - p, p], axis=1)

    found = np.zeros(X.shape)
    for i, x in enumerate(X):
        explanation = explainer.explain_instance(x, both, num_features=X.shape[1], num_samples=samples)
        for feature, slope in explanation.local_exp[1]:
            found[i, feature] = slope
    return found


def check_close(what: str, ours: np.ndarray, theirs: np.ndarray, allowed: np.ndarray | float) -> None:
    """Raise MlopsimError unless two attributions differ by no more than what is allowed."""
    from mlopsim.core.errors import MlopsimError

    excess = np.abs(ours - theirs) - allowed
    if not excess.max() <= 0.0:
        row, feature = np.unravel_index(int(np.argmax(excess)), excess.shape)
        raise MlopsimError(
            f"the attributions of {what} differ: {ours[row, feature]:.6g} for row {row}, feature {feature}, "
            f"the reference's {theirs[row, feature]:.6g}"
        )


@measurement
def lime(
    *,
    rows: int,
    reference_rows: int,
    background: int,
    d: int,
    samples: int,
    checked_samples: int,
    forms: list[str],
    learners: list[Any],
    asked_ratio: float,
) -> Iterator[Contest]:
    """Rows explained by LIME, against the package's on the first of them.

    The ratio is asked of the default, where all rows share the perturbations and so the model's answers. With
    perturbations of its own for each row, as in the package, the ratio is only shown.
    """
    from mlopsim import make

    X, others = table(rows, d, 1)[0], table(background, d, 2)[0]
    first = X[:reference_rows]
    for form, shared in product(forms, (True, False)):
        rival = package(others, form)
        explainer, checked = (
            make("explainer", "lime", form=form, shared=shared, samples=n) for n in (samples, checked_samples)
        )
        for learner in learners:
            model = trained(learner, d)
            # what ours explains, so that margins become probabilities in the same way
            chance = partial(explainer.explained, model)
            found = checked.explain(model, first, others, np.random.default_rng(0))
            # the package's have about the same errors
            allowed = ERRORS * np.sqrt(2.0) * found.stderr + 1e-12
            name = f"lime, {form}, {label(learner)}" + ("" if shared else ", perturbations of its own")
            check_close(name, found.values, package_slopes(rival, chance, first, checked_samples), allowed)

            def ours(explainer: Any = explainer, model: Any = model) -> object:
                return explainer.explain(model, X, others, np.random.default_rng(0))

            def theirs(rival: Any = rival, chance: Any = chance) -> object:
                return package_slopes(rival, chance, first, samples)

            yield Contest(
                name=f"{name}, against the package lime",
                unit="rows/s",
                ours=Work(ours, rows),
                reference=Work(theirs, reference_rows),
                ratio=asked_ratio if shared else None,
            )


@measurement
def tree_shapley(
    *, rows: int, reference_rows: int, background: int, d: int, learners: list[Any], asked_ratio: float
) -> Iterator[Contest]:
    """Rows explained by exact Shapley values of trees, against shap's on the first of them."""
    from mlopsim import make

    X, others = table(rows, d, 1)[0], table(background, d, 2)[0]
    first = X[:reference_rows]
    own, rival = make("explainer", "tree"), make("explainer", "tree", engine="shap")
    for learner in learners:
        model, rng = trained(learner, d), np.random.default_rng(0)
        name = f"tree_shapley, {label(learner)}"
        found = own.explain(model, first, others, rng).values
        check_close(name, found, rival.explain(model, first, others, rng).values, 1e-5)

        def ours(model: Any = model) -> object:
            return own.explain(model, X, others, np.random.default_rng(0))

        def theirs(model: Any = model) -> object:
            return rival.explain(model, first, others, np.random.default_rng(0))

        yield Contest(
            name=f"{name}, against shap",
            unit="rows/s",
            ours=Work(ours, rows),
            reference=Work(theirs, reference_rows),
            ratio=asked_ratio,
        )


@measurement
def explainers(*, rows: int, background: int, d: int, learners: dict[str, Any]) -> Iterator[Contest]:
    """Rows explained by each explainer with its defaults, of a learner that it takes."""
    from mlopsim import make

    X, others = table(rows, d, 1)[0], table(background, d, 2)[0]
    for name, learner in learners.items():
        explainer, model = make("explainer", name), trained(learner, d)

        def ours(explainer: Any = explainer, model: Any = model) -> object:
            return explainer.explain(model, X, others, np.random.default_rng(0))

        yield Contest(name=f"explainer/{name}, {label(learner)}", unit="rows/s", ours=Work(ours, rows))
