"""Golden numbers: changed numbers need a raised version of the explainer."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from mlopsim.core.registry import names
from mlopsim.core.spec import make, split_spec
from mlopsim.explain import trees
from mlopsim.learners.models import EstimatorModel, GaussianModel, LinearModel, Link

#: explainer, model; attributions of the first row, sums of absolute values, of bases, of standard errors
GOLDEN: list[tuple[Any, str, list[float]]] = [
    (
        "linear_interventional",
        "linear",
        [
            0.4426038381376751,
            -0.10400843142677445,
            0.0,
            -0.012689680949056377,
            28.418534738965988,
            -3.2120841077092974,
            0.0,
        ],
    ),
    (
        "linear_conditional",
        "linear",
        [
            0.429864782294332,
            -0.06048263982157776,
            0.0030605431564650763,
            -0.046536959867375306,
            29.819143061788598,
            -3.2120841077092974,
            0.0,
        ],
    ),
    (
        {"linear_conditional": {"exact": 2, "pairs": 20}},
        "linear",
        [
            0.4305705866992724,
            -0.062473658849318214,
            0.002446352280344629,
            -0.044637554368454437,
            29.837585343832192,
            -3.2120841077092974,
            0.35615432719210804,
        ],
    ),
    (
        "additive",
        "bayes",
        [
            0.8271855081617313,
            -0.521980369951609,
            0.0,
            -0.1481590098836595,
            57.72135047973985,
            20.386631592858162,
            0.0,
        ],
    ),
    ("tree", "tree", [0.52, 0.1, 0.0, -0.02, 10.84, 8.000000000000002, 0.0]),
    (
        "exact",
        "bayes",
        [
            0.13522057453609349,
            -0.07374773941156518,
            2.7755575615628914e-17,
            0.041102214874296245,
            8.264392220744234,
            13.23441662137132,
            0.0,
        ],
    ),
    (
        "permutation",
        "bayes",
        [
            0.13401554872005628,
            -0.07217696676690949,
            -9.202708040056961e-18,
            0.04073646804567801,
            8.244368110782254,
            13.23441662137132,
            0.1030241022389271,
        ],
    ),
    ("permutation", "tree", [0.52, 0.1, 0.0, -0.02, 10.84, 8.000000000000002, 0.0]),
    (
        "lime",
        "bayes",
        [
            0.178337357392278,
            -0.058870416381250346,
            -0.0026472876232619593,
            -0.2429441986673756,
            9.977939892799824,
            12.645828638953866,
            0.5425167171817702,
        ],
    ),
    (
        {"lime": {"around": "row", "alpha": 0.0}},
        "bayes",
        [
            0.14934662056502468,
            -0.03778821303616469,
            -0.005513256640067748,
            -0.22415648650942466,
            8.777659200437204,
            12.654115850664724,
            0.45508296768679585,
        ],
    ),
    (
        {"lime": {"form": "quartiles"}},
        "bayes",
        [
            0.17242762898932984,
            -0.06119913364883829,
            -0.0003289192571171388,
            0.15939780399790196,
            10.779057657173539,
            12.639178650929525,
            1.9677635159095976,
        ],
    ),
    (
        {"lime": {"shared": False, "samples": 100}},
        "tree",
        [
            0.37897116613258564,
            0.045325317515637537,
            -0.03587255835448929,
            0.08774012576114285,
            11.27000058854928,
            8.440340516522912,
            3.5137555644897027,
        ],
    ),
]


def rows(n: int, seed: int) -> np.ndarray:
    """Return rows from uniform numbers only, which are the same everywhere."""
    u = np.random.Generator(np.random.PCG64(seed)).random((n, 4, 3)).sum(axis=2) * 2.0 - 3.0
    u[:, 3] += 0.5 * u[:, 0]
    return u


def model(name: str) -> Any:
    if name == "linear":
        return LinearModel(
            coef=np.array([[1.0, -0.5, 0.0, 0.25]]), intercept=np.array([0.2]), link=Link.SOFTMAX
        )
    if name == "bayes":
        return GaussianModel(
            intercept=np.array([-1.0, -0.5]),
            half=np.array([[0.5, 1.0, 0.7, 0.5], [0.8, 0.5, 0.7, 0.3]]),
            centre=np.array([[-0.5, 0.2, 0.0, 1.0], [0.5, -0.2, 0.0, -1.0]]),
        )
    from sklearn.tree import DecisionTreeClassifier

    # a target without noise that is a tree itself: every version of scikit-learn finds the same splits
    X = np.stack(np.meshgrid(*[np.arange(4) - 1.5] * 4), axis=-1).reshape(-1, 4)
    y = np.where(X[:, 0] > 0, X[:, 1] > -1, X[:, 3] > 1).astype(np.int64)
    return EstimatorModel(estimator=DecisionTreeClassifier(random_state=0).fit(X, y), n_classes=2)


@pytest.mark.parametrize(("spec", "kind", "expected"), GOLDEN)
def test_golden(spec: Any, kind: str, expected: list[float]) -> None:
    found = make("explainer", spec).explain(
        model(kind), rows(20, 1), rows(50, 2), np.random.default_rng(2026)
    )
    stderr = 0.0 if found.stderr is None else float(found.stderr.sum())
    numbers = [*found.values[0], np.abs(found.values).sum(), found.base.sum(), stderr]
    np.testing.assert_allclose(numbers, expected, rtol=1e-9, atol=1e-12)


def test_every_explainer_has_golden_numbers() -> None:
    assert {split_spec("explainer", spec)[0] for spec, _, _ in GOLDEN} == set(names("explainer"))


def test_the_tree_is_the_one_that_was_meant() -> None:
    found = trees.trees_of(model("tree").estimator, 1)
    assert found is not None and len(found.left) == 7
    assert sorted(found.threshold[found.left >= 0].tolist()) == [-1.0, 0.0, 1.0]
