"""Golden numbers of the builder: if they change, raise the version ``world``."""

from __future__ import annotations

import numpy as np
import pytest
from _world_fixtures import LastTwo, make_stream

from mlopsim.core.digest import digest_arrays
from mlopsim.core.versions import VERSIONS
from mlopsim.world.build import build_from_stream

#: not the learner's: the inputs alone decide
SHIFT = [
    [0.3706992268562317, 0.3860485255718231, 0.44512423872947693],
    [0.6414141654968262, 0.7378860712051392, 2.026202917098999],
    [0.75, 1.4788546562194824, 2.3879616260528564],
]
GOLDEN = {"ridge": "a65c329a2430d0707bb07299", "naive_bayes": "8411df90b8317a89ee7e1c82"}


@pytest.mark.parametrize("learner", ["ridge", "naive_bayes"])
def test_golden(learner: str) -> None:
    assert VERSIONS["world"] == 1
    stream = make_stream(classes=3, categorical=True, missing=True)
    world = build_from_stream(stream, learner, LastTwo())
    whole = {name: world.arrays[name] for name in ("counts", "bits", "start", "bounds", "y", "g", "concept")}
    assert digest_arrays(whole) == GOLDEN[learner]
    np.testing.assert_allclose(world.shift[[2, 5, 9], [0, 9, 3]], SHIFT, rtol=1e-6)
