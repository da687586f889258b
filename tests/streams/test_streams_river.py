"""Concepts against river's generators: the same rules, the same law of the inputs."""

import itertools

import numpy as np
import pytest

from mlopsim import make
from mlopsim.streams.concepts.base import Law

synth = pytest.importorskip("river.datasets.synth")
N = 3000


def rows(dataset, n=N):
    pairs = list(itertools.islice(iter(dataset), n))
    X = np.array([[float(value) for value in x.values()] for x, _ in pairs])
    return X, np.array([int(y) for _, y in pairs])


CASES = [
    *[("sea", k, synth.SEA(variant=k, seed=k)) for k in range(4)],
    *[("agrawal", k, synth.Agrawal(classification_function=k, seed=k)) for k in range(10)],
    *[("sine", k, synth.Sine(classification_function=k, seed=k)) for k in range(4)],
    *[("stagger", k, synth.STAGGER(classification_function=k, seed=k)) for k in range(3)],
    *[("mixed", k, synth.Mixed(classification_function=k, seed=k)) for k in range(2)],
]


@pytest.mark.parametrize(("name", "variant", "dataset"), CASES, ids=[f"{n}-{k}" for n, k, _ in CASES])
def test_labels_and_inputs_are_rivers(name, variant, dataset):
    from scipy.stats import ks_2samp

    X, y = rows(dataset)
    if name == "agrawal":
        X[:, 4] -= 1  # river's cars are 1..20, ours are codes
    concept = make("concept", name)
    law = Law.of(variant, len(X))
    np.testing.assert_array_equal(concept.rule(X, law), y)
    ours = concept.inputs(law, np.random.default_rng(variant))
    p = [ks_2samp(X[:, j], ours[:, j], method="asymp").pvalue for j in range(X.shape[1])]
    assert min(p) * len(p) > 1e-4
    if name == "agrawal":  # dependent inputs: commission and house value
        for pick in (
            lambda Z: (Z[:, 1] > 0) == (Z[:, 0] < 75_000),
            lambda Z: Z[:, 6] <= 150_000 * (8 - Z[:, 5]),
        ):
            assert pick(X).all() and pick(ours).all()


def test_hyperplane_is_rivers():
    dataset = synth.Hyperplane(seed=4, n_features=7, noise_percentage=0.0)
    X, y = rows(dataset)
    concept = make("concept", "hyperplane", d=7)
    concept.weights = np.tile(np.array(dataset._weights), (5, 1))
    np.testing.assert_array_equal(concept.rule(X, Law.of(3, len(X))), y)


def test_led_is_rivers():
    X, y = rows(synth.LED(seed=4, noise_percentage=0.0, irrelevant_features=True))
    concept = make("concept", "led", flip=0.0)
    concept.reset(np.random.default_rng(0))
    np.testing.assert_array_equal(concept.rule(X, Law.of(0, len(X))), y)
    # river compares 0.01 + U with its parameter: 0.11 flips a tenth of the segments
    X, y = rows(synth.LED(seed=4, noise_percentage=0.11, irrelevant_features=True))
    concept = make("concept", "led", flip=0.1)
    p = concept.posterior(X, Law.of(0, len(X)))
    _calibrated(p, y)
    assert abs(np.mean(p.argmax(axis=1) == y) - concept.bayes_accuracy(0)) < 0.03


def test_rbf_is_rivers():
    dataset = synth.RandomRBF(seed_model=1, seed_sample=2, n_features=4, n_centroids=12, n_classes=3)
    X, y = rows(dataset)
    concept = make("concept", "rbf", d=4, centroids=12, n_classes=3, variants=1)
    concept.centres = np.array([[c.centre for c in dataset.centroids]])
    concept.labels_of = np.array([c.class_label for c in dataset.centroids])
    concept.widths = np.array([c.std_dev for c in dataset.centroids])
    concept.weights = np.array(dataset.centroid_weights)
    law = Law.of(0, len(X))
    p = concept.posterior(X, law)
    _calibrated(p, y)
    ours, labels = concept.sample(law, np.random.default_rng(1))
    _calibrated(concept.posterior(ours, law), labels)
    from scipy.stats import ks_2samp

    assert min(ks_2samp(X[:, j], ours[:, j]).pvalue for j in range(4)) > 1e-4


def _calibrated(p, y):
    """The sum of p[y] has the mean and the variance that p itself predicts, and so has log p[y]."""
    for values in (p, np.log(np.maximum(p, 1e-300))):
        mean, square = (p * values).sum(axis=1), (p * values**2).sum(axis=1)
        z = (values[np.arange(len(y)), y] - mean).sum() / np.sqrt((square - mean**2).sum() + 1e-12)
        assert abs(z) < 4.0
