"""Golden numbers of the learned detectors and the controls: changed ones need a raised version."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from mlopsim.core.spec import make


def stream() -> np.ndarray:
    """Return 40 windows of 30 rows with 4 features; the spread grows at window 24."""
    drawn = np.random.default_rng(20).random((40, 30, 4)) - 0.5
    drawn[:, :, 1] += 0.5 * drawn[:, :, 0]
    drawn[24:] *= 1.8
    return drawn


#: version, alarms, scores of windows 10 to 12, sum of all scores
GOLDEN: dict[str, tuple[str, list[int], list[float], float]] = {
    "domain_classifier": (
        "2",
        [24],
        [0.5187048547759692, 0.9775591493854803, -0.21945205394367925],
        14.404034813394219,
    ),
    "isolation_forest": (
        "1",
        [24],
        [1.0171639335778864, 1.5737253311959751, 0.02303012679798988],
        20.899840069175816,
    ),
    "half_space_trees": (
        "1",
        [24],
        [0.22646291351356715, 0.25525070331694305, 1.3933226712783877],
        19.750255650111477,
    ),
    "pca": ("1", [24], [1.1361529220341675, 0.3416135475035166, 1.1438296309668308], 19.629344740820045),
}

CONTROLS: dict[str, tuple[str, dict[str, Any], list[int]]] = {
    "never": ("1", {}, []),
    "always": ("1", {}, list(range(12))),
    "random": ("1", {"rate": 0.3}, [4, 5, 7, 9, 10]),
    "periodic": ("1", {"every": 5}, [4, 9]),
    "clairvoyant": ("2", {"changes": [3, 7]}, [3, 7]),
}


@pytest.mark.parametrize("name", GOLDEN)
def test_learned(name: str) -> None:
    version, alarms, scores, total = GOLDEN[name]
    detector = make("detector", name)
    run = detector.run(stream())
    assert detector.version == version
    assert run.alarms.tolist() == alarms
    assert run.score[10:13].tolist() == pytest.approx(scores, rel=1e-9)
    assert np.nansum(run.score) == pytest.approx(total, rel=1e-9)


@pytest.mark.parametrize("name", CONTROLS)
def test_controls(name: str) -> None:
    version, params, alarms = CONTROLS[name]
    control = make("detector", name, **params)
    assert control.version == version
    assert control.alarms(np.zeros(12)).tolist() == alarms
