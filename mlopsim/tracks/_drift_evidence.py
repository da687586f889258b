"""What cells of the drift track keep for the figures of the report."""

from __future__ import annotations

import numpy as np

from mlopsim.core.track import FitResult
from mlopsim.drift.detector import Detector
from mlopsim.drift.law import Bernoulli, Law, Normal
from mlopsim.drift.scenario import Scenario
from mlopsim.drift.signal import SignalKind
from mlopsim.drift.windowed import Windowed

#: the detector whose first right alarm is shown as two distribution functions
PICTURED = "detector/ks"


def evidence(scenario: Scenario, fit: FitResult | None, place: int) -> dict[str, np.ndarray]:
    """Return the laws of the ticks and the law of the run length, where they are known.

    Parameters
    ----------
    scenario : Scenario
        What the detector read.
    fit : FitResult or None
        Its calibration.
    place : int
        Entry of the fit that the cell uses.

    Returns
    -------
    dict of str to ndarray
        ``laws`` (2, 1) error rates or (2, 2) means and standard deviations, before and after the change;
        ``run_length_at`` (P,) and ``run_length_survival`` (P,).
    """
    found: dict[str, np.ndarray] = {}
    if scenario.laws is not None and scenario.harmful:
        found["laws"] = np.array([_numbers(law) for law in scenario.laws])
    if fit is not None and "survival" in fit.arrays:
        found["run_length_at"] = fit.arrays["at"]
        found["run_length_survival"] = fit.arrays["survival"][place]
    return found


def _numbers(law: Law) -> list[float]:
    return [law.p] if isinstance(law, Bernoulli) else [law.mean, law.sd]


def laws_of(numbers: np.ndarray) -> tuple[Law, Law]:
    """Return the two laws of :func:`evidence`.

    Examples
    --------
    >>> laws_of(np.array([[0.1], [0.2]]))
    (Bernoulli(p=0.1), Bernoulli(p=0.2))
    """
    laws: list[Law] = [
        Bernoulli(p=float(row[0])) if len(row) == 1 else Normal(mean=float(row[0]), sd=float(row[1]))
        for row in numbers
    ]
    return laws[0], laws[1]


def pictured(detector: Detector, scenario: Scenario) -> dict[str, np.ndarray]:
    """Return the two samples behind the first alarm that follows a change.

    Parameters
    ----------
    detector : Detector
        One that compares windows with the first ones, with its limit.
    scenario : Scenario
        Windows of inputs.

    Returns
    -------
    dict of str to ndarray
        ``cdf_reference`` (n,) and ``cdf_window`` (r,): the feature with the largest Kolmogorov-Smirnov
        distance; ``cdf_place`` (3,): its number, the number of features, the window. Empty if the first
        alarm comes before the change or there is none.
    """
    from mlopsim.drift.cdf import two_cdfs

    channel = scenario.channel
    if channel.signal.kind is not SignalKind.INPUTS or not isinstance(detector, Windowed):
        return {}
    starts = [start for start, _ in (*scenario.harmful, *scenario.harmless)]
    alarms = detector.alarms(channel.signal)
    if not len(alarms) or not starts or channel.times(alarms[:1])[0] < min(starts):
        return {}
    data, window = channel.signal.data, int(alarms[0])
    reference = np.concatenate(data[: detector.reference])
    features = reference.shape[1]
    gaps = [two_cdfs(reference[:, j], data[window][:, j]).distance.value for j in range(features)]
    chosen = int(np.argmax(gaps))
    return {
        "cdf_reference": reference[:, chosen],
        "cdf_window": data[window][:, chosen],
        "cdf_place": np.array([chosen, features, window], dtype=np.int64),
    }
