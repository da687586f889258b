"""Shapley values of groups: the axioms, and what is attributed."""

from __future__ import annotations

import numpy as np
import pytest
from explained_kit import policy, scene

from mlopsim.core.spec import make
from mlopsim.delivery.features import feature_names
from mlopsim.governance.explained.attribution import GROUPS, attribution, group_of
from mlopsim.governance.explained.history import history_of


def test_every_feature_has_a_group_and_what_is_new_is_a_guard() -> None:
    owner = {group_of(name) for name in feature_names(3)}
    assert owner == set(GROUPS[:-1]) and len(owner) == 8
    assert group_of("cost_parity") == "guards"


def test_the_values_are_of_the_behaviour_and_a_group_that_is_not_read_has_none() -> None:
    of = scene(2, size=1)
    history = history_of(of, policy("surrogate_tree", of))
    tree = history.policy.tree
    used = {group_of(tree.names[column]) for column in tree.feature if column >= 0}
    sizes = []
    for step in (3, 6):
        found = attribution(history, step, background=4)
        assert found.whole == 1.0 and found.decisions == 4
        assert found.values.sum() == pytest.approx(found.whole - found.none, abs=1e-12)
        unused = [i for i, group in enumerate(found.groups) if group not in used]
        assert unused and (found.values[unused] == 0.0).all()
        sizes.append(np.abs(found.values).sum())
    assert max(sizes) > 0
    same = attribution(history_of(of, make("selector", "never")), 3, background=2)
    assert same.none == same.whole == 1.0 and not same.values.any()
