"""Contract checks of concepts."""

from __future__ import annotations

from typing import Any

import numpy as np

from mlopsim.checks.base import Check, generator, identical, refused, repeats, require
from mlopsim.core.spec import make
from mlopsim.streams.concepts.base import Law


def _concept(cls: type[Any], seed: int = 0) -> Any:
    concept = make("concept", cls.name)
    concept.reset(generator(seed))
    return concept


def _concept_rows(cls: type[Any]) -> None:
    concept = _concept(cls)
    require(isinstance(concept.count, int) and concept.count >= 1, f"count is {concept.count!r}")
    d, classes = len(concept.features), len(concept.classes)
    require(d >= 1 and classes >= 2, f"{d} features, {classes} classes")
    for law in (Law.of(0, 60), Law.of(np.arange(60) % concept.count)):
        before = law.a.copy(), law.b.copy(), law.w.copy()
        X, y = concept.sample(law, generator())
        require(identical(before, (law.a, law.b, law.w)), "changes the law that it is given")
        require(
            X.dtype == np.float64 and X.shape == (60, d) and bool(np.isfinite(X).all()),
            f"inputs are {X.dtype} of shape {X.shape}, expected finite float64 of shape (60, {d})",
        )
        require(
            y.dtype == np.int64 and y.shape == (60,) and 0 <= y.min() <= y.max() < classes,
            f"labels are {y.dtype} {y.shape} in {y.min()}..{y.max()}, expected int64 in 0..{classes - 1}",
        )
        for feature, names in concept.categories.items():
            codes = X[:, feature]
            require(
                bool((codes == codes.round()).all()) and 0 <= codes.min() <= codes.max() < len(names),
                f"the categorical feature {feature} holds more than its codes",
            )
        _concept_posterior(concept, X, law)


def _concept_posterior(concept: Any, X: np.ndarray, law: Law) -> None:
    copy = X.copy()
    rule, posterior = concept.rule(X, law), concept.posterior(X, law)
    require(identical(copy, X), "rule() or posterior() changes the inputs")
    shape = (len(X), len(concept.classes))
    require(
        posterior.shape == shape and bool((posterior >= 0).all()),
        f"posterior() has the shape {posterior.shape}, expected {shape} without negative numbers",
    )
    require(bool(np.allclose(posterior.sum(axis=1), 1.0, atol=1e-9)), "probabilities do not add up to 1")
    own = posterior[np.arange(len(X)), rule]
    require(bool((own >= posterior.max(axis=1) - 1e-9).all()), "rule() is not the likeliest label")
    if not concept.noisy:
        require(
            bool((concept.labels(X, law, generator(3)) == rule).all()),
            "labels are not those of rule(), although noisy is False",
        )


def _concept_repeats(cls: type[Any]) -> None:
    def draw(seed: int) -> Any:
        concept = make("concept", cls.name)
        concept.reset(generator(seed))
        return concept.sample(Law.of(np.arange(40) % concept.count), generator(seed + 100))

    repeats("a sample", draw)
    concept = _concept(cls)
    first = concept.sample(Law.of(0, 30), generator(7))
    concept.sample(Law.of(concept.count - 1, 30), generator(8))
    require(
        identical(first, concept.sample(Law.of(0, 30), generator(7))),
        "a sample depends on what was sampled before",
    )
    concept.reset(generator(9))
    concept.reset(generator(0))
    require(
        identical(first, concept.sample(Law.of(0, 30), generator(7))), "reset() does not reset everything"
    )


def _concept_laws(cls: type[Any]) -> None:
    concept = _concept(cls)
    classes = len(concept.classes)
    for variant in range(concept.count):
        accuracy = concept.bayes_accuracy(variant)
        require(
            bool(np.isnan(accuracy)) or 1.0 / classes - 1e-9 <= accuracy <= 1.0 + 1e-9,
            f"the Bayes accuracy of variant {variant} is {accuracy}",
        )
    if concept.count > 1:
        distance = concept.distance(0, 1, generator())
        require(0.0 <= distance <= 1.0, f"the distance of two variants is {distance}")
        between = Law(np.zeros(8, np.int64), np.ones(8, np.int64), np.linspace(0.1, 0.9, 8))
        if concept.interpolates:
            concept.check(between)
            X, _ = concept.sample(between, generator())
            require(bool(np.isfinite(X).all()), "rows between two variants are not finite")
        else:
            refused(lambda: concept.check(between), "accepts a law between two variants, but has none")
    refused(lambda: concept.check(Law.of(concept.count, 3)), "accepts a variant that does not exist")


CHECKS = [
    Check(name="rows", text="rows, labels and probabilities are valid", run=_concept_rows),
    Check(name="laws", text="variants have valid laws, and others are refused", run=_concept_laws),
    Check(name="seed", text="the seed decides everything", run=_concept_repeats),
]
