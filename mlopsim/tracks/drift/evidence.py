"""What cells of the drift track keep for the figures of the report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from mlopsim.core.errors import ConfigError
from mlopsim.core.track import FitResult
from mlopsim.drift.detector import Detector
from mlopsim.drift.law import law_of
from mlopsim.drift.run_length.floor import cusum_reference, shiryaev_roberts_reference
from mlopsim.drift.scenario import Scenario
from mlopsim.drift.signal import SignalKind
from mlopsim.drift.windowed import Windowed


def evidence(fit: FitResult | None, place: int) -> dict[str, np.ndarray]:
    """Return what a fit tells of run lengths or of the floor.

    Parameters
    ----------
    fit : FitResult or None
        A calibration, or references.
    place : int
        Entry of the fit that the cell uses.

    Returns
    -------
    dict of str to ndarray
        ``run_length_at`` (P,) and ``run_length_survival`` (P,) of a calibration; ``reference_floor``,
        ``reference_cusum``, ``reference_roberts`` (A,) of :func:`references`.
    """
    if fit is None:
        return {}
    if "survival" not in fit.arrays and not is_reference(fit):
        # the wait of a control: it has no limit
        return {}
    if is_reference(fit):
        return {f"reference_{name}": fit.arrays[name] for name in ("floor", "cusum", "roberts")}
    return {"run_length_at": fit.arrays["at"], "run_length_survival": fit.arrays["survival"][place]}


def is_reference(fit: FitResult) -> bool:
    """Say whether a fit holds references and no limits."""
    return "floor" in fit.arrays


def references(laws: Sequence[Mapping[str, float]], arl0: Sequence[float]) -> FitResult:
    """Return what can be attained on independent ticks by who knows both laws.

    Parameters
    ----------
    laws : sequence of two mappings
        Parameters of the laws before and after the change.
    arl0 : sequence of float
        In-control average run lengths, in ticks.

    Returns
    -------
    FitResult
        Arrays (A,), in ticks after the first changed one: ``floor``, the least worst-case delay (Lorden);
        ``cusum`` and ``roberts``, delays in the long run without a false alarm. NaN with
        ``info["reason"]`` where they are not known.

    Examples
    --------
    >>> references([{"mean": 0.0, "sd": 1.0}, {"mean": 1.0, "sd": 1.0}], [1000.0]).arrays["floor"].round(2)
    array([9.52])
    """
    before, after = (law_of(law) for law in laws)
    nan = np.full(len(arl0), np.nan)
    try:
        cusum = [cusum_reference(before, after, value) for value in arl0]
        roberts = [shiryaev_roberts_reference(before, after, value) for value in arl0]
    except ConfigError as error:
        return FitResult(arrays={"floor": nan, "cusum": nan, "roberts": nan}, info={"reason": error.message})
    return FitResult(
        arrays={
            "floor": np.array([r.zero_state - 1.0 for r in cusum]),
            "cusum": np.array([r.steady_state - 1.0 for r in cusum]),
            "roberts": np.array([r.steady_state - 1.0 for r in roberts]),
        },
        info={"reason": ""},
    )


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
    from mlopsim.numerics.ecdf import two_cdfs

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
