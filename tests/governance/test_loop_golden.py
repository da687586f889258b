"""Golden numbers of the closed loop: changed numbers without a raised version fail here.

They hang on ``deployment/governed``, ``training/guarded``, the constraints and reviewers, and on what has a
version in :mod:`mlopsim.core.versions`; after a raised version the numbers are made anew by the printed ones.
"""

import numpy as np
import pytest

from mlopsim.core.registry import find
from mlopsim.core.spec import make
from mlopsim.core.track import Cell
from mlopsim.core.versions import VERSIONS

VERSIONED = {
    "world": 1,
    "dynamics": 2,
    "governance": 4,
    "control/optimum": 1,
}
COMPONENTS = {
    "deployment/governed": 1,
    "training/guarded": 1,
    "reviewer/fallible": 1,
    "constraint/accuracy_floor": 1,
    "constraint/demographic_parity": 1,
}
SIZE = {"windows": 16, "warmup": 4, "per_group": 40}
STREAM = {
    "corrupted": {
        "base": {
            "population": {**SIZE, "bias": "label_bias", "strength": 1.0, "timing": {"step": {"at": 8}}}
        },
        "injector": {"unit_scale": {"factor": 10.0}},
        "rate": 0.6,
        "timing": {"step": {"at": 6}},
    }
}
GOVERNED = {
    "fallback": 0.6,
    "label_delay": 1,
    "latency": 1,
    "retrain_cost": 0.01,
    "release": [{"accuracy_drop": {"alpha": 0.5}}],
    "audits": ["demographic_parity"],
    "trigger": "ks",
    "reviewer": {"fallible": {"delay": 1}},
    "constraints": [
        {"accuracy_floor": {"floor": 0.9, "charge": "excess", "limit": 0.03}},
        {"demographic_parity": {"weight": 0.5, "tolerance": 0.02}},
    ],
}
NAMES = ("return", "cost", "over", "out", "longest", "retrains", "switches", "denied", "refused", "alarms")
#: of seed 3, in the order of NAMES
GOLDEN: dict[str, list[float]] = {
    "never": [0.821875, 0.03269042968750002, 0.0026904296875000233, 1.0, 12.0, 0.0, 0.0, 0.0, 0.0, 9.0],
    "none": [0.6666666666666665, 0.008172607421875006, 0.0, 0.25, 3.0, 4.0, 1.0, 3.0, 0.0, 0.0],
    "gate": [0.6666666666666665, 0.008172607421875006, 0.0, 0.25, 3.0, 4.0, 1.0, 3.0, 0.0, 0.0],
    "gate+trigger+audits+rollback": [0.6675, 0.008172607421875006, 0.0, 0.25, 3.0, 3.0, 1.0, 2.0, 2.0, 9.0],
    "suspend_always": [0.5991666666666665, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 9.0],
    "optimum": [0.821875, 0.03269042968750002, 0.0026904296875000233, 1.0, 12.0, 0.0, 0.0, 0.0, 0.0, 9.0],
}
#: bounds, returns and costs of plans at both prices
BOUNDS = [
    0.8218750000083334,
    0.8202404785239583,
    0.821875,
    0.821875,
    0.03269042968750002,
    0.03269042968750002,
]


@pytest.fixture(scope="module")
def cells(tmp_path_factory):
    track = make(
        "track",
        "governance",
        steps=0,
        prices=[0.0, 0.05],
        schedule={"periodic": {"every": 3, "phase": 1}},
        alarm="observed_alarm",
    )
    (task,) = track.tasks([{"name": "a", "stream": STREAM, "deployment": {"governed": GOVERNED}}])
    made = [
        Cell(track="governance/1", task=task, method=method, seed=3)
        for method in track.methods(["none", "gate", "gate+trigger+audits+rollback"])
    ]
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MLOPSIM_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield {cell.method.name: (cell, out) for cell, out in zip(made, track.run(made, {}), strict=True)}


def test_the_numbers_belong_to_these_versions():
    assert {name: VERSIONS[name] for name in VERSIONED} == VERSIONED
    assert {name: int(find(*name.split("/")).version) for name in COMPONENTS} == COMPONENTS


@pytest.mark.parametrize("name", GOLDEN)
def test_cells(cells, name):
    found = [cells[name][1].metrics[metric] for metric in NAMES]
    np.testing.assert_allclose(found, GOLDEN[name], rtol=1e-9, atol=1e-12, err_msg=repr(found))


def test_bounds(cells):
    curves = cells["optimum"][1].curves
    found = [*curves["bound"], *curves["plan_return"], *curves["plan_cost"]]
    np.testing.assert_allclose(found, BOUNDS, rtol=1e-9, atol=1e-12, err_msg=repr(found))
