"""Golden numbers of tuning and training: changed numbers without a raised version fail here.

The versions that must be raised stand in :mod:`mlopsim.core.versions`; after that the numbers here are made
anew by the printed ones.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from mlopsim.core.spec import canonical
from mlopsim.core.track import FitResult
from mlopsim.core.versions import VERSIONS
from mlopsim.tracks.delivery.fits import make_fit
from mlopsim.tracks.delivery.track import DeliveryTrack

#: the versions that the numbers below belong to
MADE_WITH = {"world": 1, "dynamics": 2, "features": 3, "tuning": 3, "training": 2, "outcome": 3}


def fit(method: Any, steps: int, feedback: str = "full") -> FitResult:
    track = DeliveryTrack(steps=steps, scenarios=12)
    part: dict[str, Any] = {
        kind: canonical(kind, name)
        for kind, name in (
            ("stream", "procedural"),
            ("learner", "ridge"),
            ("training", "last"),
            ("deployment", {"standard": {"feedback": feedback}}),
        )
    }
    part |= {"method": track.methods([method])[1].part, "scenarios": 12, "steps": steps, "root": 0}
    return make_fit(part)


def test_the_numbers_belong_to_these_versions() -> None:
    assert {name: VERSIONS[name] for name in MADE_WITH} == MADE_WITH


TUNED: list[tuple[str, int, dict[str, Any]]] = [
    (
        "error_threshold",
        52580,
        {"cooldown": 5, "memory": 2, "reference": "best", "rise": 0.0861006296134791, "wait": 0},
    ),
    (
        "adwin",
        52580,
        {
            "detector": canonical("detector", {"adwin": {"clock": 4}}),
            "channel": None,
            "limit": None,
            "p0": 0.2,
            "arl0": 20_000.0,
            "cooldown": 2,
            "wait": 6,
        },
    ),
]


@pytest.mark.parametrize(("name", "used", "wanted"), TUNED)
def test_tuned_rules(name: str, used: int, wanted: dict[str, Any]) -> None:
    info = fit(name, 60_000).info
    assert info["steps_used"] == used
    assert set(info["params"]) == set(wanted)
    for key, value in wanted.items():
        assert info["params"][key] == (pytest.approx(value, rel=1e-9) if isinstance(value, float) else value)


def test_tuned_weights() -> None:
    # under full feedback these few scenarios leave the defaults, which would show little
    info = fit("linear", 60_000, "deployed").info
    assert info["steps_used"] == 44440
    weights = info["params"]["weights"]
    assert len(weights) == 16
    np.testing.assert_allclose(
        weights[:4],
        [-1.8552619602232479, 1.955020559696527, 0.3469000208723374, -0.04776598690918552],
        rtol=1e-9,
    )


TRAINED: list[tuple[Any, float, float]] = [
    ({"ppo": {"n_envs": 8}}, 13.389234695976484, 0.07251072395592928),
    ({"ppo": {"n_envs": 8, "gamma": 0.0}}, 16.862040343286935, 0.12403298690333031),
    ("dqn", 34.724316248968535, 0.2933484632521868),
]


@pytest.mark.filterwarnings("ignore:You have specified a mini-batch size")
@pytest.mark.parametrize(("method", "weight", "bias"), TRAINED, ids=["ppo", "ppo-gamma0", "dqn"])
def test_trained_agents(method: Any, weight: float, bias: float) -> None:
    pytest.importorskip("stable_baselines3")
    arrays = fit(method, 6000).arrays
    # other processors round differently, and training carries that on
    assert float(np.abs(arrays["weight2"]).sum()) == pytest.approx(weight, rel=1e-3)
    assert float(np.abs(arrays["bias2"]).sum()) == pytest.approx(bias, rel=1e-2)


def test_a_trained_bandit() -> None:
    found = fit({"linucb_returns": {"n_envs": 16}}, 6000)
    assert found.info["steps_used"] == 5992
    assert float(np.abs(found.arrays["weight0"]).sum()) == pytest.approx(7.476264667207799, rel=1e-6)


def test_what_reads_no_scores_is_tuned_alike_under_every_feedback() -> None:
    one, other = (fit("error_threshold", 60_000, feedback).info for feedback in ("full", "deployed"))
    assert one == other
