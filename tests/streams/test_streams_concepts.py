"""The contract of concepts, by discovery, and their closed forms."""

import numpy as np
import pytest

from mlopsim import make
from mlopsim.core.errors import ConfigError
from mlopsim.core.registry import names
from mlopsim.core.spec import canonical
from mlopsim.streams.concepts.base import Law

NAMES = names("concept")


def built(name, seed=1, **params):
    concept = make("concept", name, **params)
    concept.reset(np.random.default_rng(seed))
    return concept


def test_all_are_there():
    assert set(NAMES) >= {
        "sea", "agrawal", "hyperplane", "rbf", "sine", "stagger", "mixed", "led", "linear_gaussian",
        "factor_gaussian",
    }  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_contract(name):
    concept = built(name)
    n, k, c = 4000, concept.count, len(concept.classes)
    law = Law.of(np.arange(n) % k)
    X, y = concept.sample(law, np.random.default_rng(2))
    again, y_again = built(name).sample(law, np.random.default_rng(2))
    np.testing.assert_array_equal(X, again)
    np.testing.assert_array_equal(y, y_again)
    assert X.shape == (n, len(concept.features)) and X.dtype == np.float64 and np.isfinite(X).all()
    assert y.dtype == np.int64 and set(np.unique(y)) == set(range(c))
    p = concept.posterior(X, law)
    assert p.shape == (n, c)
    np.testing.assert_allclose(p.sum(axis=1), 1.0)
    np.testing.assert_array_equal(concept.rule(X, law), p.argmax(axis=1))
    # labels follow the posterior, drawn with the inputs and drawn after them
    for labels in (y, concept.labels(X, law, np.random.default_rng(3))):
        hit = p[np.arange(n), labels]
        z = (hit - (p * p).sum(axis=1)).sum() / np.sqrt(n)
        assert abs(z) < 3.0
    for j, codes in concept.categories.items():
        assert set(np.unique(X[:, j])) == set(range(len(codes)))
    assert canonical("concept", name)["name"] == name


@pytest.mark.parametrize("name", NAMES)
def test_stretches_and_row_by_row_agree(name):
    """Concepts take a short way for long stretches of one variant: the numbers are the same."""
    concept = built(name)
    n = 600
    order = np.random.default_rng(3).permutation(n)
    long = Law.of(np.repeat(np.arange(3) % concept.count, 200))
    mixed = long.take(order)
    assert long.runs() is not None and mixed.runs() is None
    X, _ = concept.sample(long, np.random.default_rng(4))
    np.testing.assert_array_equal(concept.rule(X, long)[order], concept.rule(X[order], mixed))
    np.testing.assert_allclose(
        concept.posterior(X, long)[order], concept.posterior(X[order], mixed), atol=1e-12
    )


@pytest.mark.parametrize("name", NAMES)
def test_between_two_variants(name):
    concept = built(name)
    n = 500
    a, b = np.zeros(n, dtype=np.int64), np.full(n, concept.count - 1)
    between = Law(a, b, np.full(n, 0.5))
    if not concept.interpolates:
        with pytest.raises(ConfigError, match="incrementally"):
            concept.check(between)
        return
    X, _ = concept.sample(Law.of(a), np.random.default_rng(1))
    # at the ends: the variants themselves (w = 1e-300 takes the long way)
    np.testing.assert_allclose(
        concept.posterior(X, Law(a, b, np.full(n, 1e-300))), concept.posterior(X, Law.of(a)), atol=1e-9
    )
    np.testing.assert_allclose(
        concept.posterior(X, Law(a, b, np.ones(n))), concept.posterior(X, Law.of(b)), atol=1e-9
    )


@pytest.mark.parametrize("name", NAMES)
def test_variants_differ_and_unknown_ones_are_refused(name):
    concept = built(name)
    assert concept.distance(0, 1, np.random.default_rng(0)) > 0.03
    assert concept.distance(0, 0, np.random.default_rng(0)) == 0.0
    with pytest.raises(ConfigError, match="variants"):
        concept.check(Law.of(concept.count, 3))


