"""The stored tree is scikit-learn's; distilling keeps its budget, repeats, and finds what is there."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from explained_kit import policy, scene

from mlopsim.core.errors import CacheError, ConfigError
from mlopsim.core.spec import make
from mlopsim.governance.explained.faithful import faithful
from mlopsim.governance.explained.forks import fork
from mlopsim.governance.explained.tree import Tree, grow


@pytest.mark.parametrize("leaves", [None, 5])
def test_it_answers_as_scikit_learn_does(leaves: int | None) -> None:
    from sklearn.tree import DecisionTreeClassifier

    rng = np.random.default_rng(0)
    obs = rng.normal(size=(500, 4)).astype(np.float32).round(1)
    labels = np.where(obs[:, 1] > 0.3, 3, np.where(obs[:, 0] > 0, 1, rng.integers(2, size=500)))
    weights = rng.random(500)
    tree = grow(obs, labels, weights, tuple("abcd"), 5, depth=4, leaves=leaves)
    model = DecisionTreeClassifier(max_depth=4, max_leaf_nodes=leaves, random_state=0)
    model.fit(obs, labels, sample_weight=weights / weights.mean())
    leaf = tree.leaf(obs)
    assert np.array_equal(tree.weight[leaf].argmax(axis=1), model.predict(obs))
    assert tree.weight[leaf][:, model.classes_] == pytest.approx(model.predict_proba(obs), abs=1e-12)
    assert tree.leaves == model.get_n_leaves() and tree.depth == model.get_depth() and tree.outputs == 5
    again = Tree.read(tree.arrays(), tree.info())
    assert np.array_equal(again.leaf(obs), leaf)
    for row in (0, 17):
        words = tree.path(obs[row])
        assert len(words) <= 4
        for word in words:
            name, sign, at = word.split()
            value = float(obs[row, "abcd".index(name)])
            assert value <= float(at) + 1e-3 if sign == "<=" else value > float(at) - 1e-3
    assert tree.text(list("KLMNO")).count("yes:") == tree.leaves - 1


def test_a_damaged_tree_is_refused() -> None:
    tree = grow(np.array([[0.0], [1.0]], np.float32), np.array([0, 1]), np.ones(2), ("x",), 2, depth=1)
    arrays = tree.arrays()
    for change, words in (
        ({"left": np.array([0, -1, -1])}, "no tree"),
        ({"right": np.array([1, -1, -1])}, "no tree"),
        ({"feature": np.array([3, -1, -1])}, "no tree"),
        ({"threshold": np.zeros(2)}, "lengths"),
    ):
        with pytest.raises(CacheError, match=words):
            Tree.read({**arrays, **change}, tree.info())
    del arrays["weight"]
    with pytest.raises(CacheError, match="lacks"):
        Tree.read(arrays, tree.info())
    with pytest.raises(ConfigError, match="worth the same"):
        grow(np.zeros((3, 1), np.float32), np.zeros(3, int), np.zeros(3), ("x",), 2, depth=1)


SMALL = {"depth": 3, "rounds": 3, "decisions": 4, "states": 300, "least": 1}


@pytest.mark.parametrize("weights", ["viper", "uniform"])
def test_distilling_repeats_within_its_budget_and_gets_near_a_tree(weights: str) -> None:
    """The teacher is a tree of one question: nothing is lost by being one."""
    of = scene(3, size=10, latency=1)
    teacher = policy("surrogate_tree", of)
    column = teacher.tree.names.index("serving_ks")
    steep = np.array([[0.0] * len(teacher.tree.names)] * 2, np.float32)
    steep[1, column] = 1.0
    teacher.hold(grow(steep, np.array([0, 5]), np.ones(2), teacher.tree.names, 6, depth=1))

    def trained(seed: int, steps: int = 20_000) -> tuple[Any, Any]:
        tree = make("selector", "surrogate_tree", weights=weights, **SMALL)
        tree.teach(teacher, 77)
        return tree, tree.train(of.pool, of.deployment, steps, np.random.SeedSequence(seed))

    tree, fit = trained(0)
    assert fit.info["teacher_steps"] == 77 and 77 < fit.info["steps_used"] <= 20_077
    assert fit.attributes["tree_depth"] == tree.tree.depth <= 3
    assert fit.info["rounds"][0]["agreement"] == 1.0
    again, other = trained(0)[1], trained(1)[1]
    assert all(np.array_equal(fit.arrays[name], again.arrays[name]) for name in fit.arrays)
    assert any(not np.array_equal(fit.arrays[name], other.arrays[name]) for name in fit.arrays)
    loaded = make("selector", "surrogate_tree", **SMALL)
    loaded.load(fit)
    assert np.array_equal(of.walk(loaded).executed, of.walk(tree).executed)
    assert faithful(of, tree, teacher).agreement > 0.85
    with pytest.raises(ConfigError, match="learns nothing in 60 steps"):
        trained(0, steps=60)


def test_vipers_weights_are_the_exact_gaps() -> None:
    """A decision that costs nothing is not learned from: with nothing at stake there is nothing to learn."""
    of = scene(7, size=6)
    flat = replace(of, pool=of.pool)
    flat.pool.reward[:] = 0.5
    teacher = policy("maskable_ppo", flat)
    tree = make("selector", "surrogate_tree", **SMALL)
    tree.teach(teacher)
    free = make("deployment", "standard", switch_cost=0.0, retrain_cost=0.0)
    assert not fork(replace(flat, deployment=free), teacher).gap.any()
    with pytest.raises(ConfigError, match="worth the same"):
        tree.train(flat.pool, free, 20_000, np.random.SeedSequence(0))


def test_a_tree_without_teacher_or_for_another_deployment_is_refused() -> None:
    of = scene(0)
    tree = make("selector", "surrogate_tree")
    with pytest.raises(ConfigError, match="no teacher"):
        tree.train(of.pool, of.deployment, 1000, np.random.SeedSequence(0))
    other = policy("surrogate_tree", scene(0, slots=2))
    with pytest.raises(CacheError, match="other observations"):
        of.walk(other)
    with pytest.raises(ConfigError, match=r"selector/surrogate_tree\.depth"):
        make("selector", "surrogate_tree", depth=0)
