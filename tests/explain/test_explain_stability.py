"""The same explanation under other seeds."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest

from mlopsim.core.errors import ConfigError, DataError
from mlopsim.core.spec import make
from mlopsim.explain.stability import agreement, reseeded

RNG = np.random.default_rng


def trained() -> tuple[Any, np.ndarray]:
    X = RNG(0).normal(size=(300, 4))
    y = (X[:, 0] * X[:, 1] + X[:, 2] > 0).astype(np.int64)
    model = make("learner", "tree", max_depth=4).fit(X, y, 2, np.random.SeedSequence(0))
    return model, X


@pytest.mark.parametrize("spec", [{"lime": {"samples": 60}}, {"permutation": {"draws": 2}}])
def test_each_repeat_has_a_seed_of_its_own_whatever_else_is_asked(spec: Any) -> None:
    model, X = trained()
    explainer, seed = make("explainer", spec), np.random.SeedSequence(5, spawn_key=(3,))
    four = reseeded(explainer, model, X[:6], X, seed, 4)
    assert four.shape == (4, 6, 4)
    # to the bit, and however many seeds were spawned in between
    seed.spawn(2)
    np.testing.assert_array_equal(reseeded(explainer, model, X[:6], X, seed, 2), four[:2])
    for one, other in itertools.combinations(four, 2):
        assert np.abs(one - other).max() > 1e-4
    branch = np.random.default_rng(np.random.SeedSequence(5, spawn_key=(3, 2)))
    np.testing.assert_array_equal(explainer.explain(model, X[:6], X, branch).values, four[2])
    other = reseeded(explainer, model, X[:6], X, np.random.SeedSequence(6, spawn_key=(3,)), 1)
    assert np.abs(other[0] - four[0]).max() > 1e-4


def test_what_draws_nothing_is_the_same_under_every_seed() -> None:
    model, X = trained()
    values = reseeded(make("explainer", "tree"), model, X[:6], X, np.random.SeedSequence(0), 3)
    np.testing.assert_array_equal(values, values[[0, 0, 0]])
    np.testing.assert_array_equal(agreement(values, top=2), np.ones(6))


def test_agreement_is_the_mean_over_pairs() -> None:
    values = RNG(1).normal(size=(5, 2, 7, 4))
    for top in (1, 2, 4):
        found = agreement(values, top)
        assert found.shape == (2, 7)
        for place in np.ndindex(2, 7):
            best = [set(np.argsort(-np.abs(v[place]))[:top].tolist()) for v in values]
            shares = [len(a & b) / top for a, b in itertools.combinations(best, 2)]
            assert found[place] == pytest.approx(np.mean(shares))
    np.testing.assert_array_equal(agreement(values, 4), np.ones((2, 7)))
    # equal ones: the first counts, always
    np.testing.assert_array_equal(agreement(np.ones((3, 2, 4))), np.ones(2))


def test_more_samples_are_more_stable() -> None:
    model, X = trained()
    shares = [
        agreement(
            reseeded(make("explainer", "lime", samples=n), model, X[:40], X, np.random.SeedSequence(1), 10),
            top=2,
        ).mean()
        for n in (30, 300, 3000)
    ]
    assert shares[0] + 0.05 < shares[1] and shares[1] + 0.05 < shares[2] and shares[2] > 0.9


def test_bad_questions_are_named() -> None:
    model, X = trained()
    with pytest.raises(ConfigError, match="at least once, got 0"):
        reseeded(make("explainer", "tree"), model, X, X, np.random.SeedSequence(0), 0)
    with pytest.raises(DataError, match="at least 2 repeats"):
        agreement(np.ones((1, 5, 2)))
    for top in (0, 3):
        with pytest.raises(ConfigError, match=r"top must be in 1\.\.2"):
            agreement(np.ones((2, 5, 2)), top)