@pytest.mark.parametrize("sigma", [0.1, 1.0])
@pytest.mark.parametrize("offset", [0.0, 0.7, -1.5])
def test_linear_gaussian_bayes_accuracy(sigma, offset):
    from scipy.integrate import quad
    from scipy.stats import norm

    concept = built("linear_gaussian", d=100, sigma=sigma, offset=offset, move_inputs=2.0)
    shift = 0.5 * concept.weights[1]
    for given, mu in ((None, -offset), (shift, 0.5 - offset)):
        exact = concept.bayes_accuracy(1, given)
        value, _ = quad(
            lambda u, m=mu: norm.pdf(u - m) * norm.cdf(abs(u) / sigma), -12, 12, points=[0], limit=200
        )
        assert abs(exact - value) < 1e-9
    n = 40_000
    law = Law.of(1, n)
    X, y = concept.sample(law, np.random.default_rng(5))
    exact = concept.bayes_accuracy(1)
    se = np.sqrt(0.25 / n)
    assert abs(np.mean(concept.rule(X, law) == y) - exact) < 4 * se
    assert abs(concept.posterior(X, law).max(axis=1).mean() - exact) < 4 * se
    assert abs(y.mean() - norm.cdf(-offset / np.hypot(1.0, sigma))) < 4 * se


@pytest.mark.parametrize(
    ("sigma", "offset", "correlation"), [(0.1, 0.0, 0.7), (0.5, 0.4, 0.7), (1.0, -0.3, 0.0)]
)
def test_factor_gaussian_bayes_accuracy(sigma, offset, correlation):
    """In closed form it is the mean chance of the likelier label."""
    concept = built("factor_gaussian", d=6, sigma=sigma, offset=offset, correlation=correlation)
    law = Law.of(0, 200_000)
    X = concept.inputs(law, np.random.default_rng(4))
    best = concept.posterior(X, law).max(axis=1)
    assert abs(best.mean() - concept.bayes_accuracy(0)) < 4 * best.std() / np.sqrt(len(X)) + 1e-12
    apart = np.corrcoef(X.T)[~np.eye(6, dtype=bool)]
    np.testing.assert_allclose(apart, correlation, atol=0.01)


def test_linear_gaussian_angle_and_centres():
    concept = built("linear_gaussian", d=20, angle=36.0, sigma=0.2)
    cosine = concept.weights[1:] @ concept.weights[0]
    np.testing.assert_allclose(np.degrees(np.arccos(cosine)), 36.0)
    assert abs(concept.distance(0, 2, np.random.default_rng(1), n=20_000) - 0.2) < 0.015
    moving = built("linear_gaussian", d=20, move_inputs=2.0)
    np.testing.assert_allclose(np.linalg.norm(moving.centres, axis=1), 2.0)
    X = moving.inputs(Law.of(3, 20_000), np.random.default_rng(1))
    np.testing.assert_allclose(X.mean(axis=0), moving.centres[3], atol=0.04)
    np.testing.assert_allclose(np.cov(X.T), np.eye(20), atol=0.05)


def test_led_bayes_accuracy():
    concept = built("led", flip=0.1)
    assert abs(concept.bayes_accuracy(0) - 0.74) < 0.005  # Breiman et al. 1984 give 74 %
    n = 20_000
    for variant in (0, 2):
        law = Law.of(variant, n)
        X, y = concept.sample(law, np.random.default_rng(6))
        assert abs(np.mean(concept.rule(X, law) == y) - concept.bayes_accuracy(variant)) < 0.013


def test_sea_interpolates_its_threshold():
    concept = built("sea", thresholds=[6.0, 10.0])
    X = np.array([[4.0, 3.9, 0.0], [4.0, 4.1, 0.0]])
    law = Law(np.zeros(2, dtype=int), np.ones(2, dtype=int), np.full(2, 0.5))
    assert concept.rule(X, law).tolist() == [0, 1]


@pytest.mark.parametrize(
    ("name", "params"),
    [
        ("sea", {"thresholds": [25.0]}), ("sea", {"thresholds": []}), ("led", {"flip": 0.7}),
        ("rbf", {"centroids": 1}), ("hyperplane", {"moving": 11}), ("linear_gaussian", {"angle": 200.0}),
        ("sine", {"irrelevant": -1}),
    ],
)  # fmt: skip
def test_bad_parameters(name, params):
    with pytest.raises(ConfigError, match=name):
        make("concept", name, **params)
