"""Parameters of detectors beside their limit, chosen on training scenarios of a task with one budget for "
"all.
"""

from __future__ import annotations

import itertools
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from mlopsim.core.digest import canonical_json, plain
from mlopsim.core.errors import ConfigError, nearest
from mlopsim.core.identity import identity_words
from mlopsim.core.seeds import Axis, Split, seed_sequence
from mlopsim.core.spec import check_range, make
from mlopsim.drift.calibration import Boundary
from mlopsim.drift.detector import Detector
from mlopsim.drift.direction import Direction
from mlopsim.drift.scenario import Place, Scenario, Source
from mlopsim.tracks.drift.directed_score import score_of

#: parameters that are no matter of tuning: a detector of both sides is another method than one of one side
FIXED = ("side",)
#: numbers of the training scenarios: those of the drift-free signals that limits are found with lie below
FIRST = 1_000_000


@dataclass(frozen=True, kw_only=True)
class Tuning:
    """How detectors are tuned.

    Parameters
    ----------
    budget : int, default 0
        Settings of its parameters that are tried for each method and task, those that it comes with among
        them; 0: none, all run with those.
    seeds : int, default 10
        Training scenarios of the task on which the settings are compared, by the restricted delay of rises.
    runs : int, default 200
        Drift-free signals with which a limit is found for each setting that is tried.

    Examples
    --------
    >>> Tuning.of({"budget": 8}).settings()
    {'budget': 8, 'seeds': 10, 'runs': 200}
    """

    budget: int = 0
    seeds: int = 10
    runs: int = 200

    @classmethod
    def of(cls, given: Mapping[str, Any]) -> Tuning:
        """Read the settings ``drift.tuning``.

        Raises
        ------
        ConfigError
            For an unknown name or a value out of range.
        """
        known = list(cls.__dataclass_fields__)
        for name, value in given.items():
            if name not in known:
                raise ConfigError(
                    f"drift.tuning has no '{name}'{nearest(name, known)}",
                    remedy=f"it has: {', '.join(known)}",
                )
            if not isinstance(value, int) or isinstance(value, bool):
                raise ConfigError(f"drift.tuning.{name} must be a whole number, got {value!r}")
            check_range(f"drift.tuning.{name}", value, 0 if name == "budget" else 1, 10**6)
        return cls(**given)

    def settings(self) -> dict[str, int]:
        """Return all settings."""
        return {name: int(getattr(self, name)) for name in self.__dataclass_fields__}


def candidates(
    detector: Detector, given: Sequence[str], budget: int, words: Sequence[int]
) -> list[dict[str, Any]]:
    """Return the settings of its free parameters that are tried for a detector, its own ones first.

    Parameters
    ----------
    detector : Detector
        As it comes; its class says in ``space`` what may be tried.
    given : sequence of str
        Parameters that the user has set: these stay.
    budget : int
        Settings, at most; drawn without replacement where there are more.
    words : sequence of int
        Stable identity of the method.

    Returns
    -------
    list of dict
        Without any free parameter, one empty setting. Settings whose parameters do not go together are left
        out.

    Examples
    --------
    >>> candidates(make("detector", "fhddm"), [], 3, [1])[0]
    {'window': 100}
    >>> candidates(make("detector", "fhddm"), ["window"], 3, [1])
    [{}]
    """
    free = {
        name: plain(list(values))
        for name, values in detector.space.items()
        if name not in given and name not in FIXED
    }
    own = {name: plain(getattr(detector, name)) for name in free}
    others = [
        setting
        for values in itertools.product(*free.values())
        if (setting := dict(zip(free, values, strict=True))) != own and _fits(detector, setting)
    ]
    rng = np.random.default_rng(seed_sequence(Axis.METHOD, Split.TRAIN, 0, *words))
    kept = sorted(rng.permutation(len(others))[: max(0, budget - 1)].tolist())
    return [own, *(others[place] for place in kept)]


def _fits(detector: Detector, setting: Mapping[str, Any]) -> bool:
    try:
        with_setting(detector, setting)
    except ConfigError:
        return False
    return True


def with_setting(detector: Detector, setting: Mapping[str, Any]) -> Detector:
    """Return the detector with some of its parameters set, as JSON has them.

    Examples
    --------
    >>> with_setting(make("detector", "fhddm"), {"window": 50}).window
    50
    """
    if not setting:
        return detector
    from mlopsim.core.spec import part_of

    part = part_of(detector)
    return make("detector", {**part, "params": {**part["params"], **setting}})  # type: ignore[no-any-return]


@lru_cache(maxsize=64)
def _scenario(content: str, channel: str, index: int) -> Scenario:
    task = json.loads(content)
    source: Source = make("signal", task["signal"])
    place = Place(
        stream=task["stream"],
        learner=task["learner"],
        split="train",
        index=FIRST + index,
        root=task["root"],
    )
    return source.scenario(place, channel)


def delay_in_training(
    detector: Detector, limit: Boundary, part: Mapping[str, Any], words: Sequence[int]
) -> float:
    """Return the mean restricted delay of rises over the training scenarios of a task, in rows.

    Parameters
    ----------
    detector : Detector
        With the setting that is tried.
    limit : Boundary
        Found for it.
    part : mapping
        ``task`` (signal, stream, learner, root), ``channel``, ``tolerance`` and ``seeds``.
    words : sequence of int
        Stable identity of the method, for its random numbers.

    Returns
    -------
    float
        NaN where no error rises, infinite where there is no limit.
    """
    if limit.reason:
        return math.inf
    content = canonical_json(part["task"])
    delays = []
    for index in range(part["seeds"]):
        scenario = _scenario(content, part["channel"], index)
        seed = seed_sequence(Axis.METHOD, Split.TRAIN, FIRST + index, *words)
        coin = np.random.default_rng(np.random.SeedSequence(seed.entropy, spawn_key=(*seed.spawn_key, 1)))
        ready = detector.limited(limit.draw(coin))
        alarms = ready.alarms(scenario.channel.signal, np.random.default_rng(seed))
        rows = scenario.channel.times(alarms)
        found = score_of(
            rows[rows < scenario.rows], scenario, part["tolerance"], Direction.RISE, scenario.channel.lag
        )
        delays.append(found.restricted_delay)
    known = np.array(delays)[np.isfinite(delays)]
    return float(known.mean()) if len(known) else math.nan


def best(delays: Sequence[float]) -> int:
    """Return the place of the shortest delay; the first one, what a detector comes with, where nothing tells.

    Examples
    --------
    >>> best([5.0, 3.0, 3.0]), best([float("nan"), float("nan")])
    (1, 0)
    """
    known = [value if not math.isnan(value) else math.inf for value in delays]
    return int(np.argmin(known))


def words_of(part: Mapping[str, Any]) -> list[int]:
    """Return the stable identity that the random numbers of a tuned method hang on."""
    return list(identity_words(part["method"]))
