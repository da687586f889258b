"""Golden numbers: changed numbers need a raised version of the component."""

import numpy as np
import pytest

from mlopsim import make
from mlopsim.core.digest import digest_arrays

#: parameters; digest of labels, groups and concepts; events; X[123, 0] and sum |X[-1]|
GOLDEN = {
    "agrawal": (
        {"concept": "agrawal"},
        "475669b7ad0c4c4c94babeeb",
        [],
        [135250.9628303075, 1097832.868815028],
    ),
    "factor_gaussian": (
        {"concept": "factor_gaussian"},
        "6535a2023b4884f6e8f9aace",
        [],
        [-0.2753351392362767, 7.729220131032303],
    ),
    "hyperplane": (
        {"concept": "hyperplane"},
        "006463e309ae74111156cd5a",
        [],
        [0.2904305428150247, 4.691118427655718],
    ),
    "led": (
        {"concept": "led"},
        "dac250e82437f6e90aaebd20",
        [],
        [1.0, 10.0],
    ),
    "linear_gaussian": (
        {"concept": "linear_gaussian"},
        "cbc639b313eeaff558213e97",
        [],
        [-0.6223928700478359, 7.9075302087299635],
    ),
    "mixed": (
        {"concept": "mixed"},
        "17af74a0f25ed79ffa4486c7",
        [],
        [1.0, 0.5536399494398977],
    ),
    "rbf": (
        {"concept": "rbf"},
        "ec10e85f4f45c4d238117bc8",
        [],
        [0.12439188759165226, 4.153942327433023],
    ),
    "sea": (
        {"concept": "sea"},
        "6d37d546ba26d04a49580edf",
        [],
        [8.333027067278959, 9.375350411282385],
    ),
    "sine": (
        {"concept": "sine"},
        "59d2ab76b6f06fb06cc032d3",
        [],
        [0.8403767457212861, 1.4863389252599892],
    ),
    "stagger": (
        {"concept": "stagger"},
        "3ca148fce1de75fd5f192642",
        [],
        [2.0, 3.0],
    ),
    "schedule-abrupt": (
        {"concept": "hyperplane", "schedule": "abrupt"},
        "006463e309ae74111156cd5a",
        [],
        [0.2904305428150247, 4.691118427655718],
    ),
    "schedule-gradual": (
        {"concept": "hyperplane", "schedule": "gradual"},
        "006463e309ae74111156cd5a",
        [],
        [0.2904305428150247, 4.691118427655718],
    ),
    "schedule-incremental": (
        {"concept": "hyperplane", "schedule": "incremental"},
        "006463e309ae74111156cd5a",
        [],
        [0.2904305428150247, 4.691118427655718],
    ),
    "schedule-none": (
        {"concept": "hyperplane", "schedule": "none"},
        "1dae4ffc986b7aeec298b2a2",
        [],
        [0.2904305428150247, 4.691118427655718],
    ),
    "schedule-recurring": (
        {"concept": "hyperplane", "schedule": "recurring"},
        "ff80f5dfe0f6d05adda229c5",
        [],
        [0.2904305428150247, 4.691118427655718],
    ),
    "duration-fixed": (
        {"concept": "sine", "schedule": {"abrupt": {"duration": {"fixed": {"mean": 7.0}}}}},
        "edd1456a57bffe681578dd52",
        [850, 1200, 1550, 1900, 2250, 2600, 2950],
        [0.8403767457212861, 1.4863389252599892],
    ),
    "duration-geometric": (
        {"concept": "sine", "schedule": {"abrupt": {"duration": {"geometric": {"mean": 7.0}}}}},
        "7eb1a623cdfbcea45f90cc58",
        [1200, 1650],
        [0.8403767457212861, 1.4863389252599892],
    ),
    "duration-weibull": (
        {"concept": "sine", "schedule": {"abrupt": {"duration": {"weibull": {"mean": 7.0}}}}},
        "6978dd9a6c0ae11d1d96d193",
        [1063, 1526, 2410],
        [0.8403767457212861, 1.4863389252599892],
    ),
    "shift-covariate": (
        {"schedule": "none", "shifts": ["covariate", {"covariate": {"mode": "resample"}}]},
        "ab71b6c0d76689508374de84",
        [2150, 2500],
        [-0.6223928700478359, 9.053997295630742],
    ),
    "shift-prior": (
        {"concept": "sea", "schedule": "none", "shifts": ["prior"]},
        "e77a2b5a4ea40d9bdfb14b56",
        [2500],
        [5.851384993583943, 6.473767651977239],
    ),
    "shift-subgroup": (
        {"schedule": "none", "shifts": ["subgroup", {"subgroup": {"mode": "inputs"}}], "groups": [0.5, 0.5]},
        "15d9b277095b5f7f8e956539",
        [2150, 2500],
        [-0.6223928700478359, 7.9075302087299635],
    ),
    "noise": (
        {"concept": "led", "noise": 0.2},
        "7ad1dc0ec674145c67003d60",
        [],
        [1.0, 10.0],
    ),
    "procedural": (
        {},
        "58bebea9481064648ded9d42",
        [950, 1166, 2000, 2196],
        [0.7833404728018016, 2.5229959782515916],
    ),
}


@pytest.mark.parametrize("name", GOLDEN)
def test_golden(name):
    params, digest, events, values = GOLDEN[name]
    kind = "procedural" if name == "procedural" else "synthetic"
    stream = make("stream", kind, windows=60, rows=50, **params).generate(np.random.SeedSequence(2026))
    assert [event.start for event in stream.events] == events
    assert digest_arrays({"y": stream.y, "g": stream.g, "concept": stream.concept}) == digest
    np.testing.assert_allclose([stream.X[123, 0], np.abs(stream.X[-1]).sum()], values, rtol=1e-9)
