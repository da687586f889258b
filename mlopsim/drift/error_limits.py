"""Limits of detectors of errors for one false-alarm behaviour, found once for a configuration."""

from __future__ import annotations

import json
from functools import lru_cache

import numpy as np

from mlopsim.core.digest import canonical_json
from mlopsim.core.errors import ConfigError
from mlopsim.core.identity import identity_words
from mlopsim.core.seeds import Axis, Split, seed_sequence
from mlopsim.core.spec import make, part_of
from mlopsim.drift.calibration import boundary, calibrate, highest, target_share
from mlopsim.drift.detector import Detector
from mlopsim.drift.law import Bernoulli
from mlopsim.drift.run_length.limits import exact_boundary
from mlopsim.drift.simulated_run_lengths import SEARCH, Quiet, affordable

#: rows within which alarms are counted, and most signals
HORIZON, RUNS = 2500, 1000


def threshold_at(detector: Detector, arl0: float, p0: float) -> float:
    """Return the threshold with which errors at the rate p0 lead to the asked false alarms.

    Parameters
    ----------
    detector : Detector
        It reads errors; its own limit does not matter.
    arl0 : float
        In-control average run length in rows: P(alarm within 2500 rows) is at most ``1 - exp(-2500 / arl0)``,
        and as near to it as the scores allow.
    p0 : float
        Error rate in control.

    Returns
    -------
    float
        Exact where the law of the run length is known, else from 1000 simulated signals (fewer of detectors
        that take long). A function of the arguments alone: it is found once in a process.

    Raises
    ------
    ConfigError
        If the detector has no limit, or no limit leads to that.

    Examples
    --------
    >>> from mlopsim.core.spec import make
    >>> round(threshold_at(make("detector", "bernoulli_cusum", p0=0.1, p1=0.3), 10_000, 0.1), 2)
    6.53
    >>> threshold_at(make("detector", "river"), 10_000, 0.1)
    Traceback (most recent call last):
    ...
    mlopsim.core.errors.ConfigError: detector/river has no limit that a run length could set
      remedy: leave arl0 out; its own parameters say when it alarms
    """
    if not detector.limit:
        raise ConfigError(
            f"{detector.full_name} has no limit that a run length could set",
            remedy="leave arl0 out; its own parameters say when it alarms",
        )
    content = part_of(detector)
    if detector.separable:
        content["params"].pop(detector.limit)
    named = {key: content[key] for key in ("kind", "name", "params")}
    return _found(canonical_json(named), float(arl0), float(p0))


@lru_cache(maxsize=4096)
def _found(content: str, arl0: float, p0: float) -> float:
    part = json.loads(content)
    detector: Detector = make(part["kind"], part)
    law = Bernoulli(p=p0)
    found = exact_boundary(detector, law, arl0, HORIZON)
    if found is None:
        target = target_share(arl0, HORIZON)
        if detector.separable:
            found = boundary(_highest(content, p0), target)
        else:
            quiet = _quiet(detector, law)
            found = calibrate(detector, quiet, target, [_seed(content, i) for i in range(len(quiet))])
    if found.reason:
        raise ConfigError(
            f"{detector.full_name} has no limit for an ARL0 of {arl0:g} rows at the error rate {p0:g}: "
            f"{found.reason}",
            remedy="another arl0 or p0, or a limit of your own",
        )
    return found.threshold


def _quiet(detector: Detector, law: Bernoulli) -> Quiet:
    passes = 1 if detector.separable else SEARCH
    return Quiet(law=law, runs=affordable(detector, HORIZON, passes, RUNS), ticks=HORIZON)


def _seed(content: str, i: int) -> np.random.SeedSequence:
    words = identity_words(json.loads(content))
    return seed_sequence(Axis.CALIBRATION, Split.TRAIN, i, *words)


@lru_cache(maxsize=512)
def _highest(content: str, p0: float) -> np.ndarray:
    """Return the highest score of each signal: one run serves every run length."""
    part = json.loads(content)
    detector: Detector = make(part["kind"], part)
    quiet = _quiet(detector, Bernoulli(p=p0))
    return np.array([highest(detector, quiet[i], _seed(content, i)) for i in range(len(quiet))])
