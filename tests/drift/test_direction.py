"""Rises and falls of the error of a frozen model: measured, and scored apart."""

from __future__ import annotations

import numpy as np
import pytest

from mlopsim.core.spec import canonical, make
from mlopsim.drift.direction import Direction, directions
from mlopsim.drift.scenario import Place
from mlopsim.drift.scoring import score_alarms

RISE, FALL, NONE = Direction.RISE, Direction.FALL, Direction.NONE


def stepped(*shares: float) -> np.ndarray:
    """1000 rows a share, errors evenly spread."""
    return np.concatenate([(np.arange(1000) * share % 1.0 < share).astype(np.float64) for share in shares])


@pytest.mark.parametrize(
    ("shares", "changes", "expected"),
    [
        ((0.1, 0.5, 0.1), [(1000, 1000), (2000, 2000)], [RISE, FALL]),
        ((0.5, 0.1), [(1000, 1000)], [FALL]),
        # by chance two shares of 1000 rows differ by .04 or so
        ((0.2, 0.21), [(1000, 1000)], [NONE]),
        # a gradual change is judged by what comes after its end, one that is overtaken by what is left
        ((0.1, 0.3, 0.1), [(1000, 1500), (2000, 2600)], [RISE, FALL]),
        ((0.1, 0.5, 0.1), [(1000, 2500), (2000, 2000)], [RISE, FALL]),
        # nothing before it, nothing after it
        ((0.1, 0.5), [(0, 0), (2000, 2000)], [NONE, NONE]),
    ],
)
def test_directions(
    shares: tuple[float, ...], changes: list[tuple[int, int]], expected: list[Direction]
) -> None:
    assert list(directions(stepped(*shares), changes, changes)) == expected


@pytest.mark.parametrize(
    ("channel", "update"), [("errors", "frozen"), ("inputs", "frozen"), ("errors", "online")]
)
def test_an_old_concept_that_comes_back_is_a_fall_whatever_is_read(channel: str, update: str) -> None:
    stream = {
        "synthetic": {
            "windows": 30,
            "concept": "sea",
            "bayes": False,
            "schedule": {"recurring": {"order": [0, 3], "duration": {"fixed": {"mean": 8}}}},
        }
    }
    place = Place(stream=canonical("stream", stream), learner=canonical("learner", "ridge"))
    scenario = make("signal", "model", update=update).scenario(place, channel)
    assert scenario.directions == (RISE, FALL)


@pytest.mark.parametrize(("p", "p1", "way"), [(0.1, 0.2, RISE), (0.3, 0.1, FALL), (0.2, 0.2, NONE)])
def test_known_laws_say_it_themselves(p: float, p1: float, way: Direction) -> None:
    scenario = make("signal", "iid", p=p, p1=p1).scenario(Place(stream={}, learner={}), "errors")
    assert scenario.directions == (way,)


def test_changes_aside_take_their_alarms_with_them() -> None:
    """A rise at 100 that is missed, a fall at 150 that is told: no hit, no false alarm."""
    rises, falls = [(100, 100)], [(150, 150)]
    score = score_alarms([20, 160], rises, 300, 80, aside=falls)
    assert (score.hits, score.false, score.drifts, score.restricted_delay) == (0, 1, 1, 50.0)
    other = score_alarms([20, 160], falls, 300, 80, aside=rises)
    assert (other.hits, other.false, other.delay) == (1, 1, 10.0)
    assert score.stable == other.stable == 300 - 130
