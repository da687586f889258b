"""Minimal sufficient reasons, against all sets of parts."""

from __future__ import annotations

import itertools

import numpy as np

from mlopsim.governance.explained.reasons import reasons


def test_no_smaller_set_suffices_and_none_of_its_size_weighs_more() -> None:
    rng = np.random.default_rng(0)
    sizes = set()
    for _ in range(200):
        values = np.round(rng.normal(size=(2, 6)) * 8) / 8
        first, second = ({f"part{i}": float(value) for i, value in enumerate(row)} for row in values)
        found = reasons(first, second)
        assert found.total == sum(first.values()) - sum(second.values()) == sum(found.parts.values())
        sign = 1.0 if found.total >= 0 else -1.0
        against = -sum(min(sign * value, 0.0) for value in found.parts.values())
        assert sum(-sign * found.parts[name] for name in found.against) == against
        enough = [
            (len(some), -sum(sign * found.parts[name] for name in some))
            for size in range(1, 7)
            for some in itertools.combinations(found.parts, size)
            if sum(sign * found.parts[name] for name in some) > against
        ]
        if found.total == 0.0:
            assert found.sufficient == ()
            continue
        mine = len(found.sufficient), -sum(sign * found.parts[name] for name in found.sufficient)
        assert mine == min(enough)
        sizes.add(mine[0])
    assert sizes >= {1, 2, 3}
